"""Whether a drift can be believed: angles, and a model, must be those of the projections."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage

from ..checks import check_finite, check_same_grid
from .projections import Floats, check_projections

_FEWEST = 16
"""Projections from which on another order of angles is tried."""
_BETTER, _CLEAR = 6.0, 3.0
"""By what factor another order leaves less than the given angles, and how many errors these leave."""
_HALF_DEG = 270.0
"""Angles that cover less are tried as half a turn as well."""
_COMPARED, _MOST_WRONG = 9, 3
"""Projections that are compared with the models of each other, and how many may find their own at most where
the model is wrong: one does by chance."""
_SMOOTH = 4.0
"""Pixels over which these are smoothed."""
_ALIKE = 0.5
"""Correlation above which a projection is like its model."""
_STRUCTURE = 4.0
"""How many times the power of noise that must differ between projections."""
_SAME = 1e-12
"""Share of the power of projections below which they do not differ at all."""


def without_turn(way: Floats, angles: Floats) -> Floats:
    """Take a constant and a wave of one turn out."""
    turn = np.deg2rad(angles)
    waves = np.column_stack([np.ones(len(turn)), np.cos(turn), np.sin(turn)])
    return np.asarray(way - waves @ np.linalg.lstsq(waves, way, rcond=None)[0])


def warn_of_angles(way: Floats, angles: Floats, noise: float) -> None:
    """Warn if the centre of mass goes around as if angles were others: even steps over a turn, or half."""
    count = len(way)
    if count < _FEWEST:
        return
    left = _left(way, angles, noise)
    steps = np.sort(angles)
    narrow = steps[-1] - steps[0] + float(np.median(np.diff(steps))) < _HALF_DEG
    for turn in (360.0, 180.0) if narrow else (360.0,):
        other = _left(way, np.arange(count) * turn / count, noise)
        if left > _CLEAR * noise and left > _BETTER * other:
            warnings.warn(
                f"The centre of mass moves as if the projections were taken evenly over {turn:g} degrees, "
                "one after the other, and not at the angles that are given: what is found along x may be the "
                "sample's own way around the axis. Look whether angles are halved, doubled or in another "
                "order, or whether the sample really drifts so.",
                stacklevel=4,
            )
            return


def _left(way: Floats, angles: Floats, noise: float) -> float:
    """Return the root mean square of what a wave of one turn leaves, but for noise."""
    return float(np.sqrt(max(0.0, float(np.mean(without_turn(way, angles) ** 2)) - noise**2)))


def check_model(model: Any, projections: xr.DataArray, *, doing: str) -> None:
    """Refuse a model that is not on the grid of the projections."""
    check_projections(model, doing=f"{doing} and a model")
    if model.shape != projections.shape:
        raise ValueError(
            f"Cannot {doing}: the model has shape {model.shape}, the projections {projections.shape}. One "
            "image for each is needed. Make it with ct.reconstruct.project(volume, angles_deg, "
            "like=projections)."
        )
    check_same_grid(model[0], projections[0], doing="compare projections with a model")
    check_finite(model, doing=f"{doing} and a model")


def warn_of_model(
    projections: xr.DataArray, model: xr.DataArray, shift: Floats, margin: tuple[int, int]
) -> None:
    """Warn if projections are no more like their own models than like those of other angles."""
    if len(projections) < _COMPARED:
        return
    chosen = np.linspace(0, len(projections) - 1, _COMPARED).round().astype(int)
    pairs = [_pair(projections, model, int(k), shift[k], margin) for k in chosen]
    seen, expected = (np.array(images) for images in zip(*(pair[:2] for pair in pairs), strict=True))
    noise = float(np.mean([pair[2] for pair in pairs]))
    power = float(np.mean(seen**2))
    seen, expected = seen - seen.mean(axis=0), expected - expected.mean(axis=0)
    if float(np.mean(seen**2)) <= max(_STRUCTURE * noise, _SAME * power):
        return  # a round sample looks the same from all sides
    alike = _alike(seen, expected)
    own = int(((alike.argmax(axis=1) == np.arange(_COMPARED)) & (np.diag(alike) > _ALIKE)).sum())
    if own <= _MOST_WRONG:
        warnings.warn(
            f"The model is no more like its own projection than like others, but for {own} of {_COMPARED}: "
            "it is of another sample, axis or order of angles, and the drift that is "
            "found means nothing, whatever its errors. Make it with ct.reconstruct.project(volume, "
            "angles_deg, like=projections), with the axis and the source of the reconstruction.",
            stacklevel=3,
        )


def _pair(
    projections: xr.DataArray, model: xr.DataArray, k: int, by: Floats, margin: tuple[int, int]
) -> tuple[Floats, Floats, float]:
    """Return a projection without its drift, and its model, smoothed; and the power of noise."""
    image, still = (np.asarray(part.data[k], np.float64) for part in (projections, model))
    inside = tuple(slice(m, n - m) for m, n in zip(margin, image.shape, strict=True))
    back = ndimage.shift(ndimage.gaussian_filter(image, _SMOOTH), -by, order=1, mode="nearest")
    jump = 1.4826 * np.median(np.abs(np.diff(image, 2, axis=1))) / np.sqrt(6.0)
    noise = float(jump**2) / (4.0 * np.pi * _SMOOTH**2)
    return _centred(back[inside]), _centred(ndimage.gaussian_filter(still, _SMOOTH)[inside]), noise


def _centred(image: Floats) -> Floats:
    return np.asarray(image - image.mean()).ravel()


def _alike(seen: Floats, expected: Floats) -> npt.NDArray[Any]:
    """Return the correlation of each image with each model."""
    along, across = (np.sqrt((part**2).sum(axis=1)) + 1e-300 for part in (seen, expected))
    return np.asarray(seen @ expected.T / along[:, None] / across)
