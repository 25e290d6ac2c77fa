"""Gaussian smoothing of a block whose border is already there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

TRUNCATE = 4.0
"""Standard deviations at which a Gaussian is cut off, as in SciPy and scikit-image."""
_PIECE = 2048
Plane = npt.NDArray[np.float32]


def reach(sigma: float) -> int:
    """Return how many voxels to each side a Gaussian takes in.

    Examples
    --------
    >>> reach(1.0), reach(0.1)
    (4, 0)
    """
    return int(TRUNCATE * sigma + 0.5)


def weights(sigma: float) -> Plane:
    """Return the weights from the middle of a Gaussian outwards; both halves together have the sum 1.

    Examples
    --------
    >>> weights(0.5).round(3).tolist()
    [0.7870000004768372, 0.10599999874830246, 0.0]
    """
    half = np.exp(-0.5 * (np.arange(reach(sigma) + 1) / max(sigma, 1e-9)) ** 2)
    whole = half[0] + 2 * half[1:].sum()
    return np.asarray(half / whole, np.float32)


def smooth(block: Plane, sigmas: Sequence[float]) -> Plane:
    """Smooth a block, one standard deviation in voxels per axis; it loses :func:`reach` at each end.

    Each voxel is the same sum in the same order wherever it lies in the block, so that the tiles into which
    an image is cut change nothing, not even the last bit.

    Examples
    --------
    >>> smooth(np.ones((9, 10), np.float32), (1.0, 0.5)).shape
    (1, 6)
    """
    for axis, sigma in enumerate(sigmas):
        taps = weights(sigma)
        if len(taps) == 1:
            continue
        shape = list(block.shape)
        shape[axis] -= 2 * (len(taps) - 1)
        out = np.empty(shape, np.float32)
        if axis == block.ndim - 1:
            rows = np.ascontiguousarray(block).reshape(-1, block.shape[-1])
            _along_rows(rows, taps, out.reshape(-1, shape[-1]))
        else:
            outer = int(np.prod(shape[:axis], dtype=np.int64))
            deep = np.ascontiguousarray(block).reshape(outer, block.shape[axis], -1)
            _across_rows(deep, taps, out.reshape(outer, shape[axis], -1))
        block = out
    return block


@njit(cache=True, nogil=True)
def _across_rows(block: Any, taps: Any, out: Any) -> None:
    for k in range(out.shape[0]):
        for first in range(0, out.shape[2], _PIECE):  # pieces of a row that stay in the cache
            last = min(first + _PIECE, out.shape[2])
            for j in range(out.shape[1]):
                _weigh(block[k], j, first, last, taps, out[k, j, first:last])


@njit(cache=True, nogil=True)
def _weigh(rows: Any, j: int, first: int, last: int, taps: Any, out: Any) -> None:
    radius = len(taps) - 1
    middle = rows[j + radius, first:last]
    for i in range(out.size):
        out[i] = taps[0] * middle[i]
    for n in range(1, radius + 1):
        before, after = rows[j + radius - n, first:last], rows[j + radius + n, first:last]
        weight = taps[n]
        for i in range(out.size):
            out[i] += weight * (before[i] + after[i])


@njit(cache=True, nogil=True)
def _along_rows(block: Any, taps: Any, out: Any) -> None:
    radius = len(taps) - 1
    for j in range(out.shape[0]):
        row = out[j]
        size = row.size
        middle = block[j, radius : radius + size]
        for i in range(size):
            row[i] = taps[0] * middle[i]
        for n in range(1, radius + 1):
            before, weight = block[j, radius - n : radius - n + size], taps[n]
            after = block[j, radius + n : radius + n + size]
            for i in range(size):
                row[i] += weight * (before[i] + after[i])
