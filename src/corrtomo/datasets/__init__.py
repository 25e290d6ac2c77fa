"""What a chapter loads: digital twins, and published real data."""

from .loading import load
from .real import fetch, reachable, sources
from .sample import Sample, from_files

__all__ = ["Sample", "fetch", "from_files", "load", "reachable", "sources"]
