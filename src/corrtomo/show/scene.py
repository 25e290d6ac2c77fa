"""A scene as a graph: images over the lengths that they span, alignments at the lengths of their errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.figure
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from ..register import Scene
from .figure import Figure, Source, check_words, describe
from .style import ACCENT, MUTED, TOO_DARK, blank, house_style, say_length

_BAR = "#d7e4ee"
_HIGH = 0.42
"""Height of a bar, in rows."""
_TEXT = 0.17
"""Share of the axis that the text of an error takes."""
_BOW = 0.035
"""Share of the axis by which a line bows for each row that it passes."""
_DASHES = (0, (3, 1.5))
Curve = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
Place = tuple[float, float]


def scene(
    scene: Scene,
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
) -> Figure:
    """Show a scene as a graph: images as bars, alignments as lines that join them.

    A chain of alignments is as sure as its worst one. Drawn over one axis of lengths, from the finest voxel
    to the width of the cell, the one to mend is the line at the far right.

    Parameters
    ----------
    scene : Scene
        Images or grids, and the alignments between them.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.

    Returns
    -------
    Figure
        A row an image, in the order of the scene: its bar reaches from its voxel to its width. A line with
        two dots joins two images; the dots are at its stated error, in the length of the image that it leads
        to. What was stated as exact stands at the left end. Loops that contradict themselves are dashed.

    Raises
    ------
    TypeError, ValueError
        If it is no scene, it holds no image, or a text is empty.
    """
    check_words(caption=caption, alt=alt, notice=notice)
    _check_scene(scene)
    images, edges = scene.table(), scene.alignments()
    ends = images[["voxel_um", "width_um"]].map(say_length)
    said = (images.image + "\n" + ends.voxel_um + " to " + ends.width_um).tolist()
    with house_style():
        drawing = blank(height=1.6 + 0.75 * len(images))
        axes = drawing.subplots()
        low, high = _ends(images, edges)
        starts, widths = images.voxel_um, images.width_um - images.voxel_um
        axes.barh(range(len(images)), widths, _HIGH, left=starts, color=_BAR, edgecolor=MUTED, lw=0.8)
        _draw_edges(axes, images.image.tolist(), edges, low, high)
        axes.set_yticks(range(len(images)), said)
        axes.set(xscale="log", xlim=(low, high), ylim=(len(images) - 0.5, -0.5), xlabel="length")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        _say_lengths(axes, low, high)
        _add_legend(drawing, edges)
    return Figure(drawing, alt, describe(caption, source=source, notice=notice))


def _ends(images: pd.DataFrame, edges: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis, beyond all that is drawn: by more on the left, for a text."""
    lengths = np.concatenate([images.voxel_um, images.width_um, edges.error_um[edges.error_um > 0]])
    return float(lengths.min()) / 10, float(lengths.max()) * 3


def _draw_edges(axes: Axes, names: list[str], edges: pd.DataFrame, low: float, high: float) -> None:
    """Draw the alignments, each at its error, with that in words where there is most room."""
    pairs = edges[["moving", "fixed"]].to_numpy()
    ends = [sorted(names.index(name) for name in pair) for pair in pairs]
    errors = edges.error_um.to_numpy(float)
    places = np.log10(np.maximum(errors, 1.3 * low))
    span = float(np.log10(high / low))
    curves = [_curve(at, pair, span) for at, pair in zip(places, ends, strict=True)]
    texts: list[Place] = []
    for i, contradicts in enumerate(edges.contradicts):
        others = [curve for k, curve in enumerate(curves) if k != i]
        spot = _spot(curves[i], ends[i], _TEXT * span, texts, others)
        texts.append(spot)
        look: dict[str, Any] = {"color": TOO_DARK if contradicts else ACCENT}
        axes.plot(10 ** curves[i][0], curves[i][1], ls=_DASHES if contradicts else "-", zorder=3, **look)
        axes.plot([10 ** places[i]] * 2, ends[i], "o", ls="none", mec="white", ms=9, zorder=4, **look)
        words: dict[str, Any] = {"ha": "center", "va": "center", "fontweight": "bold", "zorder": 5}
        rim = [withStroke(linewidth=3, foreground="white")]
        axes.text(10 ** spot[0], spot[1], say_length(errors[i]), path_effects=rim, **words, **look)


def _curve(at: float, ends: Sequence[int], span: float) -> Curve:
    """Return the line of an alignment: straight to the next row, bowed past others, so that all are seen."""
    rows = np.linspace(ends[0], ends[1], 41)
    share = (rows - ends[0]) / (ends[1] - ends[0])
    return at + 4 * _BOW * span * (ends[1] - ends[0] - 1) * share * (1 - share), rows


def _spot(
    own: Curve, ends: Sequence[int], wide: float, texts: Sequence[Place], others: Sequence[Curve]
) -> Place:
    """Return where the text of an alignment has most room: beside its line, between two rows."""
    spots = []
    for row in np.arange(ends[0], ends[1]) + 0.5:
        at = float(np.interp(row, own[1], own[0]))
        spots += [(at + side * 0.6 * wide, float(row)) for side in (1, -1)]

    def crowding(spot: Place) -> float:
        over = [max(0.0, 1 - abs(spot[0] - x) / wide) for x, y in texts if abs(spot[1] - y) < 0.5]
        through = [np.abs(x - spot[0])[np.abs(y - spot[1]) < 0.2] < 0.5 * wide for x, y in others]
        return sum(over) + 0.2 * sum(bool(line.any()) for line in through)

    return min(spots, key=crowding)


def _say_lengths(axes: Axes, low: float, high: float) -> None:
    """Put lengths at decades of the axis, every other one where there are many."""
    decades = np.arange(np.ceil(np.log10(low)), np.floor(np.log10(high)) + 1)
    decades = decades[:: 1 if len(decades) < 6 else 2]
    axes.set_xticks(10.0**decades, [say_length(v) for v in 10.0**decades])
    axes.minorticks_off()


def _add_legend(drawing: matplotlib.figure.Figure, edges: pd.DataFrame) -> None:
    """Say what bars and lines are."""
    bar = Line2D([], [], color=_BAR, lw=9, label="image: voxel to width")
    kinds = [bar]
    if not edges.contradicts.all():
        kinds.append(
            Line2D([], [], color=ACCENT, marker="o", mec="white", ms=9, label="alignment: its error")
        )
    if edges.contradicts.any():
        said = "in a loop that contradicts itself"
        kinds.append(Line2D([], [], color=TOO_DARK, ls=_DASHES, marker="o", mec="white", ms=9, label=said))
    drawing.legend(handles=kinds, loc="outside upper left", ncols=2, handlelength=2.0)


def _check_scene(given: object) -> None:
    if not isinstance(given, Scene) or not given.grids:
        what = "a scene without images" if isinstance(given, Scene) else f"a {type(given).__name__}"
        raise (ValueError if isinstance(given, Scene) else TypeError)(
            f"Cannot show {what} as a graph: a ct.register.Scene with an image or more is needed. Make one "
            "with scene = ct.register.Scene(), and scene.add(name, image)."
        )
