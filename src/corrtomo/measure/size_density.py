"""From sizes at every voxel to a density, its mean and its peaks."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from numba import njit
from scipy.signal import find_peaks

from ..checks import check_length
from ..volume import check_image
from .distinct import Floats, distinct_values

_STEPS = 40
_MOST_POINTS = 100_000


def size_summary(thickness: xr.DataArray) -> pd.Series[float]:
    """Summarise local sizes by volume: each voxel of the phase counts once.

    Parameters
    ----------
    thickness : xarray.DataArray
        Local diameter in µm, 0 outside and NaN where it is left out, as
        :func:`corrtomo.measure.local_thickness` gives it; any dims, NumPy or Dask.

    Returns
    -------
    pandas.Series
        ``mean_um``, ``median_um``, ``sd_um``, ``max_um``, and the number of ``voxels`` that count.

    Raises
    ------
    ValueError
        If no voxel has a size, or a size is negative or infinite.

    Notes
    -----
    The mean by volume favours the large: a pore twice as wide has eight times the voxels.

    Examples
    --------
    >>> import corrtomo as ct
    >>> sizes = ct.volume([0.0, 1.0, 1.0, 4.0], 0.5)
    >>> float(ct.measure.size_summary(sizes).mean_um)
    2.0
    """
    sizes, counts = _distinct(thickness, doing="summarise sizes")
    share = counts / counts.sum()
    mean = float(share @ sizes)
    return pd.Series(
        {
            "mean_um": mean,
            "median_um": float(sizes[np.searchsorted(share.cumsum(), 0.5 - 1e-12)]),
            "sd_um": float(np.sqrt(share @ (sizes - mean) ** 2)),
            "max_um": float(sizes[-1]),
            "voxels": float(counts.sum()),
        }
    )


def size_density(thickness: xr.DataArray, bandwidth_um: float) -> xr.DataArray:
    """Estimate the density of local sizes, by volume, with a quartic kernel.

    The X-ray and FIB-SEM paper draws size distributions by a quartic kernel density estimate with a bandwidth
    of one voxel, the accuracy of a size (Sci. Rep. 6, 30109, "Estimation of Pore and Grain Size
    Distributions").

    Parameters
    ----------
    thickness : xarray.DataArray
        Local diameter in µm, 0 outside and NaN where it is left out; any dims, NumPy or Dask.
    bandwidth_um : float
        Half the width of the kernel's support in µm: a size counts for diameters less than this away.

    Returns
    -------
    xarray.DataArray
        Density in 1/µm with dim ``diameter_um``, from 0 to beyond the largest size, 40 points a bandwidth;
        its integral is 1. ``attrs`` holds ``mean_um`` and ``max_um`` of the sizes themselves, ``voxels`` that
        count, and ``bandwidth_um``.

    Raises
    ------
    ValueError
        If no voxel has a size, a size is negative or infinite, or the bandwidth is not above zero, or so
        small that the curve would need more than 100 000 points.

    Notes
    -----
    Kernel: 15/16 (1 - u²)² up to u = distance / bandwidth = 1. The paper does not say what its bandwidth
    is of the kernel; this is the textbook's reading. Libraries that mean the standard deviation, which is
    the support over √7, get the same curve here with √7 times their number. What a kernel would put below
    0 µm is mirrored at 0, so that nothing is lost there; the mean of the curve is then a little above that of
    the sizes. Every distinct size is counted, there are no bins. Local thickness takes few of them, so a
    bandwidth below a voxel shows the voxels, not the pores.

    References
    ----------
    Silverman, Density Estimation for Statistics and Data Analysis (1986), chapters 2.4 and 2.10.

    Examples
    --------
    >>> import corrtomo as ct
    >>> density = ct.measure.size_density(ct.volume([0.0, 2.0, 2.0], 1.0), 1.0)
    >>> round(float(density.max()), 4), round(float(density.idxmax()), 4)
    (0.9375, 2.0)
    """
    doing = "estimate a density of sizes"
    check_length(bandwidth_um, "bandwidth", doing=doing)
    sizes, counts = _distinct(thickness, doing=doing)
    step = bandwidth_um / _STEPS
    points = int(np.ceil((sizes[-1] + bandwidth_um) / step)) + 1
    if points > _MOST_POINTS:
        raise ValueError(
            f"Cannot {doing} with bandwidth {bandwidth_um:g} µm: sizes reach {sizes[-1]:g} µm, so that the "
            f"curve would need {points} points, and {_MOST_POINTS} are allowed. One voxel is usual."
        )
    at, density = np.asarray(step * np.arange(points), np.float64), np.zeros(points)
    total = int(counts.sum())
    _add_kernels(density, step, sizes, counts / total, float(bandwidth_um))
    _add_kernels(density, step, -sizes, counts / total, float(bandwidth_um))  # what falls below 0 comes back
    summary = {"mean_um": float(sizes @ counts / total), "max_um": float(sizes[-1]), "voxels": total}
    return xr.DataArray(
        density,
        dims="diameter_um",
        coords={"diameter_um": at},
        name="size density (1/µm)",
        attrs=summary | {"bandwidth_um": float(bandwidth_um)},
    )


def modes(density: xr.DataArray, *, least_prominence: float = 0.05) -> pd.DataFrame:
    """Find the peaks of a density of sizes.

    The X-ray and FIB-SEM paper reports two peaks of the pore sizes and explains each by how the electrode was
    made (Sci. Rep. 6, 30109, "Ternary Segmentation of a Representative Xt Dataset").

    Parameters
    ----------
    density : xarray.DataArray
        With dim ``diameter_um``, from :func:`size_density`.
    least_prominence : float
        What counts as a peak: how far it stands out above the higher of the two valleys beside it, as a share
        of the highest peak.

    Returns
    -------
    pandas.DataFrame
        A row for each peak, from small to large: ``diameter_um``, ``density_per_um`` and ``prominence``, as a
        share of the highest peak.

    Raises
    ------
    ValueError
        If this is no density, or the prominence is not between 0 and 1.

    Notes
    -----
    The number of peaks depends on bandwidth and prominence: say both with it.

    Examples
    --------
    >>> import corrtomo as ct
    >>> density = ct.measure.size_density(ct.volume([0.0, 2.0, 2.0, 6.0], 1.0), 1.0)
    >>> ct.measure.modes(density).diameter_um.tolist()
    [2.0, 6.0]
    """
    check_density(density, doing="find the peaks")
    given: Any = least_prominence
    if isinstance(given, bool) or not isinstance(given, Real) or not 0 <= float(given) <= 1:
        raise ValueError(
            f"Cannot find the peaks with least_prominence {least_prominence!r}: a share of the highest peak, "
            "from 0 to 1, is needed. The default is 0.05."
        )
    values = density.values
    highest = values.max()
    framed = np.concatenate([[0.0], values, [0.0]])  # a peak at the end is one, too
    peaks, found = find_peaks(framed, prominence=max(least_prominence * highest, 1e-12 * highest))
    at = peaks - 1
    return pd.DataFrame(
        {
            "diameter_um": density.diameter_um.values[at].round(9),
            "density_per_um": values[at],
            "prominence": found["prominences"] / highest,
        }
    )


def check_density(density: Any, *, doing: str) -> None:
    """Refuse what is not a density of sizes."""
    if not isinstance(density, xr.DataArray) or density.dims != ("diameter_um",):
        kind = density.dims if isinstance(density, xr.DataArray) else type(density).__name__
        raise ValueError(
            f"Cannot {doing} of {kind}: a density with dim 'diameter_um' is needed. Make one with "
            "ct.measure.size_density(thickness, bandwidth_um)."
        )
    at = density.coords["diameter_um"].values if "diameter_um" in density.coords else np.zeros(2)
    if not (np.isfinite(at).all() and (np.diff(at) > 0).all()):
        raise ValueError(
            f"Cannot {doing}: the density needs finite, ascending diameters in µm as its coordinate. Sort it "
            "with density.sortby('diameter_um'), or make it with ct.measure.size_density()."
        )
    values = density.values
    if values.size < 5 or not np.isfinite(values).all() or values.min() < 0 or values.max() <= 0:
        raise ValueError(
            f"Cannot {doing}: the density has {values.size} values, and they must be finite, not negative, "
            "not all zero, five at least. Make it with ct.measure.size_density(thickness, bandwidth_um)."
        )


def _distinct(thickness: xr.DataArray, *, doing: str) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return the sizes that occur, and how many voxels have each."""
    check_image(thickness)
    if not np.issubdtype(thickness.dtype, np.floating):
        raise TypeError(
            f"Cannot {doing} of dtype {thickness.dtype}: diameters in µm are floating-point numbers. Measure "
            "them with ct.measure.local_thickness(mask)."
        )
    sizes, counts = distinct_values(thickness)
    sizes, counts = sizes[sizes != 0], counts[sizes != 0]
    if not sizes.size or sizes[0] < 0 or sizes[-1] == np.inf:
        ends = f"from {sizes[0]:g} to {sizes[-1]:g} µm" if sizes.size else "none above 0"
        raise ValueError(
            f"Cannot {doing}: the sizes are {ends}, and finite ones above 0 µm are needed, with 0 outside "
            "the phase. Measure them with ct.measure.local_thickness(mask)."
        )
    return sizes, counts


@njit(cache=True)
def _add_kernels(density: Any, step: float, centres: Any, weights: Any, bandwidth: float) -> None:
    """Add a quartic kernel at each centre to the few points that it reaches."""
    for k in range(centres.size):
        first = max(0, int(np.ceil((centres[k] - bandwidth) / step)))
        last = min(density.size - 1, int(np.floor((centres[k] + bandwidth) / step)))
        for i in range(first, last + 1):
            u = (i * step - centres[k]) / bandwidth
            density[i] += weights[k] * 15 / 16 / bandwidth * max(0.0, 1 - u * u) ** 2
