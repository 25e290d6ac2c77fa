"""A made-up three-phase volume: smooth labels, and grey values with noise."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy import ndimage

import corrtomo as ct

_TILE = 128


def phases_and_grey(size: int) -> tuple[xr.DataArray, xr.DataArray]:
    """Repeat a periodic tile, so that large volumes are made at once; no phase is rare."""
    rng = np.random.default_rng(0)
    field = ndimage.gaussian_filter(rng.normal(size=(_TILE,) * 3), 4, mode="wrap")
    labels = np.digitize(field, np.quantile(field, (0.35, 0.55))).astype(np.uint8)
    grey = rng.normal(60.0 + 50.0 * labels, 25.0).clip(0, 255).astype(np.uint8)
    times = -(-size // _TILE)
    return tuple(
        ct.volume(np.ascontiguousarray(np.tile(part, (times,) * 3)[(slice(size),) * 3]), 0.438)
        for part in (labels, grey)
    )
