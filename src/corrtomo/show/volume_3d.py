"""Volumes and local sizes as surfaces that can be turned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.patches import Patch

from ..phases import Phase, check_integer
from .camera import Camera, plain, still
from .checks_3d import (
    check_3d,
    check_budget,
    check_cut,
    check_limits,
    check_opacities,
    check_phases,
    check_seen,
    check_sizes,
)
from .figure import Figure, Source, check_words, describe
from .figure_3d import Figure3D
from .style import MUTED, house_style
from .surfaces import Grid, Surface, average, blur, smoothed, surface
from .view_3d import LIGHT, cut_block, fitted, told

SIZES = "viridis"
"""Colours of local sizes: even steps, blue to yellow, told apart with any colour vision and in any light."""
_BAR = {
    "title": {"text": "local diameter (µm)", "side": "top"},
    "orientation": "h",
    "thickness": 12,
    "len": 0.7,
    "y": 1.0,
    "yanchor": "top",
    "outlinewidth": 0,
}


def volume_3d(
    labels: xr.DataArray,
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    phases: Sequence[Phase] = (Phase.CBD, Phase.AM),
    opacity: float | Mapping[Phase, float] = 1.0,
    cut_um: Sequence[float] | None = None,
    most_triangles: int = 60_000,
) -> Figure3D:
    """Show the phases of a volume as closed surfaces that can be turned, each switched by its name.

    A slice cannot show what is connected. The paper shows its large volume so (Sci. Rep. 6, 30109,
    "Ternary Segmentation of a Representative Xt Dataset", Figure 5a).

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, dims z, y, x; lazily loaded is fine.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    phases : sequence of Phase
        The phases that are drawn; all others are left empty.
    opacity : float or mapping of Phase to float
        1 is solid, towards 0 clear.
    cut_um : sequence of float, optional
        Edges along z, y, x in µm of a block that is cut away at the corner nearest to the reader, so that the
        inside shows.
    most_triangles : int
        What the view may weigh; a page carries some 6 bytes a triangle.

    Returns
    -------
    Figure3D
        The view, and a picture of it.

    Raises
    ------
    TypeError
        If labels are not integer codes.
    ValueError
        If the image is not 3D, a phase does not occur, or a number lies outside what is allowed.

    Notes
    -----
    A volume with more surface than `most_triangles` can hold is averaged onto larger voxels and smoothed by
    0.7 of one, at the level that makes up for what this wears away: features thinner than about two can be
    missing or joined, and then the caption says how large they are. The surfaces are then thinned out where
    they are flat. Measure on the labels, not on the view. Where the volume ends the surfaces are closed, flat
    on its faces.
    """
    doing = "show a volume in 3D"
    check_words(caption=caption, alt=alt, notice=notice)
    check_integer(labels, doing=doing)
    check_3d(labels, doing)
    shown = check_phases(phases)
    clear = check_opacities(opacity, shown)
    budget = check_budget(most_triangles)
    parts = [_is_phase(phase) for phase in shown]
    seen = np.zeros(len(shown), bool)

    def build(grid: Grid) -> list[Surface]:
        shares = average(labels, grid, *parts)
        np.logical_or(seen, [bool(share.any()) for share in shares], out=seen)
        if grid.shape != labels.shape:
            shares = [smoothed(share)[0] for share in shares]
        return [surface(cut_block(share, grid, cut), grid) for share in shares]

    cut = check_cut(cut_um, labels)
    surfaces, grid, thinned = fitted(build, labels, budget)
    check_seen(shown, seen)
    looks = [
        {"type": "mesh3d", "name": phase.label, "color": phase.colour, "opacity": clear[phase]}
        | {"showlegend": True, "hoverinfo": "skip", **LIGHT}
        for phase in shown
    ]
    camera = Camera.on(grid.start_um[::-1], grid.end_um[::-1])
    with house_style():
        drawing = still(surfaces, [plain(p.colour, s) for p, s in zip(shown, surfaces, strict=True)], camera)
        handles = [Patch(facecolor=p.colour, edgecolor=MUTED, label=p.label) for p in shown]
        drawing.legend(handles=handles, loc="lower left", ncols=3, handlelength=1.0, columnspacing=1.4)
    words = describe(told(caption, labels, grid, thinned), [labels], source=source, notice=notice)
    return Figure3D(surfaces, looks, camera, grid.step_um[::-1], Figure(drawing, alt, words))


def thickness_3d(
    thickness: xr.DataArray,
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    limits_um: tuple[float, float] | None = None,
    cut_um: Sequence[float] | None = None,
    most_triangles: int = 60_000,
) -> Figure3D:
    """Show grains or pores as a closed surface that can be turned, coloured by local diameter.

    Where a volume is coarse and where it is fine tells whether it is homogeneous (Sci. Rep. 6, 30109,
    "Ternary Segmentation of a Representative Xt Dataset", Figure 5b and c).

    Parameters
    ----------
    thickness : xarray.DataArray
        Local diameter in µm, 0 outside, dims z, y, x, as of :func:`corrtomo.measure.local_thickness`.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    limits_um : tuple of float, optional
        Diameters at the ends of the colour bar, to compare views; by default 0 and the largest one.
    cut_um : sequence of float, optional
        Edges along z, y, x in µm of a block that is cut away at the corner nearest to the reader.
    most_triangles : int
        What the view may weigh.

    Returns
    -------
    Figure3D
        The view, and a picture of it.

    Raises
    ------
    ValueError
        If the image is not 3D, has no voxel above 0, or holds a diameter that cannot be.

    Notes
    -----
    Coarsened as :func:`volume_3d`; colours are then means over what is inside a larger voxel, so single
    extremes are paler than they are. A diameter beyond the limits has the colour of the limit.
    """
    doing = "show local sizes in 3D"
    check_words(caption=caption, alt=alt, notice=notice)
    check_3d(thickness, doing)
    largest = check_sizes(thickness, doing=doing)
    low, high = check_limits(limits_um, largest)
    cut, budget = check_cut(cut_um, thickness), check_budget(most_triangles)

    def build(grid: Grid) -> list[Surface]:
        share, size = average(thickness, grid, lambda slab: slab > 0, np.nan_to_num)
        if grid.shape != thickness.shape:
            share, smooth = smoothed(share)
            size = np.asarray(share * blur(size) / np.maximum(smooth, 1e-6), np.float32)
        left = cut_block(share, grid, cut)
        # A cut takes of the sizes what it takes of the share.
        size = np.asarray(size * left / np.maximum(share, 1e-6), np.float32)
        return [surface(left, grid, level_values=size)]

    surfaces, grid, thinned = fitted(build, thickness, budget)
    look = {
        "type": "mesh3d",
        "name": "",
        "showscale": True,
        "cmin": low,
        "cmax": high,
        "colorscale": _scale(),
    }
    look |= {"colorbar": _BAR}
    look |= {"hovertemplate": "%{intensity:.2f} µm<extra></extra>", **LIGHT}
    camera = Camera.on(grid.start_um[::-1], grid.end_um[::-1])
    with house_style():
        norm = mpl.colors.Normalize(low, high)
        drawing = still(surfaces, [_size_colours(s, norm) for s in surfaces], camera)
        height = drawing.get_figheight()
        bar = drawing.add_axes((0.33, 0.42 / height, 0.5, 0.13 / height))
        paint = mpl.cm.ScalarMappable(norm, SIZES)
        drawing.colorbar(paint, cax=bar, orientation="horizontal")
        drawing.text(0.31, 0.485 / height, "local diameter (µm)", ha="right", va="center", fontsize=11)
    words = describe(told(caption, thickness, grid, thinned), [thickness], source=source, notice=notice)
    return Figure3D(surfaces, [look], camera, grid.step_um[::-1], Figure(drawing, alt, words))


def _is_phase(phase: Phase) -> Callable[[npt.NDArray[Any]], Any]:
    return lambda slab: slab == int(phase)


def _size_colours(surface: Surface, norm: mpl.colors.Normalize) -> npt.NDArray[np.floating]:
    if surface.values is None:
        return np.empty((0, 3))
    mean = surface.values[surface.triangles].mean(axis=1)
    return np.asarray(mpl.colormaps[SIZES](norm(mean)))[:, :3]


def _scale() -> list[list[Any]]:
    """Return the colours of sizes as plotly takes them."""
    return [[i / 10, mpl.colors.to_hex(mpl.colormaps[SIZES](i / 10))] for i in range(11)]
