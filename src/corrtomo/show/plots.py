"""Plots of numbers: histograms with thresholds, kappa at every pair of thresholds, spread over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from ..checks import check_finite
from ..phases import Phase
from ..volume import check_image
from .figure import Figure, Source, check_words, describe
from .style import ACCENT, INK, SERIES, blank, house_style

_BARS = "#b9c2cb"


def histogram(
    image: xr.DataArray,
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    thresholds: Mapping[str, float] | None = None,
    kappa: xr.DataArray | None = None,
) -> Figure:
    """Show how often each grey value occurs, with named thresholds and kappa at every threshold.

    Parameters
    ----------
    image : xarray.DataArray
        Grey values, any dims; 8-bit images get a bar for every grey value, all others 256 bars.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    thresholds : mapping of str to float, optional
        Name and grey value of each threshold; it lies between this grey value and the next one.
    kappa : xarray.DataArray, optional
        Cohen's kappa by threshold (dim ``threshold``), drawn over the bars on its own scale.

    Returns
    -------
    Figure
        Share of voxels (%) by grey value.
    """
    check_words(alt=alt, notice=notice)
    check_image(image)
    check_finite(image, doing="show a histogram")
    edges, share = _shares(image.values)
    step = edges[1] - edges[0]
    with house_style():
        drawing = blank(height=4.0)
        axes = drawing.subplots()
        axes.stairs(share, edges, fill=True, color=_BARS)
        axes.set(xlabel="grey value", ylabel="voxels (%)", xlim=(edges[0], edges[-1]), ylim=(0, None))
        if kappa is not None:
            draw_curve(axes, kappa, step)
        _name_thresholds(axes, thresholds or {}, step)
    return Figure(drawing, alt, describe(caption, [image], source=source, notice=notice))


def phase_histogram(
    joint: xr.DataArray,
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    thresholds: Mapping[str, float] | None = None,
) -> Figure:
    """Show how often each grey value occurs in each true phase, all phases to the same area.

    Parameters
    ----------
    joint : xarray.DataArray
        Voxels by phase and grey value (dims ``phase, grey``), from :func:`corrtomo.measure.joint_histogram`.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    thresholds : mapping of str to float, optional
        Name and grey value of each threshold; it lies between this grey value and the next one.

    Returns
    -------
    Figure
        Share of the voxels of each phase (%) by grey value: where two curves overlap, no threshold parts
        them.
    """
    check_words(alt=alt, notice=notice)
    if not isinstance(joint, xr.DataArray) or joint.dims != ("phase", "grey"):
        raise ValueError(
            f"Cannot show a histogram by phase of {_kind(joint)}: dims ('phase', 'grey') are needed. "
            "Make one with ct.measure.joint_histogram()."
        )
    if not np.issubdtype(joint.dtype, np.integer) or (joint < 0).any() or not joint.any():
        raise ValueError(
            "Cannot show a histogram by phase: the table must hold numbers of voxels, whole, none below 0, "
            "not all 0; shares are made here. Pass ct.measure.joint_histogram() as it is."
        )
    counts = joint.sum("grey")
    with house_style():
        drawing = blank(height=3.8)
        axes = drawing.subplots()
        greys = joint.grey.values
        edges = np.append(greys - 0.5, greys[-1] + 0.5)
        for code in joint.phase.values[counts.values > 0]:
            phase = Phase(int(code))
            share = 100 * joint.sel(phase=code).values / int(counts.sel(phase=code))
            axes.stairs(share, edges, fill=True, color=phase.colour, alpha=0.45)
            axes.stairs(share, edges, color=phase.colour, linewidth=2.0, label=phase.label)
        axes.set(xlabel="grey value", ylabel="voxels of the phase (%)", ylim=(0, None))
        axes.set_xlim(edges[0], edges[-1])
        _name_thresholds(axes, thresholds or {}, 1.0)
        drawing.legend(loc="outside lower center", ncols=3)
    return Figure(drawing, alt, describe(caption, source=source, notice=notice))


def kappa_map(
    kappa_pairs: xr.DataArray,
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    pairs: Mapping[str, tuple[float, float]] | None = None,
) -> Figure:
    """Show kappa for every pair of a lower and an upper threshold, with the best pair marked.

    Parameters
    ----------
    kappa_pairs : xarray.DataArray
        Kappa with dims ``lower, upper``; NaN where there is no such pair.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    pairs : mapping of str to tuple of float, optional
        Name, lower and upper threshold of further pairs to mark.

    Returns
    -------
    Figure
        A map with lines at kappa 0.2, 0.4, 0.6 and 0.8.
    """
    check_words(alt=alt, notice=notice)
    if not isinstance(kappa_pairs, xr.DataArray) or kappa_pairs.dims != ("lower", "upper"):
        raise ValueError(
            f"Cannot show a kappa map of {_kind(kappa_pairs)}: dims ('lower', 'upper') are needed. "
            "Make one with ct.measure.kappa_by_threshold_pair()."
        )
    values = kappa_pairs.values
    i, j = np.unravel_index(int(np.nanargmax(values)), values.shape)
    lower, upper = kappa_pairs.lower.values, kappa_pairs.upper.values
    best = {f"best, κ {values[i, j]:.2f}": (float(lower[i]), float(upper[j]))}
    with house_style():
        drawing = blank(5.6, 4.6)
        axes = drawing.subplots()
        shown = axes.pcolormesh(upper, lower, values, cmap="cividis", vmin=0, vmax=1, rasterized=True)
        levels = [0.2, 0.4, 0.6, 0.8]
        lines = axes.contour(upper, lower, values, levels=levels, colors="white", linewidths=1.0)
        axes.clabel(lines, fmt="%.1f", fontsize=10)
        drawing.colorbar(shown, ax=axes, label="Cohen's κ")
        for marker, (name, (low, high)) in zip("*oDs^v", (best | dict(pairs or {})).items(), strict=False):
            size = 15 if marker == "*" else 9
            axes.plot(high, low, marker, color="white", mec=INK, ms=size, label=name, ls="none")
        axes.set(xlabel="upper threshold (grey value)", ylabel="lower threshold (grey value)", aspect="equal")
        axes.legend(loc="upper left", handletextpad=0.2)
    return Figure(drawing, alt, describe(caption, source=source, notice=notice))


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

    Returns
    -------
    Figure
        One row a result: a dot for each value, its interval, and the published value with its rounding.
    """
    check_words(alt=alt, notice=notice, label=label)
    _check_names(values, intervals or {}, published or {})
    rows = list(values)
    with house_style():
        drawing = blank(height=1.1 + 0.62 * len(rows))
        axes = drawing.subplots()
        for i, name in enumerate(rows):
            _spread_row(axes, i, values[name], (intervals or {}).get(name), (published or {}).get(name))
        axes.set_yticks(range(len(rows)), rows)
        axes.set(xlabel=label, ylim=(len(rows) - 0.45, -0.55))
        axes.margins(x=0.08)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        handles, names = axes.get_legend_handles_labels()
        once = dict(zip(names, handles, strict=True))
        drawing.legend(once.values(), once.keys(), loc="outside upper left", ncols=3, handletextpad=0.5)
    return Figure(drawing, alt, describe(caption, source=source, notice=notice))


def _shares(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return bin edges and the share of voxels in each bin, in percent."""
    flat = values.ravel()
    if values.dtype == np.uint8:
        counts, edges = np.bincount(flat, minlength=256), np.arange(257) - 0.5
    else:
        counts, edges = np.histogram(flat, bins=256)
    return edges, 100 * counts / flat.size


def draw_curve(axes: Axes, kappa: xr.DataArray, step: float) -> None:
    """Draw kappa by threshold over a histogram whose grey values are `step` apart."""
    twin = axes.twinx()
    twin.plot(kappa.threshold.values + step / 2, kappa.values, color=ACCENT)
    twin.set(ylim=(min(0.0, float(kappa.min())), 1.0))
    twin.set_ylabel("Cohen's κ", color=ACCENT)
    twin.tick_params(axis="y", colors=ACCENT, labelcolor=ACCENT)
    twin.spines["right"].set(visible=True, color=ACCENT)


def _name_thresholds(axes: Axes, thresholds: Mapping[str, float], step: float) -> None:
    """Draw a line at each threshold and name it above the plot, each name in a row of its own."""
    low, high = axes.get_xlim()
    ordered = sorted(thresholds.items(), key=lambda item: item[1])
    for i, (name, value) in enumerate(ordered):
        colour, row = SERIES[(i + 1) % len(SERIES)], len(ordered) - 1 - i
        x = value + step / 2
        on_left = x < low + 0.7 * (high - low)
        corner = (0.0 if on_left else 1.0, 0.0)
        axes.axvline(x, color=colour, linewidth=1.8, linestyle=(0, (4, 2)), zorder=5)
        axes.annotate(
            f" {name} {value:g} ",  # the blank keeps the word off its line
            (x, 1.0),
            (0, 5 + 16 * row),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            ha="left" if on_left else "right",
            color=colour,
            fontweight="bold",
            fontsize=11,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 1.8, "ls": (0, (4, 2)), "relpos": corner},
        )


def _spread_row(
    axes: Axes,
    row: int,
    values: Sequence[float],
    interval: tuple[float, float] | None,
    published: tuple[float, float] | None,
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
    axes.plot(dots, at, "o", color=ACCENT, mec="white", ms=8, alpha=0.9, label="one run each")


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


def _kind(thing: object) -> str:
    return f"dims {thing.dims}" if isinstance(thing, xr.DataArray) else f"a {type(thing).__name__}"
