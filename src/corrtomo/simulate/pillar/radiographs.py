"""The scan of a pillar in a nanoCT inside an electron microscope: cone beam, focal spot, counted photons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy import ndimage

from ...volume import volume
from ..limits import (
    check_edge,
    check_model,
    check_pose,
    check_progress,
    check_seed,
    check_window,
)
from ..shares import Progress
from .blend import MATERIALS
from .checks import check_angles, check_scan
from .rays import check_wander, project, raster, reach_um
from .scan_model import ScanModel
from .specimen import Pillar
from .spectrum import BINDER, LCO, NCA, Spectrum, attenuation_per_um

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
_FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))
_BLOCK = 8
_MOST_COUNTS = 60_000.0
_ABOVE_UM = 1.0


@dataclass(frozen=True, eq=False)
class Scan:
    """Radiographs of a pillar, as the detector counts them.

    Attributes
    ----------
    counts : xarray.DataArray
        Photons, ``uint16``, dims angle, z, x; z and x in µm as seen on the axis of rotation.
    flat : xarray.DataArray
        The same with nothing in the beam, a few times.
    angles_deg : numpy.ndarray
        Turn of the pillar at each projection.
    drift : pandas.DataFrame
        The truth: ``angle_deg``, and by how much the image lies off along z and x, ``z_um``, ``x_um``.
    centre_um : float
        The truth: x of the axis of rotation.
    source_um, source_z_um : float
        Distance of the source from the axis, and its height.
    """

    counts: xr.DataArray
    flat: xr.DataArray
    angles_deg: Array
    drift: pd.DataFrame
    centre_um: float
    source_um: float
    source_z_um: float


def radiographs(
    specimen: Pillar,
    angles_deg: npt.ArrayLike,
    pixel_um: float = 0.05,
    *,
    shape: Sequence[int],
    pose: npt.ArrayLike | None = None,
    model: ScanModel | None = None,
    seed: int = 0,
    progress: Progress = iter,
) -> Scan:
    """Simulate the radiographs of a pillar: a digital twin, not a measurement.

    The nanoCT and SIMS paper takes 1200 projections, 0.3° apart, of a pillar 400 µm in front of the focal
    spot, 90 s each, with pixels of 50 nm (Microsc. Microanal. 2022, "NanoCT Analysis").

    Parameters
    ----------
    specimen : Pillar
        From :func:`pillar`.
    angles_deg : array_like
        Turn of the pillar at each projection, about z.
    pixel_um : float
        Edge of a pixel, as seen on the axis.
    shape : sequence of int
        Number of pixels along z and x. The first row lies 1 µm above the top of the pillar.
    pose : array_like, optional
        4 × 4 matrix from the frame of the pillar to that of the scan, whose z is the axis of rotation; turns
        and shifts only.
    model : ScanModel, optional
        Physics of the instrument.
    seed : int
        Seed of gains, drift and counts.
    progress : callable, optional
        Wraps the loop over blocks of projections.

    Returns
    -------
    Scan
        Counts and flats; and what a reconstruction must find: axis and drift.

    Raises
    ------
    ValueError
        If there are no angles, the pillar reaches the source, or a count is beyond 16 bits.
    TypeError
        If `specimen` is no pillar.

    Notes
    -----
    Lengths are summed along each ray at steps of one pixel through a raster of the same edge, which is
    another grid than that of any reconstruction; the raster covers what the cone sees above and below the
    rows. Refraction, scatter, the energy that a photon deposits in two pixels, and ring-shaped steps at the
    joints of the chips are left out. Memory is that of the counts and of the raster, a byte a voxel.

    Examples
    --------
    >>> import corrtomo as ct
    >>> pillar = ct.simulate.pillar(6.0, seed=1)
    >>> scan = ct.simulate.radiographs(pillar, [0.0, 90.0], 0.2, shape=(20, 60))
    >>> scan.counts.shape, str(scan.counts.dtype)
    ((2, 20, 60), 'uint16')
    """
    if not isinstance(specimen, Pillar):
        raise TypeError(
            f"Cannot scan a {type(specimen).__name__}: a pillar is needed. Draw one with "
            "ct.simulate.pillar()."
        )
    check_seed(seed)
    check_progress(progress)
    check_model(model, ScanModel, "model")
    pixel_um = check_edge(pixel_um, "pixel_um")
    rows, columns = check_window(shape, pixel_um)
    turns = check_angles(angles_deg)
    optics = ScanModel() if model is None else model
    check_scan(len(turns), int(optics.flats), (rows, columns))
    mount = check_pose(pose)
    z: Array = -_ABOVE_UM + pixel_um * np.arange(rows, dtype=float)
    u: Array = pixel_um * (np.arange(columns, dtype=float) - (columns - 1) / 2)
    source_z = source_height(rows, pixel_um)
    reach = reach_um(specimen, mount, z, optics.source_um)
    spectrum = optics.spectrum(pixel_um)
    _check_counts(1.3 * spectrum.photons.sum(), spectrum)
    labels, origin = raster(specimen, mount, reach, z, pixel_um, optics.source_um)
    drift = spot_drift(turns, optics.drift_um, seed)
    check_wander(drift["z_um"].to_numpy(), origin, pixel_um, optics.source_um)
    weights = _weights(specimen, spectrum)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 31]))
    gain, after = _gains(rng, (rows, columns), optics)
    _check_counts(max(float(gain.max()), float(after.max())) * spectrum.photons.sum(), spectrum)
    flat = rng.poisson(gain * spectrum.photons.sum(), (int(optics.flats), rows, columns))
    counts = np.empty((len(turns), rows, columns), np.uint16)
    spot = optics.spot_um / _FWHM / pixel_um
    expected = np.empty((_BLOCK, rows, columns), np.float32)
    for first in progress(range(0, len(turns), _BLOCK)):
        for a in range(first, min(first + _BLOCK, len(turns))):
            moved = z - drift["z_um"][a], u - optics.axis_um - drift["x_um"][a]
            place = expected[a - first]
            project(
                place, labels, origin, pixel_um, np.radians(turns[a]), *moved, optics.source_um, source_z,
                spectrum.photons, weights,
            )  # fmt: skip
        several = expected[: min(_BLOCK, len(turns) - first)]
        blurred = ndimage.gaussian_filter(several, (0, spot, spot), mode="nearest")
        counts[first : first + len(several)] = rng.poisson(blurred * after)
    dims = ("angle", "z", "x")
    place_um = (float(z[0]), float(u[0]))
    return Scan(
        volume(counts, pixel_um, origin=place_um, dims=dims, name="counts"),
        volume(flat.astype(np.uint16), pixel_um, origin=place_um, dims=dims, name="flat"),
        turns, drift, float(optics.axis_um), float(optics.source_um), source_z,
    )  # fmt: skip


def _check_counts(most: float, spectrum: Spectrum) -> None:
    """Refuse more counts than 16 bits hold."""
    if not most <= _MOST_COUNTS:
        raise ValueError(
            f"Cannot hold {spectrum.photons.sum():.3g} counts in a pixel: radiographs are 16-bit, up to "
            f"{_MOST_COUNTS:.0f}. Lower exposure_s or current_na of the model, or pixel_um."
        )


def source_height(rows: int, pixel_um: float) -> float:
    """Return the height of the source: that of the middle of the rows."""
    return -_ABOVE_UM + (rows - 1) / 2 * pixel_um


def spot_drift(turns: Array, drift_um: float, seed: int) -> pd.DataFrame:
    """Draw a smooth walk along z and x, in the gauge in which a scan can be known.

    A constant is where the axis and the pillar are, and a wave of one turn along x is where the pillar stands
    beside the axis: both are taken out. What is left has the standard deviation `drift_um` along each.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, 30]))
    time = np.linspace(0.0, 1.0, len(turns))
    angle = np.radians(turns)
    constant = np.ones((len(turns), 1))
    around = np.column_stack([constant, np.cos(angle), np.sin(angle)])
    walks = []
    for known in (constant, around):
        walk = np.zeros(len(turns))
        for n in range(1, 5):
            phase = rng.uniform(0, 2 * np.pi)
            walk += rng.standard_normal() / n * np.sin(np.pi * n * time / 1.5 + phase)
        walk -= known @ np.linalg.lstsq(known, walk)[0]
        spread = float(np.std(walk))
        walks.append(walk * drift_um / spread if spread > 1e-9 else np.zeros(len(turns)))
    return pd.DataFrame({"angle_deg": turns, "z_um": walks[0], "x_um": walks[1]})


def _weights(specimen: Pillar, spectrum: Spectrum) -> Array:
    """Return the attenuation of each material at each energy, in 1/µm, dims material, energy."""
    energies = spectrum.energies_kev
    binder = attenuation_per_um(BINDER, energies) * (1.0 - specimen.cathode.cbd_porosity)
    rows = {"pore": np.zeros(len(energies)), "carbon binder domain": binder}
    rows |= {"LCO": attenuation_per_um(LCO, energies), "NCA": attenuation_per_um(NCA, energies)}
    return np.array([rows[name] for name in MATERIALS])


def _gains(rng: np.random.Generator, shape: tuple[int, int], optics: ScanModel) -> tuple[Floats, Floats]:
    """Draw the gain of each pixel when flats are taken, and during the scan; dead columns have none."""
    gain = 1.0 + optics.gain_sd * rng.standard_normal(shape)
    after = gain * (1.0 + optics.gain_change * rng.standard_normal(shape))
    if optics.dead_columns > shape[1] - 2:
        raise ValueError(
            f"Cannot scan with {optics.dead_columns} dead columns out of {shape[1]}: two or more must count. "
            "Give more columns, or lower dead_columns of the model."
        )
    dead = rng.choice(shape[1], int(optics.dead_columns), replace=False)
    gain[:, dead] = after[:, dead] = 0.0
    return np.maximum(gain, 0).astype(np.float32), np.maximum(after, 0).astype(np.float32)
