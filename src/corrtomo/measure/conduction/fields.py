"""Fields on a grid of voxels: sums and products, plane by plane, the same for any number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange


@njit(cache=True)
def total(parts: Any) -> float:
    """Return the sum of some numbers, one after another: a parallel loop would share them out by thread."""
    added = 0.0
    for part in parts:
        added += part
    return added


@njit(cache=True)
def _dot_plane(a: Any, b: Any) -> float:
    total = 0.0
    for j in range(a.shape[0]):
        for i in range(a.shape[1]):
            total += np.float64(a[j, i]) * np.float64(b[j, i])
    return total


@njit(cache=True, parallel=True)
def dot(a: Any, b: Any) -> float:
    """Return a · b."""
    parts = np.zeros(a.shape[0])
    for k in prange(a.shape[0]):
        parts[k] = _dot_plane(a[k], b[k])
    return total(parts)


@njit(cache=True)
def _largest_plane(a: Any) -> float:
    largest = np.float32(0.0)
    for j in range(a.shape[0]):
        for i in range(a.shape[1]):
            largest = max(largest, abs(a[j, i]))
    return float(largest)


@njit(cache=True, parallel=True)
def largest(a: Any) -> float:
    """Return the largest magnitude."""
    parts = np.zeros(a.shape[0])
    for k in prange(a.shape[0]):
        parts[k] = _largest_plane(a[k])
    return float(parts.max())


@njit(cache=True, parallel=True)
def advance(x: Any, r: Any, p: Any, q: Any, length: float) -> None:
    """Go along `p`: x gains it, and r loses the matrix times it."""
    short = np.float32(length)
    for k in prange(1, x.shape[0] - 1):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                x[k, j, i] += length * p[k, j, i]
                r[k, j, i] -= short * q[k, j, i]


@njit(cache=True, parallel=True)
def turn(p: Any, z: Any, share: float) -> None:
    """Make `p` the next direction: z and a share of the last one."""
    kept = np.float32(share)
    for k in prange(1, p.shape[0] - 1):
        for j in range(p.shape[1]):
            for i in range(p.shape[2]):
                p[k, j, i] = z[k, j, i] + kept * p[k, j, i]
