"""The even grid of a volume that is made of slices: how far it reaches, where its voxels were recorded."""

from __future__ import annotations

from math import prod

import numpy as np
import pandas as pd
import xarray as xr

from ..phases import Phase
from ..volume import spacing
from .resample import Floats, Grid, known_dtype

_ROUNDING = 1e-6
_LARGEST, _SMALL = 20.0, 1e7
"""How many times the voxels of the stack as it was recorded a volume may have, and how many it always may."""


def even_grid(
    stack: xr.DataArray,
    where: pd.DataFrame,
    cosine: float,
    voxel: tuple[float, float, float],
    border: str,
    *,
    doing: str,
) -> Grid:
    """Lay the even grid over what all slices saw, or any.

    `where` has the position of each slice, `cosine` is that of the tilt, `voxel` the edges along z, y, x in
    µm; `border` is "crop" or "nan".
    """
    slice_um = float(stack["z"][0]) + where["z_um"].to_numpy(float)
    last = float(np.floor((slice_um[-1] - slice_um[0]) / voxel[0] + _ROUNDING))
    ranges, shifts, steps, lattice = {"z": (0.0, last)}, [], [], []
    for dim, edge, stretch in (("y", voxel[1], 1.0 / cosine), ("x", voxel[2], 1.0)):
        pixel = spacing(stack, dim)
        shift = where[f"{dim}_um"].to_numpy(float) / pixel
        step = edge / (pixel * stretch)  # pixels a voxel
        ranges[dim] = _in_view(stack.sizes[dim], shift, step, dim, border, doing)
        shifts.append(shift)
        steps.append((dim, edge, stretch, step))
    _check_size(stack, ranges, (float(voxel[0]), *(edge / stretch for _, edge, stretch, _ in steps)), doing)
    z_um = slice_um[0] + voxel[0] * np.arange(last + 1)
    for dim, edge, stretch, step in steps:
        number = np.arange(ranges[dim][0], ranges[dim][1] + 1)
        lattice.append((float(stack[dim][0]) * stretch + edge * number, step * number))
    exact = stack.dtype == bool or "phases" in stack.attrs
    if border == "nan" and stack.dtype == bool:
        raise ValueError(
            f'Cannot {doing} of booleans with border="nan": a mask has no value for what was never seen. '
            'Pass border="crop".'
        )
    if border == "nan" and exact and stack.dtype == np.int8:
        raise ValueError(
            f'Cannot {doing} of labels of int8 with border="nan": codes up to {np.iinfo(np.int8).max} are '
            f"allowed in them, but what was never seen is {int(Phase.LEFT_OUT)}, left out. Pass "
            'stack.astype("uint8"), or border="crop".'
        )
    dtype = known_dtype(stack.dtype)
    if border == "nan" and not exact and dtype.kind != "f":
        dtype = np.dtype(np.float32 if dtype.itemsize <= 2 else np.float64)
    (y_um, rows), (x_um, columns) = lattice
    outside = float(Phase.LEFT_OUT) if exact else np.nan
    shift = np.stack(shifts, axis=1)
    return Grid(z_um, y_um, x_um, slice_um, rows, columns, shift, exact, dtype, outside)


def _in_view(
    pixels: int, shift: Floats, step: float, dim: str, border: str, doing: str
) -> tuple[float, float]:
    """Return the first and last voxel that all or any slices saw; 0 is the first pixel of image 0."""
    low, high = -shift.min(), pixels - 1 - shift.max()
    if border == "nan":
        low, high = -shift.max(), pixels - 1 - shift.min()
    first, last = np.ceil(low / step - _ROUNDING), np.floor(high / step + _ROUNDING)
    if last < first:
        raise ValueError(
            f"Cannot {doing}: along {dim}, images drift by up to {np.ptp(shift):.4g} of their {pixels} "
            f'pixels, and no voxel was in view in all slices. Pass border="nan" to keep what any slice saw, '
            "or reconstruct a part, for instance stack.isel(z=slice(0, 50)), with positions of its own."
        )
    return float(first), float(last)


def _check_size(
    stack: xr.DataArray, ranges: dict[str, tuple[float, float]], edges: tuple[float, ...], doing: str
) -> None:
    """Refuse a volume that is far larger than the stack: a position is wrong. Nothing is laid out before."""
    size, usual = {}, {}
    for dim, edge in zip(("z", "y", "x"), edges, strict=True):
        size[dim] = ranges[dim][1] - ranges[dim][0] + 1.0
        usual[dim] = float(np.ptp(stack[dim].values)) / edge + 1.0  # without drift, slices evenly thick
    voxels, most = prod(size.values()), max(_LARGEST * prod(usual.values()), _SMALL)
    if voxels > most:
        dim = max(size, key=lambda d: size[d] / usual[d])
        raise ValueError(
            f"Cannot {doing}: column {dim}_um of the positions spreads it over {size[dim]:.4g} voxels along "
            f"{dim}, {voxels:.3g} in all; up to {most:.3g} are allowed, {_LARGEST:g} times what the stack "
            f"fills as it was recorded, or {_SMALL:g}. Look for a wrong row in {dim}_um, which is in µm; "
            "or make the table anew with ct.reconstruct.drift_from_marks()."
        )
