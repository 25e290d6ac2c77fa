"""How fine an image is: from an edge, and from two images of the same thing."""

from .edge_resolution import EdgeResolution, edge_resolution
from .shell_correlation import ShellCorrelation, fourier_shell_correlation
from .transfer_resolution import TransferResolution, transfer_resolution

__all__ = [
    "EdgeResolution",
    "ShellCorrelation",
    "TransferResolution",
    "edge_resolution",
    "fourier_shell_correlation",
    "transfer_resolution",
]
