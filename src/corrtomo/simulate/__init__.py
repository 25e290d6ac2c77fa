"""A known microstructure, and what an instrument would record of it."""

from .calendered import Calendered, calendered, cycled
from .cell import (
    CellScanModel,
    DetailModel,
    JellyRoll,
    RollModel,
    cell_detail,
    count_photons,
    jelly_roll,
    two_parts,
)
from .cross_section import CrossSection, cross_section
from .deposit import platinum
from .eds import EdsModel, eds_maps, eds_pose
from .electrode import Electrode, electrode
from .electron_images import ElectronModel, electron_images
from .face_image import FaceModel
from .fibsem import FibsemModel, fibsem_tomography
from .grains import CrackModel
from .labelled import LabelledSpecimen, labelled
from .milling import MillingModel
from .operator import scribbles
from .pillar import (
    BlendModel,
    ElementModel,
    MilledPlane,
    Pillar,
    Scan,
    ScanModel,
    SecondaryModel,
    SimsModel,
    element_maps,
    mill,
    pillar,
    radiographs,
    se_image,
    section_pose,
    sims_maps,
)
from .polished import polished_section
from .scene import CalenderedModel
from .slice_view import SliceStack, slice_and_view
from .specimen import Specimen
from .xray import XrayModel, xray_tomography

__all__ = [
    "BlendModel",
    "Calendered",
    "CalenderedModel",
    "CellScanModel",
    "CrackModel",
    "CrossSection",
    "DetailModel",
    "EdsModel",
    "Electrode",
    "ElectronModel",
    "ElementModel",
    "FaceModel",
    "FibsemModel",
    "JellyRoll",
    "LabelledSpecimen",
    "MilledPlane",
    "MillingModel",
    "Pillar",
    "RollModel",
    "Scan",
    "ScanModel",
    "SecondaryModel",
    "SimsModel",
    "SliceStack",
    "Specimen",
    "XrayModel",
    "calendered",
    "cell_detail",
    "count_photons",
    "cross_section",
    "cycled",
    "eds_maps",
    "eds_pose",
    "electrode",
    "electron_images",
    "element_maps",
    "fibsem_tomography",
    "jelly_roll",
    "labelled",
    "mill",
    "pillar",
    "platinum",
    "polished_section",
    "radiographs",
    "scribbles",
    "se_image",
    "section_pose",
    "sims_maps",
    "slice_and_view",
    "two_parts",
    "xray_tomography",
]
