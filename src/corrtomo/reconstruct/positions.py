"""Where each slice lies: a table, one row a slice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from .tables import check_columns

Floats = npt.NDArray[np.float64]
NEEDED = ("slice", "z_um", "y_um", "x_um")
_DOING = "place slices by a table of positions"


def table(
    z_um: Floats, shift_um: Floats, error_um: Floats, marks_found: npt.NDArray[np.int64]
) -> pd.DataFrame:
    """Write the table: positions against the first slice, their standard errors, and marks found.

    `shift_um` holds y and x, `error_um` the standard errors of z, y and x, a row for each slice.
    """
    columns = {
        "slice": np.arange(len(z_um)),
        "z_um": z_um - z_um[0],
        "y_um": shift_um[:, 0] - shift_um[0, 0],
        "x_um": shift_um[:, 1] - shift_um[0, 1],
    }
    columns |= {f"{dim}_error_um": error_um[:, k] for k, dim in enumerate("zyx")}
    return pd.DataFrame(columns | {"marks_found": marks_found})


def as_recorded(stack: xr.DataArray) -> pd.DataFrame:
    """Return the table of a stack that did not drift, with slices where their coordinates say."""
    z = stack["z"].values.astype(float)
    n = len(z)
    return table(z, np.zeros((n, 2)), np.zeros((n, 3)), np.zeros(n, np.int64))


def check_positions(positions: Any, slices: int) -> pd.DataFrame:
    """Refuse a table that does not place each slice once, one behind the other; return it in their order."""
    if not isinstance(positions, pd.DataFrame):
        raise TypeError(
            f"Cannot {_DOING}: it is a {type(positions).__name__}, but a pandas.DataFrame is needed. "
            "Make one with ct.reconstruct.drift_from_marks()."
        )
    check_columns(positions, NEEDED, doing=_DOING, advice="Make one with ct.reconstruct.drift_from_marks().")
    numbers = positions["slice"].to_numpy(float)
    expected = np.arange(slices)
    if not np.array_equal(np.sort(numbers), expected):
        absent = np.setdiff1d(expected, numbers)
        twice = np.unique(numbers[positions["slice"].duplicated().to_numpy()])
        raise ValueError(
            f"Cannot {_DOING}: {len(positions)} rows for {slices} slices; missing are {_some(absent)}, "
            f"doubled {_some(twice)}, unknown {_some(np.setdiff1d(numbers, expected))}. One row for each "
            "slice is needed, numbered from 0. After slices are left out, make the table anew."
        )
    ordered = positions.sort_values("slice", ignore_index=True)
    _check_order(ordered["z_um"].to_numpy(float))
    return ordered


def _check_order(z_um: Floats) -> None:
    back = np.flatnonzero(np.diff(z_um) <= 0)
    if len(back):
        k = int(back[0]) + 1
        raise ValueError(
            f"Cannot {_DOING}: slice {k} lies at {z_um[k]:.4g} µm, not behind slice {k - 1} at "
            f"{z_um[k - 1]:.4g} µm; so do {len(back)} in all. Nothing was milled between them, or they are "
            f"repeated: leave one out, with stack.drop_isel(z={k}), and make the table anew."
        )


def _some(numbers: npt.NDArray[Any]) -> str:
    shown = ", ".join(f"{number:g}" for number in numbers[:5])
    return (shown + (", …" if len(numbers) > 5 else "")) or "none"
