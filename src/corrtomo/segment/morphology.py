"""Opening and closing with a digital ball: what is thinner than the ball goes, what is narrower is filled."""

from __future__ import annotations

import math
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import njit, prange

from ..checks import check_length, check_spatial
from ..phases import check_mask
from ..volume import check_image, voxel_size
from .overlapped import overlapped

Mask = npt.NDArray[np.bool_]
_LONGEST = 255
_NONE = 255  # no empty voxel within a box: twice the distance is 254 at most


def opening(mask: xr.DataArray, diameter_um: float) -> xr.DataArray:
    """Keep of a mask only where a ball of a diameter fits into it.

    The AHE-based segmentation takes thin and freestanding structures of the carbon binder domain for noise,
    and removes them by a morphological opening (Sci. Rep. 6, 30109, "Complete Ternary Xt Segmentation").

    Parameters
    ----------
    mask : xarray.DataArray
        Booleans, dims z, y, x or y, x; a Dask mask stays lazy.
    diameter_um : float
        Diameter of the ball in µm: in voxels, rounded, at least 1.

    Returns
    -------
    xarray.DataArray
        Booleans on the same grid: the union of all balls that lie in the mask.

    Raises
    ------
    TypeError
        If `mask` is not boolean.
    ValueError
        If the diameter is not above zero, or is more than 255 voxels along an axis.

    Notes
    -----
    The ball of n voxels holds the voxels whose centres are within n / 2 of its own centre, which for even n
    lies between voxels: two voxels are the 2 × 2 × 2 block. Where voxels are not cubes it is an ellipsoid of
    voxels. The mask continues beyond the border as it meets it, so that nothing goes for being cut. Necks and
    corners of large parts go too, not only small parts.

    Examples
    --------
    >>> import corrtomo as ct
    >>> mask = ct.volume([[1, 1, 0, 0, 0], [1, 1, 0, 1, 0], [0, 0, 0, 0, 0]], 1.0) == 1
    >>> ct.segment.opening(mask, 2.0).astype(int).values.tolist()
    [[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]]
    """
    return _apply(mask, diameter_um, open_array, doing="open a mask")


def closing(mask: xr.DataArray, diameter_um: float) -> xr.DataArray:
    """Fill of the gaps in a mask what a ball of a diameter cannot enter.

    The AHE-based segmentation assumes that the binder joins the grains, and closes the union of both by a
    morphological closing (Sci. Rep. 6, 30109, "Complete Ternary Xt Segmentation").

    Parameters
    ----------
    mask : xarray.DataArray
        Booleans, dims z, y, x or y, x; a Dask mask stays lazy.
    diameter_um : float
        Diameter of the ball in µm: in voxels, rounded, at least 1.

    Returns
    -------
    xarray.DataArray
        Booleans on the same grid: the complement of the opening of the complement.

    Raises
    ------
    TypeError
        If `mask` is not boolean.
    ValueError
        If the diameter is not above zero, or is more than 255 voxels along an axis.

    Notes
    -----
    Ball and border as in :func:`opening`. A gap that is narrow in one place only is parted there.

    Examples
    --------
    >>> import corrtomo as ct
    >>> mask = ct.volume([[1, 0, 1, 0, 0], [1, 0, 1, 0, 0]], 1.0) == 1
    >>> ct.segment.closing(mask, 2.0).astype(int).values.tolist()
    [[1, 1, 1, 0, 0], [1, 1, 1, 0, 0]]
    """
    return _apply(mask, diameter_um, lambda m, size: ~open_array(~m, size), doing="close a mask")


def ball_voxels(image: xr.DataArray, diameter_um: float, *, doing: str) -> tuple[int, ...]:
    """Return the diameter of a ball in voxels along each spatial axis, at least 1."""
    check_length(diameter_um, "diameter", doing=doing)
    size = [max(1, round(diameter_um / edge)) for edge in voxel_size(image)]
    if max(size) > _LONGEST:
        raise ValueError(
            f"Cannot {doing} with a ball of {diameter_um:g} µm: it is {max(size)} voxels wide, and at most "
            f"{_LONGEST} are possible. Is the voxel size {voxel_size(image)} µm right?"
        )
    return tuple(size)


def _apply(mask: xr.DataArray, diameter_um: float, work: Any, *, doing: str) -> xr.DataArray:
    check_image(mask, ndim=(2, 3))
    check_spatial(mask, doing=doing)
    check_mask(mask, doing=doing)
    size = ball_voxels(mask, diameter_um, doing=doing)
    if isinstance(mask.data, da.Array):
        data = overlapped(work, mask.data, tuple(n - 1 for n in size), size=size, dtype=bool)
    else:
        data = work(mask.data, size)
    return mask.copy(data=data)


def open_array(mask: Mask, size: tuple[int, ...]) -> Mask:
    """Open an array by a ball of so many voxels along each axis; at the border it goes on as it is there."""
    if max(size) == 1:
        return mask.copy()
    lead = 3 - mask.ndim
    sizes = (1,) * lead + tuple(size)
    reach = [(n - 1, n - 1) for n in sizes]
    fits = erode(np.pad(mask.reshape((1,) * lead + mask.shape), reach, mode="edge"), sizes)
    # A voxel is covered by a ball unless all places from which one would reach it are empty.
    bare = erode(np.pad(~fits, reach, constant_values=True), sizes)
    inner = tuple(slice(n - 1, n - 1 + m) for n, m in zip(sizes, (1,) * lead + mask.shape, strict=True))
    opened: Mask = ~bare[inner].reshape(mask.shape)
    return opened


def erode(mask: Mask, sizes: tuple[int, ...]) -> Mask:
    """Tell for each place of the ball's box within an array whether the whole ball lies in the mask.

    It does where no voxel outside the mask is within the ball of its centre: the squared distance to the
    nearest one, axis by axis, in whole numbers, so that even balls and ellipsoids are exact, too.

    Examples
    --------
    >>> erode(np.array([[[1, 1, 1, 0, 1]]], bool), (1, 1, 2)).tolist()
    [[[True, True, False, False]]]
    """
    limit = math.lcm(*(n * n for n in sizes))
    kind = np.int32 if 3 * limit < np.iinfo(np.int32).max else np.int64
    weights = np.array([limit // (n * n) for n in sizes], kind)
    shape = tuple(m - n + 1 for m, n in zip(mask.shape, sizes, strict=True))
    along_x = np.empty((*mask.shape[:2], shape[2]), np.uint8)
    _nearest(mask, sizes[2], along_x)
    along_y = np.empty((mask.shape[0], *shape[1:]), kind)
    _least_along_y(along_x, sizes, weights, kind(limit + 1), along_y)
    out = np.empty(shape, np.bool_)
    _beyond_along_z(along_y, sizes[0], weights[0], kind(limit), out)
    return out


@njit(cache=True, parallel=True)
def _nearest(mask: Any, size: int, out: Any) -> None:
    """Return twice the distance along x from the middle of each box to the nearest empty voxel in it."""
    height = mask.shape[1]
    for row in prange(mask.shape[0] * height):
        _nearest_in_row(mask[row // height, row % height], size, out[row // height, row % height])


@njit(cache=True)
def _nearest_in_row(mask: Any, size: int, out: Any) -> None:
    half = (size - 1) // 2
    last = -_NONE  # the last empty voxel that is not beyond the middle of the box
    for i in range(half):
        if not mask[i]:
            last = i
    for i in range(len(out)):
        if not mask[i + half]:
            last = i + half
        out[i] = min(_NONE, 2 * (i - last) + size - 1)
    after = len(mask) + _NONE
    for i in range(len(mask) - 1, len(out) - 1 + size // 2, -1):
        if not mask[i]:
            after = i
    for i in range(len(out) - 1, -1, -1):
        if not mask[i + size // 2]:
            after = i + size // 2
        out[i] = min(np.int64(out[i]), 2 * (after - i) - size + 1)


@njit(cache=True, parallel=True)
def _least_along_y(along_x: Any, sizes: Any, weights: Any, most: Any, out: Any) -> None:
    """Return the least squared distance to an empty voxel in the plane; `most` where the box has none."""
    size, step = sizes[1], weights[1]
    for k in prange(out.shape[0]):
        squares = np.empty(along_x.shape[1:], out.dtype)
        for j in range(squares.shape[0]):
            for i in range(squares.shape[1]):
                far = out.dtype.type(along_x[k, j, i])
                squares[j, i] = most if far >= sizes[2] else weights[2] * far * far
        for j in range(out.shape[1]):
            line = out[k, j]
            line[:] = most
            for t in range(size):
                _lower(line, squares[j + t], step * out.dtype.type((2 * t - size + 1) ** 2))


@njit(cache=True, parallel=True)
def _beyond_along_z(along_y: Any, size: int, step: Any, limit: Any, out: Any) -> None:
    """Tell where no empty voxel lies within the limit."""
    height = out.shape[1]
    for row in prange(out.shape[0] * height):
        k, j = row // height, row % height
        line = along_y[k, j] + step * along_y.dtype.type((1 - size) ** 2)
        for t in range(1, size):
            _lower(line, along_y[k + t, j], step * along_y.dtype.type((2 * t - size + 1) ** 2))
        out[k, j] = line > limit


@njit(cache=True)
def _lower(line: Any, other: Any, add: Any) -> None:
    for i in range(len(line)):
        line[i] = min(line[i], other[i] + add)
