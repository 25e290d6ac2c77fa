"""Bodies that touch, told apart at their necks."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Numbers = npt.NDArray[np.int32]


def split_at_necks(depth: npt.NDArray[np.float32], neck: float) -> Numbers:
    """Give numbers to the bodies of a mask, parted where a neck is narrow for the smaller one.

    Voxels are taken from the deepest to the shallowest. Where two bodies meet, the depth there is half of the
    width of their neck: they stay two if it is below `neck` times the depth of the shallower body, else they
    become one.

    Parameters
    ----------
    depth : numpy.ndarray
        Distance to the outside in the mask, 0 outside it, 2D or 3D.
    neck : float
        Between 0 and 1.

    Returns
    -------
    numpy.ndarray
        ``int32``: 0 outside; the numbers of bodies do not follow one another.

    Examples
    --------
    >>> depth = np.array([[1, 2, 3, 2, 1, 2, 4, 1]], np.float32)
    >>> split_at_necks(depth, 0.5).tolist(), split_at_necks(depth, 0.2).tolist()
    ([[2, 2, 2, 2, 1, 1, 1, 1]], [[1, 1, 1, 1, 1, 1, 1, 1]])
    """
    return _split(depth, neck, 0.0)


def split_at_dips(depth: npt.NDArray[np.float32], dip: float) -> Numbers:
    """Give numbers to the bodies of a mask, parted where the depth dips between them.

    As :func:`split_at_necks`, but two bodies stay two if the depth where they meet is at least `dip` below
    that of the shallower one. So there are as many bodies as the depth has peaks of that height above their
    surroundings, and at least one in each connected part of the mask.

    Parameters
    ----------
    depth : numpy.ndarray
        Distance to the outside in the mask, 0 outside it, 2D or 3D.
    dip : float
        Above zero, in the unit of the depth.

    Returns
    -------
    numpy.ndarray
        ``int32``: 0 outside; the numbers of bodies do not follow one another.

    Examples
    --------
    >>> depth = np.array([[1, 2, 3, 2, 1, 2, 4, 1]], np.float32)
    >>> split_at_dips(depth, 2).tolist(), split_at_dips(depth, 3).tolist()
    ([[2, 2, 2, 2, 1, 1, 1, 1]], [[1, 1, 1, 1, 1, 1, 1, 1]])
    """
    return _split(depth, np.inf, dip)


def _split(depth: npt.NDArray[np.float32], neck: float, dip: float) -> Numbers:
    wide = np.pad(depth, 1)
    inside = np.flatnonzero(wide)
    order = inside[np.argsort(-wide.ravel()[inside], kind="stable")]
    steps = [np.array(step) for step in product((-1, 0, 1), repeat=depth.ndim) if any(step)]
    strides = np.array(wide.strides) // wide.itemsize
    offsets = np.array([int(step @ strides) for step in steps])
    numbers = _flood(wide.ravel(), order, offsets, neck, dip).reshape(wide.shape)
    return np.ascontiguousarray(numbers[(slice(1, -1),) * depth.ndim])


def cuts_between(numbers: Numbers) -> npt.NDArray[np.bool_]:
    """Tell for each voxel whether its neighbour along an axis is of another body."""
    out = np.zeros(numbers.shape, bool)
    for axis in range(numbers.ndim):
        before = (slice(None),) * axis + (slice(None, -1),)
        after = (slice(None),) * axis + (slice(1, None),)
        parted = (numbers[before] != numbers[after]) & (numbers[before] > 0) & (numbers[after] > 0)
        out[before] |= parted
        out[after] |= parted
    return out


@njit(cache=True)
def _flood(depth: Any, order: Any, offsets: Any, neck: float, dip: float) -> Any:
    numbers = np.zeros(depth.size, np.int32)
    parent = np.zeros(order.size + 1, np.int32)
    peak = np.zeros(order.size + 1, depth.dtype)
    bodies = 0
    for here in order:
        uphill, height = 0, depth[here]
        for offset in offsets:
            if numbers[here + offset] > 0 and depth[here + offset] >= height:
                uphill, height = numbers[here + offset], depth[here + offset]
        if uphill == 0:
            bodies += 1
            uphill, parent[bodies], peak[bodies] = bodies, bodies, depth[here]
        numbers[here] = uphill
        for offset in offsets:
            # Most neighbours are of the same body: only the others are looked up.
            if numbers[here + offset] > 0 and numbers[here + offset] != uphill:
                one, other = _root(parent, uphill), _root(parent, numbers[here + offset])
                _meet(parent, peak, one, other, depth[here], neck, dip)
    for here in order:
        numbers[here] = _root(parent, numbers[here])
    return numbers


@njit(cache=True)
def _meet(parent: Any, peak: Any, one: int, other: int, saddle: float, neck: float, dip: float) -> None:
    """Make two bodies one unless what is between them is narrow; the deeper one keeps its number."""
    shallower = min(peak[one], peak[other])
    if one == other or (saddle < neck * shallower and shallower - saddle >= dip):
        return
    if peak[one] < peak[other]:
        one, other = other, one
    parent[other] = one


@njit(cache=True)
def _root(parent: Any, number: int) -> int:
    while parent[number] != number:
        parent[number] = parent[parent[number]]
        number = parent[number]
    return number
