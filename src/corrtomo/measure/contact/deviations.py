"""What each plane or block contributes to the error of a share in contact, on even grids."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ...volume import check_image, spacing
from .blocks import read_blocks

Floats = npt.NDArray[np.float64]
_COUNTED = ("surface_um2", "outline_um")
_CORNER = ("z_um", "y_um", "x_um")
_FEWEST = 8


class Field(NamedTuple):
    """Deviations from the mean on an even grid, 0 where nothing is known; the steps of the grid in µm."""

    values: Floats
    known: Floats
    steps: tuple[float, ...]


def fields_of(values: Any, *, doing: str) -> tuple[list[Field], float]:
    """Return deviations on grids, one for each place, and the mean."""
    if isinstance(values, xr.DataArray) and values.ndim == 1:
        fields, mean = _of_profile(values, doing=doing)
    elif isinstance(values, pd.DataFrame):
        fields, mean = _of_blocks(values, doing=doing)
    else:
        raise TypeError(
            f"Cannot {doing} of a {type(values).__name__}: a profile or a table of blocks is needed. Make it "
            "with ct.measure.contact_profile() or ct.measure.contact_blocks()."
        )
    known = int(sum(field.known.sum() for field in fields))
    if known < _FEWEST:
        raise ValueError(
            f"Cannot {doing} of {known} known values: {_FEWEST} or more are needed. Use a larger volume, or "
            "smaller blocks."
        )
    return fields, mean


def _of_profile(profile: xr.DataArray, *, doing: str) -> tuple[list[Field], float]:
    share = profile.values.astype(float)
    if np.isinf(share).any():
        raise ValueError(
            f"Cannot {doing}: {int(np.isinf(share).sum())} values are infinite, and shares are from 0 to 1. "
            "Make the profile with ct.measure.contact_profile()."
        )
    check_image(profile)
    name = next((name for name in _COUNTED if name in profile.coords), None)
    known = np.isfinite(share)
    weight = np.where(known, 1.0 if name is None else profile[name].values, 0.0)
    deviations, mean = _deviations(np.where(known, share, 0.0) * weight, weight)
    return [Field(deviations, (weight > 0).astype(float), (spacing(profile, str(profile.dims[0])),))], mean


def _of_blocks(blocks: pd.DataFrame, *, doing: str) -> tuple[list[Field], float]:
    contact, every, _, places = read_blocks(blocks, doing=doing)
    deviations, mean = _deviations(contact, every)
    names = [name for name in _CORNER if name in blocks]
    corners = blocks[names].to_numpy(float)
    if not names or not np.isfinite(corners).all():
        raise ValueError(
            f"Cannot {doing}: where the blocks are is not known, their columns are {list(blocks)}. Columns "
            f"out of {', '.join(_CORNER)} are needed, in µm. Make the table with "
            "ct.measure.contact_blocks()."
        )
    fields = []
    for place in np.unique(places):
        chosen = (places == place) & (every > 0)
        if not chosen.any():
            continue
        along = [column for column in corners[chosen].T if np.ptp(column) > 1e-6] or [corners[chosen, 0]]
        where, steps = zip(*(_on_grid(column, doing=doing) for column in along), strict=True)
        shape = tuple(int(part.max()) + 1 for part in where)
        known, grid = np.zeros(shape), np.zeros(shape)
        np.add.at(known, where, 1.0)
        if (known > 1).any():
            raise ValueError(
                f"Cannot {doing}: two blocks are at one place. Name the place of each table in a column, for "
                "instance with table.assign(place=1)."
            )
        grid[where] = deviations[chosen]
        fields.append(Field(grid, known, steps))
    return fields, mean


def _deviations(contact: Floats, every: Floats) -> tuple[Floats, float]:
    """Return what each place contributes to the error of the ratio of sums; the contributions add to 0."""
    if not every.any():
        return contact, float("nan")
    mean = float(contact.sum() / every.sum())
    return (contact - mean * every) / every[every > 0].mean(), mean


def _on_grid(column: Floats, *, doing: str) -> tuple[npt.NDArray[np.int64], float]:
    """Return the numbers of positions on an even grid, and its step."""
    # Coordinates carry rounding: what differs by less than a picometre is one position.
    steps = np.diff(np.unique(np.round(column, 6)))
    if steps.size == 0:
        return np.zeros(len(column), np.int64), 1.0
    step = float(steps.min())
    numbers = (column - column.min()) / step
    if np.abs(numbers - np.rint(numbers)).max() > 1e-3 * max(1.0, numbers.max()):
        raise ValueError(
            f"Cannot {doing}: blocks are not on an even grid, their steps are from {step:g} µm to "
            f"{steps.max():g} µm. Make the table with ct.measure.contact_blocks()."
        )
    return np.rint(numbers).astype(np.int64), step
