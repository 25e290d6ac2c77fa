"""How long, broad and thick a body of voxels is, in any direction."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..distance import distances

Mask = npt.NDArray[np.bool_]


class Extents(NamedTuple):
    """Extents of a body in µm: the box along its own axes and the largest ball within; and its flatness."""

    extent: float
    breadth: float
    thickness: float
    flatness: float


def extents(part: Mask, edges: tuple[float, float, float]) -> Extents:
    """Measure a body: its box along the axes of its moments of inertia, its largest ball, its flatness.

    Flatness is breadth over thickness of the elliptic plate of the same volume that is as long and as broad
    as the ellipsoid of the same moments: 3/2 for a ball, and 3/2 times the ratio of its two smaller axes for
    any ellipsoid. Moments hardly change with the odd voxel that noise adds; a sheet that bends stays thin.

    Parameters
    ----------
    part : numpy.ndarray
        Booleans, 3D, what is around the body included: the border of the array is not its end.
    edges : tuple of float
        Edge lengths of a voxel in µm.

    Examples
    --------
    >>> part = np.zeros((6, 10, 12), bool)
    >>> part[2:4, 1:7, 1:11] = True
    >>> [round(v, 2) for v in extents(part, (0.1, 0.1, 0.1))]
    [1.0, 0.6, 0.2, 5.07]
    """
    size = np.array(edges)
    places = np.argwhere(part) * size
    centred = places - places.mean(axis=0)
    moments = centred.T @ centred / len(centred) + np.diag(size**2 / 12)
    spread, vectors = np.linalg.eigh(moments)
    axes = vectors.T
    along = np.sort(np.ptp(centred @ axes.T, axis=0) + np.linalg.norm(axes * size, axis=1))
    ball = 2 * float(distances(part, edges).max())
    long, broad = np.sqrt(20 * spread[2]), np.sqrt(20 * spread[1])
    thick = 4 * len(places) * np.prod(size) / (np.pi * long * broad)
    return Extents(float(along[2]), float(along[1]), min(ball, float(along[2])), float(broad / thick))
