"""What lies in planes of a calendered cathode: particles, cracks, binder, and where it let go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange
from scipy.special import ndtri

from . import noise, packing, raster, trimmed
from .composition import check_share
from .electrode import BRIDGE_UM, Electrode
from .limits import check_nodes, check_positive, is_number
from .raster import CBD, PORE, View
from .specimen import nodes_around

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]
REACH_UM = 0.5
_SLAB = 8
_PATCH_NODE_UM, _INNER_NODE_UM = 0.4, 0.1


@dataclass(frozen=True)
class CalenderedModel:
    """What pressing and cycling did to a cathode. All values are assumptions.

    Attributes
    ----------
    gap_um : float
        Width of the gap between two particles that were pressed together and do not touch.
    touching : float
        Share of such pairs that touch.
    patch_um : float
        Gaussian blur of the random field h that says where binder lets go of a particle.
    opening_um : float
        Widest gap between a particle and the binder that let go of it.
    opening_rise_um : float
        How fast such a gap opens: its width is `opening_rise_um` (h − level), up to `opening_um`.
    cracked : float
        Share of the particles that have a crack which ends inside them.
    crack_um : tuple of float
        Narrowest and widest crack.
    crack_from_um : float
        Diameter from which particles crack.
    inner_porosity : float
        Share of closed pores in particles.
    inner_um : float
        Gaussian blur of the random field of these pores.
    rim_um : float
        No such pore is nearer to the surface.
    """

    gap_um: float = 0.12
    touching: float = 0.5
    patch_um: float = 0.8
    opening_um: float = 0.2
    opening_rise_um: float = 0.6
    cracked: float = 0.25
    crack_um: tuple[float, float] = (0.08, 0.25)
    crack_from_um: float = 3.0
    inner_porosity: float = 0.0
    inner_um: float = 0.15
    rim_um: float = 0.3

    def __post_init__(self) -> None:
        check_positive(
            self,
            ("patch_um", "inner_um"),
            or_zero=("gap_um", "opening_um", "opening_rise_um", "crack_from_um", "rim_um"),
        )
        check_share(self.touching, "touching")
        check_share(self.cracked, "cracked")
        if not (is_number(self.inner_porosity) and 0.0 <= self.inner_porosity < 1.0):
            raise ValueError(
                f"Cannot draw particles with inner_porosity {self.inner_porosity!r}: a share from 0 up to "
                "but not including 1 is needed. Divide per cent by 100."
            )
        ends = list(self.crack_um) if isinstance(self.crack_um, tuple | list | np.ndarray) else []
        if len(ends) != 2 or not (all(map(is_number, ends)) and 0.0 <= ends[0] <= ends[1] < np.inf):
            raise ValueError(
                f"Cannot draw cracks with crack_um {self.crack_um!r}: the narrowest and the widest are "
                "needed, both finite, from 0 and the narrowest first. Pass for instance (0.08, 0.25) µm."
            )


@dataclass(frozen=True, eq=False)
class Planes:
    """Planes of pixels across z; each may lie anywhere.

    Attributes
    ----------
    origins_um : numpy.ndarray
        z, y, x of the centre of the first pixel of each plane, in the frame of `pose`, in µm.
    pixel_um : tuple of float
        Edges of a pixel along y, x in µm.
    shape : tuple of int
        Pixels along y, x.
    pose : numpy.ndarray
        4 × 4, from the frame of the specimen to that of the planes, in µm.
    """

    origins_um: Array
    pixel_um: tuple[float, float]
    shape: tuple[int, int]
    pose: Array = field(default_factory=lambda: np.eye(4))

    @classmethod
    def of(cls, view: View, shift_voxels: Array) -> Planes:
        """Return the slices of a view, each shifted along y, x."""
        origins = np.repeat(view.origin_um[None], view.shape[0], axis=0)
        origins[:, 0] += np.arange(view.shape[0]) * view.voxel_um[0]
        origins[:, 1:] -= shift_voxels * view.voxel_um[1:]
        edge = (float(view.voxel_um[1]), float(view.voxel_um[2]))
        return cls(origins, edge, view.shape[1:], view.pose)

    def part(self, first: int, last: int) -> Planes:
        """Return planes `first` to `last` (not included)."""
        return Planes(self.origins_um[first:last], self.pixel_um, self.shape, self.pose)


class Solids:
    """The active material that a view may show: particles with their gaps, cracks and closed pores."""

    def __init__(
        self, pressed: Electrode, model: CalenderedModel, view: View, margin_um: float, fractured: float
    ) -> None:
        self.model = model
        self.particles = _particles(pressed, model, view, margin_um, fractured)
        low, high = view.bounds_um()
        self.inner = (
            _field(
                pressed.seed, "inner pores", low - margin_um, high + margin_um, _INNER_NODE_UM, model.inner_um
            )
            if model.inner_porosity
            else None
        )

    def surfaces(self, planes: Planes) -> tuple[Codes, noise.Floats, npt.NDArray[np.int32]]:
        """Return kind, distance and owner as :func:`trimmed.surfaces`, closed pores put in."""
        model = self.model
        kind, distance, owner = trimmed.surfaces(
            self.particles,
            planes.origins_um,
            planes.pixel_um,
            planes.shape,
            REACH_UM,
            model.gap_um,
            model.touching,
        )
        if self.inner is not None:
            inside = (kind == trimmed.SOLID) & (distance < -model.rim_um)
            kind[inside & (self.inner.at(planes) < ndtri(model.inner_porosity))] = trimmed.CRACK
        return kind, distance, owner


class Scene:
    """The part of a calendered cathode that a view may show: made once, drawn plane by plane."""

    def __init__(
        self, pressed: Electrode, model: CalenderedModel, view: View, margin_um: float, fractured: float
    ) -> None:
        low, high = view.bounds_um()
        low, high = low - margin_um, high + margin_um
        check_nodes(low, high, pressed.node_um, BRIDGE_UM)
        bridges, first = pressed.bridge_field(low, high, 0.0)
        self.solids = Solids(pressed, model, view, margin_um, fractured)
        self.bridges = _Lattice(bridges, pressed.node_um, first)
        self.patches = _field(pressed.seed, "patches", low, high, _PATCH_NODE_UM, model.patch_um)

    def codes(
        self, planes: Planes, cbd_threshold: float, let_go: float
    ) -> tuple[Codes, npt.NDArray[np.int32]]:
        """Return the phase codes in some planes, and the number of the nearest particle, −1 far from all."""
        model = self.solids.model
        names = np.append(self.solids.particles.names.astype(np.int32), np.int32(-1))
        out = np.empty((len(planes.origins_um), *planes.shape), np.uint8)
        owners = np.empty(out.shape, np.int32)
        for first in range(0, len(out), _SLAB):
            some = planes.part(first, first + _SLAB)
            kind, distance, owner = self.solids.surfaces(some)
            owners[first : first + _SLAB] = names[owner]
            bridge, patch = self.bridges.at(some), self.patches.at(some)
            out[first : first + _SLAB] = settle(
                kind, distance, bridge, patch, cbd_threshold, let_go, model.opening_rise_um, model.opening_um
            )
        return out, owners


@dataclass(frozen=True, eq=False)
class _Lattice:
    """A random field on nodes, to be interpolated anywhere between them."""

    values: noise.Floats
    node_um: Array
    first: Array

    def at(self, planes: Planes) -> noise.Floats:
        """Return the field at the pixels of some planes."""
        out = np.empty((len(planes.origins_um), *planes.shape), np.float32)
        turn = planes.pose[:3, :3]
        starts = (planes.origins_um - planes.pose[:3, 3]) @ turn / self.node_um - self.first
        steps = np.array(planes.pixel_um)[:, None] * turn[1:] / self.node_um
        _sample_planes(out, self.values, np.ascontiguousarray(starts), np.ascontiguousarray(steps))
        return out


def _field(seed: int, topic: str, low: Array, high: Array, node_um: float, blur_um: float) -> _Lattice:
    """Return a Gaussian random field of mean 0 and variance 1 over a box."""
    node = np.full(3, node_um)
    check_nodes(low, high, node, blur_um)
    first, shape = nodes_around(low, high, node, node_um)
    key = noise.stream(seed, topic)
    return _Lattice(noise.smooth(key, first, shape, [blur_um / node_um] * 3), node, np.array(first, float))


def _particles(
    pressed: Electrode, model: CalenderedModel, view: View, margin_um: float, fractured: float
) -> trimmed.Particles:
    """Return the particles that a view may show, with their cracks, in its frame."""
    centres, matrices = pressed.solids
    # A surface moved out by a distance lies less than twice as far along the longest axis.
    reach = margin_um + float(pressed.particles["a_um"].max()) + 2.0 * REACH_UM
    repeats = (True, not pressed.film, True)
    row, seen, turned, extents = raster.rows_in_view(
        centres, matrices, reach, np.array(pressed.size_um), view, repeats
    )
    cracks = draw_cracks(pressed, model, fractured)[row]
    for normal in (slice(0, 3), slice(5, 8)):
        cracks[:, normal] = cracks[:, normal] @ view.pose[:3, :3].T
    return trimmed.Particles(seen, turned, extents, row.astype(np.uint64), np.ascontiguousarray(cracks))


def draw_cracks(pressed: Electrode, model: CalenderedModel, fractured: float) -> Array:
    """Draw the crack of each particle, as :class:`trimmed.Particles` wants it; no aperture: none.

    A particle that is broken in one state is broken in each with a larger share: first those break that are
    cracked already.
    """
    count = len(pressed.particles)
    rng = np.random.default_rng(np.random.SeedSequence([pressed.seed, 20]))
    rank, place, width, start = rng.uniform(size=(4, count))
    normal, along = rng.standard_normal((2, count, 3))
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    along -= (along * normal).sum(axis=1)[:, None] * normal
    along /= np.linalg.norm(along, axis=1)[:, None]
    radius = np.cbrt(pressed.particles[packing.AXES].to_numpy().prod(axis=1))
    narrow, wide = model.crack_um
    can = 2.0 * radius >= model.crack_from_um
    through, partly = can & (rank < fractured), can & (rank < max(fractured, model.cracked))
    out = np.zeros((count, 9))
    out[:, :3], out[:, 5:8] = normal, along
    out[:, 3] = (0.6 * place - 0.3) * radius
    out[:, 4] = np.where(partly, narrow + (wide - narrow) * width, 0.0)
    out[:, 8] = np.where(through, -np.inf, (start - 0.5) * radius)
    return out


@njit(cache=True, parallel=True)
def settle(
    kind: Any, distance: Any, bridge: Any, patch: Any, cbd_threshold: float, let_go: float, rise: float,
    widest: float,
) -> Any:  # fmt: skip
    """Return phase codes: binder where it bridges, unless it let go of the particle."""
    out = np.full(kind.shape, PORE, np.uint8)
    for k in prange(kind.shape[0]):
        for j in range(kind.shape[1]):
            for i in range(kind.shape[2]):
                if kind[k, j, i] == trimmed.SOLID:
                    out[k, j, i] = trimmed.SOLID
                elif kind[k, j, i] == trimmed.SPACE and bridge[k, j, i] > cbd_threshold:
                    opening = min(widest, rise * (patch[k, j, i] - let_go))
                    if distance[k, j, i] >= opening:
                        out[k, j, i] = CBD
    return out


@njit(cache=True, parallel=True)
def _sample_planes(out: Any, values: Any, starts: Any, steps: Any) -> None:
    for k in prange(out.shape[0]):
        for j in range(out.shape[1]):
            z = starts[k, 0] + j * steps[0, 0]
            y = starts[k, 1] + j * steps[0, 1]
            x = starts[k, 2] + j * steps[0, 2]
            for i in range(out.shape[2]):
                out[k, j, i] = raster.interpolate(
                    values, z + i * steps[1, 0], y + i * steps[1, 1], x + i * steps[1, 2]
                )
