"""Maps of X-rays that a cross-section sends out, counted by element (energy-dispersive spectroscopy)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage

from ..volume import volume
from . import materials, noise
from .cross_section import COLLECTOR, PLATINUM, CrossSection
from .limits import as_array, check_edge, check_positive, check_seed, check_turn, check_width, check_window
from .materials import Material
from .raster import AM, CBD
from .visibility import horizons

Floats = npt.NDArray[np.float32]
LINES = {"Al": 1.0, "Ni": 0.55, "Pt": 0.5, "C": 0.25, "F": 0.35}


@dataclass(frozen=True)
class EdsModel:
    """What stands between a surface and its X-ray count maps.

    A pixel of the map expects, for the element e, counts in proportion to::

        s_e (mass fraction of e) + background (mean atomic number / 28)

    averaged over a Gaussian whose standard deviation is `spread` times the range of the electrons in what
    they hit (:meth:`materials.Material.range_um`). They are scaled to `counts` for a field as large as the
    paper's, 1358 × 970 pixels of 54 nm, and drawn by Poisson's law. A pore
    whose wall, on the side of the detector, stands higher than the take-off angle sends nothing.

    The binder is a blend of carbon and PVDF. With d the distance from the collector, the share of PVDF in its
    mass is p(d) = p_bulk + (p_collector − p_bulk) exp(−d / `graded_um`).

    Energy, step, size and total are the paper's ("Imaging"); that the binder is richer in fluorine near the
    collector is what the paper sees in its maps, by how much is assumed. Sensitivities s_e (counts by mass
    fraction, of the K lines of Al, C and F, the L line of Ni and the M line of Pt), spread, background and
    take-off angle are assumptions.

    Attributes
    ----------
    energy_kev : float
        Energy of the beam.
    counts : float
        Counts of all elements in the paper's whole field.
    sensitivity : dict of str to float
        s_e of each element that is mapped.
    spread : float
        Standard deviation of where X-rays start, as a share of the range of the electrons.
    background : float
        Continuum of each element's window, in the units of s_e, at atomic number 28.
    takeoff_deg : float
        Height of the detector above the plane; it stands along x.
    pvdf : tuple of float
        Share of PVDF in the mass of binder, far from the collector and at it.
    graded_um : float
        Distance over which that fades.
    """

    energy_kev: float = 10.0
    counts: float = 3_425_962.0
    sensitivity: dict[str, float] = field(default_factory=lambda: dict(LINES))
    spread: float = 0.2
    background: float = 0.01
    takeoff_deg: float = 35.0
    pvdf: tuple[float, float] = (materials.BINDER_PVDF, 0.8)
    graded_um: float = 3.0

    def __post_init__(self) -> None:
        check_positive(self, ("energy_kev", "counts", "graded_um"), or_zero=("spread", "background"))
        strengths = list(self.sensitivity.values())
        if not strengths or not all(0 < s < np.inf for s in strengths) or not 0 < self.takeoff_deg < 90:
            raise ValueError(
                f"Cannot use an X-ray model with sensitivity {self.sensitivity!r} and takeoff_deg "
                f"{self.takeoff_deg!r}: numbers above zero, and an angle between 0 and 90° are needed."
            )
        if not all(0 <= share <= 1 for share in self.pvdf):
            raise ValueError(
                f"Cannot use an X-ray model with pvdf {self.pvdf!r}: two shares from 0 to 1 are needed, far "
                "from the collector and at it."
            )


FIELD_PIXELS = 1358 * 970
_MOST_COUNTS = 65_000.0
FIELD_STEP_UM = 0.054


def eds_maps(
    section: CrossSection,
    step_um: float = FIELD_STEP_UM,
    *,
    shape: Sequence[int],
    centre_um: Sequence[float],
    turn_deg: float = 0.0,
    model: EdsModel | None = None,
    seed: int = 0,
) -> xr.DataArray:
    """Simulate the count maps of Al, Ni, Pt, C and F of a cross-section: a digital twin, not a measurement.

    The kintsugi paper checks its segmentation by the elements (J. Electrochem. Soc. 169, 070512, "Imaging"
    and Fig. 3): aluminium is the collector, nickel the active material, platinum the pores, carbon and
    fluorine the binder. The maps have a frame of their own, which a registration must find.

    Parameters
    ----------
    section : CrossSection
        After :func:`platinum`.
    step_um : float
        Edge of a pixel of the maps.
    shape : sequence of int
        Number of pixels along y, x.
    centre_um : sequence of float
        y, x in the frame of the section on which the middle of the maps lies.
    turn_deg : float
        By how much the maps are turned against the section.
    model : EdsModel, optional
        Physics of the spectrometer.
    seed : int
        Seed of the counts.

    Returns
    -------
    xarray.DataArray
        Counts, ``uint16`` with dims channel, y, x; a channel for each element; first pixel at 0 µm.
        :func:`eds_pose` tells how they lie.

    Raises
    ------
    ValueError
        If a size is out of range, or the maps lie beyond the section.

    Notes
    -----
    Absorption inside the specimen, fluorescence and dead time are not modelled, nor are spectra: the F line
    (0.68 keV) lies between the L lines of Mn (0.64) and Co (0.78), which a real map of fluorine on NMC must
    part. The paper's total is of the whole spectrum; here all of it falls to the mapped elements, in the
    proportions of the field in view, so that maps of different fields have the same total. What the beam hits
    at a pixel decides how far X-rays spread there.

    Examples
    --------
    >>> import corrtomo as ct
    >>> coating = ct.simulate.electrode((12.0, 12.0, 12.0), diameter_um=4.0, film=True, seed=1)
    >>> section = ct.simulate.cross_section(coating, 0.1, shape=(60, 80), origin_um=(0, 6, 0))
    >>> filled = ct.simulate.platinum(section)
    >>> maps = ct.simulate.eds_maps(filled, 0.2, shape=(20, 30), centre_um=(9, 4))
    >>> maps.channel.values.tolist()
    ['Al', 'Ni', 'Pt', 'C', 'F']
    """
    check_seed(seed)
    step_um = check_edge(step_um, "step_um")
    rows, columns = check_window(shape, step_um)
    physics = EdsModel() if model is None else model
    pose = eds_pose(shape, step_um, centre_um, turn_deg)
    places = np.indices((rows, columns), float).reshape(2, -1) * step_um
    there = np.linalg.inv(pose)[:2, :2] @ (places - pose[:2, 2:])
    there = (there - np.array(section.origin_um)[:, None]) / section.pixel_um
    ends = np.array(section.phases.shape)[:, None] - 0.5
    if (there < -0.5).any() or (there > ends).any():
        raise ValueError(
            f"Cannot map X-rays around {tuple(centre_um)!r} µm: the maps lie beyond the section, or partly. "
            "Give centre_um as y, x in the frame of the section, or fewer pixels."
        )
    box = [step_um / section.pixel_um / np.sqrt(12.0)] * 2  # a pixel of the maps takes in all of its area
    sent = [noise.gaussian(one, box) for one in _expected(section, physics)]
    mean = np.array([ndimage.map_coordinates(one, there, order=1, mode="nearest") for one in sent], float)
    mean *= physics.counts * (mean[0].size * step_um**2) / (FIELD_PIXELS * FIELD_STEP_UM**2) / mean.sum()
    rng = np.random.default_rng(np.random.SeedSequence([seed, 8]))
    if mean.max() > _MOST_COUNTS:
        raise ValueError(
            f"Cannot hold {mean.max():.3g} counts in a pixel: the maps are 16-bit, up to {_MOST_COUNTS:.0f}. "
            "Lower the counts of the model, or step_um."
        )
    counted = rng.poisson(mean).astype(np.uint16)
    maps = volume(
        counted.reshape(-1, rows, columns), step_um, dims=("channel", "y", "x"), name="X-ray counts"
    )
    return maps.assign_coords(channel=list(physics.sensitivity))


def eds_pose(
    shape: Sequence[int], step_um: float, centre_um: Sequence[float], turn_deg: float
) -> npt.NDArray[np.float64]:
    """Return the 3 × 3 matrix from the frame of the section to that of the maps, (y, x, 1) in µm."""
    check_turn(turn_deg)
    step_um = check_edge(step_um, "step_um")
    check_window(shape, step_um)
    centre = as_array(centre_um)
    if centre.shape != (2,) or centre.dtype.kind not in "iuf" or not np.isfinite(centre).all():
        raise ValueError(
            f"Cannot place maps around {centre_um!r}: y and x in µm are needed, in the frame of the section."
        )
    turn = np.radians(turn_deg)
    pose = np.eye(3)
    pose[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    middle = (np.array(shape, float) - 1) / 2 * step_um
    pose[:2, 2] = middle - pose[:2, :2] @ centre.astype(float)
    return pose


def _expected(section: CrossSection, physics: EdsModel) -> Floats:
    """Return what the maps expect, on the pixels of the section, up to one factor; dims element, y, x."""
    bulk = materials.blend(materials.CARBON, materials.PVDF, physics.pvdf[0])
    met = {CBD: bulk, AM: materials.NMC, COLLECTOR: materials.ALUMINIUM, PLATINUM: materials.PLATINUM}
    away = section.collector_um - (section.origin_um[0] + section.pixel_um * np.arange(len(section.seen)))
    fading = np.exp(-np.maximum(away, 0.0) / physics.graded_um)[:, None]
    share = physics.pvdf[0] + (physics.pvdf[1] - physics.pvdf[0]) * fading
    out = np.empty((len(physics.sensitivity), *section.seen.shape), np.float32)
    shown = _shown(section, physics.takeoff_deg)
    for channel, (element, strength) in enumerate(physics.sensitivity.items()):
        sent = np.zeros(section.seen.shape, np.float32)
        for code, material in met.items():
            of = section.seen == code
            held: float | npt.NDArray[np.float64] = material.mass_fractions.get(element, 0.0)
            if code == CBD:
                held = np.broadcast_to(_blended(element, share), of.shape)[of]
            sent[of] = strength * held + physics.background * material.atomic_number / 28.0
        out[channel] = _spread(sent * shown, section, met, physics)
    return out


def _blended(element: str, pvdf: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the mass fraction of an element in a blend of carbon with a share of PVDF."""
    carbon = materials.CARBON.mass_fractions.get(element, 0.0)
    return carbon + pvdf * (materials.PVDF.mass_fractions.get(element, 0.0) - carbon)


def _shown(section: CrossSection, takeoff_deg: float) -> Floats:
    """Return 1 where the detector, along x, sees the surface, and 0 where a wall hides it."""
    out = np.ones(section.seen.shape, np.float32)
    towards = horizons(section.depth_um, section.pixel_um, directions=1)[0]
    out[section.depth_um > 0] = towards < np.tan(np.radians(takeoff_deg))
    return out


def _spread(sent: Floats, section: CrossSection, met: dict[int, Material], physics: EdsModel) -> Floats:
    """Blur by the range of electrons in what each pixel's beam hits; where it hits nothing, nothing comes."""
    out = np.zeros_like(sent)
    for code, material in met.items():
        of = section.seen == code
        if of.any():
            wide_um = physics.spread * material.range_um(physics.energy_kev)
            check_width(wide_um, section, "spread")
            width = wide_um / section.pixel_um
            out[of] = noise.gaussian(sent, [width, width])[of]
    return out
