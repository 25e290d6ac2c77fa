"""Chunks with the border that a filter needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask.array as da

_lazy: Any = da  # its functions carry no types


def overlapped(work: Callable[..., Any], data: Any, depth: tuple[int, ...], **options: Any) -> Any:
    """Apply a filter to each chunk of a Dask array with `depth` voxels of its neighbours around it.

    Nothing is put beyond the border: there the filter itself says how it goes on. An axis that is no longer
    than its border becomes one chunk, which needs none.
    """
    data = data.rechunk({axis: -1 for axis, n in enumerate(depth) if n >= data.shape[axis]})
    depth = tuple(0 if len(sizes) == 1 else n for n, sizes in zip(depth, data.chunks, strict=True))
    return _lazy.map_overlap(work, data, depth=depth, boundary="none", **options)
