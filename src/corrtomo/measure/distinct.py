"""Which values occur in an image, and how often."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import njit

from ..blocks import blocks

Floats = npt.NDArray[np.float64]
_SEGMENT = 1 << 15
_BITS = {np.dtype(np.float32): np.uint32, np.dtype(np.float64): np.uint64}
_SCATTER = np.uint64(0x9E3779B97F4A7C15)
"""2⁶⁴ over the golden ratio: multiplied by it, neighbouring bit patterns land far apart."""


def distinct_values(image: xr.DataArray) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return the floating-point values that occur, ascending, and the voxels of each; NaN is left out.

    Exact, with no bins to choose. Sorting 163 million values takes many seconds; local thickness takes a few
    hundred values in long runs, which a small hash table counts at the speed of memory.
    """
    kind = np.dtype(np.float32 if image.dtype == np.float32 else np.float64)
    keys, counts, used = np.zeros(4 * _SEGMENT, _BITS[kind]), np.zeros(4 * _SEGMENT, np.int64), 0
    for (part,) in blocks(image):
        bits = np.ascontiguousarray(part, kind).view(_BITS[kind])
        for start in range(0, bits.size, _SEGMENT):
            if 2 * (used + _SEGMENT) > keys.size:  # a segment may bring as many new values as it is long
                keys, counts = _larger(keys, counts)
            used += _count(bits[start : start + _SEGMENT], keys, counts)
    occur = counts > 0
    values, voxels = keys[occur].view(kind).astype(np.float64), counts[occur]
    known = ~np.isnan(values)
    found, which = np.unique(values[known], return_inverse=True)  # 0 and -0 become one
    total = np.zeros(found.size, np.int64)
    np.add.at(total, which, voxels[known])
    return found, total


def _larger(keys: npt.NDArray[Any], counts: npt.NDArray[np.int64]) -> tuple[npt.NDArray[Any], Any]:
    wide = np.zeros(4 * keys.size, keys.dtype), np.zeros(4 * keys.size, np.int64)
    _move(keys, counts, *wide)
    return wide


@njit(cache=True)
def _count(bits: Any, keys: Any, counts: Any) -> int:
    """Count a segment into the table run by run; return how many values were new."""
    new, start = 0, 0
    for i in range(1, bits.size + 1):
        if i == bits.size or bits[i] != bits[start]:
            slot = _slot(bits[start], keys, counts)
            if counts[slot] == 0:
                keys[slot] = bits[start]
                new += 1
            counts[slot] += i - start
            start = i
    return new


@njit(cache=True)
def _move(keys: Any, counts: Any, wide_keys: Any, wide_counts: Any) -> None:
    for i in range(keys.size):
        if counts[i] > 0:
            slot = _slot(keys[i], wide_keys, wide_counts)
            wide_keys[slot] = keys[i]
            wide_counts[slot] = counts[i]


@njit(cache=True)
def _slot(key: Any, keys: Any, counts: Any) -> int:
    """Return where a value is counted, or would be: the first free place from its hash on."""
    last = np.uint64(keys.size - 1)  # sizes are powers of two
    slot = ((np.uint64(key) * _SCATTER) >> np.uint64(32)) & last
    while counts[slot] > 0 and keys[slot] != key:
        slot = (slot + np.uint64(1)) & last
    return int(slot)
