"""Volumes and sections -> one coordinate system."""

from .align import align
from .alignment import Alignment, AlignmentError
from .locate_section import locate_section
from .majority import coarsen
from .scene import Grid, Scene, SceneError, stated
from .section_alignment import SectionAlignment

__all__ = [
    "Alignment",
    "AlignmentError",
    "Grid",
    "Scene",
    "SceneError",
    "SectionAlignment",
    "align",
    "coarsen",
    "locate_section",
    "stated",
]
