"""What is worth milling: pores and cracks inside particles, found and ranked."""

from .defect_labels import defect_labels
from .defects import defects
from .whole_particles import whole_particles

__all__ = ["defect_labels", "defects", "whole_particles"]
