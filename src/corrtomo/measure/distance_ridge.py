"""The balls that count for local thickness: those that no ball around a neighbouring voxel holds.

Of the voxels of a mask about one in five is the centre of such a ball; the others need not be painted.
Whether one digital ball holds another is a question of whole numbers, answered once for each radius and
direction (Remy and Thiel, Image Vis. Comput. 23, 167 (2005), doi:10.1016/j.imavis.2004.06.007).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit, prange

EDGE = 64
"""Voxels along the edge of the cells in which balls are listed: as many as a machine word has bits."""


class Balls(NamedTuple):
    """Balls by cell, in each cell the largest first.

    Cell n has those from ``starts[n]`` to ``starts[n + 1]``: their places within the cell, and their squared
    radii in voxels, of which `largest` is the largest. `grid` counts the cells along each axis.
    """

    starts: npt.NDArray[np.int64]
    places: npt.NDArray[np.uint32]
    squares: npt.NDArray[np.uint32]
    largest: int
    grid: tuple[int, int, int]


def balls_that_count(squared: npt.NDArray[np.unsignedinteger[Any]]) -> Balls:
    """List the balls that no ball around one of the 26 neighbours holds.

    Parameters
    ----------
    squared : numpy.ndarray
        Squared distances to the outside in voxels, three axes, unsigned; 0 outside.
    """
    grid = tuple(-(-n // EDGE) for n in squared.shape)
    largest = int(squared.max())
    keep = np.zeros(squared.shape, np.bool_)
    counts = np.zeros(int(np.prod(grid)), np.int64)
    _ridge(squared, _reaches(largest, squared.shape[0] == 1), np.array(grid), keep, counts)
    starts = np.concatenate([[0], counts.cumsum()])
    places, squares = (np.empty(starts[-1], np.uint32) for _ in range(2))
    _list(squared, keep, np.array(grid), starts, places, squares)
    return Balls(starts, places, squares, largest, (grid[0], grid[1], grid[2]))


@njit(cache=True)
def _reaches(largest: int, flat: bool) -> Any:
    """Return, for each ball, how far its furthest voxel is from a neighbour of its centre (squared).

    Rows are squared radii, columns the neighbours across a face, an edge and a corner. A ball around the
    neighbour holds this ball when its own squared radius is above that.
    """
    reaches = np.zeros((largest + 1, 3), np.int64)
    radius = int(np.sqrt(np.float64(largest)))
    for a in range(radius + 1):  # by symmetry one voxel of 48 stands for all
        for b in range(a + 1):
            for c in range(1 if flat else b + 1):
                square = a * a + b * b + c * c
                if square < largest:
                    row = reaches[square + 1]
                    row[0] = max(row[0], square + 2 * a + 1)
                    row[1] = max(row[1], square + 2 * (a + b) + 2)
                    row[2] = max(row[2], square + 2 * (a + b + c) + 3)
    for square in range(1, largest + 1):
        for n in range(3):  # never less than the radius: what holds a ball is larger than it
            reaches[square, n] = max(reaches[square, n], reaches[square - 1, n], square)
    return reaches


@njit(cache=True, parallel=True)
def _ridge(squared: Any, reaches: Any, grid: Any, keep: Any, counts: Any) -> None:
    for cell in prange(len(counts)):
        counts[cell] = _ridge_of_cell(squared, reaches, _bounds(cell, grid, squared.shape), keep)


@njit(cache=True)
def _bounds(cell: int, grid: Any, shape: Any) -> tuple[int, int, int, int, int, int]:
    z = cell // (grid[1] * grid[2]) * EDGE
    y = cell // grid[2] % grid[1] * EDGE
    x = cell % grid[2] * EDGE
    return z, min(z + EDGE, shape[0]), y, min(y + EDGE, shape[1]), x, min(x + EDGE, shape[2])


@njit(cache=True)
def _ridge_of_cell(squared: Any, reaches: Any, bounds: Any, keep: Any) -> int:
    z0, z1, y0, y1, x0, x1 = bounds
    count = 0
    for k in range(z0, z1):
        for j in range(y0, y1):
            for i in range(x0, x1):
                if squared[k, j, i] > 0 and _counts(squared, reaches[squared[k, j, i]], k, j, i):
                    keep[k, j, i] = True
                    count += 1
    return count


@njit(cache=True)
def _counts(squared: Any, reach: Any, k: int, j: int, i: int) -> bool:
    for c in range(max(0, k - 1), min(squared.shape[0], k + 2)):
        for b in range(max(0, j - 1), min(squared.shape[1], j + 2)):
            for a in range(max(0, i - 1), min(squared.shape[2], i + 2)):
                steps = abs(c - k) + abs(b - j) + abs(a - i)
                if steps > 0 and squared[c, b, a] > reach[steps - 1]:
                    return False
    return True


@njit(cache=True, parallel=True)
def _list(squared: Any, keep: Any, grid: Any, starts: Any, places: Any, squares: Any) -> None:
    for cell in prange(len(starts) - 1):
        bounds = _bounds(cell, grid, squared.shape)
        part = slice(starts[cell], starts[cell + 1])
        _list_cell(squared, keep, bounds, places[part], squares[part])


@njit(cache=True)
def _list_cell(squared: Any, keep: Any, bounds: Any, places: Any, squares: Any) -> None:
    """Sort by counting: first how many balls there are of each radius, then each to its place."""
    z0, z1, y0, y1, x0, x1 = bounds
    largest: Any = 0
    for filling in range(2):
        if filling == 0:
            counts = np.zeros(np.int64(squared[z0:z1, y0:y1, x0:x1].max()) + 2, np.int64)
            largest = len(counts) - 2
        for k in range(z0, z1):
            for j in range(y0, y1):
                for i in range(x0, x1):
                    if keep[k, j, i]:
                        below = largest - np.int64(squared[k, j, i])
                        if filling == 0:
                            counts[below + 1] += 1
                        else:
                            at = counts[below]
                            places[at] = ((k - z0) * EDGE + j - y0) * EDGE + i - x0
                            squares[at] = squared[k, j, i]
                            counts[below] += 1
        if filling == 0:
            for below in range(1, len(counts)):
                counts[below] += counts[below - 1]
