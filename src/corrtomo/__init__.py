"""Correlative tomography of battery electrodes: the algorithms behind the handbook.

Rooms, in the order in which data passes through them: `datasets` and `simulate`, `reconstruct`, `register`,
`segment`, `measure`, `model`, `catalogue`, `published`,
`show`, `explore`; `read` and `write` are files in and out.
"""

from . import (
    catalogue,
    datasets,
    explore,
    measure,
    model,
    published,
    reconstruct,
    register,
    segment,
    show,
    simulate,
)
from .io import read, write
from .phases import Phase
from .volume import volume, voxel_size

__version__ = "0.1.0"
__all__ = [
    "Phase",
    "catalogue",
    "datasets",
    "explore",
    "measure",
    "model",
    "published",
    "read",
    "reconstruct",
    "register",
    "segment",
    "show",
    "simulate",
    "volume",
    "voxel_size",
    "write",
]
