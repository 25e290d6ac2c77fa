"""Bins by distance."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_ROUNDING = 1e-6


def bin_of(distance_um: npt.NDArray[Any], edges: Floats) -> npt.NDArray[np.int64]:
    """Return the bin that each distance falls into, -1 below the first and their number beyond the last.

    A bin holds its lower border and not its upper one.

    Examples
    --------
    >>> bin_of(np.float32([-0.5, 0.0, 0.1, 0.2, 0.7]), np.array([0.0, 0.2, 0.7])).tolist()
    [-1, 0, 0, 1, 2]
    """
    # Distances are float32: one that is an edge must not fall below it by rounding.
    slack = edges - _ROUNDING * np.abs(edges)
    which = np.searchsorted(slack, distance_um.astype(np.float64), side="right") - 1
    return np.asarray(which, np.int64)


def check_edges(edges_um: Any, *, doing: str) -> Floats:
    """Refuse borders of bins that are not two or more finite numbers, ascending; return them."""
    if not isinstance(edges_um, Sequence | np.ndarray) or not all(isinstance(e, Real) for e in edges_um):
        raise TypeError(
            f"Cannot {doing} with edges_um {edges_um!r}: two or more numbers in µm are needed. Pass for "
            "instance [0, 2, 10]."
        )
    edges = np.asarray(edges_um, float)
    if edges.ndim != 1 or edges.size < 2 or not (np.diff(edges) > 0).all() or not np.isfinite(edges).all():
        raise ValueError(
            f"Cannot {doing} with edges_um {list(edges_um)}: two or more finite borders in µm are needed, "
            "ascending. Pass for instance [0, 2, 10]."
        )
    return edges
