"""A volume at half the resolution: the mean of grey values, the majority of labels."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np


def coarser(data: Any, step: tuple[int, ...], *, majority: bool) -> Any:
    """Coarsen a Dask array by whole steps along each axis; its chunks must begin at whole steps.

    At the far border, a block that is not full is the mean, or the majority, of the voxels that are there.
    """
    chunks = tuple(tuple(-(-n // s) for n in axis) for axis, s in zip(data.chunks, step, strict=True))
    one = partial(coarsen_block, step=step, majority=majority)
    return data.map_blocks(one, dtype=data.dtype, chunks=chunks)


def coarsen_block(block: np.ndarray, step: tuple[int, ...], *, majority: bool) -> np.ndarray:
    """Coarsen one block in memory.

    Examples
    --------
    >>> coarsen_block(np.array([1, 3, 4]), (2,), majority=False).tolist()
    [2, 4]
    >>> coarsen_block(np.array([[7, 1, 0, 5], [1, 1, 5, 5]]), (2, 2), majority=True).tolist()
    [[1, 5]]
    """
    # Repeating the last voxel of an axis leaves mean and majority of what is there as they are.
    pad = [(0, -n % s) for n, s in zip(block.shape, step, strict=True)]
    padded = np.pad(block, pad, mode="edge") if any(p for _, p in pad) else block
    starts = itertools.product(*map(range, step))
    votes = [padded[tuple(map(slice, start, padded.shape, step))] for start in starts]
    return _most(votes) if majority else _mean(votes)


def _mean(votes: list[np.ndarray]) -> np.ndarray:
    kind = votes[0].dtype
    total = np.zeros(votes[0].shape, np.float64)
    for vote in votes:
        total += vote
    total /= len(votes)
    if kind.kind in "ui":  # halves go to the even number
        np.rint(total, out=total)
        if kind.itemsize == 8:  # the largest whole number has no float of its own: the next one is too large
            np.minimum(total, np.nextafter(float(np.iinfo(kind).max), 0), out=total)
    return total.astype(kind)


def _most(votes: list[np.ndarray]) -> np.ndarray:
    """Return the most frequent value; of several, the first."""
    best, most = votes[0].copy(), np.zeros(votes[0].shape, np.uint8)
    for vote in votes:
        count = np.zeros(most.shape, np.uint8)
        for other in votes:
            count += vote == other
        more = count > most
        best[more], most[more] = vote[more], count[more]
    return best
