"""The tortuosity factor of a phase: how much harder its shape makes it to pass than a straight tube."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ...phases import Phase
from ...volume import check_image
from .problem import effective, named, pose, present_phases


def tortuosity_factor(labels: xr.DataArray, phase: Phase, *, axis: str, progress: bool = True) -> float:
    """Compute the tortuosity factor of a phase: its volume fraction × intrinsic / effective conductivity.

    For ions in pores, or electrons in one phase while all others insulate. Models of cells ask for it, and a
    threshold changes it more than most numbers.

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, dims z, y, x or y, x; voxels need not be cubes. Dask is computed.
    phase : Phase
        The phase that conducts.
    axis : str
        Along which dim, from one end of it to the other.
    progress : bool
        Whether a bar is shown when it takes longer than some seconds.

    Returns
    -------
    float
        1 for straight channels, above 1 for all else; infinite where no way leads from end to end.

    Raises
    ------
    ValueError
        If the phase does not occur, voxels are left out (255), or there is no such axis.
    RuntimeError
        If the solver finds no answer that can be trusted.

    Notes
    -----
    This is τ of D_eff = D ε / τ, by some written τ². It is not the length of ways over the straight line. ε
    counts all voxels of the phase, dead ends and closed ones with them, so they raise τ. Pores finer than a
    voxel, those of the binder domain for instance, are not seen. For narrow necks and memory see
    :func:`effective_conductivity`.

    Examples
    --------
    >>> import corrtomo as ct
    >>> labels = ct.volume([[0, 0, 0], [2, 0, 2]], 0.5)
    >>> round(ct.measure.tortuosity_factor(labels, ct.Phase.PORE, axis="x"), 3)
    1.333
    >>> ct.measure.tortuosity_factor(labels, ct.Phase.AM, axis="x")
    inf
    """
    doing = "compute the tortuosity factor"
    check_image(labels, ndim=(2, 3))
    labels = labels.compute()
    present, chosen = present_phases(labels, doing=doing), Phase(phase)
    if chosen is Phase.LEFT_OUT or Phase.LEFT_OUT in present:
        raise ValueError(
            f"Cannot {doing} of {named([chosen])} with voxels that are left out (255): whether they conduct "
            "is not known. Crop them away, or relabel them first, for instance with xarray.where()."
        )
    if chosen not in present:
        raise ValueError(
            f"Cannot {doing} of {named([chosen])}: no voxel is of it. Phases that occur: {named(present)}. "
            "Choose one of them."
        )
    values = {other: float(other is chosen) for other in present}
    conducts = effective(pose(labels, values, axis, doing=doing), progress=progress)
    share = float(np.mean(labels.data == chosen))
    return share / conducts if conducts > 0 else np.inf
