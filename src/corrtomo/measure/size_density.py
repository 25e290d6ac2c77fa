"""From sizes at every voxel to a density, its mean and its peaks."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy.signal import find_peaks

from ..volume import blocks, check_image, check_length

_STEPS = 40
_MOST_POINTS = 100_000
Floats = npt.NDArray[np.float64]


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
        its integral is 1. ``attrs`` holds ``mean_um``, ``max_um`` and ``bandwidth_um``.

    Raises
    ------
    ValueError
        If no voxel has a size, a size is negative or infinite, or the bandwidth is not above zero, or so
        small that the curve would need more than 100 000 points.

    Notes
    -----
    Kernel: 15/16 (1 - u²)² for |u| < 1, u = distance / bandwidth. Its standard deviation is the bandwidth
    over √7: libraries that call that the bandwidth smooth less for the same number. What a kernel would put
    below 0 µm is mirrored at 0. Local thickness takes few distinct values, so a bandwidth below a voxel shows
    the voxels, not the pores.

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
    at = np.asarray(step * np.arange(points), np.float64)
    total, density = counts.sum(), np.zeros(points)
    for centre in (sizes, np.asarray(-sizes, float)):  # the mirror image gives back what falls below 0
        density += _kernel_sum(at, centre, np.asarray(counts / total, float), bandwidth_um)
    summary = {"mean_um": float(sizes @ counts / total), "max_um": float(sizes[-1])}
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
    found: dict[float, int] = {}
    for (part,) in blocks(thickness):
        sizes, counts = np.unique(part[~np.isnan(part)], return_counts=True)
        for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
            found[size] = found.get(size, 0) + count
    found.pop(0.0, None)
    if not found or min(found) < 0 or max(found) == np.inf:
        ends = f"from {min(found):g} to {max(found):g} µm" if found else "none above 0"
        raise ValueError(
            f"Cannot {doing}: the sizes are {ends}, and finite ones above 0 µm are needed, with 0 outside "
            "the phase. Measure them with ct.measure.local_thickness(mask)."
        )
    ordered = np.array(sorted(found))
    return ordered, np.array([found[size] for size in ordered.tolist()], np.int64)


def _kernel_sum(at: Floats, centres: Floats, weights: Floats, bandwidth: float) -> Floats:
    """Add up a quartic kernel at each centre, over the few points that it reaches."""
    step, out = at[1] - at[0], np.zeros(len(at))
    for centre, weight in zip(centres.tolist(), weights.tolist(), strict=True):
        first = max(0, int(np.floor((centre - bandwidth) / step)))
        last = min(len(at), int(np.ceil((centre + bandwidth) / step)) + 1)
        u = (at[first:last] - centre) / bandwidth
        out[first:last] += weight * (15 / 16) / bandwidth * np.where(np.abs(u) < 1, (1 - u * u) ** 2, 0.0)
    return out
