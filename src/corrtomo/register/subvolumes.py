"""Do the parts of two aligned images agree with the whole? Sub-volumes matched one by one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage, stats

from ..volume import voxel_size
from .correlation import Correlator
from .frames import Floats, Grey, corners, sample_onto
from .information import Kind

_PARTS = 12
REACH = 4
_CLASSES = 32
LEAST_KNOWN = 0.3
_LEAST_VOXELS = 3
LEAST_PARTS = 4


@dataclass(frozen=True)
class Agreement:
    """What the sub-volumes say of an alignment; lengths in µm.

    Attributes
    ----------
    error_um : float
        Expected error at the farthest corner of the overlap.
    spread_um : float
        Root mean square distance between sub-volumes and the motion fitted to them, in the kind of the
        alignment.
    scale, scale_sd : float
        Further scale that they ask for, and its standard deviation.
    free : int
        Degrees of freedom of that standard deviation.
    parts, lost : int
        Sub-volumes compared, and those of them without a match within reach.
    edge_um, radius_um : float
        Voxel they were matched at; distance of the farthest corner from the middle of the overlap.
    sheared : float
        Probability that scale and shear explain that much more of the spread by chance.
    """

    error_um: float
    spread_um: float
    scale: float
    scale_sd: float
    free: int
    parts: int
    lost: int
    edge_um: float
    radius_um: float
    sheared: float = 1.0


def agreement(first: xr.DataArray, other: xr.DataArray, matrix: Floats, kind: Kind) -> Agreement:
    """Match sub-volumes of `first` with `other`, brought onto its grid, and fit one motion to what they say.

    The grey values of `other` are first replaced by what `first` shows at them on average, so that
    correlation means the same whatever the contrast. The motion has the freedom that the alignment had: what
    was fitted too, a scale or shear, can be wrong too.
    """
    edge = np.array(voxel_size(first))
    here, brought = blurred(first), sample_onto(first, blurred(other), other, matrix)
    alike = _as_if_first(here, brought)
    known = np.isfinite(alike)
    box = ndimage.find_objects(known.astype(np.uint8))[0]
    length = np.array([part.stop - part.start for part in box]) * edge
    parts = cut(box, length, known)
    gaps = [_match(here, alike, part) for part in parts]
    seen = [(p, gap) for p, gap in zip(parts, gaps, strict=True) if gap is not None]
    about = len(parts), len(parts) - len(seen), float(edge.max()), float(np.linalg.norm(length) / 2)
    if len(seen) < (first.ndim + 2 if kind == "affine" else LEAST_PARTS):
        return Agreement(np.inf, np.inf, 1.0, np.inf, 0, *about)
    low = np.array([p.start for p in box]) * edge
    middle = low + length / 2
    x = np.array([[(p.start + p.stop) / 2 for p in part] * edge for part, _ in seen]) - middle
    d = np.array([gap * edge for _, gap in seen])
    fit, similar = fit_motion(x, d, kind), fit_motion(x, d, "similarity")
    error = fit.error(corners(low, low + length) - middle)
    sheared = _sheared(x, d, kind)
    scale, scale_sd, free = similar.scale()
    return Agreement(error, fit.spread, scale, scale_sd, free, *about, sheared)


def blurred(image: xr.DataArray) -> Grey:
    """Blur an image by half a voxel: what is sampled between voxels is blurred about as much."""
    return np.asarray(ndimage.gaussian_filter(np.asarray(image.data, np.float32), 0.5))


def _as_if_first(here: Grey, brought: Grey) -> Grey:
    """Replace the grey values of one image by the mean of the other where they occur."""
    return translated(brought, *dictionary(here, brought))


def dictionary(here: Grey, brought: Grey) -> tuple[Floats, Floats]:
    """Return grey values of one image, ascending, and the mean of the other where they occur."""
    known = np.isfinite(brought)
    values = brought[known]
    nodes: Any = np.unique(np.quantile(values, (np.arange(_CLASSES) + 0.5) / _CLASSES))
    kind = np.searchsorted((nodes[1:] + nodes[:-1]) / 2, values)
    count = np.maximum(np.bincount(kind, minlength=len(nodes)), 1)
    return nodes, np.bincount(kind, here[known], minlength=len(nodes)) / count


def translated(grey: Grey, nodes: Floats, means: Floats) -> Grey:
    """Replace grey values as a :func:`dictionary` says; NaN stays."""
    known = np.isfinite(grey)
    out = np.full(grey.shape, np.nan, np.float32)
    out[known] = np.interp(grey[known], nodes, means)
    return out


def cut(box: tuple[slice, ...], length: Floats, known: npt.NDArray[np.bool_]) -> list[tuple[slice, ...]]:
    """Cut the overlap into about twelve parts, as near to cubes as it goes."""
    aim = float((np.prod(length) / _PARTS) ** (1 / len(length)))
    cuts = []
    for part, size in zip(box, length, strict=True):
        number = max(1, round(size / aim))
        ends = np.linspace(part.start, part.stop, number + 1).astype(int)
        cuts.append([slice(int(a), int(b)) for a, b in pairwise(ends)])
    return [
        part
        for part in product(*cuts)
        if min(p.stop - p.start for p in part) >= _LEAST_VOXELS and known[part].mean() >= LEAST_KNOWN
    ]


def _match(here: Grey, alike: Grey, part: tuple[slice, ...]) -> Floats | None:
    """Return by how many voxels a part of `here` lies farther along in `alike`; None if nowhere."""
    wide = tuple(
        slice(max(0, p.start - REACH), min(n, p.stop + REACH)) for p, n in zip(part, here.shape, strict=True)
    )
    block, around = here[part], alike[wide]
    if block.std() == 0 or not np.nanstd(around) > 0:
        return None
    offset = tuple(p.start - w.start for p, w in zip(part, wide, strict=True))
    reach = (REACH,) * here.ndim
    value, count = Correlator(around, block.shape, reach, offset)(block)
    value = np.where(count >= LEAST_KNOWN * block.size, value, -1.0)
    peak = np.unravel_index(int(value.argmax()), value.shape)
    if any(p in (0, 2 * REACH) for p in peak):
        return None
    return np.array(peak) - REACH + vertex(value[tuple(slice(p - 1, p + 2) for p in peak)])


def vertex(near: Grey) -> Floats:
    """Return where the quadratic through the 3 × 3 (× 3) values around a peak is highest."""
    slope, curve = quadratic(near)
    if (np.linalg.eigvalsh(curve) >= 0).any():
        return np.zeros(near.ndim)  # a ridge: the whole voxel is all that is known
    return np.clip(-np.linalg.solve(curve, slope), -1.0, 1.0)


def quadratic(near: Grey) -> tuple[Floats, Floats]:
    """Return slope and matrix of second derivatives of the quadratic through 3 × 3 (× 3) values."""
    n = near.ndim
    steps = np.array(list(product((-1.0, 0.0, 1.0), repeat=n)))
    pairs = [(a, b) for a in range(n) for b in range(a, n)]
    terms = np.column_stack([np.ones(len(steps)), steps, *[steps[:, a] * steps[:, b] for a, b in pairs]])
    found = np.linalg.lstsq(terms, near.ravel().astype(float), rcond=None)[0]
    curve = np.zeros((n, n))
    for (a, b), value in zip(pairs, found[n + 1 :], strict=True):
        curve[a, b] += value
        curve[b, a] += value
    return found[1 : n + 1], curve


def motion_terms(offset: Floats, kind: Kind) -> Floats:
    """Return how a point at `offset` from the middle moves with each small change of a motion, as columns."""
    n = len(offset)
    if kind == "affine":
        return np.hstack([np.eye(n), np.kron(np.eye(n), offset)])
    turns = [(a, b) for a in range(n) for b in range(a + 1, n)]
    out = np.zeros((n, n + len(turns)))
    out[:, :n] = np.eye(n)
    for k, (a, b) in enumerate(turns):
        out[a, n + k], out[b, n + k] = -offset[b], offset[a]
    return np.column_stack([out, offset]) if kind == "similarity" else out


def _sheared(x: Floats, d: Floats, kind: Kind) -> float:
    """Return the probability, by an F-test, that an affine motion fits better than `kind` by chance alone."""
    rest, number = zip(*[_rest(x, d, k) for k in (kind, "affine")], strict=True)
    more, free = number[1] - number[0], d.size - number[1]
    if more < 1 or free < 1 or rest[1] == 0:
        return 1.0
    return float(stats.f.sf((rest[0] - rest[1]) / more / (rest[1] / free), more, free))


def _rest(x: Floats, d: Floats, kind: Kind) -> tuple[float, int]:
    """Return the sum of squares that a motion leaves, and how many numbers it has."""
    terms = np.vstack([motion_terms(offset, kind) for offset in x])
    found: Any = np.linalg.lstsq(terms, d.ravel(), rcond=None)[0]
    rest = d.ravel() - terms @ found
    return float(rest @ rest), terms.shape[1]


@dataclass(frozen=True)
class Motion:
    """A small motion fitted to what sub-volumes are off by; the scale of a similarity is its last number."""

    kind: Kind
    found: Floats
    covariance: Floats
    spread: float
    free: int

    def scale(self) -> tuple[float, float, int]:
        """Return the scale of a similarity, its standard deviation and the degrees of freedom of that."""
        return 1.0 + float(self.found[-1]), float(np.sqrt(self.covariance[-1, -1])), self.free

    def error(self, offsets: Floats) -> float:
        """Return the largest expected error at points: of the motion, and the motion itself."""
        errors = [
            float(np.trace(at @ self.covariance @ at.T) + np.sum((at @ self.found) ** 2))
            for at in (motion_terms(offset, self.kind) for offset in offsets)
        ]
        return float(np.sqrt(max(errors)))


def fit_motion(x: Floats, d: Floats, kind: Kind) -> Motion:
    """Fit a small motion about the origin to how far the points `x` are off."""
    terms = np.vstack([motion_terms(offset, kind) for offset in x])
    found: Any = np.linalg.lstsq(terms, d.ravel(), rcond=None)[0]
    rest = d.ravel() - terms @ found
    free = max(1, d.size - terms.shape[1])
    variance = float(rest @ rest) / free
    covariance: Any = variance * np.linalg.pinv(terms.T @ terms)
    return Motion(kind, found, covariance, float(np.sqrt(variance * x.shape[1])), free)
