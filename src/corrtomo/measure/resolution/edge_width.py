"""One width for many facets, and how sure it is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import signal, stats

from .edge_fit import FWHM, Floats, fit_edge, least_squares, linearise, outwards
from .edge_profile import Profile

_STEPS = 20
_SETTLED = 1e-4
_BINS_A_VOXEL = 4
"""The edge is sampled this much finer than the voxels: facets are slanted and curved against the grid."""
_SMOOTHED = 0.5
"""Half of the window of the derivative, over the width: 2 % too wide for it, but half the noise of 0.3."""
_FEWEST = 8
"""Facets for an interval."""


class Width(NamedTuple):
    """A full width at half maximum in µm, with the ends of its interval."""

    fwhm_um: float
    low_um: float
    high_um: float


class Response(NamedTuple):
    """The mean edge: distance outwards in µm, share of the step that is left, and its slope in 1/µm."""

    distance_um: Floats
    edge: Floats
    spread_per_um: Floats


def common_width(
    profiles: list[Profile], *, level: float, resamples: int, seed: int
) -> tuple[Width, list[Profile]]:
    """Fit one Gaussian width to all facets, each with grey values and a surface of its own.

    The mean of single widths would be too large: with noise they scatter unevenly. Facets are drawn with
    replacement for the interval, on the score of each at the common optimum.
    """
    log_width = float(np.median([profile.fit.log_width for profile in profiles]))
    for _ in range(_STEPS):
        profiles = [
            p._replace(fit=fit_edge(p.patch, p.fit._replace(log_width=log_width), fixed_width=True))
            for p in profiles
        ]
        scores = np.array([_score(profile) for profile in profiles])
        step = float(scores[:, 0].sum() / scores[:, 1].sum())
        log_width += float(np.clip(step, -0.5, 0.5))
        if abs(step) < _SETTLED:
            break
    sums = _draws(len(profiles), resamples, seed) @ scores
    low, high = _ends(FWHM * np.exp(log_width + sums[:, 0] / sums[:, 1]), len(profiles), level)
    return Width(float(FWHM * np.exp(log_width)), low, high), profiles


def spread_width(
    profiles: list[Profile], voxel_um: float, reach_um: float, *, level: float, resamples: int, seed: int
) -> Width:
    """Measure the width of the derivative of the mean edge, with no model of its shape."""
    counts, sums, distance, window, step = _sampled(profiles, voxel_um, reach_um)
    # The first row is all facets, each once.
    drawn = np.vstack([np.ones(len(profiles)), _draws(len(profiles), resamples, seed)])
    spread = _spread(drawn @ counts, drawn @ sums, window, step)[1]
    width, *widths = (_half_maximum(row, distance) for row in spread)
    low, high = _ends(np.array(widths), len(profiles), level)
    return Width(width, low, high)


def mean_response(profiles: list[Profile], voxel_um: float, reach_um: float) -> Response:
    """Return the mean edge over all facets, and its slope."""
    counts, sums, distance, window, step = _sampled(profiles, voxel_um, reach_um)
    return Response(distance, *_spread(counts.sum(axis=0), sums.sum(axis=0), window, step))


def _sampled(
    profiles: list[Profile], voxel_um: float, reach_um: float
) -> tuple[Floats, Floats, Floats, int, float]:
    """Return voxels and sums in each bin, a row for each facet; distances, window and step of the bins.

    The width that :func:`common_width` found is only taken to choose a window that is narrow against it.
    """
    step = voxel_um / _BINS_A_VOXEL
    half = max(8, int(reach_um / step))
    counts, sums = (np.array(part) for part in zip(*(_binned(p, step, half) for p in profiles), strict=True))
    window = 2 * max(2, round(_SMOOTHED * FWHM * profiles[0].fit.width_um / step)) + 1
    distance = np.asarray(step * (np.arange(2 * half) - half + 0.5), np.float64)
    return counts, sums, distance, window, step


def _score(profile: Profile) -> tuple[float, float]:
    """Return slope and curvature of the fit along the log width, with the other parameters let free."""
    jacobian, rest = linearise(profile.patch, profile.fit)
    others, width = jacobian[:, :-1], jacobian[:, -1]
    own = width - others @ least_squares(others, width)
    return float(own @ rest), float(own @ own)


def _binned(profile: Profile, step: float, half: int) -> tuple[Floats, Floats]:
    """Return how many voxels lie at each distance, and the sum of their share of the step of grey."""
    distance = outwards(profile.patch, profile.fit.surface)[0]
    share = (profile.patch.grey - profile.fit.outside) / (profile.fit.inside - profile.fit.outside)
    which = np.floor(distance / step).astype(np.int64) + half
    inside = (which >= 0) & (which < 2 * half)
    count = np.bincount(which[inside], minlength=2 * half).astype(float)
    return count, np.bincount(which[inside], share[inside], 2 * half).astype(float)


def _spread(counts: Floats, sums: Floats, window: int, step: float) -> tuple[Floats, Floats]:
    """Return the mean edge and minus its slope, from cubic polynomials over a sliding window."""
    edge = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    place = np.arange(counts.shape[-1])
    for row in np.atleast_2d(edge):  # views: what no voxel of a draw lies in is filled in place
        known = ~np.isnan(row)
        row[~known] = np.interp(place[~known], place[known], row[known])
    window = min(window, place.size - 1 + place.size % 2)
    return edge, -np.asarray(signal.savgol_filter(edge, window, 3, deriv=1, delta=step))


def _half_maximum(spread: Floats, distance: Floats) -> float:
    """Return the width at half of the maximum, interpolated, or up to where the profile ends."""
    top = int(spread.argmax())
    half = spread[top] / 2
    sides = []
    for part in (slice(top, None), slice(top, None, -1)):
        height, place = spread[part], distance[part]
        under = np.flatnonzero(height < half)
        if not under.size:
            sides.append(float(place[-1]))
            continue
        i = int(under[0])
        along = (height[i - 1] - half) / (height[i - 1] - height[i])
        sides.append(float(place[i - 1] + along * (place[i] - place[i - 1])))
    return sides[0] - sides[1]


def _draws(facets: int, resamples: int, seed: int) -> Floats:
    shares = np.full(facets, 1 / facets)
    return np.random.default_rng(seed).multinomial(facets, shares, size=resamples).astype(float)


def _ends(values: Floats, facets: int, level: float) -> tuple[float, float]:
    """Return percentiles, moved outwards as Student's t asks for few facets (Hesterberg 2015)."""
    if facets < _FEWEST:
        return float("nan"), float("nan")
    wide = np.sqrt(facets / (facets - 1)) * stats.t.ppf((1 + level) / 2, facets - 1)
    low, high = np.quantile(values, stats.norm.cdf([-wide, wide]))
    return float(low), float(high)
