"""A pillar of blended cathode, its X-ray scan, and a section of it under electrons and ions."""

from .blend import BlendModel
from .electrons import ElementModel, SecondaryModel, element_maps, se_image
from .milled import MilledPlane, mill, section_pose
from .radiographs import Scan, radiographs
from .scan_model import ScanModel
from .sims import SimsModel, sims_maps
from .specimen import Pillar, pillar

__all__ = [
    "BlendModel",
    "ElementModel",
    "MilledPlane",
    "Pillar",
    "Scan",
    "ScanModel",
    "SecondaryModel",
    "SimsModel",
    "element_maps",
    "mill",
    "pillar",
    "radiographs",
    "se_image",
    "section_pose",
    "sims_maps",
]
