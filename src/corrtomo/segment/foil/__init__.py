"""A nearly flat foil in a detail: how thick it is, and what grows out of it."""

from .outgrowths import foil_outgrowths
from .thickness import foil

__all__ = ["foil", "foil_outgrowths"]
