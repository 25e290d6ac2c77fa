"""What an instrument recorded -> a volume."""

from .attenuation import attenuation
from .centre import centre_of_rotation
from .destripe import destripe
from .fbp import fbp
from .marks import drift_from_marks
from .neighbours import drift_from_neighbours
from .project import project
from .projection_drift import drift_from_projections
from .rings import remove_rings
from .sart import sart
from .slices import slices

__all__ = [
    "attenuation",
    "centre_of_rotation",
    "destripe",
    "drift_from_marks",
    "drift_from_neighbours",
    "drift_from_projections",
    "fbp",
    "project",
    "remove_rings",
    "sart",
    "slices",
]
