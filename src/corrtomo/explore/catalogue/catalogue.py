"""The catalogue explorer: filter, sort and plot all entries, and look at each."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import traitlets
import xarray as xr

from ... import catalogue as rooms
from ...show import Figure
from ...show.figure import Source, describe
from ...show.style import MUTED, SERIES, blank, house_style
from ..explorer import HERE, STYLE, Explorer, bundle
from .catalogued import describe_columns, histories, label, links_to, pictures_of, rows_of, thumbnail

OWN_STYLE = (HERE / "catalogue" / "catalogue.css").read_text(encoding="utf-8")
_MOST = 5000
_LINES = 8  # entries in the picture without JavaScript


class CatalogueExplorer(Explorer):
    """A table of entries with filters, a plot of any two of their numbers, and the picture of each.

    Made by :func:`catalogue`. In a kernel, ``explorer.selected`` is what the filters leave, as shown, and
    ``explorer.chosen`` the id of the entry that was opened; ``explorer.filters`` may be set, for instance
    ``{"kind": {"text": "labels"}, "kappa": {"low": 0.8}}``.
    """

    module: ClassVar[str] = "catalogue"
    _esm = bundle("catalogue")
    _css = STYLE + OWN_STYLE

    ids: traitlets.List[Any] = traitlets.List().tag(sync=True)
    columns: traitlets.List[Any] = traitlets.List().tag(sync=True)
    rows: traitlets.List[Any] = traitlets.List().tag(sync=True)
    about: traitlets.List[Any] = traitlets.List().tag(sync=True)
    series: traitlets.List[Any] = traitlets.List().tag(sync=True)
    other = traitlets.Unicode(MUTED).tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    start: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)

    filters: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)
    sort: traitlets.List[Any] = traitlets.List().tag(sync=True)
    x = traitlets.Unicode().tag(sync=True)
    y = traitlets.Unicode().tag(sync=True)
    colour = traitlets.Unicode().tag(sync=True)
    chosen = traitlets.Unicode().tag(sync=True)

    table = traitlets.Instance(pd.DataFrame)

    @property
    def selected(self) -> pd.DataFrame:
        """The entries that the filters leave, in the order shown."""
        names = [c["name"] for c in self.columns]
        values = [dict(zip(names, row, strict=True)) for row in self.rows]
        left = [k for k, row in enumerate(values) if all(_passes(row[n], f) for n, f in self.filters.items())]
        by, descending = self.sort
        if by:
            stated = [k for k in left if values[k][by] is not None]
            key = {k: v.lower() if isinstance(v := values[k][by], str) else v for k in stated}
            missing = [k for k in left if values[k][by] is None]
            left = sorted(stated, key=key.__getitem__, reverse=descending) + missing
        return self.table.iloc[left]

    def picture(self) -> Figure:
        """Draw the plot as it stands, over the first entries that are left."""
        found = self.selected
        with house_style():
            drawing = blank(height=5.4)
            plot, table = drawing.subplots(2, 1, height_ratios=(3, 2))
            for name, group, colour in self._groups(found):
                plot.plot(
                    group[self.x], group[self.y], "o", color=colour, label=_said(name), mec="white", ms=7
                )
            plot.set(xlabel=_said(label(self.x)), ylabel=_said(label(self.y)))
            if self.colour:
                plot.legend(loc="best")
            table.set_axis_off()
            shown = [c["name"] for c in self.columns if c["shown"]][:5]
            cells = [
                [_said(_say(found[name].iloc[k])) for name in shown] for k in range(min(_LINES, len(found)))
            ]
            table.table(
                cells or [["–"] * len(shown)],
                colLabels=[_said(label(name)) for name in shown],
                loc="center",
                edges="B",
            )
        alt = (
            f"{label(self.y)} against {label(self.x)} of {len(found)} of {len(self.rows)} entries of a "
            f"catalogue, over a table of the first {len(cells)}."
        )
        return Figure(drawing, alt, self.caption)

    def __repr__(self) -> str:
        return f"CatalogueExplorer({len(self.selected)} of {len(self.rows)} entries, chosen {self.chosen!r})"

    def _groups(self, found: pd.DataFrame) -> list[tuple[str, pd.DataFrame, str]]:
        """Part the entries by what colours them, the most frequent first."""
        if not self.colour:
            return [("entries", found, SERIES[0])]
        counts = self.table[self.colour].value_counts(sort=False)
        names = sorted(counts.index, key=lambda name: -counts[name])[: len(SERIES)]
        groups = [(str(n), found[found[self.colour] == n], c) for n, c in zip(names, SERIES, strict=False)]
        rest = found[~found[self.colour].isin(names)]
        return [*groups, ("others", rest, MUTED)] if len(rest) else groups

    def _html(self) -> str:
        return f"<style>{OWN_STYLE}</style>{super()._html()}"


def catalogue(
    entries: str | os.PathLike[str] | pd.DataFrame,
    *,
    caption: str,
    source: Source,
    columns: Sequence[str] | None = None,
    x: str | None = None,
    y: str | None = None,
    colour: str | None = None,
    pictures: Mapping[str, xr.DataArray] | None = None,
    picture_px: int = 240,
    address: str | None = None,
    notice: str | None = None,
) -> CatalogueExplorer:
    """Explore a catalogue: filter and sort its entries, plot two of their numbers, and look at each.

    The page holds all that it needs: it runs with no server and no kernel.

    Parameters
    ----------
    entries : str or path, or pandas.DataFrame
        The folder of a catalogue; or a table as :func:`corrtomo.catalogue.find` returns it, which has no
        pictures but those given.
    caption : str
        What it shows; the source is added.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    columns : sequence of str, optional
        Columns of the table that are shown, in this order; by default those that say most. All are shown of
        the entry that is looked at.
    x, y, colour : str, optional
        What is plotted at the start: two columns of numbers, and one of texts.
    pictures : mapping of str to xarray.DataArray, optional
        Images by the id of their entry, in place of those of the catalogue.
    picture_px : int
        Longer edge of a picture: the middle slice, from 64 to 512 pixels.
    address : str, optional
        Where the folder lies on the web, seen from the page: then each entry links to its OME-Zarr.
    notice : str, optional
        The one thing to notice.

    Returns
    -------
    CatalogueExplorer
        Shows itself in Jupyter and on the static website; ``selected`` and ``chosen`` hold its present state.

    Raises
    ------
    FileNotFoundError
        If there is no catalogue.
    KeyError
        If there is no such column.
    ValueError
        If there is no entry, or more than 5000; if there are no two columns of numbers.

    Notes
    -----
    A picture is of some 5 kB; grey values go from the 1st to the 99th of a hundred, so two pictures cannot be
    compared in brightness. Hashes are not looked at: see :func:`corrtomo.catalogue.check`.
    """
    folder = None if isinstance(entries, pd.DataFrame) else entries
    table = entries if isinstance(entries, pd.DataFrame) else rooms.table(entries)
    _check_table(table, picture_px)
    described = describe_columns(table, columns)
    start = {"filters": {}, "sort": ["", False], "chosen": str(table.index[0])}
    start |= _axes(described, x, y, colour)
    return CatalogueExplorer(
        ids=[str(entry) for entry in table.index],
        columns=described,
        rows=rows_of(table, described),
        about=_about(table, folder, pictures or {}, picture_px, address),
        series=list(SERIES),
        caption=describe(caption, source=source, notice=notice),
        start=start,
        table=table,
        **start,
    )


def _about(
    table: pd.DataFrame,
    folder: str | os.PathLike[str] | None,
    pictures: Mapping[str, xr.DataArray],
    pixels: int,
    address: str | None,
) -> list[dict[str, Any]]:
    """Gather what is known of each entry beside its row."""
    given = {entry: thumbnail(image, pixels) for entry, image in pictures.items()}
    rest = table.loc[[entry not in given for entry in table.index]]
    painted = given | (pictures_of(folder, rest, pixels) if folder is not None else {})
    history = histories(folder) if folder is not None else {}
    links = links_to(folder, table, address) if folder is not None and address else {}
    found = []
    for entry, row in zip(map(str, table.index), table.to_dict("records"), strict=True):
        kept = {k: row[k] for k in ("aligned_onto", "derived_from") if isinstance(row.get(k), str)}
        words = [row.get(k) for k in ("name", "kind")]
        title = " ".join(w for w in words if isinstance(w, str)) or entry
        own = {"title": title, "link": links.get(entry), "history": history.get(entry, [])}
        found.append(kept | own | painted.get(entry, {}))
    return found


def _is_named(table: pd.DataFrame) -> bool:
    """Tell whether each row and column has a name of its own, and columns have words."""
    named = all(isinstance(name, str) for name in table.columns)
    return named and table.index.is_unique and table.columns.is_unique


def _check_table(table: pd.DataFrame, pixels: int) -> None:
    if not 0 < len(table) <= _MOST or "sample" not in table.columns or not _is_named(table):
        raise ValueError(
            f"Cannot explore a table of {len(table)} entries with columns {list(table.columns)[:5]}...: 1 to "
            f"{_MOST} entries, each with an id of its own and a sample, no name twice, are needed. Pass what "
            "ct.catalogue.find(folder, ...) returns."
        )
    if isinstance(pixels, bool) or not isinstance(pixels, int) or not 64 <= pixels <= 512:
        raise ValueError(
            f"Cannot paint pictures of {pixels!r} pixels: a whole number from 64 to 512 is needed. "
            "Leave picture_px out for 240."
        )


def _axes(
    columns: Sequence[Mapping[str, Any]], x: str | None, y: str | None, colour: str | None
) -> dict[str, str]:
    """Choose what is plotted: what was asked for, else what is measured, else voxel sizes."""
    numbers = [c["name"] for c in columns if c["kind"] == "number"]
    texts = [c["name"] for c in columns if c["kind"] == "text"]
    for name, known, kind in ((x, numbers, "numbers"), (y, numbers, "numbers"), (colour, texts, "texts")):
        if name is not None and name not in known:
            raise KeyError(
                f"Cannot plot {name!r}: it is no column of {kind} with a value. "
                f"Allowed are {', '.join(known)}. Pass one of them."
            )
    if len(numbers) < 2:
        raise ValueError(
            f"Cannot plot a catalogue with {len(numbers)} columns of numbers: two are needed. "
            "Pass a table as ct.catalogue.table(folder) returns it."
        )
    usual = [n for n in numbers if not n.startswith(("voxel_", "size_", "megabytes", "alignment_"))]
    first, second, *_ = [*usual, "voxel_x_um", *numbers] if len(usual) < 2 else usual
    return {"x": x or first, "y": y or second, "colour": colour or "sample"}


def _passes(value: Any, asked: Mapping[str, Any]) -> bool:
    """Tell whether a value passes one filter: it holds a text, or lies in a range."""
    if asked.get("text"):
        return value is not None and str(asked["text"]).lower() in str(value).lower()
    low, high = asked.get("low"), asked.get("high")
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def _said(text: str) -> str:
    """Return a text as Matplotlib shows it: $ begins no formula, and _ hides no name."""
    return ("\u200b" if text.startswith("_") else "") + text.replace("$", r"\$")


def _say(value: Any) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)[:18]
