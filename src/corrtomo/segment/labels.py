"""From one set of labels to another."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ..phases import Phase, check_codes


def one_phase(labels: xr.DataArray, phase: Phase) -> xr.DataArray:
    """Turn labels into one phase against the rest, and keep what is left out.

    A binary segmentation is judged against one phase of a ternary truth (Sci. Rep. 6, 30109, "Binary Xt
    Segmentation"). The mask ``labels == phase`` would count left-out voxels as the rest; this does not.

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, any dims.
    phase : Phase
        The phase that becomes 1.

    Returns
    -------
    xarray.DataArray
        ``uint8``: 1 where `labels` is `phase`, 255 where it is left out, 0 elsewhere. Its codes are no
        phases: ``attrs["phases"]`` is empty.

    Raises
    ------
    ValueError
        If a code or `phase` is not one of :class:`corrtomo.Phase`, or `phase` is the code for left out.

    Examples
    --------
    >>> import corrtomo as ct
    >>> labels = ct.volume([0, 1, 2, 255], 0.438)
    >>> ct.segment.one_phase(labels, ct.Phase.AM).values
    array([  0,   0,   1, 255], dtype=uint8)
    """
    check_codes(labels)
    chosen = Phase(phase)
    if chosen is Phase.LEFT_OUT:
        raise ValueError(
            "Cannot select phase 255: it marks what is left out, not a phase. Select one of ct.Phase, or "
            "compare with labels == ct.Phase.LEFT_OUT."
        )
    one = (labels == chosen).astype(np.uint8)
    out = one.where(labels != Phase.LEFT_OUT, np.uint8(Phase.LEFT_OUT))
    out.attrs, out.name = {"phases": {}}, chosen.label
    return out
