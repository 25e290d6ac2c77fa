"""Where to mill: the defects of a pillar as a table, what costs least to reach first."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ...checks import check_length, check_same_grid, check_spatial
from ...volume import check_image, origin, voxel_size
from ..connected import End
from ..cracks import parts
from ..options import check_between
from .defect_labels import numbers_of
from .defect_shape import extents
from .pillar_surface import cover, to_side

_DOING = "rank defects"
_SHAPE = ("volume_um3", "equivalent_diameter_um", "thickness_um", "extent_um", "breadth_um", "flatness")
_PLACE = ("z_um", "y_um", "x_um", "depth_um", "side_um")
_COST = ("milled_um3", "score")
_BRIDGED = 5.0
_FULL = 0.5
"""Share of the particles that defects fill at most: more is a particle taken for a defect."""


def defects(
    numbers: xr.DataArray,
    particles: xr.DataArray,
    *,
    top: End = "first",
    flat: float = 3.0,
    bridged_um: float = _BRIDGED,
) -> pd.DataFrame:
    """Measure and rank the defects of a pillar: which pore or crack is worth milling first.

    The nanoCT and SIMS paper picks particle-internal pores and cracks by eye, mills to them, and maps what
    lies there ("Results and Discussion", Figs 2 and 4, doi:10.1017/S1431927622012405); it asks for the search
    to be automated ("Conclusion and Outlook").

    Parameters
    ----------
    numbers : xarray.DataArray
        Numbers of defects, dims z, y, x, from :func:`defect_labels`.
    particles : xarray.DataArray
        Numbers of particles on the same grid, from :func:`whole_particles`.
    top : {"first", "last"}
        At which end of z the pillar is milled: where z is lowest or highest.
    flat : float
        From 1.5: a defect is a crack if its flatness is this or more, else a pore.
    bridged_um : float
        Width in µm of the widest opening in the surface of the pillar that its surface goes over; above 5,
        twice the longest side of the image at most.

    Returns
    -------
    pandas.DataFrame
        A row for each defect, by its number, the best first: ``rank``; ``kind``, "pore" or "crack";
        ``particle``, its number; ``volume_um3``; ``equivalent_diameter_um``; ``thickness_um``, the diameter
        of the largest ball within; ``extent_um`` and ``breadth_um``, the longest and the middle side of its
        box, turned as it lies; ``flatness``; the centre ``z_um``, ``y_um``, ``x_um``; ``depth_um`` of the
        centre below the surface of the pillar straight above it, and ``side_um`` to its side wall;
        ``milled_um3`` and ``score``; ``open``, whether it leads out of its particle; ``touches_border``,
        whether the image cuts it. No rows where there is none.

    Raises
    ------
    TypeError
        If numbers are not integers, or an option is no number.
    ValueError
        If the images are not 3D or not on one grid, a defect lies in no particle, there is no particle,
        defects fill half of the particles or more, or an option is out of range.

    Notes
    -----
    The score is the volume of the defect over that of a pit that reaches its centre: square, as wide at its
    floor as the extent a, of depth d, with walls that lean back by 45° so that ions get out,
    a² d + 2 a d² + 4/3 d³; d is one voxel at least. Mill the whole top flat instead, and volume over depth
    decides: ``table.volume_um3 / table.depth_um``. What only chemistry tells, such as which particle is of
    which material, is not in the score: select rows first.

    Flatness is breadth over mean thickness, of the elliptic plate of the same volume and moments: 1.5 for a
    ball, 3 for an ellipsoid half as thick as broad, more for a sheet, be it flat or bent; a needle is a pore.

    Volumes are those of the labels: blur takes from a small pore, and what is missing below the resolution is
    not here. The largest ball is a whole number of voxels wide, or one more: a slit of one voxel counts two.
    A crack that bends has a box that is thicker than it; the ball is not. Of what touches the border the
    image shows a part.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> labels = np.full((12, 12, 12), 2)
    >>> labels[8:10, 3:5, 3:5] = labels[3:5, 7:9, 7:9] = 0
    >>> image = ct.volume(labels, 0.1)
    >>> particles = ct.measure.whole_particles(image, widest_um=0.2)
    >>> found = ct.measure.defect_labels(image, particles, smallest_um=0.2)
    >>> table = ct.measure.defects(found, particles)
    >>> table[["rank", "kind", "depth_um"]].round(2).values.tolist()
    [[1, 'pore', 0.4], [2, 'pore', 0.9]]
    """
    found, owners = _check(numbers, particles, top)
    flattest = check_between(flat, "flat", 1.5, np.inf, doing=_DOING)
    edges = voxel_size(numbers)
    _check_bridged(bridged_um, max(n * edge for n, edge in zip(numbers.shape, edges, strict=True)))
    names, dense = _numbered(found)
    rows = [_row(number, where, part, dense, owners, edges) for number, where, part in parts(dense)]
    columns = ["particle", *_SHAPE, "z_um", "y_um", "x_um", "open", "touches_border"]
    table = pd.DataFrame(rows, columns=columns, index=pd.Index(names, name="defect"))
    middle = table[["z_um", "y_um", "x_um"]].to_numpy(float)
    below, beside = _distances(middle, owners > 0, edges, str(top), float(bridged_um))
    table.insert(10, "depth_um", below)
    table.insert(11, "side_um", beside)
    table.insert(0, "kind", np.where(table.flatness >= flattest, "crack", "pore"))
    pit, deep = table.extent_um, np.maximum(table.depth_um, edges[0])
    table.insert(13, "milled_um3", pit**2 * deep + 2 * pit * deep**2 + 4 / 3 * deep**3)
    table.insert(14, "score", table.volume_um3 / table.milled_um3)
    table[["z_um", "y_um", "x_um"]] = middle + np.array(origin(numbers))
    table = table.sort_values("score", ascending=False, kind="stable")
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    kinds: dict[str, Any] = dict.fromkeys((*_SHAPE, *_PLACE, *_COST), float)
    return table.astype(kinds | {"kind": object, "particle": np.int64, "open": bool, "touches_border": bool})


def _check(
    numbers: xr.DataArray, particles: xr.DataArray, top: Any
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Refuse what are no defects in particles; return both as arrays."""
    for image in (numbers, particles):
        check_image(image, ndim=(3,))
        check_spatial(image, doing=_DOING)
    check_same_grid(numbers, particles, doing=_DOING)
    found, owners = (numbers_of(image, doing=_DOING) for image in (numbers, particles))
    if top not in get_args(End):
        raise ValueError(
            f"Cannot {_DOING} with top {top!r}: allowed are {', '.join(map(repr, get_args(End)))}, where z "
            "is lowest or highest."
        )
    if not owners.any():
        raise ValueError(
            f"Cannot {_DOING}: there is no particle. One or more are needed. Find them with "
            "ct.measure.whole_particles()."
        )
    outside = int(((found > 0) & (owners == 0)).sum())
    if outside:
        raise ValueError(
            f"Cannot {_DOING}: {outside} voxels of defects lie in no particle. Particles must hold their "
            "defects. Take those of ct.measure.whole_particles(), with which the defects were found."
        )
    share = np.count_nonzero(found) / np.count_nonzero(owners)
    if share > _FULL:
        raise ValueError(
            f"Cannot {_DOING}: what is numbered as defects fills {share:.0%} of the particles, and half is "
            "the most. These may be labels, or particles. Pass the numbers of ct.measure.defect_labels()."
        )
    return found, owners


def _check_bridged(bridged_um: Any, longest: float) -> None:
    """Refuse openings wider than any image shows: what bridges them grows with their width."""
    check_length(bridged_um, "bridged_um", doing=_DOING)
    if bridged_um > max(_BRIDGED, 2 * longest):
        raise ValueError(
            f"Cannot {_DOING} with bridged_um={bridged_um:g}: that is wider than twice the image, whose "
            f"longest side is {longest:.4g} µm. Widths are in µm; leave it out for {_BRIDGED:g}."
        )


def _row(
    number: int,
    where: tuple[slice, ...],
    part: npt.NDArray[np.bool_],
    found: npt.NDArray[np.uint32],
    owners: npt.NDArray[Any],
    edges: tuple[float, ...],
) -> tuple[Any, ...]:
    """Return what is known of one defect, its centre from that of the first voxel."""
    around = tuple(slice(max(0, box.start - 1), box.stop + 1) for box in where)
    wide = found[around] == number
    z, y, x = edges
    shape = extents(wide, (z, y, x))
    volume = float(part.sum() * np.prod(edges))
    centre = [
        edge * (box.start + float(at.mean()))
        for edge, box, at in zip(edges, where, np.nonzero(part), strict=True)
    ]
    cut = any(box.start == 0 or box.stop == n for box, n in zip(where, found.shape, strict=True))
    own = np.bincount(owners[where][part]).argmax()
    round_ = np.cbrt(6 * volume / np.pi)
    opens = bool(_beside(wide)[owners[around] == 0].any())
    sizes = shape.thickness, shape.extent, shape.breadth, shape.flatness
    return own, volume, round_, *sizes, *centre, opens, cut


def _beside(part: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return what shares a face with a body."""
    out = np.zeros_like(part)
    for axis in range(part.ndim):
        before = (slice(None),) * axis + (slice(None, -1),)
        after = (slice(None),) * axis + (slice(1, None),)
        out[before] |= part[after]
        out[after] |= part[before]
    return out & ~part


def _numbered(found: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    """Return the numbers above 0 that occur, and the same image numbered from 1 without gaps."""
    names = np.unique(np.concatenate([np.unique(plane) for plane in found]))
    names = names[names > 0].astype(np.int64)
    dense = np.zeros(found.shape, np.uint32)
    for plane, numbered in zip(found, dense, strict=True):
        inside = plane > 0
        numbered[inside] = np.searchsorted(names, plane[inside]) + 1
    return names, dense


def _distances(
    middle: npt.NDArray[np.float64],
    solid: npt.NDArray[np.bool_],
    edges: tuple[float, ...],
    top: str,
    bridged: float,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return for each centre how far it is below the surface of the pillar, and from its side."""
    z, y, x = edges
    places = np.rint(middle / np.array(edges)).astype(np.int64)
    upright = solid if top == "first" else solid[::-1]
    high = middle[:, 0] if top == "first" else (len(solid) - 1) * z - middle[:, 0]
    over = cover(upright, (z, y, x), bridged)[places[:, 1], places[:, 2]]
    below = np.maximum(high + z / 2 - over, 0.0)
    beside = np.empty(len(places))
    for plane in np.unique(places[:, 0]):
        here = places[:, 0] == plane
        beside[here] = to_side(solid[plane], (y, x), bridged)[places[here, 1], places[here, 2]]
    return below, beside
