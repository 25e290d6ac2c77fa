"""The mean over repeats, and how well they know it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from .spectra import check_level


def mean_interval(values: pd.Series[Any], *, by: str | None = None, level: float = 0.95) -> pd.DataFrame:
    """Return the mean of repeats with its interval, for each value of an index level.

    Repeats are operators, seeds, places: a learning curve without an interval shows which of them was drawn.

    Parameters
    ----------
    values : pandas.Series
        A number for each repeat, of any unit.
    by : str, optional
        Level of the index by which repeats are grouped; by default all are one group.
    level : float
        Share of intervals that hold the mean of all possible repeats.

    Returns
    -------
    pandas.DataFrame
        A row for each group: ``mean``, ``low``, ``high``, ``count``, in the unit of `values`. With a single
        repeat, low and high are NaN.

    Raises
    ------
    TypeError
        If `values` is no series of numbers.
    ValueError
        If it is empty, holds NaN, has no such level, or `level` is not between 0 and 1.

    Notes
    -----
    Student's t: right for repeats that are independent and about normal. Repeats on one image share the
    image: the interval says nothing about others.

    Examples
    --------
    >>> import pandas as pd
    >>> import corrtomo as ct
    >>> index = pd.MultiIndex.from_product([[1, 2], [0, 1, 2]], names=["strokes", "operator"])
    >>> ct.measure.mean_interval(pd.Series([1, 2, 3, 5, 5, 5], index), by="strokes").round(2).values.tolist()
    [[2.0, -0.48, 4.48, 3.0], [5.0, 5.0, 5.0, 3.0]]
    """
    if not isinstance(values, pd.Series) or values.dtype.kind not in "iuf":
        raise TypeError(
            f"Cannot average a {type(values).__name__}: a pandas Series of numbers is needed, one a repeat. "
            "Make one with pandas.Series([...])."
        )
    if by is not None and by in values.index.names and values.index.get_level_values(by).isna().any():
        raise ValueError(
            f"Cannot group repeats by {by!r}: some have no value of it. Drop them with values.dropna() "
            "first, or name their group."
        )
    if values.empty or not np.isfinite(values.to_numpy(float)).all():
        raise ValueError(
            f"Cannot average {len(values)} repeats of which "
            f"{int((~np.isfinite(values.to_numpy(float))).sum())} are missing or infinite: one or more is "
            "needed, and none may be NaN or infinite. Drop them with values.dropna()."
        )
    check_level(level, doing="average repeats")
    if by is not None and by not in values.index.names:
        raise ValueError(
            f"Cannot group repeats by {by!r}: the index has {list(values.index.names)}. Name one of them."
        )
    groups = values.groupby(level=by) if by is not None else values.groupby(lambda _: "all")
    table = groups.agg(["mean", "std", "count"])
    wide = stats.t.ppf((1 + float(level)) / 2, np.maximum(table["count"] - 1, 1))
    half = wide * table["std"] / np.sqrt(table["count"])
    return pd.DataFrame(
        {
            "mean": table["mean"],
            "low": table["mean"] - half,
            "high": table["mean"] + half,
            "count": table["count"],
        }
    )
