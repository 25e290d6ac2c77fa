"""Coarse search for a section in a volume: a grid of depths, tilts and turns, and all shifts in the plane."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from ..volume import voxel_size
from .correlation import Correlator
from .frames import Floats, Grey, extent, inverse, sample, turn
from .search import Candidate, distinct, peaks, pose, smooth, turns

Way = tuple[bool, int]
_PIXELS = 1_500
"""Coarse pixels in what section and volume share: enough to tell planes apart, few enough for thousands."""
_DEPTH, _WIDE, _CLOSE = 1.0, 8.0, 3.0
"""Coarse pixels from one depth to the next, and that a corner moves by from one tilt to the next: first for
all planes, then for the best of them."""
_APART = 6.0
"""Coarse pixels by which the corners of two candidates differ: nearer ones climb to the same pose."""
_QUARTER, _MIRROR = np.array([[0, -1], [1, 0]]), np.array([[-1, 0], [0, 1]])
_WAYS = {
    (mirrored, quarters): np.linalg.matrix_power(_QUARTER, quarters) @ (_MIRROR if mirrored else np.eye(2))
    for mirrored, quarters in product((False, True), range(4))
}
"""How a section can lie in its file: mirrored along y or not, then turned by quarters."""
_AS_IT_IS = (False, 0)


@dataclass(frozen=True)
class SectionRange:
    """Where to look for a section.

    Attributes
    ----------
    centre, target : numpy.ndarray
        Middle of the section, and the point of the volume that it is looked for at, (z, y, x) in µm.
    depth_um : tuple of float
        Lowest and highest z of that middle in the volume.
    shift_um, tilt_deg, turn_deg, min_overlap : float
        How far it may be shifted along y and x, tilted about each of them and turned in its plane, and what
        share must meet.
    """

    centre: Floats
    target: Floats
    depth_um: tuple[float, float]
    shift_um: float
    tilt_deg: float
    turn_deg: float
    min_overlap: float


def search_pixel(section: xr.DataArray, volume: xr.DataArray) -> float:
    """Return the edge of the coarse pixel in µm."""
    area = float(np.prod(np.minimum(extent(section)[1:], extent(volume)[1:])))
    return max([float(np.sqrt(area / _PIXELS)), *voxel_size(section)[1:], *voxel_size(volume)])


@dataclass(frozen=True)
class _Variant:
    """The section at one turn and scale, and in one of the groups of ways it can lie, on coarse pixels."""

    linear: Floats
    grey: Grey
    group: int


@dataclass(frozen=True)
class _Hit:
    """A pose, and the depth, tilts and variant that it was found at."""

    pose: Candidate
    depth: float
    tilts: tuple[float, float]
    variant: int


def candidates(
    section: xr.DataArray, volume: xr.DataArray, where: SectionRange, scales: Sequence[float] = (1.0,)
) -> tuple[list[Candidate], float]:
    """Return the best poses of a section (one slice, dims z, y, x) that differ, best first.

    Mirrored, the section lies nowhere in the volume, yet has the same structure and outline: the best
    correlation of its mirror images, searched for in the same way, is what chance and outline can reach. It
    is returned too.
    """
    mirrors = [way for way in _WAYS if way[0]]
    best = _searched(section, volume, where, scales, [[_AS_IT_IS], mirrors])
    return best[0], max((c.correlation for c in best[1]), default=0.0)


def other_ways(section: xr.DataArray, volume: xr.DataArray, where: SectionRange) -> dict[Way, float]:
    """Return the best correlation of a section mirrored, turned by quarters, or both."""
    others = [way for way in _WAYS if way != _AS_IT_IS]
    best = _searched(section, volume, where, (1.0,), [[way] for way in others])
    return {
        way: max((c.correlation for c in one), default=0.0) for way, one in zip(others, best, strict=True)
    }


def _searched(
    section: xr.DataArray,
    volume: xr.DataArray,
    where: SectionRange,
    scales: Sequence[float],
    groups: Sequence[Sequence[Way]],
) -> list[list[Candidate]]:
    """Return the best poses of a section that differ, for each group of ways in which it can lie."""
    search = _Search(section, volume, where, scales, groups)
    wide, close = (
        search.tilts(where.tilt_deg, _WIDE),
        search.tilts(min(where.tilt_deg, search.step(_WIDE)), _CLOSE),
    )
    low, high = where.depth_um
    depths = np.linspace(low, high, 1 + int(np.ceil((high - low) / (_DEPTH * search.edge))))
    every = range(len(search.variants))
    first = [hit for depth, tilts in product(depths, wide) for hit in search(depth, tilts, every)]
    best: list[list[Candidate]] = []
    for group in range(len(groups)):
        kept = search.distinct([h for h in first if search.variants[h.variant].group == group])
        near = [
            hit
            for one in kept
            for tilts in close
            for hit in search(one.depth, _sum(one, tilts), [one.variant])
        ]
        best.append([hit.pose for hit in search.distinct(kept + near)])
    return best


def _sum(hit: _Hit, tilts: tuple[float, float]) -> tuple[float, float]:
    return hit.tilts[0] + tilts[0], hit.tilts[1] + tilts[1]


class _Search:
    """Section and volume on coarse pixels, to be correlated at one depth and tilt after the other."""

    def __init__(
        self,
        section: xr.DataArray,
        volume: xr.DataArray,
        where: SectionRange,
        scales: Sequence[float],
        groups: Sequence[Sequence[Way]],
    ):
        self.edge = search_pixel(section, volume)
        self._volume, self._grey, self._where = volume, smooth(volume, self.edge), where
        self._half = (np.array(section.shape) - 1) / 2 * voxel_size(section) * max(scales)
        self.variants, self._size = _variants(section, where, scales, groups, self.edge, self._half[1:])
        self._steps = int(np.ceil(where.shift_um / self.edge))
        shared = float(np.prod(np.minimum(extent(section), extent(volume))[1:])) / self.edge**2
        self._least = where.min_overlap * shared
        self._ready: dict[int, Any] = {}

    def __call__(self, depth: float, tilts: tuple[float, float], variants: Iterable[int]) -> list[_Hit]:
        """Correlate variants of the section with one plane, at all shifts; return the highest two of each."""
        at, tilt = np.array([depth, *self._where.target[1:]]), turn(_flat(tilts))
        count = self._size + 2 * self._steps
        corner = at - tilt @ _flat((count - 1) / 2 * self.edge)
        plane = sample(self._grey, self._volume, corner, tilt, self.edge, (1, *count.tolist()))[0]
        if np.isfinite(plane).sum() < self._least:
            return []
        steps = (self._steps, self._steps)
        correlate = Correlator(plane, tuple(self._size.tolist()), steps, steps)
        hits = []
        for number in variants:
            one = self.variants[number]
            if number not in self._ready:
                self._ready[number] = correlate.transform(one.grey)
            value, overlap = correlate.match(self._ready[number])
            value = np.where(overlap >= self._least, np.abs(value), 0.0)
            for peak in peaks(value):
                place = at + tilt @ _flat((np.array(peak) - self._steps) * self.edge)
                matrix = pose(tilt @ one.linear, self._where.centre, place)
                hits.append(_Hit(Candidate(matrix, float(value[peak])), depth, tilts, number))
        return hits

    def step(self, pixels: float) -> float:
        """Return the tilt in degrees that moves a corner of the section by so many coarse pixels."""
        return float(np.rad2deg(pixels * self.edge / max(float(np.linalg.norm(self._half)), self.edge)))

    def tilts(self, limit: float, pixels: float) -> list[tuple[float, float]]:
        """Return pairs of tilts up to a limit, such that a corner moves by so many pixels between them."""
        number = max(0, int(np.ceil(limit / self.step(pixels) - 0.5 - 1e-9)))
        angles = np.arange(-number, number + 1) * (limit / (number + 0.5))
        return [(float(a), float(b)) for a, b in product(angles, repeat=2)]

    def distinct(self, hits: list[_Hit]) -> list[_Hit]:
        """Return the best few that lie apart, best first."""
        hits = sorted(hits, key=lambda h: -h.pose.correlation)
        kept = distinct([h.pose for h in hits], self._where.centre, self._half, _APART * self.edge)
        chosen = {id(one) for one in kept}
        return [h for h in hits if id(h.pose) in chosen]


def _variants(
    section: xr.DataArray,
    where: SectionRange,
    scales: Sequence[float],
    groups: Sequence[Sequence[Way]],
    edge: float,
    half: Floats,
) -> tuple[list[_Variant], npt.NDArray[np.int_]]:
    """Turn, scale and mirror the section; return how many coarse pixels hold each of these too."""
    grey = smooth(section, edge)
    flat = turns(where.turn_deg, edge, float(np.linalg.norm(half)), 2)
    linears = [
        (scale * one @ _WAYS[way], group)
        for group, ways in enumerate(groups)
        for way, scale, one in product(ways, scales, flat)
    ]
    reach = np.max([np.abs(linear) @ half / max(scales) for linear, _ in linears], axis=0)
    size = 2 * np.floor(reach / edge).astype(int) + 1
    variants = []
    for linear, group in linears:
        whole = np.eye(3) * np.sqrt(abs(np.linalg.det(linear)))
        whole[1:, 1:] = linear
        back = inverse(whole)
        corner = where.centre - back @ _flat((size - 1) / 2 * edge)
        turned = sample(grey, section, corner, back, edge, (1, *size.tolist()))[0]
        variants.append(_Variant(whole, turned, group))
    return variants, size


def _flat(point: Any) -> Floats:
    return np.array([0.0, *point])
