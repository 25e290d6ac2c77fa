"""A known microstructure, and what an instrument would record of it."""

from .electrode import Electrode, electrode

__all__ = ["Electrode", "electrode"]
