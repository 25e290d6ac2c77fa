"""Synchrotron phase-contrast tomography of a known specimen, from attenuation to 8-bit grey."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import fft

from ..volume import volume
from .limits import check_origin, check_seed, check_shape
from .noise import Floats, stream, white
from .raster import View
from .shares import Progress, padded_shares
from .specimen import Specimen, check_specimen

_KEV_UM = 1.2398e-3  # hc: wavelength in µm of a photon of 1 keV


@dataclass(frozen=True)
class XrayModel:
    """What stands between a specimen and the grey values of its X-ray tomogram.

    With F the share of a phase in each voxel, k the angular spatial frequency, and the attenuation of the
    active material as unit, the reconstruction is::

        image(k) = psf(k) Σ_phase (µ cos χ + L² k² δ sin χ / χ) F(k) / (1 + r L² k²) + noise(k)
        psf(k)   = (1 - halo) exp(-blur² k² / 2) + halo exp(-halo_um² k² / 2)
        noise(k) ∝ √|k_yx| exp(-noise_blur² k² / 2) / (1 + r L² k²)
        χ(k)     = z λ k² / 4π

    µ and δ are attenuation and refractive decrement relative to the active material; L² = z δ_AM / µ_AM for
    the propagation distance z. The numerator is free propagation of a weak object (contrast transfer). For
    small χ it is the transport of intensity: an attenuation image minus z ∇²δ, bright and dark fringes along
    every edge; with the defaults χ reaches 1 at k = 2.8/µm, where the point spread passes a quarter. The
    denominator is phase retrieval for one material; r = 1 takes the fringes of the active material away, r <
    1 leaves a share of them, and the binder keeps a contrast by electron density that fades over a few L: it
    depends on the neighbourhood. The wide part of the point spread is light scattered in the scintillator.
    The noise is photon noise after filtered back-projection about z, whose power grows as |k_yx| (the square
    of the ramp over the density of lines), and the same retrieval.

    Attributes
    ----------
    mu_am_per_um, mu_cbd_per_um : float
        Attenuation of active material and of solid binder and carbon, in 1/µm. For LiMn2O4 (4.28 g/cm³, 14.0
        cm²/g) and carbon and binder (1.56 g/cm³, 0.442 cm²/g, that of carbon) at 20 keV, from tabulated mass
        attenuation (NIST XCOM, rounded). 1.56 g/cm³ follows from the paper's loading, thickness and 11.2
        vol%; 4.28 g/cm³ is the crystal's. The paper states no energy: an assumption.
    delta_am, delta_cbd : float
        Refractive decrement of both: r_e λ² n_e / 2π at 20 keV, with the electron densities of the same
        materials.
    energy_kev : float
        Photon energy, of which λ is the wavelength. An assumption.
    distance_um : float
        Propagation distance z in µm. An assumption.
    retrieval : float
        Share r of the fringes that phase retrieval takes away.
    blur_um, halo, halo_um : float
        Standard deviation of the narrow part of the point spread in µm, weight of the wide part, and its
        standard deviation in µm.
    noise, noise_blur_um : float
        Standard deviation of the noise as a share of the attenuation of the active material, and its
        apodisation in µm.
    window : tuple of float
        What becomes grey 0 and grey 255, as a share of the attenuation of the active material.
    """

    mu_am_per_um: float = 5.99e-3
    mu_cbd_per_um: float = 6.9e-5
    delta_am: float = 2.09e-6
    delta_cbd: float = 8.1e-7
    energy_kev: float = 20.0
    distance_um: float = 25_000.0
    retrieval: float = 0.8
    blur_um: float = 0.5
    halo: float = 0.15
    halo_um: float = 3.0
    noise: float = 0.15
    noise_blur_um: float = 0.3
    window: tuple[float, float] = (-0.6, 1.6)

    def __post_init__(self) -> None:
        above = (
            "mu_am_per_um",
            "mu_cbd_per_um",
            "delta_am",
            "delta_cbd",
            "energy_kev",
            "blur_um",
            "halo_um",
            "noise_blur_um",
        )
        for name in above:
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(
                    f"Cannot use an X-ray model with {name} {getattr(self, name)!r}: it must be finite and "
                    "above zero. Lengths are in µm, attenuation in 1/µm."
                )
        for name, top in (("distance_um", np.inf), ("retrieval", 1.0), ("halo", 1.0), ("noise", np.inf)):
            if not 0.0 <= getattr(self, name) <= top:
                raise ValueError(
                    f"Cannot use an X-ray model with {name} {getattr(self, name)!r}: allowed is 0 to "
                    f"{top:g}. Set it to 0 to leave that effect out."
                )
        if not self.window[0] < self.window[1]:
            raise ValueError(
                f"Cannot use an X-ray model with window {self.window!r}: the first value becomes grey 0 "
                "and must lie below the second, which becomes grey 255. Swap them."
            )

    @property
    def fringe_um2(self) -> float:
        """L², the squared length over which the phase signal equals attenuation, in µm²."""
        return self.distance_um * self.delta_am / self.mu_am_per_um

    @property
    def margin_um(self) -> float:
        """How far around a window the specimen must be known, in µm."""
        tails = (
            4.0 * self.blur_um,
            3.5 * self.halo_um * (self.halo > 0),
            5.0 * float(np.sqrt(self.fringe_um2)),
        )
        return max(tails)

    def psf(self, k2: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the transfer of the point spread at squared angular frequency `k2` (1/µm²); 1 at 0."""
        narrow: npt.NDArray[Any] = np.exp(-0.5 * self.blur_um**2 * k2)
        if not self.halo:
            return narrow
        wide = np.exp(-0.5 * self.halo_um**2 * k2)
        both: npt.NDArray[Any] = (1.0 - self.halo) * narrow + self.halo * wide
        return both

    def transfer(self, k2: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return the transfers from the shares of active material and solid binder to the image at `k2`."""
        scale = self.psf(k2) / (1.0 + self.retrieval * self.fringe_um2 * k2)
        wavelength_um = _KEV_UM / self.energy_kev
        chi = self.distance_um * wavelength_um / (4.0 * np.pi) * k2
        absorbed, refracted = np.cos(chi), self.fringe_um2 * k2 * np.sinc(chi / np.pi)
        mu, delta = self.mu_cbd_per_um / self.mu_am_per_um, self.delta_cbd / self.delta_am
        return scale * (absorbed + refracted), scale * (mu * absorbed + delta * refracted)

    def noise_shape(self, k2: npt.NDArray[Any], k2_yx: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the spectrum of the noise amplitude, not yet scaled to its standard deviation."""
        retrieved = 1.0 + self.retrieval * self.fringe_um2 * k2
        shape: npt.NDArray[Any] = k2_yx**0.25 * np.exp(-0.5 * self.noise_blur_um**2 * k2) / retrieved
        return shape


def xray_tomography(
    specimen: Specimen,
    voxel_size: float = 0.438,
    *,
    shape: Sequence[int],
    origin: Sequence[float] = (0.0, 0.0, 0.0),
    model: XrayModel | None = None,
    seed: int = 0,
    progress: Progress = iter,
) -> xr.DataArray:
    """Simulate the X-ray tomogram of a window of a specimen: a digital twin, not a measurement.

    The X-ray and FIB-SEM paper segments grey values that depend on the neighbourhood: fringes, a halo, and
    noise. This model makes them from a known specimen, so that every segmentation can be held against the
    truth.

    Parameters
    ----------
    specimen : Specimen
        From :func:`electrode` or :func:`labelled`.
    voxel_size : float
        Edge of a voxel in µm.
    shape, origin : sequence
        Number of voxels along z, y, x, and centre of the first voxel in µm in the frame of the specimen.
    model : XrayModel, optional
        Physics of the instrument; the default is plausible, not calibrated.
    seed : int
        Seed of the noise.
    progress : callable, optional
        Wraps the loop over slabs, for instance ``tqdm.tqdm``.

    Returns
    -------
    xarray.DataArray
        Grey values, ``uint8`` with dims z, y, x.

    Raises
    ------
    ValueError
        If the voxel size or a count is not above zero, or nothing of the specimen is known in the window.
    TypeError
        If `specimen` is none, for instance labels.

    Notes
    -----
    The specimen goes on beyond the window, so the border is as good as the middle. Beyond its own box an
    electrode repeats itself: a window that, margin included, is wider than the box sees particles twice. A
    labelled volume is mirrored there, and what is mirrored was not measured. The same voxel has the same grey
    value in every window that holds it, within two grey values. Memory is about 16 bytes a voxel, margin
    included. No ring artefacts, no motion, no beam hardening: a synchrotron beam has one energy.

    References
    ----------
    Sci. Rep. 6, 30109 (2016), doi:10.1038/srep30109, section "X-ray Tomography".
    Near-field propagation and retrieval: Paganin et al., J. Microsc. 206, 33 (2002),
    doi:10.1046/j.1365-2818.2002.01010.x.

    Examples
    --------
    >>> import corrtomo as ct
    >>> specimen = ct.simulate.electrode(15.0, seed=1)
    >>> image = ct.simulate.xray_tomography(specimen, 0.438, shape=(4, 8, 8))
    >>> image.shape, str(image.dtype)
    ((4, 8, 8), 'uint8')
    """
    check_specimen(specimen)
    check_seed(seed)
    check_shape(shape)
    if not (np.isfinite(voxel_size) and voxel_size > 0):
        raise ValueError(
            f"Cannot simulate voxel_size {voxel_size!r} µm and shape {tuple(shape)!r}: a size above zero "
            "and three numbers of voxels along z, y, x are needed. The paper has 0.438 µm and (24, 55, "
            "65)."
        )
    start = check_origin(origin)
    n = (int(shape[0]), int(shape[1]), int(shape[2]))
    specimen.check_view(View(np.full(3, float(voxel_size)), start, n))
    optics = XrayModel() if model is None else model
    am, cbd, pad = padded_shares(specimen, voxel_size, shape, start.tolist(), optics.margin_um, progress)
    # Index of the first padded voxel on the lattice of the noise: any window sees the same noise.
    first = [round(o / voxel_size) - p for o, p in zip(start, pad, strict=True)]
    image = form_image(am, cbd, voxel_size, optics, seed, first)
    inner = tuple(slice(p, p + n) for p, n in zip(pad, shape, strict=True))
    return volume(
        to_grey(image[inner], optics.window), voxel_size, origin=start.tolist(), name="X-ray tomogram"
    )


def form_image(
    am: Floats,
    cbd: Floats,
    voxel_um: float,
    model: XrayModel,
    seed: int = 0,
    first: Sequence[int] = (0, 0, 0),
) -> Floats:
    """Turn shares of active material and solid binder into an image; the border wraps around.

    `first` is the index of the first voxel on the lattice of the noise.
    """
    shape = am.shape
    result = _weigh(fft.rfftn(am, workers=2), shape, voxel_um, lambda k2, _: model.transfer(k2)[0])
    result += _weigh(fft.rfftn(cbd, workers=2), shape, voxel_um, lambda k2, _: model.transfer(k2)[1])
    if model.noise:
        grain = white(stream(seed, "photons"), first, shape)
        scale = model.noise / noise_deviation(model, voxel_um)
        result += _weigh(
            fft.rfftn(grain, workers=2), shape, voxel_um, lambda k2, yx: scale * model.noise_shape(k2, yx)
        )
    image: Floats = fft.irfftn(result, s=shape, overwrite_x=True, workers=2)
    return image


def noise_deviation(model: XrayModel, voxel_um: float) -> float:
    """Return the standard deviation that white noise of variance 1 has under the model's noise spectrum."""
    k = 2.0 * np.pi * np.fft.fftfreq(128, voxel_um)
    yx = (k[:, None] ** 2 + k[None, :] ** 2)[None]
    power = [np.mean(model.noise_shape(kz**2 + yx, yx) ** 2) for kz in k]
    return float(np.sqrt(np.mean(power)))


def to_grey(image: Floats, window: tuple[float, float]) -> npt.NDArray[np.uint8]:
    """Map a window of values onto 0 to 255, rounded; what lies outside becomes 0 or 255."""
    low, high = window
    grey: npt.NDArray[np.uint8] = np.clip(np.rint((image - low) * (255.0 / (high - low))), 0, 255).astype(
        np.uint8
    )
    return grey


def _weigh(
    spectrum: npt.NDArray[Any],
    shape: tuple[int, ...],
    voxel_um: float,
    weight: Callable[[npt.NDArray[Any], npt.NDArray[Any]], npt.NDArray[Any]],
) -> npt.NDArray[Any]:
    """Multiply a half spectrum, in place and plane by plane, with a real function of the frequency."""
    kz, ky = (2.0 * np.pi * np.fft.fftfreq(n, voxel_um) for n in shape[:2])
    kx = 2.0 * np.pi * np.fft.rfftfreq(shape[2], voxel_um)
    yx = ky[:, None] ** 2 + kx[None, :] ** 2
    for plane, k in zip(spectrum, kz, strict=True):
        plane *= weight(k**2 + yx, yx)
    return spectrum
