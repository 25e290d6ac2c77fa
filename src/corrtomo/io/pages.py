"""An image as a stream of its slices: a lazy volume is computed chunk by chunk, and never held whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from tqdm import tqdm

from ..volume import CHANNEL, SPATIAL

AXES = (CHANNEL, *SPATIAL)


def full(image: xr.DataArray, axes: tuple[str, ...] = AXES) -> Any:
    """Return the data with all the axes named, the missing ones of length one."""
    return image.data[tuple(slice(None) if d in image.dims else np.newaxis for d in axes)]


def pages(image: xr.DataArray, *, channels_first: bool = True) -> Iterator[np.ndarray]:
    """Yield the slices (y, x), slice after slice in each channel, or channel after channel in each slice.

    Booleans become 0 and 255, as masks are in ImageJ.
    """
    data = full(image)
    groups: list[Any] = [data[i : i + 1] for i in range(len(data))] if channels_first else [data]
    bar = tqdm(total=data.shape[0] * data.shape[1], desc="writing", unit="slice", delay=5, leave=False)
    with bar:
        for group in groups:
            for first, last in z_chunks(data):
                block = as_stored(np.asarray(group[:, first:last]))
                for z in range(block.shape[1]):
                    for plane in block[:, z]:
                        yield plane
                        bar.update()


def z_chunks(data: Any) -> list[tuple[int, int]]:
    """Return where the chunks begin and end along z: one for data in memory."""
    sizes = data.chunks[1] if hasattr(data, "chunks") else data.shape[1:2]
    ends = np.cumsum(sizes).tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))


def as_stored(block: np.ndarray) -> np.ndarray:
    """Return booleans as 0 and 255, and everything else in the byte order of the machine."""
    if block.dtype == bool:
        return block.astype(np.uint8) * np.uint8(255)
    return block.astype(block.dtype.newbyteorder("="), copy=False)


def stored_dtype(image: xr.DataArray) -> np.dtype[Any]:
    """Return the dtype that :func:`as_stored` gives."""
    dtype: np.dtype[Any] = np.dtype(image.dtype)
    return np.dtype(np.uint8) if dtype.kind == "b" else dtype.newbyteorder("=")


def check_dtype(image: xr.DataArray, allowed: str, what: str, instead: str) -> None:
    """Refuse a dtype that a format cannot hold. `allowed` names dtypes, with spaces between them."""
    name = np.dtype(image.dtype).name
    if name not in allowed.split():
        raise TypeError(
            f"Cannot write {name} as {what}: it cannot hold that dtype. Allowed are "
            f"{allowed.replace(' ', ', ')}. Convert the image with image.astype(...), or write {instead}."
        )
