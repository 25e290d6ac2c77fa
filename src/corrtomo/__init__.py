"""Correlative tomography of battery electrodes: the algorithms behind the handbook.

Rooms, in the order in which data passes through them: :mod:`~corrtomo.datasets` and :mod:`~corrtomo.simulate`,
:mod:`~corrtomo.segment`, :mod:`~corrtomo.measure`, :mod:`~corrtomo.published`, :mod:`~corrtomo.show`,
:mod:`~corrtomo.explore`.
"""

from . import datasets, explore, measure, published, segment, show, simulate
from .phases import Phase
from .volume import volume, voxel_size

__version__ = "0.1.0"
__all__ = [
    "Phase",
    "datasets",
    "explore",
    "measure",
    "published",
    "segment",
    "show",
    "simulate",
    "volume",
    "voxel_size",
]
