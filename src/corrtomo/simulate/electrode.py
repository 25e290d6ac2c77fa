"""A composite electrode of known microstructure: active-material particles, binder bridges, pores.

The microstructure has no voxels: it is a table of ellipsoids and two random fields, and can be rastered in
any window, at any voxel size and from any side. Two simulated instruments therefore see one and the same
specimen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from . import noise, packing, raster
from .composition import check_count, check_fractions, check_particles, check_size
from .limits import check_seed
from .raster import AM, CBD, PORE, View
from .specimen import Microstructure, furthest_um, nodes_around, pore_level, slice_shifts

Array = npt.NDArray[np.float64]
NODE_UM = 0.6
BRIDGE_UM = 1.2
ROUGHNESS_UM = 0.9
ROUGHNESS = 0.12
_REFERENCE_VOXELS = 4_000_000
_BLOCKS, _BLOCK_UM = 24, 30.0
_STRETCH = 1.3


@dataclass(frozen=True, eq=False)
class Electrode(Microstructure):
    """The microstructure of a composite electrode, periodic in all three directions.

    Made by :func:`electrode`. With A the indicator of the active material, blurred by a Gaussian of 1.2 µm,
    and n a Gaussian random field of variance 1 and Gaussian blur 0.9 µm, the carbon binder domain is where
    there is no active material and A + 0.12 n is above `cbd_threshold`. Inside it, binder and carbon are
    where a second random field (nodes and blur of 0.08 µm) is above `pore_threshold`; the rest of the domain
    is its nanopores.

    Attributes
    ----------
    size_um : tuple of float
        Edges of the periodic box along z, y, x, in µm.
    particles : pandas.DataFrame
        An ellipsoid of active material a row: centre ``z_um, y_um, x_um``, semi-axes ``a_um, b_um, c_um`` and
        the unit quaternion ``turn_z, turn_y, turn_x, turn_w`` that turns them.
    am_fraction, cbd_fraction, cbd_porosity : float
        Volume fraction of the active material, of the carbon binder domain with its nanopores, and of
        nanopores in the domain.
    cbd_threshold, pore_threshold : float
        Levels of the two random fields.
    seed : int
        Seed that the microstructure was drawn from.
    film : bool
        Whether it is a coating: no particle crosses the faces along y.
    """

    size_um: tuple[float, float, float]
    particles: pd.DataFrame
    am_fraction: float
    cbd_fraction: float
    cbd_porosity: float
    cbd_threshold: float
    pore_threshold: float
    seed: int
    film: bool = False

    def box_um(self) -> tuple[Array, Array]:
        """Return the low corner of the periodic box and its edges along z, y, x, in µm."""
        return np.zeros(3), np.array(self.size_um)

    def codes(self, view: View, drift_voxels: Array | None = None) -> raster.Labels:
        """Return the phase codes at the voxel centres of a view; a drift moves each slice along y, x."""
        out = np.full(view.shape, PORE, np.uint8)
        shift = slice_shifts(view, drift_voxels)
        self._fill_particles(out, view, shift)
        field, first = self.bridge_field(*view.bounds_um(), furthest_um(view, shift))
        start, step = raster.lattice_steps(view, self.node_um, first)
        raster.fill_above(out, PORE, CBD, field, self.cbd_threshold, start, step, shift)
        return out

    @cached_property
    def node_um(self) -> Array:
        """Spacing of the nodes of the bridge field along z, y, x, in µm."""
        return np.array([s / max(1, round(s / NODE_UM)) for s in self.size_um])

    @cached_property
    def solids(self) -> tuple[Array, Array]:
        """Centres (n, 3) in µm and matrices (n, 3, 3) in 1/µm² of the particles."""
        return self.particles[packing.CENTRE].to_numpy(), packing.quadrics(self.particles)

    def _fill_particles(self, out: raster.Labels, view: View, shift: Array) -> None:
        wide = float(self.particles["a_um"].max()) + furthest_um(view, shift)
        found = self.particles_in_view(view, wide)
        moved = shift * view.voxel_um[1:]
        raster.fill_ellipsoids(out, *found, view.voxel_um, view.origin_um, moved, np.uint8(AM))

    def particles_in_view(self, view: View, reach_um: float) -> tuple[Array, Array, Array]:
        """Return centre, matrix and half extents of the particles that a view may hold, in its frame."""
        centres, matrices = self.solids
        repeats = (True, not self.film, True)
        return raster.images_in_view(centres, matrices, reach_um, np.array(self.size_um), view, repeats)

    def bridge_field(self, low: Array, high: Array, margin_um: float) -> tuple[noise.Floats, Array]:
        """Return A + 0.12 n on the lattice nodes around a box, and the index of the first node."""
        node = self.node_um
        first, shape = nodes_around(low, high, node, margin_um)
        pad = np.ceil(noise.TRUNCATE * BRIDGE_UM / node).astype(int)
        wide = (int(shape[0] + 2 * pad[0]), int(shape[1] + 2 * pad[1]), int(shape[2] + 2 * pad[2]))
        start = (np.array(first) - pad) * node
        solid = np.zeros(wide, np.uint8)
        self._fill_particles(solid, View(node, start, wide), np.zeros((wide[0], 2)))
        if self.film:  # binder bridges to the collector as it does to particles
            solid[:, start[1] + node[1] * np.arange(wide[1]) >= self.size_um[1]] = AM
        blurred = noise.gaussian((solid == AM).astype(np.float32), tuple(BRIDGE_UM / node))
        inner = tuple(slice(int(p), int(p) + n) for p, n in zip(pad, shape, strict=True))
        period = np.rint(np.array(self.size_um) / node).astype(int).tolist()
        key = noise.stream(self.seed, "bridges")
        rough = noise.smooth(key, first, shape, tuple(ROUGHNESS_UM / node), period)
        field = np.ascontiguousarray(blurred[inner]) + np.float32(ROUGHNESS) * rough
        return field, np.array(first, float)


def electrode(
    size_um: float | Sequence[float] = (20.0, 20.0, 20.0),
    *,
    am_fraction: float = 0.356,
    cbd_fraction: float = 0.112 / (1.0 - 0.627),
    cbd_porosity: float = 0.627,
    diameter_um: float = 5.0,
    geometric_sd: float = 1.8,
    overlap: float = 0.1,
    aspect: float = packing.ASPECT,
    film: bool = False,
    seed: int = 0,
) -> Electrode:
    """Draw the microstructure of a composite cathode.

    A digital twin needs a specimen whose phases are known everywhere. The fractions default to those that the
    X-ray and FIB-SEM paper computes for its LiMn2O4 cathode: 35.6 % active material, 11.2 % solid binder and
    carbon, and 62.7 % porosity of the carbon binder domain at FIB-SEM resolution, so that the domain takes
    11.2 % / (1 − 0.627) = 30 %.

    Parameters
    ----------
    size_um : float or sequence of float
        Edges of the periodic box in µm, one number or one for each of z, y, x; three median diameters or
        more.
    am_fraction : float
        Volume fraction of active material.
    cbd_fraction : float
        Volume fraction of the carbon binder domain, its nanopores included.
    cbd_porosity : float
        Share of nanopores in the carbon binder domain.
    diameter_um : float
        Median particle diameter, weighted by volume, in µm. An assumption: a usual fine spinel powder.
    geometric_sd : float
        Geometric standard deviation of the diameter. An assumption, as above.
    overlap : float
        Share of their contact distance by which two particles may reach into each other.
    aspect : float
        The shorter axes of a particle are this share of its longest, or more.
    film : bool
        No particle crosses the faces along y: a coating, which repeats itself along z and x only.
    seed : int
        The same seed gives the same electrode.

    Returns
    -------
    Electrode
        Raster it with its method ``labels``.

    Raises
    ------
    ValueError
        If fractions are outside 0 to 1 or leave no pores, a length is not above zero, the box is too small,
        it would need more than ten million particles, or they do not fit.

    Notes
    -----
    The fractions hold for the whole box: active material to 0.2 %, carbon binder domain to 0.5 %
    of the box volume. A window has the fractions of its place. Boxes above 600 000 µm³ set the binder by 24
    blocks of 30 µm. Particles are convex and do not break; real ones do.

    References
    ----------
    Sci. Rep. 6, 30109 (2016), doi:10.1038/srep30109, sections "Sample Preparation" and
    "Ternary Segmentation".

    Examples
    --------
    >>> import corrtomo as ct
    >>> labels = ct.simulate.electrode(20.0, seed=1).labels(0.4)
    >>> round(float((labels == ct.Phase.AM).mean()), 2)
    0.36
    """
    check_seed(seed)
    size = check_size(size_um, diameter_um)
    check_fractions(am_fraction, cbd_fraction, cbd_porosity)
    check_particles(geometric_sd, overlap, aspect)
    check_count(size, am_fraction, diameter_um, geometric_sd)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 1]))
    table = packing.draw_particles(am_fraction * float(np.prod(size)), diameter_um, geometric_sd, rng, aspect)
    table[packing.CENTRE] = packing.pack(table, size, overlap, seed, film=film)
    table = table[[*packing.CENTRE, *packing.AXES, *packing.TURN]]
    table[packing.AXES] *= _swelling(table, size, am_fraction)
    pore = pore_level(cbd_porosity)
    bare = Electrode(size, table, am_fraction, cbd_fraction, cbd_porosity, np.inf, pore, seed, film)
    level = _cbd_threshold(bare, cbd_fraction)
    return Electrode(size, table, am_fraction, cbd_fraction, cbd_porosity, level, pore, seed, film)


def _swelling(table: pd.DataFrame, size: tuple[float, float, float], fraction: float) -> float:
    """Return the factor on all axes with which the particles cover the fraction, overlaps counted once."""
    box = np.array(size)
    edge = max(0.1, float(np.cbrt(box.prod() / _REFERENCE_VOXELS)))
    shape = np.maximum(1, np.rint(box / edge)).astype(int)
    edges = box / shape
    nearest = np.full(tuple(shape), np.inf, np.float32)
    view = View(edges, edges / 2, (int(shape[0]), int(shape[1]), int(shape[2])))
    centres, matrices = table[packing.CENTRE].to_numpy(), packing.quadrics(table)
    reach = _STRETCH * float(table["a_um"].max())
    seen, turned, extents = raster.images_in_view(centres, matrices, reach, box, view)
    raster.fill_nearest(nearest, seen, turned, extents * _STRETCH, edges, view.origin_um)
    level = float(np.sqrt(np.quantile(nearest, fraction, method="lower")))
    if not level < _STRETCH:
        raise ValueError(
            f"Cannot fill am_fraction {fraction}: the particles would have to grow by more than {_STRETCH}. "
            "Lower am_fraction, or give a larger box."
        )
    return level


def _cbd_threshold(bare: Electrode, fraction: float) -> float:
    """Return the level of the bridge field above which the domain takes its fraction of the box."""
    box = np.array(bare.size_um)
    if box.prod() < _BLOCKS * _BLOCK_UM**3:
        corners, extent = np.zeros((1, 3)), box
    else:
        rng = np.random.default_rng(np.random.SeedSequence([bare.seed, 2]))
        corners, extent = rng.uniform(0.0, 1.0, (_BLOCKS, 3)) * box, np.minimum(box, _BLOCK_UM)
    edge = max(0.2, float(np.cbrt(extent.prod() * len(corners) / _REFERENCE_VOXELS)))
    shape = np.maximum(1, np.rint(extent / edge)).astype(int)
    edges, values, total = extent / shape, [], 0
    for corner in corners:
        view = View(edges, corner + edges / 2, (int(shape[0]), int(shape[1]), int(shape[2])))
        solid = np.zeros(view.shape, np.uint8)
        bare._fill_particles(solid, view, np.zeros((view.shape[0], 2)))
        lattice, first = bare.bridge_field(*view.bounds_um(), 0.0)
        field = np.empty(view.shape, np.float32)
        raster.sample(field, lattice, *raster.lattice_steps(view, bare.node_um, first))
        values.append(field[solid == PORE])
        total += field.size
    pooled = np.concatenate(values)
    rank = len(pooled) - round(fraction * total)
    if rank <= 0:
        raise ValueError(
            f"Cannot fill cbd_fraction {fraction}: particles leave {len(pooled) / total:.3f} of the box. "
            "Lower cbd_fraction or am_fraction."
        )
    return float(np.partition(pooled, rank - 1)[rank - 1])
