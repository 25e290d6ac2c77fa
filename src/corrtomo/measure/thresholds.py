"""κ at every threshold and at every pair of thresholds, from the joint histogram."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from .histogram import joint_histogram


def kappa_by_threshold(
    image: xr.DataArray, truth: xr.DataArray, *, ignore: int | None = None
) -> xr.DataArray:
    """Compute Cohen's κ of a segmentation by every possible threshold.

    With a truth at hand, the best threshold need not be guessed: the X-ray and FIB-SEM paper tries all 256
    (Sci. Rep. 6, 30109, "Binary Xt Segmentation", Fig. 2a). One pass over the volume serves all of them.

    Parameters
    ----------
    image : xarray.DataArray
        Grey values, ``uint8`` or ``uint16``.
    truth : xarray.DataArray
        On the same grid: a mask of booleans, or codes 0 and 1.
    ignore : int, optional
        Code in `truth` that is left out.

    Returns
    -------
    xarray.DataArray
        κ with dim ``threshold``, one entry a grey value; grey values above it are taken for 1.

    Raises
    ------
    ValueError
        If the truth has one class only (κ is undefined) or codes other than 0 and 1, or the grids differ.

    Notes
    -----
    The highest κ of 256 is chosen with the truth in sight: on another volume the same threshold does worse.

    References
    ----------
    Cohen, Educ. Psychol. Meas. 20, 37 (1960), doi:10.1177/001316446002000104.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> image = ct.volume(np.array([10, 20, 30, 40], np.uint8), 0.438)
    >>> kappa = ct.measure.kappa_by_threshold(image, ct.volume([False, False, True, True], 0.438))
    >>> kappa.sel(threshold=[9, 10, 20, 29, 30]).values.round(2)
    array([0. , 0.5, 1. , 1. , 0.5])
    """
    counts = _by_code(joint_histogram(image, truth, ignore=ignore), [0, 1])
    n = counts.sum()
    true = counts[1].sum()
    # Voxels above each threshold, and those of them that are right: sums from the bright end.
    above = counts.sum(axis=0)[::-1].cumsum()[::-1] - counts.sum(axis=0)
    right = counts[1][::-1].cumsum()[::-1] - counts[1]
    observed = (right + (n - true) - (above - right)) / n
    chance = (above * true + (n - above) * (n - true)) / n**2
    kappa = (observed - chance) / (1 - chance)
    return xr.DataArray(kappa, dims="threshold", coords={"threshold": np.arange(kappa.size)}, name="kappa")


def kappa_by_threshold_pair(
    image: xr.DataArray,
    truth: xr.DataArray,
    *,
    phases: Sequence[int] = (0, 1, 2),
    ignore: int | None = None,
) -> xr.DataArray:
    """Compute Cohen's κ of a ternary segmentation by every possible pair of thresholds.

    The X-ray and FIB-SEM paper looks for the pair that tells pores, carbon binder domain and active material
    apart best, and finds that no pair does it well (Sci. Rep. 6, 30109, "Complete Ternary Xt Segmentation",
    Fig. 3a).

    Parameters
    ----------
    image : xarray.DataArray
        Grey values, ``uint8``.
    truth : xarray.DataArray
        On the same grid: three codes, by default 0 (pore), 1 (carbon binder domain) and 2 (active material).
    phases : sequence of int
        The three codes from dark to bright. Where platinum fills the pores they are the brightest: pass
        ``(ct.Phase.CBD, ct.Phase.AM, ct.Phase.PORE)``.
    ignore : int, optional
        Code in `truth` that is left out.

    Returns
    -------
    xarray.DataArray
        κ with dims ``lower, upper``; grey values above `upper` are taken for the brightest phase, others
        above `lower` for the middle one. NaN where `lower` is not below `upper`.

    Raises
    ------
    TypeError
        If grey values are not ``uint8``.
    ValueError
        If the truth has one class only (κ is undefined) or other codes, `phases` are not three different
        codes, or the grids differ.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> image = ct.volume(np.array([10, 20, 30], np.uint8), 0.438)
    >>> kappa = ct.measure.kappa_by_threshold_pair(image, ct.volume([0, 1, 2], 0.438))
    >>> kappa.sel(lower=[9, 10], upper=[20, 30]).values
    array([[0.5, 0. ],
           [1. , 0.5]])
    """
    if getattr(image, "dtype", None) == np.uint16:
        raise TypeError(
            "Cannot try every pair of thresholds of uint16 grey values: there are two thousand million. "
            "uint8 is needed. Scale the image first over limits that you choose."
        )
    order = [int(code) for code in phases]
    if len(order) != 3 or len(set(order)) != 3:
        raise ValueError(
            f"Cannot try every pair of thresholds with phases {order}: three different codes are needed, "
            "from dark to bright. Pass for instance (ct.Phase.CBD, ct.Phase.AM, ct.Phase.PORE)."
        )
    counts = _by_code(joint_histogram(image, truth, ignore=ignore), order)
    up_to = counts.cumsum(axis=1)
    total, true = up_to.sum(axis=0), up_to[:, -1]
    n = total[-1]
    lower, upper = np.ogrid[: total.size, : total.size]
    right = up_to[0][lower] + (up_to[1][upper] - up_to[1][lower]) + (true[2] - up_to[2][upper])
    chance = total[lower] * true[0] + (total[upper] - total[lower]) * true[1] + (n - total[upper]) * true[2]
    observed, expected = right / n, chance / n**2
    kappa = np.full(observed.shape, np.nan)
    valid = lower < upper
    kappa[valid] = (observed[valid] - expected[valid]) / (1 - expected[valid])
    greys = np.arange(total.size)
    return xr.DataArray(kappa, dims=("lower", "upper"), coords={"lower": greys, "upper": greys}, name="kappa")


def _by_code(joint: xr.DataArray, classes: list[int]) -> np.ndarray:
    """Return counts as floats, a row for each class in its order; refuse other codes, or one alone."""
    codes = [int(code) for code in joint.phase.values]
    if not set(codes) <= set(classes):
        hint = "Select one phase first with ct.segment.one_phase(labels, ct.Phase.AM)"
        if len(classes) > 2:
            hint = "Two thresholds part three phases: leave out the others with ignore="
        raise ValueError(
            f"Cannot compare thresholds with a truth of codes {codes}: allowed are {sorted(classes)}. {hint}."
        )
    if len(codes) < 2:
        raise ValueError(
            f"Cannot compute kappa: the truth has one class only, code {codes[0]}, so agreement by chance "
            "is perfect and kappa is undefined. Two or more are needed. Choose a larger crop."
        )
    table = np.zeros((len(classes), joint.sizes["grey"]))
    table[[classes.index(code) for code in codes]] = joint.values
    return table
