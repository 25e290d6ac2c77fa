"""What each plane or block contributes to the error of a share in contact, on even grids."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ...volume import check_image, spacing
from .blocks import CORNER, check_apart, corners_of, read_blocks

Floats = npt.NDArray[np.float64]
_COUNTED = ("surface_um2", "outline_um")
_FEWEST = 8
_UNEVEN = 0.4
"""Of a step: where a position is farther from the grid, it is on none."""
_ROUNDING = 1e-9
_MOST = 1 << 22
"""Positions of a grid, as many as blocks of contact_blocks()."""


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
    if profile.dtype.kind not in "biuf":
        raise TypeError(
            f"Cannot {doing} of a profile of {profile.dtype}: shares are real numbers from 0 to 1. Make it "
            "with ct.measure.contact_profile()."
        )
    share = profile.values.astype(float)
    if np.isinf(share).any():
        raise ValueError(
            f"Cannot {doing}: {int(np.isinf(share).sum())} values are infinite, and shares are from 0 to 1. "
            "Make the profile with ct.measure.contact_profile()."
        )
    outside = (share < -_ROUNDING) | (share > 1 + _ROUNDING)
    if outside.any():
        raise ValueError(
            f"Cannot {doing}: {int(outside.sum())} of {share.size} values are outside 0 to 1, from "
            f"{np.nanmin(share):g} to {np.nanmax(share):g}, and shares are within. Make the profile with "
            "ct.measure.contact_profile()."
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
    corners = corners_of(blocks, doing=doing)
    names = [name for name in CORNER if name in blocks]
    if not names:
        raise ValueError(
            f"Cannot {doing}: where the blocks are is not known, their columns are {list(blocks)}. Columns "
            f"out of {', '.join(CORNER)} are needed, in µm. Make the table with "
            "ct.measure.contact_blocks()."
        )
    fields = []
    for place in np.unique(places):
        chosen = (places == place) & (every > 0)
        if not chosen.any():
            continue
        check_apart(corners[chosen], places[chosen], doing=doing)
        along = {
            name: column
            for name, column in zip(names, corners[chosen].T, strict=True)
            if np.ptp(column) > 1e-6
        } or {names[0]: corners[chosen, 0]}
        where, steps = zip(
            *(_on_grid(column, name, doing=doing) for name, column in along.items()), strict=True
        )
        shape = tuple(int(part.max()) + 1 for part in where)
        if np.prod(shape, dtype=float) > _MOST:
            # The column with the fewest blocks for its positions is the wrong one.
            sparse = [n / len(np.unique(part)) for n, part in zip(shape, where, strict=True)]
            worst = int(np.argmax(sparse))
            raise _too_many(list(along)[worst], steps[worst], float(np.prod(shape, dtype=float)), doing=doing)
        known, grid = np.zeros(shape), np.zeros(shape)
        known[where] = 1.0
        if known.sum() < chosen.sum():
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


def _too_many(name: str, step: float, count: float, *, doing: str) -> ValueError:
    return ValueError(
        f"Cannot {doing}: blocks would be on a grid of {count:.3g} positions, its step in {name} {step:g} "
        f"µm, and {_MOST} are allowed. Check {name} for a wrong or an uneven coordinate, or make the table "
        "with ct.measure.contact_blocks()."
    )


def _on_grid(column: Floats, name: str, *, doing: str) -> tuple[npt.NDArray[np.int64], float]:
    """Return the numbers of positions on an even grid, and its step."""
    # Coordinates carry rounding: what differs by less than a picometre is one position.
    steps = np.diff(np.unique(np.round(column, 6)))
    if steps.size == 0:
        return np.zeros(len(column), np.int64), 1.0
    step = float(steps.min())
    numbers = (column - column.min()) / step
    if not numbers.max() < _MOST:
        raise _too_many(name, step, float(numbers.max()) + 1, doing=doing)
    if np.abs(numbers - np.rint(numbers)).max() > min(_UNEVEN, 1e-3 * max(1.0, numbers.max())):
        raise ValueError(
            f"Cannot {doing}: blocks are not on an even grid, their steps in {name} are from {step:g} µm to "
            f"{steps.max():g} µm. Make the table with ct.measure.contact_blocks()."
        )
    return np.rint(numbers).astype(np.int64), step
