"""A fine image near the voxel of a coarse one: means over blocks, each chunk read once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise, product
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from tqdm import tqdm

from ..volume import origin, volume, voxel_size

_PIECE = 1 << 25
"""Voxels of an image in memory that are summed at a time."""


def block_means(
    image: xr.DataArray, counts: Sequence[int], *, whole: bool = True, progress: bool = False
) -> xr.DataArray:
    """Average blocks of voxels, `counts` along each axis, as ``float32``.

    A fine image that is sampled at coarse points keeps the noise of single voxels and folds fine detail into
    coarse; the mean over a block does neither. Each Dask chunk is read once, whatever its size. What does not
    fill a block at the far ends is left out; unless `whole`, it is a block of its own, the mean of what is
    there, and lies nearer to the block before than its coordinate says.
    """
    sizes = tuple(n // k if whole else -(-n // k) for n, k in zip(image.shape, counts, strict=True))
    sums = np.zeros(sizes, np.float64)
    pieces = list(_pieces(image))
    for where in tqdm(pieces, desc="average blocks", unit="piece", disable=not progress or len(pieces) < 4):
        part = np.asarray(image.data[where])
        place = []
        for axis, (k, n) in enumerate(zip(counts, sizes, strict=True)):
            part, first = _sum_along(part, axis, where[axis].start, k, n)
            place.append(slice(first, first + part.shape[axis]))
        if part.size:
            sums[tuple(place)] += part
    edge = voxel_size(image)
    start = [o + (k - 1) / 2 * e for o, k, e in zip(origin(image), counts, edge, strict=True)]
    filled = [np.minimum(k, n - k * np.arange(m)) for n, k, m in zip(image.shape, counts, sizes, strict=True)]
    means = (sums / reduce(np.multiply.outer, filled)).astype(np.float32)
    return volume(means, [k * e for k, e in zip(counts, edge, strict=True)], origin=start, dims=_names(image))


def near_voxel(image: xr.DataArray, target_um: float) -> list[int]:
    """Return how many voxels along each axis make a block of about `target_um`."""
    return [
        max(1, min(round(target_um / edge), n))
        for edge, n in zip(voxel_size(image), image.shape, strict=True)
    ]


def _names(image: xr.DataArray) -> list[str]:
    return [str(d) for d in image.dims]


def _pieces(image: xr.DataArray) -> list[tuple[slice, ...]]:
    if image.chunks is not None:
        sizes = [list(chunks) for chunks in image.chunks]
    else:
        rows = max(1, _PIECE // max(1, int(np.prod(image.shape[1:]))))
        full, rest = divmod(image.shape[0], rows)
        sizes = [[rows] * full + [rest] * (rest > 0), *([n] for n in image.shape[1:])]
    ends = [np.cumsum([0, *chunks]) for chunks in sizes]
    cuts = [[slice(int(a), int(b)) for a, b in pairwise(e)] for e in ends]
    return list(product(*cuts))


def _sum_along(
    part: npt.NDArray[Any], axis: int, start: int, count: int, blocks: int
) -> tuple[npt.NDArray[Any], int]:
    """Add up the voxels of each block along one axis; return the number of the first block too."""

    def cut(low: int, high: int) -> npt.NDArray[Any]:
        return part[(slice(None),) * axis + (slice(low, high),)]

    first, size = start // count, min(part.shape[axis], blocks * count - start)
    if size <= 0 or count == 1:
        return cut(0, max(size, 0)), first
    head = min(-start % count, size)  # of a block that began in the piece before
    number = (size - head) // count
    tail = head + number * count
    sums = [
        _add_slices(
            cut(low, high).reshape(*part.shape[:axis], m, (high - low) // m, *part.shape[axis + 1 :]),
            axis + 1,
        )
        for low, high, m in ((0, head, 1), (head, tail, number), (tail, size, 1))
        if high > low
    ]
    return sums[0] if len(sums) == 1 else np.concatenate(sums, axis), first


def _add_slices(blocks: npt.NDArray[Any], axis: int) -> npt.NDArray[Any]:
    exact = blocks.dtype.kind in "bui" and blocks.dtype != np.uint64
    wide = np.int64 if exact else np.float64
    out = np.zeros((*blocks.shape[:axis], *blocks.shape[axis + 1 :]), wide)
    for k in range(blocks.shape[axis]):
        out += blocks.take(k, axis) if axis != blocks.ndim - 1 else blocks[..., k]
    return out
