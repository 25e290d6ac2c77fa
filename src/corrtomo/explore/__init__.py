"""Explorers: pictures that react, in Jupyter and on the static website, from one module each."""

from .catalogue import CatalogueExplorer, catalogue
from .contact import ContactExplorer, contact
from .desktop import NapariSession, napari
from .equalised import EqualisedExplorer, equalised
from .explorer import Explorer
from .kappa_map import KappaMapExplorer, kappa_map
from .overlay import OverlayExplorer, overlay
from .scribble import ScribbleExplorer, scribble
from .threshold import ThresholdExplorer, threshold
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
