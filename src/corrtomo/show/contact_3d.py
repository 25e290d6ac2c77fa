"""The surface of particles in three dimensions: where binder touches it, and where contact is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch

from ..measure.contact.pair import pair_of
from ..phases import Phase
from .camera import Camera, still
from .checks_3d import check_3d, check_budget, check_cut, check_seen
from .contact import check_occur
from .figure import Figure, Source, check_words, describe
from .figure_3d import Figure3D
from .style import CONTACT, LOST, MUTED, house_style
from .surfaces import Grid, Surface, average, blur, smoothed, surface
from .view_3d import LIGHT, cut_block, fitted, told

_MOSTLY = 2 / 3
"""Share of the faces around a place from which on it counts as contact, or as lost."""
_FEW = 0.1
"""Faces a voxel, of about 1.5 along a surface, below which there is none: inside, and on what is cut."""
_BAR: dict[str, Any] = {
    "orientation": "h",
    "thickness": 12,
    "len": 0.7,
    "y": 1.0,
    "yanchor": "top",
    "outlinewidth": 0,
    "tickvals": [1 / 6, 1 / 2, 5 / 6],
    "ticktext": ["lost contact", "both, or cut", "contact"],
}
_MET, _LOST, _OF = 0, 3, 6
"""Bits of a tally: faces in contact, other faces, and whether the voxel is of the phase."""


def contact_3d(
    labels: xr.DataArray,
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    of: int = Phase.AM,
    touching: int = Phase.CBD,
    cut_um: Sequence[float] | None = None,
    most_triangles: int = 60_000,
) -> Figure3D:
    """Show the surface of one phase as it can be turned, in one colour where another phase touches it.

    The cycling paper finds gaps between particles and binder on sections (its Fig. 3c) and counts them in 3D;
    here they are seen on the particles. Particles and binder as two surfaces: :func:`volume_3d`.

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, dims z, y, x; lazily loaded is fine.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    of : Phase
        Whose surface is shown.
    touching : Phase
        What it is in contact with.
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
    TypeError
        If labels are not integer codes of phases, or an edge of the cut is no number.
    ValueError
        If the image is not 3D, a phase does not occur, or a number lies outside what is allowed.

    Notes
    -----
    Coloured by the voxel faces around each place, counted on the labels as they are and averaged over about a
    voxel of the view: two thirds and more in contact is contact, one third and less is lost, between them and
    on what is cut it is the colour of the phase. Coarsened as :func:`volume_3d`, so gaps that are too thin to
    be drawn still colour the surface. Measure with :func:`corrtomo.measure.contact_fraction`.
    """
    doing = "show contact in 3D"
    check_words(caption=caption, alt=alt, notice=notice)
    pair = pair_of(labels, of, touching, None, doing=doing)
    check_3d(labels, doing)
    _check_edges(cut_um)
    cut, budget = check_cut(cut_um, labels), check_budget(most_triangles)
    tallies = _tallied(labels, int(of), int(touching))
    seen, touches = np.zeros(1, bool), np.zeros(1, bool)

    def build(grid: Grid) -> list[Surface]:
        share, met, lost = average(tallies, grid, _bits(_OF), _bits(_MET), _bits(_LOST))
        seen[0] |= bool(share.any())
        touches[0] |= bool(met.any())
        if grid.shape != labels.shape:
            share, _ = smoothed(share)
        few = _FEW * (share.size / labels.size) ** (1 / 3)  # a coarse voxel holds more volume than surface
        touched, free = blur(met) + few / 2, blur(lost) + few / 2
        shape = cut_block(share, grid, cut)
        return [surface(shape, grid, level_values=shape * touched / (touched + free))]

    surfaces, grid, thinned = fitted(build, tallies, budget)
    check_seen([Phase(of)], seen)
    if not touches[0]:
        check_occur(labels, labels, pair, doing=doing)
    steps = (LOST, Phase(of).colour, CONTACT)
    scale = [[(i + j) / 3, colour] for i, colour in enumerate(steps) for j in (0, 1)]
    look = {"type": "mesh3d", "name": "", "showscale": True, "cmin": 0.0, "cmax": 1.0, "colorscale": scale}
    look |= {"colorbar": _BAR, "hoverinfo": "skip", **LIGHT}
    camera = Camera.on(grid.start_um[::-1], grid.end_um[::-1])
    with house_style():
        drawing = still(surfaces, [_colours(s, steps) for s in surfaces], camera)
        words = ("contact", "lost contact", "both, or cut")
        handles = [
            Patch(facecolor=c, edgecolor=MUTED, label=w)
            for c, w in zip((CONTACT, LOST, steps[1]), words, strict=True)
        ]
        drawing.legend(handles=handles, loc="lower left", ncols=3, handlelength=1.0, columnspacing=1.4)
    text = describe(told(caption, labels, grid, thinned), [labels], source=source, notice=notice)
    return Figure3D(surfaces, [look], camera, grid.step_um[::-1], Figure(drawing, alt, text))


def _check_edges(cut_um: Any) -> None:
    """Refuse edges of a cut that are no numbers."""
    try:
        kind = "f" if cut_um is None else np.asarray(cut_um).dtype.kind
    except ValueError:  # of uneven length
        kind = "O"
    if kind not in "iuf":
        raise TypeError(
            f"Cannot cut a block of {cut_um!r} µm out of a volume: numbers are needed, three edges along z, "
            "y, x. Leave it out to show the volume whole."
        )


def _tallied(labels: xr.DataArray, of: int, touching: int) -> xr.DataArray:
    """Return for each voxel whether it is of the phase, and how many of its faces touch the other or not."""
    data: Any = labels.data
    if labels.chunks is not None:
        data = data.map_overlap(tally, depth=1, boundary="none", dtype=np.uint8, of=of, touching=touching)
    else:
        data = tally(np.asarray(data), of=of, touching=touching)
    return xr.DataArray(data, dims=labels.dims, coords=labels.coords)


def tally(codes: npt.NDArray[Any], *, of: int, touching: int) -> npt.NDArray[np.uint8]:
    """Return the faces of each voxel of a phase as bits: three for those in contact, three for the others.

    Faces towards what is left out, and the border of the array, are neither.
    """
    inside, met = codes == of, codes == touching
    free = ~(inside | met | (codes == Phase.LEFT_OUT))
    out: npt.NDArray[np.uint8] = inside.astype(np.uint8) << _OF
    for axis in range(codes.ndim):
        here, beyond = _neighbours(codes.ndim, axis)
        for at, next_to in ((here, beyond), (beyond, here)):
            out[at] += (inside[at] & met[next_to]).astype(np.uint8) << _MET
            out[at] += (inside[at] & free[next_to]).astype(np.uint8) << _LOST
    return out


def _neighbours(ndim: int, axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return where a voxel and the next one along an axis are."""
    whole = [slice(None)] * ndim
    first, second = list(whole), list(whole)
    first[axis], second[axis] = slice(None, -1), slice(1, None)
    return tuple(first), tuple(second)


def _bits(place: int) -> Callable[[npt.NDArray[Any]], Any]:
    return lambda slab: (slab >> place) & (0b1 if place == _OF else 0b111)


def _colours(surface: Surface, steps: Sequence[str]) -> npt.NDArray[np.floating]:
    """Return the colour of every triangle, by the share in contact around it."""
    if surface.values is None:
        return np.empty((0, 3))
    share = surface.values[surface.triangles].mean(axis=1)
    step = np.searchsorted([1 - _MOSTLY, _MOSTLY], share)
    return np.asarray(np.array([to_rgb(colour) for colour in steps])[step])
