"""The winding as a phase: each turn adds one period along the radius, and one around the centre."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage, signal
from skimage.restoration import unwrap_phase

Floats = npt.NDArray[np.float64]
PER_PITCH = 8
"""Samples along the radius per pitch: enough for a phase."""
_RADIAL = 0.7
"""Standard deviation of the average along the radius, in pitches: no more, for the pitch may change."""
_ALONG = np.radians(3.0)
"""Standard deviation of the average along the angle."""
_ANGLES = 512
_COHERENT = 0.25
"""Least share of the amplitude that is periodic; noise alone has some hundredths."""
_FLOOR = 0.02
"""Of the spread of grey values: what varies less is flat."""
LEAST_PITCH = 5.0
"""Pixels: fewer do not tell a layer from the next."""


class Pitch(NamedTuple):
    """Distance between layers in pixels, and how high the correlation is there."""

    pixels: float
    correlation: float


class Winding(NamedTuple):
    """Radii of equal phase: dims level, angle; the number of the first level, and what speaks for them.

    Angles run in the sense in which the radius grows, `sense` times the angle from x to y.
    """

    radius: Floats
    first: int
    arms: int
    sense: int
    score: float
    coherence: float
    inner: float
    outer: float


def polar(grey: Floats, centre: tuple[float, float], radii: Floats, angles: Floats) -> Floats:
    """Resample an image around a centre, dims angle, radius; NaN outside of it."""
    y = centre[0] + np.sin(angles)[:, None] * radii
    x = centre[1] + np.cos(angles)[:, None] * radii
    return np.asarray(ndimage.map_coordinates(grey, [y, x], order=1, cval=np.nan))


def turning(count: int) -> Floats:
    """Return so many angles of a full turn, in radians: middles of equal parts, the same when mirrored."""
    return np.asarray((np.arange(count) + 0.5) * (2 * np.pi / count), float)


def find_pitch(grey: Floats, centre: tuple[float, float], reach: float) -> Pitch:
    """Return the distance between layers: the first high maximum of the correlation along radii.

    The first only widens the window in which grey values are levelled; the second time that is one pitch.
    """
    step = max(0.5, reach / 600)
    radii = np.arange(0.0, reach, step)
    rows = polar(grey, centre, radii, turning(180))
    found = Pitch(reach / 8, 0.0)
    for window in (reach / 24, None):
        levelled = _levelled(rows, (found.pixels if window is None else window) / step)[0]
        found = _first_maximum(levelled)
        if not np.isfinite(found.pixels):
            break
        found = Pitch(found.pixels * step, found.correlation)
    return found


def _first_maximum(levelled: Floats) -> Pitch:
    n = levelled.shape[1]
    power = (np.abs(np.fft.rfft(levelled, 2 * n, axis=1)) ** 2).mean(axis=0)
    correlation = np.fft.irfft(power)[: n // 2]
    if correlation[0] <= 0:
        return Pitch(np.nan, 0.0)
    correlation = correlation / correlation[0] / (1 - np.arange(n // 2) / n)
    below = int(np.argmax(correlation < 0)) or n
    peaks = signal.find_peaks(correlation)[0]
    peaks = peaks[peaks > below]
    if not len(peaks):
        return Pitch(np.nan, 0.0)
    best = float(correlation[peaks][:8].max())
    if best <= 0:
        return Pitch(np.nan, 0.0)
    peak = int(peaks[correlation[peaks] > 0.6 * best][0])
    before, at, after = correlation[peak - 1 : peak + 2]
    shift = 0.5 * (before - after) / (before - 2 * at + after)
    return Pitch(peak + float(shift), best)


def _levelled(rows: Floats, window: float) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return grey values less their mean near by, over their spread near by; and where there are any."""
    known = np.isfinite(rows)
    grey = np.where(known, rows, 0.0)
    share = _averaged(known.astype(float), window, 2.0) + 1e-9
    mean = _averaged(grey, window, 2.0) / share
    variance = np.maximum(_averaged(grey**2, window, 2.0) / share - mean**2, 0.0)
    spread = float(grey[known].std()) if known.any() else 1.0
    flat = np.sqrt(variance + (_FLOOR * spread) ** 2 + 1e-300)
    return np.where(known, grey - mean, 0.0) / flat, known


def _averaged(rows: Floats, along_radius: float, along_angle: float) -> Floats:
    smooth = ndimage.gaussian_filter1d(rows, along_radius, axis=1)
    return np.asarray(ndimage.gaussian_filter1d(smooth, along_angle, axis=0, mode="wrap"))


def wind(grey: Floats, centre: tuple[float, float], pitch: float, reach: float) -> Winding | None:
    """Return where the phase of the winding is 0, 1, 2 … periods, or nothing if there is no phase.

    The image around the centre times a wave of one pitch, averaged, leaves how far layers are from a regular
    stack, in periods. Unwrapped over the ring of layers, it is `arms` periods off after a full turn: 0 for
    rings, 1 for a spiral, 2 for two of them; the sign is the sense of the winding.
    """
    step = pitch / PER_PITCH
    radii = np.arange(0.0, reach, step)
    rows = polar(ndimage.gaussian_filter(grey, min(pitch / 10, 3.0)), centre, radii, turning(_ANGLES))
    levelled, _ = _levelled(rows, PER_PITCH)
    carrier = np.exp(-2j * np.pi * radii / pitch)
    wave = levelled * carrier
    spread = _RADIAL * PER_PITCH, _ALONG / (2 * np.pi) * _ANGLES
    wave = _averaged(wave.real, *spread) + 1j * _averaged(wave.imag, *spread)
    amplitude = np.sqrt(_averaged(levelled**2, *spread) + 1e-9)
    coherence = np.abs(wave) / amplitude
    ring = _ring(np.median(coherence, axis=0) > _COHERENT)
    if ring is None or ring.stop - ring.start < 3 * PER_PITCH:
        return None
    phase = np.asarray(unwrap_phase(np.angle(wave[:, ring])))
    cut = np.angle(wave[0, ring] * np.conj(wave[-1, ring]))
    jumps = np.rint((phase[0] - phase[-1] - cut) / (2 * np.pi)).astype(int)
    values, counts = np.unique(jumps, return_counts=True)
    arms, score = int(values[counts.argmax()]), float(counts.max() / len(jumps))
    total = 2 * np.pi * radii[ring] / pitch + phase
    radius, first = _levels(total, radii[ring], coherence[:, ring], pitch)
    at, sense = float(np.median(coherence[:, ring])), -1 if arms < 0 else 1
    ends = float(radii[ring][0]), float(radii[ring][-1])
    return Winding(radius[:, ::sense], first, abs(arms), sense, score, at, *ends)


def _ring(coherent: npt.NDArray[np.bool_]) -> slice | None:
    """Return the longest run of radii that are coherent."""
    labels, count = ndimage.label(coherent)
    if not count:
        return None
    best = int(np.bincount(labels)[1:].argmax())
    found: slice = ndimage.find_objects(labels)[best][0]
    return found


def _levels(total: Floats, radii: Floats, coherence: Floats, pitch: float) -> tuple[Floats, int]:
    """Return radii at whole periods of the phase, dims level, angle, beyond the ring too, and the first.

    Where a column is not coherent, near the ends of a layer, it goes on at the mean pitch.
    """
    per = 2 * np.pi
    out_phase = []
    core = len(radii) // 2
    step = radii[1] - radii[0]
    beyond = np.arange(1, 2 * PER_PITCH + 1)
    longer = np.concatenate([radii[0] - step * beyond[::-1], radii, radii[-1] + step * beyond])
    for phase, good in zip(total, coherence > _COHERENT, strict=True):
        low = core - int(np.argmin(np.append(good[core::-1], False)))
        high = core + int(np.argmin(np.append(good[core:], False)))
        low, high = min(low + 1, core), max(high - 1, core)
        if high - low < len(radii) // 3:  # a break in the middle is no end
            low, high = 0, len(radii) - 1
        kept = phase.copy()
        kept[:low] = phase[low] - per * (radii[low] - radii[:low]) / pitch
        kept[high:] = phase[high] + per * (radii[high:] - radii[high]) / pitch
        start = kept[0] - per * (radii[0] - longer[: len(beyond)]) / pitch
        end = kept[-1] + per * (longer[-len(beyond) :] - radii[-1]) / pitch
        out_phase.append(np.maximum.accumulate(np.concatenate([start, kept, end])))
    phases = np.array(out_phase)
    first = int(np.ceil(np.median(phases[:, PER_PITCH]) / per))
    last = int(np.floor(np.median(phases[:, -1 - PER_PITCH]) / per))
    levels = np.arange(first, last + 1) * per
    ramp = 1e-9 * np.arange(len(longer))  # strictly ascending
    radius = np.stack([np.interp(levels, row + ramp, longer) for row in phases], axis=1)
    return radius, first
