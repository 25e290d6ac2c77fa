"""A fitted classifier and an image -> labels or shares, tile by tile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dask
import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr

from ...volume import CHANNEL
from .features import FilterBank
from .forest import Cells, Voter
from .pixel_tiles import Inner, make_tile, map_tiles, on_threads, tile_edge, tiles, wide

_lazy: Any = dask  # its functions carry no types


@dataclass(frozen=True)
class Labels:
    """The code of the winner, as it stands in the result."""

    voter: Voter
    table: npt.NDArray[np.uint8]
    dtype: type = np.uint8
    lead: tuple[int, ...] = ()

    def __call__(self, cells: Cells) -> npt.NDArray[np.uint8]:
        """Return a code for each voxel of some cells."""
        return self.table[self.voter.winners(cells)]


@dataclass(frozen=True)
class Shares:
    """The share of each name in the result: the sum over the classes that become one."""

    voter: Voter
    places: npt.NDArray[np.int64]
    dtype: type = np.float32

    @property
    def lead(self) -> tuple[int, ...]:
        """One leading axis, for the names."""
        return (int(self.places.max()) + 1,)

    def __call__(self, cells: Cells) -> npt.NDArray[np.float64]:
        """Return the shares, dims cell, name, voxel of the cell."""
        found = self.voter.shares(cells)
        out = np.zeros((len(found), *self.lead, found.shape[-1]))
        for k, place in enumerate(self.places):
            out[:, place] += found[:, k]
        return out


Vote = Labels | Shares


def predicted(
    image: xr.DataArray,
    bank: FilterBank,
    voxel_um: tuple[float, ...],
    vote: Vote,
    *,
    progress: bool,
    edge: int | None = None,
) -> Any:
    """Return what `vote` says of each voxel; of a Dask image lazily, chunk by chunk."""
    data = image.data if CHANNEL in image.dims else image.data[np.newaxis]
    edge = edge or tile_edge(bank)
    if isinstance(data, da.Array):
        return _by_chunks(data, bank, voxel_um, vote, edge)
    shape = data.shape[1:]
    margin = bank.margin(voxel_um)
    out = np.empty((*vote.lead, *shape), vote.dtype)
    places = list(tiles(shape, edge))

    def work(inner: Inner) -> None:
        grey = np.asarray(data[(slice(None), *wide(inner, margin, shape))])
        tile = make_tile(grey, inner, margin, shape)
        map_tiles(bank, voxel_um, tile, vote, out[(slice(None),) * len(vote.lead) + inner])

    on_threads(work, places, count=len(places), progress=progress)
    return out


def _by_chunks(data: Any, bank: FilterBank, voxel_um: tuple[float, ...], vote: Vote, edge: int) -> Any:
    """Segment each chunk from its voxels and the border that it needs of its neighbours."""
    shape = data.shape[1:]
    margin = bank.margin(voxel_um)
    ends = [np.cumsum([0, *sizes]).tolist() for sizes in data.chunks[1:]]
    numblocks = data.numblocks[1:]
    blocks = np.empty(numblocks, object)
    shared = _lazy.delayed((bank, vote), pure=True)
    for index in np.ndindex(numblocks):
        inner = tuple(slice(e[i], e[i + 1]) for e, i in zip(ends, index, strict=True))
        size = tuple(p.stop - p.start for p in inner)
        block = data[(slice(None), *wide(inner, margin, shape))]
        work = _lazy.delayed(_chunk, pure=True)(block, inner, shape, voxel_um, shared, edge)
        blocks[index] = da.from_delayed(work, (*vote.lead, *size), vote.dtype)
    return da.block(blocks.tolist())


def _chunk(
    grey: npt.NDArray[Any],
    inner: Inner,
    shape: tuple[int, ...],
    voxel_um: tuple[float, ...],
    shared: tuple[FilterBank, Vote],
    edge: int,
) -> npt.NDArray[Any]:
    bank, vote = shared
    margin = bank.margin(voxel_um)
    first = [part.start for part in wide(inner, margin, shape)]
    size = [part.stop - part.start for part in inner]
    out = np.empty((*vote.lead, *size), vote.dtype)
    for part in tiles(size, edge):
        there = tuple(slice(p.start + i.start, p.stop + i.start) for p, i in zip(part, inner, strict=True))
        reads = wide(there, margin, shape)
        local = tuple(slice(r.start - n, r.stop - n) for r, n in zip(reads, first, strict=True))
        tile = make_tile(grey[(slice(None), *local)], there, margin, shape)
        map_tiles(bank, voxel_um, tile, vote, out[(slice(None),) * len(vote.lead) + part])
    return out
