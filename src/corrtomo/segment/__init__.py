"""Grey values -> phases."""

from .labels import one_phase
from .morphology import closing, opening
from .small_features import remove_small_features
from .thresholds import by_thresholds, threshold_max_entropy, threshold_otsu

__all__ = [
    "by_thresholds",
    "closing",
    "one_phase",
    "opening",
    "remove_small_features",
    "threshold_max_entropy",
    "threshold_otsu",
]
