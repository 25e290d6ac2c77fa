"""Contacts of a phase, voxel by voxel."""

from .contact import ContactExplorer, contact

__all__ = ["ContactExplorer", "contact"]
