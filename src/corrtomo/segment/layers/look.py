"""Is there a spiral in a slice? Its centre, pitch and winding, or why it cannot be traced."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .centre import find_centre
from .phase import LEAST_PITCH, Winding, find_pitch, wind

Floats = npt.NDArray[np.float64]
_MEET = 0.3
"""Least share of normals that meet in the centre; 0.55 to 1.0 in cells, 0.1 in noise."""
_OTHER = 0.4
"""Share of the other normals that may meet elsewhere."""
_PERIODIC = 0.08
"""Least correlation of grey values along radii at a distance of one pitch."""
_AGREE = 0.6
"""Least share of radii at which the winding number is the commonest."""
_BEYOND = 4
"""Pitches beyond the nearest border, in which layers are looked for: there the cell is cut."""
_CUT = 1.2


class Roll(NamedTuple):
    """The centre and the pitch of a winding, in pixels, and the distance to the nearest border."""

    centre: tuple[float, float]
    pitch: float
    reach: float


def look(grey: Floats) -> Roll | str:
    """Return centre and pitch of the winding in a slice, or why there is none."""
    if not np.ptp(grey) > 0:
        return f"no spiral: all grey values are {grey.flat[0]:g}. A slice with wound layers is needed"
    centre = find_centre(grey)
    if centre.share < _MEET:
        return (
            f"no spiral: {centre.share:.0%} of the normals of edges meet in one place, "
            f"{_MEET:.0%} or more do in a wound cell. A slice across the winding axis is needed"
        )
    if centre.other > _OTHER:
        return (
            f"two centres: {centre.share:.0%} of the normals of edges meet in one place, and "
            f"{centre.other:.0%} of the others in another. One cell is needed. Crop the image to one"
        )
    height, width = grey.shape
    reach = min(centre.y, centre.x, height - 1 - centre.y, width - 1 - centre.x)
    if reach < 8 * LEAST_PITCH:
        return (
            f"the cell is out of the field of view: its centre, at row {centre.y:.0f} and column "
            f"{centre.x:.0f}, is {reach:.0f} pixels within the border of {height} × {width} pixels. The "
            "whole cross-section is needed"
        )
    pitch = find_pitch(grey, (centre.y, centre.x), reach)
    if not pitch.correlation >= _PERIODIC:
        return (
            f"no spiral: grey values along radii repeat with a correlation of {pitch.correlation:.2f}, "
            f"{_PERIODIC} or more is needed. A slice across the winding axis is needed"
        )
    if pitch.pixels < LEAST_PITCH:
        return (
            f"the layers are {pitch.pixels:.1f} pixels apart, {LEAST_PITCH:g} or more are needed. Take a "
            "scan of finer voxels"
        )
    return Roll((centre.y, centre.x), pitch.pixels, reach)


def winding(grey: Floats, roll: Roll) -> Winding | str:
    """Return the winding about a centre, or why there is none."""
    found = wind(grey, roll.centre, roll.pitch, roll.reach + _BEYOND * roll.pitch)
    if found is None:
        return "no spiral: layers are coherent over fewer than three turns (score 0). More turns are needed"
    if found.score < _AGREE:
        return (
            f"no spiral: the layers wind by the same number at {found.score:.0%} of the radii, "
            f"{_AGREE:.0%} or more is needed (score {found.score:.2f}, coherence {found.coherence:.2f}). "
            "A slice with clear layers is needed"
        )
    if found.outer > roll.reach + _CUT * roll.pitch:
        return (
            f"the cell is out of the field of view: layers go on to a radius of {found.outer:.0f} pixels, "
            f"and the nearest border is {roll.reach:.0f} pixels from the centre. The whole cross-section is "
            "needed"
        )
    if not found.arms:
        return (
            f"{found.radius.shape[0] - 2} concentric rings and no spiral: after a full turn each layer meets "
            f"itself (score {found.score:.2f}). A wound cell is needed"
        )
    return found
