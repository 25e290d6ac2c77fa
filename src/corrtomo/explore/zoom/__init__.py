"""Images of one scene, from the cell to the particle."""

from .zoom import ZoomExplorer, zoom

__all__ = ["ZoomExplorer", "zoom"]
