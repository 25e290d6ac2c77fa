"""An alignment: how one image lies in the frame of another, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage

from ..phases import Phase
from ..volume import SPATIAL, check_image, origin, voxel_size
from .averaging import block_means
from .frames import Floats, inverse, move, named, voxel_map

_SLAB = 1 << 21


class AlignmentError(RuntimeError):
    """No pose was found that can be trusted."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where a moving image lies in the frame of a fixed one, as :func:`align` finds it.

    Attributes
    ----------
    matrix : numpy.ndarray
        4 × 4 (3 × 3 in 2D), takes (z, y, x, 1) in µm from the moving frame to the fixed frame.
    error_um : float
        Expected error at the farthest corner of the overlap, in µm, from the agreement of sub-volumes: see
        the notes of :func:`align` for what it cannot see.
    metric : float
        Mutual information in nats (Mattes' estimate).
    converged : bool
        Whether the search for its maximum ended by itself.
    iterations : int
        Steps of the last level of that search.
    stop : str
        Why it ended.
    transform : str
        "rigid", "similarity" or "affine".
    turn_deg : float
        Angle of the rotation.
    shift_um : tuple of float
        By how much the centre of the moving image lies off where it was looked for, along z, y, x.
    scale : float
        Length in the fixed frame over length in the moving one (geometric mean); 1 if rigid.
    """

    matrix: Floats
    error_um: float
    metric: float
    converged: bool
    iterations: int
    stop: str
    transform: str
    turn_deg: float
    shift_um: tuple[float, ...]
    scale: float

    def __repr__(self) -> str:
        scale = "" if self.transform == "rigid" else f", scaled by {self.scale:.4f}"
        ended = "converged" if self.converged else "NOT converged"
        return (
            f"Alignment({self.transform}: turned by {self.turn_deg:.2f}°, centre shifted by "
            f"{named(self.shift_um)} µm{scale}; expected error {self.error_um:.3f} µm at the farthest "
            f"corner; mutual information {self.metric:.3f}, {ended} after {self.iterations} steps)"
        )

    def points(self, points_um: npt.ArrayLike) -> Floats:
        """Bring points from the moving into the fixed frame, (z, y, x) in µm, one a row or one alone."""
        points = np.asarray(points_um, float)
        n = len(self.matrix) - 1
        if points.ndim not in (1, 2) or points.shape[-1] != n:
            raise ValueError(
                f"Cannot align points of shape {points.shape}: {n} numbers a point are needed, "
                f"{', '.join(SPATIAL[-n:])} in µm. Pass an array of shape (points, {n})."
            )
        return move(self.matrix, points)

    def inverse(self) -> Self:
        """Return the alignment from the fixed to the moving frame; shift and error are as seen from there."""
        n = len(self.matrix) - 1
        matrix = inverse(self.matrix)
        shift = -matrix[:n, :n] @ np.array(self.shift_um)
        return replace(
            self,
            matrix=matrix,
            scale=1.0 / self.scale,
            error_um=self.error_um / self.scale,
            shift_um=tuple(float(s) for s in shift),
        )

    def resample(
        self,
        image: xr.DataArray,
        onto: xr.DataArray,
        *,
        fill: float | None = None,
        labels: bool | None = None,
    ) -> xr.DataArray:
        """Bring an image of the moving frame onto the grid of one of the fixed frame.

        Parameters
        ----------
        image : xarray.DataArray
            Grey values, labels or a mask, dims z, y, x or y, x, with channels or without; NumPy or Dask.
        onto : xarray.DataArray
            Any image on the wanted grid; only its coordinates are used.
        fill : float, optional
            What stands where `image` does not reach. By default NaN for grey values (as ``float32``) and 255,
            left out, for labels.
        labels : bool, optional
            Take the nearest voxel, and mix no values. By default so for masks of booleans and for images
            with ``attrs["phases"]``.

        Returns
        -------
        xarray.DataArray
            On the grid of `onto`. Grey values are ``float32``; labels keep their dtype, masks become
            ``uint8`` with 0, 1 and, outside, 255.

        Raises
        ------
        ValueError
            If the dims do not fit the alignment, or `fill` does not fit the labels' dtype.

        Notes
        -----
        Grey values are interpolated linearly; of an image at least twice as fine as `onto`, blocks of voxels
        are averaged first. Labels so fine lose what lies between the voxels of `onto`: bring those down by
        the majority rule, ``ct.register.coarsen(labels, onto, alignment=...)``. A voxel is known up to its
        face, half a voxel beyond its centre, and what does not fill a block at the far ends is averaged too.
        Memory is that of the result and, while it is read, of the part of `image` under a few slices of it.
        """
        self._check(image, onto)
        nearest = takes_nearest(image, labels)
        grid = onto.isel(channel=0, drop=True) if "channel" in onto.dims else onto
        if "channel" in image.dims:
            parts = [self.resample(one, grid, fill=fill, labels=nearest) for one in image]
            return xr.concat(parts, "channel").assign_coords(channel=image.channel)
        value = fill_value(image, fill, nearest)
        blocks = np.array(image.shape, float)
        if not nearest:
            counts = self._counts(image, grid)
            if max(counts) > 1:
                blocks /= counts
                image = block_means(image, counts, whole=False).assign_attrs(image.attrs)
        out = np.full(grid.shape, value, _dtype(image, nearest))
        for rows in _slabs(grid.shape):
            self._sample(image, blocks, grid[rows], nearest, out[rows])
        result = grid.copy(data=out).rename(image.name)
        result.attrs = dict(image.attrs)
        return result

    def _check(self, image: xr.DataArray, onto: xr.DataArray) -> None:
        n = len(self.matrix) - 1
        for what in (image, onto):
            dims = check_image(what)
            if len(dims) != n or dims != list(SPATIAL[-n:]):
                raise ValueError(
                    f"Cannot resample an image with dims {what.dims} by an alignment in {n}D: dims "
                    f"{', '.join(SPATIAL[-n:])} are needed for both image and grid. Align images of the same "
                    "dims with ct.register.align()."
                )

    def _counts(self, image: xr.DataArray, grid: xr.DataArray) -> list[int]:
        """Return how many voxels of an image, along each of its axes, lie within a step of the grid."""
        along = np.abs(inverse(self.matrix)[:-1, :-1])
        near = along >= along.max(axis=1, keepdims=True) / 2  # the grid's axes that lead along an image's
        steps = np.where(near, voxel_size(grid), np.inf).min(axis=1) * (1 + 1e-9)
        sizes = zip(steps, voxel_size(image), image.shape, strict=True)
        return [max(1, min(int(step / voxel), n)) for step, voxel, n in sizes]

    def _sample(
        self,
        image: xr.DataArray,
        blocks: Floats,
        grid: xr.DataArray,
        nearest: bool,
        out: npt.NDArray[np.generic],
    ) -> None:
        """Write what an image of so many `blocks` along each axis shows at the voxels of `grid`."""
        back = inverse(self.matrix)
        start = move(back, np.array(origin(grid)))
        linear, offset = voxel_map(image, start, back[:-1, :-1], voxel_size(grid))
        place = linear @ np.indices(out.shape, np.float64).reshape(out.ndim, -1) + offset[:, None]
        inside = ((place >= -0.5 - 1e-9) & (place <= blocks[:, None] - 0.5 + 1e-9)).all(axis=0)
        if not inside.any():
            return
        sizes = np.array(image.shape)[:, None]
        place = np.clip(_stretch(place[:, inside], blocks[:, None]), 0, sizes - 1)
        low = np.floor(place.min(axis=1)).astype(int)
        high = np.ceil(place.max(axis=1)).astype(int) + 1
        box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        part = np.asarray(image.data[box])
        place -= low[:, None]
        if nearest:
            chosen = np.minimum(np.floor(place + 0.5).astype(int), np.array(part.shape)[:, None] - 1)
            found = part[tuple(chosen)]
        else:
            found = ndimage.map_coordinates(
                part.astype(np.float32), place, order=1, mode="nearest", output=np.float32
            )
        out[inside.reshape(out.shape)] = found


def _stretch(place: Floats, blocks: Floats) -> Floats:
    """Bring places in blocks to the numbers of their means: a last block that is not full lies nearer."""
    full = np.floor(blocks)
    rest = blocks - full
    if not rest.any():
        return place
    beyond = np.where(rest > 0, np.maximum(place - (full - 1), 0.0), 0.0)  # the last full block
    return place + beyond * (2 / (1 + rest) - 1)


def _slabs(shape: Sequence[int]) -> list[slice]:
    rows = max(1, _SLAB // int(np.prod(shape[1:])))
    return [slice(k, min(k + rows, shape[0])) for k in range(0, shape[0], rows)]


def _dtype(image: xr.DataArray, nearest: bool) -> np.dtype[np.generic]:
    if not nearest:
        return np.dtype(np.float32)
    return np.dtype(np.uint8) if image.dtype == bool else image.dtype


def takes_nearest(image: xr.DataArray, labels: bool | None) -> bool:
    """Tell whether an image is resampled to its nearest voxel: masks and labels, unless the caller says."""
    return labels if labels is not None else image.dtype == bool or "phases" in image.attrs


def fill_value(image: xr.DataArray, fill: Any, nearest: bool) -> float:
    """Return what stands where an image does not reach; refuse what its dtype cannot hold."""
    value: Any = fill if fill is not None else (float(Phase.LEFT_OUT) if nearest else np.nan)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(
            f"Cannot fill with {fill!r}: a number is needed. Leave fill out for NaN, or 255 with labels."
        )
    number, dtype = float(value), _dtype(image, nearest)
    if nearest and np.issubdtype(dtype, np.integer):
        known: Any = np.iinfo(dtype.name)
        if not (known.min <= number <= known.max and number.is_integer()):
            raise ValueError(
                f"Cannot fill labels of dtype {dtype} with {value!r}: a whole number from {known.min} to "
                f"{known.max} is needed. Pass for instance fill=0, or cast the labels first."
            )
    return number
