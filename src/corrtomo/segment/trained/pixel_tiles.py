"""Tiles with the border that their features need: any size of tile gives the same pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from tqdm.auto import tqdm

from .derived import CELL, LANES
from .features import FilterBank
from .gaussian import Plane

_BYTES = 1 << 27
"""Bytes of smoothed planes in one tile; each thread has one."""
_LARGEST = {2: 512, 3: 192}
Inner = tuple[slice, ...]


@dataclass(frozen=True)
class Tile:
    """One tile of an image.

    Attributes
    ----------
    inner : tuple of slice
        Its voxels in the image.
    block : numpy.ndarray
        float32 grey values, channel first, in whole cells and with the border that the features need.
    """

    inner: Inner
    block: Plane


def tile_edge(bank: FilterBank) -> int:
    """Return the edge of a tile in voxels, a multiple of 8, so that its smoothed planes stay small."""
    planes = len(bank.channels) * len(bank.scales_um) * (2 if "texture" in bank.kinds else 1)
    edge = int((_BYTES / (4 * planes)) ** (1 / bank.ndim))
    return max(32, min(_LARGEST[bank.ndim], edge // 8 * 8))


def tiles(shape: Iterable[int], edge: int) -> Iterator[Inner]:
    """Cut an image into tiles.

    Examples
    --------
    >>> list(tiles((5, 3), 4))
    [(slice(0, 4, None), slice(0, 3, None)), (slice(4, 5, None), slice(0, 3, None))]
    """
    yield from product(*([slice(k, min(k + edge, n)) for k in range(0, n, edge)] for n in shape))


def wide(inner: Inner, margin: tuple[int, ...], shape: tuple[int, ...]) -> Inner:
    """Return a tile with its border, cut off where the image ends."""
    return tuple(
        slice(max(0, part.start - m), min(n, part.stop + m))
        for part, m, n in zip(inner, margin, shape, strict=True)
    )


def make_tile(grey: npt.NDArray[Any], inner: Inner, margin: tuple[int, ...], shape: tuple[int, ...]) -> Tile:
    """Mirror what lies outside the image, and fill up to whole cells; refuse NaN.

    `grey` holds the voxels of :func:`wide`, channel first.
    """
    with np.errstate(over="ignore"):  # becomes infinite
        block = grey.astype(np.float32)
    if not np.isfinite(block).all():
        raise ValueError(
            f"Cannot filter grey values that are NaN, infinite or above {np.finfo(np.float32).max:.2g}: some "
            f"are in the voxels {_words(inner)}, or within {max(margin)} of them. Only finite grey values "
            "are allowed. Crop them away or fill them first, for instance with image.fillna(0)."
        )
    pads = [(0, 0)]
    for part, m, n, cell in zip(inner, margin, shape, CELL[len(shape)], strict=True):
        before = m - (part.start - max(0, part.start - m))
        after = m - (min(n, part.stop + m) - part.stop)
        pads.append((before, after + -(part.stop - part.start) % cell))
    return Tile(inner, np.pad(block, pads, mode="symmetric"))


def in_order(row: npt.NDArray[Any], ndim: int) -> npt.NDArray[Any]:
    """Bring a row of cells, dims cell, ..., voxel of the cell, into the order of the image.

    Examples
    --------
    >>> in_order(np.arange(128).reshape(2, 64), 2)[1].tolist()
    [8, 9, 10, 11, 12, 13, 14, 15, 72, 73, 74, 75, 76, 77, 78, 79]
    """
    cell = CELL[ndim]
    lead = row.shape[1:-1]
    voxels = np.moveaxis(row.reshape(len(row), *lead, *cell), 0, -2)
    return voxels.reshape(*lead, *cell[:-1], len(row) * cell[-1])


def map_tiles(
    bank: FilterBank, voxel_um: tuple[float, ...], tile: Tile, call: Callable[[Plane], Any], out: Any
) -> None:
    """Write what `call` makes of the features of each row of cells into `out`, the tile's part."""
    cell = CELL[bank.ndim]
    lead = out.ndim - bank.ndim
    for row, features in bank.rows(tile.block, voxel_um):
        into = tuple(slice(k * c, (k + 1) * c) for k, c in zip(row, cell[:-1], strict=True))
        part = out[(slice(None),) * lead + into]
        found = in_order(call(features), bank.ndim)
        part[...] = found[tuple(slice(n) for n in part.shape)]


def on_threads(call: Callable[[Any], None], jobs: Iterable[Any], *, count: int, progress: bool) -> None:
    """Do independent jobs on numba's number of threads; an interruption waits for those under way alone.

    No more jobs are started than there are threads, so that memory does not depend on their number.
    """
    threads = min(numba.get_num_threads(), count)
    bar = tqdm(total=count, desc="segment", unit="tile", delay=5, leave=False, disable=not progress)
    with bar, ThreadPoolExecutor(threads) as pool:
        waiting = iter(jobs)
        running: set[Future[None]] = {pool.submit(call, job) for job in islice(waiting, threads)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for job in done:
                job.result()
                bar.update()
            running |= {pool.submit(call, job) for job in islice(waiting, len(done))}


def _words(inner: Inner) -> str:
    return " × ".join(f"{part.start}-{part.stop - 1}" for part in inner)


assert all(np.prod(cell) == LANES for cell in CELL.values())
