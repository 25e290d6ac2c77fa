"""Where a layer begins and ends."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
_FAINTEST = 0.4
"""Of the contrast of the turn before: less is no layer."""
_STRONGEST = 2.5
"""Times the contrast of the turn before: more is the can, or a tab."""
_OTHER = 0.8
"""Contrasts by which the grey value may differ from that of the turn before."""
_BRIGHTER = 0.25
"""Contrasts by which it may be brighter than that of the turn within: outside of the last turn is the can."""
_GAP = 0.25
"""Turns: a break shorter than this is a break and no end."""


def present(contrast: Floats, top: Floats, count: int) -> tuple[npt.NDArray[np.bool_], int, int]:
    """Tell where a layer is, and the places of its first and last.

    Each place is compared with the same angle one turn nearer to the middle of the roll: brightness that
    changes slowly, by beam hardening, is no end.
    """
    turns = len(contrast) // count
    known = np.isfinite(contrast) & np.isfinite(top)
    per_turn = np.where(known, contrast, 0.0).reshape(turns, count)
    middle = int(np.clip(turns // 2, 0, turns - 1))
    usual = float(np.median(per_turn[middle]))
    there = np.zeros(len(contrast), np.bool_)
    if usual <= 0:
        return there, 0, -1
    start = middle * count
    reference = np.clip(per_turn[middle], usual / 2, 2 * usual)
    greys = np.where(known, top, 0.0)[start : start + count]
    gap = max(1, round(_GAP * count))
    for step, brighter in ((1, _BRIGHTER), (-1, _OTHER)):
        limits = _FAINTEST, _STRONGEST, _OTHER, brighter
        _walk(contrast, top, known, reference.copy(), greys.copy(), start, step, gap, limits, there)
    places = np.flatnonzero(there)
    return (there, int(places[0]), int(places[-1])) if len(places) else (there, 0, -1)


@njit(cache=True, nogil=True)
def _walk(
    contrast: Floats,
    top: Floats,
    known: npt.NDArray[np.bool_],
    usual: Floats,
    grey: Floats,
    start: int,
    step: int,
    gap: int,
    limits: tuple[float, float, float, float],
    there: npt.NDArray[np.bool_],
) -> None:
    """Go along a layer until it is missing at `gap` places more than it is there, and mark where it is."""
    count, missing = len(usual), 0
    place = last = start
    while 0 <= place < len(contrast) and missing < gap:
        angle = place % count
        share = contrast[place] / usual[angle]
        off = (top[place] - grey[angle]) / usual[angle]
        if known[place] and limits[0] < share < limits[1] and -limits[2] < off < limits[3]:
            there[place] = True
            missing = max(missing - 1, 0)
        else:
            missing += 1
        if missing == 0:
            last = place
        if known[place]:  # also where it is missing: a break in one turn is none in the next
            usual[angle] = max(0.7 * usual[angle] + 0.3 * contrast[place], 0.2 * usual[angle])
            grey[angle] = top[place]
        place += step
    if missing >= gap:  # what was there between the breaks is not the layer
        while last != place:
            last += step
            if 0 <= last < len(there):
                there[last] = False
