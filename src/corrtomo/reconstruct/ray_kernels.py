"""Rows of a voxel's column and rows of the detector, added to each other: the kernels of the projector pair.

Both gather, so that threads never write to one place: the back-projector takes for each column of voxels the
two columns of the detector next to where it is projected; the projector takes for each ray, plane by plane,
the two columns of voxels next to it (Joseph). They are not exact transposes of each other.

Arrays have z last. Work is done in tiles of the plan view, which stay in the cache for many angles.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil, floor, sqrt
from typing import Any

import numpy as np
from numba import get_num_threads, njit, prange, set_num_threads

from .geometry import Beam, Grid

_CACHED = 1 << 19
"""Bytes of a tile."""
_MANY = 2e7
"""Interpolated values that are worth a second thread: a few milliseconds."""
_ROUNDING = 1e-6
"""Columns by which rounding may lead beyond a tile."""


@contextmanager
def threads_for(work: float) -> Iterator[None]:
    """Take one thread where a call interpolates few values: threads that wait for each other cost more."""
    before = get_num_threads()
    set_num_threads(before if work >= _MANY else 1)
    try:
        yield
    finally:
        set_num_threads(before)


def tile_edge(rows: int) -> int:
    """Return how many columns of voxels a tile has along an edge."""
    return int(np.clip(np.sqrt(_CACHED / (4 * rows)), 4, 32))


@njit(inline="always")
def _add(
    into: Any, j: int, i: int, of: Any, a: int, c: int, b: int, d: int, wl: Any, wr: Any,
    start: float, step: float,
) -> None:  # fmt: skip
    """Add to column (j, i) two weighted columns; where rows are alike, without a call and a slice."""
    if start == 0.0 and step == 1.0 and into.shape[2] == of.shape[2]:
        for k in range(into.shape[2]):
            into[j, i, k] += wl * of[a, c, k] + wr * of[b, d, k]
    else:
        add_rows(into[j, i], of[a, c], of[b, d], wl, wr, start, step)


@njit(cache=True, nogil=True, fastmath=True)
def add_rows(rows: Any, left: Any, right: Any, wl: Any, wr: Any, start: float, step: float) -> None:
    """Add to row k the weighted rows at `start` + `step` k; beyond the first and the last, these go on."""
    count, last = len(rows), len(left) - 1
    slope = step - 1.0
    k = 0
    while k < count:
        at = start + step * k
        if at < 0.0:
            stop = min(count, max(k + 1, ceil(-start / step)))
            _add_one(rows[k:stop], wl * left[0] + wr * right[0])
        elif at >= last:
            stop = count
            _add_one(rows[k:stop], wl * left[last] + wr * right[last])
        else:
            j = int(at)
            part = at - j
            run = count - k  # for so many rows the neighbours are j, j + 1, ...
            if slope > 0.0:
                run = int(min(float(run), ceil((1.0 - part) / slope)))
            elif slope < 0.0:
                run = int(min(float(run), floor(-part / slope) + 1.0))
            run = min(max(run, 1), last - j)
            stop = k + run
            one, other = left[j : j + run + 1], right[j : j + run + 1]
            _add_between(rows[k:stop], one, other, wl, wr, np.float32(part), np.float32(slope))
        k = stop


@njit(cache=True, nogil=True, fastmath=True)
def _add_one(rows: Any, value: Any) -> None:
    for k in range(len(rows)):
        rows[k] += value


@njit(cache=True, nogil=True, fastmath=True)
def _add_between(rows: Any, left: Any, right: Any, wl: Any, wr: Any, part: Any, slope: Any) -> None:
    for k in range(len(rows)):
        above = wl * left[k] + wr * right[k]
        below = wl * left[k + 1] + wr * right[k + 1]
        rows[k] += above + (part + slope * np.float32(k)) * (below - above)


@njit(cache=True, nogil=True, fastmath=True)
def _collect(
    images: Any, beam: Beam, grid: Grid, first_y: int, first_x: int, squared: bool, tile: Any
) -> None:
    """Add to a tile of voxel columns what each projection has at their places."""
    angles, columns, _ = images.shape
    for a in range(angles):
        cos, sin, axis = beam.cos[a], beam.sin[a], beam.axis[a]
        for j in range(tile.shape[0]):
            y = grid.y + (first_y + j) * grid.edge
            for i in range(tile.shape[1]):
                x = grid.x + (first_x + i) * grid.edge
                if x * x + y * y > grid.radius * grid.radius:
                    continue
                larger = 1.0 / (1.0 - (y * cos - x * sin) * beam.bend)
                at = axis + (x * cos + y * sin) * larger * beam.per_um
                at = min(max(at, 0.0), columns - 1.0)
                c = min(int(at), columns - 2)
                weight = larger * larger if squared else 1.0
                wr = np.float32(weight * (at - c))
                wl = np.float32(weight) - wr
                start = beam.source + (grid.row - beam.source) * larger + beam.shift[a]
                _add(tile, j, i, images, a, c, a, c + 1, wl, wr, start, larger)


@njit(cache=True, nogil=True, parallel=True)
def fill(images: Any, beam: Beam, grid: Grid, edge: int, first_y: int, rows_of_tiles: int, out: Any) -> None:
    """Back-project some rows of tiles into a volume with z first; in a cone with Feldkamp's weights m²."""
    depth, height, width = out.shape
    across = (width + edge - 1) // edge
    for n in prange(across * rows_of_tiles):
        y, x = first_y + n // across * edge, n % across * edge
        if y < height:
            tile = np.zeros((min(edge, height - y), min(edge, width - x), depth), np.float32)
            _collect(images, beam, grid, y, x, True, tile)
            _turn(tile, y, x, out)


@njit(cache=True, nogil=True)
def _turn(tile: Any, y: int, x: int, out: Any) -> None:
    for k in range(tile.shape[2]):
        for j in range(tile.shape[0]):
            for i in range(tile.shape[1]):
                out[k, y + j, x + i] = tile[j, i, k]


@njit(cache=True, nogil=True, parallel=True)
def correct(
    images: Any, beam: Beam, grid: Grid, edge: int, gain: Any, nonnegative: bool, volume: Any
) -> None:
    """Add `gain` times the sum of the projections at each voxel to a volume with z last."""
    height, width, depth = volume.shape
    across, down = (width + edge - 1) // edge, (height + edge - 1) // edge
    for n in prange(across * down):
        y, x = n // across * edge, n % across * edge
        tile = np.zeros((min(edge, height - y), min(edge, width - x), depth), np.float32)
        _collect(images, beam, grid, y, x, False, tile)
        _add_tile(tile, gain, nonnegative, y, x, volume)


@njit(cache=True, nogil=True, fastmath=True)
def _add_tile(tile: Any, gain: Any, nonnegative: bool, y: int, x: int, volume: Any) -> None:
    for j in range(tile.shape[0]):
        for i in range(tile.shape[1]):
            into = volume[y + j, x + i]
            for k in range(len(into)):
                value = into[k] + gain * tile[j, i, k]
                into[k] = max(value, np.float32(0.0)) if nonnegative else value


@njit(cache=True, nogil=True, parallel=True)
def cast(volume: Any, beam: Beam, grid: Grid, edge: int, together: int, sums: Any) -> None:
    """Write the line integrals through a volume with z last: by angle, column, row."""
    angles = sums.shape[0]
    for n in prange((angles + together - 1) // together):
        for a in range(n * together, min(angles, (n + 1) * together)):
            sums[a] = 0.0
        height, width, _ = volume.shape
        for y in range(0, height, edge):
            for x in range(0, width, edge):
                for a in range(n * together, min(angles, (n + 1) * together)):
                    _through_tile(
                        volume, beam, grid, a, y, min(y + edge, height), x, min(x + edge, width), sums
                    )
        for a in range(n * together, min(angles, (n + 1) * together)):
            _times_length(beam, grid, a, sums[a])


@njit(cache=True, nogil=True)
def _columns_of(beam: Beam, grid: Grid, a: int, y0: int, y1: int, x0: int, x1: int) -> tuple[float, float]:
    """Return the columns between which a tile is seen, a voxel around it included."""
    low, high = np.inf, -np.inf
    for y in (y0 - 1, y1):
        for x in (x0 - 1, x1):
            py, px = grid.y + y * grid.edge, grid.x + x * grid.edge
            smaller = 1.0 - (py * beam.cos[a] - px * beam.sin[a]) * beam.bend
            if smaller <= 0.0:  # the corner of a volume may lie behind the source: rays may be anywhere
                return 0.0, np.inf
            at = beam.axis[a] + (px * beam.cos[a] + py * beam.sin[a]) / smaller * beam.per_um
            low, high = min(low, at), max(high, at)
    return low - _ROUNDING, high + _ROUNDING


@njit(cache=True, nogil=True, fastmath=True)
def _through_tile(
    volume: Any, beam: Beam, grid: Grid, a: int, y0: int, y1: int, x0: int, x1: int, sums: Any
) -> None:
    """Add what each ray meets in a tile, in voxels."""
    cos, sin = beam.cos[a], beam.sin[a]
    low, high = _columns_of(beam, grid, a, y0, y1, x0, x1)
    for c in range(ceil(max(0.0, low)), floor(min(sums.shape[1] - 1.0, high)) + 1):
        u = (c - beam.axis[a]) / beam.per_um
        along_x, along_y = u * beam.bend * cos + sin, u * beam.bend * sin - cos
        if abs(along_y) >= abs(along_x):
            for n in range(y0, y1):
                y = grid.y + n * grid.edge
                x = u * cos + (y - u * sin) / along_y * along_x
                one, other, wl, wr = _neighbours((x - grid.x) / grid.edge, x0, x1, volume.shape[1])
                start, step = _height(beam, grid, a, y, x)
                if one >= 0 and step > 0.0:
                    _add(sums, a, c, volume, n, one, n, other, wl, wr, start, step)
        else:
            for n in range(x0, x1):
                x = grid.x + n * grid.edge
                y = u * sin + (x - u * cos) / along_x * along_y
                one, other, wl, wr = _neighbours((y - grid.y) / grid.edge, y0, y1, volume.shape[0])
                start, step = _height(beam, grid, a, y, x)
                if one >= 0 and step > 0.0:
                    _add(sums, a, c, volume, one, n, other, n, wl, wr, start, step)


@njit(cache=True, nogil=True)
def _neighbours(at: float, first: int, stop: int, count: int) -> tuple[int, int, Any, Any]:
    """Return the voxels around a place and their weights; -1 if the place belongs to another tile.

    A place belongs to the tile of the voxel before it, so that each is met once. Beyond the border is 0.
    """
    i = floor(at)
    if i < (first if first else -1) or i >= stop:
        return -1, -1, np.float32(0.0), np.float32(0.0)
    after = np.float32(at - i)
    before = np.float32(1.0) - after
    if i < 0:
        before = np.float32(0.0)
    if i + 1 >= count:
        after = np.float32(0.0)
    return max(i, 0), min(i + 1, count - 1), before, after


@njit(cache=True, nogil=True)
def _height(beam: Beam, grid: Grid, a: int, y: float, x: float) -> tuple[float, float]:
    """Return the slice at which the ray to the first row passes (y, x), and the step to the next row's."""
    smaller = 1.0 - (y * beam.cos[a] - x * beam.sin[a]) * beam.bend
    return beam.source - (beam.shift[a] + beam.source) * smaller - grid.row, smaller


@njit(cache=True, nogil=True, fastmath=True)
def _times_length(beam: Beam, grid: Grid, a: int, sums: Any) -> None:
    """Multiply sums of voxels by the length of each ray between two planes of voxels."""
    for c in range(len(sums)):
        bent = (c - beam.axis[a]) / beam.per_um * beam.bend
        x, y = abs(bent * beam.cos[a] + beam.sin[a]), abs(bent * beam.sin[a] - beam.cos[a])
        length = grid.edge * sqrt(1.0 + bent * bent) / max(x, y)
        for k in range(sums.shape[1]):
            rise = (k - beam.shift[a] - beam.source) * beam.row_um * beam.bend
            sums[c, k] *= np.float32(length * sqrt(1.0 + rise * rise / (1.0 + bent * bent)))
