"""A problem of conduction, checked and laid out for the solver."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from ...checks import check_spatial
from ...phases import Phase, check_codes
from ...volume import check_image, voxel_size
from ..options import as_float
from ..reach import reach_of
from ..surface import MOST_ELONGATED
from .grid import Codes
from .solver import Solution, solve

_APART = 1e9
"""Conductivities farther apart than this leave too few digits for the currents of the worse conductor."""
_RANGE = (1e-20, 1e20)
"""S/m: what is far beyond any material leaves the range of single precision."""
_EDGES = (1e-6, 1e6)
"""µm."""


class Problem(NamedTuple):
    """Dense codes with three axes, the plates at both ends of the first; code 0 does not conduct."""

    codes: Codes
    conductivities: npt.NDArray[np.float64]
    """S/m, by dense code."""
    edges: tuple[float, float, float]
    labels: xr.DataArray
    axis: str

    @property
    def length_over_area(self) -> float:
        """What turns a conductance into a conductivity."""
        n, e = self.codes.shape, self.edges
        return float(n[0] * e[0] / (n[1] * e[1] * n[2] * e[2]))

    def image(self, values: npt.NDArray[np.float32], name: str) -> xr.DataArray:
        """Bring values back onto the grid of the labels."""
        flat = values[:, 0] if self.labels.ndim == 2 else values
        back = np.moveaxis(flat, 0, self.labels.dims.index(self.axis))
        coords, dims = self.labels.coords, self.labels.dims
        return xr.DataArray(np.ascontiguousarray(back), dims=dims, coords=coords, name=name)


def pose(labels: xr.DataArray, conductivities: Mapping[Phase, float], axis: str, *, doing: str) -> Problem:
    """Check labels, conductivities and axis, and lay them out."""
    check_image(labels, ndim=(2, 3))
    check_spatial(labels, doing=doing)
    check_axis(labels, axis, doing=doing)
    _check_edges(voxel_size(labels), doing=doing)
    labels = labels.compute()
    present = present_phases(labels, doing=doing)
    known = _known(conductivities, doing=doing)
    missing = [phase for phase in present if phase not in known]
    if missing:
        raise ValueError(
            f"Cannot {doing}: {named(missing)} occurs, but has no conductivity. Given are those of "
            f"{named(known) or 'no phase'}. State one for each phase that occurs, in S/m, and 0 "
            "for an insulator."
        )
    conducting = [phase for phase in present if known[phase] > 0]
    values = [known[phase] for phase in conducting]
    if values and max(values) > _APART * min(values):
        raise ValueError(
            f"Cannot {doing} with conductivities from {min(values):g} to {max(values):g} S/m: they are more "
            f"than {_APART:g} times apart, too far for currents in both. Take 0 for the smaller ones."
        )
    if values and not _RANGE[0] <= min(values) <= max(values) <= _RANGE[1]:
        raise ValueError(
            f"Cannot {doing} with conductivities from {min(values):g} to {max(values):g} S/m: from "
            f"{_RANGE[0]:g} to {_RANGE[1]:g} S/m, or 0 for an insulator, are allowed. State them in S/m."
        )
    dense = np.zeros(256, np.uint8)
    dense[[int(phase) for phase in conducting]] = np.arange(1, len(conducting) + 1)
    codes, edges = _laid_out(labels, axis, dense)
    return Problem(codes, np.array([0.0, *values]), edges, labels, axis)


def check_axis(labels: xr.DataArray, axis: str, *, doing: str) -> None:
    """Refuse an axis that the labels do not have."""
    if axis not in labels.dims:
        raise ValueError(
            f"Cannot {doing} along axis {axis!r}: the labels have {', '.join(map(str, labels.dims))}. Choose "
            "one of them."
        )


def present_phases(labels: xr.DataArray, *, doing: str) -> list[Phase]:
    """Return the phases that occur; refuse masks, whose phases are not known."""
    if labels.dtype == bool:
        raise TypeError(
            f"Cannot {doing} of a mask of booleans: which phases it parts is not known. Labels with codes of "
            "ct.Phase are needed, for instance xarray.where(mask, ct.Phase.AM, ct.Phase.PORE)."
        )
    return check_codes(labels)


def named(phases: Any) -> str:
    """Write phases with their codes."""
    return ", ".join(f"{phase.label} ({int(phase)})" for phase in phases)


def _known(conductivities: Any, *, doing: str) -> dict[Phase, float]:
    """Return conductivities by phase; refuse what is none."""
    if not isinstance(conductivities, Mapping):
        raise TypeError(
            f"Cannot {doing} with conductivities {conductivities!r}: a mapping of phases to S/m is needed. "
            "Pass for instance {ct.Phase.CBD: 100.0, ct.Phase.AM: 0.01, ct.Phase.PORE: 0.0}."
        )
    known = {}
    for key, value in conductivities.items():
        phase = Phase(key)
        if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
            raise TypeError(
                f"Cannot {doing} with {value!r} for {phase.label}: a number in S/m is needed, 0 for an "
                "insulator."
            )
        if not 0 <= as_float(value) < np.inf:
            raise ValueError(
                f"Cannot {doing} with {as_float(value):g} S/m for {phase.label}: a conductivity is finite "
                "and not below zero. Take 0 for an insulator."
            )
        known[phase] = float(value)
    return known


def _check_edges(edges: tuple[float, ...], *, doing: str) -> None:
    """Refuse voxels whose conductances leave the range of single precision."""
    low, high = min(edges), max(edges)
    if not (_EDGES[0] <= low and high <= _EDGES[1] and high <= MOST_ELONGATED * low):
        raise ValueError(
            f"Cannot {doing} with voxels of {edges} µm: edges from {_EDGES[0]:g} to {_EDGES[1]:g} µm are "
            f"allowed, and none more than {MOST_ELONGATED} times another. Check the voxel size that was "
            "given to ct.volume()."
        )


def _laid_out(
    labels: xr.DataArray, axis: str, dense: npt.NDArray[np.uint8]
) -> tuple[Codes, tuple[float, float, float]]:
    """Return dense codes with the axis first and three axes, and the edges of a voxel in the same order."""
    at, edges = labels.dims.index(axis), voxel_size(labels)
    codes = np.moveaxis(np.asarray(labels.data), at, 0)
    others = [edge for n, edge in enumerate(edges) if n != at]
    if codes.ndim == 2:
        codes, others = codes[:, None], [1.0, *others]
    return np.ascontiguousarray(dense[codes]), (edges[at], others[0], others[1])


def solved(problem: Problem, *, exact_field: bool = False, progress: bool) -> Solution | None:
    """Solve for the potential of what is connected to both plates; None where nothing is."""
    reach = reach_of(problem.codes != 0)
    carrying = (reach.first & reach.last)[reach.components]
    if not carrying.any():
        return None
    codes = np.where(carrying, problem.codes, np.uint8(0))
    del reach, carrying
    return solve(codes, problem.conductivities, problem.edges, exact_field=exact_field, progress=progress)


def effective(problem: Problem, *, progress: bool) -> float:
    """Return the effective conductivity in S/m."""
    solution = solved(problem, progress=progress)
    return 0.0 if solution is None else solution.conductance * problem.length_over_area


def resting(problem: Problem) -> npt.NDArray[np.float32]:
    """Return the potential of what carries no current: that of its plate, or NaN."""
    reach = reach_of(problem.codes != 0)
    levels = np.full(len(reach.first), np.nan, np.float32)
    levels[reach.last] = 0.0
    levels[reach.first] = 1.0
    return levels[reach.components]
