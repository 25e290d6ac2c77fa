"""Explorers: pictures that react, in Jupyter and on the static website, from one module each."""

from .explorer import Explorer
from .threshold import ThresholdExplorer, threshold

__all__ = ["Explorer", "ThresholdExplorer", "threshold"]
