"""A known microstructure, and what an instrument would record of it."""

from .electrode import Electrode, electrode
from .fibsem import FibsemModel, fibsem_tomography
from .labelled import LabelledSpecimen, labelled
from .specimen import Specimen
from .xray import XrayModel, xray_tomography

__all__ = [
    "Electrode",
    "FibsemModel",
    "LabelledSpecimen",
    "Specimen",
    "XrayModel",
    "electrode",
    "fibsem_tomography",
    "labelled",
    "xray_tomography",
]
