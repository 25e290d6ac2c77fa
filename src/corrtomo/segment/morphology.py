"""Opening and closing with a digital ball: what is thinner than the ball goes, what is narrower is filled."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import njit, prange

from ..phases import check_mask
from ..volume import check_image, check_length, check_spatial, voxel_size

Mask = npt.NDArray[np.bool_]
_LONGEST = 255
_lazy: Any = da  # its functions carry no types


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
        # With no boundary the outermost chunks end where the volume ends, and are continued there.
        data = _lazy.map_overlap(
            work, mask.data, size=size, depth=tuple(n - 1 for n in size), boundary="none", dtype=bool
        )
    else:
        data = work(mask.data, size)
    return mask.copy(data=data)


def open_array(mask: Mask, size: tuple[int, ...]) -> Mask:
    """Open an array by a ball of so many voxels along each axis; at the border it goes on as it is there."""
    if max(size) == 1:
        return mask.copy()
    lead = 3 - mask.ndim
    sizes = (1,) * lead + tuple(size)
    wide = np.pad(mask.reshape((1,) * lead + mask.shape), [(n - 1, n - 1) for n in sizes], mode="edge")
    rows = ball_rows(sizes)
    shape = tuple(n - s + 1 for n, s in zip(wide.shape, sizes, strict=True))
    fits = np.empty(shape, np.bool_)
    _erode(_runs(wide, True), rows, fits)
    # A voxel is covered by a ball unless all places from which one would reach it are empty.
    around = np.pad(~fits, [(n - 1, n - 1) for n in sizes], constant_values=True)
    bare = np.empty(wide.shape, np.bool_)
    mirrored = rows.copy()
    mirrored[:, 0], mirrored[:, 1] = sizes[0] - 1 - rows[:, 0], sizes[1] - 1 - rows[:, 1]
    mirrored[:, 2] = sizes[2] - rows[:, 2] - rows[:, 3]
    _erode(_runs(around, True), mirrored, bare)
    inner = tuple(slice(n - 1, n - 1 + m) for n, m in zip(sizes, (1,) * lead + mask.shape, strict=True))
    opened: Mask = ~bare[inner].reshape(mask.shape)
    return opened


def ball_rows(sizes: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Return the digital ball in a box of these sizes as runs along x: z, y, first x, length.

    Examples
    --------
    >>> ball_rows((1, 4, 4)).tolist()
    [[0, 0, 1, 2], [0, 1, 0, 4], [0, 2, 0, 4], [0, 3, 1, 2]]
    """
    axes = [(np.arange(n) - (n - 1) / 2) / (n / 2) for n in sizes]
    inside = axes[0][:, None, None] ** 2 + axes[1][:, None] ** 2 + axes[2] ** 2 <= 1 + 1e-9
    found = np.argwhere(inside.any(axis=2))
    return np.array([(z, y, inside[z, y].argmax(), inside[z, y].sum()) for z, y in found], np.int64)


@njit(cache=True, parallel=True)
def _runs(mask: Any, value: bool) -> Any:
    """Return how many voxels of a value follow each other along x from each voxel on, 255 at most."""
    out = np.empty(mask.shape, np.uint8)
    rows = mask.shape[1]
    for row in prange(mask.shape[0] * rows):
        k, j = row // rows, row % rows
        run = 0
        for i in range(mask.shape[2] - 1, -1, -1):
            run = min(run + 1, _LONGEST) if mask[k, j, i] == value else 0
            out[k, j, i] = run
    return out


@njit(cache=True, parallel=True)
def _erode(runs: Any, rows: Any, out: Any) -> None:
    """Tell from where on the whole ball lies in the mask; the ball's box begins at the voxel."""
    height = out.shape[1]
    for row in prange(out.shape[0] * height):
        k, j = row // height, row % height
        line = out[k, j]
        line[:] = True
        for r in range(rows.shape[0]):
            source = runs[k + rows[r, 0], j + rows[r, 1]]
            first, length = rows[r, 2], rows[r, 3]
            for i in range(line.shape[0]):
                line[i] &= source[i + first] >= length
