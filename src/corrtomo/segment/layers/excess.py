"""What is brighter than usual along an unrolled layer, in standard deviations of its noise."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage, optimize, special

Floats = npt.NDArray[np.float64]
Flat = npt.NDArray[np.float32]
_MAD = 1.4826
_SHARE, _AT = 0.9, 1.6449
"""Where nine tenths of a Gaussian are: a median less its own running median is zero too often."""
_HIGHEST = 40.0


class Excess(NamedTuple):
    """Grey values above usual, and their average over noise, both dims z, across, along."""

    grey: Flat
    score: Flat


def excess_of(flat: Flat, averaged: Flat, winding: Floats, window: float, spread: float) -> Excess:
    """Return what is above the running median along a layer, and how high it stands above noise.

    `averaged` are grey values averaged in their plane; `spread` is that along z, and `window` that along the
    layer, in samples; NaN has no excess.
    """
    known = np.isfinite(flat)
    grey = flat - _usual(flat, max(8, round(window)))
    grey[~known] = 0.0
    smooth = averaged - _usual(averaged, max(8, round(window)))
    smooth[~known] = 0.0
    if len(flat) > 1:
        smooth = ndimage.gaussian_filter1d(smooth, spread, axis=0, mode="constant")
        # Fewer slices are averaged at the ends of a stack.
        energy = (ndimage.gaussian_filter1d(np.eye(len(flat)), spread, mode="constant") ** 2).sum(axis=0)
        smooth /= np.sqrt(energy / energy.max())[:, None, None].astype(np.float32)
    turns = np.floor(winding / (2 * np.pi)).astype(int)
    return Excess(grey, _over_noise(smooth, known, turns - turns[0]))


def _over_noise(smooth: Flat, known: npt.NDArray[np.bool_], turns: npt.NDArray[np.intp]) -> Flat:
    """Divide by the noise: that of each distance across, times that of each turn and its neighbours.

    Each distance in each turn by itself has too few places: a noise that is 10 % too low at some of them
    makes many times the false alarms.
    """
    for row in range(smooth.shape[1]):
        noise = _spread(smooth[:, row][known[:, row]])
        smooth[:, row] = smooth[:, row] / noise if noise > 0 else 0.0
    places = [turns == turn for turn in range(int(turns[-1]) + 1)]
    each = np.array([_spread(smooth[..., at][known[..., at]]) for at in places])
    near = ndimage.median_filter(each, 3, mode="nearest")
    for at, noise in zip(places, near, strict=True):
        smooth[..., at] = smooth[..., at] / noise if noise > 0 else 0.0
    return smooth


def _spread(values: Flat) -> float:
    return float(np.quantile(np.abs(values), _SHARE)) / _AT if values.size else 0.0


def _usual(flat: Flat, window: int) -> Flat:
    """Return the running median along the last axis; what is missing is taken from what is near along it."""
    out = np.zeros_like(flat)
    index = np.arange(flat.shape[-1])
    for place in np.ndindex(flat.shape[:-1]):
        row = flat[place]
        known = np.isfinite(row)
        if known.any():
            filled = row if known.all() else np.interp(index, index[known], row[known]).astype(np.float32)
            out[place] = ndimage.median_filter(filled, 2 * (window // 2) + 1, mode="nearest")
    return out


def threshold_of(excess: Excess, false_alarms: float) -> float:
    """Return the score that noise alone exceeds in so many places of the whole image.

    The expected Euler characteristic of what is above a threshold in a Gaussian field whose slopes are those
    measured; for high thresholds it is the number of peaks.
    """
    known = excess.score != 0
    across = excess.score.shape[0] * excess.score.shape[1]
    sides = []
    for axis, size in enumerate((*excess.score.shape[:2], int(known.sum()) / across)):
        if size > 1:
            step = np.diff(excess.score, axis=axis)
            ends = (known.take(range(k, k + step.shape[axis]), axis) for k in (0, 1))
            there = np.logical_and(*ends)
            slope = _MAD * float(np.median(np.abs(step[there]))) if there.any() else 1.0
            sides.append((size - 1) * slope)

    def peaks(score: float) -> float:
        return float(np.log(_characteristic(score, sides)) - np.log(false_alarms))

    lowest = 2.0  # below, the count of peaks falls
    if peaks(lowest) <= 0:
        return lowest
    return float(optimize.brentq(peaks, lowest, _HIGHEST))


def _characteristic(score: float, sides: list[float]) -> float:
    """Return the expected Euler characteristic above a score in a box, its sides in units of roughness."""
    total = float(special.ndtr(-score))
    for dim, polynomial in ((1, 1.0), (2, score), (3, score**2 - 1)):
        content = sum(float(np.prod(some)) for some in combinations(sides, dim))
        total += content * (2 * np.pi) ** (-(dim + 1) / 2) * polynomial * float(np.exp(-(score**2) / 2))
    return max(total, 1e-300)
