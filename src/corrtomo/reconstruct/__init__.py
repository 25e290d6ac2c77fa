"""What an instrument recorded -> a volume."""

from .destripe import destripe
from .marks import drift_from_marks
from .neighbours import drift_from_neighbours
from .slices import slices

__all__ = ["destripe", "drift_from_marks", "drift_from_neighbours", "slices"]
