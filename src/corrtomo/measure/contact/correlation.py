"""How far places are alike: a model of correlation, fitted to a variogram."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .deviations import Floats

_RANGES = 240
_FARTHEST = 1.5
"""Times the longest distance looked at: what reaches farther cannot be told from a trend."""
_CLEARLY = 3.0
"""By so much of the deviance an exponential must fit better, for it makes what is found less sure."""
_LEAST = 1e-3
"""Of the variance: below that a semivariance is a smooth start, and its ratio says nothing."""


class Lags(NamedTuple):
    """Distances in µm, the semivariance at each, and the number of pairs."""

    lag: Floats
    gamma: Floats
    pairs: Floats


class Correlation(NamedTuple):
    """What values are worth, their variance, and the distance at which the correlation is gone."""

    effective: float
    variance: float
    range_um: float


class _Fit(NamedTuple):
    """What one model says at each range, and which range fits best."""

    deviance: Floats
    effective: Floats
    variance: Floats
    best: int


def fit_correlation(lags: Lags, count: int, spread: float, longest_um: float) -> Correlation:
    """Fit a spherical and an exponential model up to a distance, and sum the better one over all pairs.

    `spread` is the mean squared deviation of the values from their own mean: the variance less that of the
    mean, which holds the two unknowns of a model, variance and range, together.
    """
    ranges = np.geomspace(lags.lag[0] / 2, max(2 * longest_um, lags.lag[0]), _RANGES)
    spherical, exponential = (
        _fit(rho(lags.lag / ranges[:, None]), lags, count, spread, longest_um)
        for rho in (_spherical, _exponential)
    )
    clearly = spherical.deviance[spherical.best] - exponential.deviance[exponential.best] > _CLEARLY
    chosen = exponential if clearly else spherical
    if chosen.effective[chosen.best] < 2:
        return Correlation(float(chosen.effective[chosen.best]), spread, float("nan"))
    at = min(chosen.best, int(np.searchsorted(ranges, _FARTHEST * longest_um)))
    reach = max(float(ranges[at]), float(lags.lag[0]))
    found = float(chosen.effective[at]), float(chosen.variance[at])
    return Correlation(*found, reach if reach <= longest_um * (1 + 1e-9) else float("nan"))


def _fit(correlation: Floats, lags: Lags, count: int, spread: float, longest_um: float) -> _Fit:
    """Return the deviance of γ from the model, as of a variance from its estimate, weighted by pairs."""
    effective = count**2 / (count + 2 * correlation @ lags.pairs)
    # Values that are worth one are alike: nothing of their variance is seen.
    variance = spread / (1 - 1 / np.maximum(effective, 1.01))
    near = lags.lag <= longest_um * (1 + 1e-9)
    expected = variance[:, None] * np.maximum(1 - correlation[:, near], _LEAST)
    deviance = (lags.gamma[near] / expected + np.log(expected)) @ lags.pairs[near]
    return _Fit(deviance, effective, variance, int(deviance.argmin()))


def _spherical(far: Floats) -> Floats:
    far = np.minimum(far, 1.0)
    return np.asarray(1 - 1.5 * far + 0.5 * far**3)


def _exponential(far: Floats) -> Floats:
    """Return a correlation of 5 % at 1: there it counts as gone."""
    return np.asarray(np.exp(-3 * far))
