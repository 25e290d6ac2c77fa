"""How much of each phase there is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from ..blocks import blocks
from ..checks import check_spatial
from ..phases import Phase, check_integer
from ..volume import voxel_size
from .histogram import CODES, as_codes


def volume_fractions(labels: xr.DataArray) -> pd.DataFrame:
    """Compute the volume fraction of each phase.

    The first check of any segmentation: the fractions are known from the recipe and the thickness of the
    electrode (Sci. Rep. 6, 30109, "Sample Preparation").

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, any spatial dims, NumPy or Dask.

    Returns
    -------
    pandas.DataFrame
        A row for each phase that occurs, by code; columns ``phase``, ``voxels``, ``volume_um3`` (``area_um2``
        in 2D, ``length_um`` in 1D) and ``fraction``. Left-out voxels (255) have no row and are in no
        fraction; their number is in ``.attrs["left_out_voxels"]``.

    Raises
    ------
    TypeError
        If `labels` is a mask of booleans: what it means is not known.
    ValueError
        If a code is not a phase, or every voxel is left out.

    Notes
    -----
    Misleads where a phase is finer than a voxel: the pores of the carbon binder domain count as domain.

    Examples
    --------
    >>> import corrtomo as ct
    >>> table = ct.measure.volume_fractions(ct.volume([0, 0, 1, 2, 255], 0.5))
    >>> float(table.fraction[ct.Phase.PORE])
    0.5
    """
    check_integer(labels, doing="compute volume fractions")
    check_spatial(labels, doing="compute volume fractions")
    if labels.dtype == bool:
        raise TypeError(
            "Cannot compute volume fractions of a mask of booleans: which phases it parts is not known. "
            "Labels with codes of ct.Phase are needed. For the share of a mask take mask.mean()."
        )
    if labels.attrs.get("phases") == {}:
        raise ValueError(
            "Cannot compute volume fractions: the classes of these labels are not named as phases. Codes "
            "of ct.Phase are needed. Name them when segmenting, for instance with "
            "ct.segment.by_thresholds(image, 110, phases=(ct.Phase.PORE, ct.Phase.AM)), or "
            "assign_attrs(phases=...)."
        )
    counts = np.zeros(CODES, np.int64)
    for (part,) in blocks(labels):
        counts += np.bincount(as_codes(part), minlength=CODES)
    phases = [Phase(int(code)) for code in np.flatnonzero(counts)]
    left_out = int(counts[Phase.LEFT_OUT])
    counts[Phase.LEFT_OUT] = 0
    if not counts.any():
        raise ValueError(
            f"Cannot compute volume fractions: all {left_out} voxels are left out (255). One or more must "
            "be left. Check the crop."
        )
    codes = [int(phase) for phase in phases if phase is not Phase.LEFT_OUT]
    sizes = voxel_size(labels)
    table = pd.DataFrame(
        {
            "phase": [Phase(code).label for code in codes],
            "voxels": counts[codes],
            ("length_um", "area_um2", "volume_um3")[len(sizes) - 1]: counts[codes] * float(np.prod(sizes)),
            "fraction": counts[codes] / counts.sum(),
        },
        index=pd.Index(codes, name="code"),
    )
    table.attrs["left_out_voxels"] = left_out
    return table
