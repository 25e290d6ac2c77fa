"""Images and the alignments between them -> any image onto any other."""

from .edges import stated
from .error import SceneError
from .grid import Grid
from .scene import Scene

__all__ = ["Grid", "Scene", "SceneError", "stated"]
