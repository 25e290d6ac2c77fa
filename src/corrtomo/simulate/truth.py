"""Ground truth on a coarse grid: the majority of fine labels, without what the coarse grid cannot show."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numba import njit, prange

from ..phases import Phase, as_labels, check_integer
from ..volume import check_image, origin, volume, voxel_size

_CODES = 256


def majority(labels: xr.DataArray, ratio: int) -> xr.DataArray:
    """Coarsen labels by a whole number: each coarse voxel takes the code that most of its fine voxels have.

    The ground truth of the X-ray and FIB-SEM paper is the segmented FIB-SEM volume, coarsened to the X-ray
    grid by the majority rule (section "Preparation of Ground Truth").

    Parameters
    ----------
    labels : xarray.DataArray
        Codes, dims z, y, x; each size a multiple of `ratio`.
    ratio : int
        Fine voxels an edge of a coarse voxel.

    Returns
    -------
    xarray.DataArray
        ``uint8`` labels with `ratio` times the voxel size.

    Raises
    ------
    ValueError
        If a size is not a multiple of `ratio`.

    Notes
    -----
    At a draw the lower code wins. A thin film that fills less than half of every coarse voxel is gone.

    Examples
    --------
    >>> import corrtomo as ct
    >>> from corrtomo.simulate.truth import majority
    >>> fine = ct.volume([[[0, 2], [2, 2]], [[1, 1], [2, 0]]], 0.5)
    >>> majority(fine, 2).values.tolist()
    [[[2]]]
    """
    check_image(labels, ndim=(3,))
    check_integer(labels, doing="coarsen labels")
    if ratio < 1 or any(n % ratio for n in labels.shape):
        raise ValueError(
            f"Cannot coarsen labels of shape {labels.shape} by {ratio}: each size must be a multiple of it. "
            "Crop first, for instance with labels.isel(x=slice(0, ...))."
        )
    fine = np.ascontiguousarray(labels.data, np.uint8)
    out = np.empty(tuple(n // ratio for n in fine.shape), np.uint8)
    _majority(fine, out, ratio)
    edge = voxel_size(labels)
    start = [o + (ratio - 1) / 2 * e for o, e in zip(origin(labels), edge, strict=True)]
    return as_labels(volume(out, [e * ratio for e in edge], origin=start))


def leave_out_small_features(labels: xr.DataArray) -> xr.DataArray:
    """Set what is less than two voxels wide to 255, left out, in each phase.

    The paper excludes the features of each domain whose diameter is below two voxels, the resolution limit it
    assumes, from the evaluation. It describes the same step elsewhere as a morphological opening; so does
    this function.

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, dims z, y, x.

    Returns
    -------
    xarray.DataArray
        The labels with 255 where no 2 × 2 × 2 block of the voxel's own phase holds the voxel.

    Notes
    -----
    A phase continues beyond the border as it meets it, so that nothing is left out for being cut.
    Necks and tips of large features go too, not only separate small ones.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> from corrtomo.simulate.truth import leave_out_small_features
    >>> codes = np.zeros((3, 3, 5), int)
    >>> codes[:, :, 1] = 2
    >>> leave_out_small_features(ct.volume(codes, 1.0)).values[0, 0].tolist()
    [0, 255, 0, 0, 0]
    """
    check_image(labels, ndim=(3,))
    check_integer(labels, doing="leave out small features")
    wide = np.pad(labels.data.astype(np.uint8), 1, mode="edge")
    keep = np.zeros(wide.shape, bool)
    _keep_blocks(wide, keep)
    inner = (slice(1, -1),) * 3
    out = np.where(keep[inner], wide[inner], np.uint8(Phase.LEFT_OUT))
    return as_labels(labels.copy(data=out))


@njit(cache=True, parallel=True)
def _majority(fine: Any, out: Any, n: int) -> None:
    for k in prange(out.shape[0]):
        votes = np.zeros(_CODES, np.int64)
        for j in range(out.shape[1]):
            for i in range(out.shape[2]):
                out[k, j, i] = _winner(fine[k * n : k * n + n, j * n : j * n + n, i * n : i * n + n], votes)


@njit(cache=True)
def _winner(block: Any, votes: Any) -> int:
    votes[:] = 0
    for k in range(block.shape[0]):
        for j in range(block.shape[1]):
            for i in range(block.shape[2]):
                votes[block[k, j, i]] += 1
    return int(np.argmax(votes))


@njit(cache=True)
def _keep_blocks(wide: Any, keep: Any) -> None:
    for k in range(wide.shape[0] - 1):
        for j in range(wide.shape[1] - 1):
            for i in range(wide.shape[2] - 1):
                block = wide[k : k + 2, j : j + 2, i : i + 2]
                if block.min() == block.max():
                    keep[k : k + 2, j : j + 2, i : i + 2] = True
