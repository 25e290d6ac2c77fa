"""How much each projection counts: the step between angles that it stands for."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_GAP = 5.0
"""A step between angles that is so many times the steps around it is a gap in what was measured."""

_WIDEST_DEG = 120.0
"""Gap of half a turn from which on little of a volume can be known."""
_FEWEST, _CLOSE = 8, 0.01
"""Angles that tell radians, or a gap; and how near to half a turn or a turn radians end, as a share."""


def check_radians(angles_deg: Floats, *, doing: str) -> None:
    """Refuse angles that cover half a turn, or a turn, in radians."""
    span = float(np.ptp(angles_deg))
    ends = np.array([span, span + float(np.median(np.diff(np.sort(angles_deg))))])
    turns = np.array([[np.pi], [2 * np.pi]])
    if len(angles_deg) >= _FEWEST and bool((np.abs(ends / turns - 1) <= _CLOSE).any()):
        raise ValueError(
            f"Cannot {doing}: angles cover {span:.4g} degrees, which is a turn, or half of one, in radians. "
            "Angles in degrees are needed. Convert them with np.rad2deg(angles)."
        )


def check_turn(angles_deg: Floats, *, doing: str) -> None:
    """Refuse radians, and warn of a wide gap, unless projections are too few for a scan."""
    check_radians(angles_deg, doing=doing)
    _, gap = angular_steps(angles_deg, 180.0)
    if gap > _WIDEST_DEG and len(angles_deg) >= _FEWEST:
        warnings.warn(
            f"To {doing}, a gap of {gap:.4g} degrees is in the angles, of 180: depth is hardly seen, and the "
            "volume is smeared along the rays. Are angles in radians? Convert them with np.rad2deg(angles).",
            stacklevel=3,
        )


def angular_steps(angles_deg: Floats, turn_deg: float) -> tuple[Floats, float]:
    """Return the step that each angle stands for, in radians, and the widest gap in degrees.

    Angles are folded into one turn of `turn_deg`. Each stands for the halves of the steps to its neighbours;
    equal ones share. Beside a gap, which is far wider than the steps around it, an angle stands for no more
    than the step on its other side: what was not measured is missing.

    Examples
    --------
    >>> steps, gap = angular_steps(np.array([0.0, 60.0, 120.0, 180.0]), 180.0)
    >>> np.rad2deg(steps).round().tolist(), gap
    ([30.0, 60.0, 60.0, 30.0], 0.0)
    """
    folded = np.round(angles_deg % turn_deg, 6) % turn_deg
    places, which, count = np.unique(folded, return_inverse=True, return_counts=True)
    after = np.diff(places, append=places[0] + turn_deg)
    before = np.roll(after, 1)
    wide = after > _GAP * np.maximum(before, np.roll(after, -1))
    if len(places) == 1:
        wide[:] = True
    usual = float(np.median(after[~wide])) if not wide.all() else 0.0
    follows = np.where(wide, np.where(np.roll(wide, 1), usual, before), after)
    leads = np.where(np.roll(wide, 1), np.where(wide, usual, after), before)
    return np.deg2rad((follows + leads) / 2 / count)[which], float(after[wide].max(initial=0.0))
