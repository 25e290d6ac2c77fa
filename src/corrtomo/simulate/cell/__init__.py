"""The end of a wound cell: its layers, its defects, and what X-rays would show of it."""

from .detail import DetailModel, cell_detail
from .layers import RollModel
from .roll import JellyRoll
from .scan import CellScanModel, count_photons, two_parts
from .wind import jelly_roll

__all__ = [
    "CellScanModel",
    "DetailModel",
    "JellyRoll",
    "RollModel",
    "cell_detail",
    "count_photons",
    "jelly_roll",
    "two_parts",
]
