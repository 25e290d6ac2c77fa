"""Volumes and sections -> one coordinate system."""

__all__: list[str] = []
