"""The counts of two elements beside each other, by distance, with exact intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy.special import betaincinv

from ..checks import check_finite, check_same_grid
from ..phases import Phase
from .distance_bins import bin_of, check_edges
from .options import check_total
from .spectra import check_counts, check_level, walk

Floats = npt.NDArray[np.float64]


_COLUMNS = ("from_um", "to_um", "pixels", "ratio", "low", "high")


class Ratio(NamedTuple):
    """A ratio, and its confidence interval."""

    value: float
    low: float
    high: float
    level: float


def ratio_profile(
    counts: xr.DataArray,
    labels: xr.DataArray,
    distance: xr.DataArray,
    *,
    edges_um: Sequence[float],
    of: str = "F",
    to: str = "C",
    phase: int = Phase.CBD,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare the counts of two elements in one phase, by distance from something.

    The kintsugi paper finds fluorine stronger than carbon in the binder next to the current collector: more
    polymer, less carbon black (J. Electrochem. Soc. 169, 070512, "Results and Discussion" and Fig. 3).

    Parameters
    ----------
    counts : xarray.DataArray
        Whole numbers, dims channel, [z,] y, x, the channels named by element; NumPy or Dask.
    labels : xarray.DataArray
        Codes, on the same grid.
    distance : xarray.DataArray
        µm, on the same grid, for instance from :func:`distance_to`.
    edges_um : sequence of float
        Borders of the bins, ascending; a bin holds its lower border and not its upper one.
    of, to : str
        The two elements: counts of the first over counts of the second.
    phase : int
        Which phase.
    level : float
        Confidence of the intervals, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        A row for each bin: ``from_um``, ``to_um``, ``pixels``, the counts of both elements under their
        names, ``ratio``, ``low`` and ``high``. Pixels of the phase beyond the edges have no row; their
        number is in ``.attrs["beyond_pixels"]``.

    Raises
    ------
    TypeError
        If counts are not integers.
    ValueError
        If grids differ, an element is not there, the edges do not ascend, or no pixel of the phase is within.

    Notes
    -----
    Given the sum of both, the first count is binomial; the interval is Clopper and Pearson's for its share,
    turned into a ratio, and at least as sure as stated. Where both are zero, or the bin is empty, nothing is
    known: the ratio is NaN, its interval from 0 to infinity. Where only the second is zero, the ratio is
    infinite. As in :func:`phase_spectra` the interval knows the noise of counting only. The two elements are
    absorbed differently, so the ratio is no composition: compare it between places.

    References
    ----------
    Clopper and Pearson, Biometrika 26, 404 (1934), doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> maps = ct.volume(np.array([[[6, 2, 1]], [[2, 2, 2]]]), 0.5, dims=("channel", "y", "x"))
    >>> labels = ct.volume([[1, 1, 1]], 0.5)
    >>> table = ct.measure.ratio_profile(
    ...     maps.assign_coords(channel=["F", "C"]), labels, ct.volume([[0.0, 0.5, 1.0]], 0.5),
    ...     edges_um=[0, 0.5, 1.5],
    ... )
    >>> table[["F", "C", "ratio"]].values.tolist()
    [[6.0, 2.0, 3.0], [3.0, 4.0, 0.75]]
    """
    doing = "compare counts by distance"
    elements = check_counts(counts, labels, doing=doing)
    check_level(level, doing=doing)
    edges = check_edges(edges_um, doing=doing)
    for element in (of, to):
        if element not in elements or of == to or element in _COLUMNS:
            raise ValueError(
                f"Cannot {doing} of {of!r} and {to!r}: two different ones of the channels "
                f"{', '.join(elements)} are needed, none of them called {', '.join(_COLUMNS)}. Pass them as "
                "of= and to=."
            )
    if isinstance(phase, bool) or not isinstance(phase, int | np.integer) or phase == Phase.LEFT_OUT:
        raise ValueError(
            f"Cannot {doing} in phase {phase!r}: the code of a phase is needed, and 255 is none. Pass for "
            "instance ct.Phase.CBD."
        )
    check_same_grid(distance, labels, doing=doing)
    check_finite(distance, doing=doing)
    bins = len(edges) - 1
    pixels, sums, inside = np.zeros(bins, np.int64), np.zeros((2, bins)), 0
    for codes, first, second, far in walk(counts, labels, [of, to], distance, doing=doing):
        chosen = codes == phase
        which = bin_of(far[chosen], edges)
        within = (which >= 0) & (which < bins)
        inside += which.size
        pixels += np.bincount(which[within], minlength=bins)
        for total, values in zip(sums, (first, second), strict=True):
            total += np.bincount(which[within], values[chosen][within], bins)
    check_total(float(sums.sum()), doing=doing)
    if not pixels.any():
        raise ValueError(
            f"Cannot {doing}: none of the {inside} pixels of code {int(phase)} lies between {edges[0]:g} and "
            f"{edges[-1]:g} µm. One or more is needed. Check phase= and edges_um=."
        )
    above, below = np.rint(sums).astype(np.int64)
    low, high = _ratio_interval(above, below, level)
    table = pd.DataFrame({"from_um": edges[:-1], "to_um": edges[1:], "pixels": pixels, of: above, to: below})
    table["ratio"], table["low"], table["high"] = _divide(above, below), low, high
    table.attrs.update(of=of, to=to, beyond_pixels=int(inside - pixels.sum()))
    return table


def ratio_change(profile: pd.DataFrame, *, near: int = 0, far: int = -1, level: float = 0.95) -> Ratio:
    """Compare the ratio of counts in two bins of a profile: near over far.

    Above 1, the first element is enriched near by: the paper's graded binder in one number.

    Parameters
    ----------
    profile : pandas.DataFrame
        From :func:`ratio_profile`.
    near, far : int
        Rows of the profile.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Ratio
        The ratio of ratios, and the ends of its interval.

    Raises
    ------
    ValueError
        If a row is not there, or the table is not a profile.

    Notes
    -----
    Both ratios have an exact interval of the root of the level; both hold at once at least as often as the
    level says, and so does what follows from them. The price is an interval up to 1.6 times as wide as that
    of the normal approximation, with no approximation in it. NaN where a bin has no counts of an element on
    both sides.

    Examples
    --------
    >>> import pandas as pd
    >>> import corrtomo as ct
    >>> table = pd.DataFrame({"F": [60, 30], "C": [20, 40]})
    >>> table.attrs.update(of="F", to="C")
    >>> ct.measure.ratio_change(table).value
    4.0
    """
    doing = "compare two bins"
    check_level(level, doing=doing)
    if not isinstance(profile, pd.DataFrame):
        raise TypeError(
            f"Cannot {doing} of a {type(profile).__name__}: a table of counts is needed. Make it with "
            "ct.measure.ratio_profile()."
        )
    of, to = profile.attrs.get("of"), profile.attrs.get("to")
    if of not in profile or to not in profile:
        raise ValueError(
            f"Cannot {doing} of a table with columns {list(profile)}: it is no profile of counts. Make it "
            "with ct.measure.ratio_profile()."
        )
    for row in (near, far):
        if not isinstance(row, int | np.integer) or not -len(profile) <= row < len(profile):
            raise ValueError(
                f"Cannot {doing}: there is no row {row!r}, the profile has {len(profile)}. Pass near= and "
                "far= as rows, from 0."
            )
    above, below = (profile[name].to_numpy(float)[[near, far]] for name in (of, to))
    if not all(
        (part >= 0).all() and (part == np.rint(part)).all() and np.isfinite(part).all()
        for part in (above, below)
    ):
        raise ValueError(
            f"Cannot {doing}: their counts are {above.tolist()} and {below.tolist()}, and whole numbers from "
            "0 are needed. Make the table with ct.measure.ratio_profile()."
        )
    low, high = _ratio_interval(above, below, float(np.sqrt(level)))
    value = _divide(above[0] * below[1], below[0] * above[1])
    return Ratio(float(value), float(low[0] / high[1]), float(_divide(high[0], low[1])), level)


def _ratio_interval(above: Any, below: Any, level: float) -> tuple[Floats, Floats]:
    """Return the ends of the ratio that belong to Clopper and Pearson's ends of the share."""
    tail = (1 - level) / 2
    low = np.where(above > 0, betaincinv(np.maximum(above, 1), below + 1, tail), 0.0)
    # The share of the second element, not one minus that of the first: exact where it is small.
    rest = np.where(below > 0, betaincinv(np.maximum(below, 1), above + 1, tail), 0.0)
    with np.errstate(divide="ignore"):  # a share of one is an infinite ratio
        return low / (1 - low), (1 - rest) / rest


def _divide(above: Any, below: Any) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):  # infinite, or NaN where both are zero
        return np.asarray(above / np.asarray(below, float))
