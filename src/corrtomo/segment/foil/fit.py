"""Where a foil is in a detail, and how bright it and what lies beside it are."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage

from ..thresholds import threshold_otsu

Array = npt.NDArray[np.float64]
DOING = "map a foil"
_POINTS = 1 << 20
_ENOUGH = 1 << 15
_SLICES = 24
"""Slices that tell how bright a foil is."""
_LEAN = float(np.tan(np.radians(8.0)))
_FLAT = 0.5
"""A foil's thickness is below this share of its length across z, in standard deviations."""
_SOLID = 0.75
"""How much of the space between its faces, and of the field, a foil fills at least."""


class Surface(NamedTuple):
    """A polynomial of second order over z and along."""

    weights: Array
    centre: Array
    scale: Array

    def __call__(self, z: Any, along: Any) -> Array:
        """Return its values."""
        z, along = (np.asarray(z) - self.centre[0]) / self.scale[0], (along - self.centre[1]) / self.scale[1]
        w = self.weights
        return np.asarray(w[0] + w[1] * z + w[2] * along + w[3] * z * z + w[4] * z * along + w[5] * along**2)


class Plane(NamedTuple):
    """A foil: y and x of its normal and direction, its middle along the normal, half its thickness."""

    normal: Array
    direction: Array
    middle: Surface
    half_um: float
    margin_um: float


class Greys(NamedTuple):
    """Grey values of a foil and beside it, on the side of -normal and of normal."""

    metal: Surface
    beside: tuple[Surface, Surface]
    contrast: float


class Courses(NamedTuple):
    """Where columns stand along a foil, `fine` of them for each cell, and steps away from its middle."""

    along: Array
    fine: int
    steps: int
    step_um: float


def surface_of(z: Array, along: Array, values: Array) -> Surface:
    """Fit the surface of the least sum of distances: a fifth of outliers on one side hardly moves it."""
    some = np.random.default_rng(0).permutation(len(values))[:_ENOUGH]
    z, along, values = z[some], along[some], values[some]
    centre = np.array([np.mean(z), np.mean(along)])
    scale = np.array([max(np.ptp(z), 1e-9), max(np.ptp(along), 1e-9)]) / 2
    u, v = (z - centre[0]) / scale[0], (along - centre[1]) / scale[1]
    terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=1)
    weights = np.zeros(6)
    weights[0] = np.median(values)
    for _ in range(30):
        off = np.abs(values - terms @ weights)
        trust = 1 / np.maximum(off, max(0.05 * float(np.median(off)), 1e-9))
        weights = np.linalg.lstsq(
            (terms.T * trust) @ terms + 1e-12 * trust.sum() * np.eye(6),
            terms.T @ (trust * values),
            rcond=None,
        )[0]
    return Surface(weights, centre, scale)


def plane_of(
    image: xr.DataArray, grey: npt.NDArray[Any], at: list[Array], threshold: float | None
) -> tuple[Plane, npt.NDArray[np.bool_], float]:
    """Return the foil, which voxels are its body, and the threshold; refuse what is no foil."""
    low, high = float(grey.min()), float(grey.max())
    if threshold is None and high > low:
        split = threshold_otsu(image)
        # Halfway between both kinds: Otsu's is at the very edge of the lower one where there is no noise.
        threshold = float(grey[grey <= split].mean() + grey[grey > split].mean()) / 2
    if threshold is None or not low <= threshold < high:
        raise ValueError(
            f"Cannot {DOING}: no grey value from {low:g} to {high:g} parts metal from the rest"
            + ("" if threshold is None else f", nor does threshold={threshold:g}")
            + ". Take a crop that holds foil and what lies beside it."
        )
    body = _largest(ndimage.gaussian_filter(grey, 1.0, output=np.float32) > threshold)
    plane = _flat(body, at)
    return plane, body, threshold


def _largest(bright: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    labels, count = ndimage.label(bright)
    if not count:
        raise ValueError(f"Cannot {DOING}: nothing is bright over more than a voxel. Lower the threshold.")
    return np.asarray(labels == np.bincount(labels.ravel())[1:].argmax() + 1)


def _flat(body: npt.NDArray[np.bool_], at: list[Array]) -> Plane:
    """Return the plane of a body: from its principal axes, and then from its faces."""
    edge = float(at[1][1] - at[1][0])
    every = max(1, int(body.sum()) // _POINTS)
    k, j, i = np.nonzero(body[::every])
    z, y, x = at[0][::every][k], at[1][j], at[2][i]
    across = np.linalg.eigh(np.cov(np.stack([y, x])))
    sides = [float(side) for side in np.sqrt(np.maximum(across[0], 0))]
    if not sides[0] < _FLAT * sides[1]:
        raise ValueError(
            f"Cannot {DOING}: the largest bright body spreads over {sides[0]:.3g} and {sides[1]:.3g} µm "
            "across z, and a foil along z is far longer than thick. Bring it upright with image.transpose(), "
            "take a crop that is longer than the foil is thick, or state a threshold."
        )
    direction = across[1][:, 1]
    for turned in range(4):
        direction = direction * (1 if direction[1] > 1e-9 or direction[0] > 0 else -1)
        normal = np.array([direction[1], -direction[0]])
        faces, columns = _faces(z, direction[0] * y + direction[1] * x, normal[0] * y + normal[1] * x, edge)
        first, last = (surface_of(*columns, face) for face in faces)
        middle = first._replace(weights=(first.weights + last.weights) / 2)
        slope = middle.weights[2] / middle.scale[1]
        if turned == 3 or abs(slope) < 1e-5:
            break
        direction = (direction + slope * normal) / np.hypot(1, slope)
    half = float(np.median(last(*columns) - first(*columns)) + edge) / 2
    _check_upright(middle)
    plane = Plane(normal, direction, middle, half, max(3 * edge, half / 2))
    _check_solid(body[::every], at[0][::every], at, plane)
    return plane


def _faces(z: Array, along: Array, off: Array, edge: float) -> tuple[list[Array], tuple[Array, Array]]:
    """Return the first and last voxel along the normal of each column, and where columns are."""
    rows, row = np.unique(z, return_inverse=True)
    column = np.floor((along - along.min()) / (1.5 * edge)).astype(int)
    width = int(column.max()) + 1
    key = row * width + column
    first, last = np.full(len(rows) * width, np.inf), np.full(len(rows) * width, -np.inf)
    np.minimum.at(first, key, off)
    np.maximum.at(last, key, off)
    there = np.flatnonzero(np.isfinite(first))
    places = rows[there // width], along.min() + (there % width + 0.5) * 1.5 * edge
    return [first[there], last[there]], places


def _check_upright(middle: Surface) -> None:
    """Refuse a foil that leans against z or is bent by more than a few degrees."""
    u, v = (n.ravel() for n in np.mgrid[-1:1:5j, -1:1:5j])
    w = middle.weights
    leans = np.abs(w[1] + 2 * w[3] * u + w[4] * v).max() / middle.scale[0]
    bends = np.abs(w[2] + 2 * w[5] * v + w[4] * u).max() / middle.scale[1]
    if max(leans, bends) > _LEAN:
        raise ValueError(
            f"Cannot {DOING}: it leans against z by up to {np.degrees(np.arctan(leans)):.0f} degrees and is "
            f"bent by up to {np.degrees(np.arctan(bends)):.0f}, 8 are possible. Turn the image so that the "
            "foil stands along z, or take a smaller crop."
        )


def _check_solid(body: npt.NDArray[np.bool_], rows: Array, at: list[Array], plane: Plane) -> None:
    """Refuse a body that does not fill the space between its faces, or has nothing beside it."""
    inside, filled, beyond = 0, 0, 0
    for k in range(0, len(rows), max(1, len(rows) // _SLICES)):
        _, off = _places(rows[k], at, plane)
        within = np.abs(off) < plane.half_um - 0.5 * float(at[1][1] - at[1][0])
        inside, filled = inside + int(within.sum()), filled + int(body[k][within].sum())
        beyond += int((np.abs(off) > plane.half_um + 1.5 * plane.margin_um).sum())
    if filled < _SOLID * inside or not inside:
        share = 100 * filled / max(inside, 1)
        raise ValueError(
            f"Cannot {DOING}: the largest bright body fills {share:.0f} % of the space between its faces, "
            f"{100 * _SOLID:.0f} % are needed. Noise does so, and a foil that ends in the field. Take "
            "another crop, or state a threshold."
        )
    if not beyond:
        raise ValueError(f"Cannot {DOING}: nothing lies beside it in this field. Take a larger crop.")


def _places(z: float, at: list[Array], plane: Plane) -> tuple[Array, Array]:
    """Return for each pixel of a slice where it is along the foil, and how far off its middle."""
    y, x = at[1][:, None], at[2][None]
    along = plane.direction[0] * y + plane.direction[1] * x
    return along, plane.normal[0] * y + plane.normal[1] * x - plane.middle(z, along)


def greys_of(grey: npt.NDArray[Any], body: npt.NDArray[np.bool_], at: list[Array], plane: Plane) -> Greys:
    """Fit grey values of the middle of the foil, and of what lies beside each face of it."""
    edge = float(at[1][1] - at[1][0])
    core, near = max(0.2 * plane.half_um, 0.5 * edge), plane.half_um + plane.margin_um
    wide = near + max(plane.half_um, 4 * edge)
    parts: list[list[Array]] = [[], [], []]
    for k in np.unique(np.linspace(0, len(grey) - 1, _SLICES).round().astype(int)):
        along, off = _places(at[0][k], at, plane)
        # Beside an outgrowth is not beside the foil.
        grown = ndimage.binary_dilation(
            body[k] & (np.abs(off) > near), iterations=3 + int(plane.margin_um / edge)
        )
        for part, own in zip(
            parts,
            (
                np.abs(off) <= core,
                (off < -near) & (off > -wide) & ~grown,
                (off > near) & (off < wide) & ~grown,
            ),
            strict=True,
        ):
            part.append(np.stack([np.full(own.sum(), at[0][k]), along[own], grey[k][own].astype(float)]))
    joined = [np.concatenate(part, axis=1) for part in parts]
    joined = [part[:, :: max(1, part.shape[1] >> 17)] for part in joined]
    if min(joined[1].shape[1], joined[2].shape[1]) < 64:
        raise ValueError(
            f"Cannot {DOING}: on one side of it hardly anything lies beside it in this field. Take a crop "
            "with the foil nearer to its middle."
        )
    metal, *beside = (surface_of(*part) for part in joined)
    levels = [float(np.median(part[2])) for part in joined]
    contrast = levels[0] - (levels[1] + levels[2]) / 2
    noise = max(
        float(np.median(np.abs(part[2] - s(*part[:2])))) for part, s in zip(joined[1:], beside, strict=True)
    )
    if not contrast > noise:
        raise ValueError(
            f"Cannot {DOING}: it is brighter than what lies beside it by {contrast:.3g} only, where grey "
            f"values scatter by {noise:.3g}. Take a crop in which metal is brightest."
        )
    return Greys(metal, (beside[0], beside[1]), contrast)


def courses_of(
    body: npt.NDArray[np.bool_], at: list[Array], plane: Plane, edge: float, cell: float
) -> Courses:
    """Return columns at multiples of a cell, all along the field, as far off as the body reaches."""
    k = np.linspace(0, len(body) - 1, min(len(body), 4 * _SLICES)).round().astype(int)
    seen = body.any(axis=0)
    along, off = _places(float(at[0][k].mean()), at, plane)
    reach = float(np.abs(off[seen]).max()) + 2 * plane.margin_um
    fine, step = max(1, round(cell / edge)), edge / 2
    cells = np.arange(np.floor(along.min() / cell), np.ceil(along.max() / cell) + 1) * cell
    columns = (cells[:, None] + (np.arange(fine) - (fine - 1) / 2) * cell / fine).ravel()
    return Courses(columns, fine, int(max(reach, plane.half_um + plane.margin_um) / step) + 1, step)
