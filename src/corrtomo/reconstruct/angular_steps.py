"""How much each projection counts: the step between angles that it stands for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_GAP = 5.0
"""A step between angles that is so many times the steps around it is a gap in what was measured."""


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
