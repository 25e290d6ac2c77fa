"""The largest ball inside a mask that holds each voxel: the kernels under local thickness.

The squared distance from a voxel to the nearest voxel outside is a whole number, and so is the squared radius
of the ball around it. Balls that lie within the ball of a neighbour are dropped; the others are painted from
the largest to the smallest, each voxel once: in each row, what is painted is skipped by a chain of links.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

_SLACK = 1e-9
Squared = npt.NDArray[np.unsignedinteger[Any]]


def paint(squared: Squared, slabs: int, *, flat: bool) -> tuple[Squared, npt.NDArray[np.bool_]]:
    """Return, for each voxel, the squared radius of its ball, and whether the border cuts that ball.

    Parameters
    ----------
    squared : numpy.ndarray
        Squared distances to the outside in voxels, three axes, unsigned; 0 outside.
    slabs : int
        Into how many slabs along the first axis the work is parted.
    flat : bool
        Whether this is a 2D image, with one voxel along the first axis.
    """
    largest = int(squared.max())
    order = _order(squared, _ridge(squared), largest, flat)
    roots = np.sqrt(np.arange(largest + 1)).astype(np.int32)
    painted = np.zeros_like(squared)
    cut = np.zeros(squared.shape, np.bool_)
    thick = -(-squared.shape[0] // slabs)
    _paint(squared, order, roots, thick, flat, painted, cut)
    return painted, cut


@njit(cache=True, parallel=True)
def _ridge(squared: Any) -> Any:
    """Mark the balls that do not lie within the ball of one of the 26 neighbours."""
    keep = np.zeros(squared.shape, np.uint8)
    for k in prange(squared.shape[0]):
        for j in range(squared.shape[1]):
            for i in range(squared.shape[2]):
                if squared[k, j, i] > 0:
                    keep[k, j, i] = _stands_out(squared, k, j, i)
    return keep


@njit(cache=True)
def _stands_out(squared: Any, k: int, j: int, i: int) -> bool:
    own = np.float64(squared[k, j, i])
    radius = np.sqrt(own)
    for c in range(max(0, k - 1), min(squared.shape[0], k + 2)):
        for b in range(max(0, j - 1), min(squared.shape[1], j + 2)):
            for a in range(max(0, i - 1), min(squared.shape[2], i + 2)):
                other = np.float64(squared[c, b, a])
                if other > own:
                    apart = np.sqrt(np.float64((c - k) ** 2 + (b - j) ** 2 + (a - i) ** 2))
                    if np.sqrt(other) >= radius + apart - _SLACK:
                        return False
    return True


@njit(cache=True)
def _is_cut(k: int, j: int, i: int, reach: int, shape: Any, flat: bool) -> bool:
    """Tell whether a ball reaches beyond the volume; a flat image has no border along its first axis."""
    if not flat and (k < reach or k + reach >= shape[0]):
        return True
    return j < reach or j + reach >= shape[1] or i < reach or i + reach >= shape[2]


@njit(cache=True)
def _order(squared: Any, keep: Any, largest: int, flat: bool) -> Any:
    """List the balls from the largest to the smallest, and of equal ones first those that no border cuts."""
    nz, ny, nx = squared.shape
    counts = np.zeros(2 * largest + 3, np.int64)
    for step in range(2):
        if step == 1:
            order = np.empty(counts[-1], np.int64)
        for k in range(nz):
            for j in range(ny):
                for i in range(nx):
                    if keep[k, j, i]:
                        r2 = int(squared[k, j, i])
                        reach = int(np.sqrt(np.float64(r2 - 1)))
                        cut = _is_cut(k, j, i, reach, squared.shape, flat)
                        key = 2 * (largest - r2) + cut
                        if step == 0:
                            counts[key + 1] += 1
                        else:
                            order[counts[key]] = (k * ny + j) * nx + i
                            counts[key] += 1
        if step == 0:
            for key in range(1, len(counts)):
                counts[key] += counts[key - 1]
    return order


@njit(cache=True, parallel=True)
def _paint(squared: Any, order: Any, roots: Any, thick: int, flat: bool, painted: Any, cut: Any) -> None:
    nz = squared.shape[0]
    for s in prange((nz + thick - 1) // thick):
        _paint_slab(squared, order, roots, (s * thick, min(nz, (s + 1) * thick)), flat, painted, cut)


@njit(cache=True)
def _paint_slab(
    squared: Any, order: Any, roots: Any, slab: tuple[int, int], flat: bool, painted: Any, cut: Any
) -> None:
    first, last = slab
    ny, nx = squared.shape[1:]
    links = np.empty((last - first, ny, nx + 1), np.int32)
    for i in range(nx + 1):
        links[:, :, i] = i
    for n in range(len(order)):
        k, rest = order[n] // (ny * nx), order[n] % (ny * nx)
        j, i = rest // nx, rest % nx
        r2 = int(squared[k, j, i])
        reach = roots[r2 - 1]
        if k + reach < first or k - reach >= last:
            continue
        beyond = _is_cut(k, j, i, reach, squared.shape, flat)
        for z in range(max(k - reach, first), min(k + reach + 1, last)):
            left = r2 - 1 - (z - k) ** 2
            wide = roots[left]
            for y in range(max(j - wide, 0), min(j + wide + 1, ny)):
                half = roots[left - (y - j) ** 2]
                _paint_row(
                    links[z - first, y], max(i - half, 0), min(i + half, nx - 1), r2, beyond,
                    painted[z, y], cut[z, y],
                )  # fmt: skip


@njit(cache=True)
def _paint_row(links: Any, begin: int, end: int, r2: int, beyond: bool, painted: Any, cut: Any) -> None:
    """Paint what is bare of a row from begin to end; a link leads over what is painted."""
    bare = begin
    while links[bare] != bare:
        bare = links[bare]
    at = begin
    while links[at] != at and at != bare:  # shorten the chain for the next one
        following = links[at]
        links[at] = bare
        at = following
    while bare <= end:
        painted[bare] = r2
        cut[bare] = beyond
        links[bare] = bare + 1
        bare += 1
        while links[bare] != bare:
            bare = links[bare]
