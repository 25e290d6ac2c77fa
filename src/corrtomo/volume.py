"""Images with physical coordinates: the one data model of every room.

An image is an :class:`xarray.DataArray` with dims out of ``z, y, x`` (a leading ``channel`` where there are
several) and coordinates in micrometres at the voxel centres. Scale is a property of the image, so no function
ever asks for it a second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import xarray as xr

SPATIAL = ("z", "y", "x")
CHANNEL = "channel"
PROJECTIONS = ("angle", "z", "x")
"""Dims of X-ray projections, which :mod:`corrtomo.reconstruct` makes volumes of."""
_ATTR = "voxel_size_um"
_RTOL = 1e-6


def volume(
    array: Any,
    voxel_size: float | Sequence[float],
    *,
    origin: float | Sequence[float] = 0.0,
    dims: Sequence[str] | None = None,
    name: str | None = None,
) -> xr.DataArray:
    """Give a plain array its physical coordinates.

    Parameters
    ----------
    array : array_like
        Grey values or labels, NumPy or Dask; not copied.
    voxel_size : float or sequence of float
        Edge length of a voxel in µm, one number or one per spatial axis, in the order of the dims.
    origin : float or sequence of float
        Position of the centre of the first voxel in µm, one number or one per spatial axis.
    dims : sequence of str, optional
        Names of the axes, out of ``channel, z, y, x``; by default the last ones of ``z, y, x``. X-ray
        projections have ``angle, z, x``.
    name : str, optional
        What the image shows.

    Returns
    -------
    xarray.DataArray
        The same values with coordinates in µm.

    Raises
    ------
    TypeError
        If `array` already has coordinates, or `voxel_size` is not a number.
    ValueError
        If the array is empty, or a voxel size is not finite and above zero, or a count does not fit.

    Notes
    -----
    The stated voxel size is kept exactly: ``voxel_size(volume(a, 0.438))`` is 0.438, whatever the rounding of
    the coordinates.

    Examples
    --------
    >>> import corrtomo as ct
    >>> image = ct.volume([[1, 2, 3], [4, 5, 6]], 0.5)
    >>> image.dims, image.x.values.tolist()
    (('y', 'x'), [0.0, 0.5, 1.0])
    """
    if isinstance(array, xr.DataArray):
        raise TypeError(
            "Cannot give coordinates to an xarray.DataArray: it may have its own. "
            "Pass its values (image.data) to ct.volume()."
        )
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(
            "Cannot use a masked array: what is masked would count as grey values. "
            "Fill it first with array.filled(...), or mark labels as left out (255)."
        )
    data = array if hasattr(array, "__array_function__") else np.asarray(array)
    names = _dims(data.ndim, dims)
    if np.isnan(data.shape).any():
        raise ValueError(
            f"Cannot make a volume of shape {data.shape}: the sizes of its Dask chunks are not known. "
            "Compute them first with array.compute_chunk_sizes()."
        )
    if 0 in data.shape:
        raise ValueError(
            f"Cannot make a volume of shape {data.shape}: it holds no voxel. Every axis needs one or more."
        )
    if not (_is_real(data.dtype) or data.dtype == bool):
        raise TypeError(
            f"Cannot make a volume of dtype {data.dtype}: grey values and labels are real numbers or "
            "booleans. Convert the array first, for instance with array.astype('uint8')."
        )
    spatial = [d for d in names if d in SPATIAL]
    sizes = _per_axis(voxel_size, spatial, "voxel size")
    if any(s <= 0 for s in sizes):
        raise ValueError(
            f"Cannot use voxel size {voxel_size!r} µm: it must be above zero on every axis. "
            "State the edge length of a voxel in µm."
        )
    starts = _per_axis(origin, spatial, "origin")
    coords = {
        d: xr.Variable(d, start + size * np.arange(n), {"units": "µm", _ATTR: size})
        for d, n, size, start in zip(
            spatial, data.shape[len(names) - len(spatial) :], sizes, starts, strict=True
        )
    }
    image = xr.DataArray(data, dims=names, coords=coords)
    image.name = name  # given to xarray, None would become the token of a Dask array
    for dim in spatial:
        spacing(image, dim)  # refuses an origin so far off that floats cannot tell voxels apart
    return image


def voxel_size(image: xr.DataArray) -> tuple[float, ...]:
    """Read the edge lengths of a voxel from the coordinates.

    Parameters
    ----------
    image : xarray.DataArray
        An image made by :func:`volume`; cropping and striding are fine.

    Returns
    -------
    tuple of float
        µm, one per spatial axis, in the order of the dims.

    Raises
    ------
    TypeError
        If `image` is a plain array.
    ValueError
        If coordinates are missing, not even, not in µm, or descending.

    Notes
    -----
    Where one voxel is left along an axis, its stated size is taken. Averaging blocks of voxels into one
    (``image.coarsen(z=4).mean()``) does not change that statement: make such an image anew with
    :func:`volume`.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> ct.voxel_size(ct.volume(np.zeros((2, 3, 4)), (0.05, 0.025, 0.025)))
    (0.05, 0.025, 0.025)
    """
    return tuple(spacing(image, d) for d in check_image(image))


def origin(image: xr.DataArray) -> tuple[float, ...]:
    """Read the position of the centre of the first voxel, in µm, one per spatial axis."""
    return tuple(float(image[d][0]) for d in check_image(image))


def check_image(image: Any, *, ndim: Sequence[int] | None = None) -> list[str]:
    """Refuse what is not an image of the data model; return its spatial dims."""
    if not isinstance(image, xr.DataArray):
        raise TypeError(
            f"Cannot use a {type(image).__name__}: its voxel size is not known. "
            "An image is an xarray.DataArray with coordinates in µm. "
            "Make one with ct.volume(array, voxel_size)."
        )
    spatial = [str(d) for d in image.dims if d in SPATIAL]
    if not spatial or list(image.dims) != [d for d in (CHANNEL, *SPATIAL) if d in image.dims]:
        raise ValueError(
            f"Cannot use an image with dims {image.dims}: allowed are channel, z, y, x, in this order. "
            "Make one with ct.volume(array, voxel_size, dims=...), or bring its dims into order with "
            "image.transpose(...)."
        )
    if image.size == 0:
        raise ValueError(
            f"Cannot use an image of shape {image.shape}: it holds no voxel. "
            "Check the crop that made it, for instance image.sel(x=slice(0, 10)) in µm."
        )
    for dim in spatial:
        _check_coordinate(image, dim)
    if ndim is not None and len(spatial) not in ndim:
        wanted = " or ".join(f"{n}D" for n in ndim)
        raise ValueError(
            f"Cannot use a {len(spatial)}D image with dims {image.dims}: {wanted} is needed. "
            "Select a slice first, for instance with image.isel(z=0)."
        )
    return spatial


def _is_real(dtype: np.dtype[Any]) -> bool:
    return np.issubdtype(dtype, np.integer) or np.issubdtype(dtype, np.floating)


def _check_coordinate(image: xr.DataArray, dim: str) -> None:
    """Refuse positions that are missing, are no lengths, or are in another unit than µm."""
    if dim not in image.coords:
        raise ValueError(
            f"Cannot use an image without {dim} coordinates: its voxel size is not known. "
            "Make one with ct.volume(array, voxel_size)."
        )
    coord = image[dim]
    unit = coord.attrs.get("units", "µm")
    if not _is_real(coord.dtype) or unit not in ("µm", "um", "micrometer"):
        raise ValueError(
            f"Cannot use {dim} coordinates of dtype {coord.dtype} in {unit!r}: positions are numbers in µm. "
            "Make the image anew with ct.volume(image.data, voxel_size)."
        )


def _dims(ndim: int, dims: Sequence[str] | None) -> list[str]:
    if dims is None:
        if not 1 <= ndim <= len(SPATIAL):
            raise ValueError(
                f"Cannot name the axes of a {ndim}D array: by default it has 1 to 3, the last of z, y, x. "
                "Name them with dims=, for instance dims=('channel', 'z', 'y', 'x')."
            )
        return list(SPATIAL[-ndim:])
    names = [dims] if isinstance(dims, str) else list(dims)
    order = [d for d in (CHANNEL, *SPATIAL) if d in names]
    if len(names) != ndim or (names != order and names != list(PROJECTIONS)) or order == [CHANNEL]:
        raise ValueError(
            f"Cannot use dims {tuple(names)} for a {ndim}D array: one name per axis is needed, "
            f"out of channel, z, y, x, in this order, or {', '.join(PROJECTIONS)} for projections. Transpose "
            "the array first."
        )
    return names


def _per_axis(value: Any, dims: list[str], what: str) -> list[float]:
    values = list(value) if np.ndim(value) else [value] * len(dims)
    if not all(isinstance(v, Real) and not isinstance(v, bool | np.bool_) for v in values):
        raise TypeError(
            f"Cannot use {what} {value!r}: a number in µm is needed, or one per axis {tuple(dims)}. "
            "State it in µm, for instance 0.438."
        )
    if len(values) != len(dims):
        raise ValueError(
            f"Cannot use {what} {value!r}: {len(values)} numbers for the {len(dims)} axes {tuple(dims)}. "
            "Give one number, or one per axis."
        )
    if not np.isfinite(values).all():
        raise ValueError(
            f"Cannot use {what} {value!r}: it must be finite on every axis. "
            "State it in µm, for instance 0.438."
        )
    return [float(v) for v in values]


def spacing(image: xr.DataArray, dim: str) -> float:
    """Return the step of one coordinate: the stated one where it agrees with the coordinate itself."""
    coord = image[dim]
    stated = coord.attrs.get(_ATTR)
    if coord.size == 1:
        if not (isinstance(stated, Real) and 0 < float(stated) < np.inf):
            raise ValueError(
                f"Cannot read the voxel size along {dim}: there is one voxel and no stated size "
                f"({stated!r}). Make the image with ct.volume(array, voxel_size)."
            )
        return float(stated)
    steps = np.diff(coord.values.astype(float))
    mean = float(steps.mean())
    if not np.isfinite(mean) or mean <= 0:
        raise ValueError(
            f"Cannot read the voxel size along {dim}: its coordinates must ascend. "
            f"Sort the image first with image.sortby('{dim}')."
        )
    if np.abs(steps - mean).max() > 1e-3 * mean:
        raise ValueError(
            f"Cannot read the voxel size along {dim}: steps from {steps.min():.4g} to {steps.max():.4g} µm. "
            "The coordinates must be even. Resample onto an even grid first, "
            "for instance with image.interp()."
        )
    if stated is not None and abs(float(stated) - mean) <= _RTOL * mean:
        return float(stated)
    return mean
