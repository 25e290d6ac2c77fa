"""What every alignment states of the maximum that was found, and of what its parts say."""

from __future__ import annotations

from typing import Any

import numpy as np

from .frames import Floats, move, turn_deg
from .information import Kind, Maximum
from .subvolumes import Agreement


def reported(final: Maximum, seen: Agreement, centre: Floats, target: Floats, kind: Kind) -> dict[str, Any]:
    """Return the attributes of an alignment; `centre` was looked for at `target`."""
    n = len(centre)
    shift = move(final.matrix, centre) - target
    matrix = final.matrix.copy()
    matrix.flags.writeable = False
    return {
        "matrix": matrix,
        "error_um": seen.error_um,
        "metric": final.metric,
        "converged": final.converged,
        "iterations": final.iterations,
        "stop": final.stop,
        "transform": kind,
        "turn_deg": float(np.linalg.norm(turn_deg(final.matrix))),
        "shift_um": tuple(float(s) for s in shift),
        "scale": float(np.abs(np.linalg.det(final.matrix[:n, :n])) ** (1 / n)),
    }
