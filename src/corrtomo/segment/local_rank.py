"""The rank of every voxel within a window of its own: the exact way to equalise a histogram adaptively."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

GREYS = 256
Grey = npt.NDArray[np.uint8]


def local_rank(grey: Grey, radius: tuple[int, ...]) -> Grey:
    """Rank each voxel in the box of 2 r + 1 voxels around it, cut off at the border.

    Examples
    --------
    >>> local_rank(np.array([[1, 2, 9]], np.uint8), (1, 1)).tolist()
    [[128, 170, 255]]
    """
    lead = 3 - grey.ndim
    sizes = np.array((0,) * lead + tuple(radius))
    volume = np.ascontiguousarray(grey.reshape((1,) * lead + grey.shape))
    out = np.empty_like(volume)
    _rank_planes(volume, sizes, out)
    return out.reshape(grey.shape)


@njit(cache=True, parallel=True)
def _rank_planes(grey: Any, radius: Any, out: Any) -> None:
    for k in prange(grey.shape[0]):
        _rank_plane(grey[max(0, k - radius[0]) : k + radius[0] + 1], grey[k], radius, out[k])


@njit(cache=True)
def _rank_plane(slab: Any, plane: Any, radius: Any, out: Any) -> None:
    """Keep a histogram for each column of the slab; moved down by a row, and added up along the row."""
    height, width = plane.shape
    columns = np.zeros((width, GREYS), np.int32)
    for j in range(min(radius[1], height)):
        _add_row(slab, j, columns, 1)
    for j in range(height):
        if j + radius[1] < height:
            _add_row(slab, j + radius[1], columns, 1)
        if j - radius[1] - 1 >= 0:
            _add_row(slab, j - radius[1] - 1, columns, -1)
        rows = min(height, j + radius[1] + 1) - max(0, j - radius[1])
        _rank_row(columns, plane[j], radius[2], slab.shape[0] * rows, out[j])


@njit(cache=True)
def _add_row(slab: Any, j: int, columns: Any, step: int) -> None:
    for k in range(slab.shape[0]):
        for i in range(slab.shape[2]):
            columns[i, slab[k, j, i]] += step


@njit(cache=True)
def _rank_row(columns: Any, row: Any, reach: int, deep: int, out: Any) -> None:
    width = len(row)
    window = np.zeros(GREYS, np.int32)
    for i in range(min(reach, width)):
        window += columns[i]
    for i in range(width):
        if i + reach < width:
            window += columns[i + reach]
        if i - reach - 1 >= 0:
            window -= columns[i - reach - 1]
        voxels = deep * (min(width, i + reach + 1) - max(0, i - reach))
        g = row[i]
        total = 0
        for v in range(g + 1):
            total += window[v]
        out[i] = np.uint8((GREYS - 1) * total / voxels + 0.5)
