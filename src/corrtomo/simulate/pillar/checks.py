"""What a pillar, its scan and its maps may be: sizes that a machine holds, and tables of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..limits import as_array, is_number
from ..raster import View

Array = npt.NDArray[np.float64]
MOST_VOXELS = 2e9
_MOST_PIXELS = 2e7
_MOST_OF_SECTION = 1e8
_MOST_BOXES = 1e4
WIDEST_SPOT_UM = 10.0


def are_above_zero(table: Any, most: float) -> bool:
    """Tell whether this names numbers above zero, up to `most`."""
    return isinstance(table, Mapping) and all(is_number(v) and 0 < v <= most for v in table.values())


def check_span(view: View, box_um: Array, reach_um: float) -> None:
    """Refuse a window so wide that the cathode would have to be repeated over and over to fill it."""
    low, high = view.bounds_um()
    boxes = float(np.prod((high - low + 2 * reach_um) / box_um + 1.0))
    if not boxes <= _MOST_BOXES:
        span = " × ".join(f"{edge:.3g}" for edge in high - low)
        raise ValueError(
            f"Cannot look at a window of {span} µm (z, y, x): the cathode that a pillar is cut out of would "
            f"go on {boxes:.3g} times in it, and {_MOST_BOXES:.0e} are the most. Give smaller voxels or "
            "fewer. Lengths are in µm."
        )


def check_section(rows: int, columns: int) -> None:
    """Refuse a section of more pixels than a machine holds: each has several numbers."""
    if rows * columns > _MOST_OF_SECTION:
        raise ValueError(
            f"Cannot mill a section of {rows} × {columns} pixels: {_MOST_OF_SECTION:.0e} at most fit into "
            "memory. Give fewer, or larger ones."
        )


def check_maps(rows: int, columns: int, voxels: float = 0.0) -> None:
    """Refuse maps of too many pixels, and a beam that meets too many voxels below the plane."""
    if rows * columns > _MOST_PIXELS or not voxels <= MOST_VOXELS:
        raise ValueError(
            f"Cannot make maps of {rows} × {columns} pixels, for which {voxels:.3g} voxels below the section "
            f"are needed: {_MOST_PIXELS:.0e} pixels and {MOST_VOXELS:.0e} voxels at most fit into memory. "
            "Give fewer pixels, or a step nearer to the range of the electrons. Lengths are in µm."
        )


def check_scan(frames: int, flats: int, shape: tuple[int, int]) -> None:
    """Refuse radiographs and flats that do not fit into memory."""
    counts = float(shape[0]) * shape[1] * max(frames, 4 * flats)
    if counts > MOST_VOXELS:
        raise ValueError(
            f"Cannot hold {frames} radiographs and {flats} flats of {shape[0]} × {shape[1]} pixels: "
            f"{MOST_VOXELS:.0e} counts at most fit into memory. Give fewer angles, flats or pixels."
        )


def check_angles(angles_deg: Any) -> Array:
    """Refuse what is no row of angles, and return it."""
    turns = np.atleast_1d(as_array(angles_deg))
    if turns.ndim != 1 or len(turns) == 0 or turns.dtype.kind not in "iuf" or not np.isfinite(turns).all():
        raise ValueError(
            f"Cannot take radiographs at angles of shape {turns.shape} and dtype {turns.dtype}: a row of "
            "finite numbers in degrees is needed. The paper has numpy.arange(1200) * 0.3."
        )
    return turns.astype(float)
