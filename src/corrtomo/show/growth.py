"""How a number settles as a volume grows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .figure import Figure, Source, check_words, describe
from .style import ACCENT, INK, SERIES, blank, house_style


def growth(
    table: pd.DataFrame,
    *,
    label: str,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    whole: float | None = None,
    published: tuple[float, float] | None = None,
) -> Figure:
    """Show how a number settles as sub-volumes grow: whether the volume is representative.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a sub-volume, with its edge in the column ``edge_um`` and the number in ``value``.
    label : str
        What is on the axis, with its unit.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    whole : float, optional
        The number of the whole volume.
    published : tuple of float, optional
        The published number, and half of its last printed digit (0.79 -> 0.005).

    Returns
    -------
    Figure
        A dot for each sub-volume, the mean of each edge, and a band of one standard deviation around it where
        there are two sub-volumes or more. How many have no number (NaN) is said in the caption.

    Raises
    ------
    ValueError
        If a column is missing, an edge is not finite and above zero, no value is finite, or one is infinite.

    Notes
    -----
    Sub-volumes of half the volume's edge and more overlap or are few: their narrow band is not certainty.
    """
    check_words(caption=caption, alt=alt, notice=notice, label=label)
    _check_growth(table)
    refused = int(table.value.isna().sum())
    if refused:
        table = table.dropna(subset="value")
        caption = f"{caption}; {refused} sub-volumes have no such number"
    by_edge = table.groupby("edge_um")["value"].agg(["mean", "std"])
    edge, mean, std = by_edge.index.to_numpy(float), by_edge["mean"].to_numpy(), by_edge["std"].to_numpy()
    with house_style():
        drawing = blank(height=4.2)
        axes = drawing.subplots()
        if published is not None:
            value, half = published
            axes.axhspan(value - half, value + half, color=SERIES[1], alpha=0.25, lw=0)
            axes.axhline(value, color=SERIES[1], lw=1.8, label="published, with its rounding")
        if whole is not None:
            axes.axhline(whole, color=INK, lw=1.4, ls=(0, (4, 2)), label="whole volume")
        axes.fill_between(
            edge, mean - std, mean + std, color=ACCENT, alpha=0.16, lw=0, label="± standard deviation"
        )
        axes.plot(edge, mean, color=ACCENT, label="mean")
        axes.plot(
            table.edge_um,
            table.value,
            "o",
            color=ACCENT,
            mec="white",
            mew=0.6,
            ms=5.5,
            alpha=0.75,
            label="one sub-volume each",
        )
        axes.set(xlabel="edge of the sub-volume (µm)", ylabel=label)
        axes.margins(x=0.04)
        drawing.legend(loc="outside upper left", ncols=2, handlelength=1.6)
    return Figure(drawing, alt, describe(caption, source=source, notice=notice))


def _check_growth(table: pd.DataFrame) -> None:
    missing = [name for name in ("edge_um", "value") if name not in getattr(table, "columns", ())]
    if missing:
        given = list(table.columns) if isinstance(table, pd.DataFrame) else type(table).__name__
        raise ValueError(
            f"Cannot show how a number settles: {missing} missing in {given}. A table with the columns "
            "'edge_um' and 'value' is needed. Make one with ct.measure.growing_volumes()."
        )
    edges, values = table.edge_um.to_numpy(float), table.value.to_numpy(float)
    placed = bool(((edges > 0) & np.isfinite(edges)).all())
    if not placed or not np.isfinite(values).any() or np.isinf(values).any():
        raise ValueError(
            f"Cannot show how a number settles from {len(table)} rows: one or more with a number are needed, "
            "none infinite, with edges above 0. Make the table with ct.measure.growing_volumes()."
        )
