"""A known microstructure, and what an instrument would record of it."""

from .cross_section import CrossSection, cross_section
from .deposit import platinum
from .eds import EdsModel, eds_maps, eds_pose
from .electrode import Electrode, electrode
from .electron_images import ElectronModel, electron_images
from .fibsem import FibsemModel, fibsem_tomography
from .grains import CrackModel
from .labelled import LabelledSpecimen, labelled
from .operator import scribbles
from .specimen import Specimen
from .xray import XrayModel, xray_tomography

__all__ = [
    "CrackModel",
    "CrossSection",
    "EdsModel",
    "Electrode",
    "ElectronModel",
    "FibsemModel",
    "LabelledSpecimen",
    "Specimen",
    "XrayModel",
    "cross_section",
    "eds_maps",
    "eds_pose",
    "electrode",
    "electron_images",
    "fibsem_tomography",
    "labelled",
    "platinum",
    "scribbles",
    "xray_tomography",
]
