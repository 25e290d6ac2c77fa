"""Single runs beside their interval and the published value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from .figure import Figure, Source, check_words, describe
from .style import ACCENT, SERIES, blank, house_style

_BARS = "#b9c2cb"


def spread(
    values: Mapping[str, Sequence[float]],
    *,
    label: str,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    intervals: Mapping[str, tuple[float, float]] | None = None,
    published: Mapping[str, tuple[float, float]] | None = None,
    each: str = "one run each",
) -> Figure:
    """Show how a result spreads over seeds, positions or labels, beside the published number.

    Parameters
    ----------
    values : mapping of str to sequence of float
        Name of the result, and one value a seed.
    label : str
        What is on the axis, with its unit.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    intervals : mapping of str to tuple of float, optional
        Lower and upper end of an interval by name, for instance of a bootstrap.
    published : mapping of str to tuple of float, optional
        Published value by name, and half of its last printed digit (0.79 -> 0.005).
    each : str
        What a dot is, in the legend.

    Returns
    -------
    Figure
        One row a result: a dot for each value, its interval, and the published value with its rounding.
    """
    check_words(caption=caption, alt=alt, notice=notice, label=label, each=each)
    _check_names(values, intervals or {}, published or {})
    rows = list(values)
    with house_style():
        drawing = blank(height=1.1 + 0.62 * len(rows))
        axes = drawing.subplots()
        for i, name in enumerate(rows):
            _spread_row(axes, i, values[name], (intervals or {}).get(name), (published or {}).get(name), each)
        axes.set_yticks(range(len(rows)), rows)
        axes.set(xlabel=label, ylim=(len(rows) - 0.45, -0.55))
        axes.margins(x=0.08)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        handles, names = axes.get_legend_handles_labels()
        once = dict(zip(names, handles, strict=True))
        drawing.legend(once.values(), once.keys(), loc="outside upper left", ncols=3, handletextpad=0.5)
    return Figure(drawing, alt, describe(caption, source=source, notice=notice))


def _spread_row(
    axes: Axes,
    row: int,
    values: Sequence[float],
    interval: tuple[float, float] | None,
    published: tuple[float, float] | None,
    each: str,
) -> None:
    if published is not None:
        value, half = published
        ends = [row - 0.38, row + 0.38]
        axes.fill_betweenx(ends, value - half, value + half, color=SERIES[1], alpha=0.25, lw=0)
        axes.plot([value, value], ends, color=SERIES[1], lw=2, label="published, with its rounding")
    if interval is not None:
        axes.plot(interval, [row, row], color=_BARS, lw=7, solid_capstyle="round", zorder=1, label="interval")
    dots = np.asarray(values, float)
    at = np.full(dots.size, row)
    axes.plot(dots, at, "o", color=ACCENT, mec="white", ms=8, alpha=0.9, label=each)


def _check_names(values: Mapping[str, Sequence[float]], *others: Mapping[str, tuple[float, float]]) -> None:
    empty = [name for name, row in values.items() if len(row) == 0]
    if not values or empty:
        raise ValueError(
            f"Cannot show a spread of {dict(values)!r}: every row needs one value or more. "
            "Pass for instance {'kappa': [0.78, 0.80]}."
        )
    unknown = [name for other in others for name in other if name not in values]
    if unknown:
        raise ValueError(
            f"Cannot show a spread: {unknown} have an interval or a published value, but no values. "
            f"Allowed are the names {list(values)}. Use the same name for both."
        )
