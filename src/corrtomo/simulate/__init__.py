"""A known microstructure, and what an instrument would record of it."""

from .electrode import Electrode, electrode
from .fibsem import FibsemModel, fibsem_tomography
from .xray import XrayModel, xray_tomography

__all__ = [
    "Electrode",
    "FibsemModel",
    "XrayModel",
    "electrode",
    "fibsem_tomography",
    "xray_tomography",
]
