"""The rays of a cone beam through a pillar: what they can meet, and the photons that are left of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from ..raster import View
from .checks import MOST_VOXELS
from .specimen import Pillar

Array = npt.NDArray[np.float64]
_SPARE_UM = 1.0
"""Above and below what the cone sees: for a spot that wanders."""
_SLAB = 16


def reach_um(specimen: Pillar, mount: Array, z: Array, source_um: float) -> float:
    """Return how far from the axis rays are cast; refuse a pillar that stands beyond, or at the source."""
    lean = np.tan(np.radians(specimen.taper_deg))
    aside = float(np.hypot(*mount[1:3, 3]))
    wide = specimen.diameter_um / 2 + lean * float(z[-1]) * 1.2
    reach = float(wide + aside + 1.0 + 0.05 * float(z[-1] - z[0]))
    if reach >= source_um / 2:
        raise ValueError(
            f"Cannot scan a pillar that reaches {reach:.3g} µm from the axis with the source {source_um:g} "
            "µm away: it would hit it. Give a thinner pillar, or a greater source_um."
        )
    below = np.array([z[0], z[-1]]) - mount[0, 3]
    slope = np.sqrt(max(1 / mount[0, 0] ** 2 - 1, 0.0)) if mount[0, 0] > 0 else np.inf
    wall = specimen.diameter_um / 2 + lean * max(float(below[1]), 0.0) + 5.0 * specimen.roughness_um
    far = float(wall + aside + slope * np.abs(below).max())
    if far > reach:
        raise ValueError(
            f"Cannot scan a pillar that reaches {far:.3g} µm from the axis of rotation in view: up to "
            f"{reach:.3g} µm are cast. Give a pose that leans by less than 3° and moves little along z."
        )
    return reach


def raster(
    specimen: Pillar, mount: Array, reach: float, z: Array, edge: float, source_um: float
) -> tuple[npt.NDArray[np.uint8], Array]:
    """Return the materials that the rays pass, dims y, x, z, and the centre of the first voxel."""
    more = (z[-1] - z[0]) / 2 * reach / source_um + 4 * edge + _SPARE_UM
    wide, high = np.ceil(2 * reach / edge), np.ceil((z[-1] - z[0] + 2 * more) / edge)
    if not wide * wide * high <= MOST_VOXELS:
        raise ValueError(
            f"Cannot cast rays through a pillar in voxels of {edge:g} µm: {wide * wide * high:.3g} are "
            f"needed, and {MOST_VOXELS:.0e} at most fit into memory. Give larger pixels, fewer rows, or a "
            "thinner pillar. Lengths are in µm."
        )
    count, deep = int(wide), int(high)
    start = np.array([z[0] - more, -count * edge / 2 + edge / 2, -count * edge / 2 + edge / 2])
    out = np.empty((count, count, deep), np.uint8)
    for a in range(0, deep, _SLAB):
        b = min(a + _SLAB, deep)
        view = View(np.full(3, edge), start + np.array([a * edge, 0.0, 0.0]), (b - a, count, count), mount)
        out[:, :, a:b] = specimen.codes(view).transpose(1, 2, 0)
    return out, start


def check_wander(z_um: Array, start: Array, edge: float, source_um: float) -> None:
    """Refuse a drift along z by which rays would leave the raster."""
    wander = float(np.abs(z_um).max()) * (1.0 + abs(start[1]) / source_um)
    if not wander <= _SPARE_UM + 3 * edge:
        raise ValueError(
            f"Cannot scan with a focal spot that wanders by {wander:.3g} µm along z: up to "
            f"{_SPARE_UM + 3 * edge:.3g} µm are allowed. Lower drift_um of the model."
        )


@njit(cache=True, parallel=True, fastmath=True)
def project(
    out: Any, labels: Any, origin: Any, edge: float, turn: float, z: Any, u: Any, source: float,
    source_z: float, photons: Any, weights: Any,
) -> None:  # fmt: skip
    """Write the photons that each pixel of a projection expects, before the blur of the spot.

    Voxels of three materials are counted at once, in 16 bits each of one integer.
    """
    cos, sin = np.cos(turn), np.sin(turn)
    ny, nx, nz = labels.shape
    reach = abs(origin[1])
    steps = int(2 * reach / edge) + 1
    rows = len(z)
    apart = (z[rows - 1] - z[0]) / max(rows - 1, 1) / edge
    one = np.array([0, 1, 1 << 16, 1 << 32], np.int64)
    for c in prange(len(u)):
        passed = np.zeros(rows, np.int64)
        for s in range(steps):
            w = (s + 0.5) * edge - reach
            near = (source - w) / source
            across = u[c] * near
            j = int(np.floor((across * sin + w * cos - origin[1]) / edge + 0.5))
            i = int(np.floor((across * cos - w * sin - origin[2]) / edge + 0.5))
            if j < 0 or j >= ny or i < 0 or i >= nx:
                continue
            start = (source_z + (z[0] - source_z) * near - origin[0]) / edge + 0.5
            if start < 0.0 or start + (rows - 1) * apart * near >= nz:
                continue  # a drift beyond the raster's margin
            for k in range(rows):
                passed[k] += one[labels[j, i, int(start + k * apart * near)]]
        for k in range(rows):
            slant = edge * np.sqrt(1.0 + (u[c] / source) ** 2 + ((z[k] - source_z) / source) ** 2)
            first, second, third = passed[k] & 0xFFFF, (passed[k] >> 16) & 0xFFFF, passed[k] >> 32
            total = 0.0
            for e in range(len(photons)):
                depth = weights[1, e] * first + weights[2, e] * second + weights[3, e] * third
                total += photons[e] * np.exp(-depth * slant)
            out[k, c] = total
