"""An edge blurred by a Gaussian, fitted to the grey values of a facet together with the facet's shape."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import erfc

Floats = npt.NDArray[np.float64]
FWHM = 2 * np.sqrt(2 * np.log(2))
"""Full width at half maximum of a Gaussian of standard deviation 1."""
_STEPS = 25
_SETTLED = 1e-4
_LEAST_VOXELS = 0.05


class Patch(NamedTuple):
    """Voxels around a facet: µm outwards along its normal, the terms of its shape, and grey values."""

    along: Floats
    shape: Floats
    slopes: Floats
    grey: Floats


class EdgeFit(NamedTuple):
    """A fitted edge: grey inside and outside, coefficients of the surface, and the width."""

    inside: float
    outside: float
    surface: Floats
    log_width: float
    rms: float
    settled: bool

    @property
    def width_um(self) -> float:
        """Standard deviation of the line spread in µm."""
        return float(np.exp(self.log_width))

    @property
    def radius_um(self) -> float:
        """The smaller radius of curvature of the surface; infinite where it is flat."""
        c = self.surface
        bend = 2 * abs(c[2]) if len(c) == 3 else 2 * _steepest(c[3], c[4], c[5])
        return float(1 / bend) if bend > 0 else float("inf")


def make_patch(places: Floats, grey: npt.NDArray[Any], normal: Floats) -> Patch:
    """Split places (µm from the centre of a facet) into a part along the normal and parts across."""
    across = places @ _tangents(normal).T
    u = across[:, 0]
    one, none = np.ones_like(u), np.zeros_like(u)
    if len(normal) == 2:
        shape, slopes = [one, u, u * u], [[none, one, 2 * u]]
    else:
        v = across[:, 1]
        shape = [one, u, v, u * u, u * v, v * v]
        slopes = [[none, one, none, 2 * u, v, none], [none, none, one, none, u, 2 * v]]
    return Patch(
        places @ normal, np.stack(shape, -1), np.moveaxis(np.array(slopes), 2, 1), grey.astype(float)
    )


def across_um(places: Floats, normal: Floats) -> Floats:
    """Return how far places lie from the normal through the centre."""
    return np.asarray(np.linalg.norm(places @ _tangents(normal).T, axis=1))


def outwards(patch: Patch, surface: Floats) -> tuple[Floats, Floats]:
    """Return the distance of each voxel from a surface, outwards, and by what it is shorter than along."""
    steep = patch.slopes @ surface
    norm = np.sqrt(1 + (steep**2).sum(axis=0))
    return (patch.along - patch.shape @ surface) / norm, norm


def fit_edge(patch: Patch, start: EdgeFit, *, fixed_width: bool = False) -> EdgeFit:
    """Fit grey values, surface and width by least squares (Gauss and Newton, in short enough steps)."""
    fit, settled = start, False
    for _ in range(_STEPS):
        jacobian, rest = linearise(patch, fit)
        columns = jacobian[:, :-1] if fixed_width else jacobian
        step = least_squares(columns, rest)
        step = np.append(step, 0.0) if fixed_width else step
        # A step of the surface by more than the width, or of the width by half, leaves what is linear.
        long = max(
            abs(step[2]) / fit.width_um,
            float(np.abs(patch.shape @ step[2:-1]).max()) / (2 * fit.width_um),
            abs(step[-1]) / 0.5,
        )
        step[2:] /= max(1.0, long)
        fit = moved(fit, step)
        if long < _SETTLED:
            settled = True
            break
    rest = linearise(patch, fit)[1]
    return fit._replace(rms=float(np.sqrt(np.mean(rest**2))), settled=settled)


def moved(fit: EdgeFit, step: Floats) -> EdgeFit:
    """Return a fit with its parameters changed."""
    return fit._replace(
        inside=fit.inside + step[0],
        outside=fit.outside + step[1],
        surface=fit.surface + step[2:-1],
        log_width=float(np.clip(fit.log_width + step[-1], -20, 20)),
    )


def linearise(patch: Patch, fit: EdgeFit) -> tuple[Floats, Floats]:
    """Return the derivatives of the model (inside, outside, surface, log width), and grey less model."""
    t, norm = outwards(patch, fit.surface)
    s = t / fit.width_um
    within = 0.5 * erfc(s / np.sqrt(2))
    bell = np.exp(-0.5 * s * s) / np.sqrt(2 * np.pi)
    step = fit.inside - fit.outside
    shape = (step * bell / fit.width_um / norm)[:, None] * patch.shape
    width = step * bell * s
    jacobian = np.column_stack([within, 1 - within, shape, width])
    return jacobian, patch.grey - fit.outside - step * within


def least_squares(columns: Floats, rest: Floats) -> Floats:
    """Return the coefficients of columns by the normal equations, a breath away from singular ones."""
    scale = np.sqrt((columns**2).sum(axis=0))
    scale[scale == 0] = 1
    scaled = columns / scale
    matrix = scaled.T @ scaled
    matrix[np.diag_indices_from(matrix)] += 1e-9
    return np.asarray(np.linalg.solve(matrix, scaled.T @ rest) / scale)


def _tangents(normal: Floats) -> Floats:
    """Return directions across a normal, at right angles to it and to each other."""
    if len(normal) == 2:
        return np.array([[-normal[1], normal[0]]])
    first = np.cross(normal, np.eye(3)[np.abs(normal).argmin()])
    first /= np.linalg.norm(first)
    return np.array([first, np.cross(normal, first)])


def _steepest(uu: float, uv: float, vv: float) -> float:
    """Return the larger of the two curvatures, halved, without its sign."""
    return float(np.abs(np.linalg.eigvalsh([[uu, uv / 2], [uv / 2, vv]])).max())
