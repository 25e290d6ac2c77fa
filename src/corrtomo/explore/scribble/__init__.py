"""Strokes painted on an image, and what is learnt from them."""

from .desktop import NapariSession, napari
from .scribble import ScribbleExplorer, scribble

__all__ = ["NapariSession", "ScribbleExplorer", "napari", "scribble"]
