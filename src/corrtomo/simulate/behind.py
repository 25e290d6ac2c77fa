"""What a beam meets behind an open pore of a plane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from . import noise
from .raster import PORE, View
from .shares import Progress

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Codes = Callable[[View], Grey]
BEHIND = 3
"""Behind the plane, pixels are this many times as wide."""
_SLAB = 16


def look_behind(
    codes: Codes, plane: View, look_um: float, phases: Grey, progress: Progress
) -> tuple[Grey, Floats]:
    """Return what is seen at each pixel of a plane, and how far behind it in µm.

    `codes` tells what lies at the voxels of a view, 0 for nothing; `phases` is what lies in the plane.
    """
    wide = float(BEHIND * plane.voxel_um[1])
    shape = (1, -(-plane.shape[1] // BEHIND), -(-plane.shape[2] // BEHIND))
    middle = plane.origin_um + np.array([wide, (BEHIND - 1) / 2 * plane.voxel_um[1], 0.0])
    middle[2] += (BEHIND - 1) / 2 * plane.voxel_um[2]
    seen, far = np.zeros(shape[1:], np.uint8), np.full(shape[1:], -1, np.int32)
    planes = int(np.ceil(look_um / wide))
    for first in progress(range(0, planes, _SLAB)):
        count = min(_SLAB, planes - first)
        start = middle + np.array([first * wide, 0.0, 0.0])
        view = View(np.full(3, wide), start, (count, *shape[1:]), plane.pose)
        _look(codes(view), seen, far, first + 1)
    depth = np.where(far < 0, look_um, far * wide).astype(np.float32)
    nearest = [np.arange(n) // BEHIND for n in plane.shape[1:]]
    seen, depth = seen[np.ix_(*nearest)], depth[np.ix_(*nearest)]
    depth = _evened(depth, seen)
    solid = phases != PORE
    seen[solid], depth[solid] = phases[solid], 0.0
    return seen, depth


def _evened(depth: Floats, seen: Grey) -> Floats:
    """Take the steps of the raster out of the depths, material by material."""
    out = depth.copy()
    for code in np.unique(seen[seen != PORE]):
        of = seen == code
        here = noise.gaussian(of.astype(np.float32), [BEHIND, BEHIND])
        there = noise.gaussian(np.where(of, depth, 0).astype(np.float32), [BEHIND, BEHIND])
        out[of] = there[of] / here[of]
    return out


@njit(cache=True, parallel=True)
def _look(codes: Any, seen: Any, far: Any, first: int) -> None:
    """Go on through a slab, where nothing has been met yet."""
    for j in prange(codes.shape[1]):
        for k in range(codes.shape[0]):
            for i in range(codes.shape[2]):
                if far[j, i] < 0 and codes[k, j, i] != PORE:
                    far[j, i], seen[j, i] = first + k, codes[k, j, i]
