"""Spectra of two images, summed over shells of one spatial frequency."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import fft, signal

from ...checks import check_finite, check_same_grid, check_spatial
from ...volume import check_image, voxel_size
from ..options import check_real

Floats = npt.NDArray[np.float64]
Window = Literal["hann", "tapered", "none"]
FEWEST_VOXELS = 16
"""Along every axis: fewer give no shell to average over."""
SAME = 1 - 1e-6
"""Correlation in every shell from which on two images are one, up to contrast."""
_TAPER = 0.25
"""Share of each axis over which a tapered window rises and falls."""


class Shells(NamedTuple):
    """Frequency of each shell (1/µm), its voxels, how many of them are independent, and mean spectra."""

    frequency: Floats
    voxels: Floats
    independent: Floats
    cross: Floats
    first: Floats
    second: Floats

    @property
    def correlation(self) -> Floats:
        """Correlation of the two images, shell by shell."""
        return np.asarray(self.cross / np.sqrt(self.first * self.second))


def check_twice(first: Any, second: Any, window: Any, *, doing: str) -> None:
    """Refuse what are not two images on one grid, large enough and with structure."""
    for image in (first, second):
        check_image(image, ndim=(2, 3))
        check_spatial(image, doing=doing)
        check_real(image, doing=doing)
        check_finite(image, doing=doing)
    check_same_grid(first, second, doing=doing)
    if window not in ("hann", "tapered", "none"):
        raise ValueError(
            f"Cannot {doing} with window {window!r}: 'hann', 'tapered' and 'none' are known. Leave it out."
        )
    if min(first.shape) < FEWEST_VOXELS:
        raise ValueError(
            f"Cannot {doing} of {first.shape} voxels: {FEWEST_VOXELS} or more are needed along each axis. "
            "Take a larger crop, or a slice of a flat volume."
        )


def sum_shells(first: xr.DataArray, second: xr.DataArray, window: Window, *, doing: str) -> Shells:
    """Sum the spectra of two images over shells as wide as the coarsest step of frequency."""
    windows = [_window(window, n) for n in first.shape]
    edges = voxel_size(first)
    steps = [1 / (n * edge) for n, edge in zip(first.shape, edges, strict=True)]
    width = max(steps)
    last = int(min(0.5 / edge for edge in edges) / width + 1e-9)
    if last < 1:
        raise ValueError(
            f"Cannot {doing} of voxels of {edges} µm: the longest one hides every frequency that the "
            "shortest side of the image shows, and no shell is left. Take a slice along it, or a larger crop."
        )
    spectra = [_spectrum(image, windows, doing=doing) for image in (first, second)]
    *others, fast = (fft.fftfreq(n, edge) for n, edge in zip(first.shape, edges, strict=True))
    fast = np.abs(fast[: first.shape[-1] // 2 + 1])
    # The other half of the spectrum is the mirror image of this one.
    twice = np.full(fast.size, 2.0)
    twice[0] = 1.0
    if first.shape[-1] % 2 == 0:
        twice[-1] = 1.0
    sums = np.zeros((4, last + 1))
    plane = others[-1][:, None] ** 2 + fast**2
    for k, a, b in zip(*_planes(others, *spectra), strict=True):
        shell = np.rint(np.sqrt(k * k + plane) / width).astype(np.int64)
        inside = shell <= last
        weight = np.broadcast_to(twice, shell.shape)[inside]
        powers = (np.ones(a.shape), (a * b.conj()).real, np.abs(a) ** 2, np.abs(b) ** 2)
        for total, values in zip(sums, powers, strict=True):
            total += np.bincount(shell[inside], weight * values[inside], last + 1)
    # The mean of an image says nothing of its detail.
    voxels, cross, power, other = sums[:, 1:]
    share = float(np.prod([_independent(w) for w in windows]))
    frequency = np.asarray(width * np.arange(1, last + 1), np.float64)
    return Shells(frequency, voxels, share * voxels, cross / voxels, power / voxels, other / voxels)


def _planes(others: list[Floats], first: Any, second: Any) -> tuple[Floats, Any, Any]:
    """Return the slow frequency of each plane of a volume, and its planes; an image is one plane."""
    if len(others) == 2:
        return others[0], first, second
    return np.zeros(1), first[None], second[None]


def _spectrum(image: xr.DataArray, windows: list[Floats], *, doing: str) -> Any:
    grey = np.asarray(image.data).astype(np.float32)
    grey -= grey.mean(dtype=np.float64)
    if not np.abs(grey).max() > 0:
        raise ValueError(
            f"Cannot {doing}: all grey values of an image are alike. Take a crop with structure in it."
        )
    for axis, window in enumerate(windows):
        grey *= window.astype(np.float32).reshape([-1 if i == axis else 1 for i in range(grey.ndim)])
    return fft.rfftn(grey, workers=-1, overwrite_x=True)


def _window(kind: Window, n: int) -> Floats:
    if kind == "none":
        return np.ones(n)
    return np.asarray(signal.windows.tukey(n, 1.0 if kind == "hann" else 2 * _TAPER, sym=False))


def _independent(window: Floats) -> float:
    """Return what share of the frequencies of a windowed line are independent."""
    return float((window**2).sum() ** 2 / (window.size * (window**4).sum()))
