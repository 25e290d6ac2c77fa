"""Where the surface of a pillar is: above a place, and beside it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..distance import distances

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def cover(solid: Mask, edges: tuple[float, float, float], bridged_um: float) -> Floats:
    """Return how far below the first face of the volume the top of a pillar is, in µm, for each y, x.

    The top of the first voxel that is solid; over mouths narrower than `bridged_um` it goes on at the height
    of their rim. Infinite where nothing is below.

    Examples
    --------
    >>> solid = np.array([[[0, 1, 0, 1]], [[1, 1, 0, 1]]], bool)
    >>> cover(solid, (0.5, 1.0, 1.0), 1.0).tolist(), cover(solid, (0.5, 1.0, 1.0), 3.0).tolist()
    ([[0.5, 0.0, inf, 0.0]], [[0.5, 0.0, 0.0, 0.0]])
    """
    first = np.where(solid.any(axis=0), solid.argmax(axis=0) * edges[0], np.inf)
    window = [2 * round((bridged_um / edge - 1) / 2) + 1 for edge in edges[1:]]
    window = [max(1, min(size, 2 * n - 1)) for size, n in zip(window, first.shape, strict=True)]
    wide = np.pad(first, [(size // 2, size // 2) for size in window], constant_values=np.inf)
    raised = ndimage.minimum_filter(wide, window, mode="constant", cval=np.inf)
    closed = ndimage.maximum_filter(raised, window, mode="constant", cval=-np.inf)
    inner = tuple(slice(size // 2, size // 2 + n) for size, n in zip(window, first.shape, strict=True))
    return np.asarray(closed[inner])


def to_side(plane: Mask, edges: tuple[float, float], bridged_um: float) -> Floats:
    """Return how far each place of a plane through a pillar is from its side, in µm.

    The side bridges what a disc of `bridged_um` cannot enter. Beyond the border the plane goes on as at it.

    Examples
    --------
    >>> to_side(np.array([[0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0]], bool), (1.0, 1.0), 2.0).tolist()
    [[0.0, 1.0, 2.0, 3.0, 3.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0]]
    """
    radius = (bridged_um + float(np.mean(edges))) / 2
    margin = [int(np.ceil(2 * radius / edge)) + 1 for edge in edges]
    wide = np.pad(plane, [(n, n) for n in margin], mode="edge")
    closed = distances(distances(~wide, edges) <= radius, edges) > radius
    inner = tuple(slice(n, n + size) for n, size in zip(margin, plane.shape, strict=True))
    return np.asarray(distances(closed, edges)[inner], np.float64)
