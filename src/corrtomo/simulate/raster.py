"""Rasters of a microstructure: any window, at any voxel size, from any side."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.uint8]
PORE, CBD, AM = 0, 1, 2


@dataclass(frozen=True, eq=False)
class View:
    """A grid of voxels, and where it lies against the specimen.

    Attributes
    ----------
    voxel_um, origin_um : numpy.ndarray
        Edge of a voxel and centre of the first voxel along z, y, x, in µm, in the frame of the view.
    shape : tuple of int
        Number of voxels along z, y, x.
    pose : numpy.ndarray
        4 × 4, takes (z, y, x, 1) in µm from the frame of the specimen to that of the view; turns and shifts
        only.
    """

    voxel_um: Array
    origin_um: Array
    shape: tuple[int, int, int]
    pose: Array = field(default_factory=lambda: np.eye(4))

    def bounds_um(self) -> tuple[Array, Array]:
        """Return the lowest and highest specimen coordinates of voxel centres of the view, in µm."""
        last = self.origin_um + self.voxel_um * (np.array(self.shape) - 1)
        corners = np.array(list(product(*zip(self.origin_um, last, strict=True))))
        inside = (corners - self.pose[:3, 3]) @ self.pose[:3, :3]
        return inside.min(axis=0), inside.max(axis=0)

    def part(self, first: int, last: int) -> View:
        """Return slices `first` to `last` (not included)."""
        start = self.origin_um + np.array([first * self.voxel_um[0], 0.0, 0.0])
        return replace(self, origin_um=start, shape=(last - first, *self.shape[1:]))


def images_in_view(
    centres: Array,
    matrices: Array,
    reach_um: float,
    size_um: Array,
    view: View,
    repeats: tuple[bool, bool, bool] = (True, True, True),
) -> tuple[Array, Array, Array]:
    """Return centre, matrix and half extents, in the view's frame, of each periodic image it may hold."""
    return rows_in_view(centres, matrices, reach_um, size_um, view, repeats)[1:]


def rows_in_view(
    centres: Array,
    matrices: Array,
    reach_um: float,
    size_um: Array,
    view: View,
    repeats: tuple[bool, bool, bool] = (True, True, True),
) -> tuple[npt.NDArray[np.intp], Array, Array, Array]:
    """Return the row of each periodic image that a view may hold, and what :func:`images_in_view` returns."""
    low, high = view.bounds_um()
    low, high = low - reach_um, high + reach_um
    first = np.where(repeats, np.floor(low / size_um), 0).astype(int)
    last = np.where(repeats, np.floor(high / size_um), 0).astype(int)
    rows, moved = [], []
    for step in product(*(range(a, b + 1) for a, b in zip(first, last, strict=True))):
        where = centres + np.array(step) * size_um
        inside = np.flatnonzero(((where >= low) & (where <= high)).all(axis=1))
        rows.append(inside)
        moved.append(where[inside])
    row, turn = np.concatenate(rows), view.pose[:3, :3]
    seen = np.concatenate(moved) @ turn.T + view.pose[:3, 3]
    turned = turn @ matrices[row] @ turn.T
    extent = np.sqrt(np.diagonal(np.linalg.inv(turned), axis1=1, axis2=2)) if len(row) else np.empty((0, 3))
    return row, np.ascontiguousarray(seen), np.ascontiguousarray(turned), np.ascontiguousarray(extent)


@njit(cache=True, parallel=True)
def fill_ellipsoids(
    out: Any, centres: Any, matrices: Any, extents: Any, voxel: Any, origin: Any, shift: Any, code: Any
) -> None:
    """Write `code` where a voxel's centre is in an ellipsoid; `shift` moves slices along y, x (µm)."""
    for k in prange(out.shape[0]):
        z = origin[0] + k * voxel[0]
        for p in range(centres.shape[0]):
            if abs(z - centres[p, 0]) <= extents[p, 0]:
                cy, cx = centres[p, 1] + shift[k, 0], centres[p, 2] + shift[k, 1]
                _fill_section(out[k], z - centres[p, 0], cy, cx, matrices[p], extents[p], voxel, origin, code)


@njit(cache=True)
def own_ellipsoids(out: Any, centres: Any, matrices: Any, extents: Any, voxel: Any, origin: Any) -> None:
    """Write the row of the ellipsoid that a voxel's centre is in; of several the last, as codes have it."""
    for k in range(out.shape[0]):
        z = origin[0] + k * voxel[0]
        for p in range(centres.shape[0]):
            if abs(z - centres[p, 0]) <= extents[p, 0]:
                cy, cx = centres[p, 1], centres[p, 2]
                _fill_section(out[k], z - centres[p, 0], cy, cx, matrices[p], extents[p], voxel, origin, p)


@njit(cache=True)
def _fill_section(
    out: Any, dz: float, cy: float, cx: float, m: Any, extent: Any, voxel: Any, origin: Any, code: Any
) -> None:
    first = max(0, int(np.ceil((cy - extent[1] - origin[1]) / voxel[1])))
    last = min(out.shape[0] - 1, int(np.floor((cy + extent[1] - origin[1]) / voxel[1])))
    for j in range(first, last + 1):
        dy = origin[1] + j * voxel[1] - cy
        # The row cuts the ellipsoid where m_xx dx² + 2 b dx + c <= 0.
        b = m[0, 2] * dz + m[1, 2] * dy
        c = m[0, 0] * dz * dz + m[1, 1] * dy * dy + 2.0 * m[0, 1] * dz * dy - 1.0
        root = b * b - m[2, 2] * c
        if root < 0.0:
            continue
        root = np.sqrt(root)
        lo = (cx + (-b - root) / m[2, 2] - origin[2]) / voxel[2]
        hi = (cx + (-b + root) / m[2, 2] - origin[2]) / voxel[2]
        for i in range(max(0, int(np.ceil(lo))), min(out.shape[1] - 1, int(np.floor(hi))) + 1):
            out[j, i] = code


@njit(cache=True, parallel=True)
def fill_nearest(out: Any, centres: Any, matrices: Any, extents: Any, voxel: Any, origin: Any) -> None:
    """Write the smallest r·M·r over all ellipsoids, where it is below that of the extents given."""
    for k in prange(out.shape[0]):
        dz0 = origin[0] + k * voxel[0]
        for p in range(centres.shape[0]):
            dz = dz0 - centres[p, 0]
            if abs(dz) <= extents[p, 0]:
                _nearest_section(out[k], dz, centres[p], matrices[p], extents[p], voxel, origin)


@njit(cache=True)
def _nearest_section(out: Any, dz: float, centre: Any, m: Any, extent: Any, voxel: Any, origin: Any) -> None:
    first, last = np.empty(2, np.int64), np.empty(2, np.int64)
    for a in range(2):
        reach, start = extent[a + 1], centre[a + 1] - origin[a + 1]
        first[a] = max(0, int(np.ceil((start - reach) / voxel[a + 1])))
        last[a] = min(out.shape[a] - 1, int(np.floor((start + reach) / voxel[a + 1])))
    for j in range(first[0], last[0] + 1):
        dy = origin[1] + j * voxel[1] - centre[1]
        for i in range(first[1], last[1] + 1):
            dx = origin[2] + i * voxel[2] - centre[2]
            q = (
                m[0, 0] * dz * dz + m[1, 1] * dy * dy + m[2, 2] * dx * dx
                + 2.0 * (m[0, 1] * dz * dy + m[0, 2] * dz * dx + m[1, 2] * dy * dx)
            )  # fmt: skip
            out[j, i] = min(out[j, i], q)


@njit(cache=True, inline="always")
def interpolate(field: Any, z: float, y: float, x: float) -> float:
    """Interpolate linearly between the nodes of a lattice; coordinates in nodes, inside the lattice."""
    k, j, i = int(z), int(y), int(x)
    u, v, w = z - k, y - j, x - i
    low = (field[k, j, i] * (1 - w) + field[k, j, i + 1] * w) * (1 - v) + (
        field[k, j + 1, i] * (1 - w) + field[k, j + 1, i + 1] * w
    ) * v
    high = (field[k + 1, j, i] * (1 - w) + field[k + 1, j, i + 1] * w) * (1 - v) + (
        field[k + 1, j + 1, i] * (1 - w) + field[k + 1, j + 1, i + 1] * w
    ) * v
    value: float = low * (1 - u) + high * u
    return value


@njit(cache=True, parallel=True)
def fill_above(
    out: Any, old: Any, new: Any, field: Any, threshold: float, start: Any, step: Any, shift: Any
) -> None:
    """Write `new` into voxels that hold `old` where the field is above the threshold.

    `start` is the first voxel in lattice nodes, `step[a]` how many nodes a voxel along axis a goes, and
    `shift` the displacement of each slice along y, x in voxels.
    """
    for k in prange(out.shape[0]):
        for j in range(out.shape[1]):
            v = j - shift[k, 0]
            z = start[0] + k * step[0, 0] + v * step[1, 0] - shift[k, 1] * step[2, 0]
            y = start[1] + k * step[0, 1] + v * step[1, 1] - shift[k, 1] * step[2, 1]
            x = start[2] + k * step[0, 2] + v * step[1, 2] - shift[k, 1] * step[2, 2]
            for i in range(out.shape[2]):
                if out[k, j, i] == old and (
                    interpolate(field, z + i * step[2, 0], y + i * step[2, 1], x + i * step[2, 2]) > threshold
                ):
                    out[k, j, i] = new


@njit(cache=True, parallel=True)
def sample(out: Any, field: Any, start: Any, step: Any) -> None:
    """Write the interpolated field into every voxel."""
    for k in prange(out.shape[0]):
        for j in range(out.shape[1]):
            for i in range(out.shape[2]):
                out[k, j, i] = interpolate(
                    field,
                    start[0] + k * step[0, 0] + j * step[1, 0] + i * step[2, 0],
                    start[1] + k * step[0, 1] + j * step[1, 1] + i * step[2, 1],
                    start[2] + k * step[0, 2] + j * step[1, 2] + i * step[2, 2],
                )


def lattice_steps(view: View, node_um: Array, first_node: Array) -> tuple[Array, Array]:
    """Return where the first voxel of a view lies in a lattice, and how far each axis steps, in nodes."""
    turn = view.pose[:3, :3]
    start = (view.origin_um - view.pose[:3, 3]) @ turn
    return start / node_um - first_node, np.ascontiguousarray(np.diag(view.voxel_um) @ turn / node_um)
