"""Cracks in particles, found by size, shape and phase."""

from __future__ import annotations

from numbers import Real
from typing import Any

import cc3d
import numpy as np
import numpy.typing as npt
import xarray as xr

from ..checks import check_length, check_spatial
from ..phases import Phase, check_codes
from ..volume import check_image, voxel_size
from .bodies import cuts_between, split_at_necks
from .cracks import FILLINGS, ROUNDING, parts, shape_of
from .distance import distances

Mask = npt.NDArray[np.bool_]
_ENCLOSED = 2 / 3
"""Share of a crack's outline that lies against the particle: what is more open is roughness of a surface."""


def crack_labels(
    labels: xr.DataArray,
    *,
    widest_um: float,
    shortest_um: float | None = None,
    slimmest: float = 3.0,
    neck: float = 0.7,
    of: Phase = Phase.AM,
) -> xr.DataArray:
    """Find the cracks in particles and number them.

    Whether cracks in particles are empty or filled decides if they help or hinder transport; the kintsugi
    paper finds both (J. Electrochem. Soc. 169, 070512, "Results and Discussion" and Fig. 4b).

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, dims z, y, x or y, x; voxels need not be cubes. Dask is computed.
    widest_um : float
        Width of the widest crack in µm; what is wider is a pore.
    shortest_um : float, optional
        Length of the shortest crack in µm; by default `widest_um`.
    slimmest : float
        Least length over width, from 1: what is rounder is a hole.
    neck : float
        From 0 to 1: particles that touch are two where their contact is narrower than this share of the
        smaller one's width.
    of : Phase
        The phase of the particles.

    Returns
    -------
    xarray.DataArray
        ``uint32``: 0 outside, 1, 2, 3 … in the cracks.

    Raises
    ------
    TypeError, ValueError
        If labels are not codes of phases, no voxel is of the phase, a length is not above zero, `widest_um`
        is below the voxel size or above half the length of the image, or a share is out of range.

    Notes
    -----
    Pore and binder that a ball of the widest width cannot enter (a closing of the particles, by distances)
    are candidates. A narrow gap between two particles looks the same from near by. The rule that tells them
    apart: with all that is narrow filled, a cracked particle is one body, two particles that touch are two
    bodies with a neck. Bodies are parted at necks, and candidates within `widest_um` of such a cut are gaps.
    What is left is a crack if it is long, slim, and has two thirds of its outline or more against the
    particle.

    Misleads: two particles face to face over their whole width have no neck, and count as one that is
    cracked through. A small particle that touches a larger one is told apart only if it is more than about 8
    times `widest_um` across. A particle with a wide hole in its middle may be parted there. A crack ends
    where it becomes wider than `widest_um`, and where it opens into a gap. Widths are whole voxels: what is
    one voxel wider than stated may pass. In a section nobody knows whether a closed crack opens above or
    below it.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> y, x = np.ogrid[-20:21, -20:21]
    >>> labels = np.where(y**2 + x**2 < 15.0**2, 2, 0)
    >>> labels[20, 13:28] = 1
    >>> found = ct.measure.crack_labels(ct.volume(labels, 0.1), widest_um=0.3)
    >>> int(found.max()), int((found > 0).sum())
    (1, 15)
    """
    doing = "find cracks"
    shortest = _check_options(labels, widest_um, shortest_um, slimmest, neck, of, doing=doing)
    edges = voxel_size(labels)
    codes = np.asarray(labels.data)
    crevices = _crevices(codes, edges, float(widest_um), neck, of)
    numbers = _components(crevices)
    found = np.zeros(int(numbers.max()) + 1, np.uint32)
    against = _enclosed(numbers, codes == of, edges)
    for number, _, part in parts(numbers):
        if against[number] >= _ENCLOSED:
            length, width = shape_of(part, edges)
            if length >= shortest * (1 - ROUNDING) and length >= slimmest * width * (1 - ROUNDING):
                found[number] = found.max() + 1
    return xr.DataArray(found[numbers], dims=labels.dims, coords=labels.coords, name="cracks")


def _crevices(codes: Any, edges: tuple[float, ...], widest: float, neck: float, of: Phase) -> Mask:
    """Tell which pore and binder is narrow, and within one particle."""
    # A slot of n voxels is closed by a ball that reaches half a voxel beyond its middle.
    radius = (widest + float(np.mean(edges))) / 2 * (1 + ROUNDING)
    # At the border the image goes on as it is there.
    margin = [int(np.ceil(2 * radius / edge)) + 1 for edge in edges]
    wide = np.pad(codes, [(n, n) for n in margin], mode="edge")
    solid = wide == of
    closed = distances(distances(~solid, edges) <= radius, edges) > radius
    depth = distances(closed, edges)
    near_cut = distances(~cuts_between(split_at_necks(depth, neck)), edges) <= widest
    narrow = closed & np.isin(wide, FILLINGS) & ~near_cut
    inner = tuple(slice(n, n + size) for n, size in zip(margin, codes.shape, strict=True))
    return np.ascontiguousarray(narrow[inner])


def _components(mask: Mask) -> npt.NDArray[np.uint32]:
    connectivity: Any = 26 if mask.ndim == 3 else 8
    if sum(n > 1 for n in mask.shape) <= 1:
        connectivity = 6 if mask.ndim == 3 else 4  # on a line, where cc3d 4.1 fails for the largest
    return np.asarray(cc3d.connected_components(mask, connectivity=connectivity, out_dtype=np.uint32))


def _enclosed(numbers: Any, solid: Mask, edges: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Return for each component the share of its faces that lie against the particle."""
    count = int(numbers.max()) + 1
    faces, against = np.zeros(count), np.zeros(count)
    for axis in range(numbers.ndim):
        area = float(np.prod(edges)) / edges[axis]
        before = (slice(None),) * axis + (slice(None, -1),)
        after = (slice(None),) * axis + (slice(1, None),)
        for here, there in ((before, after), (after, before)):
            own, other = numbers[here], numbers[there]
            outline = own != other
            faces += area * np.bincount(own[outline], minlength=count)
            against += area * np.bincount(own[outline & solid[there]], minlength=count)
    return against / np.maximum(faces, np.finfo(float).tiny)


def _check_options(
    labels: xr.DataArray, widest: Any, shortest: Any, slimmest: Any, neck: Any, of: Any, *, doing: str
) -> float:
    """Refuse options out of range; return the shortest length."""
    check_image(labels, ndim=(2, 3))
    check_spatial(labels, doing=doing)
    present = check_codes(labels)
    if Phase(of) not in present:
        raise ValueError(
            f"Cannot {doing}: no voxel is {Phase(of).label}. Phases that occur: "
            f"{', '.join(p.label for p in present)}. Pass another phase as of=, or a larger crop."
        )
    check_length(widest, "widest_um", doing=doing)
    check_length(widest if shortest is None else shortest, "shortest_um", doing=doing)
    if widest < min(voxel_size(labels)) * (1 - ROUNDING):
        raise ValueError(
            f"Cannot {doing} of at most {widest:g} µm: the voxel size is {voxel_size(labels)} µm. Pass a "
            "width of one voxel or more."
        )
    for name, value, low, high in (("slimmest", slimmest, 1, np.inf), ("neck", neck, 0, 1)):
        if isinstance(value, bool) or not isinstance(value, Real) or not low <= float(value) <= high:
            raise ValueError(
                f"Cannot {doing} with {name} {value!r}: a number from {low} to {high} is needed."
            )
    longest = max(n * edge for n, edge in zip(labels.shape, voxel_size(labels), strict=True))
    if widest > longest / 2:
        raise ValueError(
            f"Cannot {doing} of up to {widest:g} µm: the image is {longest:g} µm long, and at most half of "
            "that is possible. A crack is narrow; widths are in µm."
        )
    return float(widest if shortest is None else shortest)
