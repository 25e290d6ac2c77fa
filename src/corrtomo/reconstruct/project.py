"""Line integrals through a volume: what a detector would record of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import get_num_threads
from tqdm.auto import tqdm

from ..checks import check_finite, check_spatial
from ..volume import PROJECTIONS, check_image, volume, voxel_size
from .geometry import Beam, Geometry, Grid, check_bytes, geometry_of
from .projections import angle_count
from .ray_kernels import cast, threads_for, tile_edge

_DOING = "project"
_TOGETHER = 1 << 28
"""Bytes of projections that are cast at a time."""
_ALIKE = 1e-3


def project(
    attenuation: xr.DataArray,
    angles_deg: Any,
    *,
    like: xr.DataArray | None = None,
    centre_um: float | None = None,
    source_um: float | None = None,
    source_z_um: float | None = None,
    drift: Any = None,
    progress: bool = True,
) -> xr.DataArray:
    """Project a volume: line integrals along the rays of a scan, the counterpart of a reconstruction.

    What a reconstruction leaves unexplained is the difference to its projections, and a drift is found by
    matching projections to those of a first reconstruction.

    Parameters
    ----------
    attenuation : xarray.DataArray
        Attenuation coefficients in 1/µm, dims z, y, x; y and x are positions from the axis of rotation, which
        is parallel to z. Voxels are square along y and x.
    angles_deg : array_like
        Turn at each projection, in degrees: at turn θ a point (y, x) is seen at x cos θ + y sin θ from the
        axis.
    like : xarray.DataArray, optional
        Projections with dims angle, z, x, whose pixels are taken; their values are not. By default there is a
        row for each slice and a column for each voxel along x, with the axis in the middle.
    centre_um, source_um, source_z_um, drift : optional
        The scan, as in :func:`fbp`.
    progress : bool
        Show a bar where it takes longer than a second.

    Returns
    -------
    xarray.DataArray
        Line integrals, ``float32``, dims angle, z, x; z and x in µm at the axis.

    Raises
    ------
    TypeError
        If the volume is a plain array, or of booleans; if the drift is no table.
    ValueError
        If the volume has other dims, NaN, oblong voxels, slices that are not as far apart as the rows of
        `like`, or out of their view, or reaches to the source; if angles or drift do not match; or if more
        than 4 GB are needed.

    Notes
    -----
    Rays go from plane to plane of voxels, whichever of y and x they cross more steeply, with linear
    interpolation between two columns of voxels (Joseph 1982). Beyond the border along y and x there is
    nothing; above the first and below the last slice these go on. It is not the exact transpose of the
    back-projection, which interpolates between pixels instead: for smooth volumes in a parallel beam both
    sides of ⟨Ax, y⟩ = ⟨x, Aᵀy⟩ agree within a percent.

    References
    ----------
    Joseph, IEEE Trans. Med. Imaging 1, 192 (1982), doi:10.1109/TMI.1982.4307572.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> block = ct.volume(np.ones((1, 4, 6)), 0.5, origin=(0, -0.75, -1.25))
    >>> seen = ct.reconstruct.project(block, [0, 90])
    >>> seen.isel(z=0).values.tolist()
    [[2.0, 2.0, 2.0, 2.0, 2.0, 2.0], [0.0, 3.0, 3.0, 3.0, 3.0, 0.0]]
    """
    row_um, edge = _check_volume(attenuation)
    onto = _detector(attenuation, angles_deg) if like is None else like
    geometry = geometry_of(onto, angles_deg, centre_um, source_um, source_z_um, drift, doing=_DOING)
    grid = _grid(attenuation, geometry, row_um, edge)
    check_bytes(onto.size, doing=_DOING, what=f"{onto.shape} pixels of projections")
    columns = np.ascontiguousarray(attenuation.values.astype(np.float32, copy=False).transpose(1, 2, 0))
    out = np.empty(onto.shape, np.float32)
    together = max(1, _TOGETHER // (4 * geometry.columns * geometry.rows))
    bar = tqdm(total=len(out), desc=_DOING, unit="projection", delay=1, leave=False, disable=not progress)
    with bar, threads_for(columns.size * min(together, len(out))):
        for a in range(0, len(out), together):
            some = slice(a, min(a + together, len(out)))
            sums = line_integrals(columns, geometry.some(some), grid, geometry.columns, geometry.rows)
            out[some] = sums.transpose(0, 2, 1)
            bar.update(len(sums))
    pixel = (geometry.beam.row_um, geometry.pixel_um)
    origin = (geometry.z_um, float(onto["x"][0]))
    return volume(out, pixel, origin=origin, dims=PROJECTIONS, name="line integrals")


def line_integrals(
    columns: npt.NDArray[np.float32], beam: Beam, grid: Grid, width: int, rows: int
) -> npt.NDArray[np.float32]:
    """Return line integrals through a volume with z last, by angle, column and row of the detector."""
    count = len(beam.cos)
    sums = np.empty((count, width, rows), np.float32)
    together = int(np.clip(np.ceil(count / (2 * get_num_threads())), 1, 32))
    cast(columns, beam, grid, tile_edge(columns.shape[2]), together, sums)
    return sums


def _check_volume(image: Any) -> tuple[float, float]:
    """Refuse what is no volume with square voxels in its slices; return their edges along z and along x."""
    check_image(image)
    check_spatial(image, doing=_DOING)
    if image.dims != ("z", "y", "x"):
        raise ValueError(
            f"Cannot {_DOING} an image with dims {image.dims}: a volume with dims z, y, x is needed. Keep a "
            "single slice as a volume with image.isel(z=slice(5, 6))."
        )
    if image.dtype.kind not in "iuf":
        raise TypeError(
            f"Cannot {_DOING} values of dtype {image.dtype}: attenuation coefficients in 1/µm are needed. "
            "Give each phase its own first, for instance (labels == ct.Phase.AM) * 0.1."
        )
    z_um, y_um, x_um = voxel_size(image)
    if abs(y_um - x_um) > _ALIKE * x_um:
        raise ValueError(
            f"Cannot {_DOING} voxels of {y_um:.4g} × {x_um:.4g} µm along y and x: they must be square. "
            "Resample the volume first, for instance with image.interp()."
        )
    check_bytes(image.size, doing=_DOING, what=f"{image.shape} voxels")
    check_finite(image, doing=_DOING)
    return z_um, x_um


def _detector(image: xr.DataArray, angles_deg: Any) -> xr.DataArray:
    """Return a detector with a row for each slice and a column for each voxel along x, without values."""
    count = angle_count(angles_deg, doing=_DOING)
    shape = (count, image.sizes["z"], image.sizes["x"])
    z_um, _, x_um = voxel_size(image)
    start = -(image.sizes["x"] - 1) / 2 * x_um
    return volume(
        np.broadcast_to(np.float32(0), shape),
        (z_um, x_um),
        origin=(float(image["z"][0]), start),
        dims=PROJECTIONS,
    )


def _grid(image: xr.DataArray, geometry: Geometry, row_um: float, edge: float) -> Grid:
    """Return the voxels of a volume as the kernels read them."""
    step = geometry.beam.row_um
    if abs(step - row_um) > _ALIKE * step:
        raise ValueError(
            f"Cannot {_DOING} slices {row_um:.4g} µm apart onto rows {step:.4g} µm apart: they must be "
            "alike. Make like= with the z of the volume, or resample the volume along z with image.interp()."
        )
    y, x = (image[dim].values[[0, -1]] for dim in ("y", "x"))
    radius = float(np.hypot(np.abs(y).max() + edge / 2, np.abs(x).max() + edge / 2))
    if radius * geometry.beam.bend >= 1:
        raise ValueError(
            f"Cannot {_DOING} with source_um={geometry.source_um:g}: the volume reaches {radius:.4g} µm from "
            "the axis, so the source would lie in it. Crop the volume, or give the distance from the source "
            "to the axis of rotation in µm."
        )
    row = (float(image["z"][0]) - geometry.z_um) / step
    _check_rows(image, geometry, row)
    return Grid(float(y[0]), float(x[0]), edge, radius, row)


def _check_rows(image: xr.DataArray, geometry: Geometry, row: float) -> None:
    """Refuse rows that all lie above the volume, or below: they would hold its first or last slice only."""
    seen = np.array([-geometry.beam.shift.max(), geometry.rows - 1 - geometry.beam.shift.min()])
    if seen[1] <= row - 1 or seen[0] >= row + image.sizes["z"]:
        step = geometry.beam.row_um
        first, last = geometry.z_um, geometry.z_um + (geometry.rows - 1) * step
        raise ValueError(
            f"Cannot {_DOING} slices from {float(image['z'][0]):.4g} to {float(image['z'][-1]):.4g} µm onto "
            f"rows from {first:.4g} to {last:.4g} µm: no ray to them meets the volume. Both are in µm along "
            "the axis, and must overlap. Crop, or move like=, for instance with "
            "like.assign_coords(z=volume.z)."
        )
