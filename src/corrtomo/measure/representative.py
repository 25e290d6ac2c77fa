"""How large a volume must be: results of ever larger sub-volumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from ..volume import check_image, check_length, check_spatial, voxel_size


def growing_volumes(
    image: xr.DataArray,
    measure: Callable[[xr.DataArray], float],
    edges_um: Sequence[float],
    *,
    most: int = 30,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure sub-volumes of growing edge: where they agree, a volume of that size is representative.

    The X-ray and FIB-SEM paper infers from a homogeneous map of grain sizes that its volume is representative
    (Sci. Rep. 6, 30109, "Ternary Segmentation of a Representative Xt Dataset"); this asks for each number.

    Parameters
    ----------
    image : xarray.DataArray
        What `measure` takes: labels, a map of sizes, grey values; any spatial dims.
    measure : callable
        From a sub-volume to a number.
    edges_um : sequence of float
        Edges of the cubes in µm.
    most : int
        At most so many cubes of each edge, drawn at random from a regular grid of cubes that do not overlap.
    seed : int
        Of that draw.

    Returns
    -------
    pandas.DataFrame
        A row for each cube: ``edge_um``, ``value``, ``volume_um3`` (``area_um2`` in 2D), and the first corner
        ``z_um, y_um, x_um``.

    Raises
    ------
    ValueError
        If an edge is below 2 voxels or longer than the volume, or `measure` gives no finite number.

    Notes
    -----
    Cubes do not overlap, so those of one edge are nearly independent where features are smaller than the
    edge; of large edges there are few. Along an axis that is shorter than the edge a cube is cut to it: such
    edges are refused, so as not to be taken for cubes.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> image = ct.volume(np.arange(16.0).reshape(4, 4), 1.0)
    >>> ct.measure.growing_volumes(image, lambda part: float(part.mean()), [2.0, 4.0]).value.tolist()
    [2.5, 4.5, 10.5, 12.5, 7.5]
    """
    doing = "measure growing volumes"
    dims = check_image(image)
    check_spatial(image, doing=doing)
    if isinstance(most, bool) or not isinstance(most, int | np.integer) or most < 1:
        raise ValueError(f"Cannot {doing} with most={most!r}: a whole number of cubes from 1 is needed.")
    sizes = np.array(voxel_size(image))
    rng, rows = np.random.default_rng(seed), []
    for edge in edges_um:
        check_length(edge, "edge", doing=doing)
        voxels = np.rint(edge / sizes).astype(int)
        if (voxels < 2).any() or (voxels > image.shape).any():
            longest = float((sizes * image.shape).min())
            raise ValueError(
                f"Cannot {doing} with edge {edge:g} µm: 2 voxels or more are needed, and at most the "
                f"shortest edge of the volume, {longest:g} µm. Leave it out of edges_um."
            )
        corners = np.argwhere(np.ones(np.array(image.shape) // voxels, bool)) * voxels
        if len(corners) > most:
            corners = corners[np.sort(rng.choice(len(corners), most, replace=False))]
        for corner in corners:
            part = image[tuple(slice(c, c + n) for c, n in zip(corner, voxels, strict=True))]
            rows.append(_row(part, float(edge), _number(measure, part, doing), dims))
    return pd.DataFrame(rows)


def _row(part: xr.DataArray, edge_um: float, value: float, dims: list[str]) -> dict[str, float]:
    extent = ("length_um", "area_um2", "volume_um3")[len(dims) - 1]
    size = float(np.prod(np.array(voxel_size(part)) * part.shape))
    return {"edge_um": edge_um, "value": value, extent: size} | {f"{d}_um": float(part[d][0]) for d in dims}


def _number(measure: Callable[[xr.DataArray], float], part: xr.DataArray, doing: str) -> float:
    value = float(measure(part))
    if not np.isfinite(value):
        raise ValueError(
            f"Cannot {doing}: a sub-volume of {part.shape} voxels gives {value!r}, and a finite number is "
            "needed. Leave out edges at which a phase may be missing, or let measure() say what that means."
        )
    return value
