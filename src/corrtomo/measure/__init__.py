"""Phases -> numbers."""

from .agreement import (
    Interval,
    cohen_kappa,
    confusion_matrix,
    kappa_from_confusion,
    kappa_interval,
    landis_koch,
)
from .fractions import volume_fractions
from .histogram import joint_histogram
from .local_thickness import local_thickness
from .particles import label_particles, particles
from .surface import surface_area, surface_area_faces
from .thresholds import kappa_by_threshold, kappa_by_threshold_pair

__all__ = [
    "Interval",
    "cohen_kappa",
    "confusion_matrix",
    "joint_histogram",
    "kappa_by_threshold",
    "kappa_by_threshold_pair",
    "kappa_from_confusion",
    "kappa_interval",
    "label_particles",
    "landis_koch",
    "local_thickness",
    "particles",
    "surface_area",
    "surface_area_faces",
    "volume_fractions",
]
