"""Images with their drift, onto the even grid of a volume: one slice in memory before and one behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Array = npt.NDArray[Any]
_EDGE = 1e-6
"""Share of a pixel or a slice by which rounding may lead beyond it."""


@dataclass(frozen=True)
class Grid:
    """An even grid, and where its voxels lie in the recorded images.

    Attributes
    ----------
    z_um, y_um, x_um : numpy.ndarray
        Positions of the voxels, in the frame of the first image, true µm.
    slice_um : numpy.ndarray
        Position of each recorded slice along z.
    rows, columns : numpy.ndarray
        Pixel number of each voxel in the first image, along y and x.
    shift : numpy.ndarray
        Drift of each image along y and x, in pixels: what is at pixel p of the first is at p + shift.
    nearest : bool
        Take the nearest pixel, as labels need, instead of the linear mean of its neighbours.
    dtype : numpy.dtype
        Of the volume.
    outside : float
        Value of what was never recorded.
    """

    z_um: Floats
    y_um: Floats
    x_um: Floats
    slice_um: Floats
    rows: Floats
    columns: Floats
    shift: Floats
    nearest: bool
    dtype: np.dtype[Any]
    outside: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along z, y, x."""
        return len(self.z_um), len(self.y_um), len(self.x_um)

    @property
    def before(self) -> npt.NDArray[np.int64]:
        """Number of the slice before each plane of voxels; another one follows each."""
        k = np.searchsorted(self.slice_um, self.z_um, side="right") - 1
        return np.clip(k, 0, len(self.slice_um) - 2).astype(np.int64)

    @property
    def weight(self) -> Floats:
        """Weight of the slice behind each plane of voxels; the one before has the rest."""
        k = self.before
        part = (self.z_um - self.slice_um[k]) / (self.slice_um[k + 1] - self.slice_um[k])
        return np.asarray(np.clip(part, 0.0, 1.0), np.float64)


def known_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in which grey values are read: numba knows no half, long or byte-swapped ones."""
    if dtype.char in "eg":
        return np.dtype(np.float32 if dtype.char == "e" else np.float64)
    return dtype.newbyteorder("=")


def resample(images: Iterable[tuple[int, Array]], grid: Grid, planes: slice) -> Array:
    """Fill some planes of a grid from the slices around them, which come one after the other.

    Parameters
    ----------
    images : iterable of (int, numpy.ndarray)
        Slice number and image, without a gap, from the slice before the first plane on.
    grid : Grid
        Of the whole volume.
    planes : slice
        Planes of voxels that are filled.
    """
    out = np.empty((planes.stop - planes.start, *grid.shape[1:]), grid.dtype)
    before, weight = grid.before[planes], grid.weight[planes]
    last: Array | None = None
    for k, image in images:
        here = _in_plane(image, grid, k)
        for j in np.flatnonzero(before == k - 1):
            _between(last, here, weight[j], grid.nearest, out[j])
        last = here
    return out


def _in_plane(image: Array, grid: Grid, k: int) -> Array:
    """Sample one image at the voxels of the grid, with its drift."""
    image = image.astype(known_dtype(image.dtype), copy=False)
    wide = image.dtype.itemsize > 4 or (image.dtype.kind != "f" and image.dtype.itemsize > 2)
    y, x = grid.rows + grid.shift[k, 0], grid.columns + grid.shift[k, 1]
    shape = (len(y), len(x))
    if grid.nearest:
        if image.dtype == bool:
            image = image.view(np.uint8)
        labels = np.empty(shape, image.dtype)
        _sample_nearest(image, y, x, grid.outside, labels)
        return labels
    grey = np.empty(shape, np.float64 if wide else np.float32)
    _sample_linear(image, y, x, grid.outside, grey)
    return grey


def _between(before: Any, behind: Any, weight: float, nearest: bool, out: Array) -> None:
    if nearest:
        out[...] = behind if weight > 0.5 else before
        return
    # On a slice the other one does not count, not even where it saw nothing.
    if weight < _EDGE:
        behind = before
    elif weight > 1.0 - _EDGE:
        before = behind
    _blend(before, behind, before.dtype.type(weight), out.dtype.kind in "iu", out)


@njit(cache=True, nogil=True)
def _sample_linear(image: Any, y: Any, x: Any, outside: float, out: Any) -> None:
    for j in range(len(y)):
        _linear_row(image, y[j], x, outside, out[j])


@njit(cache=True, nogil=True)
def _linear_row(image: Any, y: float, x: Any, outside: float, out: Any) -> None:
    rows, columns = image.shape
    if y < -_EDGE or y > rows - 1 + _EDGE:
        out[:] = outside
        return
    above = min(max(int(y), 0), max(rows - 2, 0))
    below = min(above + 1, rows - 1)
    wy = min(max(y - above, 0.0), 1.0)
    for i in range(len(x)):
        if x[i] < -_EDGE or x[i] > columns - 1 + _EDGE:
            out[i] = outside
            continue
        left = min(max(int(x[i]), 0), max(columns - 2, 0))
        right = min(left + 1, columns - 1)
        wx = min(max(x[i] - left, 0.0), 1.0)
        top = (1.0 - wx) * image[above, left] + wx * image[above, right]
        out[i] = (1.0 - wy) * top + wy * ((1.0 - wx) * image[below, left] + wx * image[below, right])


@njit(cache=True, nogil=True)
def _sample_nearest(image: Any, y: Any, x: Any, outside: float, out: Any) -> None:
    for j in range(len(y)):
        _nearest_row(image, y[j], x, outside, out[j])


@njit(cache=True, nogil=True)
def _nearest_row(image: Any, y: float, x: Any, outside: float, out: Any) -> None:
    rows, columns = image.shape
    row = int(np.floor(y + 0.5))
    for i in range(len(x)):
        column = int(np.floor(x[i] + 0.5))
        if 0 <= row < rows and 0 <= column < columns:
            out[i] = image[row, column]
        else:
            out[i] = outside


@njit(cache=True, nogil=True)
def _blend(before: Any, behind: Any, weight: Any, rounded: bool, out: Any) -> None:
    for j in range(before.shape[0]):
        if rounded:
            for i in range(before.shape[1]):
                out[j, i] = np.floor(before[j, i] + weight * (behind[j, i] - before[j, i]) + 0.5)
        else:
            for i in range(before.shape[1]):
                out[j, i] = before[j, i] + weight * (behind[j, i] - before[j, i])
