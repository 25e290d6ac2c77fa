"""What still hangs on an end of the volume: the active material that electrons reach."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, get_args

import numpy as np
import xarray as xr

from ..checks import check_spatial
from ..phases import Phase
from ..volume import check_image
from .conduction.problem import check_axis, named, present_phases
from .reach import Mask, reach_of

End = Literal["first", "last"]


def connected_part(
    labels: xr.DataArray,
    through: Collection[Phase],
    *,
    of: Phase = Phase.AM,
    axis: str = "y",
    end: End = "last",
) -> xr.DataArray:
    """Find the part of a phase that is connected to one end of the volume through conducting phases.

    Where binder lets go of active material, a particle may lose every way to the current collector: its
    capacity is gone, though it is still there (the cycling paper's reading of its falling contact, end of
    section 3.1).

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, dims z, y, x or y, x. Dask is computed.
    through : collection of Phase
        The phases that lead to the end, for instance ``(ct.Phase.CBD,)``, or with ``ct.Phase.AM`` where
        particles conduct to each other. A phase that does not occur leads nowhere.
    of : Phase
        The phase whose part is asked for.
    axis : str
        The dim at whose end the collector is.
    end : {"first", "last"}
        Whether it is where coordinates begin or where they end.

    Returns
    -------
    xarray.DataArray
        Booleans on the same grid: voxels of `of` that are connected.

    Raises
    ------
    TypeError
        If `through` is not a collection of phases, or labels are a mask.
    ValueError
        If `of` does not occur, `through` is empty, or there is no such axis or end.

    Notes
    -----
    Voxels are connected where they share a face. Where `of` is not among `through`, a body of `of` counts
    whole as soon as one of its faces is at a connected voxel of `through`, or at the end itself; but it leads
    no further, to no other body. One face of contact is enough: this says whether there is a way, not how
    good it is, for which there is :func:`effective_conductivity`. Ways that leave the volume by its sides and
    come back are not seen, so near the sides the part is too small, and the more so the thinner the crop.

    Examples
    --------
    >>> import corrtomo as ct
    >>> labels = ct.volume([[2, 0, 2], [1, 0, 0], [1, 1, 2]], 0.5)
    >>> ct.measure.connected_part(labels, [ct.Phase.CBD]).values.astype(int).tolist()
    [[1, 0, 0], [0, 0, 0], [0, 0, 1]]
    """
    doing = "find the connected part"
    check_image(labels, ndim=(2, 3))
    check_spatial(labels, doing=doing)
    check_axis(labels, axis, doing=doing)
    if end not in get_args(End):
        raise ValueError(
            f"Cannot {doing} with end {end!r}: allowed are {', '.join(map(repr, get_args(End)))}, where "
            f"{axis} is lowest or highest."
        )
    labels = labels.compute()
    present = present_phases(labels, doing=doing)
    ways, target = _phases(through, doing=doing), Phase(of)
    if target not in present:
        raise ValueError(
            f"Cannot {doing} of {named([target])}: no voxel is of it. Phases that occur: {named(present)}. "
            "Choose one of them with of=."
        )
    at = labels.dims.index(axis)
    codes = np.moveaxis(np.asarray(labels.data), at, 0)
    codes = codes if end == "first" else codes[::-1]
    found = _hanging(codes.reshape(len(codes), *((1,) * (3 - codes.ndim)), *codes.shape[1:]), ways, target)
    found = found.reshape(codes.shape)
    found = np.moveaxis(found if end == "first" else found[::-1], 0, at)
    name = f"connected {target.label}"
    return xr.DataArray(np.ascontiguousarray(found), dims=labels.dims, coords=labels.coords, name=name)


def connected_share(
    labels: xr.DataArray,
    through: Collection[Phase],
    *,
    of: Phase = Phase.AM,
    axis: str = "y",
    end: End = "last",
) -> float:
    """Compute the share of a phase that is connected to one end of the volume through conducting phases.

    Parameters
    ----------
    labels, through, of, axis, end
        As for :func:`connected_part`.

    Returns
    -------
    float
        From 0 to 1, of the voxels of `of`.

    Raises
    ------
    TypeError, ValueError
        As for :func:`connected_part`.

    Examples
    --------
    >>> import corrtomo as ct
    >>> labels = ct.volume([[2, 0, 2], [1, 0, 2], [1, 1, 0]], 0.5)
    >>> round(ct.measure.connected_share(labels, [ct.Phase.CBD]), 3)
    0.333
    """
    part = connected_part(labels, through, of=of, axis=axis, end=end)
    return float(part.values.sum() / (labels == Phase(of)).values.sum())


def _phases(through: Any, *, doing: str) -> list[Phase]:
    """Return the phases of ways; refuse one alone, which is no collection, and none."""
    if isinstance(through, str) or not isinstance(through, Collection):
        raise TypeError(
            f"Cannot {doing} through {through!r}: a collection of phases is needed. Pass for instance "
            "[ct.Phase.CBD]."
        )
    if not through:
        raise ValueError(
            f"Cannot {doing} through no phase: one or more are needed. Pass for instance [ct.Phase.CBD]."
        )
    return [Phase(phase) for phase in through]


def _hanging(codes: Any, ways: list[Phase], target: Phase) -> Mask:
    """Return voxels of the target connected to the first plane; by the ways, which it may be one of."""
    way = np.isin(codes, [int(phase) for phase in ways])
    is_target = codes == target
    reach = reach_of(way)
    led = reach.first[reach.components]
    if target in ways:
        return np.asarray(led & is_target)
    bodies = reach_of(is_target)
    touched = bodies.first.copy()
    for axis in range(3):
        ahead, back = [slice(None)] * 3, [slice(None)] * 3
        ahead[axis], back[axis] = slice(1, None), slice(None, -1)
        for here, there in ((tuple(ahead), tuple(back)), (tuple(back), tuple(ahead))):
            touched[bodies.components[here][led[there]]] = True
    touched[0] = False
    return np.asarray(touched[bodies.components])
