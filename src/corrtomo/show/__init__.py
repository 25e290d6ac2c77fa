"""Numbers and images -> figures that carry their own alt text, source, voxel size and one thing to notice."""

from .figure import Figure
from .panels import agreement, overlay, slices
from .plots import histogram, kappa_map, phase_histogram, spread

__all__ = ["Figure", "agreement", "histogram", "kappa_map", "overlay", "phase_histogram", "slices", "spread"]
