"""Wound layers of a cell: traced turn by turn, unrolled, and searched for what grows out of them."""

from .labels import layer_labels
from .outgrowths import outgrowths
from .trace import layers
from .unroll import unroll

__all__ = ["layer_labels", "layers", "outgrowths", "unroll"]
