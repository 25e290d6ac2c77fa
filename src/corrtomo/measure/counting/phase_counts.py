"""Counts of each channel in each class: how many, how sure, and detected or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy.special import gammaincinv

from ...checks import check_length
from ...phases import Phase
from ...volume import check_image, voxel_size
from ..distance import distances
from ..histogram import CODES, as_codes
from ..spectra import check_counts, count_by_phase, walk
from .count_map import dispersion_of
from .detection_limit import check_error, critical_counts

_DOING = "count by class"


def phase_counts(
    counts: xr.DataArray,
    labels: xr.DataArray,
    *,
    blank: str | None = "pore",
    names: Mapping[int, str] | None = None,
    margin_um: float | None = None,
    alpha: float = 0.05,
    level: float = 0.95,
) -> pd.DataFrame:
    """Count each channel in each class, and say whether it is above what a blank class explains.

    The nanoCT paper sees lithium in the active material and none in the binder, aluminium in the binder and
    none in LCO (Results and Discussion, Figs. 4d to 4l): here each "none" is an upper limit.

    Parameters
    ----------
    counts : xarray.DataArray
        Whole numbers, dims channel, [z,] y, x, the channels named; NumPy or Dask.
    labels : xarray.DataArray
        Codes on the same grid, named by ``attrs["classes"]`` or those of :class:`corrtomo.Phase`; 255 is left
        out. Booleans need names.
    blank : str, optional
        The class in which the elements are not; None: there is none, and nothing is said to be detected.
    names : mapping of int to str, optional
        What the codes are, if the labels do not say it.
    margin_um : float, optional
        Leave out pixels nearer than this to another class, or to what is left out: beams are wider than
        pixels.
    alpha : float
        Probability to detect what is not there, in each row; at most 0.5.
    level : float
        Confidence of the intervals and of the upper limits, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        A row for each class and channel: ``class``, ``channel``, ``pixels``, ``counts``; ``per_pixel`` with
        its exact interval ``low`` and ``high``; ``dispersion``, variance over mean of its pixels, and
        whether it is ``overdispersed``; ``detected`` (missing for the blank itself);
        ``critical_per_pixel``, the mean from which on it would be; ``net_per_pixel``, the mean less that of
        the blank, and ``limit_per_pixel``, its upper limit. ``.attrs["left_out_pixels"]`` counts the rest.

    Raises
    ------
    TypeError
        If counts are not integers.
    ValueError
        If grids differ, counts are negative or sum to more than 2⁵³, a class has no name of its own, none of
        them is the blank, the margin leaves no pixel, or an option is out of range.

    Notes
    -----
    Means and intervals are those of :func:`phase_spectra`: Garwood's, exact for Poisson counts. ``detected``
    is the exact test of :func:`detection_limit`, with the blank known as well as it was counted. The upper
    limit is that of the class, at the root of `level`, less the lower limit of the blank at the same: both
    hold at once at least as often as `level` says.

    All of it is the noise of counting. A class whose pixels are ``overdispersed`` (by χ² at 0.1 %) is not
    uniform: grains differ, and another place would give another mean; compare particles instead. Of many
    pixels a small difference is detected that means no element: scattered ions, a beam with tails,
    pixels with the wrong label. See whether it stays with a wider `margin_um`.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> maps = ct.volume(np.array([[[0, 0, 0, 0, 0, 1, 9, 7]]]), 0.03, dims=("channel", "y", "x"))
    >>> labels = ct.volume([[0, 0, 0, 0, 1, 1, 2, 2]], 0.03)
    >>> table = ct.measure.phase_counts(maps.assign_coords(channel=["7Li"]), labels)
    >>> table[["class", "per_pixel", "detected"]].astype(object).values.tolist()
    [['pore', 0.0, <NA>], ['carbon binder domain', 0.5, False], ['active material', 8.0, True]]
    """
    channels = check_counts(counts, labels, doing=_DOING)
    check_error(alpha, "alpha", doing=_DOING)
    kept = labels if margin_um is None else _without_margin(labels, margin_um)
    table = count_by_phase(counts, kept, names, level, doing=_DOING)
    left_out = table.attrs["left_out_pixels"]
    table = table.rename(columns={"phase": "class", "element": "channel", "counts_per_pixel": "per_pixel"})
    known = list(dict.fromkeys(table["class"]))
    if len(known) * len(channels) < len(table):
        twice = table["class"].iloc[:: len(channels)]
        raise ValueError(
            f"Cannot {_DOING} with names that call {twice[twice.duplicated()].iloc[0]!r} twice: each class "
            "needs a name of its own. Relabel the codes first to count two classes as one."
        )
    if blank is not None and blank not in known:
        raise ValueError(
            f"Cannot {_DOING} against the blank {blank!r}: the classes are {', '.join(known)}. Name one of "
            "them as blank=, or pass blank=None."
        )
    squares = _squares(counts, kept, channels)
    scatter = [
        dispersion_of(n, total, square)
        for n, total, square in zip(table.pixels, table.counts, squares.ravel(), strict=True)
    ]
    table["dispersion"], table["overdispersed"] = zip(*scatter, strict=True)
    _detect(table, blank, len(channels), float(alpha), float(level))
    table.attrs = {"left_out_pixels": left_out, "blank": blank}
    return table


def _without_margin(labels: xr.DataArray, margin_um: float) -> xr.DataArray:
    """Mark as left out what is nearer to another class, from pixel centre to pixel centre."""
    check_length(margin_um, "margin_um", doing=_DOING)
    check_image(labels, ndim=(2, 3))
    codes = as_codes(np.asarray(labels.data))
    out = np.full(codes.shape, Phase.LEFT_OUT, np.uint8)
    for code in np.unique(codes):
        # Distances are float32: one that is the margin must not fall below it by rounding.
        far = distances(codes == code, voxel_size(labels)) >= margin_um * (1 - 1e-6)
        out[far & (codes == code)] = code
    if (out == Phase.LEFT_OUT).all():
        raise ValueError(
            f"Cannot {_DOING} with margin_um={margin_um!r}: no pixel is so far from another class. Lower it."
        )
    return labels.copy(data=out)


def _squares(counts: xr.DataArray, labels: xr.DataArray, channels: list[str]) -> npt.NDArray[np.float64]:
    """Return the sums of squared counts, a row for each class that occurs, a column for each channel."""
    sums, pixels = np.zeros((len(channels), CODES)), np.zeros(CODES, np.int64)
    for codes, *maps in walk(counts, labels, channels, doing=_DOING):
        pixels += np.bincount(codes, minlength=CODES)
        for total, values in zip(sums, maps, strict=True):
            total += np.bincount(codes, values.astype(np.float64) ** 2, CODES)
    kept = np.flatnonzero(pixels)
    return np.asarray(sums[:, kept[kept != Phase.LEFT_OUT]].T)


def _detect(table: pd.DataFrame, blank: str | None, channels: int, alpha: float, level: float) -> None:
    """Add what a blank class says about each row; nothing is known without one, nor about the blank."""
    detected: list[Any] = [pd.NA] * len(table)
    numbers = np.full((len(table), 3), np.nan)
    own = np.flatnonzero((table["class"] == blank).to_numpy())
    for row in range(len(table)):
        if blank is None or row in own:
            continue
        other = int(own[row % channels])  # rows run through the channels within each class
        total, size = int(table.counts.iloc[other]), int(table.pixels.iloc[other])
        found, pixels = int(table.counts.iloc[row]), int(table.pixels.iloc[row])
        critical = critical_counts(total, size, pixels, alpha)
        most = gammaincinv(found + 1, np.sqrt(level)) / pixels
        least = gammaincinv(total, 1 - np.sqrt(level)) / size if total else 0.0
        detected[row] = found >= critical
        numbers[row] = critical / pixels, found / pixels - total / size, max(most - least, 0.0)
    table["detected"] = pd.array(detected, dtype="boolean")
    table["critical_per_pixel"], table["net_per_pixel"], table["limit_per_pixel"] = numbers.T
