"""Volumes and sections -> one coordinate system."""

from .majority import coarsen

__all__ = ["coarsen"]
