"""Grey values -> phases."""

from .equalise import equalise
from .equalised_ternary import equalised_steps, equalised_ternary
from .labels import one_phase
from .morphology import closing, opening
from .small_features import remove_small_features
from .thresholds import by_thresholds, threshold_max_entropy, threshold_otsu
from .trained import PixelClassifier, boxes

__all__ = [
    "PixelClassifier",
    "boxes",
    "by_thresholds",
    "closing",
    "equalise",
    "equalised_steps",
    "equalised_ternary",
    "one_phase",
    "opening",
    "remove_small_features",
    "threshold_max_entropy",
    "threshold_otsu",
]
