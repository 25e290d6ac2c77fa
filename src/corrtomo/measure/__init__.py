"""Phases -> numbers."""

from .agreement import cohen_kappa, confusion_matrix, kappa_from_confusion, landis_koch
from .bootstrap import Interval, kappa_interval
from .conduction import current_density, effective_conductivity, potential, tortuosity_factor
from .connected import connected_part, connected_share
from .contact import (
    ContactDrop,
    ContactPower,
    EffectiveSamples,
    contact_bias,
    contact_blocks,
    contact_drop,
    contact_fraction,
    contact_interval,
    contact_power,
    contact_profile,
    contact_surface,
    effective_sample_size,
    variogram,
)
from .count_ratios import Ratio, ratio_change, ratio_profile
from .counting import Colocalisation, DetectionLimit, colocalisation, detection_limit, phase_counts
from .cracks import cracks
from .crevices import crack_labels
from .defects import defect_labels, defects, whole_particles
from .distance import distance_to
from .distance_profile import distance_profile
from .fractions import volume_fractions
from .grain_distance import grain_distance
from .held_out import held_out
from .histogram import joint_histogram
from .interface import LeastShare, interface, least_to_middle, middle_by_threshold_pair
from .layer_maps import layer_gaps, layer_thickness
from .loading import cbd_porosity, fractions_from_loading, implied_densities, sub_resolution_share
from .local_thickness import local_thickness
from .lognormal import LognormalFit, fit_lognormal
from .matches import matches
from .mean_interval import mean_interval
from .particle_bins import particle_bins, particle_separation
from .particles import label_particles, particles, separate_particles
from .profile_fit import ProfileFit, fit_profile
from .purity import purity
from .representative import growing_volumes, volume_spread
from .resolution import (
    EdgeResolution,
    ShellCorrelation,
    TransferResolution,
    edge_resolution,
    fourier_shell_correlation,
    transfer_resolution,
)
from .size_density import modes, size_density, size_summary
from .spectra import phase_spectra
from .surface import surface_area, surface_area_faces
from .thresholds import kappa_by_threshold, kappa_by_threshold_pair

__all__ = [
    "Colocalisation",
    "ContactDrop",
    "ContactPower",
    "DetectionLimit",
    "EdgeResolution",
    "EffectiveSamples",
    "Interval",
    "LeastShare",
    "LognormalFit",
    "ProfileFit",
    "Ratio",
    "ShellCorrelation",
    "TransferResolution",
    "cbd_porosity",
    "cohen_kappa",
    "colocalisation",
    "confusion_matrix",
    "connected_part",
    "connected_share",
    "contact_bias",
    "contact_blocks",
    "contact_drop",
    "contact_fraction",
    "contact_interval",
    "contact_power",
    "contact_profile",
    "contact_surface",
    "crack_labels",
    "cracks",
    "current_density",
    "defect_labels",
    "defects",
    "detection_limit",
    "distance_profile",
    "distance_to",
    "edge_resolution",
    "effective_conductivity",
    "effective_sample_size",
    "fit_lognormal",
    "fit_profile",
    "fourier_shell_correlation",
    "fractions_from_loading",
    "grain_distance",
    "growing_volumes",
    "held_out",
    "implied_densities",
    "interface",
    "joint_histogram",
    "kappa_by_threshold",
    "kappa_by_threshold_pair",
    "kappa_from_confusion",
    "kappa_interval",
    "label_particles",
    "landis_koch",
    "layer_gaps",
    "layer_thickness",
    "least_to_middle",
    "local_thickness",
    "matches",
    "mean_interval",
    "middle_by_threshold_pair",
    "modes",
    "particle_bins",
    "particle_separation",
    "particles",
    "phase_counts",
    "phase_spectra",
    "potential",
    "purity",
    "ratio_change",
    "ratio_profile",
    "separate_particles",
    "size_density",
    "size_summary",
    "sub_resolution_share",
    "surface_area",
    "surface_area_faces",
    "tortuosity_factor",
    "transfer_resolution",
    "variogram",
    "volume_fractions",
    "volume_spread",
    "whole_particles",
]
