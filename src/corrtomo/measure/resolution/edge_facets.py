"""Where the edge of a sample is smooth: small facets of its surface, apart from each other."""

from __future__ import annotations

from typing import Any, NamedTuple

import cc3d
import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage
from scipy.spatial import ConvexHull, cKDTree
from skimage.filters import threshold_otsu

from ...volume import origin, voxel_size

Floats = npt.NDArray[np.float64]
_SEARCHED = 1 << 24
"""Voxels in which the surface is looked for: larger images are averaged in blocks for that."""
_SMOOTH = 1.5
_LOOKED_AT = 1 << 15
"""Surface voxels among which centres of facets are chosen."""
_ROUNDING = 1e-9
"""Voxels by which a facet may stick out: what rounding does to one that just fits."""
_ALIGNED = 0.8
"""Cosine between the normal of a facet and that of the convex hull beside it."""


class Facets(NamedTuple):
    """Centres and outward normals (µm, one a row), and the step of grey between the two classes."""

    centres: Floats
    normals: Floats
    contrast: float
    places: int


def find_facets(
    image: xr.DataArray, facet_um: float, reach_um: float, *, outer: bool, most: int, seed: int
) -> Facets:
    """Find up to `most` facets on the surface half-way between the two dominant grey levels.

    Facets are discs (segments in 2D) of diameter `facet_um` that do not overlap and whose profiles, up to
    `reach_um` to both sides, lie within the image. With `outer` they lie on the convex hull of what is
    bright.
    """
    coarse = _coarser(image)
    edges = np.array(voxel_size(coarse))
    smooth = _smoothed(coarse, edges)
    threshold, contrast = _half_way(smooth)
    bright = smooth > threshold
    least = max(2, int((facet_um / np.prod(edges) ** (1 / len(edges))) ** len(edges) / 2))
    bright = np.asarray(cc3d.dust(bright, threshold=least, connectivity=4 if bright.ndim == 2 else 6)) > 0
    index = np.argwhere(bright & ~ndimage.binary_erosion(bright))
    if len(index) <= bright.ndim:
        return Facets(np.empty((0, bright.ndim)), np.empty((0, bright.ndim)), contrast, 0)
    rng = np.random.default_rng(seed)
    some = np.sort(rng.choice(len(index), min(len(index), _LOOKED_AT), replace=False))
    points = index[some] * edges + origin(coarse)
    normals = _normals(smooth, index[some], edges)
    if outer:
        hull = ConvexHull(
            index * edges + origin(coarse), qhull_options="QJ"
        )  # joggled: a flat set has one too
        on = _on_hull(points, normals, hull.equations, max(2.5 * float(edges.max()), facet_um / 4))
        points, normals = points[on], normals[on]
    half = reach_um * np.abs(normals) + facet_um / 2 * np.sqrt(np.maximum(1 - normals**2, 0))
    slack = _ROUNDING * np.array(voxel_size(image))
    first = np.array(origin(image)) - slack
    last = first + (np.array(image.shape) - 1) * voxel_size(image) + 2 * slack
    inside = ((points - half >= first) & (points + half <= last)).all(axis=1)
    places = int(inside.sum())
    chosen = np.flatnonzero(inside)[_apart(points[inside], facet_um)]
    if len(chosen) > most:
        chosen = np.sort(rng.choice(chosen, most, replace=False))
    return Facets(points[chosen], normals[chosen], contrast, places)


def _coarser(image: xr.DataArray) -> xr.DataArray:
    times = int(np.ceil((image.size / _SEARCHED) ** (1 / image.ndim)))
    if times == 1:
        return image
    blocks: Any = image.coarsen({d: min(times, n) for d, n in image.sizes.items()}, boundary="trim")
    return _restated(blocks.mean(), image, times)


def _restated(mean: xr.DataArray, image: xr.DataArray, times: int) -> xr.DataArray:
    """State the voxel size of blocks: where one is left along an axis, it cannot be read."""
    for dim, edge in zip(image.dims, voxel_size(image), strict=True):
        mean[dim].attrs["voxel_size_um"] = edge * min(times, image.sizes[dim])
    return mean


def _smoothed(image: xr.DataArray, edges: Floats) -> npt.NDArray[np.float32]:
    width = _SMOOTH * np.prod(edges) ** (1 / len(edges)) / edges
    grey = np.asarray(image.data).astype(np.float32)
    return np.asarray(ndimage.gaussian_filter(grey, width, mode="nearest"))


def _half_way(smooth: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Return the grey value half-way between the two dominant levels, and their difference."""
    low, high = float(smooth.min()), float(smooth.max())
    if not high > low:
        return high, 0.0
    split = smooth > threshold_otsu(smooth)
    levels = float(np.median(smooth[~split])), float(np.median(smooth[split]))
    return (levels[0] + levels[1]) / 2, levels[1] - levels[0]


def _normals(smooth: npt.NDArray[np.float32], index: npt.NDArray[np.int64], edges: Floats) -> Floats:
    """Return the direction in which grey falls fastest, from central differences at these voxels."""
    slope = np.zeros(index.shape)
    for axis, edge in enumerate(edges):
        before, after = index.copy(), index.copy()
        before[:, axis] = np.maximum(index[:, axis] - 1, 0)
        after[:, axis] = np.minimum(index[:, axis] + 1, smooth.shape[axis] - 1)
        slope[:, axis] = (smooth[tuple(before.T)] - smooth[tuple(after.T)].astype(float)) / edge
    length = np.linalg.norm(slope, axis=1, keepdims=True)
    return np.asarray(slope / np.where(length > 0, length, 1))


def _on_hull(points: Floats, normals: Floats, equations: Floats, near_um: float) -> npt.NDArray[np.bool_]:
    """Say which surface points lie near a convex hull, and face the same way as its faces."""
    out = np.zeros(len(points), bool)
    rows = max(1, (1 << 24) // len(equations))
    for start in range(0, len(points), rows):
        part = slice(start, start + rows)
        depth = points[part] @ equations[:, :-1].T + equations[:, -1]
        face = depth.argmax(axis=1)
        along = (normals[part] * equations[face, :-1]).sum(axis=1)
        out[part] = (depth.max(axis=1) > -near_um) & (along > _ALIGNED)
    return out


def _apart(points: Floats, least_um: float) -> npt.NDArray[np.int64]:
    """Choose points at least so far from each other, in the order of the rows."""
    if not len(points):
        return np.empty(0, np.int64)
    tree = cKDTree(points)
    free = np.ones(len(points), bool)
    chosen = []
    for i in range(len(points)):
        if free[i]:
            chosen.append(i)
            free[tree.query_ball_point(points[i], least_um)] = False
    return np.array(chosen)
