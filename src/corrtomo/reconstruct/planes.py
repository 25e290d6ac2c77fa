"""A stack of images, one slice at a time: what it must be, and how it is read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from tqdm.auto import tqdm

from ..checks import check_spatial
from ..volume import check_image, voxel_size

Plane = npt.NDArray[Any]
_DELAY = 1.0
"""Seconds after which a bar is shown."""
_UNEVEN = 1e-3
"""Steps between slices that differ by more than this share are not one step."""


def check_stack(stack: Any, *, doing: str, slices: int = 1) -> tuple[float, float, float]:
    """Refuse what is no stack of images with dims z, y, x; return its recorded edges along z, y, x in µm."""
    check_image(stack)
    check_spatial(stack, doing=doing)
    if stack.dims != ("z", "y", "x"):
        raise ValueError(
            f"Cannot {doing}: the stack has dims {stack.dims}, but z, y, x are needed, one image a slice. "
            "Make it with ct.volume(array, (slice step, pixel, pixel))."
        )
    if stack.sizes["z"] < slices:
        raise ValueError(
            f"Cannot {doing}: the stack has {stack.sizes['z']} slice, but {slices} or more are needed. "
            "Read the whole stack, for instance with ct.read(folder)."
        )
    _check_steps(stack, doing)
    z_um, y_um, x_um = voxel_size(stack)
    return z_um, y_um, x_um


def _check_steps(stack: xr.DataArray, doing: str) -> None:
    """Refuse slices that are missing, doubled or out of order, as their positions tell."""
    steps = np.diff(stack["z"].values.astype(float))
    if not len(steps):
        return
    usual = float(np.median(steps))
    odd = np.flatnonzero(~(np.abs(steps - usual) <= _UNEVEN * abs(usual)))
    if usual > 0 and not len(odd):
        return
    first = int(odd[0]) if len(odd) else 0
    raise ValueError(
        f"Cannot {doing}: between slices {first} and {first + 1} z goes on by {steps[first]:.4g} µm, where "
        f"{usual:.4g} µm is usual; {len(odd)} steps differ. A slice is missing, doubled or out of order. "
        "Give each image its nominal position with ct.volume(stack.data, voxel_size), and the true ones as "
        "positions=, for instance from ct.reconstruct.drift_from_marks()."
    )


def planes(
    stack: xr.DataArray, *, doing: str, progress: bool, repeats: bool = False
) -> Iterator[tuple[int, Plane]]:
    """Yield slice number and image, one after the other; a Dask stack is computed a chunk at a time, once.

    Refused are NaN and, unless `repeats` are allowed, an image that equals the one before it.
    """
    bar = tqdm(
        total=stack.sizes["z"], desc=doing, unit="slice", delay=_DELAY, leave=False, disable=not progress
    )
    with bar:
        yield from checked(_in_turn(stack), doing=doing, repeats=repeats, done=bar.update)


def _in_turn(stack: xr.DataArray) -> Iterator[tuple[int, Plane]]:
    chunks = stack.data.chunks[0] if stack.chunks is not None else (1,) * stack.sizes["z"]
    ends = np.cumsum([0, *chunks]).tolist()
    for start, stop in pairwise(ends):
        yield from enumerate(np.asarray(stack.data[start:stop]), start)


def checked(
    images: Iterator[tuple[int, Plane]], *, doing: str, repeats: bool, done: Any = None
) -> Iterator[tuple[int, Plane]]:
    """Refuse NaN, and an image that equals the one before it, as they come by."""
    before: Plane | None = None
    for k, plane in images:
        if plane.dtype.kind == "f" and not np.isfinite(plane).all():
            raise ValueError(
                f"Cannot {doing}: slice {k} holds NaN or infinite grey values. Only finite ones are "
                f"allowed. Leave it out with stack.drop_isel(z={k}), or fill it with stack.fillna(0)."
            )
        if before is not None and not repeats and np.array_equal(before, plane):
            raise ValueError(
                f"Cannot {doing}: slices {k - 1} and {k} are the same image, which noise never makes. "
                f"Leave one out, with stack.drop_isel(z={k}); or pass repeats=True if they may be alike, "
                "as in a simulation without noise."
            )
        yield k, plane
        before = plane
        if done is not None:
            done()
