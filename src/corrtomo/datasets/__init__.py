"""What a chapter loads: digital twins, and published real data."""

from .twin import Twin, load

__all__ = ["Twin", "load"]
