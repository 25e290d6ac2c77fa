"""The scan of a wound cell by a laboratory X-ray tube: beam hardening, focal spot, gains, counted photons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import njit, prange
from scipy import ndimage

from ...volume import PROJECTIONS, volume, voxel_size
from ..limits import check_model, check_origin, check_positive, check_seed
from .attenuation import METAL, attenuation_per_um, parts, parts_of_layers
from .roll import JellyRoll
from .shares import edges_of, shares

Array = npt.NDArray[np.float64]
_FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))
_MOST_COUNTS = 60_000.0
_FRAMES = 64
_STEP_KEV = 5.0


@dataclass(frozen=True)
class CellScanModel:
    """What stands between a wound cell and the counts of its radiographs.

    A pixel sees along its ray the integrals P and C of the photoelectric and of the Compton part of the
    attenuation. The image  Σ_E N(E) exp(−P p(E) − C c(E)), blurred by the focal spot (a Gaussian), times the
    gain of the pixel, is what it expects, and it counts by Poisson's law. N(E) dE ∝ (V − E) / E exp(−µ_Cu(E)
    d) is the bremsstrahlung of a thick target (Kramers) behind a filter of copper, from 30 keV on. Because
    soft X-rays stop first, the cell looks darker inside, and its can brighter, than they are: beam hardening.

    The paper states no settings: all are assumed, and usual for cells.

    Attributes
    ----------
    voltage_kv : float
        Of the tube; up to 160.
    filter_um : float
        Thickness of the copper filter.
    photons : float
        Counts of a pixel with nothing in the beam.
    spot_um : float
        Full width at half maximum of the blur by focal spot and detector, as seen on the axis.
    gain_sd, gain_change : float
        Spread of the pixels' gains, which flats show, and by how much they change after the flats: rings.
    flats : int
        Flats taken.
    """

    voltage_kv: float = 160.0
    filter_um: float = 500.0
    photons: float = 20_000.0
    spot_um: float = 30.0
    gain_sd: float = 0.03
    gain_change: float = 0.002
    flats: int = 20

    def __post_init__(self) -> None:
        check_positive(
            self,
            ("voltage_kv", "photons", "flats"),
            or_zero=("filter_um", "spot_um", "gain_sd", "gain_change"),
        )
        if not (40 <= self.voltage_kv <= 160 and max(self.gain_sd, self.gain_change) < 0.3):
            raise ValueError(
                f"Cannot use CellScanModel with voltage_kv {self.voltage_kv!r}, gain_sd {self.gain_sd!r} and "
                f"gain_change {self.gain_change!r}: 40 to 160 kV, for which attenuation is tabulated, and "
                "gains that spread by less than 0.3, are needed."
            )
        if not float(self.flats).is_integer() or self.flats > 1000 or self.spot_um > 1e4:
            raise ValueError(
                f"Cannot use CellScanModel with flats {self.flats!r} and spot_um {self.spot_um!r}: a whole "
                "number up to 1000, and a blur up to 10 000 µm, are needed."
            )
        if self.photons * (1 + 6 * (self.gain_sd + self.gain_change)) > _MOST_COUNTS:
            raise ValueError(
                f"Cannot hold {self.photons:.3g} counts in a pixel: radiographs are 16-bit, up to "
                f"{_MOST_COUNTS:.0f}. Lower photons of the model."
            )

    def spectrum(self) -> tuple[Array, Array]:
        """Return energies in keV, and the share of what is counted of each, with nothing in the beam."""
        energy = np.arange(30.0 + _STEP_KEV / 2, self.voltage_kv, _STEP_KEV)
        made = (self.voltage_kv - energy) / energy
        made *= np.exp(-attenuation_per_um(METAL, energy) * self.filter_um)
        return energy, made / made.sum()


def two_parts(
    specimen: JellyRoll,
    voxel_um: float | tuple[float, float],
    *,
    shape: tuple[int, int, int],
    origin: float | tuple[float, float, float],
    pose: npt.ArrayLike | None = None,
) -> tuple[xr.DataArray, xr.DataArray]:
    """Raster the photoelectric and the Compton part of a cell's attenuation, with foils at their shares.

    Parameters
    ----------
    specimen : JellyRoll
        From :func:`jelly_roll`.
    voxel_um : float or tuple of float
        Edge of a voxel, or that along z, and that along y and x.
    shape : tuple of int
        Number of voxels along z, y, x.
    origin : float or tuple of float
        Centre of the first voxel in µm.
    pose : array_like, optional
        4 × 4 from the frame of the cell to that of the window; it may turn about z, and shift.

    Returns
    -------
    photoelectric, compton : xarray.DataArray
        In 1/µm at 60 keV, ``float32``, dims z, y, x. Their line integrals are what :func:`count_photons`
        takes.

    Raises
    ------
    TypeError
        If `specimen` is no jelly roll.
    ValueError
        If a length is none, the pose leans, or the window does not fit into memory.
    """
    check_roll(specimen)
    filled = shares(specimen, voxel_um, shape=shape, origin=origin, pose=pose)
    edges, start = edges_of(voxel_um).tolist(), check_origin(origin).tolist()
    first, second = (volume(filled.weighted(by_code), edges, origin=start) for by_code in parts_of_layers())
    return first.rename("photoelectric"), second.rename("compton")


def count_photons(
    photoelectric: xr.DataArray,
    compton: xr.DataArray,
    *,
    model: CellScanModel | None = None,
    seed: int = 0,
) -> tuple[xr.DataArray, xr.DataArray]:
    """Count photons behind a cell, from the line integrals of both parts of its attenuation.

    Parameters
    ----------
    photoelectric, compton : xarray.DataArray
        Line integrals at 60 keV, dims angle, z, x, on one grid.
    model : CellScanModel, optional
        Physics of the instrument.
    seed : int
        Seed of gains and counts.

    Returns
    -------
    counts, flat : xarray.DataArray
        Photons, ``uint16``, dims angle, z, x; flats with nothing in the beam.

    Raises
    ------
    ValueError
        If the two are not on one grid, or hold NaN.

    Notes
    -----
    Scattered photons, the characteristic lines of the target, and what a scintillator counts of each energy
    are left out: each photon counts alike.
    """
    check_model(model, CellScanModel, "model")
    check_seed(seed)
    physics = CellScanModel() if model is None else model
    for one in (photoelectric, compton):
        image = isinstance(one, xr.DataArray) and one.dims == PROJECTIONS
        if not image or one.shape != photoelectric.shape:
            raise ValueError(
                "Cannot count photons: line integrals of both parts, with dims angle, z, x and one shape, "
                "are needed. Take ct.reconstruct.project() of what two_parts() returns."
            )
    energy, share = physics.spectrum()
    curves = parts(energy)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 61]))
    shape = photoelectric.shape[1:]
    gain = np.maximum(1 + physics.gain_sd * rng.standard_normal(shape), 0.1)
    after = gain * (1 + physics.gain_change * rng.standard_normal(shape))
    edge = voxel_size(photoelectric.isel(angle=0))
    blur = [0.0, *(physics.spot_um / _FWHM / e for e in edge)]
    counts = np.empty(photoelectric.shape, np.uint16)
    for a in range(0, len(counts), _FRAMES):
        some = [np.ascontiguousarray(p.data[a : a + _FRAMES], np.float32) for p in (photoelectric, compton)]
        if not all(np.isfinite(one).all() for one in some):
            raise ValueError(
                f"Cannot count photons: line integrals of projections from {a} on hold NaN or are infinite."
            )
        passed = np.empty(some[0].shape, np.float32)
        _transmitted(passed, some[0], some[1], curves, share)
        expected = ndimage.gaussian_filter(passed, blur, mode="nearest") * after * physics.photons
        counts[a : a + _FRAMES] = np.minimum(rng.poisson(expected), np.iinfo(np.uint16).max)
    flat = rng.poisson(gain * physics.photons, (int(physics.flats), *shape)).astype(np.uint16)
    place = [float(photoelectric[d][0]) for d in ("z", "x")]
    return (
        volume(counts, edge, origin=place, dims=PROJECTIONS, name="counts"),
        volume(flat, edge, origin=place, dims=PROJECTIONS, name="flat"),
    )


@njit(cache=True, parallel=True, fastmath=True)
def _transmitted(out: Any, first: Any, second: Any, curves: Any, share: Any) -> None:
    for a in prange(out.shape[0]):
        for k in range(out.shape[1]):
            for c in range(out.shape[2]):
                total = 0.0
                for e in range(len(share)):
                    total += share[e] * np.exp(
                        -first[a, k, c] * curves[0, e] - second[a, k, c] * curves[1, e]
                    )
                out[a, k, c] = total


def check_roll(specimen: Any) -> None:
    """Refuse what is no wound cell."""
    if not isinstance(specimen, JellyRoll):
        raise TypeError(
            f"Cannot image a {type(specimen).__name__}: a wound cell is needed. Draw one with "
            "ct.simulate.jelly_roll()."
        )
