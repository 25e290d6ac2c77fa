"""Steady conduction through labels: what a microstructure makes of the conductivities of its phases."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from ...phases import Phase
from .problem import effective, pose, resting, solved


def effective_conductivity(
    labels: xr.DataArray, conductivities: Mapping[Phase, float], *, axis: str, progress: bool = True
) -> float:
    """Compute the effective conductivity of labels along an axis.

    What the loss of contact does to the electrode: the cycling paper sees binder let go of active material,
    expects that electrons then reach it less easily, and leaves the calculation to another paper (end of
    section 3.1). Electrons flow through binder and active material; for ions in pores there is
    :func:`tortuosity_factor`.

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, dims z, y, x or y, x; voxels need not be cubes. Dask is computed.
    conductivities : mapping of Phase to float
        S/m, 0 for an insulator; every phase that occurs must be named, left out (255) too.
    axis : str
        Along which dim: the plates are both ends of it, the other sides are insulated.
    progress : bool
        Whether a bar is shown when it takes longer than some seconds.

    Returns
    -------
    float
        S/m. Exactly 0.0 where no way of conducting voxels leads from plate to plate.

    Raises
    ------
    TypeError
        If a conductivity is not a number, or they are not a mapping.
    ValueError
        If a phase that occurs has no conductivity, one is negative or not finite, those above 0 are more than
        1e9 times apart, or there is no such axis.
    RuntimeError
        If power, current in and current out do not come to within 1e-4 of each other.

    Notes
    -----
    Finite volumes: each voxel is as conducting as its phase, and two voxels that share a face are two half
    voxels in series. Voxels that touch by an edge or a corner alone do not conduct to each other. What is
    returned is the power at 1 V; power and both currents agree to 1e-4, mostly to 1e-5.

    The grid is not the microstructure. What is thinner than a voxel is not seen: a gap closes or a bridge
    breaks. Necks conduct too badly where they are few voxels wide. A hole in a wall one voxel thick conducted
    less than its closed form says, by about 20 % with a radius of 2 voxels, 9 % with 3 and 4, 5 % with 8 and
    10; a neck twice as long as its radius by 2 to 3 % (7 % with 2 voxels), and where in a voxel its middle is
    made 10 % more or less with 1 voxel of radius, 4 % with 3, 2 % with 6. So let contacts have a radius of 3
    voxels or more, and compare volumes with one voxel size. A resistance of the contact itself is not in the
    model; give its layer a phase and voxels of its own.

    Multigrid takes 10 to 20 steps for any contrast, even where phases change at each voxel. A Dask image
    is held whole: at the peak 40 bytes a voxel are added, 60 where all of it conducts.

    References
    ----------
    Notay, Electron. Trans. Numer. Anal. 37, 123 (2010); the closed form of the hole after Yovanovich, in
    Handbook of Heat Transfer (1998), chapter 3.

    Examples
    --------
    >>> import corrtomo as ct
    >>> layers = ct.volume([[1, 1, 1], [2, 2, 2]], 0.5)
    >>> values = {ct.Phase.CBD: 1.0, ct.Phase.AM: 3.0}
    >>> round(ct.measure.effective_conductivity(layers, values, axis="x"), 6)
    2.0
    >>> round(ct.measure.effective_conductivity(layers, values, axis="y"), 6)
    1.5
    """
    problem = pose(labels, conductivities, axis, doing="compute the effective conductivity")
    return effective(problem, progress=progress)


def potential(
    labels: xr.DataArray, conductivities: Mapping[Phase, float], *, axis: str, progress: bool = True
) -> xr.DataArray:
    """Compute the electric potential in labels between two plates, 1 V at the first end and 0 V at the last.

    For pictures: where the potential falls is where the resistance is.

    Parameters
    ----------
    labels, conductivities, axis, progress
        As for :func:`effective_conductivity`.

    Returns
    -------
    xarray.DataArray
        ``float32``, V on the same grid. What hangs on one plate alone has its potential; NaN in insulators
        and in what hangs on none.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        As for :func:`effective_conductivity`.

    Examples
    --------
    >>> import corrtomo as ct
    >>> labels = ct.volume([[1, 1, 1, 1], [0, 0, 1, 0]], 0.5)
    >>> volts = ct.measure.potential(labels, {ct.Phase.CBD: 1.0, ct.Phase.PORE: 0.0}, axis="x")
    >>> volts.values.round(4).tolist()
    [[0.875, 0.625, 0.375, 0.125], [nan, nan, 0.375, nan]]
    """
    problem = pose(labels, conductivities, axis, doing="compute the potential")
    field = resting(problem)
    solution = solved(problem, exact_field=True, progress=progress)
    if solution is not None:
        np.copyto(field, solution.potential, where=solution.carrying, casting="same_kind")
    return problem.image(field, "potential (V)")


def current_density(
    labels: xr.DataArray, conductivities: Mapping[Phase, float], *, axis: str, progress: bool = True
) -> xr.DataArray:
    """Compute how much current flows through each voxel, with 1 V between the plates.

    For pictures: bottlenecks are bright, dead ends dark. After binder has let go, what still conducts has to
    carry the current of what does not.

    Parameters
    ----------
    labels, conductivities, axis, progress
        As for :func:`effective_conductivity`.

    Returns
    -------
    xarray.DataArray
        ``float32``, A/m² on the same grid: the length of the vector whose parts are the means over both faces
        of a voxel. 0 where nothing flows.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        As for :func:`effective_conductivity`.

    Notes
    -----
    The mean of its part along the axis is the effective conductivity over the length; the mean of its length
    is larger where the current does not run straight. At a face between two phases the mean over both faces
    smears what jumps there.

    Examples
    --------
    >>> import corrtomo as ct
    >>> labels = ct.volume([[1, 1], [2, 2]], 0.5)
    >>> values = {ct.Phase.CBD: 1e-6, ct.Phase.AM: 3e-6}
    >>> ct.measure.current_density(labels, values, axis="x").values.round(6).tolist()
    [[1.0, 1.0], [3.0, 3.0]]
    """
    problem = pose(labels, conductivities, axis, doing="compute the current density")
    solution = solved(problem, exact_field=True, progress=progress)
    found = np.zeros(problem.codes.shape, np.float32) if solution is None else solution.density(problem.edges)
    return problem.image(found, "current density (A/m²)")
