"""The faces of one phase: how many there are, and how many of them border another phase."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product
from typing import Any, NamedTuple

import dask
import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import get_num_threads, njit, prange

from ...volume import voxel_size
from ..histogram import as_codes
from .pair import CONTACT, FREE, Pair, check_present, look_up

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Bins = npt.NDArray[np.int64]
_PIECE = 1 << 27
"""Voxels of a NumPy volume that are counted at a time."""
_TOGETHER = 1 << 28
"""Bytes of Dask chunks that are computed at a time."""
_PARTS = 8
"""Into so many runs of planes a long piece is cut: enough to keep some threads busy to the end."""
_lazy: Any = dask  # its functions carry no types


class Faces(NamedTuple):
    """Area of the faces of a phase, for each bin: those in contact, and all that count."""

    contact: Floats
    every: Floats


def count_faces(
    labels: xr.DataArray,
    pair: Pair,
    axes: Sequence[str],
    bins: Mapping[str, Bins],
    *,
    doing: str,
    refuse: bool = True,
) -> Faces:
    """Add up the faces of a phase, in one pass over the volume.

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, 2D or 3D, NumPy or Dask.
    pair : Pair
        From :func:`pair_of`.
    axes : sequence of str
        Along which axes neighbours are looked at.
    bins : mapping of str to numpy.ndarray
        For some dims, the bin of each position, ascending from 0. The others have one bin.
    refuse : bool
        Refuse what has no share in contact. Without, all areas may be zero.

    Returns
    -------
    Faces
        Two arrays with an axis for each dim of the labels; µm² in 3D, µm in 2D. A face between two bins
        is in the lower one.

    Raises
    ------
    ValueError
        If a code is not a phase, either phase is absent, or the phase has no face along the axes.
    """
    where = [bins.get(str(dim), np.zeros(n, np.int64)) for dim, n in labels.sizes.items()]
    # A section is a volume of one voxel in the middle: its rows are what threads share out.
    slots = (0, 2) if labels.ndim == 2 else (0, 1, 2)
    if labels.ndim == 2:
        where.insert(1, np.zeros(1, np.int64))
    along = np.array([slots[labels.dims.index(axis)] for axis in axes])
    counts = np.zeros((*(int(part[-1]) + 1 for part in where), 3, 2), np.int64)
    seen = _count(labels, pair, along, where, counts)
    if refuse:
        check_present(labels, pair, seen, doing=doing)
    sizes = np.array(voxel_size(labels))
    areas = np.zeros(3)
    areas[list(slots)] = np.prod(sizes) / sizes
    if refuse and not counts[..., 1].any():
        raise ValueError(
            f"Cannot {doing}: {pair.of.label} ({int(pair.of)}) has no face along {', '.join(axes)} that "
            "counts. It needs neighbours of another phase that is neither ignored nor left out (255), within "
            "the image. Check axes= and ignore=, or take a larger crop."
        )
    shape = [counts.shape[slot] for slot in slots]
    contact, every = np.moveaxis(np.einsum("...ak,a->...k", counts, areas), -1, 0)
    return Faces(contact.reshape(shape), every.reshape(shape))


def _count(
    labels: xr.DataArray, pair: Pair, along: npt.NDArray[Any], where: Sequence[Bins], counts: Counts
) -> int:
    """Count piece by piece, and between pieces by the last plane of the one before; return kinds seen."""
    seen, wanted = 0, np.isin(np.arange(3), along)
    ends: dict[tuple[int, tuple[int, ...]], npt.NDArray[np.uint8]] = {}
    for place, start, codes in _pieces(labels):
        local = [bins[a : a + n] for bins, a, n in zip(where, start, codes.shape, strict=True)]
        seen |= _count_within(codes, pair.kinds, wanted, local, counts)
        for axis in along:
            before = ends.pop((axis, place), None)
            if before is not None:
                met = pair.kinds[before] | pair.kinds[np.take(codes, 0, axis=axis)]
                lower = np.moveaxis(counts[..., axis, :], axis, 0)[where[axis][start[axis] - 1]]
                _add_between(met, [bins for k, bins in enumerate(local) if k != axis], lower)
            if start[axis] + codes.shape[axis] < len(where[axis]):
                after = tuple(int(at + (k == axis)) for k, at in enumerate(place))
                ends[axis, after] = np.take(codes, -1, axis=axis)
    return seen


def _count_within(
    codes: npt.NDArray[np.uint8], kinds: Any, wanted: Any, local: Sequence[Bins], counts: Counts
) -> int:
    """Count the faces within a piece."""
    runs = _runs(local[0])
    columns = np.flatnonzero(np.diff(local[2], prepend=-1, append=-1))
    # Bins of this piece alone: a small chunk of a large volume needs a small table.
    rows = slice(int(local[1][0]), int(local[1][-1]) + 1)
    across = slice(int(local[2][0]), int(local[2][-1]) + 1)
    found = np.zeros((len(runs), rows.stop - rows.start, 3, 2, across.stop - across.start), np.int64)
    seen = np.zeros(len(runs), np.uint8)
    _count_runs(codes, kinds, wanted, runs, local[1] - rows.start, columns, found, seen)
    np.add.at(counts[:, rows, across], local[0][runs[:, 0]], np.moveaxis(found, -1, 2))
    return int(np.bitwise_or.reduce(seen))


def _runs(bins: Bins) -> npt.NDArray[np.int64]:
    """Cut planes into runs that lie in one bin each, so that no two threads add to the same one."""
    longest = max(1, -(-len(bins) // max(_PARTS, 2 * get_num_threads())))
    cuts = np.flatnonzero(np.diff(bins, prepend=bins[0] - 1, append=bins[-1] + 1))
    starts = np.concatenate([np.arange(a, b, longest) for a, b in pairwise(cuts)])
    return np.stack([starts, np.append(starts[1:], len(bins))], axis=1).astype(np.int64)


def _add_between(met: npt.NDArray[np.uint8], bins: Sequence[Bins], lower: Counts) -> None:
    """Add the faces between two pieces to the bins of the one before."""
    rows, columns = bins
    width = lower.shape[1]
    cell = rows[:, None] * width + columns
    for kind, into in ((CONTACT, (0, 1)), (FREE, (1,))):
        extra = np.bincount(cell[met == kind], minlength=lower.shape[0] * width).reshape(-1, width)
        for k in into:
            lower[..., k] += extra


def _pieces(labels: xr.DataArray) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], Any]]:
    """Walk through a volume in the order of its axes: number and first voxel of each piece, and its codes."""
    chunks = labels.chunks
    if chunks is None:
        planes = labels.shape[0]
        parts = np.array_split(np.arange(planes), min(planes, -(-labels.size // _PIECE)))
        chunks = (tuple(map(len, parts)), *((n,) for n in labels.shape[1:]))
    starts = [np.cumsum([0, *sizes]) for sizes in chunks]
    places = list(product(*(range(len(sizes)) for sizes in chunks)))
    boxes = [
        tuple(slice(int(s[k]), int(s[k + 1])) for s, k in zip(starts, place, strict=True)) for place in places
    ]
    for place, box, part in zip(places, boxes, _read(labels, boxes), strict=True):
        codes = np.ascontiguousarray(as_codes(np.asarray(part)))
        begin = tuple(where.start for where in box)
        if labels.ndim == 2:
            yield (place[0], 0, place[1]), (begin[0], 0, begin[1]), codes[:, None]
        else:
            yield place, begin, codes


def _read(labels: xr.DataArray, boxes: Sequence[tuple[slice, ...]]) -> Iterator[Any]:
    """Return pieces one after the other; those on Dask are computed some at a time, each once."""
    if labels.chunks is None:
        yield from (labels.data[box] for box in boxes)
        return
    largest = int(np.prod([max(sizes) for sizes in labels.chunks])) * labels.dtype.itemsize
    together = max(1, _TOGETHER // largest)
    for k in range(0, len(boxes), together):
        yield from _lazy.compute([labels.data[box] for box in boxes[k : k + together]])[0]


@njit(cache=True, parallel=True)
def _count_runs(
    codes: Any, kinds: Any, wanted: Any, runs: Any, rows: Any, columns: Any, found: Any, marks: Any
) -> None:
    for run in prange(runs.shape[0]):
        marks[run] = _count_run(codes, kinds, wanted, runs[run], rows, columns, found[run])


@njit(cache=True)
def _count_run(codes: Any, kinds: Any, wanted: Any, run: Any, rows: Any, columns: Any, found: Any) -> Any:
    """Count the faces from some planes to the next: each plane is read once, but the one after the last."""
    here, after = np.empty(codes.shape[1:], np.uint8), np.empty(codes.shape[1:], np.uint8)
    seen = look_up(codes[run[0]], kinds, here)
    for z in range(run[0], run[1]):
        follows = z + 1 < codes.shape[0] and (wanted[0] or z + 1 < run[1])
        if follows:
            seen |= look_up(codes[z + 1], kinds, after)
        for y in range(here.shape[0]):
            into = found[rows[y]]
            if wanted[0] and follows:
                _add(here[y], after[y], columns, into[0])
            if wanted[1] and y + 1 < here.shape[0]:
                _add(here[y], here[y + 1], columns, into[1])
            if wanted[2]:
                _add(here[y, :-1], here[y, 1:], columns, into[2])
        here, after = after, here
    return seen


@njit(cache=True)
def _add(row: Any, other: Any, columns: Any, into: Any) -> None:
    """Add the faces between two rows, for each bin of columns."""
    if columns[-1] == columns.size - 1:
        _add_each(row, other, into[0], into[1])
        return
    for k in range(columns.size - 1):
        first, last = columns[k], min(columns[k + 1], row.size)
        contact, free = _faces(row[first:last], other[first:last])
        into[0, k] += contact
        into[1, k] += contact + free


@njit(cache=True)
def _add_each(row: Any, other: Any, contact: Any, every: Any) -> None:
    """Add the faces between two rows where each column is a bin of its own."""
    for x in range(row.size):
        met = np.uint8(row[x] | other[x])
        contact[x] += met == CONTACT
        every[x] += (met == CONTACT) | (met == FREE)


@njit(cache=True)
def _faces(row: Any, other: Any) -> Any:
    contact, free = np.uint32(0), np.uint32(0)
    for x in range(row.size):
        met = np.uint8(row[x] | other[x])
        contact += np.uint32(met == CONTACT)
        free += np.uint32(met == FREE)
    return contact, free
