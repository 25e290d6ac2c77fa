"""How large a volume must be: results of ever larger sub-volumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ..checks import check_length, check_spatial
from ..volume import check_image, voxel_size

Measure = Callable[[xr.DataArray], float]
Positions = Literal["apart", "anywhere"]
Refused = Literal["raise", "keep"]
_DOING = "measure growing volumes"
_COLUMNS = ("edge_um", "value", "refused")


def growing_volumes(
    image: xr.DataArray,
    measure: Measure,
    edges_um: Sequence[float],
    *,
    most: int = 30,
    positions: Positions = "apart",
    refused: Refused = "raise",
    seed: int = 0,
) -> pd.DataFrame:
    """Measure sub-volumes of growing edge: where they agree, a volume of that size is representative.

    The X-ray and FIB-SEM paper infers from a homogeneous map of grain sizes that its volume is representative
    (Sci. Rep. 6, 30109, "Ternary Segmentation of a Representative Xt Dataset"); this asks for each number.

    Parameters
    ----------
    image : xarray.DataArray
        What `measure` takes: labels, a map of sizes, grey values; any spatial dims, NumPy or Dask.
    measure : callable
        From a sub-volume to a number.
    edges_um : sequence of float
        Edges of the cubes in µm, each rounded to whole voxels.
    most : int
        At most so many cubes of each edge, drawn at random.
    positions : {"apart", "anywhere"}
        ``"apart"``: cubes that do not overlap, evenly spread. ``"anywhere"``: up to `most` different random
        places, however often a voxel is measured; for large edges, of which few fit side by side.
    refused : {"raise", "keep"}
        What to do where `measure` raises a ValueError, for a phase that is absent for instance, or gives no
        finite number: raise it, or keep a row with value NaN and the reason.
    seed : int
        Of the draw.

    Returns
    -------
    pandas.DataFrame
        A row for each cube: ``edge_um``, ``value``, ``volume_um3`` (``area_um2`` in 2D), ``cut``, whether the
        volume is thinner than the edge, ``refused``, the reason or "", and the first voxel ``z_um, y_um,
        x_um``.

    Raises
    ------
    TypeError
        If `measure` is no function or gives no number, or edges are no numbers.
    ValueError
        If an edge is below 2 voxels or above every edge of the volume, or `measure` refuses.

    Notes
    -----
    Along an axis shorter than the edge a cube is cut to the volume: ``cut`` says so, and ``volume_um3`` is
    what was measured. Cubes apart are nearly independent where features are smaller than the edge; of large
    edges there are few. Cubes anywhere share voxels: they scatter less than independent volumes would. What
    a refused cube would have said is unknown, so that a mean over the others may be biased.

    References
    ----------
    Kanit et al., Int. J. Solids Struct. 40, 3647 (2003), doi:10.1016/S0020-7683(03)00143-4.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> image = ct.volume(np.arange(16.0).reshape(4, 4), 1.0)
    >>> ct.measure.growing_volumes(image, lambda part: float(part.mean()), [2.0, 4.0]).value.tolist()
    [2.5, 4.5, 10.5, 12.5, 7.5]
    """
    dims = check_image(image)
    check_spatial(image, doing=_DOING)
    _check_options(measure, edges_um, most, positions, refused)
    _check_seed(seed)
    sizes, shape = np.array(voxel_size(image)), np.array(image.shape)
    _check_apart(edges_um, [_voxels(edge, sizes, shape) for edge in edges_um])
    rng, rows = np.random.default_rng(seed), []
    for edge in edges_um:
        voxels = _voxels(edge, sizes, shape)
        for corner in _corners(shape, np.minimum(voxels, shape), most, positions, rng):
            ends = corner + np.minimum(voxels, shape)
            part = image[tuple(slice(int(a), int(b)) for a, b in zip(corner, ends, strict=True))]
            value, reason = _value(measure, part, keep=refused == "keep")
            said: dict[str, Any] = {"edge_um": float(edge), "value": value}
            said[_extent(dims)] = float(np.prod(sizes * part.shape))
            said |= {"cut": bool((voxels > shape).any()), "refused": reason}
            rows.append(said | {f"{dim}_um": float(part[dim][0]) for dim in dims})
    return pd.DataFrame(rows)


def volume_spread(table: pd.DataFrame) -> pd.DataFrame:
    """Summarise how far sub-volumes of each edge scatter.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`growing_volumes`.

    Returns
    -------
    pandas.DataFrame
        A row for each ``edge_um``: ``cubes`` that have a value, ``refused`` cubes, ``mean``, ``sd`` and
        ``relative_sd_percent``, the sd in percent of the mean. NaN where one cube, or none, has a value, or
        the mean is 0.

    Raises
    ------
    ValueError
        If this is no such table.

    Notes
    -----
    The sd is that of one volume of this edge, not of the mean. Of n cubes it is itself uncertain by about
    1 / √(2 n - 2): a half for three.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> image = ct.volume(np.arange(16.0).reshape(4, 4), 1.0)
    >>> table = ct.measure.growing_volumes(image, lambda part: float(part.mean()), [2.0, 4.0])
    >>> ct.measure.volume_spread(table)["mean"].tolist()
    [7.5, 7.5]
    """
    missing = [name for name in _COLUMNS if name not in getattr(table, "columns", ())]
    if missing or len(table) == 0:
        raise ValueError(
            f"Cannot summarise growing volumes: {missing or 'all rows'} missing in a {type(table).__name__}. "
            "Make the table with ct.measure.growing_volumes()."
        )
    groups = table.groupby("edge_um")
    mean, sd = groups.value.mean(), groups.value.std()
    return pd.DataFrame(
        {
            "cubes": groups.value.count(),
            "refused": groups.refused.agg(lambda reasons: int((reasons.notna() & (reasons != "")).sum())),
            "mean": mean,
            "sd": sd,
            "relative_sd_percent": 100 * sd / mean.abs().where(mean != 0),
        }
    )


def _voxels(edge: float, sizes: npt.NDArray[Any], shape: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    voxels = np.rint(np.minimum(edge / sizes, 1e9)).astype(np.int64)
    if (voxels < 2).any() or (voxels > shape).all():
        raise ValueError(
            f"Cannot {_DOING} with edge {edge:g} µm: 2 voxels or more are needed, and at most the longest "
            f"edge of the volume, {float((sizes * shape).max()):g} µm. Leave it out of edges_um."
        )
    return voxels


def _corners(
    shape: npt.NDArray[Any], voxels: npt.NDArray[Any], most: int, positions: str, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Return first voxels of cubes, in the order of the volume."""
    room = shape - voxels
    if positions == "anywhere":
        found = rng.integers(0, room + 1, (most, len(room)))
        return np.asarray(np.unique(found, axis=0), np.int64)  # the same cube twice would look like agreement
    fit = shape // voxels
    chosen = np.arange(np.prod(fit))
    if len(chosen) > most:
        chosen = np.sort(rng.choice(len(chosen), most, replace=False))
    places = np.stack(np.unravel_index(chosen, tuple(fit)), axis=1)
    # What is left over is shared out between the cubes, so that both ends of the volume are seen.
    return np.asarray(np.where(fit > 1, places * room // np.maximum(fit - 1, 1), room // 2), np.int64)


def _value(measure: Measure, part: xr.DataArray, *, keep: bool) -> tuple[float, str]:
    """Return the number of a sub-volume, or NaN and why there is none."""
    try:
        value: Any = measure(part)
    except ValueError as error:
        value, reason = np.nan, str(error)
    else:
        if np.ndim(value) or isinstance(value, str):
            raise TypeError(
                f"Cannot {_DOING}: measure() gives a {type(value).__name__} of {np.shape(value)}, and one "
                "number is needed. Select it, for instance with lambda part: size_summary(part).mean_um."
            )
        value = float(value)
        reason = "" if np.isfinite(value) else f"measure() gives {value!r}, and a finite number is needed."
    if reason and not keep:
        where = ", ".join(f"{dim} {float(part[dim][0]):g}" for dim in part.dims)
        raise ValueError(
            f"Cannot {_DOING}: the cube of {part.shape} voxels from {where} µm on has no value. {reason} "
            "Leave out edges at which a phase may be missing, or pass refused='keep' to see which."
        )
    return (np.nan if reason else value), reason


def _check_apart(edges_um: Sequence[float], voxels: Sequence[npt.NDArray[np.int64]]) -> None:
    """Refuse edges of as many voxels: their cubes would count twice."""
    seen: dict[tuple[int, ...], float] = {}
    for edge, size in zip(edges_um, map(tuple, voxels), strict=True):
        if size in seen:
            raise ValueError(
                f"Cannot {_DOING} with edges {seen[size]:g} and {edge:g} µm: both are {size[0]} voxels, and "
                "the same cubes would count twice. Leave one out."
            )
        seen[size] = float(edge)


def _check_seed(seed: Any) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(
            f"Cannot {_DOING} with seed {seed!r}: a whole number from 0 is needed. Leave it out."
        )


def _check_options(measure: Any, edges_um: Any, most: Any, positions: Any, refused: Any) -> None:
    if not callable(measure):
        raise TypeError(
            f"Cannot {_DOING} with measure {measure!r}: a function from a sub-volume to a number is needed, "
            "for instance lambda part: float((part == ct.Phase.PORE).mean())."
        )
    if isinstance(edges_um, str) or np.ndim(edges_um) != 1 or len(edges_um) == 0:
        raise TypeError(
            f"Cannot {_DOING} with edges_um {edges_um!r}: a sequence of edges in µm is needed. Pass for "
            "instance [5.0, 10.0, 20.0]."
        )
    for edge in edges_um:
        check_length(edge, "edge", doing=_DOING)
    if isinstance(most, bool) or not isinstance(most, int | np.integer) or most < 1:
        raise ValueError(f"Cannot {_DOING} with most={most!r}: a whole number of cubes from 1 is needed.")
    for name, value, known in (
        ("positions", positions, get_args(Positions)),
        ("refused", refused, get_args(Refused)),
    ):
        if value not in known:
            raise ValueError(
                f"Cannot {_DOING} with {name} {value!r}: allowed are {' and '.join(map(repr, known))}."
            )


def _extent(dims: list[str]) -> str:
    return ("length_um", "area_um2", "volume_um3")[len(dims) - 1]
