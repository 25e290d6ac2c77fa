"""Sizes of grains and pores: densities, and maps in slices."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import matplotlib as mpl
import matplotlib.figure
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from ..phases import Phase
from .checks_3d import check_limits, check_sizes
from .figure import Figure, Source, check_words, describe
from .layout import row
from .panels import cut
from .style import INK, MUTED, SERIES, blank, house_style
from .volume_3d import SIZES

_OUTSIDE = "#eef0f2"
_BAR = 0.62  # inches below the panels for a colour bar


def sizes(
    densities: Mapping[str, xr.DataArray],
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    fits: Mapping[str, xr.DataArray] | None = None,
    marks: Mapping[str, float] | None = None,
    published: Mapping[str, tuple[float, float]] | None = None,
    resolution_um: float | None = None,
    limit_um: float | None = None,
) -> Figure:
    """Show how much of a phase has which local diameter, beside fits and published numbers.

    The paper compares segmentations so (Sci. Rep. 6, 30109, "Estimation of Pore and Grain Size
    Distributions", Figures 2b, 3b, 5d and 5e).

    Parameters
    ----------
    densities : mapping of str to xarray.DataArray
        Name, and density per µm with the dim ``diameter_um``, as of :func:`corrtomo.measure.size_density`.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    fits : mapping of str to xarray.DataArray, optional
        Fitted density by the name of what it was fitted to; drawn dashed in its colour.
    marks : mapping of str to float, optional
        Name and diameter in µm of our own peaks and means; drawn as short ticks on the axis.
    published : mapping of str to tuple of float, optional
        Name, diameter in µm and half of its last printed digit (4.0 -> 0.05) of published peaks and means.
    resolution_um : float, optional
        Diameters below it are shaded: sizes finer than the voxel are not sizes of the specimen.
    limit_um : float, optional
        Where the axis ends; by default beyond all but 0.1 % of each curve.

    Returns
    -------
    Figure
        Curves over the diameter in µm.

    Raises
    ------
    ValueError
        If there is no density, one has other dims or values that cannot be, or a fit has no density.
    """
    check_words(caption=caption, alt=alt, notice=notice)
    _check_densities(densities, fits or {})
    named = {**(marks or {}), **{k: v[0] for k, v in (published or {}).items()}}
    for name, value in {**named, "resolution_um": resolution_um, "limit_um": limit_um}.items():
        _check_length(name, value)
    with house_style():
        drawing = blank(height=4.3)
        axes = drawing.subplots()
        end = limit_um or 1.05 * max([*map(_reach, densities.values()), *named.values()])
        _draw_densities(axes, densities, fits or {})
        axes.set(xlabel="local diameter (µm)", ylabel="density (1/µm)", xlim=(0, end), ylim=(0, None))
        axes.set_ylim(0, 1.04 * axes.get_ylim()[1])
        _shade_unresolved(axes, resolution_um)
        _name_sizes(axes, marks or {}, published or {})
        drawing.legend(loc="outside lower left", ncols=2, handlelength=1.8)
    return Figure(drawing, alt, describe(caption, source=source, notice=notice))


def thickness(
    maps: Mapping[str, xr.DataArray],
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    limits_um: tuple[float, float] | None = None,
    at_um: float | None = None,
    index: int | None = None,
    label: str = "local diameter (µm)",
) -> Figure:
    """Show slices of local size side by side, in colours that mean the same diameter in each.

    Parameters
    ----------
    maps : mapping of str to xarray.DataArray
        Title, and local diameter in µm, 0 outside, 2D or 3D, as of :func:`corrtomo.measure.local_thickness`.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    limits_um : tuple of float, optional
        Diameters at the ends of the colour bar; by default 0 and the largest one in these slices.
    at_um, index : optional
        The slice, by its position along z in µm or by its number; the middle one by default.
    label : str
        What the colours mean, with its unit, for maps of other lengths: thickness of a layer, a height.

    Returns
    -------
    Figure
        One lettered panel a map with a scale bar, and one colour bar for all; outside is pale grey, and what
        is left out (NaN) in the colour of left-out voxels.

    Raises
    ------
    ValueError
        If there is no map, or one holds a diameter that cannot be.

    Notes
    -----
    The diameter is that of the largest ball in 3D: a small section of a large grain has the grain's colour.
    """
    doing = "show slices of local size"
    check_words(caption=caption, alt=alt, notice=notice, label=label)
    if not maps:
        raise ValueError(
            "Cannot show slices of local size: the mapping holds no map. One or more are needed. "
            "Pass {'FIB-SEM': ct.measure.local_thickness(mask)}."
        )
    for image in maps.values():
        check_sizes(image, doing=doing)
    cuts = {title: cut(image, at_um=at_um, index=index, gaps=True) for title, image in maps.items()}
    low, high = check_limits(limits_um, max(float(a.max()) for a in cuts.values()) or 1.0)
    with house_style():
        norm = mpl.colors.Normalize(low, high)
        painted = {title: _paint_sizes(image.values, norm) for title, image in cuts.items()}
        drawing = row(painted, list(cuts.values()), [], below=_BAR)
        _size_bar(drawing, norm, label)
    return Figure(drawing, alt, describe(caption, list(maps.values()), source=source, notice=notice))


def _draw_densities(
    axes: Axes, densities: Mapping[str, xr.DataArray], fits: Mapping[str, xr.DataArray]
) -> None:
    for (name, density), colour in zip(densities.items(), cycle(SERIES), strict=False):
        x, y = density.diameter_um.values, density.values
        axes.plot(x, y, color=colour, label=name, zorder=3)
        axes.fill_between(x, y, color=colour, alpha=0.08, lw=0)
        if name in fits:
            at, fit = fits[name].diameter_um.values, fits[name].values
            axes.plot(at, fit, color=colour, ls=(0, (4, 2)), lw=1.6, label=f"{name}, fit", zorder=4)


def _reach(density: xr.DataArray) -> float:
    """Return the diameter beyond which lies a thousandth of a density."""
    x, y = density.diameter_um.values, density.values
    area = np.concatenate([[0.0], np.cumsum(np.diff(x) * (y[1:] + y[:-1]) / 2)])
    return float(x[min(int(np.searchsorted(area, 0.999 * area[-1])), x.size - 1)])


def _shade_unresolved(axes: Axes, resolution_um: float | None) -> None:
    if resolution_um is not None:
        axes.axvspan(
            0,
            resolution_um,
            facecolor="#e3e6ea",
            edgecolor="#c3c9d0",
            hatch="////",
            lw=0,
            zorder=0,
            label=f"below the resolution, {resolution_um:g} µm",
        )


def _name_sizes(axes: Axes, marks: Mapping[str, float], published: Mapping[str, tuple[float, float]]) -> None:
    """Draw published sizes as bands and our own as triangles on the axis; their names stand in the legend."""
    for i, (name, (value, half)) in enumerate(published.items()):
        style = ("-", (0, (6, 2)), (0, (1, 1.2)))[i % 3]
        axes.axvspan(value - half, value + half, color=MUTED, alpha=0.25, lw=0, zorder=1)
        axes.axvline(value, color=MUTED, lw=1.6, ls=style, zorder=2, label=f"{name}, {value:g} µm")
    for marker, (name, value) in zip("v^D*so" * len(marks), marks.items(), strict=False):
        axes.plot(
            value,
            0.035,
            marker,
            color=INK,
            mec="white",
            ms=9,
            ls="none",
            clip_on=False,
            zorder=6,
            transform=axes.get_xaxis_transform(),
            label=f"{name}, {value:.3g} µm",
        )


def _paint_sizes(values: np.ndarray, norm: mpl.colors.Normalize) -> np.ndarray:
    painted = mpl.colormaps[SIZES](norm(values), bytes=True)[..., :3]
    for where, colour in ((values == 0, _OUTSIDE), (np.isnan(values), Phase.LEFT_OUT.colour)):
        painted[where] = np.rint(255 * np.array(mpl.colors.to_rgb(colour)))
    return np.asarray(painted)


def _size_bar(drawing: matplotlib.figure.Figure, norm: mpl.colors.Normalize, label: str) -> None:
    width, height = drawing.get_size_inches()
    length = min(3.4, 0.55 * width)
    left = width - length - 0.2
    bar = drawing.add_axes((left / width, 0.36 / height, length / width, 0.13 / height))
    drawing.colorbar(mpl.cm.ScalarMappable(norm, SIZES), cax=bar, orientation="horizontal")
    drawing.text((left - 0.12) / width, 0.425 / height, label, ha="right", va="center")


def _check_densities(densities: Mapping[str, xr.DataArray], fits: Mapping[str, xr.DataArray]) -> None:
    if not densities:
        raise ValueError(
            "Cannot show sizes: the mapping holds no density. One or more are needed. "
            "Pass {'pores': ct.measure.size_density(thickness, bandwidth_um)}."
        )
    for name, density in [*densities.items(), *fits.items()]:
        if not isinstance(density, xr.DataArray) or density.dims != ("diameter_um",) or density.size < 2:
            given = f"dims {density.dims}" if isinstance(density, xr.DataArray) else type(density).__name__
            raise ValueError(
                f"Cannot show sizes of {name!r}: {given} given, but a density over the one dim 'diameter_um' "
                "is needed, at two diameters or more. Make one with ct.measure.size_density()."
            )
        at, values = density.diameter_um.values, density.values
        if not (np.isfinite(values).all() and np.isfinite(at).all() and (values >= 0).all()):
            raise ValueError(
                f"Cannot show sizes of {name!r}: a density is finite and not below 0 at finite diameters. "
                "Make one with ct.measure.size_density()."
            )
        if not (np.diff(at) > 0).all():
            raise ValueError(
                f"Cannot show sizes of {name!r}: its diameters must ascend. "
                "Sort it first with density.sortby('diameter_um')."
            )
    unknown = [name for name in fits if name not in densities]
    if unknown:
        raise ValueError(
            f"Cannot show sizes: {unknown} have a fit, but no density. Allowed are the names "
            f"{list(densities)}. Use the same name for both."
        )


def _check_length(name: str, value: float | None) -> None:
    if value is not None and not 0 < value < np.inf:
        raise ValueError(
            f"Cannot show sizes with {name} at {value!r} µm: a diameter is finite and above 0. "
            "State it in µm, for instance 0.438."
        )
