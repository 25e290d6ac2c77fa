"""What all views of surfaces share: light, a block cut away, and as many triangles as a page can hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from .simplify import simplify
from .surfaces import Grid, Surface, count, within

_FINER = 4
LIGHT = {
    "lighting": {"ambient": 0.55, "diffuse": 0.6, "specular": 0.08, "roughness": 0.7, "fresnel": 0.05},
    "lightposition": {"x": -1500, "y": -4000, "z": 6000},
}


def cut_block(
    share: npt.NDArray[np.float32], grid: Grid, cut: npt.NDArray[np.float64] | None
) -> npt.NDArray[np.float32]:
    """Empty the block nearest to the camera (low z, high y, high x), with flat faces where it ends."""
    if cut is None:
        return share
    z, y, x = (round(length / step) for length, step in zip(cut, grid.step_um, strict=True))
    out = share.copy()
    block = out[:z, share.shape[1] - y :, share.shape[2] - x :]
    block[:] = 0
    if block.size:
        beyond = z, share.shape[1] - y - 1, share.shape[2] - x - 1
        for axis, place, edge in zip(range(3), beyond, (-1, 0, 0), strict=True):
            if 0 <= place < share.shape[axis]:
                layer = share.take(place, axis)[_others(axis, share, z, y, x)]
                face: list[Any] = [slice(None)] * 3
                face[axis] = edge
                block[tuple(face)] = np.maximum(block[tuple(face)], np.minimum(layer, 1 - layer))
    return out


def _others(axis: int, share: npt.NDArray[np.float32], z: int, y: int, x: int) -> tuple[slice, ...]:
    whole = [slice(None, z), slice(share.shape[1] - y, None), slice(share.shape[2] - x, None)]
    del whole[axis]
    return tuple(whole)


def fitted(
    build: Callable[[Grid], Sequence[Surface]], image: xr.DataArray, budget: int
) -> tuple[Sequence[Surface], Grid, bool]:
    """Find surfaces finer than the budget allows and thin them out: flat parts need few triangles."""
    surfaces, grid = within(build, image, _FINER * budget)
    if count(surfaces) <= budget:
        return surfaces, grid, False
    thin = simplify(surfaces, budget, min(grid.step_um))
    if count(thin) <= budget:
        return thin, grid, True
    return *within(build, image, budget), False  # all corners and folds, as noise is


def told(caption: str, image: xr.DataArray, grid: Grid, thinned: bool) -> str:
    """Say in the caption what was done to the volume so that a page can hold it."""
    said = caption.strip()
    said += "" if said.endswith((".", "?", "!")) or not said else "."
    if grid.shape != image.shape:
        sizes = " × ".join(dict.fromkeys(f"{size:.2g}" for size in grid.step_um))
        how = f"Drawn from voxels of {sizes} µm, averaged and smoothed for the view"
        return f"{said} {how}: finer features can be missing"
    return f"{said} Its surfaces are thinned out for the view" if thinned else caption
