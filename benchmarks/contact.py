"""Contact of two phases: neighbour counting as the paper does it, and by true surface."""

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
    labels = _with_pores(phases_and_grey(size)[0])
    codes = labels.values

    mine = ours(lambda: ct.measure.contact_fraction(labels))
    peer = theirs(lambda: _counted(codes))
    np.testing.assert_allclose(mine.result, peer.result)
    yield Row("contact along y and x", size, mine, "NumPy, differences", peer)
    mine = ours(lambda: ct.measure.contact_profile(labels))
    peer = theirs(lambda: _counted(codes, keep=0))
    np.testing.assert_allclose(mine.result, peer.result)
    yield Row("contact, slice by slice", size, mine, "NumPy, differences", peer)
    mine = ours(lambda: ct.measure.contact_blocks(labels, block_um=7.0))
    peer = theirs(lambda: _in_blocks(codes, 16))
    np.testing.assert_allclose(mine.result.contact_um2.sum(), peer.result * 0.438**2)
    yield Row(f"contact in {len(mine.result)} blocks", size, mine, "NumPy, differences", peer)

    part = codes[(slice(min(size, _PEER_SIZE)),) * 3]
    larger = codes.size / part.size
    mine = ours(lambda: ct.measure.contact_surface(labels))
    peer = theirs(lambda: _meshed(part))
    yield Row("contact by surface", size, mine, "scikit-image, three meshes", peer, larger)
    small = ct.measure.contact_surface(ct.volume(part, 0.438))
    yield f"By surface {small:.3f}, by meshes {peer.result:.3f}, of the same {part.shape[0]}³ voxels."
    if larger > 1:
        yield f"≈: the meshes were timed on {part.shape[0]}³ voxels, the time multiplied by {larger:g}."


def _with_pores(labels: xr.DataArray) -> xr.DataArray:
    """Open gaps: in every other column of blocks the middle phase is pore, so that half is in contact."""
    codes = labels.values.copy()
    gap = (np.arange(codes.shape[2]) // 16) % 2 == 0
    codes[..., gap] = np.where(codes[..., gap] == ct.Phase.CBD, ct.Phase.PORE, codes[..., gap])
    return labels.copy(data=codes)


def _pairs(codes: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for each pair of neighbours whether it is contact, and whether it is a face at all."""
    ahead = np.moveaxis(codes, axis, 0)
    first, second = ahead[:-1], ahead[1:]
    face = (first == ct.Phase.AM) != (second == ct.Phase.AM)
    contact = face & ((first == ct.Phase.CBD) | (second == ct.Phase.CBD))
    return np.moveaxis(contact, 0, axis), np.moveaxis(face, 0, axis)


def _counted(codes: np.ndarray, keep: int | None = None) -> np.ndarray:
    over = None if keep is None else tuple(k for k in range(3) if k != keep)
    sums = [[part.sum(axis=over) for part in _pairs(codes, axis)] for axis in (1, 2)]
    contact, face = np.sum(sums, axis=0)
    return contact / face


def _in_blocks(codes: np.ndarray, edge: int) -> int:
    """Add up contact in blocks; the sum over them is compared."""
    total = 0
    for axis in (1, 2):
        contact, face = (part.astype(np.uint32) for part in _pairs(codes, axis))
        for k, n in enumerate(contact.shape):
            starts = np.arange(0, n, edge)
            contact, face = (np.add.reduceat(part, starts, axis=k) for part in (contact, face))
        total += int(contact.sum())
    return total


def _meshed(codes: np.ndarray) -> float:
    """Return the share by three meshes: of active material, of binder, and of both as one.

    So does PoreSpy's region_interface_areas, for pairs of regions.
    """
    phases = (codes == ct.Phase.AM, codes == ct.Phase.CBD, (codes == ct.Phase.AM) | (codes == ct.Phase.CBD))
    areas = [mesh_surface_area(*marching_cubes(mask, 0.5)[:2]) for mask in phases]
    return float((areas[0] + areas[1] - areas[2]) / (2 * areas[0]))
