"""Random fields that know no window: the value at a lattice node depends on its index and the key alone.

A microstructure that is looked at through several windows (an X-ray volume, a cuboid inside it, a tilted
FIB-SEM volume) must be the same in all of them. A generator that draws numbers one after the other cannot do
that; a hash of the node's index can. Only integer arithmetic is used up to the last division, so that the
numbers are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange
from scipy import ndimage

Floats = npt.NDArray[np.float32]
TRUNCATE = 4.0

_A = np.uint64(0xBF58476D1CE4E5B9)
_B = np.uint64(0x94D049BB133111EB)
_G = np.uint64(0x9E3779B97F4A7C15)
_LOW16 = np.uint64(0xFFFF)
_30, _27, _31 = np.uint64(30), np.uint64(27), np.uint64(31)
_11, _16, _32, _48 = np.uint64(11), np.uint64(16), np.uint64(32), np.uint64(48)
# Four uniform 16-bit integers: mean of their sum, and one over its standard deviation.
_MEAN4 = 2.0 * 65535.0
_SCALE4 = 1.0 / np.sqrt(4.0 * (65536.0**2 - 1.0) / 12.0)


def stream(seed: int, topic: str) -> np.uint64:
    """Derive the key of one random field from the seed and the topic it is drawn for."""
    words = np.random.SeedSequence([seed, *topic.encode()]).generate_state(1, np.uint64)
    return np.uint64(words[0])


@njit(cache=True, inline="always")
def mix(x: Any) -> Any:
    """Scramble 64 bits (the finaliser of SplitMix64)."""
    x = x + _G
    x = (x ^ (x >> _30)) * _A
    x = (x ^ (x >> _27)) * _B
    return x ^ (x >> _31)


@njit(cache=True, inline="always")
def row_key(key: Any, z: int, y: int) -> Any:
    """Return the key of one row of a volume; add x and :func:`mix` it for a voxel."""
    return mix(mix(key + np.uint64(z)) + np.uint64(y))


@njit(cache=True, inline="always")
def uniform(bits: Any) -> float:
    """Turn 64 random bits into a number in [0, 1)."""
    return np.float64(bits >> _11) * (1.0 / 9007199254740992.0)


@njit(cache=True, inline="always")
def normal(bits: Any) -> float:
    """Turn 64 random bits into a nearly normal number (sum of four uniform ones; mean 0, variance 1)."""
    total = (bits & _LOW16) + ((bits >> _16) & _LOW16) + ((bits >> _32) & _LOW16) + (bits >> _48)
    value: float = (np.float64(total) - _MEAN4) * _SCALE4
    return value


@njit(cache=True, parallel=True)
def _fill_white(out: Any, key: Any, start: Any, period: Any) -> None:
    for k in prange(out.shape[0]):
        z = (start[0] + k) % period[0] if period[0] else start[0] + k
        for j in range(out.shape[1]):
            y = (start[1] + j) % period[1] if period[1] else start[1] + j
            row = row_key(key, z, y)
            for i in range(out.shape[2]):
                x = (start[2] + i) % period[2] if period[2] else start[2] + i
                out[k, j, i] = normal(mix(row + np.uint64(x)))


def white(
    key: np.uint64, start: Sequence[int], shape: Sequence[int], period: Sequence[int] = (0, 0, 0)
) -> Floats:
    """Return white noise on a window of a lattice.

    Parameters
    ----------
    key : numpy.uint64
        From :func:`stream`.
    start, shape : sequence of int
        Index of the first node, and number of nodes, along z, y, x.
    period : sequence of int
        After how many nodes the noise repeats; 0: never.

    Returns
    -------
    numpy.ndarray
        float32, mean 0 and variance 1, independent from node to node.

    Examples
    --------
    A window of a window is the same field:

    >>> from corrtomo.simulate.noise import stream, white
    >>> key = stream(1, "doc")
    >>> bool((white(key, (0, 0, 0), (4, 4, 4))[1:, 2:, 3:] == white(key, (1, 2, 3), (3, 2, 1))).all())
    True
    """
    out = np.empty(tuple(shape), np.float32)
    _fill_white(out, key, np.asarray(start, np.int64), np.asarray(period, np.int64))
    return out


def smooth(
    key: np.uint64,
    start: Sequence[int],
    shape: Sequence[int],
    sigma_nodes: Sequence[float],
    period: Sequence[int] = (0, 0, 0),
) -> Floats:
    """Return a Gaussian random field: white noise under a Gaussian, scaled back to variance 1."""
    pad = [int(np.ceil(TRUNCATE * s)) for s in sigma_nodes]
    field = white(
        key,
        [a - p for a, p in zip(start, pad, strict=True)],
        [n + 2 * p for n, p in zip(shape, pad, strict=True)],
        period,
    )
    field = gaussian(field, sigma_nodes)
    norm = np.prod([_kernel_norm(s) for s in sigma_nodes])
    inner = tuple(slice(p, p + n) for p, n in zip(pad, shape, strict=True))
    return np.ascontiguousarray(field[inner] / np.float32(norm))


def gaussian(field: Floats, sigma_nodes: Sequence[float]) -> Floats:
    """Blur with a Gaussian cut at four standard deviations; the outermost value continues outside."""
    out: Floats = ndimage.gaussian_filter(field, sigma_nodes, mode="nearest", truncate=TRUNCATE)
    return out


def _kernel_norm(sigma: float) -> float:
    """Return by what a Gaussian kernel lowers the standard deviation of white noise, along one axis."""
    radius = int(TRUNCATE * sigma + 0.5)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return float(np.sqrt(np.sum((taps / taps.sum()) ** 2)))
