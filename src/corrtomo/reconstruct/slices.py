"""Slice-and-view: from images of one section after the other to a volume."""

from __future__ import annotations

from itertools import chain
from numbers import Real
from typing import Any, Literal

import dask
import dask.array as da
import numpy as np
import pandas as pd
import xarray as xr

from ..checks import is_finite
from ..volume import volume
from .even_grid import even_grid
from .marks import drift_from_marks
from .planes import check_stack, checked, planes
from .positions import as_recorded, check_positions
from .resample import Grid, resample

Voxel = float | tuple[float, float, float] | Literal["recorded"]
_DOING = "reconstruct a volume from slices"
_STEEPEST_DEG = 80.0
_FINEST = 0.25
"""Smallest voxel edge, as a share of the finest recorded one: nothing more is to be seen in it."""
_lazy: Any = dask  # its functions carry no types


def slices(
    stack: xr.DataArray,
    *,
    tilt_deg: float,
    marks: pd.DataFrame | None = None,
    positions: pd.DataFrame | None = None,
    voxel_um: Voxel | None = None,
    border: Literal["crop", "nan"] = "crop",
    repeats: bool = False,
    progress: bool = True,
) -> xr.DataArray:
    """Make a volume from slice-and-view images: upright, without drift, on an even grid.

    A section that is seen under an angle looks too low, images shift as the section moves away, and slices
    are not all of one thickness. The cycling paper corrects the first in the microscope and the shift by
    reference marks (section 2.2); here all three are corrected in one interpolation, so that grey values are
    smoothed once.

    Parameters
    ----------
    stack : xarray.DataArray
        Grey values with dims z, y, x: z the nominal position of each slice, y and x as on the screen, in µm.
        Labels, marked by their ``phases`` attribute, and masks are taken too. NumPy or Dask.
    tilt_deg : float
        Angle by which the section is foreshortened along y, 0 to 80 degrees: 36 for a beam at 54 degrees to
        the section, 0 where the microscope has corrected it.
    marks : pandas.DataFrame, optional
        Fiducial marks, for :func:`drift_from_marks`, with what is its default.
    positions : pandas.DataFrame, optional
        Where each slice lies, a row for each: ``slice``, ``z_um``, and ``y_um``, ``x_um``, the shift of its
        image against the first, in µm on the screen. From :func:`drift_from_marks`,
        :func:`drift_from_neighbours`, or the reader's own. Without marks and positions, slices stand as they
        were recorded: no drift is corrected.
    voxel_um : float or tuple of float or "recorded", optional
        Edge of a voxel in µm, or one along each of z, y, x; ``"recorded"`` keeps the nominal slice step and
        the pixels. By default voxels are cubes of the finest recorded edge.
    border : {"crop", "nan"}
        What to do with places that some slices never saw, for they had drifted out of view.
    repeats : bool
        Allow an image that equals the one before it; labels may always.
    progress : bool
        Show a bar where it takes longer than a second.

    Returns
    -------
    xarray.DataArray
        Dims z, y, x, coordinates in true µm in the frame of the first image: a pixel of it at y on the screen
        lies at y / cos(tilt), and its slice at its own z. The dtype is that of the stack, in the
        machine's byte order, ``float32`` for half floats; ``float32`` or ``float64`` for grey values with
        ``border="nan"``. A Dask stack stays lazy, a chunk for each of its
        own along z.

    Raises
    ------
    TypeError
        If the stack is a plain array, positions are no table, or a number is none.
    ValueError
        If the stack has other dims, fewer than two slices, slices that are missing or out of order, NaN, or
        an image twice; positions do not place each slice once, one behind the other, or spread the volume
        over more than 20 times what the stack fills without them; labels are int8 with ``border="nan"``; the
        tilt is not 0 to 80 degrees; voxels are far finer than the pixels; or no place was in view in all
        slices.

    Notes
    -----
    Grey values are interpolated linearly, in the image and between slices, and rounded in integer images:
    noise is less halfway between slices and pixels than on them, and so is what is a pixel wide. Labels and
    masks take the nearest slice and pixel. Voxels larger than the recorded ones are sampled, not averaged:
    average afterwards.

    What was never recorded is not invented. With ``border="crop"`` the volume is what every slice saw, from
    the first slice to the last; with ``"nan"`` it is what any slice saw, with NaN (labels: 255, left out)
    elsewhere. Nominal positions enter where `positions` are not given.

    Where the microscope did not follow the face, a section that has receded by z looks z·sin(tilt) higher:
    without marks that shear is known, but stays in, as all drift does, for it cannot be told from the images
    whether the microscope followed. Take it out with `positions` whose ``y_um`` is
    ``-z_um * np.sin(np.deg2rad(tilt_deg))``, ``z_um`` the depth below the first slice, and ``x_um`` 0. Marks,
    and drift from neighbours, hold it already: do not take it out twice.

    A lazy volume refuses NaN and images that repeat when it is computed; those at a border of two chunks are
    seen as well. In memory are a few slices, or as many chunks as Dask computes at a time.

    References
    ----------
    "Three-dimensional study of cycled NMC cathodes by FIB-SEM", sections 2.2 and 2.3 (the cycling paper).

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> steps = np.array([[[0, 0], [8, 8]], [[4, 4], [12, 12]]], np.uint8)
    >>> raw = ct.volume(steps, (0.2, 0.05, 0.1))
    >>> upright = ct.reconstruct.slices(raw, tilt_deg=60, voxel_um=0.1)
    >>> upright.y.values.round(3).tolist(), upright.values[:, :, 0].tolist()
    ([0.0, 0.1], [[0, 8], [2, 10], [4, 12]])
    """
    edges = check_stack(stack, doing=_DOING, slices=2)
    tilt = _check_tilt(tilt_deg)
    if border not in ("crop", "nan"):
        raise ValueError(
            f'Cannot {_DOING} with border {border!r}: "crop" (what all slices saw) and "nan" (what any slice '
            "saw) are allowed."
        )
    voxel = _check_voxel(voxel_um, (edges[0], edges[1] / np.cos(tilt), edges[2]))
    where = _positions(stack, marks, positions, repeats, progress)
    grid = even_grid(stack, where, np.cos(tilt), voxel, border, doing=_DOING)
    alike = repeats or grid.nearest
    if isinstance(stack.data, da.Array):
        data = _by_chunks(stack.data, grid, alike)
    else:
        images = planes(stack, doing=_DOING, progress=progress, repeats=alike)
        data = resample(images, grid, slice(0, grid.shape[0]))
    start = tuple(float(at[0]) for at in (grid.z_um, grid.y_um, grid.x_um))
    out = volume(data, voxel, origin=start, name=None if stack.name is None else str(stack.name))
    return out.assign_attrs(stack.attrs)


def _check_tilt(tilt_deg: Any) -> float:
    """Return the tilt in radians."""
    if isinstance(tilt_deg, bool | np.bool_) or not isinstance(tilt_deg, Real):
        raise TypeError(
            f"Cannot {_DOING} with tilt_deg {tilt_deg!r}: a number of degrees is needed. Pass 36 for a "
            "section that is seen under 36 degrees, 0 where the microscope has corrected the tilt."
        )
    if not is_finite(tilt_deg) or not 0 <= float(tilt_deg) <= _STEEPEST_DEG:
        raise ValueError(
            f"Cannot {_DOING} with tilt_deg {tilt_deg!r}: 0 to {_STEEPEST_DEG:g} degrees are allowed; at 90 "
            "the section is seen edge-on. Pass the angle between the beam and the normal of the section: 36 "
            "where the beam meets the section at 54."
        )
    return float(np.deg2rad(float(tilt_deg)))


def _check_voxel(voxel_um: Any, recorded: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return the edges of a voxel along z, y, x in µm."""
    if voxel_um is None:
        return (min(recorded),) * 3
    if isinstance(voxel_um, str) and voxel_um == "recorded":
        return recorded
    try:
        edges = tuple(voxel_um) if np.ndim(voxel_um) == 1 else (voxel_um,) * 3
    except ValueError:  # ragged: numpy makes no array of it
        edges = ()
    if len(edges) != 3 or not all(isinstance(e, Real) and not isinstance(e, bool | np.bool_) for e in edges):
        raise TypeError(
            f'Cannot {_DOING} with voxel_um {voxel_um!r}: a number in µm, three (z, y, x), or "recorded" is '
            "needed. Leave it out for cubes of the finest recorded edge."
        )
    finest = _FINEST * min(recorded)
    if not all(is_finite(e) and finest <= float(e) for e in edges):
        raise ValueError(
            f"Cannot {_DOING} with voxel_um {voxel_um!r}: finite edges from {finest:.4g} µm on, a quarter of "
            "the finest recorded one, are allowed. Leave it out for cubes of the finest recorded edge."
        )
    return float(edges[0]), float(edges[1]), float(edges[2])


def _positions(
    stack: xr.DataArray,
    marks: pd.DataFrame | None,
    positions: pd.DataFrame | None,
    repeats: bool,
    progress: bool,
) -> pd.DataFrame:
    if marks is not None and positions is not None:
        raise ValueError(
            f"Cannot {_DOING} with marks and positions: each says where slices lie. Pass one of them."
        )
    if positions is None:
        if marks is None:
            return as_recorded(stack)
        positions = drift_from_marks(stack, marks, repeats=repeats, progress=progress)
    return check_positions(positions, stack.sizes["z"])


def _by_chunks(data: Any, grid: Grid, alike: bool) -> Any:
    """Reconstruct a chunk of the volume from each chunk of the stack, and the first slice of the next."""
    whole = data.rechunk({1: -1, 2: -1})
    ends = np.cumsum([0, *whole.chunks[0]])
    owner = np.searchsorted(ends, grid.before, side="right") - 1
    # As they are in the graph of the stack: each of its chunks is computed once, though two need it.
    chunks = [*whole.to_delayed(optimize_graph=False).ravel(), None]
    blocks = []
    for n in np.unique(owner):
        mine = np.flatnonzero(owner == n)
        planes_of = slice(int(mine[0]), int(mine[-1]) + 1)
        work = _lazy.delayed(_chunk, pure=True)(
            chunks[n], chunks[n + 1], int(ends[n]), grid, planes_of, alike
        )
        blocks.append(da.from_delayed(work, (len(mine), *grid.shape[1:]), grid.dtype))
    return da.concatenate(blocks)


def _chunk(images: Any, after: Any, first: int, grid: Grid, planes_of: slice, alike: bool) -> Any:
    numbered = enumerate(images if after is None else chain(images, after[:1]), first)
    return resample(checked(numbered, doing=_DOING, repeats=alike), grid, planes_of)
