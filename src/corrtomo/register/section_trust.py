"""Reasons not to trust where a section was found; each is an error, none is a warning."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from ..volume import origin, voxel_size
from .alignment import AlignmentError
from .frames import Floats, corners, extent, move, named
from .information import Maximum
from .search import Candidate
from .section_pair import tilt_and_turn
from .section_search import SectionRange

_ABOVE_CHANCE, _OTHER_WAY = 1.4, 1.8
_RIVAL = 0.85


def check_chance(
    found: list[Candidate],
    chance: float,
    where: SectionRange,
    ways: Callable[[], dict[tuple[bool, int], float]],
) -> None:
    """Refuse a section that fits hardly better than its mirror images, which lie nowhere in the volume.

    `ways` finds the correlation of the section mirrored or not (along y, first), and turned by quarters: it
    is asked only where the section is refused, for what to do about it.
    """
    if not found:
        raise AlignmentError(
            f"Cannot locate the section: at no pose within ±{where.shift_um:g} µm does it share "
            f"{where.min_overlap:.0%} with the volume. Check that the volume holds the section, or lower "
            "min_overlap."
        )
    best = found[0].correlation
    if _information(best) >= _ABOVE_CHANCE * _information(chance):
        return
    known = f"Cannot locate the section: it correlates by {best:.2f} with the volume at its best pose"
    correlations = ways()
    way, top = max(correlations.items(), key=lambda item: item[1])
    others = [best, *(value for key, value in correlations.items() if key != way)]
    if _information(top) > _OTHER_WAY * _information(max(others)):
        raise AlignmentError(f"{known}, and {_other_way(*way, top)}.")
    raise AlignmentError(
        f"{known}, its mirror images, which lie nowhere in it, by up to {chance:.2f}. No pose stands out. "
        "Check that the volume holds the section and that the stated voxel sizes are right, or enlarge "
        "max_shift_um, depth_range_um, max_tilt_deg and max_turn_deg."
    )


def _other_way(mirrored: bool, quarters: int, correlation: float) -> str:
    """Say how a section must lie to be found, and how to bring it there."""
    turned = f"turned by {90 * quarters}°"
    data = "section.data[::-1]" if mirrored else "section.data"
    data = f"np.rot90({data}, {quarters})" if quarters else data
    edges = "ct.voxel_size(section)" + "[::-1]" * (quarters % 2)
    how = f"for instance with ct.volume({data}, {edges})"
    if not mirrored:
        return f"{turned} by {correlation:.2f}. Turn it first, {how}, or enlarge max_turn_deg"
    return (
        f"its mirror image{', ' + turned + ',' if quarters else ''} by {correlation:.2f}. One of both was "
        f"recorded from the other side. Mirror the section{' and turn it' if quarters else ''}, {how}"
    )


def _information(correlation: float) -> float:
    """Return the mutual information of normal greys with this correlation, in nats."""
    return float(-0.5 * np.log1p(-(min(correlation, 1 - 1e-6) ** 2)))


def check_rival(section: xr.DataArray, refined: list[Maximum], apart_um: float) -> None:
    """Refuse where another plane explains the section about as well."""
    best = refined[0]
    low = np.array(origin(section))
    ends = corners(low, low + (np.array(section.shape) - 1) * voxel_size(section))
    for other in refined[1:]:
        gap = np.linalg.norm(move(other.matrix, ends) - move(best.matrix, ends), axis=1).mean()
        if gap > apart_um and other.metric > _RIVAL * best.metric:
            raise AlignmentError(
                f"Cannot locate the section: another pose, {gap:.2f} µm away, explains it as well (mutual "
                f"information {other.metric:.3f} and {best.metric:.3f}). A structure that repeats, or is the "
                "same at all depths, has no one pose. Narrow depth_range_um or max_shift_um around the right "
                "one, or take a larger section."
            )


def check_pose(section: xr.DataArray, volume: xr.DataArray, matrix: Floats, where: SectionRange) -> None:
    """Refuse a pose at or beyond the edge of where it was looked for, and one with too little overlap."""
    at = move(matrix, where.centre)
    shift = (at - where.target)[1:]
    tilt, flat = tilt_and_turn(matrix)
    low, high = where.depth_um
    slack = 1e-3 * (high - low)
    inside = low - slack <= at[0] <= high + slack and np.abs(shift).max() <= where.shift_um
    if not inside or np.abs(tilt).max() > where.tilt_deg or abs(flat) > where.turn_deg:
        raise AlignmentError(
            f"Cannot locate the section: the best pose, its middle at z {at[0]:.2f} µm, shifted by "
            f"{named(shift)} µm, tilted about {named(tilt, 1, '°')} and turned by {flat:.1f}°, lies beyond z "
            f"{low:g} to {high:g} µm, ±{where.shift_um:g} µm, ±{where.tilt_deg:g}° or ±{where.turn_deg:g}°, "
            "where it was looked for. If it may lie there, enlarge depth_range_um, max_shift_um, "
            "max_tilt_deg or max_turn_deg."
        )
    share = section_overlap(section, volume, matrix)
    if share < where.min_overlap:
        raise AlignmentError(
            f"Cannot locate the section: at the best pose it shares {share:.0%} with the volume, below "
            f"min_overlap {where.min_overlap:.0%}. Check that the volume holds the section, or lower "
            "min_overlap."
        )


def section_overlap(section: xr.DataArray, volume: xr.DataArray, matrix: Floats) -> float:
    """Return the area that a section shares with a volume, over the smaller of both."""
    index = np.stack(np.meshgrid(*[np.linspace(0, n - 1, 32) for n in section.shape[1:]], indexing="ij"), -1)
    flat = index.reshape(-1, 2) * voxel_size(section)[1:] + origin(section)[1:]
    points = np.column_stack([np.zeros(len(flat)), flat])
    place = (move(matrix, points) - origin(volume)) / np.array(voxel_size(volume))
    inside = ((place >= -0.5) & (place <= np.array(volume.shape) - 0.5)).all(axis=1).mean()
    areas = [float(np.prod(extent(image)[1:])) for image in (section, volume)]
    return float(inside * areas[0] / min(areas))
