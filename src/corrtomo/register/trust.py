"""Reasons not to trust an alignment; each is an error, none is a warning."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
import xarray as xr
from scipy import stats

from ..volume import origin, voxel_size
from .alignment import AlignmentError
from .frames import Floats, corners, extent, move, named, sample_onto, turn, turn_deg
from .information import Kind, Maximum, mutual_information
from .search import Range
from .subvolumes import Agreement

Seen = TypeVar("Seen", bound=Agreement)


class Words(NamedTuple):
    """What refusals call what is aligned, and its parts; what to check first, and how to fit a distortion."""

    doing: str
    parts: str
    check: str
    fit: str


IMAGES = Words(
    "align the images",
    "sub-volumes",
    "both show the same spot",
    "; scale and shear are fitted with transform='affine'",
)
SECTION = Words("locate the section", "sub-areas of it", "the volume holds the section", "")

_POSES = 30
_ABOVE_CHANCE = 2.0
_RIVAL = 0.85
_SPREAD_VOXELS = 1.0
_STRUCTURE = 0.25
_SHEARED = 1e-3
_COARSER, _COARSEST = 4, 1.5
"""Voxels that are taken together, at most, and the edge of these in coarse voxels of the search, at most."""
_LOST = 1 / 3
_SCALE_CHANCE, _SCALE_VOXELS = 6e-5, 0.5
"""Chance to refuse a scale that is none: that of four standard deviations, were these known exactly."""


def overlap(moving: xr.DataArray, fixed: xr.DataArray, matrix: Floats) -> float:
    """Return what share of the smaller image the other covers."""
    index = np.stack(np.meshgrid(*[np.linspace(0, n - 1, 16) for n in moving.shape], indexing="ij"), -1)
    points = index.reshape(-1, moving.ndim) * voxel_size(moving) + origin(moving)
    place = (move(matrix, points) - origin(fixed)) / np.array(voxel_size(fixed))
    inside = ((place >= -0.5) & (place <= np.array(fixed.shape) - 0.5)).all(axis=1).mean()
    sizes = [float(np.prod(extent(image))) for image in (moving, fixed)]
    return float(inside * sizes[0] / min(sizes))


def check_range(matrix: Floats, where: Range) -> None:
    """Refuse a pose at or beyond the edge of where it was looked for."""
    shift = move(matrix, where.centre) - where.target
    angles = turn_deg(matrix)
    if np.abs(shift).max() > where.shift_um or np.abs(angles).max() > where.turn_deg:
        raise AlignmentError(
            f"Cannot align the images: the best pose, shifted by {named(shift)} µm and turned "
            f"by {_turned(angles)}, lies beyond ±{where.shift_um:g} µm or ±{where.turn_deg:g}°, where it was "
            "looked for. If it may lie there, enlarge max_shift_um or max_turn_deg."
        )


def _turned(angles: Floats) -> str:
    """Say a turn in the plane, or about z, y and x."""
    return f"{angles[0]:+.1f}°" if len(angles) == 1 else named(angles, 1, "°")


def check_chance(moving: xr.DataArray, fixed: xr.DataArray, matrix: Floats, where: Range, seed: int) -> float:
    """Refuse a pose that is hardly better than random ones; return the level of those."""
    rng = np.random.default_rng(seed)
    n = moving.ndim
    angles = 3 if n == 3 else 1
    there = move(matrix, where.centre)
    least = 0.15 * _length(moving, fixed)
    levels: list[float] = []
    for _ in range(10 * _POSES):
        step = rng.uniform(-1, 1, n)
        step *= max(where.shift_um, 2 * least) / np.abs(step).max() * rng.uniform(0.3, 1.0)
        pose = np.eye(n + 1)
        pose[:n, :n] = turn(rng.uniform(-where.turn_deg, where.turn_deg, angles)) @ matrix[:n, :n]
        pose[:n, n] = there + step - pose[:n, :n] @ where.centre
        if np.linalg.norm(step) < least or overlap(moving, fixed, pose) < 0.5 * where.min_overlap:
            continue
        levels.append(_information(moving, fixed, pose))
        if len(levels) == _POSES:
            break
    best = _information(moving, fixed, matrix)
    if len(levels) < _POSES // 3:
        raise AlignmentError(
            f"Cannot align the images: only {len(levels)} random poses overlap, too few to tell a good pose "
            "from chance. Enlarge max_shift_um, or use larger images."
        )
    usual, highest = float(np.median(levels)), max(levels)
    if best - usual < _ABOVE_CHANCE * (highest - usual):
        raise AlignmentError(
            f"Cannot align the images: the best pose has a mutual information of {best:.3f}, {len(levels)} "
            f"random poses have {usual:.3f} and up to {highest:.3f}. No pose stands out. Check that "
            "both show the same spot and that the stated voxel sizes are right (a few per cent: transform="
            "'similarity'), or enlarge max_shift_um and max_turn_deg."
        )
    return usual


def check_rival(
    moving: xr.DataArray, fixed: xr.DataArray, refined: list[Maximum], level: float, apart_um: float
) -> None:
    """Refuse where another pose explains the images about as well: a periodic or too regular structure."""
    best = refined[0]
    low = np.array(origin(moving))
    ends = corners(low, low + (np.array(moving.shape) - 1) * voxel_size(moving))
    top = _information(moving, fixed, best.matrix) - level
    for other in refined[1:]:
        gap = np.linalg.norm(move(other.matrix, ends) - move(best.matrix, ends), axis=1).mean()
        if gap > apart_um and _information(moving, fixed, other.matrix) - level > _RIVAL * top:
            raise AlignmentError(
                f"Cannot align the images: another pose, {gap:.2f} µm away, explains them as well. A "
                "structure that repeats has no one pose. Narrow max_shift_um or max_turn_deg around the "
                "right one, or take a larger volume."
            )


def agreed(see: Callable[[int], Seen], kind: Kind, search_um: float, words: Words = IMAGES) -> Seen:
    """Return what sub-volumes say of an alignment; refuse where they contradict it.

    `see` matches them at so many times the voxel. Noise, or blur over many voxels, scatters their matches by
    more than a voxel, which is no contradiction: they are asked again at coarser voxels, and state the error
    of these. Scatter that scale and shear explain is one, and so is a wrong place, at any voxel.
    """
    refusals: list[AlignmentError] = []
    for count in range(1, _COARSER + 1):
        seen = see(count)
        check_scale(seen, kind, words)
        try:
            check_spread(seen, _STRUCTURE * search_um, words)
        except AlignmentError as error:
            refusals.append(error)
        else:
            return seen
        if seen.sheared < _SHEARED or (1 + 1 / count) * seen.edge_um > _COARSEST * search_um:
            break
    raise refusals[0]


def check_agreement(seen: Agreement, kind: Kind, structure_um: float) -> None:
    """Refuse where sub-volumes contradict the alignment."""
    check_scale(seen, kind)
    check_spread(seen, structure_um)


def check_scale(seen: Agreement, kind: Kind, words: Words = IMAGES) -> None:
    """Refuse where sub-volumes agree on another voxel size.

    Their standard deviation comes from few of them, so it is Student's law that says how far is too far.
    """
    off = (seen.scale - 1.0) * seen.radius_um
    if (
        kind == "rigid"
        and abs(seen.scale - 1.0) > stats.t.isf(_SCALE_CHANCE / 2, max(1, seen.free)) * seen.scale_sd
        and abs(off) > _SCALE_VOXELS * seen.edge_um
    ):
        raise AlignmentError(
            f"Cannot {words.doing} rigidly: {words.parts} ask for another voxel size, "
            f"by {abs(seen.scale - 1.0):.2%} (± {seen.scale_sd:.2%}), {abs(off):.2f} µm at the corners. "
            "A voxel size is not as stated. Fit the scale with transform='similarity', or state it anew "
            "with ct.volume()."
        )


def check_spread(seen: Agreement, structure_um: float, words: Words = IMAGES) -> None:
    """Refuse where sub-volumes find no match, or disagree with each other."""
    if np.isinf(seen.error_um) or seen.lost > _LOST * seen.parts:
        raise AlignmentError(
            f"Cannot {words.doing}: only {seen.parts - seen.lost} of {seen.parts} {words.parts} find a "
            f"match near the best pose, so it is not to be trusted. Check that {words.check} and that the "
            "stated voxel sizes are right, or fit them with transform='similarity'."
        )
    # Where the images are blurred over many voxels, a voxel is no measure: the structure is.
    most = max(_SPREAD_VOXELS * seen.edge_um, structure_um)
    if seen.spread_um > most:
        raise AlignmentError(
            f"Cannot {words.doing}: {words.parts} disagree with each other by {_more(seen.spread_um, most)}. "
            f"Check that {words.check} and that neither is distorted{words.fit}."
        )


def _more(value_um: float, most_um: float) -> str:
    """Say that a length is more than another, with as many digits as it takes to see that."""
    digits = next(n for n in range(2, 20) if f"{value_um:.{n}f}" != f"{most_um:.{n}f}" or n == 19)
    return f"{value_um:.{digits}f} µm, more than {most_um:.{digits}f} µm"


def _length(moving: xr.DataArray, fixed: xr.DataArray) -> float:
    return min(float(np.prod(extent(i)) ** (1 / i.ndim)) for i in (moving, fixed))


def _information(moving: xr.DataArray, fixed: xr.DataArray, matrix: Floats) -> float:
    """Return the mutual information at a pose, over the overlap."""
    grey = sample_onto(moving, fixed.data, fixed, matrix)
    known = np.isfinite(grey)
    return mutual_information(moving.data[known], grey[known])
