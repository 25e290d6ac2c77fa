"""Volumes and sections -> one coordinate system."""

from .align import align
from .alignment import Alignment, AlignmentError
from .majority import coarsen

__all__ = ["Alignment", "AlignmentError", "align", "coarsen"]
