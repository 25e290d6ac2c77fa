"""The shift between two images, from the phases of the frequencies that both show."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import fft
from scipy.signal.windows import tukey

Floats = npt.NDArray[np.float64]
_CLEAR = 6.0
"""How many times as high as noise the peak of two images that are alike must be."""
_FADING = 0.5
"""Share of an image over which it fades to its borders, which would else count as structure."""
_SCALES = (0.1, 0.01)
"""Steps in pixels by which a peak is looked at closer, after whole pixels."""


class PhaseCorrelator:
    """Shifts between images of one shape.

    Only the frequencies between `finest` and half the image are transformed back, and only for the shifts
    that are allowed: two small matrix products, where a whole inverse transform would do much more.

    Parameters
    ----------
    shape : tuple of int
        Pixels along y and x.
    reach : numpy.ndarray
        Largest shift along y and x, in pixels.
    finest : numpy.ndarray
        Shortest wavelength along y and x, in pixels.
    """

    def __init__(self, shape: tuple[int, int], reach: Floats, finest: Floats) -> None:
        self._window = np.outer(*[tukey(n + 2, _FADING)[1:-1] for n in shape]).astype(np.float32)
        self._reach = np.minimum(np.maximum(1, np.ceil(reach)), (np.array(shape) - 1) // 2).astype(int)
        y, x = fft.fftfreq(shape[0]), fft.rfftfreq(shape[1])
        # Below two waves an image, the window and shading are all there is.
        kept = [
            (f != 0) & (abs(f) >= 2 / n) & (abs(f) <= 1 / w)
            for f, n, w in zip((y, x), shape, finest, strict=True)
        ]
        self._kept = np.ix_(*kept)
        self._y, self._x = y[kept[0]], x[kept[1]]
        fade = [np.cos(np.pi / 2 * f * w) ** 2 for f, w in zip((self._y, self._x), finest, strict=True)]
        self._weight = np.outer(*fade).astype(np.float32)
        total = float(self._weight.sum())
        self._weight /= max(total, 1e-12)
        self._noise = float(np.sqrt((self._weight**2).sum() / 2))

    def spectrum(self, image: npt.NDArray[Any]) -> npt.NDArray[np.complex64]:
        """Return the phase of each frequency that is compared."""
        grey = image.astype(np.float32)
        grey -= grey.mean()
        grey *= self._window
        whole = fft.rfft2(grey)[self._kept]
        size = np.abs(whole)
        floor = 1e-6 * float(size.max(initial=0.0)) + 1e-30
        return np.asarray(np.where(size > floor, whole / np.maximum(size, floor), 0.0), np.complex64)

    def shift(self, image: npt.NDArray[np.complex64], other: npt.NDArray[np.complex64]) -> Floats:
        """Return by how many pixels along y and x `image` is shifted against `other`; NaN if not alike."""
        both = image * np.conj(other) * self._weight
        nowhere = np.full(2, np.nan)
        if not both.size:
            return nowhere
        ways = [np.arange(-r, r + 1.0) for r in self._reach]
        alike = self._correlate(both, *ways)
        best = np.unravel_index(int(alike.argmax()), alike.shape)
        if alike[best] < _CLEAR * self._noise or any(
            i in (0, len(way) - 1) for i, way in zip(best, ways, strict=True)
        ):
            return nowhere
        at = np.array([way[i] for way, i in zip(ways, best, strict=True)])
        for scale in _SCALES:
            ways = [middle + scale * np.arange(-10, 11) for middle in at]
            alike = self._correlate(both, *ways)
            best = np.unravel_index(int(alike.argmax()), alike.shape)
            at = np.array([way[i] for way, i in zip(ways, best, strict=True)])
        return at

    def _correlate(self, both: npt.NDArray[Any], y: Floats, x: Floats) -> npt.NDArray[np.float32]:
        """Transform back at some shifts."""
        rows = np.exp(2j * np.pi * np.outer(y, self._y)).astype(np.complex64)
        columns = np.exp(2j * np.pi * np.outer(self._x, x)).astype(np.complex64)
        return np.asarray(_product(rows, _product(both, columns)).real, np.float32)


@njit(cache=True, nogil=True, fastmath=True)
def _product(left: Any, right: Any) -> Any:
    """Multiply two small matrices on this thread: BLAS would call all of them, and wait for each other's."""
    out = np.zeros((left.shape[0], right.shape[1]), np.complex64)
    for j in range(left.shape[0]):
        for k in range(left.shape[1]):
            part = left[j, k]
            for i in range(right.shape[1]):
                out[j, i] += part * right[k, i]
    return out
