"""Particles by volume, with those that the border cuts made up for; and what parting them does."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ..checks import check_length
from ..volume import voxel_size
from .options import is_flat
from .particles import check_particles, distance_inside, part_by_depth

Floats = npt.NDArray[np.float64]
_DOING = "sort particles into bins"
_COLUMNS = ("volume_um3", "touches_border", "inclusion")


def particle_bins(table: pd.DataFrame, edges_um3: Sequence[float]) -> pd.DataFrame:
    """Count particles by volume, and correct for those that the border cuts.

    The cycling paper compares how many particles are below 1, from 1 to 10, from 10 to 100 and above 100 µm³
    (section 3.1 and Fig. 4a; Fig. 7a for HE-NMC), and expects "few large particles due to the limited
    sampling volume": the border cuts large ones more often, and its pieces count as small ones.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`particles`, in 3D.
    edges_um3 : sequence of float
        Borders between the bins in µm³, ascending: ``(1, 10, 100)`` are the four bins of the paper.

    Returns
    -------
    pandas.DataFrame
        A row for each bin: ``from_um3``, which belongs to it, ``to_um3``, which does not, ``count`` and
        ``share``, of all as they are found, ``cut``, those of them that touch the border, ``corrected`` and
        ``corrected_share``, the number whose place lies in the volume.

    Raises
    ------
    TypeError
        If this is no table of particles, or its columns or the edges are no numbers.
    ValueError
        If edges are not ascending and above zero, a volume is not above zero and finite, or a whole
        particle's ``inclusion`` is not above 0 and at most 1.

    Notes
    -----
    Particles that touch the border are left out, and each of the rest counts for 1 / ``inclusion``: the rule
    of Miles and Lantuéjoul, unbiased whatever the shapes, where particles stand at random and keep their
    shape. Sides at which the electrode itself ends cut none: name them in ``whole_at`` of :func:`particles`,
    else too many are counted. What is as long as the volume is never whole:
    such particles are missing from the corrected count, and if ``cut`` is large in the last bin, so are
    the numbers. Shares are NaN where no particle is counted.

    References
    ----------
    Lantuéjoul, J. Microsc. 118, 151 (1980). Serra, Image Analysis and Mathematical Morphology (1982),
    section VIII.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> mask = np.zeros((10, 10, 10), bool)
    >>> mask[4:6, 4:6, 4:6] = mask[8:, 8:, 8:] = True
    >>> table = ct.measure.particle_bins(ct.measure.particles(ct.volume(mask, 1.0)), (1, 10))
    >>> table[["count", "cut"]].values.tolist(), round(float(table.corrected[1]), 2)
    ([[0, 0], [2, 1], [0, 0]], 2.92)
    """
    if not isinstance(table, pd.DataFrame) or not set(_COLUMNS) <= set(table.columns):
        raise TypeError(
            f"Cannot {_DOING}: a table of particles in 3D is needed, with columns {', '.join(_COLUMNS)}, "
            f"and a {type(table).__name__} was given. Make it with ct.measure.particles(mask)."
        )
    edges = _edges(edges_um3)
    volumes, cut, inclusion = _read(table)
    # A volume that is an edge must not fall below it by rounding.
    where = np.searchsorted(edges * (1 - 1e-9), volumes, side="right")
    weights = np.where(cut, 0.0, 1 / np.where(cut, 1.0, inclusion))
    bins = len(edges) + 1
    out = pd.DataFrame({"from_um3": np.append(0.0, edges), "to_um3": np.append(edges, np.inf)})
    out["count"] = np.bincount(where, minlength=bins)
    out["share"] = _shares(out["count"].to_numpy())
    out["cut"] = np.bincount(where[cut], minlength=bins)
    out["corrected"] = np.bincount(where, weights, bins)
    out["corrected_share"] = _shares(out.corrected.to_numpy())
    return out


def particle_separation(mask: xr.DataArray, depths_um: Sequence[float]) -> pd.DataFrame:
    """Tell how the choice of what parts touching particles changes their number and size.

    Parameters
    ----------
    mask : xarray.DataArray
        Booleans, 3D or 2D. Dask is computed.
    depths_um : sequence of float
        Depths for :func:`separate_particles`, in µm.

    Returns
    -------
    pandas.DataFrame
        A row for each depth, and a last one with depth infinite, where touching particles are one:
        ``depth_um``, ``particles``, ``median_um3``, their median volume, and ``largest_share``, how much of
        the whole is in the largest; ``median_um2`` in 2D.

    Raises
    ------
    TypeError
        If `mask` is not boolean, or depths are no numbers.
    ValueError
        If the mask is empty, or a depth is not above zero.

    Notes
    -----
    Where the number changes with every depth there is no right one: state it with the count. A plateau over
    several depths says that particles are that distinct. Particles cut by the border are counted as they are.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> y, x = np.ogrid[:20, :38]
    >>> two = (((y - 10) ** 2 + (x - 10) ** 2) < 81) | (((y - 10) ** 2 + (x - 26) ** 2) < 81)
    >>> ct.measure.particle_separation(ct.volume(two, 0.5), [0.5, 1.0]).particles.tolist()
    [2, 2, 1]
    """
    doing = "compare ways to part particles"
    ndim = check_particles(mask)
    _check_depths(depths_um, doing=doing)
    edges = voxel_size(mask)
    depth = distance_inside(np.asarray(mask.data), edges)
    if not depth.any():
        raise ValueError(
            f"Cannot {doing}: none of the {mask.size} voxels is in the mask. One or more is needed. Check "
            "the phase that it was made of."
        )
    name = "median_um3" if ndim == 3 else "median_um2"
    rows = []
    for chosen in (*map(float, depths_um), np.inf):
        whole = part_by_depth(depth, chosen)
        sizes = np.bincount(whole.ravel())[1:] * float(np.prod(edges))
        rows.append((chosen, len(sizes), float(np.median(sizes)), float(sizes.max() / sizes.sum())))
    return pd.DataFrame(rows, columns=["depth_um", "particles", name, "largest_share"])


def _check_depths(depths_um: Any, *, doing: str) -> None:
    if not is_flat(depths_um):
        raise TypeError(
            f"Cannot {doing} with depths_um {depths_um!r}: a sequence of depths in µm is needed. Pass for "
            "instance [0.1, 0.2, 0.5]."
        )
    for chosen in depths_um:
        check_length(chosen, "depth", doing=doing)


def _read(table: pd.DataFrame) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
    """Return volumes, which particles the border cuts, and inclusions; refuse what is none."""
    volumes, cut, inclusion = (_numbers(table, name) for name in _COLUMNS)
    wrong = {
        "volume_um3": (~((volumes > 0) & np.isfinite(volumes)), "a finite volume above zero"),
        "touches_border": (~np.isin(cut, (0, 1)), "True or False"),
        "inclusion": ((cut == 0) & ~((inclusion > 0) & (inclusion <= 1 + 1e-9)), "above 0 and at most 1"),
    }
    for name, (bad, allowed) in wrong.items():
        if bad.any():
            raise ValueError(
                f"Cannot {_DOING}: {int(bad.sum())} of {len(table)} particles have {name} "
                f"{table[name].to_numpy()[bad][0]!r} or the like, and {allowed} is needed. Make the table "
                "with ct.measure.particles(mask)."
            )
    return volumes, cut == 1, inclusion


def _numbers(table: pd.DataFrame, name: str) -> Floats:
    column: Any = table[name]
    if isinstance(column, pd.DataFrame) or not all(
        isinstance(value, Real | np.bool_) or value is pd.NA for value in column
    ):
        raise TypeError(
            f"Cannot {_DOING}: there are two columns {name}, or what is in it is no number, nor True or "
            "False. Make the table with ct.measure.particles(mask)."
        )
    return np.asarray(column.to_numpy(float, na_value=np.nan))


def _edges(edges_um3: Any) -> npt.NDArray[np.float64]:
    if not is_flat(edges_um3):
        raise TypeError(
            f"Cannot {_DOING} with edges_um3 {edges_um3!r}: a sequence of volumes in µm³ is needed. Pass for "
            "instance (1, 10, 100)."
        )
    edges = np.asarray(edges_um3)
    if edges.dtype.kind not in "iuf":
        raise TypeError(
            f"Cannot {_DOING} with edges_um3 {edges_um3!r}: numbers in µm³ are needed. Pass for instance "
            "(1, 10, 100)."
        )
    if not (np.isfinite(edges).all() and (edges > 0).all() and (np.diff(edges) > 0).all()):
        raise ValueError(
            f"Cannot {_DOING} with edges_um3 {edges.tolist()}: they must be finite, above zero and "
            "ascending. Pass for instance (1, 10, 100)."
        )
    return edges.astype(float)


def _shares(counts: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    total = float(counts.sum())
    return np.asarray(counts / total if total > 0 else np.full(len(counts), np.nan))
