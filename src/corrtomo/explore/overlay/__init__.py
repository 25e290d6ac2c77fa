"""Maps and sections laid over an image, and moved by hand."""

from .overlay import OverlayExplorer, overlay

__all__ = ["OverlayExplorer", "overlay"]
