"""The same number for the same turn in all slices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .phase import Winding

Floats = npt.NDArray[np.float64]


def common_numbers(windings: list[Winding | str], pitch: float) -> tuple[int, int, list[Floats | None]]:
    """Return arms and sense of most slices, and their radii on common numbers, dims level, angle.

    A phase knows its period only up to whole ones: each slice is shifted so that its turns are where those of
    the slice before are. One that winds otherwise than most is left out, and its entry becomes a reason.
    """
    ways = [(one.arms, one.sense) for one in windings if not isinstance(one, str)]
    arms, sense = max(sorted(set(ways)), key=ways.count)
    firsts: list[int | None] = []
    before: tuple[Floats, int] | None = None
    for k, one in enumerate(windings):
        if isinstance(one, str):
            firsts.append(None)
        elif (one.arms, one.sense) != (arms, sense):
            windings[k] = f"{one.arms} spirals of sense {one.sense}, and most slices have {arms} of {sense}"
            firsts.append(None)
        else:
            first = 0 if before is None else before[1] + _shift(one.radius, before[0])
            before = one.radius, first
            firsts.append(first)
    low = min(first for first in firsts if first is not None)
    high = max(
        first + len(one.radius)
        for first, one in zip(firsts, windings, strict=True)
        if first is not None and not isinstance(one, str)
    )
    high += -(high - low) % arms
    return (
        arms,
        sense,
        [
            None
            if first is None or isinstance(one, str)
            else _extended(one.radius, first - low, high - low, pitch)
            for first, one in zip(firsts, windings, strict=True)
        ],
    )


def _shift(radius: Floats, before: Floats) -> int:
    """Return the number in one slice at which another's first turn is."""
    best, least = 0, np.inf
    for shift in range(-len(radius) + 1, len(before)):
        low, high = max(0, shift), min(len(before), shift + len(radius))
        if high - low >= min(len(radius), len(before)) // 2:
            gap = float(np.median(np.abs(before[low:high] - radius[low - shift : high - shift])))
            if gap < least:
                best, least = shift, gap
    return best


def _extended(radius: Floats, before: int, total: int, pitch: float) -> Floats:
    """Return levels from 0 to `total`, those that are missing at the mean pitch from the nearest."""
    after = total - before - len(radius)
    inner = radius[0] - pitch * np.arange(before, 0, -1)[:, None]
    outer = radius[-1] + pitch * np.arange(1, after + 1)[:, None]
    return np.asarray(np.maximum(np.concatenate([inner, radius, outer]), 0.0))
