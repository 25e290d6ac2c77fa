"""What counts tell of a scan that was not recorded, or not passed, as it should be."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_SHARE, _COUNTS = 2.0, 100.0
"""Counts, at most, that are shares of a flat whose median is so many counts."""
_DARK, _DARKER = 0.5, 0.01
"""Mean counts of a projection, and their share of the flat, below which there was no beam."""
_MANY, _TOLD = 32, 8
"""Projections from which on a pixel that never changes is stuck, and those for warnings."""
_AROUND, _CHANGE, _STILL = 11, 8.0, 0.05
"""Pixels along z and x around a stuck one; by how many counts they change, in the median; and the share of
pixels that never change from which on there is no noise, or counts are saturated."""
_SATURATED, _LEAST = 0.05, 50.0
"""Share of the counts that are exactly the largest one from which on they are saturated, and its size."""
_STARVED = 0.1
_BORDER, _AIR, _UNEVEN, _CONTRAST = 0.02, 0.2, 0.1, 0.02
"""Share of the columns on each side that should show air; attenuation that air has not; how far the two sides
may differ, as a share; and by how much a sample stands out from them."""


@dataclass
class Tally:
    """Counts of a scan, as they come in: by pixel, by projection, and the largest.

    Attributes
    ----------
    starved : numpy.ndarray
        How often each pixel held no count.
    total, low, high : numpy.ndarray
        Sum, least and most counts of each pixel; the dark is taken from the sum.
    means : list of float
        Mean counts of each projection, less the dark.
    largest : float
        The largest count.
    at_largest : int
        How many pixels of single projections have it.
    """

    starved: npt.NDArray[np.int64]
    total: Floats
    low: Floats
    high: Floats
    means: list[float]
    largest: float = -np.inf
    at_largest: int = 0

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> Tally:
        """Return one of no projections."""
        return cls(
            np.zeros(shape, np.int64), np.zeros(shape), np.full(shape, np.inf), np.full(shape, -np.inf), []
        )

    def add(self, some: npt.NDArray[np.generic], part: npt.NDArray[np.float32], low: Mask) -> None:
        """Add some projections: counts, the same less the dark, and where that is less than a count."""
        self.starved += low.sum(axis=0)
        self.total += part.sum(axis=0, dtype=np.float64)
        self.means += part.mean(axis=(1, 2), dtype=np.float64).tolist()
        self.low, self.high = np.minimum(self.low, some.min(axis=0)), np.maximum(self.high, some.max(axis=0))
        largest = float(some.max())
        if largest > self.largest:
            self.largest, self.at_largest = largest, 0
        if largest == self.largest:
            self.at_largest += int((some == largest).sum())

    def stuck(self) -> Mask:
        """Mark pixels that hold the same count in all projections, while those around them change."""
        spread = self.high - self.low
        still = (spread == 0) & (self.high > 0)
        if len(self.means) < _MANY or not still.any() or still.mean() > _STILL:
            return np.zeros(still.shape, bool)
        return np.asarray(still & (ndimage.median_filter(spread, size=_AROUND, mode="nearest") >= _CHANGE))


def check_beam(tally: Tally, bright: Floats, *, doing: str) -> None:
    """Refuse counts that are shares of the flat, and projections without a beam."""
    usual = float(np.median(bright))
    if 0 < tally.largest <= _SHARE and usual >= _COUNTS:
        raise ValueError(
            f"Cannot {doing}: counts are {tally.largest:.4g} at most, and those of the flat {usual:.4g}, in "
            "the median. Both must be counts. If projections are divided by a flat already, take "
            "-np.log(projections)."
        )
    means = np.array(tally.means)
    off = np.flatnonzero((means < _DARK) & (means < _DARKER * usual))
    if len(off):
        raise ValueError(
            f"Cannot {doing}: projection {off[0]} holds {means[off[0]]:.2g} counts a pixel in the mean, and "
            f"{len(off)} of {len(means)} are without a beam. Leave them out with counts.drop_isel(angle="
            f"{off[:3].tolist() if len(off) < 4 else '[...]'}), and their angles as well."
        )


def warn_of_counts(tally: Tally, lines: npt.NDArray[np.float32], dead: Mask) -> None:
    """Warn of counts that are saturated, of many without a count, and of a border that is not air."""
    count = len(tally.means)
    if count < _TOLD:
        return
    saturated = tally.at_largest / lines.size
    if tally.largest >= _LEAST and tally.largest.is_integer() and saturated >= _SATURATED:
        warnings.warn(
            f"The projections look saturated: {100 * saturated:.0f} % of the counts are exactly "
            f"{tally.largest:.6g}, the largest there is, and noise has no such end. There attenuation is "
            "too low. Record them with less exposure, or with more bits.",
            stacklevel=3,
        )
    starved = float(tally.starved[~dead].sum()) / max(1, count * int((~dead).sum()))
    if starved > _STARVED:
        warnings.warn(
            f"{100 * starved:.0f} % of the pixels of single projections hold no count, more than the dark "
            "has: what is behind them is too thin in the result, and leaves streaks. Look whether the dark "
            "is in the counts at all; record with more exposure, or add up neighbouring pixels.",
            stacklevel=3,
        )
    _warn_of_border(lines)


def _warn_of_border(lines: npt.NDArray[np.float32]) -> None:
    wide = max(1, round(_BORDER * lines.shape[2]))
    left, right = (float(np.median(lines[..., ends])) for ends in np.s_[:wide, -wide:])
    level = (left + right) / 2
    alike = abs(left - right) <= _UNEVEN * abs(level)
    if alike and abs(level) > _AIR and float(lines.mean(dtype=np.float64)) - level > _CONTRAST:
        warnings.warn(
            f"The attenuation at the left and right border is {level:.2g}, and air has 0. If air is seen "
            "there, the flat was recorded with another exposure, or another brightness of the source, than "
            "the projections: scale it, or record it anew. If the sample reaches beyond the view, this is "
            "as it should be.",
            stacklevel=4,
        )
