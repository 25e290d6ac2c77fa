"""Columns of an electrode, each from end to end of one axis: what they hold, one by one."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from ..measure.conduction.graph import threads_for
from ..measure.conduction.problem import pose, solved
from ..measure.particles import particles
from ..measure.surface import surface_area
from ..phases import Phase
from ..volume import voxel_size

Piece = dict[str, slice]
Sums = dict[str, npt.NDArray[np.float64]]
FEWEST = 8
CONDUCTANCES = ("ions", "electrons")
_VOLUMES = {"pore": Phase.PORE, "cbd": Phase.CBD, "am": Phase.AM}


class Ask(NamedTuple):
    """What is measured: along which axis, how porous the binder is, what conducts, how particles part."""

    axis: str
    cbd_porosity: float
    conductivities: Mapping[Phase, float] | None
    depth_um: float | None
    doing: str

    @property
    def ionic(self) -> dict[Phase, float]:
        """Conductivity for ions over that of the electrolyte: Bruggeman's 1.5 within the binder."""
        return {Phase.PORE: 1.0, Phase.CBD: self.cbd_porosity**1.5, Phase.AM: 0.0}


def cut(labels: xr.DataArray, axis: str, column_um: float, *, doing: str) -> list[Piece]:
    """Cut labels into columns along an axis, as near to `column_um` wide as they can be alike."""
    pieces: list[Piece] = [{}]
    wide = {str(dim): 2 * voxel_size(labels[dim])[0] for dim in labels.dims if dim != axis}
    thin = [dim for dim, least in wide.items() if column_um < least * (1 - 1e-6)]
    if thin:
        raise ValueError(
            f"Cannot {doing} in columns of {column_um:g} µm: along {thin[0]} two voxels are "
            f"{wide[thin[0]]:g} µm wide, and columns are as wide at least, and wider than a particle. Raise "
            "column_um, or check the voxel size: is it in µm?"
        )
    for dim in [str(dim) for dim in labels.dims if dim != axis]:
        size, extent = labels.sizes[dim], labels.sizes[dim] * voxel_size(labels[dim])[0]
        count = max(1, min(size // 2, round(extent / column_um)))
        ends = np.rint(np.linspace(0, size, count + 1)).astype(int)
        pairs = [slice(int(a), int(b)) for a, b in itertools.pairwise(ends)]
        pieces = [piece | {dim: pair} for piece in pieces for pair in pairs]
    if len(pieces) < FEWEST:
        raise ValueError(
            f"Cannot {doing} from {len(pieces)} columns of {column_um:g} µm: {FEWEST} or more are needed to "
            "say how sure the numbers are. Lower column_um, but keep it above the width of a particle, or "
            "use a larger volume."
        )
    return pieces


def flows(labels: xr.DataArray, ask: Ask, *, progress: bool) -> dict[str, xr.DataArray]:
    """Solve conduction once in the whole volume, and say how much flows along each line of voxels.

    Per volt, times the length: in S/m · µm², so that the sum over the sides, by the area across the axis, is
    the effective conductivity. Currents at the faces between planes are averaged along the line, those at
    the plates by half: so each line falls by 1 V, and what differs between lines is what they conduct.
    """
    wanted = zip(CONDUCTANCES, (ask.ionic, ask.conductivities), strict=True)
    return {name: _flow(labels, values, ask, progress) for name, values in wanted if values is not None}


def _flow(labels: xr.DataArray, values: Mapping[Phase, float], ask: Ask, progress: bool) -> xr.DataArray:
    problem = pose(labels, values, ask.axis, doing=ask.doing)
    planes, *sides = problem.codes.shape
    lines = np.zeros(sides)
    solution = solved(problem, progress=progress)
    if solution is not None:
        codes, faces = solution.grid.codes, solution.grid.faces[0] * solution.scale
        inner = solution.grid.inner[1:]
        for k in range(planes + 1):
            share = (0.5 if k in (0, planes) else 1.0) * problem.edges[0]
            drop = solution.field[k][inner] - solution.field[k + 1][inner]
            lines += share * faces[codes[k][inner], codes[k + 1][inner]] * drop
    return labels.isel({ask.axis: 0}, drop=True).copy(data=lines)


def measured(labels: xr.DataArray, pieces: list[Piece], lines: dict[str, xr.DataArray], ask: Ask) -> Sums:
    """Measure columns one by one: sums, which add up to those of all."""
    size, edge = float(np.prod(voxel_size(labels))), voxel_size(labels[ask.axis])[0]
    rows = []
    for piece in pieces:
        part = labels.isel(piece)
        counts = np.bincount(np.asarray(part.data).ravel(), minlength=3)
        sums = {name: counts[phase] * size for name, phase in _VOLUMES.items()}
        with threads_for(part.size):
            sums |= {"extent": part.size * size, "surface": surface_area(part == Phase.AM)}
        sums["across"] = sums["extent"] / (part.sizes[ask.axis] * edge)
        rows.append(sums | {name: float(flow.isel(piece).sum()) for name, flow in lines.items()})
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def add_particles(sums: Sums, labels: xr.DataArray, pieces: list[Piece], ask: Ask) -> None:
    """Add whole particles to the column in which their centre lies: volume, and volume times radius."""
    found = particles(labels == Phase.AM, depth_um=ask.depth_um)
    found = found[~found.touches_border]
    weight = found.volume_um3 / found.inclusion
    owner = np.full(len(found), -1)
    for number, piece in enumerate(pieces):
        inside = np.ones(len(found), bool)
        for dim, pair in piece.items():
            half, centre = voxel_size(labels[dim])[0] / 2, found[f"{dim}_um"].to_numpy()
            places = labels[dim].values[pair]
            inside &= (centre > places[0] - half) & (centre <= places[-1] + half)
        owner[inside] = number
    kept = owner >= 0
    radius = (weight * found.diameter_um / 2).to_numpy()
    held = [np.bincount(owner[kept], of[kept], len(pieces)) for of in (weight.to_numpy(), radius)]
    sums["particles"], sums["particles_radius"] = np.array(held, float)
