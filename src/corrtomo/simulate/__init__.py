"""A known microstructure, and what an instrument would record of it."""

from .electrode import Electrode, electrode
from .fibsem import FibsemModel, fibsem_tomography
from .truth import leave_out_small_features
from .xray import XrayModel, xray_tomography

__all__ = [
    "Electrode",
    "FibsemModel",
    "XrayModel",
    "electrode",
    "fibsem_tomography",
    "leave_out_small_features",
    "xray_tomography",
]
