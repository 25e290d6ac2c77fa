"""One layer along the whole winding: a path of least cost through the unrolled image, and its edges."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import ndimage, signal

Floats = npt.NDArray[np.float64]
Strip = npt.NDArray[np.float32]
_STIFF = 0.03
"""Cost of a step of one offset between neighbours, over the contrast of the layer."""
_JUMP = 2
"""Most offsets between neighbours."""
_ALONG = 1.5
"""Least standard deviation in pixels of the average along a layer."""
_CLEAR = 8.0
"""Contrast over noise above which no more is averaged."""
_LEVELS = 3.0
"""Standard deviation in pitches over which the grey values of a layer and beside it are averaged."""
_MAD = 1.4826
_LAG = 6.0
"""Pixels after which the noise along a layer is new."""


class Peak(NamedTuple):
    """A layer within one period of the winding: offsets in samples, its contrast and its grey value."""

    at: int
    low: int
    high: int
    contrast: float
    top: float


class Followed(NamedTuple):
    """Offsets in samples along the winding; NaN where there is no layer. Contrast in grey values."""

    middle: Floats
    inner: Floats
    outer: Floats
    middle_se: Floats
    inner_se: Floats
    outer_se: Floats
    contrast: Floats
    top: Floats
    averaged: float
    width: int


def strip_of(
    grey: Floats, centre: tuple[float, float], base: Floats, angles: Floats, offsets: Floats
) -> Strip:
    """Unroll the image along a winding, dims place along it, offset across it; NaN outside of the image."""
    out = np.empty((len(base), len(offsets)), np.float32)
    count = len(angles)
    for start in range(0, len(base), count):  # a turn at a time: the coordinates are larger than the result
        radii = base[start : start + count, None] + offsets
        y = centre[0] + np.sin(angles)[:, None] * radii
        x = centre[1] + np.cos(angles)[:, None] * radii
        ndimage.map_coordinates(grey, [y, x], out[start : start + count], order=1, cval=np.nan)
    return out


def peaks_of(profile: Floats, least: float) -> list[Peak]:
    """Return the bright layers within one period of the mean profile across it.

    `least` is the lowest prominence, as a share of the highest.
    """
    n = len(profile)
    thrice = np.tile(ndimage.gaussian_filter1d(profile, n / 40, mode="wrap"), 3)
    tops, about = signal.find_peaks(thrice, prominence=0)
    mine = (tops >= n) & (tops < 2 * n)
    tops, rise = tops[mine], about["prominences"][mine]
    tops = np.sort(tops[rise >= least * rise.max()]) if len(tops) else tops
    found = []
    for k, top in enumerate(tops):
        before = tops[k - 1] if k else tops[-1] - n
        after = tops[k + 1] if k + 1 < len(tops) else tops[0] + n
        low = before + int(thrice[before : top + 1].argmin())
        high = top + int(thrice[top : after + 1].argmin())
        contrast = float(thrice[top] - (thrice[low] + thrice[high]) / 2)
        found.append(Peak(int(top - n), int(low - n), int(high - n), contrast, float(thrice[top])))
    return found


def averaged(strip: Strip, arcs: Floats, pixels: float) -> Strip:
    """Return the strip averaged along the winding over a length in pixels, turn by turn; NaN is skipped.

    `arcs` are the pixels from one sample to the next in each turn.
    """
    out = np.empty_like(strip)
    count = len(strip) // len(arcs)
    filled = strip
    if np.isnan(strip).any():
        filled = np.where(np.isnan(strip), np.nanmin(strip), strip)
    for turn, arc in enumerate(arcs):
        spread = pixels / arc
        pad = int(4 * spread) + 1
        low, high = max(0, turn * count - pad), min(len(strip), (turn + 1) * count + pad)
        part = _smooth(filled[low:high], spread)
        out[turn * count : (turn + 1) * count] = part[turn * count - low : (turn + 1) * count - low]
    return out


def _smooth(part: Strip, spread: float) -> Strip:
    """Average along the first axis: a Gaussian, or where that is long three boxes of the same spread."""
    if spread < 3:
        return np.asarray(ndimage.gaussian_filter1d(part, spread, axis=0, mode="nearest"))
    box = 2 * round(np.sqrt(spread**2 + 0.25) - 0.5) + 1
    for _ in range(3):
        part = ndimage.uniform_filter1d(part, box, axis=0, mode="nearest")
    return part


def follow(strip: Strip, peak: Peak, offset: int, arcs: Floats, pitch: float, step: float) -> Followed:
    """Follow one layer through the strip of its winding, and find its edges to parts of a sample.

    `offset` is the index of offset 0, `step` the pixels between offsets.
    """
    along = _along(strip, offset + peak.at, peak.contrast, arcs, pitch)
    smooth = averaged(strip, arcs, along)
    across = ndimage.gaussian_filter1d(smooth, max(0.5 / step, (peak.high - peak.low) / 12), axis=1)
    low, high = max(offset + peak.low, 1), min(offset + peak.high, strip.shape[1] - 2)
    scale = max(peak.contrast, 1e-30)
    path = _cheapest((across[:, low : high + 1] / scale).astype(np.float64), _STIFF, _JUMP) + low
    rows = np.arange(len(path))
    levels = averaged(strip, arcs, _LEVELS * pitch)
    aim = np.clip(path, low, high)
    top = levels[rows, aim]
    reach = max(2, (peak.high - peak.low) // 6)
    below = levels[:, max(low - reach, 0) : offset + peak.at].min(axis=1)
    above = levels[:, offset + peak.at + 1 : high + reach + 1].min(axis=1)
    inner, outer, slopes = _edges(smooth, path, (top + below) / 2, (top + above) / 2)
    lag = max(_LAG, 4 * along)
    middle, middle_se = _middles(across, path, arcs, lag)
    noise = _noise(smooth[rows, path].astype(float), arcs, lag)
    contrast = np.asarray(top - (below + above) / 2, float)
    return Followed(
        middle,
        inner,
        outer,
        middle_se,
        noise / _per_turn(slopes[:, 0], arcs),
        noise / _per_turn(slopes[:, 1], arcs),
        contrast,
        top.astype(float),
        along,
        strip.shape[1],
    )


def _along(strip: Strip, at: int, contrast: float, arcs: Floats, pitch: float) -> float:
    """Return over how many pixels along to average: more where noise is high, up to two pitches."""
    noise = float(np.median(_noise(np.nan_to_num(strip[:, at].astype(float)), arcs)))
    return float(np.clip((_CLEAR * noise / max(contrast, 1e-30)) ** 2, _ALONG, 2 * pitch))


def _middles(across: Strip, path: npt.NDArray[np.intp], arcs: Floats, lag: float) -> tuple[Floats, Floats]:
    """Return where the slope across is zero, and its standard error: noise of the slope over curvature."""
    rows = np.arange(len(path))
    at = np.clip(path, 1, across.shape[1] - 2)
    before, here, after = (across[rows, at + k].astype(float) for k in (-1, 0, 1))
    slope, curve = (after - before) / 2, np.minimum(before - 2 * here + after, -1e-12)
    shift = np.clip(-slope / curve, -1, 1)
    return at + shift, _noise(slope, arcs, lag) / _per_turn(np.abs(curve), arcs)


def _per_turn(values: Floats, arcs: Floats) -> Floats:
    """Return the median over each turn, at each place; NaN where there is none."""
    turns = values.reshape(len(arcs), -1)
    medians = [np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else np.nan for row in turns]
    return np.repeat(np.array(medians), turns.shape[1])


def _noise(values: Floats, arcs: Floats, apart: float = _LAG) -> Floats:
    """Return the standard deviation of noise along a path, one for each turn, at each place.

    From the second differences of places so far apart that their noise is not the same.
    """
    count = len(values) // len(arcs)
    out = np.empty(len(values))
    for turn, arc in enumerate(arcs):
        lag = max(1, min(round(apart / arc), count // 8))
        part = values[turn * count : (turn + 1) * count]
        rough = part[: -2 * lag] - 2 * part[lag:-lag] + part[2 * lag :]
        out[turn * count : (turn + 1) * count] = _MAD * np.median(np.abs(rough)) / np.sqrt(6)
    return out


@njit(cache=True, nogil=True)
def _cheapest(gain: Floats, stiff: float, jump: int) -> npt.NDArray[np.intp]:
    """Return the offsets of the path of highest gain less the cost of its steps: Viterbi's recursion."""
    length, width = gain.shape
    came = np.zeros((length, width), np.int8)
    best = gain[0].copy()
    fresh = np.empty(width)
    for row in range(1, length):
        for k in range(width):
            top, step = -np.inf, 0
            for move in range(-jump, jump + 1):
                if 0 <= k + move < width:
                    value = best[k + move] - stiff * move * move
                    if value > top:
                        top, step = value, move
            fresh[k] = top + gain[row, k]
            came[row, k] = step
        best[:] = fresh
    path = np.empty(length, np.intp)
    path[-1] = np.argmax(best)
    for row in range(length - 1, 0, -1):
        path[row - 1] = path[row] + came[row, path[row]]
    return path


@njit(cache=True, nogil=True)
def _edges(
    strip: Strip, path: npt.NDArray[np.intp], low: Strip, high: Strip
) -> tuple[Floats, Floats, Floats]:
    """Return where grey values fall below half on either side of a path, and how steeply, per sample."""
    length, width = strip.shape
    inner, outer = np.full(length, np.nan), np.full(length, np.nan)
    slopes = np.full((length, 2), np.nan)
    for row in range(length):
        for k in range(path[row], 0, -1):
            if strip[row, k] >= low[row] > strip[row, k - 1]:
                steep = strip[row, k] - strip[row, k - 1]
                inner[row] = k - (strip[row, k] - low[row]) / steep
                slopes[row, 0] = steep
                break
        for k in range(path[row], width - 1):
            if strip[row, k] >= high[row] > strip[row, k + 1]:
                steep = strip[row, k] - strip[row, k + 1]
                outer[row] = k + (strip[row, k] - high[row]) / steep
                slopes[row, 1] = steep
                break
    return inner, outer, slopes
