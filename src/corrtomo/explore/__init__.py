"""Explorers: pictures that react, in Jupyter and on the static website, from one module each."""

from .explorer import Explorer
from .kappa_map import KappaMapExplorer, kappa_map
from .threshold import ThresholdExplorer, threshold

__all__ = ["Explorer", "KappaMapExplorer", "ThresholdExplorer", "kappa_map", "threshold"]
