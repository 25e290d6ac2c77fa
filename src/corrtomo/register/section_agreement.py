"""Do the parts of a section agree with the plane that was found for the whole? Matched one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy import ndimage

from ..volume import origin, voxel_size
from .correlation import Correlator
from .frames import Floats, Grey, corners, move, sample
from .information import Kind
from .subvolumes import (
    LEAST_KNOWN,
    LEAST_PARTS,
    REACH,
    Agreement,
    Motion,
    blurred,
    cut,
    dictionary,
    motion_terms,
    quadratic,
    translated,
)

_FLAT, _CLEAREST = 1e-9, 0.999
_OPEN = 1e9
_STRUCTURE = 0.3
"""Contrast of a sub-area over that of all, below which it has nothing to be matched by."""


@dataclass(frozen=True, kw_only=True)
class SectionAgreement(Agreement):
    """What the sub-areas of a section say of its pose: an :class:`Agreement`, and of the normal alone.

    Attributes
    ----------
    depth_error_um, tilt_error_deg : float
        Expected error of the depth of the middle of the section, and of the less certain tilt.
    """

    depth_error_um: float
    tilt_error_deg: float


def section_agreement(
    section: xr.DataArray, volume: xr.DataArray, matrix: Floats, kind: Kind
) -> SectionAgreement:
    """Match sub-areas of a section (one slice) with the volume around its plane, and fit a motion to them.

    A sub-area that shows one straight edge can be placed across it but not along: how sharply its correlation
    falls off in each direction, on the normal too, is its weight in the fit. The scatter about the fit says
    how far these weights are to be trusted.
    """
    edge = np.array(voxel_size(section))[1:]
    sizes = np.array([edge.mean(), *edge])
    here = blurred(section)[0]
    slab = _slab(section, volume, matrix, sizes)
    alike = translated(slab, *dictionary(here, slab[REACH]))
    known = np.isfinite(alike[REACH])
    box: Any = ndimage.find_objects(known.astype(np.uint8))[0]
    length = np.array([p.stop - p.start for p in box]) * edge
    middle = np.array([p.start for p in box]) * edge + length / 2
    least = _STRUCTURE * float(np.nanstd(alike[REACH]))
    parts = [p for p in cut(box, length, known) if np.nanstd(alike[REACH][p]) > least]
    seen = [(p, match) for p in parts if (match := _match(here, alike, p)) is not None]
    about = len(parts), len(parts) - len(seen), float(edge.max()), float(np.linalg.norm(length) / 2)
    nothing = SectionAgreement(
        np.inf, np.inf, 1.0, np.inf, 0, *about, depth_error_um=np.inf, tilt_error_deg=np.inf
    )
    if len(seen) < LEAST_PARTS:
        return nothing
    x = np.array([_flat([(p.start + p.stop) / 2 for p in part] * edge - middle) for part, _ in seen])
    off = np.array([match.gap for _, match in seen]) * sizes
    sure = np.array([match.sure for _, match in seen]) / np.outer(sizes, sizes)
    fit, similar = _fit(x, off, sure, kind), _fit(x, off, sure, "similarity")
    if fit is None or similar is None:
        return nothing
    error = fit.error(np.array([_flat(end) for end in corners(-length / 2, length / 2)]))
    depth, tilt = _normal(fit, _flat(np.array(here.shape) / 2 * edge - middle))
    scale, scale_sd, free = similar.scale()
    return SectionAgreement(
        error, fit.spread, scale, scale_sd, free, *about, depth_error_um=depth, tilt_error_deg=tilt
    )


def _flat(point: Floats) -> Floats:
    return np.array([0.0, *point])


def _slab(section: xr.DataArray, volume: xr.DataArray, matrix: Floats, sizes: Floats) -> Grey:
    """Sample the volume at the pixels of the section and of planes before and behind it."""
    start = np.array(origin(section)) - [REACH * sizes[0], 0.0, 0.0]
    shape = (2 * REACH + 1, *section.shape[1:])
    return sample(blurred(volume), volume, move(matrix, start), matrix[:3, :3], sizes, shape)


@dataclass(frozen=True)
class _Match:
    """By how many voxels along z, y, x a sub-area lies farther along, and how sure that is in each direction.

    `sure` is the inverse of a covariance, but for a factor that the scatter of all sub-areas tells.
    """

    gap: Floats
    sure: Floats


def _match(here: Grey, alike: Grey, part: tuple[slice, ...]) -> _Match | None:
    """Return by how many steps along z, y, x a sub-area lies farther along in the slab; None if nowhere."""
    wide = [
        slice(max(0, p.start - REACH), min(n, p.stop + REACH)) for p, n in zip(part, here.shape, strict=True)
    ]
    block, around = here[part][None], alike[(slice(None), *wide)]
    if block.std() == 0 or not np.nanstd(around) > 0:
        return None
    offset = (REACH, *(p.start - w.start for p, w in zip(part, wide, strict=True)))
    value, count = Correlator(around, block.shape, (REACH,) * 3, offset)(block)
    value = np.where(count >= LEAST_KNOWN * block.size, value, -1.0)
    peak = np.unravel_index(int(value.argmax()), value.shape)
    top = float(value[peak])
    if top <= 0 or any(p in (0, 2 * REACH) for p in peak):
        return None
    slope, curve = quadratic(value[tuple(slice(p - 1, p + 2) for p in peak)])
    bend, axes = np.linalg.eigh(-curve)
    steps = axes.T @ slope / np.maximum(bend, _FLAT)
    known = (bend > 0) & (np.abs(steps) <= 1.0)  # along a ridge nothing is known
    bend, steps = np.where(known, bend, 0.0), np.where(known, steps, 0.0)
    gap = np.array(peak) - REACH + axes @ steps
    sure = float(count[peak]) * top / (1 - min(top, _CLEAREST) ** 2) * (axes * bend) @ axes.T
    return _Match(gap, sure)


def _fit(x: Floats, off: Floats, sure: Floats, kind: Kind) -> Motion | None:
    """Fit a small motion about the origin to how far the points `x` are off, each as sure as it is.

    None where they leave part of it open: a tilt, if all edges stand upright on the section.
    """
    terms = np.array([motion_terms(offset, kind) for offset in x])
    weighed = np.einsum("nij,nik->njk", terms, sure)
    normal = np.einsum("nij,njk->ik", weighed, terms)
    size = np.sqrt(np.diag(normal))
    if not size.all() or np.linalg.cond(normal / np.outer(size, size)) > _OPEN:
        return None
    back: Any = np.linalg.inv(normal)
    found: Floats = back @ np.einsum("nij,nj->i", weighed, off)
    rest = off - terms @ found
    free = max(1, off.size - len(found))
    variance = float(np.einsum("ni,nij,nj", rest, sure, rest)) / free
    typical: Any = np.linalg.pinv(sure.mean(axis=0))
    return Motion(kind, found, variance * back, float(np.sqrt(variance * np.trace(typical))), free)


def _normal(fit: Motion, centre: Floats) -> tuple[float, float]:
    """Return the expected errors of the depth at a point, in µm, and of the less certain tilt, in degrees."""
    squares = fit.covariance + np.outer(fit.found, fit.found)
    at = motion_terms(centre, fit.kind)[0]
    tilts = np.sqrt(np.diag(squares)[3:5])  # the turns that lift x and y; the third is in the plane
    return float(np.sqrt(at @ squares @ at)), float(np.rad2deg(tilts.max()))
