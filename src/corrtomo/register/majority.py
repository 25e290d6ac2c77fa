"""Fine labels on a coarse grid: each coarse voxel takes the phase that fills most of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import njit, prange
from tqdm import tqdm

from ..checks import check_spatial
from ..phases import Phase, check_integer
from ..volume import check_image, origin, voxel_size

if TYPE_CHECKING:
    from .alignment import Alignment

_CODES = 256
_SLAB = 1 << 26
"""Fine voxels that are read at a time."""
_LEAST_POINTS = 8
_MOST_POINTS = 100
_DRAW = 1e-9
"""Shares of a voxel that differ by less are a draw: they are sums of rounded numbers."""
_SCALE_ERROR = 0.01
"""How far the scale of an alignment may be off: it is fitted."""

Floats = npt.NDArray[np.float64]


def coarsen(
    labels: xr.DataArray,
    onto: xr.DataArray,
    *,
    alignment: Alignment | None = None,
    progress: bool = True,
) -> xr.DataArray:
    """Bring fine labels onto a coarse grid by the majority rule.

    FIB-SEM sees what X-ray tomography may be judged by only once it stands on the X-ray grid: the paper
    coarsens its segmented FIB-SEM volume by the majority rule (Sci. Rep. 6, 30109, "Preparation of Ground
    Truth"). Its voxels are 13.04 times finer, not a whole number; nor need the two grids be parallel.

    Parameters
    ----------
    labels : xarray.DataArray
        Fine codes 0 to 255, dims z, y, x or y, x, NumPy or Dask; a Dask image is read slab by slab.
    onto : xarray.DataArray
        Any image on the coarse grid, in the same dims; only its coordinates are used.
    alignment : Alignment, optional
        From the frame of `labels` to that of `onto`, as :func:`corrtomo.register.align` finds it. By default
        both share one frame.
    progress : bool
        Show a bar while large labels are read.

    Returns
    -------
    xarray.DataArray
        ``uint8`` labels on the grid of `onto`, with the attributes of `labels`. What no label covers is 255.

    Raises
    ------
    TypeError
        If the labels are grey values or booleans.
    ValueError
        If the dims differ, `onto` is finer than `labels` (as the alignment scales them; by more than 1 %,
        since a scale is fitted), they do not overlap, or a code is beyond 255.

    Notes
    -----
    Without an alignment the shares are exact: a fine voxel that a border of the coarse grid cuts counts for
    each side by its part. With one, each coarse voxel is sampled at even points, along each of its axes as
    many as it crosses fine voxels, 8 at least and 100 at most, and each point takes the code of the fine
    voxel that it lies in. Of equal shares the lower code wins. What lies outside the labels counts as left
    out (255) and votes as such: a coarse voxel that is less than half covered is left out. A film thinner
    than half a coarse voxel is gone.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> fine = ct.volume([[[0, 2], [2, 2]], [[1, 1], [2, 0]]], 0.5)
    >>> grid = ct.volume(np.zeros((1, 1, 1)), 1.0, origin=0.25)
    >>> ct.register.coarsen(fine, grid).values.tolist()
    [[[2]]]
    """
    _check(labels, onto)
    to_fine = _index_map(labels, onto, alignment)
    _check_ratio(labels, onto, to_fine, 1e-6 if alignment is None else _SCALE_ERROR)
    lead = 3 - labels.ndim
    shape = (1,) * lead + onto.shape
    out = np.full(shape, Phase.LEFT_OUT, np.uint8)
    crossed = np.abs(to_fine[:3, :3]).sum(axis=0)
    points = np.clip(np.ceil(crossed - 1e-9), _LEAST_POINTS, _MOST_POINTS).astype(np.int64)
    points[:lead] = 1
    covered = False
    for planes, box, fine in _slabs(labels, to_fine, shape, progress):
        covered = True
        if alignment is None:
            ends = [_parts(to_fine, axis, shape, planes, box) for axis in range(3)]
            _vote(fine, ends[0], ends[1], ends[2], out[planes])
        else:
            local = to_fine.copy()
            local[:3, 3] += to_fine[:3, 0] * planes.start - [part.start for part in box]
            _sample(fine, local, points, out[planes])
    if not covered:
        raise ValueError(
            f"Cannot coarsen labels: they lie at {_extent(labels)} µm, the coarse grid at {_extent(onto)} "
            "µm, and nothing overlaps. Both must share a frame, or an alignment must join them. Find one "
            "with ct.register.align(moving, fixed) and pass it as alignment=."
        )
    result = onto.copy(data=out.reshape(onto.shape)).rename(labels.name)
    result.attrs = dict(labels.attrs)
    return result


def _check(labels: xr.DataArray, onto: xr.DataArray) -> None:
    check_image(labels, ndim=(2, 3))
    check_spatial(labels, doing="coarsen labels")
    check_integer(labels, doing="coarsen labels")
    check_spatial(onto, doing="coarsen labels onto a grid")
    if labels.dtype == bool:
        raise TypeError(
            "Cannot coarsen a mask of booleans: what is not covered could not be told from the rest. Codes "
            "of ct.Phase are needed. Convert it first, for instance with mask.astype('uint8')."
        )
    if labels.dims != onto.dims:
        raise ValueError(
            f"Cannot coarsen labels with dims {labels.dims} onto a grid with dims {onto.dims}: they must be "
            "the same. Select a slice of the larger one first, for instance with image.isel(z=0)."
        )


def _check_ratio(labels: xr.DataArray, onto: xr.DataArray, to_fine: Floats, error: float) -> None:
    """Refuse a grid with a step, along any axis, of less than one fine voxel."""
    steps = np.linalg.norm(to_fine[:3, 3 - labels.ndim : 3], axis=0)
    if (steps < 1 - error).any():
        raise ValueError(
            f"Cannot coarsen labels of voxel size {voxel_size(labels)} µm onto {voxel_size(onto)} µm: there, "
            f"a voxel is {', '.join(f'{s:.3g}' for s in steps)} of theirs long, and the grid must be as "
            "coarse or coarser along each axis. Swap the two images, or bring the labels onto a finer grid "
            "with alignment.resample()."
        )


def _index_map(labels: xr.DataArray, onto: xr.DataArray, alignment: Alignment | None) -> Floats:
    """Return the 4 × 4 matrix from voxel numbers of the coarse grid to voxel numbers of the fine labels."""
    lead = 3 - labels.ndim

    def to_um(image: xr.DataArray) -> Floats:
        matrix = np.diag([*[1.0] * lead, *voxel_size(image), 1.0])
        matrix[:3, 3] = [*[0.0] * lead, *origin(image)]
        return matrix

    between = np.eye(4)
    if alignment is not None:
        between[lead:, lead:] = np.linalg.inv(alignment.matrix)
    matrix: Floats = np.linalg.inv(to_um(labels)) @ between @ to_um(onto)
    return matrix


def _slabs(
    labels: xr.DataArray, to_fine: Floats, shape: tuple[int, ...], progress: bool
) -> Iterator[tuple[slice, tuple[slice, ...], npt.NDArray[np.uint8]]]:
    """Cut the coarse grid into slabs along z; yield each with the box of fine voxels that it needs."""
    sizes = (1,) * (3 - labels.ndim) + labels.shape
    whole = _box(to_fine, shape, slice(0, shape[0]), sizes)
    if whole is None:
        return
    needed = np.prod([float(part.stop - part.start) for part in whole])
    count = int(np.clip(np.ceil(needed / _SLAB), 1, shape[0]))
    ends = np.linspace(0, shape[0], count + 1).astype(int)
    data = labels.data.reshape(sizes)
    slabs = [slice(int(a), int(b)) for a, b in pairwise(ends)]
    for planes in tqdm(slabs, desc="coarsen labels", unit="slab", disable=not progress or count < 4):
        box = _box(to_fine, shape, planes, sizes)
        if box is not None:
            yield planes, box, _codes(data[box])


def _box(
    to_fine: Floats, shape: tuple[int, ...], planes: slice, sizes: tuple[int, ...]
) -> tuple[slice, ...] | None:
    """Return the fine voxels around a slab of the coarse grid; None where there are none."""
    edges = [(planes.start - 0.5, planes.stop - 0.5), (-0.5, shape[1] - 0.5), (-0.5, shape[2] - 0.5)]
    corners = np.array(np.meshgrid(*edges)).reshape(3, -1)
    inside = to_fine[:3, :3] @ corners + to_fine[:3, 3:]
    low = np.maximum(np.floor(inside.min(axis=1) + 0.5 + 1e-9), 0)
    high = np.minimum(np.ceil(inside.max(axis=1) + 0.5 - 1e-9), sizes)
    if (low >= high).any():
        return None
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))


def _codes(data: Any) -> npt.NDArray[np.uint8]:
    codes = np.asarray(data)
    if codes.dtype != np.uint8 and not 0 <= int(codes.min()) <= int(codes.max()) < _CODES:
        raise ValueError(
            f"Cannot coarsen labels with codes from {codes.min()} to {codes.max()}: codes lie from 0 to 255. "
            "Particle numbers have no majority to report: coarsen the phases first."
        )
    return np.ascontiguousarray(codes, np.uint8)


def _parts(
    to_fine: Floats, axis: int, shape: tuple[int, ...], planes: slice, box: tuple[slice, ...]
) -> Floats:
    """Return lower ends of the coarse voxels along an axis, and the last upper end, in fine voxel edges."""
    first, count = (planes.start, planes.stop - planes.start) if axis == 0 else (0, shape[axis])
    edges = np.arange(first, first + count + 1) - 0.5
    return np.asarray(to_fine[axis, axis] * edges + to_fine[axis, 3] + 0.5 - box[axis].start)


def _extent(image: xr.DataArray) -> str:
    ends = ((image[d].values[0], image[d].values[-1], d) for d in image.dims)
    return ", ".join(f"{d} {low:.4g}–{high:.4g}" for low, high, d in ends)


@njit(cache=True, parallel=True)
def _vote(fine: Any, ends_z: Any, ends_y: Any, ends_x: Any, out: Any) -> None:
    rows = out.shape[1]
    for row in prange(out.shape[0] * rows):
        k, j = row // rows, row % rows
        votes = np.zeros((out.shape[2], _CODES))
        _vote_row(fine, ends_z[k : k + 2], ends_y[j : j + 2], ends_x, votes)
        cell = (ends_z[k + 1] - ends_z[k]) * (ends_y[j + 1] - ends_y[j])
        for i in range(out.shape[2]):
            volume = cell * (ends_x[i + 1] - ends_x[i])
            votes[i, _CODES - 1] += volume - votes[i].sum()
            out[k, j, i] = _winner(votes[i])


@njit(cache=True)
def _vote_row(fine: Any, z: Any, y: Any, ends_x: Any, votes: Any) -> None:
    """Add up what share of each fine voxel lies in each coarse voxel of one row."""
    for a in range(max(0, int(np.floor(z[0]))), min(fine.shape[0], int(np.ceil(z[1])))):
        for b in range(max(0, int(np.floor(y[0]))), min(fine.shape[1], int(np.ceil(y[1])))):
            weight = (min(a + 1.0, z[1]) - max(a, z[0])) * (min(b + 1.0, y[1]) - max(b, y[0]))
            for i in range(len(votes)):
                low, high = ends_x[i], ends_x[i + 1]
                for c in range(max(0, int(np.floor(low))), min(fine.shape[2], int(np.ceil(high)))):
                    votes[i, fine[a, b, c]] += weight * (min(c + 1.0, high) - max(c, low))


@njit(cache=True, parallel=True)
def _sample(fine: Any, to_fine: Any, points: Any, out: Any) -> None:
    rows = out.shape[1]
    for row in prange(out.shape[0] * rows):
        k, j = row // rows, row % rows
        votes = np.zeros(_CODES)
        for i in range(out.shape[2]):
            votes[:] = 0
            _sample_voxel(fine, to_fine, points, (k, j, i), votes)
            out[k, j, i] = _winner(votes)


@njit(cache=True)
def _sample_voxel(fine: Any, to_fine: Any, points: Any, voxel: Any, votes: Any) -> None:
    for a in range(points[0]):
        z = voxel[0] + (a + 0.5) / points[0] - 0.5
        for b in range(points[1]):
            y = voxel[1] + (b + 0.5) / points[1] - 0.5
            for c in range(points[2]):
                x = voxel[2] + (c + 0.5) / points[2] - 0.5
                p = _nearest(to_fine[0], z, y, x)
                q = _nearest(to_fine[1], z, y, x)
                r = _nearest(to_fine[2], z, y, x)
                if 0 <= p < fine.shape[0] and 0 <= q < fine.shape[1] and 0 <= r < fine.shape[2]:
                    votes[fine[p, q, r]] += 1.0
                else:
                    votes[_CODES - 1] += 1.0


@njit(cache=True)
def _nearest(row: Any, z: float, y: float, x: float) -> int:
    return int(np.floor(row[0] * z + row[1] * y + row[2] * x + row[3] + 0.5))


@njit(cache=True)
def _winner(votes: Any) -> int:
    """Return the code with most votes; of those within rounding of it the lowest."""
    most = votes.max() * (1.0 - _DRAW)
    for code in range(_CODES):
        if votes[code] >= most:
            return code
    return _CODES - 1
