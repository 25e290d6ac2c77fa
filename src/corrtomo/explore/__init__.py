"""Explorers: pictures that react, in Jupyter and on the static website, from one module each."""

from .catalogue import CatalogueExplorer, catalogue
from .contact import ContactExplorer, contact
from .explorer import Explorer
from .grey import EqualisedExplorer, KappaMapExplorer, ThresholdExplorer, equalised, kappa_map, threshold
from .overlay import OverlayExplorer, overlay
from .scribble import NapariSession, ScribbleExplorer, napari, scribble
from .zoom import ZoomExplorer, zoom

__all__ = [
    "CatalogueExplorer",
    "ContactExplorer",
    "EqualisedExplorer",
    "Explorer",
    "KappaMapExplorer",
    "NapariSession",
    "OverlayExplorer",
    "ScribbleExplorer",
    "ThresholdExplorer",
    "ZoomExplorer",
    "catalogue",
    "contact",
    "equalised",
    "kappa_map",
    "napari",
    "overlay",
    "scribble",
    "threshold",
    "zoom",
]
