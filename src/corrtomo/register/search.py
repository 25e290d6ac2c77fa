"""Coarse search: correlation over a grid of turns and all shifts, at a voxel that is coarse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr
from scipy import ndimage

from ..volume import origin, voxel_size
from .correlation import Correlator
from .frames import Floats, Grey, corners, extent, inverse, move, sample, turn

_VOXELS = 4_000
"""Coarse voxels in the smaller of the two images: enough to tell poses apart, few enough to try hundreds."""
_CANDIDATES = 4
_CORNER = 2.5
"""Coarse voxels that a corner may move by from one turn to the next: half of it either way."""


@dataclass(frozen=True)
class Range:
    """Where to look: the point of the fixed frame that the moving centre lies at, and how far off."""

    centre: Floats
    target: Floats
    shift_um: float
    turn_deg: float
    min_overlap: float


@dataclass(frozen=True)
class Candidate:
    """A pose from the moving to the fixed frame, and its correlation."""

    matrix: Floats
    correlation: float


def search_voxel(fixed: xr.DataArray, moving: xr.DataArray) -> float:
    """Return the edge of the coarse voxel in µm."""
    sizes = [np.prod(extent(image)) for image in (fixed, moving)]
    edge = (min(sizes) / _VOXELS) ** (1 / fixed.ndim)
    return max([float(edge), *voxel_size(fixed), *voxel_size(moving)])


def candidates(
    fixed: xr.DataArray, moving: xr.DataArray, where: Range, scales: Sequence[float] = (1.0,)
) -> list[Candidate]:
    """Return the best poses that differ, best first."""
    edge = search_voxel(fixed, moving)
    still, turned = smooth(fixed, edge), smooth(moving, edge)
    half = (np.array(moving.shape) - 1) / 2 * voxel_size(moving) * max(scales)
    grid_of_turns = turns(where.turn_deg, edge, float(np.linalg.norm(half)), fixed.ndim)
    reach = np.max([np.abs(one) @ half for one in grid_of_turns], axis=0)
    size = 2 * np.floor(reach / edge).astype(int) + 1
    low = np.array(origin(fixed))
    high = low + (np.array(fixed.shape) - 1) * voxel_size(fixed)
    count = np.floor((high - low) / edge + 1e-9).astype(int) + 1
    grid = sample(still, fixed, low, np.eye(fixed.ndim), edge, tuple(count))
    # Shift 0: the middle of the moving grid at the target.
    first = np.rint((where.target - low) / edge - (size - 1) / 2).astype(int)
    steps = int(np.ceil(where.shift_um / edge))
    correlate = Correlator(grid, tuple(size), (steps,) * fixed.ndim, tuple(first))
    least = where.min_overlap * min(grid.size, int(np.prod(half * 2 / edge + 1)))
    found = []
    for scale, one in product(scales, grid_of_turns):
        linear = one * scale
        back = inverse(linear)
        corner = where.centre - back @ ((size - 1) / 2 * edge)
        value, overlap = correlate(sample(turned, moving, corner, back, edge, tuple(size)))
        value = np.where(overlap >= least, np.abs(value), 0.0)
        for peak in peaks(value):
            place = low + (first + np.array(peak) - steps + (size - 1) / 2) * edge
            found.append(Candidate(pose(linear, where.centre, place), float(value[peak])))
    return distinct(sorted(found, key=lambda c: -c.correlation), where.centre, half, 3 * edge)


def pose(linear: Floats, centre: Floats, place: Floats) -> Floats:
    """Return the matrix that turns about a centre and brings it to a place."""
    n = len(centre)
    out = np.eye(n + 1)
    out[:n, :n] = linear
    out[:n, n] = place - linear @ centre
    return out


def turns(turn_deg: float, edge: float, radius: float, ndim: int) -> list[Floats]:
    """Return turns close enough that a corner moves by a few coarse voxels at most from one to the next."""
    step = min(float(np.rad2deg(_CORNER * edge / max(radius, edge))), 10.0)
    number = max(0, int(np.ceil(turn_deg / step - 0.5 - 1e-9)))
    angles = np.arange(-number, number + 1) * (turn_deg / (number + 0.5))
    return [turn(np.array(vector)) for vector in product(angles, repeat=3 if ndim == 3 else 1)]


def smooth(image: xr.DataArray, edge: float) -> Grey:
    """Blur an image so far that it can be sampled at coarse voxels."""
    sigma = [np.sqrt(max(0.0, (0.5 * edge / v) ** 2 - 0.25)) for v in voxel_size(image)]
    return np.asarray(ndimage.gaussian_filter(np.asarray(image.data, np.float32), sigma))


def peaks(value: Grey) -> list[tuple[int, ...]]:
    """Return the two highest local maxima of a correlation map."""
    top = (value == ndimage.maximum_filter(value, 3)) & (value > 0)
    places = np.argwhere(top)
    order = np.argsort(-value[top], kind="stable")[:2]
    return [tuple(int(i) for i in places[k]) for k in order]


def distinct(found: list[Candidate], centre: Floats, half: Floats, apart_um: float) -> list[Candidate]:
    """Keep the first few candidates whose corners lie apart."""
    kept: list[Candidate] = []
    ends = corners(centre - half, centre + half)
    for one in found:
        gaps = [np.linalg.norm(move(one.matrix, ends) - move(k.matrix, ends), axis=1).mean() for k in kept]
        if all(gap > apart_um for gap in gaps):
            kept.append(one)
        if len(kept) == _CANDIDATES:
            break
    return kept
