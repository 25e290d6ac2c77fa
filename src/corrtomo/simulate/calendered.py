"""A calendered cathode whose binder lets go of its particles as it is cycled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from . import packing, raster
from .composition import check_count, check_fractions, check_particles, check_share, check_size, check_within
from .electrode import Electrode
from .limits import check_model, check_seed
from .pressing import Box, Sections, find_let_go, press
from .raster import View
from .scene import CalenderedModel, Planes, Scene
from .specimen import Microstructure, furthest_um, pore_level, slice_shifts

Array = npt.NDArray[np.float64]
_LOOSE = 0.85
COLLECTOR = 3


@dataclass(frozen=True, eq=False)
class Calendered(Microstructure):
    """A calendered cathode in some state of cycling. Made by :func:`calendered` and :func:`cycled`.

    Attributes
    ----------
    pressed : Electrode
        Its particles, and the random field along which binder bridges them.
    model : CalenderedModel
        What pressing and cycling did.
    cbd_threshold : float
        Level of the field of bridges.
    let_go : float
        Level of the field h: binder let go of a particle where h is above it.
    fractured : float
        Share of the particles above `crack_from_um` that are broken through.
    contact : float
        Share of the surface of active material that touches binder.
    within : tuple of numpy.ndarray
        Low and high corner of the part of the box in which fractions and contact were set.
    """

    pressed: Electrode
    model: CalenderedModel
    cbd_threshold: float
    let_go: float
    fractured: float
    contact: float
    within: Box

    @property
    def seed(self) -> int:  # type: ignore[override]
        """Seed that it was drawn with."""
        return self.pressed.seed

    @property
    def cbd_porosity(self) -> float:
        """Share of nanopores in the carbon binder domain."""
        return self.pressed.cbd_porosity

    @property
    def pore_threshold(self) -> float:  # type: ignore[override]
        """Level of the field of nanopores."""
        return self.pressed.pore_threshold

    @property
    def size_um(self) -> tuple[float, float, float]:
        """Edges of the box along z, y, x, in µm; y leads from the separator to the collector."""
        return self.pressed.size_um

    def box_um(self) -> tuple[Array, Array]:
        """Return the low corner of the box and its edges along z, y, x, in µm."""
        return self.pressed.box_um()

    @property
    def film(self) -> bool:
        """Whether it is a coating: it is."""
        return True

    def scene(self, view: View, margin_um: float = 0.0) -> Scene:
        """Return what planes within a view, and as far around it, are drawn from."""
        return Scene(self.pressed, self.model, view, margin_um, self.fractured)

    def codes(self, view: View, drift_voxels: Array | None = None) -> raster.Labels:
        """Return the phase codes at the voxel centres of a view; a drift moves each slice along y, x."""
        shift = slice_shifts(view, drift_voxels)
        planes = Planes.of(view, shift)
        return self.draw(self.scene(view, furthest_um(view, shift)), planes)[0]

    def draw(self, scene: Scene, planes: Planes) -> tuple[raster.Labels, npt.NDArray[np.int32]]:
        """Return the phase codes in some planes, and whose particle is nearest."""
        codes, owners = scene.codes(planes, self.cbd_threshold, self.let_go)
        turn = planes.pose[:3, :3]
        start = (planes.origins_um - planes.pose[:3, 3]) @ turn[:, 1]
        down, along = (np.arange(n) * e for n, e in zip(planes.shape, planes.pixel_um, strict=True))
        for face, depth in zip(codes, start, strict=True):
            face[depth + down[:, None] * turn[1, 1] + along * turn[2, 1] >= self.size_um[1]] = COLLECTOR
        return codes, owners


def calendered(
    size_um: float | Sequence[float] = (20.0, 30.0, 30.0),
    *,
    am_fraction: float = 0.69,
    cbd_fraction: float = 0.24,
    contact: float = 0.54,
    fractured: float = 0.1,
    diameter_um: float = 6.0,
    geometric_sd: float = 1.8,
    overlap: float = 0.15,
    cbd_porosity: float = 0.4,
    model: CalenderedModel | None = None,
    within_um: tuple[Sequence[float], Sequence[float]] | None = None,
    seed: int = 0,
) -> Calendered:
    """Draw a calendered cathode: pressed particles, some of them cracked, and binder that holds most of them.

    The cycling paper finds that 54 % of the surface of active material touches binder in a pristine NMC
    cathode of 69 % active material, 24 % binder and 7 % pores (Results, "NMC cathode"). So small a share of
    pores can part so much surface only where they are thin: gaps between binder and particles, and cracks.

    Parameters
    ----------
    size_um : float or sequence of float
        Edges of the box in µm, one number or one for each of z, y, x; y leads from the separator to the
        collector, which lies beyond the end. It repeats itself along z and x. Three diameters or more.
    am_fraction, cbd_fraction : float
        Volume fractions of active material and of binder with its carbon; the rest are pores, cracks, gaps.
    contact : float
        Share of the surface of active material that touches binder, counted along rows.
    fractured : float
        Share of the particles above ``model.crack_from_um`` that are broken through.
    diameter_um : float
        Median particle diameter, weighted by volume, before pressing, in µm.
    geometric_sd : float
        Geometric standard deviation of the diameter.
    overlap : float
        Share of their contact distance by which two particles may reach into each other before pressing.
    cbd_porosity : float
        Share of nanopores in the binder, which the microscope's pixels do not resolve.
    model : CalenderedModel, optional
        What pressing does.
    within_um : tuple of sequence of float, optional
        Low and high corner, z, y, x, of the part of the box in which fractions and contact hold, for
        instance what a microscope sees; by default all of it.
    seed : int
        The same seed gives the same cathode.

    Returns
    -------
    Calendered
        Raster it with its method ``labels``, cycle it with :func:`cycled`, image it with
        :func:`slice_and_view`.

    Raises
    ------
    ValueError
        If fractions are outside 0 to 1 or leave no pores, a length is not above zero, the box is too small,
        or the fractions or the contact cannot be reached.
    TypeError
        If `model` is no :class:`CalenderedModel`.

    Notes
    -----
    Fractions and contact are set on 24 sections of `within_um`, up to 40 µm wide, with pixels of 50
    nm: a window has those of its place. Coarser pixels close thin gaps, so that contact reads higher. Binder
    is where there is no active material and the field of :class:`Electrode` is above `cbd_threshold`, unless
    a random field h (Gaussian blur `patch_um`) is above `let_go`: there it stands off the particle, by
    ``opening_rise_um`` (h − `let_go`), up to ``opening_um``. Particles are ellipsoids that grow until they
    fill their fraction; where two meet they share a plane, and those that do not touch are parted by a gap.

    References
    ----------
    The text of the paper names neither title nor journal; sections 3.1 and 2.4.

    Examples
    --------
    >>> import corrtomo as ct
    >>> cathode = ct.simulate.calendered((18.0, 20.0, 20.0), seed=1)
    >>> labels = cathode.labels(0.1)
    >>> round(float((labels == ct.Phase.AM).mean()), 1)
    0.7
    """
    check_seed(seed)
    size = check_size(size_um, diameter_um)
    check_fractions(am_fraction, cbd_fraction, cbd_porosity)
    check_particles(geometric_sd, overlap, packing.ASPECT)
    check_count(size, am_fraction, diameter_um, geometric_sd)
    check_share(contact, "contact")
    check_share(fractured, "fractured")
    check_model(model, CalenderedModel, "model")
    within = check_within(within_um, size)
    how = CalenderedModel() if model is None else model
    rng = np.random.default_rng(np.random.SeedSequence([seed, 1]))
    loose = _LOOSE * am_fraction * float(np.prod(size))
    table = packing.draw_particles(loose, diameter_um, geometric_sd, rng)
    table[packing.CENTRE] = packing.pack(table, size, overlap, seed, film=True)
    table = table[[*packing.CENTRE, *packing.AXES, *packing.TURN]]
    bare = Electrode(
        size,
        table,
        am_fraction,
        cbd_fraction,
        cbd_porosity,
        np.inf,
        pore_level(cbd_porosity),
        seed,
        film=True,
    )
    pressed = press(bare, how, am_fraction, fractured, within)
    sections = Sections.of(pressed, how, fractured, within)

    def threshold(level: float) -> float:
        return sections.cbd_threshold(cbd_fraction, level, how)

    let_go = find_let_go(sections, how, contact, threshold)
    return Calendered(pressed, how, threshold(let_go), let_go, fractured, contact, within)


def cycled(cathode: Calendered, contact: float, *, fractured: float | None = None) -> Calendered:
    """Cycle a cathode: binder lets go of more particles, and more of them break.

    The cycling paper finds 48 % of the surface in contact after 20 cycles and 43 % after 50 (Results, "NMC
    cathode").

    Parameters
    ----------
    cathode : Calendered
        From :func:`calendered`.
    contact : float
        Share of the surface of active material that touches binder afterwards.
    fractured : float, optional
        Share of the large particles that are broken through afterwards; by default as before.

    Returns
    -------
    Calendered
        The same cathode, later: the same particles in the same places, wider gaps, new cracks.

    Raises
    ------
    ValueError
        If there would be more contact than before, or fewer broken particles.
    TypeError
        If `cathode` is not one.

    Notes
    -----
    The binder keeps its place and gives way to gaps and cracks, so pores grow at its cost; that the coating
    swells is left out. No experiment can image one place twice: this can, which is what a twin is for.

    Examples
    --------
    >>> import corrtomo as ct
    >>> fresh = ct.simulate.calendered((18.0, 20.0, 20.0), seed=1)
    >>> aged = ct.simulate.cycled(fresh, 0.43)
    >>> binder = [float((c.labels(0.2) == ct.Phase.CBD).mean()) for c in (fresh, aged)]
    >>> binder[1] < binder[0]
    True
    """
    if not isinstance(cathode, Calendered):
        raise TypeError(
            f"Cannot cycle a {type(cathode).__name__}: a calendered cathode is needed. Draw one with "
            "ct.simulate.calendered()."
        )
    check_share(contact, "contact")
    broken = cathode.fractured if fractured is None else fractured
    check_share(broken, "fractured")
    if contact > cathode.contact or broken < cathode.fractured:
        raise ValueError(
            f"Cannot cycle a cathode from contact {cathode.contact} and fractured {cathode.fractured} to "
            f"{contact} and {broken}: contact must not grow and broken particles do not heal. Draw another "
            "cathode with ct.simulate.calendered()."
        )
    sections = Sections.of(cathode.pressed, cathode.model, broken, cathode.within)
    let_go = find_let_go(sections, cathode.model, contact, lambda _: cathode.cbd_threshold)
    return replace(cathode, let_go=let_go, fractured=broken, contact=contact)
