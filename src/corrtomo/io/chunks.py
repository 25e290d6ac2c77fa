"""Store a Dask array chunk by chunk, so that an interrupted run can be gone on with."""

from __future__ import annotations

import itertools
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import dask
import numpy as np
from dask.diagnostics.progress import ProgressBar

_PLAN = "plan"
_lazy: Any = dask  # its functions carry no types


def store(data: Any, array: Any, done: Path | None = None) -> None:
    """Compute each chunk of `data` and write it to `array`, which has the same chunks.

    With a folder `done`, a file in it names each chunk that is whole on disk, and chunks that it names are
    not computed again, but for one, which must come out the same. Where the work was planned otherwise, by
    other parameters for instance, one chunk proves nothing: then all are computed.

    Raises
    ------
    ValueError
        If the chunk that is computed again differs from what is on disk: another image was begun there; or
        chunks that were whole are gone.
    """
    parts = data.to_delayed()
    ends = [np.cumsum([0, *sizes]).tolist() for sizes in data.chunks]
    places = {
        ".".join(map(str, index)): (
            index,
            tuple(slice(e[i], e[i + 1]) for e, i in zip(ends, index, strict=True)),
        )
        for index in itertools.product(*(range(len(sizes)) for sizes in data.chunks))
    }
    finished = set() if done is None else {path.name for path in done.iterdir()} & set(places)
    for name in sorted(finished)[:1]:
        index, where = places[name]
        _check_same(parts[index].compute(), array[where])
    if done is not None and not _same_plan(done, data.name):
        for name in finished:
            (done / name).unlink()
        finished = set()
        (done / _PLAN).write_text(data.name)
    tasks = [
        _lazy.delayed(_put)(parts[index], array, where, done and done / name)
        for name, (index, where) in places.items()
        if name not in finished
    ]
    with ProgressBar(minimum=5.0) if len(tasks) > 1 else nullcontext():  # the bar takes a tenth of a second
        _lazy.compute(*tasks)
    if array.nchunks_initialized < array.nchunks:
        raise ValueError(
            f"Cannot finish the OME-Zarr: {array.nchunks - array.nchunks_initialized} of {array.nchunks} "
            "chunks that an earlier run had written are gone. Delete the unfinished folder beside "
            "the target, or write with resume=False."
        )


def _same_plan(done: Path, plan: str) -> bool:
    """Tell whether what is on disk was planned as now: Dask gives the same work the same name."""
    note = done / _PLAN
    return note.is_file() and note.read_text() == plan


def _put(block: np.ndarray, array: Any, where: tuple[slice, ...], mark: Path | None) -> None:
    array[where] = block
    if mark is not None:
        mark.touch()


def _check_same(computed: np.ndarray, stored: np.ndarray) -> None:
    if not np.array_equal(computed, stored, equal_nan=computed.dtype.kind == "f"):
        raise ValueError(
            "Cannot go on with the unfinished OME-Zarr: what is already there differs from what this image "
            "gives at the same place. The same image, with the same parameters, is needed. Delete the "
            "unfinished folder beside the target, or write with resume=False."
        )
