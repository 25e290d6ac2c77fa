"""The shift of each of many patches against their own mean, to a hundredth of a pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Floats = npt.NDArray[np.float64]
_ROUNDS, _STEPS = 2, 4
_FARTHEST = 1.5
"""Pixels beyond which a fit has left the mark."""


def fit_places(patches: npt.NDArray[Any], sigma: Floats, margin: int) -> tuple[Floats, Floats]:
    """Fit the mean of all patches to each, with a shift, a contrast and a brightness of its own.

    Least squares on the recorded grey values, by Gauss and Newton: unlike the peak of a correlation, whole
    pixels do not attract it, and it knows its error.

    Parameters
    ----------
    patches : numpy.ndarray
        Grey values, axes patch, y, x.
    sigma : numpy.ndarray
        Pixels along y and x over which the mean is smoothed, so that a patch is not fitted to its own noise.
    margin : int
        Pixels at each side that are read for shifts alone.

    Returns
    -------
    tuple of numpy.ndarray
        Shift of each patch against the mean, and its standard error: pixels, a row (y, x) each; NaN where
        the fit leaves the mark.
    """
    if not len(patches):
        return np.empty((0, 2)), np.empty((0, 2))
    grey = patches.astype(np.float64)
    inner = grey[:, margin:-margin, margin:-margin]
    shift, error = np.zeros((len(grey), 2)), np.zeros((len(grey), 2))
    for _ in range(_ROUNDS):
        good = np.isfinite(shift[:, 0])
        mean = _mean(grey[good], shift[good], sigma)
        shift = np.where(good[:, None], shift, 0.0)
        for _ in range(_STEPS):
            step, error = _step(inner, mean, shift, margin)
            shift = shift + np.clip(step, -0.5, 0.5)
        lost = (np.abs(shift) > _FARTHEST).any(axis=1) | ~np.isfinite(shift).all(axis=1)
        shift[lost] = np.nan
        if lost.all():
            break
    error[~np.isfinite(shift)] = np.nan
    return shift, error


def _mean(grey: Floats, shift: Floats, sigma: Floats) -> Floats:
    """Average patches, each moved back by its shift, with unit contrast and no brightness."""
    total = np.zeros(grey.shape[1:])
    for patch, by in zip(grey, shift, strict=True):
        total += ndimage.shift(patch, -by, order=3, mode="nearest")
    smooth = ndimage.gaussian_filter(total / len(grey), sigma, mode="nearest")
    return np.asarray((smooth - smooth.mean()) / max(float(smooth.std()), 1e-12), np.float64)


def _step(inner: Floats, mean: Floats, shift: Floats, margin: int) -> tuple[Floats, Floats]:
    """Return how much farther each patch must go, and the standard error of where it is then."""
    count, pixels = len(inner), inner[0].size
    where = np.indices(inner.shape[1:])[:, None] + margin - shift.T[:, :, None, None]
    model = ndimage.map_coordinates(mean, where, order=3, mode="nearest").reshape(count, pixels)
    slopes = [
        ndimage.map_coordinates(part, where, order=1, mode="nearest").reshape(count, pixels)
        for part in np.gradient(mean)
    ]
    data = inner.reshape(count, pixels)
    centred = model - model.mean(axis=1, keepdims=True)
    power = np.maximum((centred**2).sum(axis=1), 1e-12)
    contrast = (centred * data).sum(axis=1) / power
    # Without contrast there is nothing to fit: such a patch ends with a boundless error.
    contrast = np.where(np.abs(contrast) < 1e-9, 1e-9, contrast)
    design = np.stack([*[-contrast[:, None] * part for part in slopes], model, np.ones_like(model)], axis=2)
    normal = np.linalg.pinv(np.einsum("kpa,kpb->kab", design, design), hermitian=True)
    found = np.einsum("kab,kpb,kp->ka", normal, design, data)
    rest = data - np.einsum("kpa,ka->kp", design, found)
    variance = (rest**2).sum(axis=1) / max(pixels - 4, 1)
    spread = np.sqrt(np.maximum(variance[:, None] * normal[:, [0, 1], [0, 1]], 0.0))
    return found[:, :2], spread
