"""One folder and one table of all: images, their alignments, their segmentations, their measurements."""

from .adding import add, add_measurements
from .check import check
from .crate import crate
from .opened import alignment, open
from .tables import find, measurements, query, table

__all__ = [
    "add",
    "add_measurements",
    "alignment",
    "check",
    "crate",
    "find",
    "measurements",
    "open",
    "query",
    "table",
]
