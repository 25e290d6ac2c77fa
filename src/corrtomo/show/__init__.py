"""Numbers and images -> figures that carry their own alt text, source, voxel size and one thing to notice."""

from .classes import classes
from .composite import composite
from .contact import contact
from .contact_3d import contact_3d
from .contact_profile import contact_profile
from .curves import curves
from .defects_3d import defects_3d
from .figure import Figure
from .figure_3d import Figure3D
from .growth import growth
from .panels import agreement, overlay, slices
from .plots import histogram, kappa_map, phase_histogram
from .scene import scene
from .sizes import sizes, thickness
from .spread import spread
from .unrolled import unrolled
from .volume_3d import thickness_3d, volume_3d

__all__ = [
    "Figure",
    "Figure3D",
    "agreement",
    "classes",
    "composite",
    "contact",
    "contact_3d",
    "contact_profile",
    "curves",
    "defects_3d",
    "growth",
    "histogram",
    "kappa_map",
    "overlay",
    "phase_histogram",
    "scene",
    "sizes",
    "slices",
    "spread",
    "thickness",
    "thickness_3d",
    "unrolled",
    "volume_3d",
]
