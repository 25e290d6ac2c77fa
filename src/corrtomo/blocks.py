"""Images a few voxels at a time, for what is counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import dask
import numpy as np
import numpy.typing as npt
import xarray as xr

_BLOCK = 1 << 22
"""Voxels that are read at a time: small enough for a wider copy, large enough for two threads."""
_TOGETHER = 1 << 28
"""Bytes of Dask chunks that are computed at a time."""
_lazy: Any = dask  # its functions carry no types


def blocks(*images: xr.DataArray) -> Iterator[tuple[npt.NDArray[Any], ...]]:
    """Walk through images on one grid a few voxels at a time, each block as one row of values.

    What is counted needs no order. A Dask image is computed some chunks at a time, each once, and never held
    whole; a view that is not contiguous is copied block by block.
    """
    for parts in _chunks_of(images):
        rows = max(1, _BLOCK * len(parts[0]) // parts[0].size)
        for start in range(0, len(parts[0]), rows):
            yield tuple(part[start : start + rows].ravel() for part in parts)


def _chunks_of(images: Sequence[xr.DataArray]) -> Iterator[list[npt.NDArray[Any]]]:
    chunked = next((image.chunks for image in images if image.chunks is not None), None)
    if chunked is None:
        yield [np.asarray(image.data) for image in images]
        return
    places = list(product(*map(_slices, chunked)))
    largest = int(np.prod([max(sizes) for sizes in chunked]))
    # Neighbours together: with a border that overlaps, what they share is computed once.
    together = max(1, _TOGETHER // (largest * sum(image.dtype.itemsize for image in images)))
    for first in range(0, len(places), together):
        some = places[first : first + together]
        yield from _lazy.compute([[image.data[where] for image in images] for where in some])[0]


def _slices(sizes: Sequence[int]) -> list[slice]:
    ends = np.cumsum(sizes)
    return [slice(int(end) - size, int(end)) for size, end in zip(sizes, ends, strict=True)]
