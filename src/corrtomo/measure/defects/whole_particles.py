"""Particles with what is inside them: their pores and cracks filled."""

from __future__ import annotations

from typing import Any

import cc3d
import numpy as np
import numpy.typing as npt
import xarray as xr

from ...checks import check_length, check_spatial
from ...phases import Phase, check_codes, check_integer
from ...volume import check_image, voxel_size
from ..bodies import cuts_between, split_at_necks
from ..cracks import FILLINGS, ROUNDING
from ..distance import distances
from ..options import check_between
from ..particles import distance_inside

Mask = npt.NDArray[np.bool_]


def whole_particles(
    labels: xr.DataArray, *, widest_um: float, neck: float = 0.7, of: Phase = Phase.AM
) -> xr.DataArray:
    """Give numbers to particles together with the pores and cracks inside them.

    Defects belong to a particle, and a particle is told from its neighbours by its outline: a pore or a crack
    must not part it. The nanoCT and SIMS paper finds particle-internal pores and cracks by eye ("Results and
    Discussion" and Fig. 2, doi:10.1017/S1431927622012405).

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, or a mask of the particles, dims z, y, x or y, x; voxels need not be
        cubes. Dask is computed.
    widest_um : float
        Width in µm of the widest gap that is filled: of a crack, and of the neck by which a pore may open.
    neck : float
        From 0 to 1: particles that touch are two where their contact is narrower than this share of the
        smaller one's width.
    of : Phase
        The phase of the particles, where labels are given.

    Returns
    -------
    xarray.DataArray
        ``uint32``: 0 outside and in the gaps between particles, 1, 2, 3 … in the particles, also where labels
        say pore or binder within them.

    Raises
    ------
    TypeError, ValueError
        If labels are neither codes of phases nor a mask, no voxel is of the phase, `widest_um` is below the
        voxel size or above half the length of the image, or `neck` is out of range.

    Notes
    -----
    Pore and binder that a ball of the widest width cannot enter is filled (a closing by distances), and so is
    what has then no way out. Bodies are parted at their necks, and what was filled within `widest_um` of such
    a cut is a gap between two particles and belongs to none. A cavity that the image cuts counts as inside if
    it meets one face of the image and no other; what meets two is taken for the outside.

    Misleads: particles pressed flat against each other have no neck and become one, and a pore with a mouth
    wider than `widest_um` is outside. Held at the peak: some 40 bytes for each voxel of the box around the
    particles.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> labels = np.zeros((9, 9), int)
    >>> labels[1:8, 1:8] = 2
    >>> labels[3:6, 3:6] = 0
    >>> int(ct.measure.whole_particles(ct.volume(labels, 0.1), widest_um=0.1).sum())
    49
    """
    doing = "find whole particles"
    solid, void = solid_and_void(labels, of, doing=doing)
    edges = voxel_size(labels)
    check_between(neck, "neck", 0, 1, doing=doing)
    _check_width(widest_um, labels, doing=doing)
    box = _box(solid)
    numbers = np.zeros(labels.shape, np.uint32)
    numbers[box] = _numbered(solid[box], void[box], edges, float(widest_um), float(neck))
    return xr.DataArray(numbers, dims=labels.dims, coords=labels.coords, name="particles")


def solid_and_void(labels: xr.DataArray, of: Phase, *, doing: str) -> tuple[Mask, Mask]:
    """Return where the particles are and where a defect may be; refuse labels without particles."""
    check_image(labels, ndim=(2, 3))
    check_spatial(labels, doing=doing)
    check_integer(labels, doing=doing)
    values = np.asarray(labels.data)
    if labels.dtype == bool:
        solid, void = values, ~values
    else:
        check_codes(labels)
        solid, void = values == Phase(of), np.isin(values, [int(phase) for phase in FILLINGS])
    if not solid.any():
        what = "the mask is empty" if labels.dtype == bool else f"no voxel is {Phase(of).label}"
        raise ValueError(
            f"Cannot {doing}: {what}, and one voxel or more is needed. Check the threshold, or pass "
            "another phase as of=."
        )
    return solid, void


def _check_width(widest: Any, labels: xr.DataArray, *, doing: str) -> None:
    check_length(widest, "widest_um", doing=doing)
    edges = voxel_size(labels)
    longest = max(n * edge for n, edge in zip(labels.shape, edges, strict=True))
    least = min(edges)
    if not least * (1 - ROUNDING) <= widest <= max(longest / 2, least):
        raise ValueError(
            f"Cannot {doing} with widest_um={widest:g}: the voxels are {edges} µm, the image is "
            f"{longest:g} µm long, and a width of one voxel up to half the image is possible. Widths are in "
            "µm; pass for instance 0.5."
        )


def _box(mask: Mask) -> tuple[slice, ...]:
    """Return the box around a mask, with a voxel around it where there is one."""
    out = []
    for axis in range(mask.ndim):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        inside = np.flatnonzero(mask.any(axis=others))
        out.append(slice(max(0, int(inside[0]) - 1), int(inside[-1]) + 2))
    return tuple(out)


def _numbered(
    solid: Mask, void: Mask, edges: tuple[float, ...], widest: float, neck: float
) -> npt.NDArray[np.uint32]:
    # A slot of n voxels is closed by a ball that reaches half a voxel beyond its middle.
    radius = (widest + float(np.mean(edges))) / 2 * (1 + ROUNDING)
    # At the border the image goes on as it is there.
    margin = [int(np.ceil(2 * radius / edge)) + 1 for edge in edges]
    wide = np.pad(solid, [(n, n) for n in margin], mode="edge")
    inner = tuple(slice(n, n + size) for n, size in zip(margin, solid.shape, strict=True))
    closed = distances(distances(~wide, edges) <= radius, edges) > radius
    cavities = _cavities(closed)
    bodies = split_at_necks(distance_inside(closed | cavities, edges), neck)
    gaps = closed & (distances(~cuts_between(bodies), edges) <= widest)
    kept = np.where(solid | (void & ~gaps[inner]), bodies[inner], 0)
    present = np.zeros(int(bodies.max()) + 1, np.uint32)
    present[kept[solid]] = 1
    present[0] = 0
    return np.asarray((np.cumsum(present, dtype=np.uint32) * present)[kept])


def _cavities(closed: Mask) -> Mask:
    """Tell what has no way out of a mask, and meets one face of the image at most."""
    flat = sum(n > 1 for n in closed.shape) <= 1
    connectivity: Any = 6 if closed.ndim == 3 else 4
    if flat or closed.all():
        return np.zeros_like(closed)
    numbers = cc3d.connected_components(~closed, connectivity=connectivity, out_dtype=np.uint32)
    faces = np.zeros(int(numbers.max()) + 1, np.int64)
    for axis in range(closed.ndim):
        for end in (0, -1):
            faces[np.unique(np.take(numbers, end, axis))] += 1
    faces[0] = 2
    return np.asarray((faces < 2)[numbers])
