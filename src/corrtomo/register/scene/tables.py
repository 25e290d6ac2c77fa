"""What a scene says of itself, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ..alignment import Alignment
from ..frames import move
from .edges import Step
from .grid import Grid
from .paths import Loop

_LOOPS = ["loop", "alignments", "closure_um", "expected_um", "z", "contradicts"]
_ALIGNMENTS = ["moving", "fixed", "transform", "turn_deg", "scale", "error_um", "how", "contradicts"]
_IMAGES = ["image", "dims", "voxels", "voxel_um", "width_um"]


def loop_table(loops: Sequence[Loop]) -> pd.DataFrame:
    """Return how well loops close, a row each."""
    rows = [
        (
            " → ".join((*loop.names, loop.names[0])),
            len(loop.names),
            loop.closure_um,
            loop.expected_um,
            loop.z,
            loop.contradicts,
        )
        for loop in loops
    ]
    return pd.DataFrame(rows, columns=_LOOPS)


def alignment_table(
    steps: Mapping[frozenset[str], Step], known: Mapping[frozenset[str], Alignment], loops: Sequence[Loop]
) -> pd.DataFrame:
    """Return the alignments of a scene, a row each; `error_um` is in µm of the fixed image."""
    suspects: set[frozenset[str]] = set().union(*(loop.pairs() for loop in loops if loop.contradicts))
    rows = []
    for pair, step in steps.items():
        found = known[pair]
        kind = found.transform, found.turn_deg, step.scale, step.error_um, found.stop
        rows.append((step.source, step.target, *kind, pair in suspects))
    return pd.DataFrame(rows, columns=_ALIGNMENTS)


def image_table(
    grids: Mapping[str, Grid], found: Mapping[str, Alignment] | None = None, onto: str = ""
) -> pd.DataFrame:
    """Return the images of a scene, a row each, and where the middle of each lies in the frame of `onto`."""
    places = [] if found is None else [f"{d}_um" for d in grids[onto].dims]
    rows = []
    for name, grid in grids.items():
        row: dict[str, Any] = {
            "image": name,
            "dims": " ".join(grid.dims),
            "voxels": " × ".join(map(str, grid.shape)),
            "voxel_um": min(grid.voxel_um),
            "width_um": max(grid.size_um),
        }
        if found is not None and name in found:
            n = len(found[name].matrix) - 1
            at = move(found[name].matrix, grid.middle()[-n:])[-len(places) :]
            row |= dict(zip(places, at.tolist(), strict=True)) | {"error_um": found[name].error_um}
        rows.append(row)
    return pd.DataFrame(rows, columns=_IMAGES + ([*places, "error_um"] if found is not None else []))
