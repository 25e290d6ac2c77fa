"""Numbers with their intervals along an axis: learning curves, profiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.transforms import ScaledTranslation
from pandas.api.types import is_numeric_dtype

from ..measure.options import check_between, check_named
from .figure import Figure, Source, check_words, describe
from .style import INK, SERIES, blank, house_style

_MARKS = "oDs^v"
_APART = 6.0
"""Points (1/72 inch) between neighbouring curves: bars at one place would hide one another."""
Scale = Literal["linear", "log"]


def curves(
    tables: Mapping[str, pd.DataFrame],
    *,
    x: str,
    y: str,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    interval: tuple[str, str] | None = ("low", "high"),
    labels: tuple[str, str] | None = None,
    scale: Scale = "linear",
    level: float | None = None,
) -> Figure:
    """Show one or several curves, with the interval of each point where there is one.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Name of the curve, and a row for each of its points.
    x, y : str
        Columns of the two axes.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    interval : tuple of str, optional
        Columns of the lower and the upper end; None where there are none.
    labels : tuple of str, optional
        What stands at the axes, with units; by default the names of the columns.
    scale : {"linear", "log"}
        Of the x axis.
    level : float, optional
        A line across, for instance a value that the curves are held against.

    Returns
    -------
    Figure
        Points with bars for their intervals, joined by lines; lines alone where there are no intervals.
        Several curves with intervals are drawn a few points beside one another, so that no bar hides another.

    Raises
    ------
    ValueError
        If there is no curve, a column is missing, a point is not finite or not above zero on a logarithmic
        scale, or an interval does not hold its point.
    TypeError
        If a column holds no numbers.
    """
    check_words(caption=caption, alt=alt, notice=notice)
    given = check_named(tables, "tables", doing="show curves", like="{'two channels': table}")
    ends = interval or (y, y)
    _check_pairs(interval=ends, labels=(x, y) if labels is None else labels, axes=(x, y))
    if not isinstance(scale, str) or scale not in get_args(Scale):
        raise ValueError(
            f"Cannot show curves on a scale {scale!r}: allowed are {', '.join(get_args(Scale))}. Pass one of "
            "them as scale=."
        )
    if level is not None:
        check_between(level, "level", -np.inf, np.inf, doing="show curves")
    for name, table in given.items():
        _check_table(name, table, [x, y, *ends], scale)
    if not tables:
        raise ValueError("Cannot show curves: no table is given. Pass for instance {'two channels': table}.")
    with house_style():
        drawing = blank(6.4, 3.8)
        axes = drawing.subplots()
        reach = {name: _reach(table, y, ends) for name, table in tables.items()}
        apart = _APART if any(bars.any() for bars in reach.values()) else 0.0
        for i, (name, table) in enumerate(tables.items()):
            colour, middle = SERIES[i % len(SERIES)], table[y].to_numpy(float)
            if interval is None:
                axes.plot(table[x], middle, label=name, color=colour)
                continue
            line, caps, bars = axes.errorbar(
                table[x],
                middle,
                reach[name],
                label=name,
                color=colour,
                marker=_MARKS[i % 5],
                mec="white",
                ms=8,
                capsize=3,
            )
            aside = apart * (i - (len(tables) - 1) / 2) / 72
            for part in (line, *caps, *bars):
                part.set_transform(axes.transData + ScaledTranslation(aside, 0.0, drawing.dpi_scale_trans))
        if level is not None:
            axes.axhline(level, color=INK, lw=1.0, ls=(0, (4, 3)))
        if scale == "log":  # "linear" would put numbers where names stand
            axes.set_xscale("log")
            ticks = sorted({float(v) for table in tables.values() for v in table[x]})
            axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
            axes.minorticks_off()
        across, up = labels or (x, y)
        axes.set(xlabel=across, ylabel=up)
        if len(tables) > 1:
            drawing.legend(loc="outside upper left", ncols=3)
    return Figure(drawing, alt, describe(caption, source=source, notice=notice))


def _reach(table: pd.DataFrame, y: str, ends: tuple[str, str]) -> npt.NDArray[np.float64]:
    """Return how far below and above its point each interval reaches, 0 where there is none."""
    middle = table[y].to_numpy(float)
    return np.asarray(np.nan_to_num(np.abs([table[end].to_numpy(float) - middle for end in ends])))


def _check_pairs(**pairs: Any) -> None:
    for what, pair in pairs.items():
        texts = isinstance(pair, tuple | list) and len(pair) == 2 and all(isinstance(p, str) for p in pair)
        if not texts:
            raise TypeError(
                f"Cannot show curves with {what} {pair!r}: two texts are needed. Pass for instance "
                "interval=('low', 'high')."
            )


def _check_table(name: str, table: pd.DataFrame, columns: list[str], scale: Scale) -> None:
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"Cannot show the curve {name!r}: it is a {type(table).__name__}, and a pandas DataFrame with "
            f"{columns} is needed."
        )
    missing = [c for c in columns if c not in table]
    if missing or table.empty:
        raise ValueError(
            f"Cannot show the curve {name!r}: it has {len(table)} rows and lacks the columns {missing}. A "
            f"row for each point is needed, with {columns}."
        )
    y, low, high = (_numbers(name, table, column) for column in columns[1:])
    if scale == "log" or is_numeric_dtype(table[columns[0]]):  # else names, one beside the other
        x = _numbers(name, table, columns[0])
        if not (np.isfinite(x).all() and (scale == "linear" or (x > 0).all())):
            raise ValueError(
                f"Cannot show the curve {name!r}: {columns[0]} goes from {x.min():g} to {x.max():g}, and "
                f"finite places are needed{', above zero on a log scale' if scale == 'log' else ''}. Leave "
                "other rows out, or pass scale='linear'."
            )
    unknown = np.isnan(low) & np.isnan(high)  # of a single repeat
    if not (np.isfinite(y).all() and (unknown | ((low <= y) & (y <= high))).all()):
        raise ValueError(
            f"Cannot show the curve {name!r}: a point is not finite, or its interval does not hold it. Ends "
            "must lie below and above. Check which columns are passed as interval=."
        )


def _numbers(name: str, table: pd.DataFrame, column: str) -> npt.NDArray[np.float64]:
    try:
        return table[column].to_numpy(float)
    except (TypeError, ValueError):
        raise TypeError(
            f"Cannot show the curve {name!r}: its column {column} has dtype {table[column].dtype}, and "
            "numbers are needed. Convert it with pandas.to_numeric(), or pass another column."
        ) from None
