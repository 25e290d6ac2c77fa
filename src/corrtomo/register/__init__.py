"""Volumes and sections -> one coordinate system."""

from .align import align
from .alignment import Alignment, AlignmentError
from .locate_section import locate_section
from .majority import coarsen
from .section_alignment import SectionAlignment

__all__ = ["Alignment", "AlignmentError", "SectionAlignment", "align", "coarsen", "locate_section"]
