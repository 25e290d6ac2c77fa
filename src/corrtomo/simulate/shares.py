"""What share of each voxel a phase fills."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numba import njit, prange
from scipy import fft

from .limits import check_pose
from .noise import Floats
from .raster import AM, CBD, View
from .specimen import Specimen

Progress = Callable[[Iterable[int]], Iterable[int]]
SUBVOXELS = 3
SLAB = 32


def padded_shares(
    specimen: Specimen,
    voxel_size: float,
    shape: Sequence[int],
    origin: Sequence[float],
    margin_um: float,
    progress: Progress = iter,
) -> tuple[Floats, Floats, list[int]]:
    """Return the shares of active material and of solid binder in each voxel of a window and its margin.

    The margin is at least `margin_um` and makes each axis a length that the Fourier transform likes; it comes
    back as the number of voxels before the window. Each voxel is sampled at 3 × 3 × 3 points.
    """
    pad = int(np.ceil(margin_um / voxel_size))
    wide = tuple(int(fft.next_fast_len(int(n) + 2 * pad, real=True)) for n in shape)
    am, cbd = np.empty(wide, np.float32), np.empty(wide, np.float32)
    fine = np.full(3, voxel_size / SUBVOXELS)
    corner = np.array(origin) - (pad + 0.5) * voxel_size + fine / 2
    for first in progress(range(0, wide[0], SLAB)):
        count = min(SLAB, wide[0] - first)
        start = corner + np.array([first * voxel_size, 0.0, 0.0])
        view = View(
            fine, start, (count * SUBVOXELS, wide[1] * SUBVOXELS, wide[2] * SUBVOXELS), check_pose(None)
        )
        labels = specimen.codes(view)
        _shares(labels, am[first : first + count], cbd[first : first + count], SUBVOXELS)
    cbd *= np.float32(1.0 - specimen.cbd_porosity)
    return am, cbd, [pad] * 3


@njit(cache=True, parallel=True)
def _shares(labels: Any, am: Any, cbd: Any, n: int) -> None:
    for k in prange(am.shape[0]):
        for j in range(am.shape[1]):
            for i in range(am.shape[2]):
                a, c = _count(labels, k * n, j * n, i * n, n)
                am[k, j, i] = a / n**3
                cbd[k, j, i] = c / n**3


@njit(cache=True, inline="always")
def _count(labels: Any, z: int, y: int, x: int, n: int) -> Any:
    a, c = 0, 0
    for k in range(z, z + n):
        for j in range(y, y + n):
            for i in range(x, x + n):
                a += labels[k, j, i] == AM
                c += labels[k, j, i] == CBD
    return a, c
