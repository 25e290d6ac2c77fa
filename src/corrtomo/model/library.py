"""PyBaMM, which is not among the requirements."""

from __future__ import annotations

import importlib
import os
from typing import Any


def pybamm(*, doing: str) -> Any:
    """Return PyBaMM; it is told not to report its use, unless the user has decided that."""
    os.environ.setdefault("PYBAMM_DISABLE_TELEMETRY", "true")
    try:
        return importlib.import_module("pybamm")
    except ImportError as error:
        raise ImportError(
            f"Cannot {doing}: PyBaMM is not installed here. It is an optional extra. Install it with: "
            'pip install "corrtomo[model]". Without it, take the numbers of ct.model.pybamm_parameters() to '
            "a machine that has it."
        ) from error
