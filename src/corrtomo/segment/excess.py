"""What is more than usual along a layer or a foil, in standard deviations of its noise."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import integrate, ndimage, optimize, special, stats

from ..checks import check_length
from .grooves import check_number

Floats = npt.NDArray[np.float64]
Flat = npt.NDArray[np.float32]
_SHARE, _AT = 0.9, 1.6449
"""Where nine tenths of a Gaussian are: what stands out is not in its noise."""
GUARD = 4.0
"""So many standard deviations of the average on either side of a place do not tell what is usual there."""
_FOOT = 0.5
"""An outgrowth reaches to where its score is this share of the threshold."""
_HIGHEST = 40.0


class Excess(NamedTuple):
    """Grey values above usual, and their average over noise, both dims z, across, along."""

    grey: Flat
    score: Flat


def excess_of(
    flat: Flat, averaged: Flat, winding: Floats, window: float, spread: tuple[float, float]
) -> Excess:
    """Return what is above the running median along a layer, and how high it stands above noise.

    `averaged` are grey values averaged in their plane; `spread` are the standard deviations of the average
    along z and in the plane, `window` that of the median along the layer, in samples; NaN has no excess.
    """
    sides = max(4, round(window / 2)), round(GUARD * spread[1])
    known = np.isfinite(flat) & np.isfinite(averaged)
    grey = np.where(known, flat - usual(flat, *sides), 0.0).astype(np.float32)
    smooth = np.where(known, averaged - usual(averaged, *sides), 0.0).astype(np.float32)
    if len(flat) > 1:
        smooth = ndimage.gaussian_filter1d(smooth, spread[0], axis=0, mode="constant")
        # Fewer slices are averaged at the ends of a stack.
        smooth /= energy_of(len(flat), spread[0])[:, None, None]
        smooth[~known] = 0.0
    turns = np.floor(winding / (2 * np.pi)).astype(int)
    return Excess(grey, _over_noise(smooth, known, turns - turns[0]))


def _over_noise(smooth: Flat, known: npt.NDArray[np.bool_], turns: npt.NDArray[np.intp]) -> Flat:
    """Divide by the noise: that of each distance across, times that of each turn and its neighbours.

    Each distance in each turn by itself has too few places: a noise that is 10 % too low at some of them
    makes many times the false alarms.
    """
    for row in range(smooth.shape[1]):
        noise = spread_of(smooth[:, row][known[:, row]])
        smooth[:, row] = smooth[:, row] / noise if noise > 0 else 0.0
    places = [turns == turn for turn in range(int(turns[-1]) + 1)]
    each = np.array([spread_of(smooth[..., at][known[..., at]]) for at in places])
    near = ndimage.median_filter(each, 3, mode="nearest")
    for at, noise in zip(places, near, strict=True):
        smooth[..., at] = smooth[..., at] / noise if noise > 0 else 0.0
    return smooth


def energy_of(size: int, spread: float) -> Flat:
    """Return the share of its noise that an average over a Gaussian keeps near the ends of an axis."""
    squares = (ndimage.gaussian_filter1d(np.eye(size), spread, mode="constant") ** 2).sum(axis=0)
    return np.asarray(np.sqrt(squares / squares.max()), np.float32)


def foot_of(least: float) -> float:
    """Return the score to which an outgrowth reaches: a share of the threshold, 3 at least."""
    return min(least, max(3.0, _FOOT * least))


def spread_of(values: Flat) -> float:
    """Return the standard deviation of noise from the nine tenths of least size."""
    return float(np.quantile(np.abs(values), _SHARE)) / _AT if values.size else 0.0


def usual(flat: Flat, side: int, guard: int) -> Flat:
    """Return the median of `side` values beyond `guard` others, on either side along the last axis.

    A median that holds the value itself follows it where it is low and not where it is high: the difference
    of both has heavier tails than a Gaussian's, and false alarms with them. So what is near is left out.
    Each stretch between what is missing is mirrored at its ends.
    """
    out = np.zeros_like(flat)
    for place in np.ndindex(flat.shape[:-1]):
        runs, count = ndimage.label(np.isfinite(flat[place]))
        for (run,) in ndimage.find_objects(runs, count):
            padded = np.pad(flat[(*place, run)], guard + side, mode="symmetric")
            _medians(padded, side, guard, out[(*place, run)])
    return out


@njit(cache=True, nogil=True)
def _medians(padded: Flat, side: int, guard: int, out: Flat) -> None:
    """Write the median of both sides of each place, from values that are kept in order."""
    right = side + 2 * guard + 1
    near = np.concatenate((padded[:side], padded[right : right + side]))
    near.sort()
    for place in range(len(out)):
        out[place] = (near[side - 1] + near[side]) / 2
        if place + 1 < len(out):
            _replace(near, padded[place], padded[place + side])
            _replace(near, padded[place + right], padded[place + right + side])


@njit(cache=True, nogil=True)
def _replace(ordered: Flat, old: float, new: float) -> None:
    at = np.searchsorted(ordered, old)
    while at + 1 < len(ordered) and ordered[at + 1] < new:
        ordered[at] = ordered[at + 1]
        at += 1
    while at > 0 and ordered[at - 1] > new:
        ordered[at] = ordered[at - 1]
        at -= 1
    ordered[at] = new


def threshold_of(excess: Excess, false_alarms: float) -> float:
    """Return the score that noise alone exceeds in so many places of the whole image."""
    known = excess.score != 0
    count = int(known.sum())
    sides = [_side(excess.score, known, axis) for axis in range(3) if excess.score.shape[axis] > 1]
    if not count:
        return _HIGHEST

    def peaks(score: float) -> float:
        return float(np.log(max(peaks_above(score, count, sides), 1e-300)) - np.log(false_alarms))

    lowest = 2.0  # below, peaks are not apart
    return lowest if peaks(lowest) <= 0 else float(optimize.brentq(peaks, lowest, _HIGHEST))


def check_alarms(value: Any, *, doing: str) -> float:
    """Refuse what is no number of false alarms to allow."""
    allowed = check_number(value, "false_alarms", doing=doing)
    if not 0 < allowed <= 1e6:
        raise ValueError(
            f"Cannot {doing} with false_alarms={value!r}: a number above 0 is needed, such as 1."
        )
    return allowed


def check_within(value: Any, usual: float, what: str, range_um: tuple[float, float], *, doing: str) -> float:
    """Refuse a length out of range; return the usual one, brought into it, where none is given."""
    if value is None:
        return float(np.clip(usual, *range_um))
    check_length(value, what, doing=doing)
    if not range_um[0] * (1 - 1e-6) <= value <= range_um[1]:
        raise ValueError(
            f"Cannot {doing} with {what}={value:g}: from {range_um[0]:.4g} to {range_um[1]:.4g} µm is "
            "possible here. Leave it out for the usual one."
        )
    return float(value)


class Side(NamedTuple):
    """Samples along an axis, and how alike those are that are one and two apart, from -1 to 1."""

    size: float
    one: float
    two: float


def _side(score: Flat, known: npt.NDArray[np.bool_], axis: int) -> Side:
    """Return how alike neighbours along an axis are, from the spread of their differences."""
    alike = []
    for apart in (1, 2):
        size = score.shape[axis] - apart
        here, there = (slice(k, k + max(size, 0)) for k in (0, apart))
        parts = [np.take(score, np.arange(score.shape[axis])[at], axis) for at in (here, there)]
        both = np.take(known, np.arange(score.shape[axis])[here], axis)
        both &= np.take(known, np.arange(score.shape[axis])[there], axis)
        alike.append(1 - spread_of((parts[1] - parts[0])[both]) ** 2 / 2 if both.any() else 0.0)
    return Side(float(score.shape[axis]), *alike)


def peaks_above(score: float, count: int, sides: list[Side]) -> float:
    """Return how many of `count` samples of Gaussian noise exceed a score and all neighbours along the axes.

    Along each axis, what is beyond a sample depends on it alone: then a sample of height z is above both of
    its neighbours with a probability of Owen's T function, and the axes multiply (Taylor, Worsley and
    Gosselin, Biometrika 94, 1 (2007)). Unlike a continuous field's this holds
    where samples are as wide apart as the noise is smooth.
    """
    at = score + np.linspace(0, 8, 801)
    density = stats.norm.pdf(at)
    for size, one, two in sides:
        one = min(max(one, -1 + 1e-9), 1 - 1e-9)
        high = at * np.sqrt((1 - one) / (1 + one))
        both = np.clip((two - one**2) / (1 - one**2), -1 + 1e-9, 1 - 1e-9)
        single = special.ndtr(high)
        double = single - 2 * special.owens_t(high, np.sqrt((1 - both) / (1 + both)))
        density = density * ((size - 2) * double + 2 * single) / size
    return float(count * integrate.simpson(density, x=at))
