"""The largest ball inside a mask that holds each voxel: the kernels under local thickness.

A ball is the set of voxel centres nearer to its centre than the nearest voxel outside; the square of that
distance is a whole number. The balls that count are painted from the largest to the smallest, each voxel
once, in bricks whose rows are one machine word: what is bare of a row is found by one AND.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, parallel_chunksize, prange
from tqdm.auto import tqdm

from .distance_ridge import EDGE, Balls

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_ONE = np.uint64(1)


def paint(
    mask: npt.NDArray[np.bool_],
    balls: Balls,
    sizes: npt.NDArray[np.float32],
    cut_sizes: npt.NDArray[np.float32],
    *,
    flat: bool,
    progress: bool,
) -> npt.NDArray[np.float32]:
    """Write into each voxel of a mask the size of the largest ball that holds it.

    Parameters
    ----------
    mask : numpy.ndarray
        Three axes; a 2D image has one voxel along the first.
    balls : Balls
        The balls that count, each with its squared radius in voxels.
    sizes, cut_sizes : numpy.ndarray
        What is written, by squared radius: for balls within the volume, and for those that its border cuts.
        Of two equal balls the one within the volume is taken.
    flat : bool
        Whether this is a 2D image, which has no border along the first axis.
    progress : bool
        Whether a bar is shown when it takes longer than some seconds.
    """
    roots = np.sqrt(np.arange(balls.largest + 1)).astype(np.int32)
    painted = np.zeros(mask.shape, np.float32)
    per_layer = balls.grid[1] * balls.grid[2]
    with parallel_chunksize(1):  # bricks differ in work: a thread takes the next one when it is free
        for layer in tqdm(
            range(balls.grid[0]), desc="paint balls", unit="layer", disable=not progress, delay=5
        ):
            _paint_layer(mask, *balls, layer * per_layer, per_layer, flat, roots, sizes, cut_sizes, painted)
    return painted


@njit(cache=True, parallel=True)
def _paint_layer(
    mask: Any, starts: Any, places: Any, squares: Any, largest: int, grid: Any, first: int, count: int,
    flat: bool, roots: Any, sizes: Any, cut_sizes: Any, painted: Any,
) -> None:  # fmt: skip
    for n in prange(count):
        brick = first + n
        corner = _corner(brick, grid)
        order, radii = _reaching(starts, places, squares, largest, grid, corner, mask.shape, flat)
        _paint_brick(mask, order, radii, corner, flat, roots, sizes, cut_sizes, painted)


@njit(cache=True)
def _corner(brick: int, grid: Any) -> tuple[int, int, int]:
    rest = brick % (grid[1] * grid[2])
    return brick // (grid[1] * grid[2]) * EDGE, rest // grid[2] * EDGE, rest % grid[2] * EDGE


@njit(cache=True)
def _gap(at: int, corner: int) -> int:
    """Return how far a voxel lies from a brick along one axis."""
    return max(corner - at, at - (corner + EDGE - 1), 0)


@njit(cache=True)
def _reaching(
    starts: Any, places: Any, squares: Any, largest: int, grid: Any, corner: Any, shape: Any, flat: bool
) -> tuple[Any, Any]:
    """List the balls that reach into a brick: the largest first, of equal ones first those not cut."""
    around = int(np.sqrt(largest)) // EDGE + 1
    counts = np.zeros(2 * largest + 3, np.int64)
    own = corner[0] // EDGE, corner[1] // EDGE, corner[2] // EDGE
    order = np.empty(0, np.int64)
    radii = np.empty(0, np.int64)
    for filling in range(2):
        for c in range(max(0, own[0] - around), min(grid[0], own[0] + around + 1)):
            for b in range(max(0, own[1] - around), min(grid[1], own[1] + around + 1)):
                for a in range(max(0, own[2] - around), min(grid[2], own[2] + around + 1)):
                    cell = (c * grid[1] + b) * grid[2] + a
                    nearest = _apart(c - own[0]) ** 2 + _apart(b - own[1]) ** 2 + _apart(a - own[2]) ** 2
                    for n in range(starts[cell], starts[cell + 1]):
                        square: Any = np.int64(
                            squares[n]
                        )  # of unsigned numbers a difference would become a float
                        if square <= nearest:
                            break  # the balls of a cell are listed from the largest
                        place: Any = np.int64(places[n])
                        k = c * EDGE + place // (EDGE * EDGE)
                        j = b * EDGE + place // EDGE % EDGE
                        i = a * EDGE + place % EDGE
                        gaps = _gap(k, corner[0]), _gap(j, corner[1]), _gap(i, corner[2])
                        if gaps[0] ** 2 + gaps[1] ** 2 + gaps[2] ** 2 < square:
                            key = 2 * (largest - square) + _is_cut(k, j, i, square, shape, flat)
                            if filling == 0:
                                counts[key + 1] += 1
                            else:
                                order[counts[key]] = (k * shape[1] + j) * shape[2] + i
                                radii[counts[key]] = square
                                counts[key] += 1
        if filling == 0:
            for key in range(1, len(counts)):
                counts[key] += counts[key - 1]
            order = np.empty(counts[-1], np.int64)
            radii = np.empty(counts[-1], np.int64)
    return order, radii


@njit(cache=True)
def _apart(cells: int) -> int:
    """Return the smallest distance between voxels of two cells that are so many cells apart on an axis."""
    return 0 if cells == 0 else (abs(cells) - 1) * EDGE + 1


@njit(cache=True)
def _is_cut(k: int, j: int, i: int, square: int, shape: Any, flat: bool) -> bool:
    """Tell whether a ball reaches beyond the volume; a 2D image has no border along the first axis."""
    reach = int(np.sqrt(np.float64(square - 1)))
    return (
        (not flat and (k < reach or k + reach >= shape[0]))
        or j < reach or j + reach >= shape[1]
        or i < reach or i + reach >= shape[2]
    )  # fmt: skip


@njit(cache=True)
def _paint_brick(
    mask: Any, order: Any, radii: Any, corner: Any, flat: bool,
    roots: Any, sizes: Any, cut_sizes: Any, painted: Any,
) -> None:  # fmt: skip
    ny, nx = mask.shape[1:]
    z0, y0, x0 = corner
    z1, y1, x1 = min(z0 + EDGE, mask.shape[0]), min(y0 + EDGE, ny), min(x0 + EDGE, nx)
    bare, rows = _bare(mask, z0, z1, y0, y1, x0, x1)
    for n in range(len(order)):
        k, rest = order[n] // (ny * nx), order[n] % (ny * nx)
        j, i = rest // nx, rest % nx
        square = radii[n]
        size = cut_sizes[square] if _is_cut(k, j, i, square, mask.shape, flat) else sizes[square]
        reach = roots[square - 1]
        for z in range(max(k - reach, z0), min(k + reach + 1, z1)):
            if rows[z - z0] == 0:
                continue
            left = square - 1 - (z - k) ** 2
            wide = roots[left]
            for y in range(max(j - wide, y0), min(j + wide + 1, y1)):
                word = bare[z - z0, y - y0]
                if word == 0:
                    continue
                half = roots[left - (y - j) ** 2]
                begin, end = max(i - half, x0) - x0, min(i + half, x1 - 1) - x0
                if begin > end:
                    continue
                hit = word & ((_ALL >> np.uint64(63 - (end - begin))) << np.uint64(begin))
                if hit != 0:
                    _paint_row(hit >> np.uint64(begin), painted[z, y], x0 + begin, size)
                    bare[z - z0, y - y0] = word ^ hit
                    rows[z - z0] -= int(word == hit)


@njit(cache=True)
def _bare(mask: Any, z0: int, z1: int, y0: int, y1: int, x0: int, x1: int) -> tuple[Any, Any]:
    """Return a word a row with a bit for each voxel of the mask, and the rows of each slice that have one."""
    bare = np.zeros((z1 - z0, y1 - y0), np.uint64)
    rows = np.zeros(z1 - z0, np.int64)
    for z in range(z0, z1):
        for y in range(y0, y1):
            word = np.uint64(0)
            for x in range(x0, x1):
                if mask[z, y, x]:
                    word |= _ONE << np.uint64(x - x0)
            bare[z - z0, y - y0] = word
            rows[z - z0] += int(word != 0)
    return bare, rows


@njit(cache=True)
def _paint_row(hit: Any, painted: Any, x: int, size: Any) -> None:
    while hit != 0:
        if hit & _ONE:
            painted[x] = size
        hit >>= _ONE
        x += 1
