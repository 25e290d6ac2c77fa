"""How alike neighbouring places are, and how many independent ones they are worth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from scipy import fft

from ..checks import check_length
from .deviations import Field, Floats, fields_of

_ROUNDS = 100
_NOISE = 2.0
"""Standard errors, of which a correlation from so many independent pairs has 1 / √pairs."""


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
        ``range_um``, the distance at which the correlation is gone (NaN if it is not within reach).

    Raises
    ------
    TypeError
        If this is neither a profile nor a table of blocks.
    ValueError
        If fewer than 8 values are known, none differ, or all are alike over the whole length.

    Notes
    -----
    n² / (n + 2 Σ pairs(h) ρ(h)) with the correlation ρ(h) = 1 - γ(h) / σ² of the variogram γ, summed up to
    the first distance at which it is not above its noise, 2 / √pairs. For a series of correlation φ^h it
    tends to n (1 - φ) / (1 + φ); what is below the noise makes it a few percent too large. The variance of
    n values that are worth m is too small by 1 - 1 / m, which is put right by repeating. The standard error
    is σ / √m. A trend through the electrode counts as correlation. Of few effective values all this is
    rough: below 20, by a third or more.

    References
    ----------
    Bayley and Hammersley, J. R. Stat. Soc. Suppl. 8, 184 (1946), doi:10.2307/2983560.

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
    table = _table(fields, longest_um)
    count = int(sum(field.known.sum() for field in fields))
    spread = float(sum((field.values**2).sum() for field in fields)) / count
    if spread <= 1e-24:
        raise ValueError(
            f"Cannot {doing}: all {count} values are the same, so nothing varies. Use a larger volume, or "
            "smaller blocks."
        )
    effective, variance = _solve(table, count, spread, doing=doing)
    gone = table.lag_um[1 - table.semivariance / variance <= _NOISE / np.sqrt(table.pairs)]
    reach = float(gone.iloc[0]) if len(gone) else float("nan")
    return EffectiveSamples(effective, count, mean, float(np.sqrt(variance / effective)), reach)


def _solve(table: pd.DataFrame, count: int, spread: float, *, doing: str) -> tuple[float, float]:
    """Return effective number and variance that agree with each other."""
    gamma, pairs = table.semivariance.to_numpy(), table.pairs.to_numpy()
    effective, variance = float(count), spread
    for _ in range(_ROUNDS):
        correlation = 1 - gamma / variance
        gone = np.flatnonzero(correlation <= _NOISE / np.sqrt(pairs))
        upto = int(gone[0]) if gone.size else len(correlation)
        last, effective = effective, count**2 / (count + 2 * float(pairs[:upto] @ correlation[:upto]))
        if effective < 2:
            raise ValueError(
                f"Cannot {doing}: the {count} values are alike over the whole length, and worth fewer than 2 "
                "independent ones. Use a larger volume, or several places with contact_interval()."
            )
        variance = spread / (1 - 1 / effective)
        if abs(effective - last) < 1e-9 * count:
            break
    return effective, variance


def _table(fields: list[Field], longest_um: float | None) -> pd.DataFrame:
    width = min(min(field.steps) for field in fields)
    if longest_um is None:
        edges = [n * step for field in fields for n, step in zip(field.known.shape, field.steps, strict=True)]
        longest_um = max(max(edges) / 2, width)
    bins = int(longest_um / width + 0.5 + 1e-9) + 1
    sums = np.zeros((3, bins))
    for field in fields:
        lag, squares, pairs = _lags(field)
        which = np.rint(lag / width).astype(np.int64)
        near = (which < bins) & (lag > 0) & (lag <= longest_um * (1 + 1e-9)) & (pairs > 0)
        for total, part in zip(sums, (lag * pairs, squares, pairs), strict=True):
            total += np.bincount(which[near], part[near], bins)
    far, squares, pairs = sums[:, sums[2] > 0]
    if pairs.size == 0:
        raise ValueError(
            f"Cannot compute a variogram up to {longest_um:g} µm: no two values are so near, the step is "
            f"{width:g} µm. Raise longest_um."
        )
    # Each pair was met from both of its ends.
    table = pd.DataFrame({"lag_um": far / pairs, "semivariance": squares / pairs / 2})
    table["pairs"] = np.rint(pairs / 2).astype(np.int64)
    return table


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
