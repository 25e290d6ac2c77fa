"""Surface area: how fast, and how far from the truth on a ball."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from skimage.measure import marching_cubes, mesh_surface_area

import corrtomo as ct

from .data import phases_and_grey
from .table import Row
from .timing import ours, theirs

_PEER_SIZE = 256


def rows(size: int) -> Iterator[Row | str]:
    labels, _ = phases_and_grey(size)
    mask = labels == ct.Phase.AM
    part = mask.values[(slice(min(size, _PEER_SIZE)),) * 3]
    larger = mask.size / part.size

    mesh = theirs(lambda: _mesh_area(part))
    faces = theirs(lambda: _face_area(mask.values))
    mine = ours(lambda: ct.measure.surface_area(mask))
    yield Row("surface area, Crofton", size, mine, "scikit-image, marching cubes", mesh, larger)
    mine = ours(lambda: ct.measure.surface_area_faces(mask))
    np.testing.assert_allclose(mine.result, faces.result)
    yield Row("voxel faces", size, mine, "NumPy, differences", faces)

    radius = min(size, 128) * 0.4
    ball = _ball(radius)
    true = 4 * np.pi * (0.438 * radius) ** 2
    errors = {
        "Crofton": ct.measure.surface_area(ball),
        "marching cubes": _mesh_area(ball.values),
        "voxel faces": ct.measure.surface_area_faces(ball),
    }
    said = ", ".join(f"{name} {100 * (area / true - 1):+.1f} %" for name, area in errors.items())
    if larger > 1:
        yield f"≈: marching cubes were timed on {part.shape[0]}³ voxels, the time multiplied by {larger:g}."
    yield f"Error on a ball of {radius:g} voxels radius: {said}."


def _ball(radius: float) -> xr.DataArray:
    n = int(radius) + 3
    z, y, x = np.ogrid[-n : n + 1, -n : n + 1, -n : n + 1]
    return ct.volume(z**2 + y**2 + x**2 < radius**2, 0.438)


def _mesh_area(mask: np.ndarray) -> float:
    vertices, faces, *_ = marching_cubes(mask, 0.5, spacing=(0.438,) * 3)
    return float(mesh_surface_area(vertices, faces))


def _face_area(mask: np.ndarray) -> float:
    pairs = (mask[1:] != mask[:-1], mask[:, 1:] != mask[:, :-1], mask[..., 1:] != mask[..., :-1])
    return float(sum(np.count_nonzero(p) for p in pairs) * 0.438**2)
