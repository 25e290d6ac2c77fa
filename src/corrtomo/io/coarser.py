"""A volume at half the resolution: the mean of grey values, the majority of labels."""

from __future__ import annotations

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
    padded = np.pad(block, pad, mode="edge")
    shape = [k for n, s in zip(padded.shape, step, strict=True) for k in (n // s, s)]
    order = [*range(0, len(shape), 2), *range(1, len(shape), 2)]
    votes = padded.reshape(shape).transpose(order).reshape(*shape[::2], -1)
    return _most(votes) if majority else _mean(votes)


def _mean(votes: np.ndarray) -> np.ndarray:
    if votes.dtype.kind in "fc":
        mean: np.ndarray = votes.mean(axis=-1, dtype=np.result_type(votes.dtype, np.float32))
        return mean.astype(votes.dtype)
    # Halves are rounded to even; whole numbers of 64 bits are exact to 53.
    whole: np.ndarray = np.rint(votes.mean(axis=-1)).astype(votes.dtype)
    return whole


def _most(votes: np.ndarray) -> np.ndarray:
    """Return the most frequent value of the last axis; of several, the first voxel's."""
    counts = np.stack(
        [(votes == votes[..., i : i + 1]).sum(axis=-1, dtype=np.uint8) for i in range(votes.shape[-1])], -1
    )
    first = counts.argmax(axis=-1)
    most: np.ndarray = np.take_along_axis(votes, first[..., None], axis=-1)[..., 0]
    return most
