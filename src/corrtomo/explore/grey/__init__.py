"""Explorers of grey values: thresholds, equalisation, κ of every pair."""

from .equalised import EqualisedExplorer, equalised
from .kappa_map import KappaMapExplorer, kappa_map
from .threshold import ThresholdExplorer, threshold

__all__ = [
    "EqualisedExplorer",
    "KappaMapExplorer",
    "ThresholdExplorer",
    "equalised",
    "kappa_map",
    "threshold",
]
