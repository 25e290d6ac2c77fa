"""What is read off a smoothed image: steepness, roughness, curvatures, cell by cell.

A cell is a little square or cube of 64 voxels, of 8 × 8 or 4 × 4 × 4. Its features lie side by side, feature
by feature, so that a forest asks all 64 voxels one question at a time; see :mod:`corrtomo.segment.votes`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

CELL = {2: (8, 8), 3: (4, 4, 4)}
"""Voxels of a cell along each axis."""
LANES = 64
MARGIN = 2
"""Voxels that the second derivatives need on each side."""
KINDS = ("intensity", "edges", "texture", "hessian")
_SWEEPS = 6  # of Jacobi's rotations: three settle single precision
_QUARTER, _HALF, _TWO = np.float32(0.25), np.float32(0.5), np.float32(2)
_EIGHTH, _SIXTEENTH = np.float32(0.125), np.float32(0.0625)


@njit(cache=True, nogil=True)
def square_cells(mean: Any, squares: Any, row: int, shift: Any, per_step: Any, first: Any, out: Any) -> None:
    """Fill the features of one image and scale for a row of cells in 2D.

    Parameters
    ----------
    mean, squares : numpy.ndarray
        Smoothed image, and smoothed squares of it, with a margin of 2; the grey values less `shift`.
    row : int
        Row of cells.
    shift : float32
        What is added to the brightness again.
    per_step : numpy.ndarray
        float32, per axis: finest edge of a voxel over the edge along it.
    first : numpy.ndarray
        int64, per kind of :data:`KINDS`: its first column of `out`, or -1.
    out : numpy.ndarray
        float32, dims cell, column, voxel of the cell.
    """
    fy, fx = per_step[0], per_step[1]
    norm = np.float32(1 / np.sqrt(2.0))
    for cell in range(out.shape[0]):
        for j in range(8):
            y = 8 * row + j + MARGIN
            for i in range(8):
                x, lane = 8 * cell + i + MARGIN, 8 * j + i
                m = mean[y, x]
                if first[0] >= 0:
                    out[cell, first[0], lane] = m + shift
                if first[1] >= 0:
                    gy = mean[y + 1, x - 1] + _TWO * mean[y + 1, x] + mean[y + 1, x + 1]
                    gy -= mean[y - 1, x - 1] + _TWO * mean[y - 1, x] + mean[y - 1, x + 1]
                    gx = mean[y - 1, x + 1] + _TWO * mean[y, x + 1] + mean[y + 1, x + 1]
                    gx -= mean[y - 1, x - 1] + _TWO * mean[y, x - 1] + mean[y + 1, x - 1]
                    gy, gx = gy * fy * _QUARTER, gx * fx * _QUARTER
                    out[cell, first[1], lane] = norm * np.sqrt(gy * gy + gx * gx)
                if first[2] >= 0:
                    out[cell, first[2], lane] = np.sqrt(max(np.float32(0), squares[y, x] - m * m))
                if first[3] >= 0:
                    a = (mean[y + 2, x] - _TWO * m + mean[y - 2, x]) * _QUARTER * fy * fy
                    c = (mean[y, x + 2] - _TWO * m + mean[y, x - 2]) * _QUARTER * fx * fx
                    b = mean[y + 1, x + 1] - mean[y + 1, x - 1] - mean[y - 1, x + 1] + mean[y - 1, x - 1]
                    b = b * _QUARTER * fy * fx
                    half = (a - c) * _HALF
                    spread = np.sqrt(half * half + b * b)
                    out[cell, first[3], lane] = (a + c) * _HALF + spread
                    out[cell, first[3] + 1, lane] = (a + c) * _HALF - spread


@njit(cache=True, nogil=True)
def cube_cells(mean: Any, squares: Any, row: Any, shift: Any, per_step: Any, first: Any, out: Any) -> None:
    """Fill the features of one image and scale for a row of cells in 3D; `row` counts cells along z and y."""
    norm = np.float32(1 / np.sqrt(3.0))
    gradient = np.empty(3, np.float32)
    for cell in range(out.shape[0]):
        for lane in range(LANES):
            z = 4 * row[0] + lane // 16 + MARGIN
            y = 4 * row[1] + lane // 4 % 4 + MARGIN
            x = 4 * cell + lane % 4 + MARGIN
            around = mean[z - 2 : z + 3, y - 2 : y + 3, x - 2 : x + 3]
            m = around[2, 2, 2]
            if first[0] >= 0:
                out[cell, first[0], lane] = m + shift
            if first[1] >= 0:
                _sobel(around, gradient)
                total = np.float32(0)
                for axis in range(3):
                    step = gradient[axis] * per_step[axis]
                    total += step * step
                out[cell, first[1], lane] = norm * np.sqrt(total)
            if first[2] >= 0:
                out[cell, first[2], lane] = np.sqrt(max(np.float32(0), squares[z, y, x] - m * m))
            if first[3] >= 0:
                large, middle, small = _curvatures(around, per_step)
                out[cell, first[3], lane] = large
                out[cell, first[3] + 1, lane] = middle
                out[cell, first[3] + 2, lane] = small


@njit(cache=True, nogil=True)
def _sobel(around: Any, gradient: Any) -> None:
    """Differences along each axis, smoothed along the two others, over the 3 × 3 × 3 voxels in the middle."""
    gradient[:] = 0
    for k in range(-1, 2):
        for j in range(-1, 2):
            for i in range(-1, 2):
                g = around[2 + k, 2 + j, 2 + i]
                gradient[0] += k * (2 - abs(j)) * (2 - abs(i)) * g * _SIXTEENTH
                gradient[1] += j * (2 - abs(k)) * (2 - abs(i)) * g * _SIXTEENTH
                gradient[2] += i * (2 - abs(k)) * (2 - abs(j)) * g * _SIXTEENTH


@njit(cache=True, nogil=True)
def _curvatures(around: Any, per_step: Any) -> tuple[float, float, float]:
    """Eigenvalues of the second derivatives, the largest first, by Jacobi's rotations.

    Square roots alone are rounded alike everywhere: no cosine of a library comes in.
    """
    h = np.empty((3, 3))
    m = np.float64(around[2, 2, 2])
    h[0, 0] = around[4, 2, 2] - 2 * m + around[0, 2, 2]
    h[1, 1] = around[2, 4, 2] - 2 * m + around[2, 0, 2]
    h[2, 2] = around[2, 2, 4] - 2 * m + around[2, 2, 0]
    h[0, 1] = np.float64(around[3, 3, 2]) - around[3, 1, 2] - around[1, 3, 2] + around[1, 1, 2]
    h[0, 2] = np.float64(around[3, 2, 3]) - around[3, 2, 1] - around[1, 2, 3] + around[1, 2, 1]
    h[1, 2] = np.float64(around[2, 3, 3]) - around[2, 3, 1] - around[2, 1, 3] + around[2, 1, 1]
    for p in range(3):
        for q in range(p, 3):
            h[p, q] *= 0.25 * per_step[p] * per_step[q]
            h[q, p] = h[p, q]
    for _ in range(_SWEEPS):
        if abs(h[0, 1]) + abs(h[0, 2]) + abs(h[1, 2]) < 1e-12 * (abs(h[0, 0]) + abs(h[1, 1]) + abs(h[2, 2])):
            break
        _rotate(h, 0, 1, 2)
        _rotate(h, 0, 2, 1)
        _rotate(h, 1, 2, 0)
    a, b, c = h[0, 0], h[1, 1], h[2, 2]
    return max(a, b, c), max(min(a, b), min(max(a, b), c)), min(a, b, c)


@njit(cache=True, nogil=True)
def _rotate(h: Any, p: int, q: int, other: int) -> None:
    """Turn a symmetric matrix so that its entry at p, q vanishes."""
    if h[p, q] == 0.0:
        return
    theta = (h[q, q] - h[p, p]) / (2 * h[p, q])
    t = (1.0 if theta >= 0 else -1.0) / (abs(theta) + np.sqrt(theta * theta + 1))
    c = 1 / np.sqrt(t * t + 1)
    s = t * c
    h[p, p] -= t * h[p, q]
    h[q, q] += t * h[p, q]
    h[p, q] = h[q, p] = 0.0
    kp, kq = h[other, p], h[other, q]
    h[other, p] = h[p, other] = c * kp - s * kq
    h[other, q] = h[q, other] = s * kp + c * kq
