"""Units of length as files spell them: what is a voxel size, and what only a print resolution."""

from __future__ import annotations

import math
from decimal import Decimal

_UM = {
    "pm": "1e-6",
    "å": "1e-4",
    "nm": "1e-3",
    "µm": "1",
    "mm": "1e3",
    "cm": "1e4",
    "inch": "25400",
    "m": "1e6",
}
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


def in_um(position: float, unit: str | None) -> float | None:
    """Convert a position, of either sign, to µm; None if its unit is not stated, or no length.

    Examples
    --------
    >>> in_um(33.6, "nm"), in_um(-2, "micron"), in_um(1, "pixel")
    (0.0336, -2.0, None)
    """
    name = (unit or "").strip().strip('"').lower()
    factor = _UM.get(_NAMES.get(name, name))
    if factor is None or not math.isfinite(position):
        return None
    # In decimal numbers, as they were written: 33.6 / 1000 is a bit more than 0.0336.
    return float(Decimal(repr(float(position))) * Decimal(factor))


def um(length: float | None, unit: str | None) -> float | None:
    """Convert a length to µm; None if it is not above zero and finite, or has no unit of length."""
    if length is None or not length > 0:
        return None
    return in_um(length, unit)
