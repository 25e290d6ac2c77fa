"""Densities of local sizes: counted once a distinct size, and the same curve by other ways."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import xarray as xr

import corrtomo as ct

from .data import phases_and_grey
from .table import Row
from .timing import ours, theirs

_BANDWIDTH = 0.438
_TILE = 128
_PEER_SIZE = 256
_DIRECT_SIZE = 40


def rows(size: int) -> Iterator[Row | str]:
    sizes = _sizes(size)
    mine = ours(lambda: ct.measure.size_density(sizes, _BANDWIDTH))
    at = mine.result.diameter_um.values
    step = f"quartic density, {mine.result.voxels / 1e6:.0f} M sizes"

    peer = theirs(lambda: _by_unique(sizes.values, at))
    np.testing.assert_allclose(mine.result, peer.result, atol=1e-9)
    yield Row(step, size, mine, "NumPy, unique and sum", peer)

    if find_spec("KDEpy"):
        part, density = _part(sizes, _PEER_SIZE)
        points = density.diameter_um.values[1:].copy()  # it takes no view, and no 0
        _by_fft(part[:8], points)
        peer = theirs(lambda: _by_fft(part, points))
        apart = float(np.abs(peer.result - density.values[1:]).max() / density.max())
        yield Row(step, size, mine, "KDEpy, FFT", peer, sizes.size / part.size)
        yield (
            "KDEpy shares each size between points of a grid and loses what falls below 0: it is within "
            f"{100 * apart:.2g} % of the peak. It was timed on {part.shape[0]}³ voxels, its time multiplied."
        )
    else:
        yield "Left out, for it is not installed here: KDEpy. `make benchmark` has it."

    few, density = _part(sizes, _DIRECT_SIZE)
    points = density.diameter_um.values
    peer = theirs(lambda: _directly(few, points))
    np.testing.assert_allclose(density, peer.result, atol=1e-9)
    yield Row(step, size, mine, "NumPy, a kernel at each voxel", peer, sizes.size / few.size)

    yield f"≈: kernels at each voxel were timed on {few.shape[0]}³ voxels, the time multiplied."


def _sizes(size: int) -> xr.DataArray:
    """Repeat the sizes of a periodic tile; those at its border are of the tile."""
    labels, _ = phases_and_grey(_TILE)
    local = ct.measure.local_thickness(labels == ct.Phase.AM, progress=False).values
    times = -(-size // _TILE)
    return ct.volume(np.ascontiguousarray(np.tile(local, (times,) * 3)[(slice(size),) * 3]), 0.438)


def _part(sizes: xr.DataArray, edge: int) -> tuple[np.ndarray, xr.DataArray]:
    part = sizes[(slice(edge),) * 3]
    return part.values, ct.measure.size_density(part, _BANDWIDTH)


def _kernel(u: np.ndarray) -> np.ndarray:
    return np.where(np.abs(u) < 1, 15 / 16 * (1 - u**2) ** 2, 0) / _BANDWIDTH


def _by_unique(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    found, counts = np.unique(values[values > 0], return_counts=True)
    both = _kernel((at - found[:, None]) / _BANDWIDTH) + _kernel((at + found[:, None]) / _BANDWIDTH)
    return counts / counts.sum() @ both


def _by_fft(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    # Its bandwidth is a standard deviation, and its points must enclose the values.
    estimate = import_module("KDEpy").FFTKDE(kernel="biweight", bw=_BANDWIDTH / np.sqrt(7))
    return estimate.fit(values[values > 0].astype(float)).evaluate(at)


def _directly(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    inside, density = values[values > 0].astype(float), np.zeros(len(at))
    for start in range(0, len(inside), 10_000):
        few = inside[start : start + 10_000, None]
        density += (_kernel((at - few) / _BANDWIDTH) + _kernel((at + few) / _BANDWIDTH)).sum(axis=0)
    return density / len(inside)
