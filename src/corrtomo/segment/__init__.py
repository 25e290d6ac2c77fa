"""Grey values -> phases."""

from .labels import one_phase
from .thresholds import by_thresholds, threshold_max_entropy, threshold_otsu

__all__ = ["by_thresholds", "one_phase", "threshold_max_entropy", "threshold_otsu"]
