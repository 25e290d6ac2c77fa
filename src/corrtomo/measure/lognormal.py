"""A log-normal law, fitted to a density of sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.optimize import least_squares
from scipy.stats import lognorm

from .size_density import Floats, check_density


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

    @property
    def mean_um(self) -> float:
        """The expected diameter in µm, exp(location + scale² / 2), with a tail that no volume holds."""
        return float(np.exp(self.location + self.scale**2 / 2))

    def density(self, diameter_um: xr.DataArray) -> xr.DataArray:
        """Return the fitted density in 1/µm at diameters."""
        law = lognorm(s=self.scale, scale=np.exp(self.location))
        return diameter_um.copy(data=law.pdf(diameter_um.values)).rename("fitted density (1/µm)")


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
        If this is no density, or no log-normal law comes near it.

    Notes
    -----
    The curve is fitted, not the sizes: what R² means here is how near two curves are, and it is high for any
    curve with one peak in the right place. The mean of the fit may lie well above that of the data, which end
    at the largest ball.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> import corrtomo as ct
    >>> at = xr.DataArray(np.linspace(0.01, 20, 500), dims="diameter_um")
    >>> at = at.assign_coords(diameter_um=at.values)
    >>> law = ct.measure.LognormalFit(location=1.22, scale=0.86, r2=1.0)
    >>> fit = ct.measure.fit_lognormal(law.density(at))
    >>> round(fit.location, 3), round(fit.scale, 3), round(fit.r2, 3), round(fit.mean_um, 2)
    (1.22, 0.86, 1.0, 4.9)
    """
    doing = "fit a log-normal law"
    check_density(density, doing=doing)
    inside = density.diameter_um.values > 0
    at, values = density.diameter_um.values[inside], density.values[inside]
    weight = values / values.sum()
    location = float(weight @ np.log(at))
    scale = float(np.sqrt(weight @ (np.log(at) - location) ** 2))

    def misfit(p: Floats) -> Floats:
        return np.asarray(lognorm.pdf(at, s=np.exp(p[1]), scale=np.exp(p[0])) - values, np.float64)

    found = least_squares(misfit, (location, np.log(max(scale, 1e-3))))
    if not found.success:
        raise ValueError(
            f"Cannot {doing}: the search did not end ({found.message}). A density with one peak is needed. "
            "Look at it with ct.show.sizes()."
        )
    location, scale = float(found.x[0]), float(np.exp(found.x[1]))
    rest = misfit(found.x)
    r2 = 1 - float(rest @ rest) / float(((values - values.mean()) ** 2).sum())
    return LognormalFit(location, scale, r2)
