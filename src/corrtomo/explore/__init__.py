"""Explorers: pictures that react, in Jupyter and on the static website, from one module each."""

from .equalised import EqualisedExplorer, equalised
from .explorer import Explorer
from .kappa_map import KappaMapExplorer, kappa_map
from .threshold import ThresholdExplorer, threshold

__all__ = [
    "EqualisedExplorer",
    "Explorer",
    "KappaMapExplorer",
    "ThresholdExplorer",
    "equalised",
    "kappa_map",
    "threshold",
]
