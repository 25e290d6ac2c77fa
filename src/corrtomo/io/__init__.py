"""Files in and out: images keep their values, coordinates, names and phases."""

from .files import read, write

__all__ = ["read", "write"]
