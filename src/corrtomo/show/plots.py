"""Plots of numbers: histograms with thresholds, kappa at every pair of thresholds."""

from __future__ import annotations

from collections.abc import Mapping

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
    check_words(caption=caption, alt=alt, notice=notice)
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
    check_words(caption=caption, alt=alt, notice=notice)
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
    check_words(caption=caption, alt=alt, notice=notice)
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


def _kind(thing: object) -> str:
    return f"dims {thing.dims}" if isinstance(thing, xr.DataArray) else f"a {type(thing).__name__}"
