"""Pressed particles: ellipsoids that grew into each other, parted again by gaps and cracks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from .noise import mix, uniform
from .raster import AM, Array

SPACE, SOLID, CRACK = 0, AM, 3
"""Between particles; active material; inside a broken or porous particle, where no binder gets."""
_FAR = np.float32(1e6)
_TAG = 21


class Particles:
    """Ellipsoids in the frame of a view, with what breaks them; one row of each array a particle.

    Parameters
    ----------
    centres, matrices, extents : numpy.ndarray
        As :func:`corrtomo.simulate.raster.images_in_view` returns them.
    names : numpy.ndarray
        ``uint64``: what tells a particle from others, the same in each of its periodic images.
    cracks : numpy.ndarray
        Normal along z, y, x, offset, aperture (0: none), and a direction along z, y, x in the plane with the
        place from which the crack is open: minus infinity opens it right through; in µm.
    """

    def __init__(
        self, centres: Array, matrices: Array, extents: Array, names: npt.NDArray[np.uint64], cracks: Array
    ) -> None:
        self.centres, self.matrices, self.extents = centres, matrices, extents
        self.names, self.cracks = names, cracks
        self.least = np.sqrt(1.0 / np.linalg.eigvalsh(matrices).max(axis=1)) if len(matrices) else np.empty(0)


def surfaces(
    particles: Particles,
    origins: Array,
    step: tuple[float, float],
    shape: tuple[int, int],
    reach_um: float,
    gap_um: float,
    touching: float,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Return what lies at each pixel of some planes, how far off the next solid is, and whose it is.

    With d the distance to the surface of an ellipsoid, to first order (√q − 1) √q / |M r| for q = r·M·r, a
    pixel belongs to the particle of least d. Where two particles reach into each other they share a plane of
    equal d; pairs that do not touch are parted there by `gap_um`.

    Parameters
    ----------
    particles : Particles
        In the frame of the planes.
    origins : numpy.ndarray
        z, y, x of the first pixel of each plane, in µm.
    step : tuple of float
        Edges of a pixel along y, x in µm.
    shape : tuple of int
        Pixels along y, x.
    reach_um : float
        How far from a surface distances are wanted.
    gap_um : float
        Width of the gap between two particles that were pressed into each other.
    touching : float
        Share of the pairs that touch without a gap.

    Returns
    -------
    kind : numpy.ndarray
        ``uint8``: `SPACE`, `SOLID` or `CRACK`.
    distance : numpy.ndarray
        ``float32``: to the surface of the active material in µm, below zero inside; large beyond `reach_um`.
    owner : numpy.ndarray
        ``int32``: row of the nearest particle, −1 beyond `reach_um`.
    """
    kind = np.zeros((len(origins), *shape), np.uint8)
    distance = np.empty(kind.shape, np.float32)
    owner = np.empty(kind.shape, np.int32)
    p = particles
    _surfaces(
        kind, distance, owner, p.centres, p.matrices, p.extents, p.least, p.names, p.cracks,
        np.ascontiguousarray(origins, float), np.array(step), reach_um, gap_um, touching,
    )  # fmt: skip
    return kind, distance, owner


@njit(cache=True, parallel=True)
def _surfaces(
    kind: Any, distance: Any, owner: Any, centres: Any, matrices: Any, extents: Any, least: Any, names: Any,
    cracks: Any, origins: Any, step: Any, reach: float, gap: float, touching: float,
) -> None:  # fmt: skip
    for k in prange(len(origins)):
        second = np.full(kind.shape[1:], _FAR, np.float32)
        other = np.full(kind.shape[1:], -1, np.int32)
        distance[k] = _FAR
        owner[k] = -1
        for p in range(len(centres)):
            grown = 1.0 + reach / least[p]
            if abs(origins[k, 0] - centres[p, 0]) <= extents[p, 0] * grown:
                _nearest(
                    distance[k], owner[k], second, other, p, centres[p], matrices[p], extents[p], grown,
                    origins[k], step,
                )  # fmt: skip
        _trim(
            kind[k], distance[k], owner[k], second, other, centres, names, cracks, origins[k], step, gap,
            touching,
        )  # fmt: skip


@njit(cache=True, error_model="numpy")
def _nearest(
    first: Any, owner: Any, second: Any, other: Any, p: int, centre: Any, m: Any, extent: Any, grown: float,
    origin: Any, step: Any,
) -> None:  # fmt: skip
    """Keep the two nearest particles of each pixel."""
    rows, columns = first.shape
    dz = origin[0] - centre[0]
    top = max(0, int(np.ceil((centre[1] - grown * extent[1] - origin[1]) / step[0])))
    bottom = min(rows - 1, int(np.floor((centre[1] + grown * extent[1] - origin[1]) / step[0])))
    for j in range(top, bottom + 1):
        dy = origin[1] + j * step[0] - centre[1]
        # The row cuts the grown ellipsoid where m_xx dx² + 2 b dx + c <= 0.
        b = m[0, 2] * dz + m[1, 2] * dy
        c = m[0, 0] * dz * dz + m[1, 1] * dy * dy + 2.0 * m[0, 1] * dz * dy
        root = b * b - m[2, 2] * (c - grown * grown)
        if root < 0.0:
            continue
        root = np.sqrt(root)
        left = int(np.ceil((centre[2] + (-b - root) / m[2, 2] - origin[2]) / step[1]))
        right = int(np.floor((centre[2] + (-b + root) / m[2, 2] - origin[2]) / step[1]))
        z0, y0 = m[0, 0] * dz + m[0, 1] * dy, m[1, 0] * dz + m[1, 1] * dy
        for i in range(max(0, left), min(columns - 1, right) + 1):
            dx = origin[2] + i * step[1] - centre[2]
            q = c + (2.0 * b + m[2, 2] * dx) * dx
            gz, gy, gx = z0 + m[0, 2] * dx, y0 + m[1, 2] * dx, b + m[2, 2] * dx
            steep = gz * gz + gy * gy + gx * gx
            d = np.float32((q - np.sqrt(q)) / np.sqrt(steep)) if steep > 0.0 else -_FAR
            if d < first[j, i]:
                second[j, i], other[j, i] = first[j, i], owner[j, i]
                first[j, i], owner[j, i] = d, p
            elif d < second[j, i]:
                second[j, i], other[j, i] = d, p


@njit(cache=True)
def _trim(
    kind: Any, distance: Any, owner: Any, second: Any, other: Any, centres: Any, names: Any, cracks: Any,
    origin: Any, step: Any, gap: float, touching: float,
) -> None:  # fmt: skip
    """Part neighbours that do not touch, and open the cracks."""
    for j in range(kind.shape[0]):
        y = origin[1] + j * step[0]
        for i in range(kind.shape[1]):
            p = owner[j, i]
            if p < 0:
                continue
            d, q = distance[j, i], other[j, i]
            if q >= 0 and d < gap and not _touch(names[p], names[q], touching):
                # Across a shared plane one distance grows as the other falls.
                d = max(d, np.float32(gap / 2.0 - (second[j, i] - d) / 2.0))
            crack = -_FAR
            if cracks[p, 4] > 0.0 and d < 0.0:
                crack = _in_crack(
                    cracks[p], origin[0] - centres[p, 0], y - centres[p, 1],
                    origin[2] + i * step[1] - centres[p, 2],
                )  # fmt: skip
            distance[j, i] = max(d, crack)
            kind[j, i] = CRACK if d < 0.0 <= crack else (SOLID if d < 0.0 else SPACE)


@njit(cache=True, inline="always")
def _in_crack(crack: Any, dz: float, dy: float, dx: float) -> Any:
    """Return how deep a point lies in a crack, in µm; below zero outside."""
    along = crack[5] * dz + crack[6] * dy + crack[7] * dx
    off = crack[0] * dz + crack[1] * dy + crack[2] * dx - crack[3]
    half = crack[4] / 2.0
    # A crack that ends in the particle closes over its last µm.
    return np.float32(min(half, half * (along - crack[8])) - abs(off))


@njit(cache=True, inline="always")
def _touch(a: Any, b: Any, share: float) -> bool:
    low, high = min(a, b), max(a, b)
    return bool(uniform(mix(mix(low) + high)) < share)
