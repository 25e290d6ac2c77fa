"""The detail of a wound cell, as X-ray microscopy of a small field shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import njit, prange
from scipy import ndimage

from ...volume import volume
from ..limits import (
    as_array,
    check_model,
    check_origin,
    check_pose,
    check_positive,
    check_progress,
    check_seed,
    check_shape,
    check_voxel_size,
)
from ..noise import TRUNCATE, stream, white
from ..raster import View
from ..shares import Progress
from .attenuation import of_contents
from .roll import JellyRoll
from .scan import check_roll

Array = npt.NDArray[np.float64]
_SLAB = 32
_FULL = 65535.0


@dataclass(frozen=True)
class DetailModel:
    """What stands between a wound cell and the grey values of a detail of it.

    The image is the attenuation µ at one energy, blurred by a Gaussian, plus noise, plus rings about the
    middle of the field, plus what a scan of a field inside a larger sample adds: a slow rise towards its
    border. Projections are not simulated: at 0.5 µm, those of a whole cell would fill a disk.

    The paper states "voxel sizes of 500 nm upwards", and nothing else: all else is assumed.

    Attributes
    ----------
    energy_kev : float
        Mean energy of the X-rays that have passed the cell, at which µ is taken.
    blur_um : float
        Standard deviation of the blur.
    noise_per_um : float
        Standard deviation of the noise in 1/µm, before it is blurred by `noise_blur_um`, too.
    noise_blur_um : float
        How far neighbouring voxels share noise.
    ring_per_um : float
        Standard deviation of the rings in 1/µm.
    rise : float
        By what share of the mean attenuation grey values rise from the middle to the border.
    window_per_um : tuple of float
        What becomes grey 0 and grey 65535, in 1/µm.
    """

    energy_kev: float = 60.0
    blur_um: float = 0.5
    noise_per_um: float = 1.2e-4
    noise_blur_um: float = 0.35
    ring_per_um: float = 1.0e-5
    rise: float = 0.15
    window_per_um: tuple[float, float] = (-4e-4, 2.0e-3)

    def __post_init__(self) -> None:
        check_positive(
            self, ("energy_kev",), or_zero=("blur_um", "noise_per_um", "noise_blur_um", "ring_per_um", "rise")
        )
        window = as_array(self.window_per_um)
        numbers = window.shape == (2,) and window.dtype.kind in "iuf"
        if not (numbers and -1 < window[0] < window[1] < 1):
            raise ValueError(
                f"Cannot use DetailModel with window_per_um {self.window_per_um!r}: two numbers in 1/µm are "
                "needed, the lower one first."
            )
        if not 30 <= self.energy_kev <= 150 or max(self.blur_um, self.noise_blur_um) > 100 or self.rise > 2:
            raise ValueError(
                f"Cannot use DetailModel with energy_kev {self.energy_kev!r}, blur_um {self.blur_um!r}, "
                f"noise_blur_um {self.noise_blur_um!r} and rise {self.rise!r}: 30 to 150 keV, for which "
                "attenuation is tabulated, blur up to 100 µm and a rise up to 2 are allowed."
            )


def cell_detail(
    specimen: JellyRoll,
    voxel_size: float = 0.5,
    *,
    shape: Sequence[int],
    origin: float | Sequence[float],
    pose: npt.ArrayLike | None = None,
    model: DetailModel | None = None,
    seed: int = 0,
    progress: Progress = iter,
) -> xr.DataArray:
    """Simulate a detail of a wound cell: a digital twin, not a measurement.

    The paper shows a "cropped detail view" of its cell, and images of "CT with voxel sizes of 500 nm upwards"
    ("Non-destructive detection of defects").

    Parameters
    ----------
    specimen : JellyRoll
        From :func:`jelly_roll`.
    voxel_size : float
        Edge of a voxel in µm.
    shape, origin : sequence
        Number of voxels along z, y, x, and centre of the first in µm.
    pose : array_like, optional
        4 × 4 matrix from the frame of the cell to that of the detail; turns and shifts only.
    model : DetailModel, optional
        Physics of the instrument.
    seed : int
        Seed of noise and rings.
    progress : callable, optional
        Wraps the loop over slabs of slices.

    Returns
    -------
    xarray.DataArray
        Grey values, ``uint16``, dims z, y, x. ``attrs["grey_0_per_um"]`` and ``attrs["grey_65535_per_um"]``
        are what they stand for.

    Raises
    ------
    TypeError
        If `specimen` is no jelly roll.
    ValueError
        If a size is not above zero, or the pose does more than turn and shift.

    Notes
    -----
    Voxels hold what lies at their centres, and are then blurred. Beam hardening, phase contrast, and streaks
    from what lies around the field are left out. Memory is that of the result and of 32 slices.
    """
    check_roll(specimen)
    check_seed(seed)
    check_progress(progress)
    check_model(model, DetailModel, "model")
    check_shape(shape)
    edge, start = check_voxel_size(voxel_size), check_origin(origin)
    if np.ptp(edge) > 0:
        raise ValueError(f"Cannot image a detail with voxels of {voxel_size!r} µm: one edge is needed.")
    optics = DetailModel() if model is None else model
    view = View(edge, start, (int(shape[0]), int(shape[1]), int(shape[2])), check_pose(pose))
    out = np.empty(view.shape, np.uint16)
    rings = _rings(view, optics, seed)
    for first in progress(range(0, view.shape[0], _SLAB)):
        last = min(first + _SLAB, view.shape[0])
        _slab(out[first:last], specimen, view, first, last, optics, rings, seed)
    low, high = optics.window_per_um
    return volume(out, edge.tolist(), origin=start.tolist(), name="detail").assign_attrs(
        grey_0_per_um=low, grey_65535_per_um=high
    )


def _slab(
    out: Any,
    specimen: JellyRoll,
    view: View,
    first: int,
    last: int,
    optics: DetailModel,
    rings: Array,
    seed: int,
) -> None:
    """Write some slices; what lies beyond them is drawn too, as far as blur reaches."""
    blur, noise_blur = optics.blur_um / view.voxel_um[0], optics.noise_blur_um / view.voxel_um[0]
    pad = int(np.ceil(TRUNCATE * max(blur, noise_blur)))
    wide = View(
        view.voxel_um,
        view.origin_um + view.voxel_um * [first - pad, 0, 0],
        (last - first + 2 * pad, *view.shape[1:]),
        view.pose,
    )
    table = of_contents(optics.energy_kev).astype(np.float32)
    image = ndimage.gaussian_filter(table[specimen.codes(wide, inside=True)], blur, truncate=TRUNCATE)
    key = stream(seed, "cell detail")
    noise = white(key, (first - pad, 0, 0), wide.shape)
    noise = ndimage.gaussian_filter(noise, noise_blur, truncate=TRUNCATE)
    low, high = optics.window_per_um
    inner = slice(pad, pad + last - first)
    scale = np.float32(_FULL / (high - low))
    _develop(out, image[inner], noise[inner], rings, np.float32(optics.noise_per_um), np.float32(low), scale)


@njit(cache=True, parallel=True)
def _develop(out: Any, image: Any, noise: Any, rings: Any, amount: Any, low: Any, scale: Any) -> None:
    """Add what each voxel has of noise and each column of rings and rise, and round."""
    for k in prange(out.shape[0]):
        for j in range(out.shape[1]):
            for i in range(out.shape[2]):
                value = image[k, j, i] * rings[1, j, i] + rings[0, j, i] + amount * noise[k, j, i]
                out[k, j, i] = np.uint16(min(max(np.rint((value - low) * scale), 0.0), 65535.0))


def _rings(view: View, optics: DetailModel, seed: int) -> Array:
    """Return what rings add, and the factor by which grey values rise, dims kind, y, x."""
    rows, columns = view.shape[1:]
    y, x = np.arange(rows) - (rows - 1) / 2, np.arange(columns) - (columns - 1) / 2
    away = np.hypot(y[:, None], x)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 62]))
    steps = optics.ring_per_um * rng.standard_normal(int(away.max()) + 2)
    rise = 1.0 + optics.rise * (away / max(away.max(), 1.0)) ** 2
    return np.stack([steps[np.rint(away).astype(int)], rise])
