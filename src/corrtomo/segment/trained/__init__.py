"""Segmentation that learns from what was painted: features, a forest, and the file that keeps it."""

from .boxes import boxes
from .pixel_classifier import PixelClassifier

__all__ = ["PixelClassifier", "boxes"]
