"""Two frames and the matrix between them: points, turns, and one image sampled on the grid of another."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage
from scipy.spatial.transform import Rotation

from ..volume import SPATIAL, origin, voxel_size

Floats = npt.NDArray[np.float64]
Grey = npt.NDArray[np.float32]


def corners(low: Floats, high: Floats) -> Floats:
    """Return the corners of a box, one a row."""
    return np.array(list(product(*zip(low, high, strict=True))))


def middle(image: xr.DataArray) -> Floats:
    """Return the middle of an image in µm."""
    return np.array(origin(image)) + (np.array(image.shape) - 1) / 2 * voxel_size(image)


def extent(image: xr.DataArray) -> Floats:
    """Return the edge lengths of an image in µm, from face to face."""
    return np.array(image.shape) * voxel_size(image)


def named(values: npt.ArrayLike, digits: int = 2, unit: str = "") -> str:
    """Say numbers along the last axes, for instance "y +0.50, x -1.20"."""
    each = np.atleast_1d(np.asarray(values, float)).tolist()
    names = SPATIAL[-len(each) :]
    return ", ".join(f"{d} {value:+.{digits}f}{unit}" for d, value in zip(names, each, strict=True))


def move(matrix: Floats, points: Floats) -> Floats:
    """Apply a matrix over (z, y, x, 1) to points, one a row or one alone."""
    n = len(matrix) - 1
    out: Floats = points @ matrix[:n, :n].T + matrix[:n, n]
    return out


def inverse(matrix: Floats) -> Floats:
    """Return the matrix of the way back."""
    return np.asarray(np.linalg.inv(matrix), np.float64)


def turn(angles_deg: Floats) -> Floats:
    """Return the matrix of a turn: about z, y and x as one vector, or by one angle in the plane."""
    if len(angles_deg) == 3:
        return np.asarray(Rotation.from_rotvec(angles_deg, degrees=True).as_matrix(), np.float64)
    a = np.deg2rad(angles_deg[0])
    return np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])


def turn_deg(matrix: Floats) -> Floats:
    """Return the angles of the :func:`turn` nearest to a matrix over (z, y, x, 1)."""
    n = len(matrix) - 1
    left, _, right = np.linalg.svd(matrix[:n, :n])
    rigid = left @ right
    if n == 3:
        return np.asarray(Rotation.from_matrix(rigid).as_rotvec(degrees=True), np.float64)
    return np.array([np.rad2deg(np.arctan2(rigid[1, 0], rigid[0, 0]))])


def voxel_map(image: xr.DataArray, start: Floats, linear: Floats, step: Any) -> tuple[Floats, Floats]:
    """Return matrix and offset to voxel numbers of `image` from those of a grid in another frame.

    Voxel 0 of the grid lies at `start`, µm in the frame of the image, and `linear` leads there from µm in the
    frame of the grid, whose voxels are `step` µm long.
    """
    per_voxel = 1.0 / np.array(voxel_size(image))
    return per_voxel[:, None] * linear * step, (start - origin(image)) * per_voxel


def sample(
    grey: Grey, image: xr.DataArray, start: Floats, linear: Floats, step: Any, shape: tuple[int, ...]
) -> Grey:
    """Sample `grey`, on the grid of `image`, at the voxels that :func:`voxel_map` describes; NaN outside."""
    matrix, offset = voxel_map(image, start, linear, step)
    out = ndimage.affine_transform(grey, matrix, offset, shape, order=1, cval=np.nan)
    return np.asarray(out, np.float32)


def sample_onto(onto: xr.DataArray, grey: Grey, image: xr.DataArray, matrix: Floats) -> Grey:
    """Sample `grey`, on the grid of `image`, on that of `onto`, from where `matrix` leads; NaN outside."""
    start = move(matrix, np.array(origin(onto)))
    return sample(grey, image, start, matrix[:-1, :-1], voxel_size(onto), onto.shape)
