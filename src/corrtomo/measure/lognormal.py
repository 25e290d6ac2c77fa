"""A log-normal law, fitted to a density of sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy.optimize import least_squares
from scipy.stats import lognorm, norm

from ..checks import check_length
from .size_density import check_density

_SCALES = (0.1, 0.3, 0.6, 1.0)
"""Starts of the search: narrow to wide laws, each with its peak where the density has it."""
_MOST_AREA = 1.1
"""1, and what a coarse grid adds to it; a part of a density has less."""
_WIDEST = 10.0
"""A law that spans e¹⁰ either way is a constant; beyond, its values overflow."""


@dataclass(frozen=True)
class LognormalFit:
    """A log-normal density of sizes, and how well it fits.

    Attributes
    ----------
    location, scale : float
        Mean and standard deviation of the natural logarithm of the diameter in µm.
    r2 : float
        Share of the variance of the density's values that the fit explains.
    """

    location: float
    scale: float
    r2: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.location) and 0 < self.scale < np.inf):
            raise ValueError(
                f"Cannot use a log-normal law with location {self.location!r} and scale {self.scale!r}: both "
                "must be finite and the scale above 0. They are of the logarithm of the diameter in µm."
            )

    @property
    def mean_um(self) -> float:
        """The expected diameter in µm, exp(location + scale² / 2), with a tail that no volume holds."""
        return float(np.exp(self.location + self.scale**2 / 2))

    def mean_below_um(self, limit_um: float) -> float:
        """Return the expected diameter in µm up to a limit, such as the largest grain."""
        check_length(limit_um, "limit_um", doing="cut a log-normal law")
        z = (np.log(limit_um) - self.location) / self.scale
        return self.mean_um * float(np.exp(norm.logcdf(z - self.scale) - norm.logcdf(z)))

    def density(self, diameter_um: Any) -> xr.DataArray:
        """Return the fitted density in 1/µm at diameters in µm: a coordinate, an array or a list."""
        at = np.asarray(diameter_um, float)
        if at.ndim != 1 or not (np.isfinite(at).all() and (at >= 0).all()):
            raise ValueError(
                f"Cannot compute a log-normal density at diameters of shape {at.shape}: one axis of finite "
                "diameters, not below 0 µm, is needed. Pass for instance density.diameter_um."
            )
        values = lognorm.pdf(at, s=self.scale, scale=np.exp(self.location))
        name = "fitted density (1/µm)"
        return xr.DataArray(values, dims="diameter_um", coords={"diameter_um": at}, name=name)


def fit_lognormal(density: xr.DataArray) -> LognormalFit:
    """Fit a log-normal density to a density of sizes, by least squares.

    The X-ray and FIB-SEM paper finds that the grain sizes roughly follow one (Sci. Rep. 6, 30109, "Ternary
    Segmentation of a Representative Xt Dataset").

    Parameters
    ----------
    density : xarray.DataArray
        With dim ``diameter_um``, from :func:`size_density`.

    Returns
    -------
    LognormalFit
        ``location`` and ``scale`` of the logarithm of the diameter in µm, ``r2``, ``mean_um``.

    Raises
    ------
    ValueError
        If this is no density, its area is above 1, or no log-normal law explains it better than a constant
        does.

    Notes
    -----
    The curve is fitted, not the sizes, and each of its points counts the same: R² says how near two curves
    are, and is high for any curve with one peak in the right place. The kernel widens the curve, so that the
    scale of narrow laws comes out too large. The mean of the fit may lie well above that of the data, which
    end at the largest ball: the printed location 1.22 and scale 0.86 have mean 4.90 µm, 4.13 µm up to the
    largest grain of 15 µm, and 4.0 µm is printed.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> law = ct.measure.LognormalFit(location=1.22, scale=0.86, r2=1.0)
    >>> round(law.mean_um, 2), round(law.mean_below_um(15.0), 2)
    (4.9, 4.13)
    >>> fit = ct.measure.fit_lognormal(law.density(np.linspace(0, 20, 500)))
    >>> round(fit.location, 3), round(fit.scale, 3), round(fit.r2, 3)
    (1.22, 0.86, 1.0)
    """
    doing = "fit a log-normal law"
    check_density(density, doing=doing)
    area = float(density.integrate("diameter_um"))
    if area > _MOST_AREA:
        raise ValueError(
            f"Cannot {doing}: the area under the curve is {area:.3g}, and that of a density in 1/µm over "
            "diameters in µm is 1. Make one with ct.measure.size_density(thickness, bandwidth_um)."
        )
    inside = density.diameter_um.values > 0
    at, values = density.diameter_um.values[inside], density.values[inside]
    spread = float(((values - values.mean()) ** 2).sum()) if values.size else 0.0
    best, left = (np.nan, np.nan), np.inf
    highest = float(values.max(initial=0.0))
    if spread > 1e-12 * values.size * highest**2:
        peak = float(np.log(at[values.argmax()]))

        def misfit(p: Any) -> Any:
            return (lognorm.pdf(at, s=np.exp(p[1]), scale=np.exp(p[0])) - values) / highest

        ends = (np.log(at[0]) - _WIDEST, np.log(1e-3)), (np.log(at[-1]) + _WIDEST, np.log(_WIDEST))
        for scale in _SCALES:
            found = least_squares(misfit, (peak + scale**2, np.log(scale)), bounds=ends)
            if found.success and 2 * found.cost < left:
                best, left = (float(found.x[0]), float(np.exp(found.x[1]))), 2 * float(found.cost)
    if not left * highest**2 < spread:
        raise ValueError(
            f"Cannot {doing}: none explains the {values.size} values above 0 µm better than a constant does. "
            "A density with one peak is needed. Look at it with ct.show.sizes()."
        )
    return LognormalFit(*best, 1 - left * highest**2 / spread)
