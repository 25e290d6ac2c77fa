"""What is too small for an instrument to show."""

from __future__ import annotations

from functools import reduce

import numpy as np
import xarray as xr

from ..checks import check_spatial
from ..phases import Phase, check_integer
from ..volume import check_image
from .morphology import ball_voxels, opening

_CODES = 256


def remove_small_features(labels: xr.DataArray, diameter_um: float) -> xr.DataArray:
    """Leave out what is narrower than a diameter, in each phase.

    The X-ray and FIB-SEM paper excludes the features of each domain with a diameter below two X-ray voxels
    from the comparison, for no method could find them: its red features (Sci. Rep. 6, 30109, "Preparation of
    Ground Truth"). It describes the same step elsewhere as a morphological opening; so does this function.

    Parameters
    ----------
    labels : xarray.DataArray
        Codes 0 to 255, dims z, y, x or y, x; a Dask image stays lazy.
    diameter_um : float
        Smallest diameter that stays, in µm: in voxels, rounded, at least 1.

    Returns
    -------
    xarray.DataArray
        ``uint8``: the labels, and 255 (left out) where no ball of that diameter inside the voxel's own phase
        holds the voxel. Fill them, if need be, with the phase around them.

    Raises
    ------
    TypeError
        If the labels are grey values or booleans.
    ValueError
        If the diameter is not above zero, or a code lies beyond 255.

    Notes
    -----
    Ball and border as in :func:`opening`: two voxels are the 2 × 2 × 2 block, and a phase continues beyond
    the border as it meets it. Necks and tips of large features go too, not only separate small ones, and what
    goes is a film along every rough surface: look at how much it is.

    Examples
    --------
    >>> import corrtomo as ct
    >>> labels = ct.volume([[0, 0, 2, 0, 0], [0, 0, 2, 0, 0]], 0.438)
    >>> ct.segment.remove_small_features(labels, 0.876).values.tolist()
    [[0, 0, 255, 0, 0], [0, 0, 255, 0, 0]]
    """
    doing = "remove small features"
    check_image(labels, ndim=(2, 3))
    check_spatial(labels, doing=doing)
    check_integer(labels, doing=doing)
    ball_voxels(labels, diameter_um, doing=doing)
    codes = [int(code) for code in np.asarray(np.unique(labels.data)) if code != Phase.LEFT_OUT]
    if labels.dtype == bool:
        raise TypeError(
            f"Cannot {doing} of a mask of booleans: labels with codes from 0 to 255 are needed. "
            "Open a mask with ct.segment.opening(mask, diameter_um)."
        )
    unknown = [code for code in codes if not 0 <= code < _CODES]
    if unknown:
        raise ValueError(
            f"Cannot {doing} of labels with codes {unknown[:3]}: codes from 0 to 255 are needed. "
            "Renumber the classes."
        )
    narrow = np.uint8(Phase.LEFT_OUT)
    kept = [opening(labels == code, diameter_um) for code in codes]
    if not kept:
        return labels.astype(np.uint8)
    return labels.astype(np.uint8).where(reduce(xr.DataArray.__or__, kept), narrow)
