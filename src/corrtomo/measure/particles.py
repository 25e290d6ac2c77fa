"""Separate particles of a mask: how many, how large, where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cc3d
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ..checks import check_length, check_spatial
from ..phases import check_mask
from ..volume import check_image, origin, voxel_size
from .bodies import split_at_dips
from .distance import distances

Numbers = npt.NDArray[np.uint32]
_DOING = "find particles"
_CONNECTIVITY: dict[int, tuple[Any, ...]] = {3: (26, 18, 6), 2: (8, 4)}


def label_particles(mask: xr.DataArray, *, connectivity: int | None = None) -> xr.DataArray:
    """Give numbers to the connected particles of a mask.

    Parameters
    ----------
    mask : xarray.DataArray
        Booleans, 3D or 2D.
    connectivity : int, optional
        Neighbours that belong together: 26 (default), 18 or 6 in 3D, 8 (default) or 4 in 2D.

    Returns
    -------
    xarray.DataArray
        ``uint32``: 0 outside, 1, 2, 3 … in the particles.

    Raises
    ------
    TypeError
        If `mask` is not boolean.
    ValueError
        If it is not 2D or 3D, or the connectivity is not one of these.

    Examples
    --------
    >>> import corrtomo as ct
    >>> mask = ct.volume([[True, False, False], [False, True, False], [False, False, False]], 1.0)
    >>> int(ct.measure.label_particles(mask, connectivity=8).max())
    1
    >>> int(ct.measure.label_particles(mask, connectivity=4).max())
    2
    """
    numbers = _label(mask, connectivity)
    return mask.copy(data=numbers).rename("particles")


def separate_particles(mask: xr.DataArray, *, depth_um: float) -> xr.DataArray:
    """Give numbers to the particles of a mask, touching ones parted where they are narrow.

    The cycling paper counts particles by volume (section 3.1 and Figs. 4a and 7a) in an electrode of 69 %
    active material, where nearly all touch: whether they are parted, and how, decides the count.

    Parameters
    ----------
    mask : xarray.DataArray
        Booleans, 3D or 2D; voxels need not be cubes. Dask is computed.
    depth_um : float
        Two peaks of the distance to the outside are two particles if it dips between them by this, in µm,
        below the lower one. A few voxels: less parts what is merely rough.

    Returns
    -------
    xarray.DataArray
        ``uint32``: 0 outside, 1, 2, 3 … in the particles.

    Raises
    ------
    TypeError
        If `mask` is not boolean, or the depth is no number.
    ValueError
        If it is not 2D or 3D, or the depth is not above zero.

    Notes
    -----
    A watershed of the distance map; its markers are the peaks that stand out by `depth_um` (h-maxima). Voxels
    that touch at a corner are connected. How many there are does not depend on the order of the axes; which
    voxel at a neck belongs to whom may, where distances tie. Long particles with a waist are parted, and
    round ones pressed flat against each other are not: :func:`particle_separation` shows what the choice
    does. The border of the image is no outside: a particle that it cuts seems deeper there.

    References
    ----------
    Soille, Morphological Image Analysis (2004), chapters 6 and 9, doi:10.1007/978-3-662-05088-0.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> y, x = np.ogrid[:20, :38]
    >>> two = (((y - 10) ** 2 + (x - 10) ** 2) < 81) | (((y - 10) ** 2 + (x - 26) ** 2) < 81)
    >>> mask = ct.volume(two, 0.5)
    >>> [int(ct.measure.separate_particles(mask, depth_um=d).max()) for d in (1.0, 4.0)]
    [2, 1]
    """
    check_particles(mask)
    check_length(depth_um, "depth_um", doing=_DOING)
    depth = distance_inside(np.asarray(mask.data), voxel_size(mask))
    numbers = part_by_depth(depth, float(depth_um))
    return mask.copy(data=numbers).rename("particles")


def particles(
    mask: xr.DataArray,
    *,
    connectivity: int | None = None,
    depth_um: float | None = None,
    whole_at: Sequence[str] = (),
) -> pd.DataFrame:
    """Count the connected particles of a mask, and measure each.

    The count is the most sensitive number of a segmentation: the X-ray and FIB-SEM paper finds 81 separate
    grains by FIB-SEM and 17 by X-ray tomography in one place (Sci. Rep. 6, 30109, "Binary Xt Segmentation"),
    for blur bridges gaps.

    Parameters
    ----------
    mask : xarray.DataArray
        Booleans, 3D or 2D.
    connectivity : int, optional
        Neighbours that belong together: 26 (default), 18 or 6 in 3D, 8 (default) or 4 in 2D.
    depth_um : float, optional
        Part particles that touch as :func:`separate_particles` does; instead of `connectivity`.
    whole_at : sequence of str
        Sides at which the electrode itself ends, so that none is cut there: an axis, then ``first`` or
        ``last``, by position along it, as in ``("z first", "y last")``. By default all sides cut.

    Returns
    -------
    pandas.DataFrame
        A row for each particle, numbered as in :func:`label_particles` or :func:`separate_particles`; columns
        ``voxels``, ``volume_um3`` (``area_um2`` in 2D), ``diameter_um`` (of the ball or disc of that size),
        the centre ``z_um, y_um, x_um``, ``touches_border``, of a side that cuts, and ``inclusion``, the
        chance that a particle of these extents is whole in a volume of this size, for :func:`particle_bins`.
        No rows where the mask is empty.

    Raises
    ------
    TypeError
        If `mask` is not boolean, or `whole_at` is no sequence of text.
    ValueError
        If it is not 2D or 3D, the connectivity is not one of these, or a side is none of the mask.

    Notes
    -----
    Along an axis of n voxels a particle of b is whole at n - 1 - b of n places. Where the electrode ends at
    one side, its particles lie between there and the other, and of n places n - b are whole; where it ends at
    both, all are there, and inclusion is 1 along that axis. Particles that are pressed against a side named
    in `whole_at` count as whole.

    Misleads: one voxel of contact makes two particles one, and particles that the border cuts are smaller
    than they are: leave them out with ``table[~table.touches_border]`` for sizes, which favours small ones,
    and weigh the rest by 1 / ``inclusion``, which puts that right.

    Examples
    --------
    >>> import corrtomo as ct
    >>> mask = ct.volume([[True, True, False, True]] * 2, 0.5)
    >>> ct.measure.particles(mask).area_um2.tolist()
    [1.0, 0.5]
    """
    numbers = _numbers(mask, connectivity, depth_um)
    cutting = _cutting(mask, whole_at)
    found = cc3d.statistics(numbers)
    sizes, starts = np.array(voxel_size(mask)), np.array(origin(mask))
    voxels = found["voxel_counts"][1:].astype(np.int64)
    extent = voxels * float(np.prod(sizes))
    three = mask.ndim == 3
    table = pd.DataFrame(
        {
            "voxels": voxels,
            "volume_um3" if three else "area_um2": extent,
            "diameter_um": np.cbrt(6 * extent / np.pi) if three else np.sqrt(4 * extent / np.pi),
        },
        index=pd.RangeIndex(1, len(voxels) + 1, name="particle"),
    )
    for axis, dim in enumerate(mask.dims):
        table[f"{dim}_um"] = starts[axis] + sizes[axis] * found["centroids"][1:, axis]
    boxes = found["bounding_boxes"][1:]
    table["touches_border"] = [_at_border(box, numbers.shape, cutting) for box in boxes]
    table["inclusion"] = [_inclusion(box, numbers.shape, cutting) for box in boxes]
    return table.astype({"touches_border": bool, "inclusion": float})


def _numbers(mask: xr.DataArray, connectivity: int | None, depth_um: float | None) -> Numbers:
    if depth_um is None:
        return _label(mask, connectivity)
    if connectivity is not None:
        raise ValueError(
            f"Cannot {_DOING} with connectivity={connectivity!r} and depth_um={depth_um!r}: what is parted "
            "by depth joins all that touch first. Leave connectivity out, or depth_um."
        )
    return np.asarray(separate_particles(mask, depth_um=depth_um).data)


def distance_inside(mask: npt.NDArray[np.bool_], edges: tuple[float, ...]) -> npt.NDArray[np.float32]:
    """Return the distance to the outside, in µm; 1 everywhere where there is no outside."""
    depth = distances(mask, edges)
    return np.where(np.isinf(depth), np.float32(1), depth)


def part_by_depth(depth: npt.NDArray[np.float32], depth_um: float) -> Numbers:
    """Return the numbers of particles, one after the other."""
    numbers = split_at_dips(depth, depth_um)
    present = np.zeros(int(numbers.max(initial=0)) + 1, np.uint32)
    present[numbers.ravel()] = 1
    present[0] = 0
    return np.asarray((np.cumsum(present, dtype=np.uint32) * present)[numbers])


def check_particles(mask: xr.DataArray) -> int:
    """Refuse what is no mask in which particles can be found; return its number of axes."""
    ndim = len(check_image(mask, ndim=(2, 3)))
    check_spatial(mask, doing=_DOING)
    check_mask(mask, doing=_DOING)
    return ndim


def _label(mask: xr.DataArray, connectivity: int | None) -> Numbers:
    ndim = check_particles(mask)
    allowed = _CONNECTIVITY[ndim]
    chosen: Any = allowed[0] if connectivity is None else connectivity
    if chosen not in allowed:
        raise ValueError(
            f"Cannot {_DOING} with connectivity {connectivity!r}: in {ndim}D it is one of "
            f"{', '.join(map(str, allowed))}. Leave it out to join all that touch."
        )
    if sum(n > 1 for n in mask.shape) <= 1:
        chosen = allowed[-1]  # all are the same on a line, where cc3d 4.1 fails for the largest
    numbers = cc3d.connected_components(
        np.ascontiguousarray(mask.data), connectivity=chosen, out_dtype=np.uint32
    )
    return np.asarray(numbers, np.uint32)


def _cutting(mask: xr.DataArray, whole_at: Any) -> list[tuple[bool, bool]]:
    """Return for each axis whether its first and its last side cut particles."""
    if isinstance(whole_at, str) or not isinstance(whole_at, Sequence | set | frozenset):
        raise TypeError(
            f"Cannot {_DOING} with whole_at={whole_at!r}: a sequence of sides is needed. Pass for instance "
            f'whole_at=("{mask.dims[0]} first",).'
        )
    sides = [f"{dim} {end}" for dim in mask.dims for end in ("first", "last")]
    unknown = [side for side in whole_at if side not in sides]
    if unknown:
        raise ValueError(
            f"Cannot {_DOING} with whole_at={tuple(whole_at)!r}: {unknown[0]!r} is no side of the mask. Its "
            f"sides are {', '.join(sides)}."
        )
    return [(f"{dim} first" not in whole_at, f"{dim} last" not in whole_at) for dim in mask.dims]


def _at_border(box: tuple[slice, ...], shape: tuple[int, ...], cutting: list[tuple[bool, bool]]) -> bool:
    return any(
        (first and part.start == 0) or (last and part.stop == n)
        for part, n, (first, last) in zip(box, shape, cutting, strict=True)
    )


def _inclusion(box: tuple[slice, ...], shape: tuple[int, ...], cutting: list[tuple[bool, bool]]) -> float:
    """Return at how many of all places a box lies within a volume and touches no side that cuts, as a share.

    A place is where the first voxel of a box stands. Between both ends of an electrode all is seen.
    """
    free = 1.0
    for part, n, ends in zip(box, shape, cutting, strict=True):
        if any(ends):
            free *= max(0, n + 1 - sum(ends) - (part.stop - part.start)) / n
    return free
