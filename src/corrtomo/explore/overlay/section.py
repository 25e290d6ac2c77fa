"""A section moved by hand through a volume: its pose, what the volume shows there, and how well that fits.

The page computes the same (``overlay/section.js``), in the same steps: its numbers are those of Python.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial.transform import Rotation

from ...register.frames import Floats, move, turn
from ...register.information import mutual_information

POSE = ("depth_um", "tilt_y_deg", "tilt_x_deg", "turn_deg", "shift_y_um", "shift_x_um")
LEAST = 0.1
"""Share of the section that must lie in the volume: below it, chance makes much of few pixels."""
FINEST = 256
"""Pixels across, about, at which mutual information is computed."""
_BINS = 32
_TOUCH = 1e-6
"""Voxels: what lies on the last voxel is inside, however floats round."""
Bytes = npt.NDArray[np.uint8]
Known = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Stack:
    """The part of a volume that a page holds: 8-bit grey values, dims z, y, x, at even places in µm."""

    values: Bytes
    origin: Floats
    step: Floats


@dataclass(frozen=True)
class Plane:
    """The grid of a section in its own frame: its first pixel, step and middle (y, x) in µm; its scale."""

    origin: Floats
    step: Floats
    centre: Floats
    scale: float

    def coarser(self, block: int) -> Plane:
        """Return the grid of blocks of so many pixels along each axis."""
        return Plane(self.origin + (block - 1) / 2 * self.step, block * self.step, self.centre, self.scale)


def linear_of(pose: dict[str, float]) -> Floats:
    """Return the rotation of a pose, over (z, y, x): first the turn in the plane, then both tilts as one."""
    tilt = turn(np.array([0.0, pose["tilt_y_deg"], pose["tilt_x_deg"]]))
    return np.asarray(tilt @ turn(np.array([pose["turn_deg"], 0.0, 0.0])), np.float64)


def matrix_of(pose: dict[str, float], plane: Plane) -> Floats:
    """Return the matrix over (z, y, x, 1) from the frame of the section to that of the volume."""
    out = np.eye(4)
    out[:3, :3] = plane.scale * linear_of(pose)
    shift = np.array([pose["shift_y_um"], pose["shift_x_um"]])
    target = np.array([pose["depth_um"], *(plane.centre + shift)])
    out[:3, 3] = target - out[:3, :3] @ np.array([0.0, *plane.centre])
    return out


def pose_of(matrix: Floats, centre: Floats) -> tuple[dict[str, float], float]:
    """Return the pose and the scale of a matrix from the section to the volume: `matrix_of` the other way."""
    scale = float(np.cbrt(np.linalg.det(matrix[:3, :3])))
    whole = Rotation.from_matrix(matrix[:3, :3] / scale)
    about_z, _, _, real = whole.as_quat()
    in_plane = Rotation.from_rotvec([2 * np.arctan2(about_z, real), 0.0, 0.0])
    _, tilt_y, tilt_x = (whole * in_plane.inv()).as_rotvec(degrees=True)
    depth, *at = move(matrix, np.array([0.0, *centre]))
    shift_y, shift_x = np.array(at) - centre
    turned = float(np.rad2deg(in_plane.as_rotvec()[0]))
    values = (depth, tilt_y, tilt_x, turned, shift_y, shift_x)
    return {name: float(value) for name, value in zip(POSE, values, strict=True)}, scale


def cut_plane(
    stack: Stack, plane: Plane, shape: tuple[int, int], pose: dict[str, float]
) -> tuple[Bytes, Known]:
    """Sample a volume on a section, linearly, to whole grey values; and say which pixels lie in it."""
    matrix = matrix_of(pose, plane)
    rows, columns = (o + s * np.arange(n) for o, s, n in zip(plane.origin, plane.step, shape, strict=True))
    points = np.stack([np.zeros(shape), *np.meshgrid(rows, columns, indexing="ij")], axis=-1)
    at = (move(matrix, points) - stack.origin) / stack.step
    last = np.array(stack.values.shape) - 1
    known = np.asarray(((at >= -_TOUCH) & (at <= last + _TOUCH)).all(axis=-1))
    places = np.moveaxis(np.clip(at, 0, last), -1, 0)
    found = ndimage.map_coordinates(stack.values.astype(np.float64), places, order=1, mode="nearest")
    return np.where(known, np.floor(found + 0.5 + _TOUCH), 0).astype(np.uint8), known


def block_side(shape: tuple[int, int]) -> int:
    """Return how many pixels along each axis make a block at which mutual information is computed.

    Examples
    --------
    >>> [block_side(shape) for shape in ((200, 200), (512, 512), (400, 660))]
    [1, 2, 3]
    """
    return max(1, -(-max(shape) // FINEST))


def block_greys(values: Bytes, known: Known, block: int) -> tuple[Bytes, Known]:
    """Average blocks of pixels to whole grey values; one is known if all of its pixels are."""
    rows, columns = (n // block for n in values.shape)
    sides = (rows, block, columns, block)
    sums = values[: rows * block, : columns * block].reshape(sides).sum(axis=(1, 3), dtype=np.int64)
    whole = known[: rows * block, : columns * block].reshape(sides).all(axis=(1, 3))
    number = block * block
    return ((2 * sums + number) // (2 * number)).astype(np.uint8), np.asarray(whole)


def information(first: Bytes, other: Bytes, known: Known) -> float:
    """Return the mutual information of 8-bit grey values in nats, of 32 × 32 bins; NaN of too few pixels."""
    if known.sum() < LEAST * known.size:
        return float("nan")
    # Classes, not grey values: whatever their range, each has a bin of its own.
    classes = [(values[known] // (256 // _BINS)).astype(np.float32) for values in (first, other)]
    return mutual_information(classes[0], classes[1], _BINS)
