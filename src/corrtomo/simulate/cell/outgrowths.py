"""Copper outgrowths on the collector of a jelly roll: where they are, how large, and as a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..limits import as_array, is_number
from .layers import COPPER, ORDER, RollModel
from .winding import Winding, radius_um

Array = npt.NDArray[np.float64]
COLUMNS = ("turn", "z_um", "height_um", "radius_um", "outward")
"""What a table of outgrowths of one's own needs."""
_KINDS = {**dict.fromkeys(COLUMNS[:4], "float64"), "outward": "bool"}
_COPPER = ORDER.index(COPPER)
_APART_UM = 400.0
_TRIES = 2000
_MOST = 2000


def draw(
    count: int,
    heights_um: tuple[float, float],
    reach_um: tuple[float, float],
    of: Winding,
    model: RollModel,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw outgrowths apart from each other, of log-uniform height, on turns that have cathode on both sides.

    Raises
    ------
    ValueError
        If they do not find room.
    """
    low, high = of.cathode[0] + 1.0, of.cathode[1] - 1.0
    rows: list[tuple[float, float, float, float, bool]] = []
    places: list[Array] = []
    for _ in range(_TRIES):
        if len(rows) == count:
            break
        # Uniform along the foil: the squares of radii are uniform.
        ends = of.inner + of.pitch * np.array([low, high])
        turn = float((np.sqrt(rng.uniform(*ends**2)) - of.inner) / of.pitch)
        height = float(np.exp(rng.uniform(*np.log(heights_um))))
        outward = bool(rng.uniform() < 0.5)
        row = (turn, float(rng.uniform(*reach_um)), height, height * float(rng.uniform(0.6, 1.2)), outward)
        face = _base(of, turn, row[1], outward)[0]
        if all(np.linalg.norm(face - other) > _APART_UM for other in places):
            rows.append(row)
            places.append(face)
    if len(rows) < count:
        raise ValueError(
            f"Cannot draw {count} outgrowths {_APART_UM:g} µm apart: {len(rows)} found room in a height of "
            f"{reach_um[1] - reach_um[0]:g} µm. Give fewer, or a greater outgrowth_depth_um."
        )
    # With no rows, columns would have no kind.
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(_KINDS)


def check_table(table: Any, of: Winding, model: RollModel) -> pd.DataFrame:
    """Refuse what is no table of outgrowths on the copper."""
    if not isinstance(table, pd.DataFrame) or not set(COLUMNS) <= set(table.columns):
        raise TypeError(
            f"Cannot grow copper from {type(table).__name__}: a number, or a pandas.DataFrame with columns "
            f"{', '.join(COLUMNS)}, is needed. Windings count in turns from the inner end of the anode."
        )
    if len(table) > _MOST:
        raise ValueError(f"Cannot grow {len(table)} outgrowths: {_MOST} are the most. Give fewer.")
    numbers = as_array(table[list(COLUMNS[:4])].to_numpy())
    if numbers.dtype.kind not in "iuf" or not np.isfinite(numbers).all():
        raise ValueError(
            "Cannot grow copper from a table with gaps or text: finite numbers are needed in columns "
            f"{', '.join(COLUMNS[:4])}. Drop such rows first."
        )
    turn, z, height, radius = numbers.T.astype(float)
    most = model.anode_um + model.separator_um
    wrong = (turn < 0) | (turn > of.turns) | (z < model.anode_below_um) | (height <= 0) | (radius <= 0)
    wrong |= (height > most) | (radius > 0.2 * of.inner)
    if wrong.any():
        raise ValueError(
            f"Cannot grow copper in rows {np.flatnonzero(wrong)[:5].tolist()}: turn from 0 to "
            f"{of.turns:.2f}, z_um from the top of the copper, {model.anode_below_um:g} µm, on, height_um "
            f"up to {most:g} µm (anode and separator) and radius_um up to {0.2 * of.inner:g} µm are allowed. "
            "Correct or drop those rows."
        )
    kept = table[list(COLUMNS)].reset_index(drop=True)
    return kept.astype(_KINDS)


def described(table: pd.DataFrame, of: Winding, model: RollModel) -> tuple[pd.DataFrame, Array]:
    """Return the truth table of outgrowths, and what the kernels read of them."""
    bumps = np.zeros((len(table), 9))
    lengths = unrolled_um(of, table["turn"].to_numpy())
    numbers = table[list(COLUMNS[:4])].to_numpy(float)
    for b, (turn, z, height, radius) in enumerate(numbers.tolist()):
        place, normal = _base(of, turn, z, bool(table["outward"].iloc[b]))
        bumps[b] = [*place, *normal, radius, height, model.copper_um / 2]
    full = pd.DataFrame(
        {
            "outgrowth": np.arange(len(table)),
            "turn": table["turn"],
            "winding_deg": 360.0 * table["turn"],
            "length_um": lengths,
            "z_um": bumps[:, 0],
            "y_um": bumps[:, 1],
            "x_um": bumps[:, 2],
            "outward": table["outward"],
            "height_um": table["height_um"],
            "radius_um": table["radius_um"],
            "volume_um3": 2.0 / 3.0 * np.pi * table["radius_um"] ** 2 * table["height_um"],
        }
    )
    return full, bumps


def unrolled_um(of: Winding, turns: Array) -> Array:
    """Return the length of copper from its inner end to some windings: the arc of its middle."""
    fine = np.linspace(0.0, max(float(np.max(turns, initial=0.0)), 1e-3), 1 + 720 * int(np.ceil(of.turns)))
    radius = radius_um(of, fine, float(of.edges[_COPPER] + of.edges[_COPPER + 1]) / 2)
    angle = of.start + 2 * np.pi * fine
    steps = np.hypot(np.diff(radius * np.cos(angle)), np.diff(radius * np.sin(angle)))
    return np.asarray(np.interp(turns, fine, np.append(0.0, np.cumsum(steps))))


def _base(of: Winding, turn: float, z_um: float, outward: bool) -> tuple[Array, Array]:
    """Return the middle of the base on the face of the copper, and the normal into which it grows."""
    depth = float(of.edges[_COPPER + 1] if outward else of.edges[_COPPER])
    around = turn + np.array([-1e-4, 0.0, 1e-4])
    radius, angle = radius_um(of, around, depth), of.start + 2 * np.pi * around
    y, x = radius * np.sin(angle), radius * np.cos(angle)
    tangent = np.array([y[2] - y[0], x[2] - x[0]]) / np.hypot(y[2] - y[0], x[2] - x[0])
    # Angles grow from x to y: the outer side lies to the right of the way on.
    normal = np.array([-tangent[1], tangent[0]])
    if normal @ [y[1], x[1]] < 0:
        normal = -normal
    place = np.array([z_um, y[1], x[1]])
    return place, np.array([0.0, *(normal if outward else -normal)])


def check_count(count: Any) -> int:
    """Refuse what is no number of outgrowths."""
    if not (is_number(count) and 0 <= count <= _MOST and float(count).is_integer()):
        raise ValueError(
            f"Cannot draw {count!r} outgrowths: a whole number from 0 to {_MOST}, or a table of them, is "
            "needed."
        )
    return int(count)
