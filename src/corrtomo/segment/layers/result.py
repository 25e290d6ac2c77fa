"""What is known of the layers, as a Dataset."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from ...volume import origin, voxel_size
from .follow import Followed, Peak
from .look import Roll
from .phase import Winding

Floats = npt.NDArray[np.float64]
Radius = npt.NDArray[Any]
PLACES = {
    "radius_um": "middle",
    "inner_um": "inner",
    "outer_um": "outer",
    "radius_se_um": "middle_se",
    "inner_se_um": "inner_se",
    "outer_se_um": "outer_se",
}
"""Names of what is stored for each place along a layer, and of the offsets that they are made from."""
ENDS = ("start_turns", "end_turns", "length_um", "averaged_um")
DIMS = ("layer", "turn", "angle")


class Plan(NamedTuple):
    """What all slices share: the roll, samples along and across, the arms and their layers."""

    roll: Roll
    angles: Floats
    offsets: Floats
    arms: int
    turns: int
    sense: int
    layers: list[tuple[int, Peak]]


def empty(count: int, plan: Plan) -> dict[str, Radius]:
    """Return arrays for so many slices in which nothing is known yet."""
    shape = count, len(plan.layers), plan.turns, len(plan.angles)
    out: dict[str, Radius] = {name: np.full(shape, np.nan, np.float32) for name in (*PLACES, "contrast")}
    return out | {name: np.full(shape[:2], np.nan) for name in ENDS}


def store(
    found: Followed,
    there: npt.NDArray[np.bool_],
    ends: tuple[int, int],
    winding_um: tuple[Floats, float, float],
    out: dict[str, Radius],
    row: tuple[int, int],
) -> None:
    """Put one followed layer into its row of the arrays, in µm."""
    base, step, _ = winding_um
    turns, count = out["contrast"].shape[-2:]
    zero = (found.width - 1) / 2
    for name, of in PLACES.items():
        offsets = getattr(found, of)
        values = offsets * step if name.endswith("_se_um") else base + (offsets - zero) * step
        out[name][row] = np.where(there, values, np.nan).reshape(turns, count)
    out["contrast"][row] = np.where(there, found.contrast, np.nan).reshape(turns, count)
    out["averaged_um"][row] = found.averaged * winding_um[2]
    if ends[1] <= ends[0]:
        return
    out["start_turns"][row], out["end_turns"][row] = ends[0] / count, (ends[1] + 1) / count
    along = base[ends[0] : ends[1] + 1]
    out["length_um"][row] = np.hypot(along * (2 * np.pi / count), np.gradient(along)).sum()


def finished(
    out: dict[str, Radius], image: xr.DataArray, plan: Plan, windings: list[Winding | str]
) -> xr.Dataset:
    """Return the Dataset, without the turns that no layer reaches."""
    full = np.asarray(np.isfinite(out["radius_um"]).any(axis=(0, 1, 3)))
    first, last = int(full.argmax()), len(full) - int(full[::-1].argmax())
    data = {name: (("z", *DIMS), out[name][:, :, first:last]) for name in (*PLACES, "contrast")}
    ends = {name: out[name] - (first if name.endswith("turns") else 0) for name in ENDS}
    found = xr.Dataset(
        {
            **data,
            **{name: (("z", "layer"), values) for name, values in ends.items()},
            **{name: ("z", [getattr(w, name, np.nan) for w in windings]) for name in ("score", "coherence")},
            "reason": ("z", [w if isinstance(w, str) else "" for w in windings]),
        },
        coords={
            "layer": np.arange(len(plan.layers)),
            "turn": np.arange(last - first),
            "angle": ("angle", np.abs(plan.angles), {"units": "rad"}),
        },
    )
    found = found.assign_coords(z=image["z"]) if "z" in image.dims else found.isel(z=0)
    for name in found.data_vars:
        if str(name).endswith("_um"):
            found[name].attrs["units"] = "µm"
    y, x = origin(image)[-2:]
    pixel = voxel_size(image)[-1]
    found.attrs = {
        "centre_y_um": y + plan.roll.centre[0] * pixel,
        "centre_x_um": x + plan.roll.centre[1] * pixel,
        "pitch_um": plan.roll.pitch * pixel * plan.arms,
        "sense": plan.sense,
        "arms": plan.arms,
        "voxel_size_um": pixel,
    }
    return found
