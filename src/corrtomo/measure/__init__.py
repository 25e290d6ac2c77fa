"""Phases -> numbers."""

from .agreement import cohen_kappa, confusion_matrix, kappa_from_confusion, landis_koch
from .bootstrap import Interval, kappa_interval
from .count_ratios import Ratio, ratio_change, ratio_profile
from .cracks import cracks
from .crevices import crack_labels
from .distance import distance_to
from .fractions import volume_fractions
from .grain_distance import grain_distance
from .histogram import joint_histogram
from .interface import LeastShare, interface, least_to_middle, middle_by_threshold_pair
from .loading import cbd_porosity, fractions_from_loading, implied_densities, sub_resolution_share
from .local_thickness import local_thickness
from .lognormal import LognormalFit, fit_lognormal
from .matches import matches
from .mean_interval import mean_interval
from .particles import label_particles, particles
from .representative import growing_volumes, volume_spread
from .size_density import modes, size_density, size_summary
from .spectra import phase_spectra
from .surface import surface_area, surface_area_faces
from .thresholds import kappa_by_threshold, kappa_by_threshold_pair

__all__ = [
    "Interval",
    "LeastShare",
    "LognormalFit",
    "Ratio",
    "cbd_porosity",
    "cohen_kappa",
    "confusion_matrix",
    "crack_labels",
    "cracks",
    "distance_to",
    "fit_lognormal",
    "fractions_from_loading",
    "grain_distance",
    "growing_volumes",
    "implied_densities",
    "interface",
    "joint_histogram",
    "kappa_by_threshold",
    "kappa_by_threshold_pair",
    "kappa_from_confusion",
    "kappa_interval",
    "label_particles",
    "landis_koch",
    "least_to_middle",
    "local_thickness",
    "matches",
    "mean_interval",
    "middle_by_threshold_pair",
    "modes",
    "particles",
    "phase_spectra",
    "ratio_change",
    "ratio_profile",
    "size_density",
    "size_summary",
    "sub_resolution_share",
    "surface_area",
    "surface_area_faces",
    "volume_fractions",
    "volume_spread",
]
