"""How alike neighbouring places are, and how many independent ones they are worth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from scipy import fft

from ...checks import check_length
from .correlation import Lags, fit_correlation
from .deviations import Field, Floats, fields_of

_FINE = 16
"""Into so many parts of a step distances are told apart where a model is fitted."""


class EffectiveSamples(NamedTuple):
    """How many independent values correlated ones are worth, and the standard error of their mean."""

    effective: float
    values: int
    mean: float
    standard_error: float
    range_um: float


def variogram(values: xr.DataArray | pd.DataFrame, *, longest_um: float | None = None) -> pd.DataFrame:
    """Compute how much contact differs between two places, by their distance.

    Neighbouring slices cut the same particles: 768 planes are no 768 measurements. The semivariance grows
    from small distances to a plateau, the variance between places that know nothing of each other.

    Parameters
    ----------
    values : xarray.DataArray or pandas.DataFrame
        A profile from :func:`contact_profile`, or blocks from :func:`contact_blocks`.
    longest_um : float, optional
        Distances up to this; by default half of the longest edge.

    Returns
    -------
    pandas.DataFrame
        A row for each distance: ``lag_um``, the mean over its pairs, ``semivariance``, half of the mean
        squared difference, without a unit, and ``pairs``. Distances are binned to the least step of the grid.

    Raises
    ------
    TypeError
        If this is neither a profile nor a table of blocks.
    ValueError
        If fewer than 8 values are known, or blocks are not on an even grid.

    Notes
    -----
    What differs is each place's contribution to the ratio of sums, (contact - share × surface) over the mean
    surface: for a profile whose planes have the same surface it is the profile itself. Planes and blocks
    without a face are left out. Pairs are of one place. Directions are taken together: where the electrode
    is layered, compare profiles.

    References
    ----------
    Matheron, Econ. Geol. 58, 1246 (1963), doi:10.2113/gsecongeo.58.8.1246.

    Examples
    --------
    >>> import corrtomo as ct
    >>> profile = ct.volume([0.0, 1.0] * 5, 0.5)
    >>> ct.measure.variogram(profile, longest_um=1.0).round(9).values.tolist()
    [[0.5, 0.5, 9.0], [1.0, 0.0, 8.0]]
    """
    doing = "compute a variogram"
    fields, _ = fields_of(values, doing=doing)
    if longest_um is not None:
        check_length(longest_um, "longest_um", doing=doing)
    return _table(fields, longest_um)


def effective_sample_size(
    values: xr.DataArray | pd.DataFrame, *, longest_um: float | None = None
) -> EffectiveSamples:
    """Find how many independent values the planes of a profile, or blocks, are worth.

    A second standard error of the share in contact, to stand beside that of :func:`contact_interval`: from
    how alike neighbours are instead of from blocks that are taken for independent.

    Parameters
    ----------
    values : xarray.DataArray or pandas.DataFrame
        A profile from :func:`contact_profile`, or blocks from :func:`contact_blocks`.
    longest_um : float, optional
        Distances up to this are looked at; by default half of the longest edge.

    Returns
    -------
    EffectiveSamples
        ``effective`` values and known ``values``, the ``mean`` share, its ``standard_error``, and
        ``range_um``, the distance at which the model's correlation is gone, or 5 % if exponential (NaN if
        that is beyond `longest_um`).

    Raises
    ------
    TypeError
        If this is neither a profile nor a table of blocks.
    ValueError
        If fewer than 8 values are known, none differ, or all are alike over the whole length.

    Notes
    -----
    n² / (n + 2 Σ pairs(h) ρ(h)), summed over all pairs, with a model ρ(h) that is fitted to the variogram
    γ(h) = σ² (1 - ρ(h)) up to `longest_um`, weighted by pairs: spherical, or exponential where that fits
    clearly better; its range is at most one and a half times `longest_um`. The variance of n values that are
    worth m is too small by 1 - 1 / m, which is put right in the fit. The standard error is σ / √m.

    Stated over true variance of the mean, on average over simulated fields: series of correlation φ^h up to
    φ = 0.9, 0.9 to 1.1; 6 × 8 × 10 blocks of spherical or exponential correlation over 0 to 3 blocks, 0.9 to
    1.2; 3 × 4 × 5 blocks, 0.85 to 1.3 while worth 15 or more. Below 10 effective values, from 0.7. A single
    estimate scatters by about 2 √(2 / m) of itself, more often below than above. It never says less
    than no correlation: independent blocks seem worth some percent less than their number, 60 a fifth less. A
    trend through the electrode counts as correlation.

    References
    ----------
    Cressie, J. Int. Assoc. Math. Geol. 17, 563 (1985), doi:10.1007/BF01032109. Bayley and Hammersley,
    J. R. Stat. Soc. Suppl. 8, 184 (1946), doi:10.2307/2983560.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> steps = np.repeat(np.random.default_rng(0).random(100), 10)
    >>> found = ct.measure.effective_sample_size(ct.volume(steps, 0.1))
    >>> found.values, 70 < found.effective < 130
    (1000, True)
    """
    doing = "find an effective sample size"
    fields, mean = fields_of(values, doing=doing)
    if longest_um is not None:
        check_length(longest_um, "longest_um", doing=doing)
    longest = _longest(fields, longest_um)
    count = int(sum(field.known.sum() for field in fields))
    spread = float(sum((field.values**2).sum() for field in fields)) / count
    if spread <= 1e-24:
        raise ValueError(
            f"Cannot {doing}: all {count} values are the same, so nothing varies. Use a larger volume, or "
            "smaller blocks."
        )
    step = min(min(field.steps) for field in fields)
    lags = _sums(fields, step / _FINE, np.inf)
    if not (lags.lag <= longest * (1 + 1e-9)).any():
        raise _none_so_near(longest, step)
    effective, variance, reach = fit_correlation(lags, count, spread, longest)
    if effective < 2:
        raise ValueError(
            f"Cannot {doing}: the {count} values are alike over the whole length, and worth fewer than 2 "
            "independent ones. Use a larger volume, or several places with contact_interval()."
        )
    return EffectiveSamples(effective, count, mean, float(np.sqrt(variance / effective)), reach)


def _table(fields: list[Field], longest_um: float | None) -> pd.DataFrame:
    step = min(min(field.steps) for field in fields)
    longest = _longest(fields, longest_um)
    lags = _sums(fields, step, longest)
    if lags.pairs.size == 0:
        raise _none_so_near(longest, step)
    table = pd.DataFrame({"lag_um": lags.lag, "semivariance": lags.gamma})
    table["pairs"] = np.rint(lags.pairs).astype(np.int64)
    return table


def _longest(fields: list[Field], longest_um: float | None) -> float:
    if longest_um is not None:
        return float(longest_um)
    edges = [n * step for field in fields for n, step in zip(field.known.shape, field.steps, strict=True)]
    return float(max(max(edges) / 2, min(min(field.steps) for field in fields)))


def _none_so_near(longest: float, step: float) -> ValueError:
    return ValueError(
        f"Cannot compute a variogram up to {longest:g} µm: no two values are so near, the step is "
        f"{step:g} µm. Raise longest_um."
    )


def _sums(fields: list[Field], width: float, longest: float) -> Lags:
    """Return lags up to a distance, in bins of one width, over all fields."""
    found = []
    for field in fields:
        lag, squares, pairs = _lags(field)
        near = (lag > 0) & (lag <= longest * (1 + 1e-9)) & (pairs > 0)
        which = np.rint(lag[near] / width).astype(np.int64)
        found.append([np.bincount(which, part[near]) for part in (lag * pairs, squares, pairs)])
    sums = np.zeros((3, max(len(parts[0]) for parts in found)))
    for parts in found:
        sums[:, : len(parts[0])] += parts
    far, squares, pairs = sums[:, sums[2] > 0]
    # Each pair was met from both of its ends.
    return Lags(far / pairs, squares / pairs / 2, pairs / 2)


def _lags(field: Field) -> tuple[Floats, Floats, Floats]:
    """Return for each displacement its length, the sum of squared differences, and the number of pairs."""
    shape = [fft.next_fast_len(2 * n - 1, real=True) for n in field.known.shape]
    parts = (field.known, field.values, field.values**2)
    known, value, square = (fft.rfftn(part, shape) for part in parts)
    pairs = np.rint(fft.irfftn(known * known.conj(), shape))
    # Σ (a - b)² = Σ a² + Σ b² - 2 Σ a b, each sum over the pairs of a displacement.
    both = square * known.conj()
    squares = fft.irfftn(both + both.conj() - 2 * value * value.conj(), shape)
    far = np.meshgrid(
        *(
            step * np.minimum(np.arange(n), n - np.arange(n))
            for n, step in zip(shape, field.steps, strict=True)
        ),
        indexing="ij",
    )
    lag = np.sqrt(np.sum(np.square(far), axis=0))
    return lag.ravel(), np.maximum(squares, 0).ravel(), pairs.ravel()
