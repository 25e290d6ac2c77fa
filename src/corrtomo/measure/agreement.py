"""Agreement of two segmentations beyond chance."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ..checks import check_same_grid
from ..phases import check_integer
from .histogram import CODES, check_ignore, count_pairs, kept_codes

_WORDS = ((0.0, "poor"), (0.2, "slight"), (0.4, "fair"), (0.6, "moderate"), (0.8, "substantial"))


def confusion_matrix(a: xr.DataArray, b: xr.DataArray, *, ignore: int | None = None) -> pd.DataFrame:
    """Count the voxels of each pair of codes in two segmentations.

    Parameters
    ----------
    a, b : xarray.DataArray
        Codes 0 to 255 or booleans, on one grid, NumPy or Dask.
    ignore : int, optional
        Code of voxels that are not counted, in `a` or in `b`.

    Returns
    -------
    pandas.DataFrame
        Voxels; rows are the codes of `a`, columns those of `b`, both the codes that occur in either.

    Raises
    ------
    ValueError
        If the grids differ, no voxel is left, or left-out voxels (255) occur and `ignore` does not name them.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.measure.confusion_matrix(ct.volume([0, 0, 1], 1.0), ct.volume([0, 1, 1], 1.0)).to_numpy()
    array([[1, 1],
           [0, 1]])
    """
    table = count_labels(a, b)
    codes = codes_of(table, ignore)
    index, columns = pd.Index(codes, name="a"), pd.Index(codes, name="b")
    return pd.DataFrame(table[np.ix_(codes, codes)], index=index, columns=columns)


def cohen_kappa(a: xr.DataArray, b: xr.DataArray, *, ignore: int | None = None) -> float:
    """Compute Cohen's κ: the agreement of two segmentations beyond chance.

    The share of voxels that agree is high for any segmentation of a rare phase; κ takes out what chance
    gives. The measure of the X-ray and FIB-SEM paper (Sci. Rep. 6, 30109, eq. 2), for any number of phases.

    Parameters
    ----------
    a, b : xarray.DataArray
        Codes 0 to 255 or booleans, on one grid, NumPy or Dask.
    ignore : int, optional
        Code of voxels that are left out, in `a` or in `b`.

    Returns
    -------
    float
        1 for perfect agreement, 0 for what chance gives, negative for less.

    Raises
    ------
    ValueError
        If both hold one and the same class only (κ is undefined), the grids differ, or left-out voxels (255)
        occur and `ignore` does not name them.

    Notes
    -----
    All confusions weigh the same: a voxel at an edge counts as much as a grain that is missed. κ depends on
    the phase fractions, so values of different samples compare badly.

    References
    ----------
    Cohen, Educ. Psychol. Meas. 20, 37 (1960), doi:10.1177/001316446002000104.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.measure.cohen_kappa(ct.volume([0, 0, 1, 1], 1.0), ct.volume([0, 0, 1, 0], 1.0))
    0.5
    """
    return kappa_from_confusion(confusion_matrix(a, b, ignore=ignore))


def kappa_from_confusion(counts: npt.ArrayLike) -> float:
    """Compute Cohen's κ from a square confusion matrix of counts.

    Raises
    ------
    ValueError
        If the matrix is not square, is empty, or holds one class only.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.measure.kappa_from_confusion([[2, 0], [1, 1]])
    0.5
    """
    table = np.asarray(counts, float)
    square = table.ndim == 2 and table.shape[0] == table.shape[1]
    if not (square and (table >= 0).all() and 0 < table.sum() < np.inf):
        raise ValueError(
            f"Cannot compute kappa from counts of shape {table.shape} and sum {table.sum():g}: a square "
            "matrix of counts from 0, with one or more, is needed. Make it with "
            "ct.measure.confusion_matrix(a, b)."
        )
    kappa = float(kappas_of(table.reshape(1, -1), len(table))[0])
    if np.isnan(kappa):
        raise ValueError(
            "Cannot compute kappa: both segmentations hold one and the same class only, so agreement by "
            "chance is perfect and kappa is undefined. Two classes are needed. Choose a larger crop."
        )
    return kappa


def landis_koch(kappa: Any) -> str:
    """Say in a word what a κ means, by the common scale of Landis and Koch.

    Parameters
    ----------
    kappa : float
        From -1 to 1.

    Returns
    -------
    str
        "poor" below 0, then "slight", "fair", "moderate", "substantial" and "almost perfect" in steps of 0.2;
        a value on a border belongs to the word below.

    Raises
    ------
    ValueError
        If `kappa` is not between -1 and 1.

    Notes
    -----
    A convention from medicine, not a law: whether "substantial" is enough depends on what is computed next.

    References
    ----------
    Landis and Koch, Biometrics 33, 159 (1977), doi:10.2307/2529310.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.measure.landis_koch(0.79)
    'substantial'
    """
    number = isinstance(kappa, Real) and not isinstance(kappa, bool | np.bool_)
    if not (number and -1.0 <= kappa <= 1.0):
        raise ValueError(
            f"Cannot name kappa {kappa!r}: it lies between -1 and 1. Compute it with "
            "ct.measure.cohen_kappa()."
        )
    if kappa < 0:
        return "poor"
    return next((word for top, word in _WORDS[1:] if kappa <= top), "almost perfect")


def count_labels(a: xr.DataArray, b: xr.DataArray) -> npt.NDArray[np.int64]:
    """Return how often each pair of codes occurs at one place of both images."""
    for labels in (a, b):
        check_integer(labels, doing="compare labels")
    check_same_grid(a, b, doing="compare labels")
    return count_pairs(a, b, CODES)


def codes_of(table: npt.NDArray[np.int64], ignore: int | None) -> npt.NDArray[Any]:
    """Return the codes of either image, of voxels that neither leaves out."""
    check_ignore(ignore)
    voxels = table.sum(axis=0) + table.sum(axis=1)
    if (
        ignore is not None
        and table.sum() > table[ignore].sum() + table[:, ignore].sum() - table[ignore, ignore]
    ):
        # Codes that occur only where the other image is left out are of no voxel that counts.
        voxels = voxels - table[ignore] - table[:, ignore]
    elif ignore is not None:
        voxels = np.bincount([ignore], minlength=CODES)
    return kept_codes(voxels, ignore, what="labels")


def kappas_of(counts: npt.NDArray[Any], classes: int) -> npt.NDArray[np.float64]:
    """Return κ of each row of flattened confusion matrices; NaN where it is undefined."""
    tables = counts.reshape(-1, classes, classes).astype(float)
    n = tables.sum(axis=(1, 2))
    first, second = tables.sum(axis=2), tables.sum(axis=1)
    apart = (n - np.trace(tables, axis1=1, axis2=2)) / n
    # What chance would set apart, as a sum of positive terms: exact also where one class is nearly all.
    by_chance = np.einsum("ki,ki->k", first, n[:, None] - second) / n**2
    undefined = by_chance == 0
    kappas: npt.NDArray[np.float64] = 1 - apart / np.where(undefined, 1.0, by_chance)
    kappas[undefined] = np.nan
    return kappas
