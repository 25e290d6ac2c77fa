"""Destriping: known curtains on a made-up section, and the filter of Münch et al. in wavelet space."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy import fft, ndimage

import corrtomo as ct

from .data import phases_and_grey
from .table import Row
from .timing import ours, theirs

_SLICES = 16
_EDGE = 0.05
_DAMPING = (2.0, 3)  # width of the damping in Fourier space, and levels: the best of 2, 4, 8 and 3, 4, 5


def rows(size: int) -> Iterator[Row | str]:
    plain, striped = curtained(size)
    image = ct.volume(striped, _EDGE)
    mine = ours(lambda: ct.reconstruct.destripe(image, progress=False))
    harm = ct.reconstruct.destripe(ct.volume(plain, _EDGE), progress=False).values
    errors = [("ours", rms(mine.result.values - plain), rms(harm - plain))]
    assert errors[0][1] < 0.9 * rms(striped - plain)
    peer = theirs(lambda: np.array([_in_fourier_space(k) for k in striped]))
    damaged = np.array([_in_fourier_space(k) for k in plain])
    errors.append(("Fourier space", rms(peer.result - plain), rms(damaged - plain)))
    yield Row(f"destriping, {len(plain)} images", size, mine, "SciPy, damped in Fourier space", peer)
    if find_spec("pywt") is None:
        yield "Left out, for PyWavelets is not installed here: `make benchmark` has it."
    else:
        library = import_module("pywt")
        peer = theirs(lambda: np.array([_in_wavelet_space(library, k) for k in striped]))
        damaged = np.array([_in_wavelet_space(library, k) for k in plain])
        errors.append(("wavelet and Fourier space", rms(peer.result - plain), rms(damaged - plain)))
        yield Row(f"destriping, {len(plain)} images", size, mine, "PyWavelets, Münch et al. 2009", peer)
    yield (
        f"Stripes of {rms(striped - plain):.2f} grey values, {len(plain)} images of {size}². Left by "
        + "; ".join(f"{name} {left:.2f}, harm where there are none {done:.2f}" for name, left, done in errors)
    )


def curtained(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sections without and with curtains, which are a factor, one or two columns wide."""
    labels, _ = phases_and_grey(size)
    rng = np.random.default_rng(1)
    codes = np.repeat(np.repeat(labels.values[:_SLICES, ::2, ::2], 2, axis=1), 2, axis=2)[:, :size, :size]
    grey = 60.0 + 50.0 * codes
    noise = rng.normal(0, 8, grey.shape)
    stripes = ndimage.gaussian_filter(rng.normal(size=grey.shape), (0, 40, 1.0), mode="wrap")
    stripes -= ndimage.gaussian_filter1d(stripes, 6, axis=2, mode="wrap")
    factor = 1 + 0.06 * stripes / stripes.std()
    return (grey + noise).clip(0).astype(np.float32), (grey * factor + noise).clip(0).astype(np.float32)


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _in_fourier_space(grey: np.ndarray, length: float = 40.0, width: float = 4.0) -> np.ndarray:
    """Take away what is long along y and narrow along x."""
    y, x = fft.fftfreq(grey.shape[0])[:, None], fft.rfftfreq(grey.shape[1])[None]
    long = np.exp(-2 * (np.pi * length * y) ** 2) * (1 - np.exp(-2 * (np.pi * width * x) ** 2))
    return fft.irfft2(fft.rfft2(grey) * (1 - long), s=grey.shape)


def _in_wavelet_space(library: Any, grey: np.ndarray) -> np.ndarray:
    """Damp the vertical details of each level where their frequency along y is about 0."""
    damping, levels = _DAMPING
    levels = min(levels, library.dwt_max_level(min(grey.shape), "db10")) or 1
    coarse, *details = library.wavedec2(grey, "db10", mode="symmetric", level=levels)
    kept = [coarse]
    for across, down, both in details:
        waves = np.fft.fftfreq(len(down)) * len(down)
        keep = 1 - np.exp(-(waves**2) / (2 * damping**2))
        kept.append((across, np.fft.ifft(np.fft.fft(down, axis=0) * keep[:, None], axis=0).real, both))
    return library.waverec2(kept, "db10")[: grey.shape[0], : grey.shape[1]]
