"""Normalised cross-correlation of two images at every shift, over the part where both are known."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import fft

from .frames import Grey

_FLAT = 1e-3
"""Variance below this share of the image's own counts as none: no structure to compare."""


class Correlator:
    """One image, transformed once, to be compared with others; NaN is what is not known.

    For every shift s of up to `reach` voxels, over the voxels x where both `first[x + s]` and `other[x]` are
    known (Padfield 2012, doi:10.1109/TIP.2011.2181402), with s = 0 where the first voxels of both coincide
    plus `offset`.
    """

    def __init__(self, first: Grey, size: tuple[int, ...], reach: tuple[int, ...], offset: tuple[int, ...]):
        self._shape = [fft.next_fast_len(a + b, real=True) for a, b in zip(first.shape, size, strict=True)]
        self._axes = tuple(range(1, first.ndim + 1))
        self._known = self._transform(first)
        shifts = [np.arange(-r, r + 1) + o for r, o in zip(reach, offset, strict=True)]
        self._where = np.ix_(*[s % n for s, n in zip(shifts, self._shape, strict=True)])
        # Farther shifts have no overlap, and would wrap around onto others.
        inside = [(s > -b) & (s < a) for s, a, b in zip(shifts, first.shape, size, strict=True)]
        self._possible = np.logical_and.reduce(np.meshgrid(*inside, indexing="ij"))

    def __call__(self, other: Grey) -> tuple[Grey, Grey]:
        """Return the correlation, -1 to 1, and the number of voxels that both know, at each shift."""
        return self.match(self.transform(other))

    def transform(self, other: Grey) -> Any:
        """Transform an image once that :meth:`match` compares with more than one of the same shape."""
        return np.conj(self._transform(other))

    def match(self, transformed: Any) -> tuple[Grey, Grey]:
        """Return what a call does, of an image from :meth:`transform`."""
        f, one, f2 = self._known
        g, here, g2 = transformed
        terms = np.stack([f * g, f * here, one * g, f2 * here, one * g2, one * here])
        sums = fft.irfftn(terms, s=self._shape, axes=self._axes, workers=2)
        fg, fs, gs, ff, gg, count = (part[self._where] for part in sums)
        n = np.maximum(np.rint(count) * self._possible, 1.0)
        spread = [np.maximum(squares - s * s / n, _FLAT * n) for squares, s in ((ff, fs), (gg, gs))]
        result: Grey = ((fg - fs * gs / n) / np.sqrt(spread[0] * spread[1])).astype(np.float32)
        return np.clip(result, -1.0, 1.0), n

    def _transform(self, image: Grey) -> Any:
        known = np.isfinite(image)
        values = image[known].astype(np.float64)
        scale = max(float(values.std()), 1e-12) if values.size else 1.0
        middle = float(values.mean()) if values.size else 0.0
        grey = np.where(known, (image - middle) / scale, 0.0).astype(np.float32)
        stack = np.stack([grey, known.astype(np.float32), grey * grey])
        return fft.rfftn(stack, s=self._shape, axes=self._axes, workers=2)
