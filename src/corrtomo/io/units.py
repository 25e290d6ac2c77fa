"""Units in file metadata: what is a voxel size, and what is only a print resolution."""

from __future__ import annotations

import math

_PER_UM = {"µm": 1.0, "nm": 1e3, "å": 1e4, "pm": 1e6}
_UM_PER = {"mm": 1e3, "cm": 1e4, "inch": 25_400.0, "m": 1e6}
_NAMES = {
    "um": "µm", "μm": "µm", "\\u00b5m": "µm", "micron": "µm", "microns": "µm", "micrometer": "µm",
    "micrometers": "µm", "micrometre": "µm", "micrometres": "µm",
    "nanometer": "nm", "nanometers": "nm", "nanometre": "nm", "nanometres": "nm",
    "angstrom": "å", "picometer": "pm", "picometre": "pm",
    "millimeter": "mm", "millimeters": "mm", "millimetre": "mm", "millimetres": "mm",
    "centimeter": "cm", "centimetre": "cm", "in": "inch", "meter": "m", "metre": "m",
}  # fmt: skip
PRINT_UM = 25_400 / 2400
"""What is coarser in a field for resolution (2400 dots an inch) is meant for printing and screens."""


def unit_um(unit: str | None) -> float | None:
    """Return how many µm a unit of length is; None if it is not stated, or no length, such as a pixel."""
    name = (unit or "").strip().strip('"').lower()
    name = _NAMES.get(name, name)
    return 1 / _PER_UM[name] if name in _PER_UM else _UM_PER.get(name)


def um(value: float | None, unit: str | None) -> float | None:
    """Convert a length to µm; None if it is not above zero and finite, or has no unit of length."""
    factor = unit_um(unit)
    if value is None or factor is None or not 0 < value < float("inf"):
        return None
    # Division keeps 33.6 nm at 0.0336 µm, which 33.6 * 1e-3 is not.
    return value * factor if factor >= 1 else value / round(1 / factor)


def in_um(position: float, unit: str | None) -> float | None:
    """Convert a position, of either sign, to µm; None for no unit of length."""
    if position == 0:
        return None if unit_um(unit) is None else 0.0
    length = um(abs(position), unit)
    return None if length is None else math.copysign(length, position)
