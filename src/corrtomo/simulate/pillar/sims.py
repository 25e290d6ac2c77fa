"""Secondary ion mass spectrometry of a milled section: ions counted by mass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage
from scipy.constants import elementary_charge

from ...volume import volume
from .. import noise
from ..eds import eds_pose
from ..limits import check_edge, check_model, check_positive, check_seed, check_window
from .blend import MATERIALS
from .checks import WIDEST_SPOT_UM, are_above_zero, check_maps
from .milled import MilledPlane, check_plane

Floats = npt.NDArray[np.float32]
_FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))
_MOST_COUNTS = 65_000.0
FIELD_PIXELS = 512
CHANNELS = ("7Li", "27Al", "58Ni", "59Co")
_ABUNDANCE = {"7Li": 0.924, "27Al": 1.0, "58Ni": 0.681, "59Co": 1.0}
_ATOMS = {"LCO": {"7Li": 1.0, "59Co": 1.0}, "NCA": {"7Li": 1.0, "58Ni": 0.8, "59Co": 0.15, "27Al": 0.05}}
_PER_FORMULA = 4.0
"""Atoms of LiMO2."""


@dataclass(frozen=True)
class SimsModel:
    """What stands between a milled section and its counts of secondary ions.

    A pixel gets N = I t / e primary ions. Each sets free `sputtered` atoms, of which the share c_e is of the
    isotope e; of these `useful[e]` are counted:

        counts_e = N · sputtered · c_e · useful_e + dark

    with c_e by formula and natural abundance (LiCoO2, LiNi0.8Co0.15Al0.05O2), blurred by the spot, by
    Poisson's law. Aluminium of NCA gathers at the grain boundaries: its c is 1 + `gathered` exp(−d² / 2
    `boundary_um`²) times the formula's, with d the distance from one; and it is in the binder, with
    `leaked` times the formula's c, falling by the distance from NCA over `leak_um`. Lithium is in the active
    material alone.

    Current and dwell time are the paper's ("SIMS Analysis"); that Al is at grain boundaries and in the
    binder, and Li in active material alone, is what it sees. By how much is assumed, as is all else.

    Attributes
    ----------
    current_pa, dwell_ms : float
        Of the primary ions.
    sputtered : float
        Atoms set free by an ion.
    useful : dict of str to float
        Ions counted by atoms set free.
    spot_um : float
        Full width at half maximum of the beam.
    gathered, boundary_um, leaked, leak_um : float
        Where aluminium is.
    dark : float
        Counts of a pixel that come from nowhere.
    """

    current_pa: float = 50.0
    dwell_ms: float = 0.8
    sputtered: float = 7.0
    useful: dict[str, float] = field(
        default_factory=lambda: {"7Li": 5e-5, "27Al": 5e-5, "58Ni": 2e-5, "59Co": 2e-5}
    )
    spot_um: float = 0.05
    gathered: float = 6.0
    boundary_um: float = 0.03
    leaked: float = 0.8
    leak_um: float = 1.0
    dark: float = 0.01

    def __post_init__(self) -> None:
        above = ("current_pa", "dwell_ms", "sputtered", "spot_um", "boundary_um", "leak_um")
        check_positive(self, above, or_zero=("gathered", "leaked", "dark"))
        if self.spot_um > WIDEST_SPOT_UM:
            raise ValueError(
                f"Cannot use SimsModel with spot_um {self.spot_um!r}: up to {WIDEST_SPOT_UM:g} µm are "
                "allowed."
            )
        if not (are_above_zero(self.useful, 1) and set(self.useful) == set(CHANNELS)):
            raise ValueError(
                f"Cannot use SimsModel with useful {self.useful!r}: a share above 0 and up to 1 is needed "
                f"for each of {', '.join(CHANNELS)}."
            )

    @property
    def ions(self) -> float:
        """Primary ions that reach a pixel: current times time by the charge of one."""
        return float(self.current_pa * 1e-12 * self.dwell_ms * 1e-3 / elementary_charge)


def sims_maps(
    plane: MilledPlane,
    field_um: float = 14.0,
    *,
    pixels: int = FIELD_PIXELS,
    centre_um: Sequence[float] = (0.0, 0.0),
    turn_deg: float = 0.0,
    model: SimsModel | None = None,
    seed: int = 0,
) -> xr.DataArray:
    """Simulate maps of secondary ions of a milled section: a digital twin, not a measurement.

    The nanoCT and SIMS paper maps ⁷Li, ²⁷Al, ⁵⁸Ni and ⁵⁹Co at once, in 512 × 512 pixels over fields of 11.8
    to 20.7 µm, with 50 pA and 0.55 to 1.20 ms a pixel (Microsc. Microanal. 2022, "SIMS Analysis").

    Parameters
    ----------
    plane : MilledPlane
        From :func:`mill`.
    field_um : float
        Edge of the field of view.
    pixels : int
        Pixels along each edge.
    centre_um, turn_deg : sequence of float, float
        Where the middle of the field lies on the section, and how it is turned;
        ``ct.simulate.eds_pose((pixels, pixels), field_um / pixels, centre_um, turn_deg)`` is the matrix.
    model : SimsModel, optional
        Physics of beam and spectrometer.
    seed : int
        Seed of the counts.

    Returns
    -------
    xarray.DataArray
        Counts, ``uint16``, dims channel, y, x, in a frame of their own.

    Raises
    ------
    ValueError
        If a size is not above zero, or the field reaches beyond the section.

    Notes
    -----
    The yield of an ion depends on what is around it (the matrix effect); here it does not, nor on the slope
    of the surface. A pore sends nothing. Distances in the binder are taken in the plane.

    Examples
    --------
    >>> import corrtomo as ct
    >>> plane = ct.simulate.mill(ct.simulate.pillar(6.0, seed=1), 0.1, shape=(60, 60))
    >>> ct.simulate.sims_maps(plane, 4.0, pixels=32).channel.values.tolist()
    ['7Li', '27Al', '58Ni', '59Co']
    """
    check_plane(plane, "map ions")
    check_seed(seed)
    check_model(model, SimsModel, "model")
    physics = SimsModel() if model is None else model
    field_um = check_edge(field_um, "field_um")
    check_maps(*check_window((pixels, pixels), field_um))
    step = field_um / pixels
    pose = eds_pose((pixels, pixels), step, centre_um, turn_deg)
    places = np.indices((pixels, pixels), float).reshape(2, -1) * step
    there = np.linalg.inv(pose)[:2, :2] @ (places - pose[:2, 2:])
    there = (there - np.array(plane.origin_um)[:, None]) / plane.pixel_um
    ends = np.array(plane.codes.shape)[:, None] - 0.5
    if (there < -0.5).any() or (there > ends).any():
        raise ValueError(
            f"Cannot map ions over {field_um:g} µm around {tuple(centre_um)!r} µm: the field lies beyond the "
            "section, or partly. Give a smaller field, or mill a larger section."
        )
    wide = np.hypot(physics.spot_um / _FWHM, step / np.sqrt(12.0)) / plane.pixel_um
    mean = np.empty((len(CHANNELS), pixels**2))
    for channel, isotope in enumerate(CHANNELS):
        held = noise.gaussian(_held(plane, isotope, physics), [wide, wide])
        mean[channel] = ndimage.map_coordinates(held, there, order=1, mode="nearest")
        mean[channel] *= physics.ions * physics.sputtered * physics.useful[isotope]
    mean += physics.dark
    if not mean.max() <= _MOST_COUNTS:
        raise ValueError(
            f"Cannot hold {mean.max():.3g} counts in a pixel: maps are 16-bit, up to {_MOST_COUNTS:.0f}. "
            "Lower dwell_ms of the model."
        )
    rng = np.random.default_rng(np.random.SeedSequence([seed, 43]))
    counted = rng.poisson(mean).astype(np.uint16).reshape(-1, pixels, pixels)
    maps = volume(counted, step, dims=("channel", "y", "x"), name="secondary ions")
    return maps.assign_coords(channel=list(CHANNELS))


def _held(plane: MilledPlane, isotope: str, physics: SimsModel) -> Floats:
    """Return what share of the atoms at each pixel of the section is of an isotope."""
    out = np.zeros(plane.codes.shape, np.float32)
    for name, formula in _ATOMS.items():
        out[plane.codes == MATERIALS[name]] = formula.get(isotope, 0.0) / _PER_FORMULA * _ABUNDANCE[isotope]
    if isotope == "27Al":
        nca = plane.codes == MATERIALS["NCA"]
        usual = _ATOMS["NCA"]["27Al"] / _PER_FORMULA
        line = np.exp(-0.5 * (plane.edge_um / physics.boundary_um) ** 2)
        out[nca] *= (1.0 + physics.gathered * line)[nca]
        binder = plane.codes == MATERIALS["carbon binder domain"]
        if nca.any():
            away = ndimage.distance_transform_edt(~nca) * plane.pixel_um
            out[binder] = (usual * physics.leaked * np.exp(-away / physics.leak_um))[binder]
    return out
