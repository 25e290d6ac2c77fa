"""Conduction through labelled voxels: one problem, one solver, and what follows from its field."""

from .conduction import current_density, effective_conductivity, potential
from .tortuosity import tortuosity_factor

__all__ = ["current_density", "effective_conductivity", "potential", "tortuosity_factor"]
