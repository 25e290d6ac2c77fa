"""A graph of conductances, and what is done with its matrix: multiply, relax, sum."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import get_num_threads, njit, prange, set_num_threads

from .fields import total

Values = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float32]

_ROWS, _CHUNKS = 1 << 14, 16
"""Rows that are relaxed one after another, at least, and chunks of them, at most."""
_MANY = 1 << 19
"""Unknowns from which on a second thread saves more than it costs to wait for it."""


@contextmanager
def threads_for(unknowns: int) -> Iterator[None]:
    """Use one thread for what is small: on a busy machine two wait for each other longer than they work."""
    before = get_num_threads()
    set_num_threads(before if unknowns >= _MANY else 1)
    try:
        yield
    finally:
        set_num_threads(before)


class Graph(NamedTuple):
    """Nodes, the conductances between them, and to the plates.

    Weights are single, for there are many. All that is summed of them is double: what hangs on the plates by
    something that conducts badly must not be lost in the rounding of what conducts well.
    """

    starts: npt.NDArray[np.int64]
    """Where the links of each node begin in `ends` and `weights`, and where the last end."""
    ends: npt.NDArray[np.int32]
    weights: Weights
    grounds: Values

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return len(self.grounds)


@njit(cache=True)
def _chunk(size: int) -> int:
    """Return how many rows are relaxed one after another; it must not depend on the number of threads."""
    return max(_ROWS, size // _CHUNKS + 1)


@njit(cache=True)
def row_sum(starts: Any, weights: Any, n: int) -> float:
    """Return the sum of the links of a node."""
    total = 0.0
    for at in range(starts[n], starts[n + 1]):
        total += weights[at]
    return total


@njit(cache=True, parallel=True)
def diagonal_of(starts: Any, ends: Any, weights: Any, grounds: Any) -> Any:
    """Return all that each node conducts."""
    total = np.empty(len(grounds))
    for n in prange(len(grounds)):
        total[n] = row_sum(starts, weights, n) + grounds[n]
    return total


@njit(cache=True)
def _row_product(starts: Any, ends: Any, weights: Any, x: Any, n: int) -> float:
    total = 0.0
    for at in range(starts[n], starts[n + 1]):
        total += weights[at] * x[ends[at]]
    return total


@njit(cache=True, parallel=True)
def residual(starts: Any, ends: Any, weights: Any, grounds: Any, diagonal: Any, right: Any, x: Any) -> Any:
    """Return what the matrix times x leaves of the right side."""
    left = np.empty_like(x)
    for n in prange(len(x)):
        left[n] = right[n] - diagonal[n] * x[n] + _row_product(starts, ends, weights, x, n)
    return left


@njit(cache=True)
def _product_rows(
    starts: Any,
    ends: Any,
    weights: Any,
    diagonal: Any,
    x: Any,
    a: Any,
    b: Any,
    out: Any,
    begin: int,
    stop: int,
) -> tuple[float, float, float]:
    energy, with_a, with_b = 0.0, 0.0, 0.0
    for n in range(begin, stop):
        out[n] = diagonal[n] * x[n] - _row_product(starts, ends, weights, x, n)
        energy += x[n] * out[n]
        with_a += x[n] * a[n]
        with_b += x[n] * b[n]
    return energy, with_a, with_b


@njit(cache=True, parallel=True)
def product(
    starts: Any, ends: Any, weights: Any, grounds: Any, diagonal: Any, x: Any, a: Any, b: Any
) -> tuple[Any, float, float, float]:
    """Return the matrix times x, and of x the products with it, with a and with b."""
    out, rows = np.empty_like(x), _chunk(len(x))
    parts = np.zeros((-(-len(x) // rows), 3))
    for chunk in prange(len(parts)):
        begin = chunk * rows
        stop = min(begin + rows, len(x))
        parts[chunk] = _product_rows(starts, ends, weights, diagonal, x, a, b, out, begin, stop)
    return out, total(parts[:, 0]), total(parts[:, 1]), total(parts[:, 2])


@njit(cache=True)
def _subtract_rows(a: Any, b: Any, times: float, out: Any, begin: int, stop: int) -> tuple[float, float]:
    before, after = 0.0, 0.0
    for n in range(begin, stop):
        out[n] = a[n] - times * b[n]
        before += a[n] * a[n]
        after += out[n] * out[n]
    return before, after


@njit(cache=True, parallel=True)
def subtract(a: Any, b: Any, times: float) -> tuple[Any, float]:
    """Return a less b times a number, and what share of the length of a it has."""
    out, rows = np.empty_like(a), _chunk(len(a))
    parts = np.zeros((-(-len(a) // rows), 2))
    for chunk in prange(len(parts)):
        begin = chunk * rows
        parts[chunk] = _subtract_rows(a, b, times, out, begin, min(begin + rows, len(a)))
    before = total(parts[:, 0])
    return out, np.sqrt(total(parts[:, 1]) / before) if before > 0 else 0.0


@njit(cache=True, parallel=True)
def combine(a: Any, times_a: float, b: Any, times_b: float) -> Any:
    """Return the sum of two vectors, each times a number."""
    out = np.empty_like(a)
    for n in prange(len(a)):
        out[n] = times_a * a[n] + times_b * b[n]
    return out


@njit(cache=True)
def _forward_rows(
    starts: Any, ends: Any, weights: Any, diagonal: Any, right: Any, x: Any, begin: int, stop: int
) -> None:
    for n in range(begin, stop):
        total, damping = right[n], diagonal[n]
        for at in range(starts[n], starts[n + 1]):
            m = ends[at]
            if m < begin or m >= stop:
                damping += weights[at]
            elif m < n:  # all others are still 0
                total += weights[at] * x[m]
        x[n] = total / damping


@njit(cache=True, parallel=True)
def forward(starts: Any, ends: Any, weights: Any, grounds: Any, diagonal: Any, right: Any) -> Any:
    """Relax from 0, row after row within a chunk.

    Chunks do not see each other. What links them is added to the diagonal: without it two nodes that conduct
    well across a border would swing about each other.
    """
    x, rows = np.zeros_like(right), _chunk(len(right))
    for chunk in prange(-(-len(x) // rows)):
        begin = chunk * rows
        _forward_rows(starts, ends, weights, diagonal, right, x, begin, min(begin + rows, len(x)))
    return x


@njit(cache=True)
def _backward_rows(
    starts: Any, ends: Any, weights: Any, diagonal: Any, right: Any, x: Any, old: Any, begin: int, stop: int
) -> None:
    for n in range(stop - 1, begin - 1, -1):
        total, damping = right[n], diagonal[n]
        for at in range(starts[n], starts[n + 1]):
            m = ends[at]
            if begin <= m < stop:
                total += weights[at] * x[m]
            else:
                damping += weights[at]
                total += weights[at] * (old[m] + old[n])
        x[n] = total / damping


@njit(cache=True, parallel=True)
def backward(
    starts: Any, ends: Any, weights: Any, grounds: Any, diagonal: Any, right: Any, x: Any, old: Any
) -> None:
    """Relax in the opposite order; of other chunks the values before it are taken."""
    rows = _chunk(len(x))
    for chunk in prange(-(-len(x) // rows)):
        begin = chunk * rows
        _backward_rows(starts, ends, weights, diagonal, right, x, old, begin, min(begin + rows, len(x)))
