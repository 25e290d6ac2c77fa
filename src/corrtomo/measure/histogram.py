"""The joint histogram of codes and grey values: one pass from which κ at every threshold follows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import get_num_threads, njit, prange

from ..blocks import blocks
from ..checks import check_finite, check_same_grid
from ..phases import Phase, check_integer
from ..volume import check_image

Counts = npt.NDArray[np.int64]
CODES = 256


def joint_histogram(image: xr.DataArray, truth: xr.DataArray, *, ignore: int | None = None) -> xr.DataArray:
    """Count the voxels of each true phase and grey value, in one pass over the volume.

    Whatever a global threshold can do to an image is in this table: confusion counts, phase fractions and
    Cohen's κ at every threshold are its cumulative sums (Sci. Rep. 6, 30109, Figs. 2a and 3a).

    Parameters
    ----------
    image : xarray.DataArray
        Grey values, ``uint8`` or ``uint16``, any dims, NumPy or Dask.
    truth : xarray.DataArray
        Codes 0 to 255 or a mask of booleans, on the same grid.
    ignore : int, optional
        Code in `truth` of voxels that are not counted.

    Returns
    -------
    xarray.DataArray
        Counts with dims ``phase, grey``: a row for each code that occurs, a column for each grey value of the
        dtype.

    Raises
    ------
    TypeError
        If grey values are not ``uint8`` or ``uint16``, or `truth` is not integer.
    ValueError
        If the grids differ, no voxel is left, or left-out voxels (255) occur and `ignore` does not name them.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> image = ct.volume(np.array([10, 10, 200], np.uint8), 0.438)
    >>> counts = ct.measure.joint_histogram(image, ct.volume([0, 1, 1], 0.438))
    >>> counts.sel(grey=[10, 200]).values
    array([[1, 0],
           [1, 1]])
    """
    check_image(image)
    check_finite(image, doing="count grey values")
    check_ignore(ignore)
    if image.dtype not in (np.uint8, np.uint16):
        raise TypeError(
            f"Cannot count grey values of dtype {image.dtype}: uint8 or uint16 are needed, one bin a grey "
            "value. Scale the image first over limits that you choose, for instance ((image - low) / (high "
            "- low) * 255).clip(0, 255).round().astype('uint8')."
        )
    check_integer(truth, doing="count true phases")
    check_same_grid(image, truth, doing="compare grey values with a truth")
    table = count_pairs(truth, image, np.iinfo(image.dtype).max + 1)
    codes = kept_codes(table.sum(axis=1), ignore, what="truth")
    coords = {"phase": codes, "grey": np.arange(table.shape[1])}
    return xr.DataArray(table[codes], dims=("phase", "grey"), coords=coords, name="voxels")


def count_pairs(codes: xr.DataArray, others: xr.DataArray, n_values: int) -> Counts:
    """Count the voxels of each pair of a code (0 to 255) and a value below `n_values`."""
    table = np.zeros((CODES, n_values), np.int64)
    for first, second in blocks(codes, others):
        if n_values == CODES:
            _add(as_codes(first), as_codes(second), table, get_num_threads())
        else:  # a table of 16-bit grey values is too large to have one for each thread
            _add_serial(as_codes(first), second, table)
    return table


def as_codes(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return codes as ``uint8``; refuse what does not fit."""
    if values.dtype == bool:  # by a view it may hold any byte
        return np.asarray(values.view(np.uint8) != 0).view(np.uint8)
    if values.dtype == np.uint8:
        return values
    if values.size and (values.min() < 0 or values.max() >= CODES):
        raise ValueError(
            f"Cannot compare codes from {values.min()} to {values.max()}: codes are 0 to 255. Number the "
            "classes anew first, for instance with numpy.unique(labels, return_inverse=True)."
        )
    return values.astype(np.uint8)


def check_ignore(ignore: Any) -> None:
    """Refuse a code to ignore that no label can have."""
    whole = isinstance(ignore, int | np.integer) and not isinstance(ignore, bool | np.bool_)
    if ignore is not None and not (whole and 0 <= ignore < CODES):
        raise ValueError(
            f"Cannot ignore code {ignore!r}: codes are whole numbers from 0 to 255. Pass ignore=255 for what "
            "is left out, or no ignore."
        )


def kept_codes(voxels: Counts, ignore: int | None, *, what: str) -> npt.NDArray[Any]:
    """Return the codes that occur and count; refuse left-out voxels that nobody asked to ignore."""
    codes = np.flatnonzero(voxels)
    if ignore != Phase.LEFT_OUT and Phase.LEFT_OUT in codes:
        raise ValueError(
            f"Cannot count {what}: {int(voxels[Phase.LEFT_OUT])} voxels have code 255, which marks what is "
            "left out and is no phase. Pass ignore=255 to leave them out."
        )
    codes = codes if ignore is None else codes[codes != ignore]
    if not codes.size:
        raise ValueError(
            f"Cannot count {what}: every voxel has code {ignore}, which is ignored. One or more must be "
            "left. Check the crop, or pass another code as ignore=."
        )
    return codes


@njit(cache=True, parallel=True)
def _add(codes: Any, values: Any, table: Any, threads: int) -> None:
    """Add the pairs to the table; every thread counts into a table of its own."""
    n = codes.size
    chunk = (n + threads - 1) // threads
    parts = np.zeros((threads, table.shape[0], table.shape[1]), np.int64)
    for k in prange(threads):
        _add_serial(codes[k * chunk : (k + 1) * chunk], values[k * chunk : (k + 1) * chunk], parts[k])
    for k in range(threads):
        table += parts[k]


@njit(cache=True)
def _add_serial(codes: Any, values: Any, table: Any) -> None:
    for i in range(codes.size):
        table[codes[i], values[i]] += 1
