"""What counts as detected, and how much must be there to be detected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats
from scipy.special import betainc, gammainc, gammaincinv

from ..options import check_between, check_whole
from .count_map import counts_within, dispersion_of

_DOING = "find a detection limit"
_MOST_PIXELS = 10**12
_RAREST = 1e-12
"""Least probability of error: below, the sums of chances are those of rounding."""


@dataclass(frozen=True)
class DetectionLimit:
    """Currie's critical level and detection limit, as :func:`detection_limit` finds them.

    Attributes
    ----------
    critical_counts : int
        So many counts in the area, background and all, or more: detected.
    critical_net, detection_net : float
        The same less the background: L_C, what must be found, and L_D, what must be there so that it is
        found with probability 1 - beta. Counts in the area.
    critical_per_pixel, detection_per_pixel : float
        Both over the pixels of the area.
    currie_critical_net, currie_detection_net : float
        The normal approximation, for comparison: 2.33 √B and 2.71 + 4.65 √B for areas alike and 5 % each.
    pixels, blank_pixels, blank_counts : int
        Pixels of the area and of the blank, and the counts of the blank.
    dispersion : float
        Variance over mean of the counts of the blank: 1 if Poisson.
    alpha, beta : float
        Probability to detect what is not there, at most, and to miss what is.
    warnings : tuple of str
        Why the limit may be too low.
    """

    critical_counts: int
    critical_net: float
    detection_net: float
    critical_per_pixel: float
    detection_per_pixel: float
    currie_critical_net: float
    currie_detection_net: float
    pixels: int
    blank_pixels: int
    blank_counts: int
    dispersion: float
    alpha: float
    beta: float
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        said = "".join(f"; {warning}" for warning in self.warnings)
        return (
            f"DetectionLimit({self.pixels} pixels: detected from {self.critical_counts} counts on, "
            f"{self.critical_per_pixel:.3g} a pixel above the background; found in {1 - self.beta:.0%} of "
            f"cases if {self.detection_per_pixel:.3g} a pixel are there; blank of {self.blank_counts} counts "
            f"in {self.blank_pixels} pixels{said})"
        )


def detection_limit(
    blank: xr.DataArray,
    *,
    mask: xr.DataArray | None = None,
    pixels: int = 1,
    alpha: float = 0.05,
    beta: float = 0.05,
    well_known: bool = False,
) -> DetectionLimit:
    """Find Currie's critical level and detection limit for an area, from the counts of a blank.

    The nanoCT paper finds lithium in the binder "below the detection limit of SIMS" (Results and Discussion,
    Figs. 4i and 4j): with a blank, say a pore, that is a number.

    Parameters
    ----------
    blank : xarray.DataArray
        Whole counts where the element is not, dims y, x or any spatial ones; NumPy or Dask.
    mask : xarray.DataArray, optional
        Which pixels of it are the blank; by default all.
    pixels : int
        Size of the area in which the element is looked for; 1: for each pixel.
    alpha, beta : float
        Probability to detect an element that is not there, and to miss one at the limit; at most 0.5.
    well_known : bool
        Take the mean of the blank for exact. Otherwise it is known as well as it was counted.

    Returns
    -------
    DetectionLimit
        Critical level and detection limit, for the area and over its pixels.

    Raises
    ------
    TypeError
        If counts are not integers.
    ValueError
        If counts are negative or sum to more than 2⁵³, no pixel is in the mask, or an option is out of range.

    Notes
    -----
    Exact for Poisson counts, however few. Given the sum of area and blank, the counts of the area are
    binomial where there is background only (Przyborowski and Wilenski): detected is what would be there by
    chance with a probability of `alpha` at most, often less, because counts are whole. The limit is the
    signal that reaches that count with probability 1 - `beta`, over the mean of the blank. Without
    a count in the blank there is still a limit: Currie's 2.71, from the normal approximation, is then below
    what can be stated.

    If pixels of the blank scatter more than Poisson counts do, it is no uniform background, and the limit is
    too low: ``warnings`` says so. Looking at many pixels, `alpha` of them are "detected" by chance. The limit
    is one of counts: for a concentration a standard of known composition is needed.

    References
    ----------
    Currie, Anal. Chem. 40, 586 (1968), doi:10.1021/ac60259a007. Przyborowski and Wilenski, Biometrika 31,
    313 (1940), doi:10.2307/2332612.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> blank = ct.volume(np.zeros((10, 10), int), 0.03)
    >>> limit = ct.measure.detection_limit(blank)
    >>> limit.critical_counts, round(limit.detection_net, 2)  # one count in a pixel, -ln(0.05) there
    (1, 3.0)
    """
    counts = counts_within(blank, mask, doing=_DOING)
    pixels = check_whole(pixels, "pixels", 1, doing=_DOING, most=_MOST_PIXELS)
    for value, name in ((alpha, "alpha"), (beta, "beta")):
        check_error(value, name, doing=_DOING)
    if not isinstance(well_known, bool):
        raise TypeError(f"Cannot {_DOING} with well_known={well_known!r}: True or False is needed.")
    total, size = int(counts.sum()), counts.size
    background = total * pixels / size
    critical = critical_counts(total, size, pixels, alpha, well_known=well_known)
    net = float(gammaincinv(critical, 1 - beta)) - background
    approximate = _normal(background, 0.0 if well_known else pixels / size, alpha, beta)
    index, uneven = dispersion_of(size, total, float((counts.astype(float) ** 2).sum()))
    warnings = _warnings(index, uneven, pixels, size, well_known)
    return DetectionLimit(
        critical,
        critical - background,
        net,
        (critical - background) / pixels,
        net / pixels,
        *approximate,
        pixels,
        size,
        total,
        index,
        float(alpha),
        float(beta),
        warnings,
    )


def check_error(value: Any, name: str, *, doing: str) -> None:
    """Refuse what is no probability of an error; a confidence is one less that."""
    if not _RAREST <= check_between(value, name, 0, 1, doing=doing) <= 0.5:
        raise ValueError(
            f"Cannot {doing} with {name} {value!r}: a probability of error from {_RAREST:g} to 0.5 is "
            "needed, no confidence. Pass 0.05 for 5 %."
        )


def critical_counts(total: int, size: int, pixels: int, alpha: float, *, well_known: bool = False) -> int:
    """Return the fewest counts in `pixels` that a blank of `total` counts in `size` does not explain."""
    share = pixels / (pixels + size)

    def chance(count: int) -> float:
        """Return the probability of so many counts or more, of background alone."""
        if well_known:
            return float(gammainc(count, total * pixels / size)) if total else 0.0
        return float(betainc(count, total + 1, share))

    return _least(lambda count: chance(count) <= alpha)


def _least(holds: Callable[[int], bool]) -> int:
    """Return the least whole number from 1 on that something holds for, if it does for all above."""
    high = 1
    while not holds(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _normal(background: float, ratio: float, alpha: float, beta: float) -> tuple[float, float]:
    """Return Currie's L_C and L_D for a blank that is known `ratio` times as badly as the area is."""
    outside, missed = (float(stats.norm.ppf(1 - p)) for p in (alpha, beta))
    variance = background * (1 + ratio)
    critical = outside * np.sqrt(variance)
    reach = missed * np.sqrt(missed**2 / 4 + critical + variance)
    return float(critical), float(critical + missed**2 / 2 + reach)


def _warnings(index: float, uneven: bool, pixels: int, size: int, well_known: Any) -> tuple[str, ...]:
    said = []
    if uneven:
        said.append(
            f"the blank scatters {index:.2f} times as much as Poisson counts: it is not uniform, and the "
            "limit is too low"
        )
    if pixels > size and not well_known:
        said.append(f"the blank of {size} pixels is smaller than the area and sets the limit")
    return tuple(said)
