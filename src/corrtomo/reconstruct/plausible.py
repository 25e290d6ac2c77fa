"""Values that are no line integrals, by what they look like."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

_BORDER = 0.02
"""Share of the columns on each side that should show air, or less of the sample than the rest."""
_INVERTED, _NEGATIVE = 0.02, 0.1
"""By how much the border exceeds the mean, and the mean is below 0, as a share of the root mean square."""
_SURE = 4.0
"""The same in standard errors: noise without a sample is none of both."""


class ColumnSums:
    """Sums of values and of their squares, by column, as projections come in."""

    def __init__(self, columns: int) -> None:
        self.count = 0
        self.total, self.squares = np.zeros(columns), np.zeros(columns)

    def add(self, some: npt.NDArray[Any]) -> None:
        """Add some projections, by angle, row and column."""
        self.count += some.shape[0] * some.shape[1]
        self.total += some.sum(axis=(0, 1), dtype=np.float64)
        self.squares += np.einsum("arc,arc->c", some, some, dtype=np.float64)

    def warn(self) -> None:
        """Warn of values that are more at both borders than within, or negative: they are no integrals."""
        wide = max(1, round(_BORDER * len(self.total)))
        means = self.total / self.count
        mean, rms = float(means.mean()), float(np.sqrt(self.squares.mean() / self.count))
        paler = min((slice(wide), slice(-wide, None)), key=lambda part: float(means[part].mean()))
        border = float(means[paler].mean())
        spread = np.sqrt(max(0.0, float(self.squares[paler].mean()) / self.count - border**2))
        error = _SURE * spread / np.sqrt(self.count * wide)
        if border - mean > max(_INVERTED * rms, error):
            warnings.warn(
                f"The projections hold more at the left and right border than in their mean ({border:.3g} "
                f"and {mean:.3g}). So do counts, or their share of the flat, but no line integrals of a "
                "sample in air: is the volume inverted? Make them with ct.reconstruct.attenuation(counts, "
                "flat, dark).",
                stacklevel=3,
            )
        elif mean < -max(_NEGATIVE * rms, _SURE * rms / np.sqrt(self.count * len(means))):
            warnings.warn(
                f"The projections have a mean of {mean:.3g}, but attenuation is not negative: the flat was "
                "darker than the beam in air. Make them with ct.reconstruct.attenuation(counts, flat, dark), "
                "and a flat of the same exposure.",
                stacklevel=3,
            )
