"""Closed surfaces of phases, as fine as a stated number of triangles allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage
from skimage.measure import marching_cubes

from ..volume import origin, voxel_size

_FIRST_LOOK = 400_000
"""Coarse voxels of the first attempt: about as many as a budget of 60 000 triangles needs."""
_CLEAR = 0.04
"""Shares this near to one half would make slivers: they are moved away from it, a tie to the outside."""

_SMOOTH = 0.7
"""Standard deviation in voxels of the grid: less leaves chips where surfaces are thinned, more joins them."""

Shares = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Surface:
    """A closed surface of triangles.

    Attributes
    ----------
    corners : numpy.ndarray
        Positions x, y, z in µm, float32, shape (n, 3).
    triangles : numpy.ndarray
        Three corners each, counter-clockwise seen from outside, int32, shape (m, 3).
    values : numpy.ndarray, optional
        A value a corner, to colour it by.
    """

    corners: npt.NDArray[np.float32]
    triangles: npt.NDArray[np.int32]
    values: npt.NDArray[np.float32] | None = None

    @property
    def volume_um3(self) -> float:
        """Volume inside, in µm³, by the divergence theorem."""
        a, b, c = self.corners.astype(float)[self.triangles].swapaxes(0, 1)
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


@dataclass(frozen=True)
class Grid:
    """A grid over the box of an image, with voxels as large as those of the image or larger."""

    start_um: tuple[float, ...]
    step_um: tuple[float, ...]
    shape: tuple[int, ...]

    @classmethod
    def over(cls, image: xr.DataArray, step_um: float) -> Grid:
        """Divide the box of an image into voxels of about this edge, none finer than the image's."""
        sizes = voxel_size(image)
        shape = [
            max(1, min(n, round(n * size / step_um))) for n, size in zip(image.shape, sizes, strict=True)
        ]
        step = [n * size / m for n, size, m in zip(image.shape, sizes, shape, strict=True)]
        start = [first - size / 2 for first, size in zip(origin(image), sizes, strict=True)]
        return cls(tuple(start), tuple(step), tuple(shape))

    @property
    def end_um(self) -> tuple[float, ...]:
        """The far corner of the box."""
        return tuple(a + n * s for a, n, s in zip(self.start_um, self.shape, self.step_um, strict=True))


def within(
    build: Callable[[Grid], Sequence[Surface]], image: xr.DataArray, budget: int
) -> tuple[Sequence[Surface], Grid]:
    """Build surfaces on the finest grid, or nearly so, on which they keep to a number of triangles.

    A surface has about as many triangles as its area holds squares of the grid, so the step that fits is
    found in two or three attempts.
    """
    finest = min(voxel_size(image))
    box = float(np.prod([n * size for n, size in zip(image.shape, voxel_size(image), strict=True)]))
    step = max(finest, (box / _FIRST_LOOK) ** (1 / 3))
    grid = Grid.over(image, step)
    surfaces = build(grid)
    if count(surfaces) < 0.6 * budget and grid.shape != image.shape:
        step = max(finest, step * (max(count(surfaces), 1) / (0.85 * budget)) ** 0.5)
        grid = Grid.over(image, step)
        surfaces = build(grid)
    while count(surfaces) > budget:
        step *= max(1.03, (count(surfaces) / (0.95 * budget)) ** 0.5)
        grid = Grid.over(image, step)
        surfaces = build(grid)
    return surfaces, grid


def count(surfaces: Sequence[Surface]) -> int:
    """Return the number of triangles of all surfaces together."""
    return sum(len(surface.triangles) for surface in surfaces)


def average(image: xr.DataArray, grid: Grid, *parts: Callable[[npt.NDArray[Any]], Any]) -> list[Shares]:
    """Average functions of an image over the voxels of a grid that are as large as its own or larger.

    Voxels that lie in two of the grid's count for each by their overlap. A few slices are read at a time, so
    that a large or lazily loaded volume is never held whole.
    """
    deep, down, across = (
        _overlap(n, m).astype(np.float32) for n, m in zip(image.shape, grid.shape, strict=True)
    )
    out = [np.empty(grid.shape, np.float32) for _ in parts]
    for i, weights in enumerate(deep):
        (used,) = np.nonzero(weights)
        slab = np.asarray(image.data[used[0] : used[-1] + 1])
        for part, mean in zip(parts, out, strict=True):
            flat = np.tensordot(weights[used], np.asarray(part(slab), np.float32), 1)
            mean[i] = down @ flat @ across.T
    return out


def smoothed(shares: Shares) -> tuple[Shares, Shares]:
    """Smooth shares lightly, and move their level so that as much is inside as before.

    A coarse grid cuts what is thin into chips, and smoothing alone would wear it away. Above one half is then
    as large a part of the grid as the shares fill. Beyond the box it goes on as at its faces.

    Returns
    -------
    level, smooth : numpy.ndarray
        The smooth shares with their level moved to one half, and as they are.
    """
    smooth = blur(shares)
    filled = float(shares.mean())
    split = float(np.quantile(smooth, 1 - filled))
    if not 0 < split < 1:
        return shares, smooth
    above = 0.5 + 0.5 * (smooth - split) / (1 - split)
    return np.where(smooth > split, above, 0.5 * smooth / split).astype(np.float32), smooth


def blur(values: Shares) -> Shares:
    """Return what :func:`smoothed` makes of shares before it moves their level, for what goes with them."""
    return np.asarray(ndimage.gaussian_filter(values, _SMOOTH, mode="nearest"), np.float32)


def surface(shares: Shares, grid: Grid, *, level_values: Shares | None = None) -> Surface:
    """Find the closed surface of what takes up more than half of a voxel; it ends flat at the box.

    Parameters
    ----------
    shares : numpy.ndarray
        Share of each voxel that is inside, dims z, y, x.
    grid : Grid
        Where the voxels lie.
    level_values : numpy.ndarray, optional
        Mean over each voxel of a quantity that is zero outside; its mean inside colours the corners.
    """
    padded = _close(_keep_clear(shares))
    if not (padded > 0.5).any():
        return Surface(np.empty((0, 3), np.float32), np.empty((0, 3), np.int32), None)
    corners, triangles, _, _ = marching_cubes(padded, 0.5, allow_degenerate=False)
    values = None
    if level_values is not None:
        where = corners.T - 1
        inside = ndimage.map_coordinates(shares, where, order=1, mode="nearest")
        total = ndimage.map_coordinates(level_values, where, order=1, mode="nearest")
        values = (total / np.maximum(inside, 1e-6)).astype(np.float32)
    zyx = np.asarray(grid.start_um) + (corners - 0.5) * np.asarray(grid.step_um)
    return Surface(
        np.ascontiguousarray(zyx[:, ::-1], np.float32),  # x, y, z
        np.ascontiguousarray(triangles, np.int32),
        values,
    )


def _overlap(n: int, m: int) -> npt.NDArray[np.float64]:
    """Return the share of each of m equal parts of a line that each of n smaller parts takes up."""
    fine, coarse = np.arange(n + 1) / n, np.arange(m + 1) / m
    high = np.minimum(fine[1:], coarse[1:, None])
    low = np.maximum(fine[:-1], coarse[:-1, None])
    shared = np.where(high - low > 1e-9 / n, high - low, 0.0)
    return np.asarray(shared / shared.sum(axis=1, keepdims=True))


def _keep_clear(shares: Shares) -> Shares:
    gap = shares - np.float32(0.5)
    return np.asarray(np.float32(0.5) + np.where(gap > 1e-6, 1, -1) * np.maximum(np.abs(gap), _CLEAR))


def _close(shares: Shares) -> Shares:
    """Add a layer on every side that puts the surface exactly on the faces of the box.

    Halfway between a share and one minus it lies one half, wherever the share is above one half.
    """
    out = np.zeros([n + 2 for n in shares.shape], np.float32)
    inner = (slice(1, -1),) * 3
    out[inner] = shares
    for axis in range(3):
        for outside, inside in ((0, 1), (-1, -2)):
            to: list[Any] = list(inner)
            of: list[Any] = list(inner)
            to[axis], of[axis] = outside, inside
            layer = out[tuple(of)]
            out[tuple(to)] = np.minimum(layer, 1 - layer)
    return out
