"""What electrons tell of a milled section: its secondary electron image, and maps of elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage

from ...volume import volume
from .. import noise
from ..eds import eds_pose
from ..limits import check_edge, check_model, check_positive, check_seed, check_window
from ..materials import ELEMENTS, Material
from ..raster import View
from ..visibility import horizons, seen_share
from .blend import MATERIALS
from .checks import WIDEST_SPOT_UM, are_above_zero, check_maps
from .milled import MilledPlane, check_plane
from .spectrum import BINDER, LCO, NCA

Floats = npt.NDArray[np.float32]
_MOST_COUNTS = 65_000.0
_K_EDGE_KEV, _MOST_KEV = 8.333, 60.0
_SEEN: dict[str, Material] = {"carbon binder domain": BINDER, "LCO": LCO, "NCA": NCA}


@dataclass(frozen=True)
class SecondaryModel:
    """What stands between a milled section and its secondary electron image. All values are assumptions.

    The grey value is  L (1 + c s) (1 − b exp(−d² / 2 w²)) V,  blurred by the spot, with noise whose variance
    is `shot` times the grey value: L the level of what is seen, s the orientation of the grain, d the
    distance from a grain boundary, V the share of the electrons that get out of a pore.

    Attributes
    ----------
    levels : dict of str to float
        L of each material.
    grain_contrast, boundary_dark, boundary_um : float
        c, b and w.
    spot_um : float
        Standard deviation of the spot.
    shot : float
        Variance of the noise by grey value.
    """

    levels: dict[str, float] = field(
        default_factory=lambda: {"carbon binder domain": 75.0, "LCO": 150.0, "NCA": 148.0}
    )
    grain_contrast: float = 0.06
    boundary_dark: float = 0.25
    boundary_um: float = 0.03
    spot_um: float = 0.015
    shot: float = 0.8

    def __post_init__(self) -> None:
        above = ("boundary_um", "spot_um")
        check_positive(self, above, or_zero=("grain_contrast", "boundary_dark", "shot"))
        wanted = set(MATERIALS) - {"pore"}
        if max(self.grain_contrast, self.boundary_dark) > 1 or self.spot_um > WIDEST_SPOT_UM:
            raise ValueError(
                f"Cannot use SecondaryModel with grain_contrast {self.grain_contrast!r}, boundary_dark "
                f"{self.boundary_dark!r} and spot_um {self.spot_um!r}: shares up to 1, and a spot up to "
                f"{WIDEST_SPOT_UM:g} µm, are allowed."
            )
        if not (are_above_zero(self.levels, 255) and set(self.levels) == wanted):
            raise ValueError(
                f"Cannot use SecondaryModel with levels {self.levels!r}: a grey value above 0 and up to 255 "
                f"is needed for each of {', '.join(sorted(wanted))}."
            )


def se_image(plane: MilledPlane, *, model: SecondaryModel | None = None, seed: int = 0) -> xr.DataArray:
    """Simulate the secondary electron image of a milled section: a digital twin, not a measurement.

    LCO and NCA are told apart by their grains alone (Microsc. Microanal. 2022, Fig. 4); binder shows, which
    nanoCT does not see.

    Parameters
    ----------
    plane : MilledPlane
        From :func:`mill`.
    model : SecondaryModel, optional
        How the image comes about.
    seed : int
        Seed of the noise.

    Returns
    -------
    xarray.DataArray
        Grey values, ``uint8``, dims y, x.

    Notes
    -----
    Bright rims at edges, charging and drift are left out.

    Examples
    --------
    >>> import corrtomo as ct
    >>> plane = ct.simulate.mill(ct.simulate.pillar(6.0, seed=1), 0.1, shape=(60, 60))
    >>> str(ct.simulate.se_image(plane).dtype)
    'uint8'
    """
    check_plane(plane, "take an electron image")
    check_seed(seed)
    check_model(model, SecondaryModel, "model")
    optics = SecondaryModel() if model is None else model
    levels = np.array([optics.levels.get(name, 0.0) for name in MATERIALS], np.float32)
    grey = levels[plane.seen]
    flat = plane.depth_um == 0
    grain = flat & (plane.codes >= MATERIALS["LCO"])
    line = np.exp(-0.5 * (plane.edge_um / optics.boundary_um) ** 2)
    grey[grain] *= ((1 + optics.grain_contrast * plane.shade) * (1 - optics.boundary_dark * line))[grain]
    deep = plane.depth_um > 0
    grey[deep] *= seen_share(horizons(plane.depth_um, plane.pixel_um), 0.0, 90.0)
    mean = noise.gaussian(grey, [optics.spot_um / plane.pixel_um] * 2)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 41]))
    noisy = mean + np.sqrt(optics.shot * np.maximum(mean, 1.0)) * rng.standard_normal(mean.shape)
    return plane.image(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), "secondary electrons")


@dataclass(frozen=True)
class ElementModel:
    """What stands between a milled section and its X-ray count maps. All values are assumptions.

    A pixel expects for the element e counts in proportion to s_e times its mass, weighted over the volume in
    which the beam makes X-rays: a Gaussian across, of `spread` times the range of the electrons in NCA, and
    half a Gaussian into the depth, of `depth` times it; and a background by mean atomic number. They are
    scaled to `counts` a pixel on average, all elements together.

    Attributes
    ----------
    energy_kev : float
        Energy of the beam: above the K edges of Co and Ni.
    counts : float
        Mean counts of a pixel.
    sensitivity : dict of str to float
        s_e of each element that is mapped, by mass.
    spread, depth : float
        Standard deviations as shares of the electrons' range.
    background : float
        Continuum in each element's window, in the units of s_e, at atomic number 28.
    """

    energy_kev: float = 15.0
    counts: float = 40.0
    sensitivity: dict[str, float] = field(default_factory=lambda: {"C": 0.25, "Co": 0.5, "Ni": 0.5})
    spread: float = 0.2
    depth: float = 0.3
    background: float = 0.01

    def __post_init__(self) -> None:
        check_positive(self, ("energy_kev", "counts", "spread", "depth"), or_zero=("background",))
        if not _K_EDGE_KEV < self.energy_kev <= _MOST_KEV:
            raise ValueError(
                f"Cannot use ElementModel with energy_kev {self.energy_kev!r}: above {_K_EDGE_KEV:g} keV, "
                f"the K edge of Ni, and up to {_MOST_KEV:g} keV are allowed."
            )
        table = self.sensitivity
        if not (are_above_zero(table, _MOST_COUNTS) and table and set(table) <= set(ELEMENTS)):
            raise ValueError(
                f"Cannot use ElementModel with sensitivity {table!r}: a number above zero for each element "
                f"is needed, out of {', '.join(ELEMENTS)}."
            )


def element_maps(
    plane: MilledPlane,
    step_um: float = 0.15,
    *,
    shape: Sequence[int],
    centre_um: Sequence[float] = (0.0, 0.0),
    turn_deg: float = 0.0,
    model: ElementModel | None = None,
    seed: int = 0,
) -> xr.DataArray:
    """Simulate the X-ray count maps of a milled section: a digital twin, not a measurement.

    The nanoCT and SIMS paper tells LCO from NCA by maps of Ni, Co and C, and says that they come from below
    the surface as well (Microsc. Microanal. 2022, Fig. 3).

    Parameters
    ----------
    plane : MilledPlane
        From :func:`mill`.
    step_um : float
        Edge of a pixel of the maps.
    shape : sequence of int
        Number of pixels along y, x.
    centre_um, turn_deg : sequence of float, float
        Where the middle of the maps lies on the section, and how they are turned;
        ``ct.simulate.eds_pose(shape, step_um, centre_um, turn_deg)`` is the matrix.
    model : ElementModel, optional
        Physics of the spectrometer.
    seed : int
        Seed of the counts.

    Returns
    -------
    xarray.DataArray
        Counts, ``uint16``, dims channel, y, x, in a frame of their own.

    Notes
    -----
    What lies below the plane counts as it lies there. The range of the electrons is that in NCA everywhere;
    in binder and pores they go farther. Absorption, fluorescence and overlapping lines are left out.

    Examples
    --------
    >>> import corrtomo as ct
    >>> plane = ct.simulate.mill(ct.simulate.pillar(6.0, seed=1), 0.1, shape=(60, 60))
    >>> ct.simulate.element_maps(plane, 0.2, shape=(20, 20)).channel.values.tolist()
    ['C', 'Co', 'Ni']
    """
    check_plane(plane, "map elements")
    check_seed(seed)
    check_model(model, ElementModel, "model")
    physics = ElementModel() if model is None else model
    step_um = check_edge(step_um, "step_um")
    rows, columns = check_window(shape, step_um)
    pose = eds_pose(shape, step_um, centre_um, turn_deg)
    reach = NCA.range_um(physics.energy_kev)
    half = 0.5 * step_um * np.hypot(rows, columns) + 3 * physics.spread * reach
    edge = min(step_um, 0.5 * physics.spread * reach)
    wide, high = np.ceil(2 * half / edge), max(1.0, np.ceil(2.5 * physics.depth * reach / edge))
    check_maps(rows, columns, float(wide * wide * high))
    count, deep = int(wide), int(high)
    start = np.array([edge / 2, centre_um[0] - (count - 1) / 2 * edge, centre_um[1] - (count - 1) / 2 * edge])
    codes = plane.pillar.codes(View(np.full(3, edge), start, (deep, count, count), plane.pose))
    weight = np.exp(-0.5 * (edge * (np.arange(deep) + 0.5) / (physics.depth * reach)) ** 2)
    places = np.indices((rows, columns), float).reshape(2, -1) * step_um
    there = (np.linalg.inv(pose)[:2, :2] @ (places - pose[:2, 2:]) - start[1:, None]) / edge
    blur = np.hypot(physics.spread * reach, step_um / np.sqrt(12.0)) / edge
    mean = np.empty((len(physics.sensitivity), rows * columns))
    solid = 1.0 - plane.pillar.cathode.cbd_porosity
    for channel, (element, strength) in enumerate(physics.sensitivity.items()):
        sent = np.array([_sent(name, element, strength, physics.background, solid) for name in MATERIALS])
        plan = np.tensordot(weight, sent[codes], 1).astype(np.float32)
        mean[channel] = ndimage.map_coordinates(
            noise.gaussian(plan, [blur, blur]), there, order=1, mode="nearest"
        )
    mean *= physics.counts * rows * columns / max(mean.sum(), 1e-12)
    if not mean.max() <= _MOST_COUNTS:
        raise ValueError(
            f"Cannot hold {mean.max():.3g} counts in a pixel: maps are 16-bit. Lower counts of the model."
        )
    rng = np.random.default_rng(np.random.SeedSequence([seed, 42]))
    counted = rng.poisson(mean).astype(np.uint16).reshape(-1, rows, columns)
    maps = volume(counted, step_um, dims=("channel", "y", "x"), name="X-ray counts")
    return maps.assign_coords(channel=list(physics.sensitivity))


def _sent(name: str, element: str, strength: float, background: float, solid: float) -> float:
    """Return what a µm³ of a material sends out of an element, by mass, and of the continuum.

    `solid` is what nanopores leave of the carbon binder domain.
    """
    if name not in _SEEN:
        return 0.0
    material = _SEEN[name]
    share = solid if name == "carbon binder domain" else 1.0
    held = strength * material.mass_fractions.get(element, 0.0)
    return share * material.density * (held + background * material.atomic_number / 28.0)
