"""Images of a cross-section by backscattered electrons, with two detectors at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from . import materials, noise
from .cross_section import CrossSection
from .limits import check_positive, check_seed, check_width
from .raster import AM, CBD
from .visibility import horizons, seen_share

Floats = npt.NDArray[np.float32]
DETECTORS = ("CBS", "TLD")
_ELECTRON = 1.602176634e-19  # coulomb


@dataclass(frozen=True)
class ElectronModel:
    """What stands between a surface and the grey values of its backscattered electron images.

    Pairs are (CBS, TLD). Of the N = I t / e electrons that reach a pixel, η come back: by the atomic numbers
    of what they hit (:meth:`materials.Material.backscattered`), times 1 + `channelling` for each standard
    deviation of a grain's orientation, and 1 + `texture` for the nanopores of binder. They leave as the
    cosine of the angle from the surface's normal, and a detector takes those between its two angles that no
    wall stops; what is hit in a pore is darker, the deeper and narrower it is. Counting is Poisson; the image
    is blurred by the spot first. Brightness and contrast bring `window` (in electrons by flat, perfect
    scatterers: 1 is all of them) to grey values 0 to 255.

    Beam energy, current and dwell time are the paper's ("Imaging"). Angles, spot, channelling, texture and
    window are assumptions: no detector's geometry is printed.

    Attributes
    ----------
    energy_kev, current_na, dwell_us : float
        Energy and current of the beam, and time that it spends on a pixel.
    angles_deg : tuple of pair of float
        Least and greatest angle from the surface's normal that a detector takes.
    spot_um : float
        Standard deviation of the spot.
    channelling, texture : float
        Relative contrast of the grains of active material, and of the binder's nanopores.
    window : tuple of pair of float
        What is shown black, and white.
    """

    energy_kev: float = 5.0
    current_na: float = 1.6
    dwell_us: float = 3.0
    angles_deg: tuple[tuple[float, float], tuple[float, float]] = ((8.0, 28.0), (0.0, 5.0))
    spot_um: float = 0.02
    channelling: float = 0.04
    texture: float = 0.15
    window: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 0.50), (-0.02, 0.60))

    def __post_init__(self) -> None:
        check_positive(
            self, ("energy_kev", "current_na", "dwell_us", "spot_um"), or_zero=("channelling", "texture")
        )
        for black, white in self.window:
            if not -np.inf < black < white < np.inf:
                raise ValueError(
                    f"Cannot use an electron model with window {self.window!r}: black must lie below white, "
                    "for each detector. 1 is all electrons."
                )
        for low, high in self.angles_deg:
            if not 0 <= low < high <= 90:
                raise ValueError(
                    f"Cannot use an electron model with angles_deg {self.angles_deg!r}: two rising angles "
                    "from 0 to 90° from the surface's normal are needed for each detector."
                )

    @property
    def electrons(self) -> float:
        """Electrons that reach a pixel: current times time by the charge of one."""
        return self.current_na * 1e-9 * self.dwell_us * 1e-6 / _ELECTRON


def electron_images(
    section: CrossSection, *, model: ElectronModel | None = None, seed: int = 0
) -> xr.DataArray:
    """Simulate the images of a cross-section by two detectors: a digital twin, not a measurement.

    The kintsugi paper takes two images at once (J. Electrochem. Soc. 169, 070512, "Imaging"): one by the
    annular detector for backscattered electrons (CBS), which counts many and is sharp, and one by the
    through-lens detector (TLD), which counts few, close to the beam: noisier, and less darkened by the walls
    of pores.

    Parameters
    ----------
    section : CrossSection
        From :func:`cross_section`, with or without :func:`platinum`.
    model : ElectronModel, optional
        Physics of the beam and its detectors.
    seed : int
        Seed of the noise.

    Returns
    -------
    xarray.DataArray
        Grey values, ``uint8`` with dims channel, y, x; channels "CBS" and "TLD".

    Raises
    ------
    ValueError
        If the seed is not a whole number from 0.

    Notes
    -----
    Backscattered electrons come from some depth, and from beside the spot: in binder from a tenth of a
    micrometre and more at 5 keV. Here they come from the surface under the spot, so that borders of binder
    are sharper than measured ones, and thin binder hides what lies behind it. Secondary electrons, charging,
    and the brightness of edges seen from the side are not modelled either. Both detectors see one place at
    the same pixel.

    Examples
    --------
    >>> import corrtomo as ct
    >>> coating = ct.simulate.electrode((12.0, 12.0, 12.0), diameter_um=4.0, film=True, seed=1)
    >>> section = ct.simulate.cross_section(coating, 0.1, shape=(60, 80), origin_um=(0, 6, 0))
    >>> ct.simulate.electron_images(ct.simulate.platinum(section)).channel.values.tolist()
    ['CBS', 'TLD']
    """
    check_seed(seed)
    optics = ElectronModel() if model is None else model
    check_width(optics.spot_um, section, "spot_um")
    returned = _returned(section, optics)
    deep = section.depth_um > 0
    tangents = horizons(section.depth_um, section.pixel_um)
    out = np.empty((2, *returned.shape), np.uint8)
    for channel in range(2):
        low, high = optics.angles_deg[channel]
        signal = returned.copy()
        signal[deep] *= seen_share(tangents, low, high)
        signal = noise.gaussian(signal, [optics.spot_um / section.pixel_um] * 2)
        share = np.sin(np.radians(high)) ** 2 - np.sin(np.radians(low)) ** 2
        full = optics.electrons * share
        rng = np.random.default_rng(np.random.SeedSequence([seed, 7, channel]))
        counted = rng.poisson(signal * full) / full
        black, white = optics.window[channel]
        out[channel] = np.clip(np.rint((counted - black) / (white - black) * 255.0), 0, 255)
    image = section.image(np.zeros_like(section.phases))
    stacked = xr.concat([image.copy(data=one) for one in out], "channel")
    return stacked.assign_coords(channel=list(DETECTORS)).rename("backscattered electrons")


def _returned(section: CrossSection, optics: ElectronModel) -> Floats:
    """Return what share of the electrons the surface itself sends back."""
    binder = materials.blend(materials.CARBON, materials.PVDF, materials.BINDER_PVDF)
    met = (binder, materials.NMC, materials.ALUMINIUM, materials.PLATINUM)
    yields = np.array([0.0, *(m.backscattered(optics.energy_kev) for m in met)], np.float32)
    out: Floats = yields[section.seen]
    flat = section.depth_um == 0
    grain, pores = flat & (section.seen == AM), flat & (section.seen == CBD)
    out[grain] *= 1.0 + optics.channelling * section.shade[grain]
    out[pores] *= 1.0 + optics.texture * section.texture[pores]
    return np.maximum(out, 0.0)
