"""Counts by the distance from a structure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ..checks import check_same_grid, check_spatial
from ..phases import check_mask
from ..volume import check_image, voxel_size
from .distance import distances
from .distance_bins import bin_of, check_edges
from .garwood import garwood
from .options import check_total
from .spectra import check_level

Floats = npt.NDArray[np.float64]
Side = Literal["outside", "inside", "both"]
_DOING = "count by distance"


def distance_profile(
    counts: xr.DataArray,
    structure: xr.DataArray,
    *,
    edges_um: Sequence[float],
    within: xr.DataArray | None = None,
    side: Side = "outside",
    level: float = 0.95,
) -> pd.DataFrame:
    """Average a map of counts by the distance from a structure.

    The nanoCT and SIMS paper sees aluminium gather at the grain boundaries of NCA and spread into the binder
    ("Results and Discussion" and Fig. 4, doi:10.1017/S1431927622012405): here it becomes a curve.

    Parameters
    ----------
    counts : xarray.DataArray
        Whole numbers of one channel, dims z, y, x or y, x.
    structure : xarray.DataArray
        Booleans on the same grid: grain boundaries, or particles. Distances are from its nearest voxel.
    edges_um : sequence of float
        Borders of the bins, ascending; a bin holds its lower border and not its upper one.
    within : xarray.DataArray, optional
        Booleans on the same grid: the voxels that are counted, for instance one material; by default all.
    side : {"outside", "inside", "both"}
        Voxels outside of the structure, with those of the structure itself at 0; or inside of it, by how deep
        they lie; or both, where distances inside are negative.
    level : float
        Confidence of the intervals, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        A row for each bin: ``from_um``, ``to_um``, ``distance_um``, the mean distance of its voxels;
        ``voxels``; ``counts``; ``counts_per_voxel`` with the ends ``low`` and ``high`` of its interval;
        ``dispersion``, the variance of its voxels over their mean. Where a bin is empty, these are NaN. The
        number of voxels beyond the edges is in ``.attrs["beyond_voxels"]``.

    Raises
    ------
    TypeError
        If counts are not integers, or masks not booleans.
    ValueError
        If grids differ, a count is negative, counts sum to more than 2⁵³, the structure is empty (for inside:
        everything), the edges do not ascend, or no voxel is left.

    Notes
    -----
    The interval is Garwood's of a Poisson count where the dispersion is 1 or less; above, of the count over
    the dispersion (quasi-Poisson), which widens it by the root of that. Neither knows that neighbouring
    voxels vary together, as grains and particles do: over such differences repeat the measurement, or draw
    particles anew. Distances are from voxel centre to voxel centre, so the surface of the structure lies half
    a voxel from 0; and within the image: what is nearer above or below a section, or beyond its border, is
    not known. A structure that is missed leaves its counts in the far bins. The beam averages over its
    spread, and so does the width of what is seen: :func:`fit_profile`.

    Examples
    --------
    >>> import corrtomo as ct
    >>> counts = ct.volume([[9, 4, 2, 2, 1, 0]], 0.1)
    >>> edge = ct.volume([[True, False, False, False, False, False]], 0.1)
    >>> table = ct.measure.distance_profile(counts, edge, edges_um=[0, 0.1, 0.3, 0.5])
    >>> table[["voxels", "counts", "counts_per_voxel"]].values.tolist()
    [[1.0, 9.0, 9.0], [2.0, 6.0, 3.0], [2.0, 3.0, 1.5]]
    """
    check_level(level, doing=_DOING)
    edges = check_edges(edges_um, doing=_DOING)
    values, chosen = _check_counts(counts), _check_within(within, counts)
    far = _signed(structure, counts, side)
    chosen = chosen & np.isfinite(far)
    chosen &= {"outside": far >= 0, "inside": far <= 0, "both": np.full(far.shape, True)}[side]
    far = np.abs(far) if side == "inside" else far
    bins = len(edges) - 1
    which = bin_of(far[chosen], edges)
    kept = (which >= 0) & (which < bins)
    if not kept.any():
        raise ValueError(
            f"Cannot {_DOING}: none of the {which.size} voxels on this side lies between {edges[0]:g} and "
            f"{edges[-1]:g} µm. One or more is needed. Check within=, side= and edges_um=."
        )
    table = _binned(values[chosen][kept], far[chosen][kept], which[kept], edges, level)
    table.attrs["beyond_voxels"] = int(which.size - kept.sum())
    return table


def _binned(
    values: npt.NDArray[Any], far: npt.NDArray[Any], which: npt.NDArray[Any], edges: Floats, level: float
) -> pd.DataFrame:
    bins = len(edges) - 1
    voxels = np.bincount(which, minlength=bins)
    sums, squares, ways = (
        np.bincount(which, weights, bins) for weights in (values, np.square(values, dtype=float), far)
    )
    with np.errstate(divide="ignore", invalid="ignore"):  # an empty bin, one voxel, or no counts
        mean = sums / voxels
        dispersion = (squares - sums * mean) / (voxels - 1) / mean
        distance = ways / voxels
    wide = np.maximum(np.nan_to_num(dispersion, nan=1.0, posinf=1.0, neginf=1.0), 1.0)
    low, high = (end * wide for end in garwood(sums / wide, level))
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = low / voxels, high / voxels
    columns = {
        "from_um": edges[:-1],
        "to_um": edges[1:],
        "distance_um": distance,
        "voxels": voxels,
        "counts": np.rint(sums).astype(np.int64),
        "counts_per_voxel": mean,
        "low": np.where(voxels > 0, ends[0], np.nan),
        "high": np.where(voxels > 0, ends[1], np.nan),
        "dispersion": dispersion,
    }
    return pd.DataFrame(columns)


def _check_counts(counts: xr.DataArray) -> npt.NDArray[Any]:
    check_image(counts, ndim=(2, 3))
    check_spatial(counts, doing=_DOING)
    if not np.issubdtype(counts.dtype, np.integer):
        raise TypeError(
            f"Cannot {_DOING}: the map has dtype {counts.dtype}, and its interval needs whole counts as "
            "integers. Export maps as counts, not as intensities, and do not interpolate them."
        )
    values = np.asarray(counts.data)
    if int(values.min()) < 0:
        raise ValueError(
            f"Cannot {_DOING}: a count is {int(values.min())}. Counts are whole numbers from 0. Take the map "
            "before a background was subtracted."
        )
    check_total(float(values.sum(dtype=np.float64)), doing=_DOING)
    return values


def _check_within(within: xr.DataArray | None, counts: xr.DataArray) -> npt.NDArray[np.bool_]:
    if within is None:
        return np.full(counts.shape, True)
    check_mask(within, doing=f"{_DOING} within a mask")
    check_same_grid(counts, within, doing=f"{_DOING} within a mask")
    return np.asarray(within.data)


def _signed(structure: xr.DataArray, counts: xr.DataArray, side: Any) -> npt.NDArray[np.float32]:
    """Return the distance from the structure in µm, negative inside of it."""
    if side not in get_args(Side):
        raise ValueError(
            f"Cannot {_DOING} on side {side!r}: allowed are {', '.join(map(repr, get_args(Side)))}."
        )
    check_mask(structure, doing=_DOING)
    check_same_grid(counts, structure, doing=_DOING)
    inside, edges = np.asarray(structure.data), voxel_size(counts)
    if not inside.any() or (side == "inside" and inside.all()):
        what = "no voxel is in" if not inside.any() else "no voxel is outside of"
        raise ValueError(
            f"Cannot {_DOING}: {what} the structure. One or more is needed. Check the mask that was made of "
            "it, or the crop."
        )
    out = distances(~inside, edges)
    if side != "outside":
        # Inside, 0 is the first voxel beyond, so that a bin from 0 on holds none twice.
        out = np.where(inside, -distances(inside, edges), out)
    return out
