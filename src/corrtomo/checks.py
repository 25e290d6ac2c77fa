"""What every room refuses alike."""

from __future__ import annotations

from math import isfinite
from numbers import Real
from typing import Any

import numpy as np
import xarray as xr

from .volume import CHANNEL, SPATIAL, check_image, spacing


def check_same_grid(first: xr.DataArray, second: xr.DataArray, *, doing: str) -> None:
    """Refuse two images whose dims, sizes or coordinates differ.

    `doing` says what cannot be done, for instance ``"compare labels"``.
    """
    check_image(first)
    check_image(second)
    if first.dims != second.dims:
        raise ValueError(
            f"Cannot {doing}: dims {first.dims} and {second.dims} differ. "
            "Bring them into one order first with image.transpose(...)."
        )
    if first.shape != second.shape:
        raise ValueError(
            f"Cannot {doing}: sizes {first.shape} and {second.shape} differ. "
            "Coarsen the finer one first with ct.register.coarsen()."
        )
    for dim in (str(d) for d in first.dims if d in SPATIAL):
        step, other = spacing(first, dim), spacing(second, dim)
        gap = float(np.abs(first[dim].values - second[dim].values).max())
        if gap > 1e-3 * step or abs(other - step) > 1e-3 * step:
            raise ValueError(
                f"Cannot {doing}: their {dim} coordinates differ by up to {gap:.4g} µm "
                f"(voxel sizes {step:.4g} and {other:.4g} µm). Bring them onto one grid first with "
                "ct.register.align(moving, fixed).resample(image, onto)."
            )
    if CHANNEL in first.coords and CHANNEL in second.coords:
        names = first[CHANNEL].values.tolist(), second[CHANNEL].values.tolist()
        if names[0] != names[1]:
            raise ValueError(
                f"Cannot {doing}: their channels {names[0]} and {names[1]} differ. "
                "Select the same channels first, in one order, with image.sel(channel=[...])."
            )


def check_spatial(image: xr.DataArray, *, doing: str) -> None:
    """Refuse an image with channels."""
    check_image(image)
    if CHANNEL in image.dims:
        raise ValueError(
            f"Cannot {doing}: the image has {image.sizes[CHANNEL]} channels, one is needed. "
            "Select one first, for instance with image.isel(channel=0)."
        )


def check_finite(image: xr.DataArray, *, doing: str) -> None:
    """Refuse NaN and infinite grey values."""
    if np.issubdtype(image.dtype, np.floating):
        bad = int((~np.isfinite(image)).sum())
        if bad:
            raise ValueError(
                f"Cannot {doing}: {bad} of {image.size} grey values are NaN or infinite. "
                "Only finite grey values are allowed. Crop them away or fill them first, "
                "for instance with image.fillna(0)."
            )


def check_turns(layers: xr.Dataset, *, doing: str) -> None:
    """Refuse traced layers whose turns are not one after another, or lack a part of their angles.

    Places are compared with those one turn further out, and the last angle of a turn with the first of the
    next: of every second turn, or of half of the angles, both would be silent nonsense. What has no
    coordinates is taken as whole.
    """
    if "turn" in layers.coords and layers.sizes["turn"] > 1:
        turn = layers["turn"].values
        if not (_is_number(turn) and (np.diff(turn.astype(float)) == 1).all()):
            raise ValueError(
                f"Cannot {doing}: their turns are {_few(turn)}, and each must follow the one before. Choose "
                "a run of turns, such as layers.isel(turn=slice(2, 8))."
            )
    if "angle" in layers.coords:
        angle = layers["angle"].values
        full = 2 * np.pi * (1 - 1 / max(len(angle), 1))
        if not (_is_number(angle) and abs(float(np.ptp(angle.astype(float))) - full) < 1e-3):
            raise ValueError(
                f"Cannot {doing}: their {len(angle)} angles are {_few(angle)}, and those of full turns in "
                "radians are needed. Choose places from the result instead of from the layers."
            )


def _is_number(values: Any) -> bool:
    return bool(values.dtype.kind in "iuf")


def _few(values: Any) -> str:
    said = [f"{v:.4g}" if values.dtype.kind == "f" else str(v) for v in values]
    return ", ".join(said if len(said) < 6 else [*said[:3], "…", said[-1]])


def is_finite(number: Any) -> bool:
    """Tell whether a real number is finite, and within what a float can hold.

    Examples
    --------
    >>> is_finite(0.5), is_finite(float("nan")), is_finite(10**400)
    (True, False, False)
    """
    try:
        return isfinite(number)
    except OverflowError:  # a whole number of more than 308 digits
        return False


def check_length(value: Any, what: str, *, doing: str) -> None:
    """Refuse a length in µm that is not a finite number above zero."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError(
            f"Cannot {doing} with {what} {value!r}: a number in µm is needed. Pass for instance 0.876."
        )
    if not is_finite(value) or float(value) <= 0:
        raise ValueError(
            f"Cannot {doing} with {what} {value!r} µm: it must be finite and above zero. State it in µm."
        )
