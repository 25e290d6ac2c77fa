"""Ground truth without what its grid cannot show."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numba import njit

from ..phases import Phase, as_labels, check_integer
from ..volume import check_image


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


@njit(cache=True)
def _keep_blocks(wide: Any, keep: Any) -> None:
    for k in range(wide.shape[0] - 1):
        for j in range(wide.shape[1] - 1):
            for i in range(wide.shape[2] - 1):
                block = wide[k : k + 2, j : j + 2, i : i + 2]
                if block.min() == block.max():
                    keep[k : k + 2, j : j + 2, i : i + 2] = True
