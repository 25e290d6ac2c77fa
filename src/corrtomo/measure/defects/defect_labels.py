"""Pores and cracks inside particles, numbered."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import cc3d
import numpy as np
import numpy.typing as npt
import xarray as xr

from ...checks import check_length, check_same_grid
from ...phases import Phase, check_integer
from ...volume import voxel_size
from ..cracks import ROUNDING
from ..distance import distances
from .whole_particles import solid_and_void

Numbers = npt.NDArray[np.uint32]
_ENCLOSED = 0.8
"""Share of a defect's faces that lie against its particle; half a ball has 3/4, as a dent of a surface."""
_SMALLEST_VOXELS = 3.0
_OWN = 0.5
"""Share of the voxels of particles that are of their phase, at least: fewer belong to another image."""
_FILM, _DEEP = 2.0, 4.0
"""Voxels from the outside of a particle: nearer than the first is a film on a rough surface, which would join
cracks; what nowhere reaches the second is that roughness, as where a milled face lies between two voxels."""


def defect_labels(
    labels: xr.DataArray,
    particles: xr.DataArray,
    *,
    smallest_um: float | None = None,
    of: Phase = Phase.AM,
) -> xr.DataArray:
    """Find the pores and cracks inside particles and number them.

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, or a mask of the particles, dims z, y, x or y, x.
    particles : xarray.DataArray
        Numbers of particles on the same grid, pores and cracks included, from :func:`whole_particles`.
    smallest_um : float, optional
        Diameter in µm of the ball (in 2D the disc) as large as the smallest defect; by default three voxels.
    of : Phase
        The phase of the particles, where labels are given.

    Returns
    -------
    xarray.DataArray
        ``uint32``: 0 outside, 1, 2, 3 … in the defects.

    Raises
    ------
    TypeError
        If labels or particles are not integers, or the smallest diameter is no number.
    ValueError
        If grids differ, no voxel is of the phase, a number is negative, or `smallest_um` is not above zero.

    Notes
    -----
    A defect is pore or binder in one particle, connected also over corners, with four fifths or more of its
    voxel faces against that particle: what is more open is roughness of a surface. A slot must be twice as
    deep as wide. What is within a voxel of the outside is judged by what it belongs to: a film on a rough
    surface goes, the mouth of a crack stays. A defect reaches four voxels deep at least. Faces on the border
    of the image count for neither.

    Particles without their pores have no defects: of those from :func:`label_particles` a warning says so,
    and of particles less than half of which are of their phase, as if they were turned, shifted or swapped.

    How small a defect is found depends on what blurred and segmented the volume. In drawn particles with
    0.05 µm voxels, a blur of 0.22 µm (full width at half maximum), noise of a tenth of the contrast and a
    threshold half-way, pores of 0.30 µm were found once in six times, of 0.35 µm always: half of the time at
    0.32 µm. Cracks 1.2 µm wide were found from an opening of 0.10 µm on. Nothing false was found. A pore
    comes out too small: 0.27 of its volume at 0.35 µm, 0.43 at 0.4, 0.73 at 0.6.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> labels = np.zeros((9, 9), int)
    >>> labels[1:8, 1:8] = 2
    >>> labels[3:6, 3:6] = 0
    >>> image = ct.volume(labels, 0.1)
    >>> particles = ct.measure.whole_particles(image, widest_um=0.1)
    >>> int((ct.measure.defect_labels(image, particles) > 0).sum())
    9
    """
    doing = "find defects"
    solid, void = solid_and_void(labels, of, doing=doing)
    owners = numbers_of(particles, doing=doing)
    check_same_grid(labels, particles, doing=doing)
    edges = voxel_size(labels)
    if smallest_um is not None:
        check_length(smallest_um, "smallest_um", doing=doing)
    smallest = _SMALLEST_VOXELS * float(np.mean(edges)) if smallest_um is None else float(smallest_um)
    least = np.pi * smallest**labels.ndim / (6 if labels.ndim == 3 else 4) / float(np.prod(edges))
    _warn(solid, void, owners, least, "True in the mask" if labels.dtype == bool else Phase(of).label)
    deep = distances(owners > 0, (1.0,) * labels.ndim)
    inner = void & (deep >= _FILM)
    found = _components(np.where(inner, owners, 0).astype(np.uint32))
    kept = _enclosed(found, np.where(solid, owners, 0), owners, edges) >= _ENCLOSED
    kept &= np.bincount(found[deep >= _DEEP], minlength=len(kept)) > 0
    kept[0] = False
    found = np.where(kept[found], found, np.uint32(0))
    _grow(found, void & ~inner, owners)
    kept = np.bincount(found.ravel()) >= least * (1 - ROUNDING)
    kept[0] = False
    numbers = (np.cumsum(kept, dtype=np.uint32) * kept).astype(np.uint32)[found]
    return xr.DataArray(numbers, dims=labels.dims, coords=labels.coords, name="defects")


def _warn(
    solid: npt.NDArray[np.bool_],
    void: npt.NDArray[np.bool_],
    owners: npt.NDArray[Any],
    least: float,
    phase: str,
) -> None:
    """Warn of particles that are not those of the labels, or that hold none of their pores."""
    inside = owners > 0
    if not inside.any():
        return
    share = float(solid[inside].mean())
    if share < _OWN:
        warnings.warn(
            f"Only {share:.0%} of the particles' voxels are {phase}: they may belong to another image, be "
            "turned or shifted, or swapped with the labels. Pass those of "
            "ct.measure.whole_particles(labels).",
            stacklevel=3,
        )
    elif not (void & inside).any() and (count := _left_out(void, owners, least)):
        warnings.warn(
            f"Pores inside of particles belong to none ({count} of them), and no defect is found: particles "
            "are numbered without their pores. Pass those of ct.measure.whole_particles(labels).",
            stacklevel=3,
        )


def _left_out(void: npt.NDArray[np.bool_], owners: npt.NDArray[Any], least: float) -> int:
    """Count pores of so many voxels that one particle encloses and does not hold."""
    connectivity: Any = 6 if void.ndim == 3 else 4
    pores = np.asarray(cc3d.connected_components(void, connectivity=connectivity, out_dtype=np.uint32))
    sizes = np.bincount(pores.ravel())
    fewest, most = np.full(sizes.size, np.iinfo(np.int64).max), np.full(sizes.size, -1)
    for here, there in _neighbours(void.ndim):
        beside = (pores[here] > 0) & (pores[here] != pores[there])
        np.minimum.at(fewest, pores[here][beside], owners[there][beside].astype(np.int64))
        np.maximum.at(most, pores[here][beside], owners[there][beside].astype(np.int64))
    for axis in range(void.ndim):
        for end in (0, -1):
            most[np.unique(np.take(pores, end, axis))] = -1
    enclosed = (most > 0) & (fewest == most) & (sizes >= least * (1 - ROUNDING))
    return int(enclosed[1:].sum())


def numbers_of(numbered: xr.DataArray, *, doing: str) -> npt.NDArray[Any]:
    """Refuse what are no numbers from 0; return them."""
    check_integer(numbered, doing=doing)
    values = np.asarray(numbered.data)
    if numbered.dtype == bool:
        raise TypeError(
            f"Cannot {doing} with a mask of booleans: numbers from 1 are needed, and 0 is none. Make them "
            "with ct.measure.whole_particles() and ct.measure.defect_labels()."
        )
    if not 0 <= int(values.min()) <= int(values.max()) < 2**32:
        raise ValueError(
            f"Cannot {doing} with numbers from {int(values.min())} to {int(values.max())}: they count from "
            "1, and 0 is none. Take those of ct.measure.whole_particles() and ct.measure.defect_labels()."
        )
    return values


def _components(owned: Numbers) -> Numbers:
    connectivity: Any = 26 if owned.ndim == 3 else 8
    if sum(n > 1 for n in owned.shape) <= 1:
        connectivity = 6 if owned.ndim == 3 else 4  # on a line, where cc3d 4.1 fails for the largest
    return np.asarray(cc3d.connected_components(owned, connectivity=connectivity, out_dtype=np.uint32))


def _grow(found: Numbers, film: npt.NDArray[np.bool_], owners: npt.NDArray[Any]) -> None:
    """Give to defects the film next to them, as far as it is thick."""
    for _ in range(int(_FILM)):
        before = found.copy()
        for here, there in _neighbours(found.ndim):
            joins = film[here] & (before[there] > 0) & (owners[here] == owners[there])
            found[here][joins] = np.maximum(found[here], before[there])[joins]


def _neighbours(ndim: int) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Return where voxels are, and where their next ones, along each axis in both directions."""
    for axis in range(ndim):
        before = (slice(None),) * axis + (slice(None, -1),)
        after = (slice(None),) * axis + (slice(1, None),)
        yield before, after
        yield after, before


def _enclosed(
    found: Numbers, solid_of: npt.NDArray[Any], owners: npt.NDArray[Any], edges: tuple[float, ...]
) -> npt.NDArray[np.float64]:
    """Return for each component the share of its faces that lie against its own particle."""
    count = int(found.max()) + 1
    faces, against = np.zeros(count), np.zeros(count)
    for step, (here, there) in enumerate(_neighbours(found.ndim)):
        area = float(np.prod(edges)) / edges[step // 2]
        own = found[here]
        outline = (own != found[there]) & (own > 0)
        faces += area * np.bincount(own[outline], minlength=count)
        met = outline & (solid_of[there] == owners[here])
        against += area * np.bincount(own[met], minlength=count)
    return against / np.maximum(faces, np.finfo(float).tiny)
