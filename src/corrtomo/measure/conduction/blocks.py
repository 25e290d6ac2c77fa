"""From voxels to aggregates: the first coarser level of conduction on a grid.

A block of 2 × 2 × 2 voxels becomes one unknown for each group of its voxels that conduct well among each
other. So a grain of binder and a particle beside it that conducts far worse never share an unknown, nor do
the two sides of a gap.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from .graph import Graph
from .grid import Grid, strides

_WELL = 0.2
"""A face joins two voxels where it conducts at least this share of the best face of the better conductor."""
_MOST = 48
"""Faces that one aggregate can have, and so its neighbours."""


def aggregate(grid: Grid) -> tuple[npt.NDArray[np.int32], Graph]:
    """Count through the groups of all blocks, and find what conducts between them.

    Returns
    -------
    parents : numpy.ndarray
        For each voxel the number of its group, with the rim of the grid; -1 where nothing conducts.
    graph : Graph
        The groups as nodes.
    """
    parents = np.full(grid.codes.shape, -1, np.int32)
    counts = _group(grid.codes, _joined(grid.faces), parents)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    size = int(offsets[-1])
    if size >= np.iinfo(np.int32).max:
        raise MemoryError(
            f"Cannot solve conduction: {grid.codes.size} voxels make {size} unknowns, more than can be "
            "numbered. Coarsen the labels first with ct.register.coarsen(), or take a crop."
        )
    _shift(parents, offsets)
    degrees = np.zeros(size, np.int64)
    nothing = np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(0)
    _link(*grid, parents, degrees, True, np.zeros(0, np.int64), *nothing)
    starts = np.concatenate([[0], np.cumsum(degrees)])
    ends = np.empty(starts[-1], np.int32)
    weights = np.empty(starts[-1], np.float32)
    grounds = np.zeros(size)
    _link(*grid, parents, degrees, False, starts, ends, weights, grounds)
    return parents, Graph(starts, ends, weights, grounds)


def _joined(faces: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Tell for each axis and pair of codes whether a face joins them into one group."""
    best = faces.max(axis=0).diagonal()
    return np.asarray((faces > 0) & (faces >= _WELL * np.maximum(best[:, None], best[None])))


@njit(cache=True)
def _corner_of_block(codes: Any, pair: int, j: int, i: int) -> tuple[Any, Any]:
    """Return where a block begins within the rim, and how many voxels it has along each axis."""
    rim_1, rim_2 = int(codes.shape[1] > 1), int(codes.shape[2] > 1)
    corner = 1 + 2 * pair, rim_1 + 2 * j, rim_2 + 2 * i
    size = (
        min(2, codes.shape[0] - 1 - corner[0]),
        min(2, codes.shape[1] - rim_1 - corner[1]),
        min(2, codes.shape[2] - rim_2 - corner[2]),
    )
    return corner, size


@njit(cache=True)
def _blocks_along(codes: Any) -> tuple[int, int, int]:
    """Return how many blocks there are along each axis."""
    inner_1 = codes.shape[1] - 2 if codes.shape[1] > 1 else 1
    inner_2 = codes.shape[2] - 2 if codes.shape[2] > 1 else 1
    return (codes.shape[0] - 1) // 2, (inner_1 + 1) // 2, (inner_2 + 1) // 2


@njit(cache=True)
def _groups_of_block(codes: Any, joined: Any, corner: Any, size: Any, inside: Any, groups: Any) -> int:
    """Write the group of each voxel of a block, counted from 0; return how many there are."""
    for n in range(8):
        a, b, c = n >> 2, (n >> 1) & 1, n & 1
        inside[n] = 0
        if a < size[0] and b < size[1] and c < size[2]:
            inside[n] = codes[corner[0] + a, corner[1] + b, corner[2] + c]
        groups[n] = n if inside[n] != 0 else -1
    changed = True
    while changed:
        changed = False
        for axis in range(3):
            bit = 4 >> axis
            for n in range(8):
                m = n | bit
                if n == m or groups[n] == groups[m] or not joined[axis, inside[n], inside[m]]:
                    continue
                low = min(groups[n], groups[m])
                groups[n] = low
                groups[m] = low
                changed = True
    count = 0
    for n in range(8):  # a group has the number of its first voxel, which comes before the others
        if groups[n] == n:
            groups[n] = count
            count += 1
        elif groups[n] >= 0:
            groups[n] = groups[groups[n]]
    return count


@njit(cache=True)
def _group_planes(codes: Any, joined: Any, parents: Any, pair: int) -> int:
    """Count through the groups of two planes from 0; return how many there are."""
    inside, groups = np.empty(8, np.uint8), np.empty(8, np.int64)
    _, blocks_1, blocks_2 = _blocks_along(codes)
    count = 0
    for j in range(blocks_1):
        for i in range(blocks_2):
            corner, size = _corner_of_block(codes, pair, j, i)
            found = _groups_of_block(codes, joined, corner, size, inside, groups)
            if found > 0:
                for n in range(8):
                    if groups[n] >= 0:
                        at = corner[0] + (n >> 2), corner[1] + ((n >> 1) & 1), corner[2] + (n & 1)
                        parents[at] = count + groups[n]
            count += found
    return count


@njit(cache=True, parallel=True)
def _group(codes: Any, joined: Any, parents: Any) -> Any:
    counts = np.zeros(_blocks_along(codes)[0], np.int64)
    for pair in prange(len(counts)):
        counts[pair] = _group_planes(codes, joined, parents, pair)
    return counts


@njit(cache=True, parallel=True)
def _shift(parents: Any, offsets: Any) -> None:
    for k in prange(1, parents.shape[0] - 1):
        for j in range(parents.shape[1]):
            for i in range(parents.shape[2]):
                if parents[k, j, i] >= 0:
                    parents[k, j, i] += offsets[(k - 1) // 2]


@njit(cache=True)
def _note(found: Any, neighbours: Any, sums: Any, group: int, other: int, conductance: float) -> None:
    """Add a face to the list of a group."""
    for n in range(found[group]):
        if neighbours[group, n] == other:
            sums[group, n] += conductance
            return
    neighbours[group, found[group]] = other
    sums[group, found[group]] = conductance
    found[group] += 1


@njit(cache=True)
def _note_faces(
    flat: Any, faces: Any, of: Any, steps: Any, at: int, group: int, found: Any, neighbours: Any, sums: Any
) -> float:
    """List the neighbours of a voxel with its group; return the conductance to the plates."""
    own, me, ground = flat[at], of[at], 0.0
    for axis in range(3):
        for other in (at - steps[axis], at + steps[axis]):
            conductance = faces[axis, own, flat[other]]
            if conductance > 0:
                if of[other] < 0:
                    ground += conductance
                elif of[other] != me:
                    _note(found, neighbours, sums, group, of[other], conductance)
    return ground


@njit(cache=True)
def _link_planes(
    codes: Any, faces: Any, parents: Any, degrees: Any, counting: bool,
    starts: Any, ends: Any, weights: Any, grounds: Any, pair: int,
) -> None:  # fmt: skip
    found, neighbours, sums = np.zeros(8, np.int64), np.zeros((8, _MOST), np.int64), np.zeros((8, _MOST))
    flat, of, steps = codes.ravel(), parents.ravel(), strides(codes).astype(np.int64)
    _, blocks_1, blocks_2 = _blocks_along(codes)
    for j in range(blocks_1):
        for i in range(blocks_2):
            corner, size = _corner_of_block(codes, pair, j, i)
            base, count = -1, 0
            for n in range(8):
                a, b, c = n >> 2, (n >> 1) & 1, n & 1
                if a >= size[0] or b >= size[1] or c >= size[2]:
                    continue
                row = (corner[0] + a) * codes.shape[1] + corner[1] + b
                at = row * codes.shape[2] + corner[2] + c
                me = of[at]
                if me < 0:
                    continue
                if base < 0:  # the first voxel of a block is of its first group
                    base = me
                if me - base >= count:
                    count = me - base + 1
                    found[me - base] = 0
                ground = _note_faces(flat, faces, of, steps, at, me - base, found, neighbours, sums)
                if not counting:
                    grounds[me] += ground
            for group in range(count):
                degrees[base + group] = found[group]
                if not counting:
                    for n in range(found[group]):
                        ends[starts[base + group] + n] = neighbours[group, n]
                        weights[starts[base + group] + n] = sums[group, n]


@njit(cache=True, parallel=True)
def _link(
    codes: Any, faces: Any, parents: Any, degrees: Any, counting: bool,
    starts: Any, ends: Any, weights: Any, grounds: Any,
) -> None:  # fmt: skip
    """Find the neighbours of each group: first how many, then which and how well they conduct."""
    for pair in prange(_blocks_along(codes)[0]):
        _link_planes(codes, faces, parents, degrees, counting, starts, ends, weights, grounds, pair)
