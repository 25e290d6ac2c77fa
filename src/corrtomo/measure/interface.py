"""The interface of two phases, and what thresholds do to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from ..checks import check_length, check_spatial
from ..phases import Phase, check_codes, check_mask
from ..volume import check_image, voxel_size
from .distance import distances
from .histogram import joint_histogram
from .options import check_between

_ROUNDING = 1e-5
"""Distances are single precision: one voxel is at most one voxel away."""


class LeastShare(NamedTuple):
    """The least share that a good pair of thresholds can reach, and which pair reaches it."""

    share: float
    kappa: float
    lower: int
    upper: int


def interface(truth: xr.DataArray, *, between: Sequence[int], within_um: float) -> xr.DataArray:
    """Find the voxels on either side of the interface of two phases, away from all others.

    "Pixels at the interface between the brightest and darkest phases always run the risk of being wrongly
    attributed to the middle brightness phase" (J. Electrochem. Soc. 169, 070512, "Results and Discussion"):
    this is where to look.

    Parameters
    ----------
    truth : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, dims z, y, x or y, x; voxels need not be cubes. Dask is computed.
    between : sequence of int
        The two phases.
    within_um : float
        How far the nearest voxel of the other phase may be, centre to centre, in µm. One voxel size is the
        one layer of voxels that touches it.

    Returns
    -------
    xarray.DataArray
        Booleans: voxels of either phase that are so near to the other, and further than that from every
        voxel of any other code, 255 among them.

    Raises
    ------
    TypeError
        If `truth` is not integer.
    ValueError
        If the two phases are the same, one does not occur, or the distance is below the voxel size.

    Notes
    -----
    At the border of the image a third phase may lie just beyond it. All False where a third phase is near
    everywhere.

    Examples
    --------
    >>> import corrtomo as ct
    >>> truth = ct.volume([[0, 0, 0, 1, 1, 1]] * 2, 0.02)
    >>> ct.measure.interface(truth, between=(0, 1), within_um=0.02).values[0].astype(int).tolist()
    [0, 0, 1, 1, 0, 0]
    """
    doing = "find an interface"
    check_image(truth, ndim=(2, 3))
    check_spatial(truth, doing=doing)
    check_length(within_um, "within_um", doing=doing)
    present = check_codes(truth)
    if not isinstance(between, Sequence):
        raise TypeError(
            f"Cannot {doing} between {between!r}: two phases are needed. Pass for instance "
            "between=(ct.Phase.CBD, ct.Phase.PORE)."
        )
    pair = [Phase(code) for code in between]
    if len(pair) != 2 or pair[0] == pair[1] or any(phase not in present for phase in pair):
        raise ValueError(
            f"Cannot {doing} between {list(map(int, between))}: two different phases that occur are needed. "
            f"Those that occur are {', '.join(f'{p.label} ({int(p)})' for p in present)}."
        )
    edges = voxel_size(truth)
    if within_um < min(edges) * (1 - _ROUNDING):
        raise ValueError(
            f"Cannot {doing} within {within_um:g} µm: no other voxel is so near, the voxel size is {edges} "
            "µm. Pass one voxel size or more."
        )
    codes, reach = np.asarray(truth.data), within_um * (1 + _ROUNDING)
    first, second = codes == pair[0], codes == pair[1]
    near = (first & (distances(~second, edges) <= reach)) | (second & (distances(~first, edges) <= reach))
    away = distances(first | second, edges) > reach
    return xr.DataArray(near & away, dims=truth.dims, coords=truth.coords, name="interface")


def middle_by_threshold_pair(image: xr.DataArray, mask: xr.DataArray) -> xr.DataArray:
    """Compute the share of some voxels that every possible pair of thresholds takes for the middle phase.

    On voxels at the interface of the darkest and the brightest phase, from :func:`interface`, all of that
    share is wrong.

    Parameters
    ----------
    image : xarray.DataArray
        Grey values, ``uint8``.
    mask : xarray.DataArray
        Booleans on the same grid: the voxels that are counted.

    Returns
    -------
    xarray.DataArray
        From 0 to 1 with dims ``lower, upper``: grey values above `lower` and not above `upper` are the middle
        phase, as in :func:`kappa_by_threshold_pair`. NaN where `lower` is not below `upper`.

    Raises
    ------
    TypeError
        If grey values are not ``uint8``, or the mask is not boolean.
    ValueError
        If the mask is empty, or the grids differ.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> image = ct.volume(np.array([10, 100, 110, 250], np.uint8), 0.02)
    >>> mask = ct.volume([False, True, True, True], 0.02)
    >>> share = ct.measure.middle_by_threshold_pair(image, mask)
    >>> round(float(share.sel(lower=50, upper=200)), 3)
    0.667
    """
    doing = "try pairs of thresholds"
    check_mask(mask, doing=doing)
    if getattr(image, "dtype", None) != np.uint8:
        raise TypeError(
            f"Cannot {doing} on grey values of dtype {getattr(image, 'dtype', type(image))}: uint8 is "
            "needed, for there are 32,640 pairs of it. Scale the image first over limits that you choose."
        )
    counted = joint_histogram(image, mask)
    if 1 not in counted.phase:
        raise ValueError(
            f"Cannot {doing}: no voxel is in the mask. One or more is needed. Is a third phase near "
            "everywhere? Lower within_um of ct.measure.interface()."
        )
    up_to = counted.sel(phase=1).values.cumsum()
    lower, upper = np.ogrid[: up_to.size, : up_to.size]
    share = np.where(lower < upper, (up_to[upper] - up_to[lower]) / up_to[-1], np.nan)
    greys = np.arange(up_to.size)
    return xr.DataArray(
        share, dims=("lower", "upper"), coords={"lower": greys, "upper": greys}, name="share in the middle"
    )


def least_to_middle(share: xr.DataArray, kappa: xr.DataArray, *, within: float = 0.0) -> LeastShare:
    """Find how few voxels of an interface go to the middle phase by any pair of thresholds that is any good.

    Two thresholds that fall together have no middle phase, and put nothing into it: the caution of the
    kintsugi paper is about pairs that segment the rest. So κ may stay below its best by a little only.

    Parameters
    ----------
    share : xarray.DataArray
        From :func:`middle_by_threshold_pair`.
    kappa : xarray.DataArray
        From :func:`kappa_by_threshold_pair`, for the same image.
    within : float
        By how much κ may be below the best one, from 0.

    Returns
    -------
    LeastShare
        The share, and κ and thresholds of the pair that reaches it; of several, that of highest κ.

    Raises
    ------
    ValueError
        If the two are not tables of the same pairs, or `within` is not from 0 to 2.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> image = ct.volume(np.array([10, 90, 100, 110, 210, 250], np.uint8), 0.02)
    >>> truth = ct.volume([0, 1, 1, 2, 2, 2], 0.02)
    >>> kappa = ct.measure.kappa_by_threshold_pair(image, truth)
    >>> share = ct.measure.middle_by_threshold_pair(image, ct.volume(np.arange(6) == 3, 0.02))
    >>> ct.measure.least_to_middle(share, kappa).share
    0.0
    """
    pairs, doing = ("lower", "upper"), "look for the least share"
    for table in (share, kappa):
        if not isinstance(table, xr.DataArray):
            raise TypeError(
                f"Cannot {doing} in a {type(table).__name__}: tables with dims lower, upper are needed. Make "
                "them with ct.measure.middle_by_threshold_pair() and ct.measure.kappa_by_threshold_pair()."
            )
    if share.dims != pairs or kappa.dims != pairs or share.shape != kappa.shape:
        raise ValueError(
            f"Cannot look for the least share with tables of dims {share.dims} and {kappa.dims}, shapes "
            f"{share.shape} and {kappa.shape}: both need lower, upper. Make them with "
            "ct.measure.middle_by_threshold_pair() and ct.measure.kappa_by_threshold_pair()."
        )
    check_between(within, "within", 0, 2, doing=doing)
    known = np.isfinite(kappa.values)
    same = all(np.array_equal(share[d], kappa[d]) for d in pairs)
    if not known.any() or not same or not np.array_equal(known, np.isfinite(share.values)):
        raise ValueError(
            "Cannot look for the least share: the two tables are not of the same pairs of thresholds, or "
            "hold none. Make them from the same image, with ct.measure.middle_by_threshold_pair() and "
            "ct.measure.kappa_by_threshold_pair()."
        )
    values: Any = kappa.values
    good = values >= np.nanmax(values) - within
    shares = np.where(good, share.values, np.inf)
    ties = np.where(shares == shares.min(), values, -np.inf)
    low, high = np.unravel_index(int(ties.argmax()), ties.shape)
    return LeastShare(
        float(shares[low, high]),
        float(values[low, high]),
        int(share.lower[low]),
        int(share.upper[high]),
    )
