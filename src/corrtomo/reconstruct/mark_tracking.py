"""Marks followed from slice to slice: where each lies in each image, to a fraction of a pixel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.feature import match_template

from .mark_template import Floats, fit_places

Image = npt.NDArray[Any]
Pair = tuple[int, int]
_ALIKE = 0.7
"""Correlation with the first image, below which a mark is not taken for the same one."""
_CONTRAST, _BRIGHTER = 2.0, 0.4
"""By what factor a mark's contrast may change, and by what share of it the grey of the patch around it."""
_NEARER = 0.2
"""Correlation that a place must have more if it is as far off as a mark may be."""
_CLEAR = 5.0
"""How many times the noise a mark must be darker than what is around it."""
_SMOOTHING = 6.0
"""A sixth of a mark's diameter is smoothed over: less than its edge, more than most noise."""
_MEET = 1.5
"""Diameters between the centres of two marks below which one is seen in the patch around the other."""
_ROUNDING = 1e-6
_FARTHEST = 1e9
"""Pixels, more than any image has: windows end at its border."""
_MARGIN = 2
"""Pixels around a patch, for shifts of a fraction of a pixel."""


@dataclass(frozen=True)
class Tracks:
    """Where marks were seen, in pixels; axes slice, mark, and y, x.

    Attributes
    ----------
    place : numpy.ndarray
        Centres; NaN where a mark was not found.
    error : numpy.ndarray
        Standard errors of the centres, from the noise of the image.
    """

    place: Floats
    error: Floats

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        """Axes slice, mark."""
        return np.asarray(np.isfinite(self.place).all(axis=2), np.bool_)


class Tracker:
    """Marks that are looked for where they were last, in one image after the other.

    Parameters
    ----------
    start : numpy.ndarray
        About where the marks are in the first image, in pixels, a row (y, x) each.
    run : numpy.ndarray
        Pixels by which each goes on along x from slice to slice, if all slices are of one thickness.
    size : numpy.ndarray
        Diameter of a mark along y and x, in pixels.
    reach : numpy.ndarray
        How far a mark may be from where it is expected, along y and x, in pixels.
    doing : str
        What cannot be done where no mark is seen.
    """

    def __init__(self, start: Floats, run: Floats, size: Floats, reach: Floats, doing: str) -> None:
        self._start, self._run, self._size, self._doing = start, run, size, doing
        half, search = (np.ceil(np.clip(n, 1.0, _FARTHEST) - _ROUNDING).astype(int) for n in (size, reach))
        self._reach = np.maximum(1.0, reach)
        self._half: Pair = (int(half[0]), int(half[1]))
        self._search: Pair = (int(search[0]), int(search[1]))
        self._sigma = np.maximum(size / _SMOOTHING, 0.5)

    def follow(self, images: Iterable[tuple[int, Image]]) -> Tracks:
        """Find every mark in every image; between images only the patches around marks are kept."""
        corners: list[npt.NDArray[np.int64]] = []
        patches: list[list[Image]] = []
        for k, image in images:
            if k == 0:
                last = np.array([self._centre(image, at, n) for n, at in enumerate(self._start)])
                templates = [self._template(image, at) for at in last]
                places: npt.NDArray[Any] = last.copy()
            else:
                expected = last + np.stack([0 * self._run, self._run], axis=1)
                pairs = zip(templates, expected, strict=True)
                found = self._apart(np.array([self._match(image, *pair) for pair in pairs]))
                places = self._trusted(found, np.isfinite(places[:, 0]))
                moved = places - expected
                seen = np.isfinite(moved[:, 0])
                # What is lost for a while moves on with the others.
                common = np.median(moved[seen], axis=0) if seen.any() else np.zeros(2)
                last = np.where(seen[:, None], places, expected + common)
            corner = np.where(np.isfinite(places), places, -1).round().astype(int)
            corners.append(corner)
            patches.append([self._patch(image, at) for at in corner])
        return self._refine(np.array(corners), np.array(patches))

    def _centre(self, image: Image, about: Floats, n: int) -> Floats:
        """Find the centre of the dark spot that is about here in the first image, to a pixel."""
        around = (self._half[0] * 2, self._half[1] * 2)
        low, high = _window(about, around, image.shape)
        grey = image[low[0] : high[0], low[1] : high[1]].astype(np.float32)
        spot = ndimage.gaussian_laplace(grey, self._size / 2 / np.sqrt(2), mode="nearest")
        at = np.indices(spot.shape)
        near = np.abs(at - (about - low)[:, None, None]) <= self._size[:, None, None]
        best = np.unravel_index(np.argmax(np.where(near.all(axis=0), spot, -np.inf)), spot.shape)
        far = np.hypot(*((at - np.array(best)[:, None, None]) / self._size[:, None, None]))
        smooth = ndimage.gaussian_filter(grey, self._sigma, mode="nearest")
        noise = float(np.std(grey - smooth)) / np.sqrt(max((far < 0.35).sum(), 1))
        darker = float(np.median(smooth[(far > 0.65) & (far < 1.0)]) - smooth[far < 0.35].mean())
        centre = np.asarray(low + np.array(best), np.float64)
        if not darker > max(_CLEAR * noise, 1e-6 * float(np.abs(grey).max())) or not self._inside(
            centre, image.shape
        ):
            raise ValueError(
                f"Cannot {self._doing}: no dark spot is to be seen at mark {n}, pixel ({about[0]:.1f}, "
                f"{about[1]:.1f}) of the first image, or it is cut off by its border. Marks are dark on "
                "bright, wholly in view, and about where the table says, to within their own diameter "
                "(mark_um)."
            )
        return centre

    def _inside(self, centre: Floats, shape: tuple[int, ...]) -> bool:
        half = np.array(self._half)
        return bool((centre - half >= 0).all() and (centre + half <= np.array(shape) - 1).all())

    def _template(self, image: Image, centre: Floats) -> Image:
        y, x = centre.astype(int)
        h, w = self._half
        return self._smooth(image, np.array([y - h, x - w]), np.array([y + h + 1, x + w + 1]))

    def _smooth(self, image: Image, low: Any, high: Any) -> Image:
        """Return a window of the image, smoothed, with what lies around it taken into account."""
        rim = np.ceil(4 * self._sigma).astype(int)
        wide_low, wide_high = np.maximum(low - rim, 0), np.minimum(high + rim, image.shape)
        wide = image[wide_low[0] : wide_high[0], wide_low[1] : wide_high[1]].astype(np.float32)
        smooth = ndimage.gaussian_filter(wide, self._sigma, mode="nearest")
        low, high = low - wide_low, high - wide_low
        return np.asarray(smooth[low[0] : high[0], low[1] : high[1]])

    def _match(self, image: Image, template: Image, expected: Floats) -> Floats:
        """Return where a mark is, to a pixel; NaN where it is out of view, too far, or looks different."""
        half = np.array(self._half)
        reach = (self._half[0] + self._search[0], self._half[1] + self._search[1])
        low, high = _window(expected, reach, image.shape)
        nowhere = np.full(2, np.nan)
        if (high - low < 2 * half + 3).any():
            return nowhere
        grey = self._smooth(image, low, high)
        alike = match_template(grey, template)
        away = (np.indices(alike.shape) + (low + half - expected)[:, None, None]) / self._reach[:, None, None]
        # Another mark may be in reach, and look the same: the nearer one is meant.
        wanted = alike - _NEARER * (away**2).sum(axis=0)
        best = np.array(np.unravel_index(int(np.argmax(wanted)), alike.shape))
        at_rim = (best == 0) | (best == np.array(alike.shape) - 1)
        if at_rim.any() or alike[tuple(best)] < _ALIKE:
            return nowhere
        seen = grey[best[0] : best[0] + template.shape[0], best[1] : best[1] + template.shape[1]]
        return np.asarray(low + half + best, np.float64) if _as_bright(seen, template) else nowhere

    def _trusted(self, places: Floats, seen_before: Any) -> Floats:
        """Take a mark for not found that comes back alone: no other one says that it is the same."""
        seen = np.isfinite(places[:, 0])
        alone = len(places) > 1 and seen.sum() == 1 and not (seen & seen_before).any()
        return np.full_like(places, np.nan) if alone else places

    def _apart(self, places: Floats) -> Floats:
        """Take marks that meet for not found: one cannot be told from the other, and moves its centre."""
        between = np.linalg.norm((places[:, None] - places[None]) / self._size, axis=2)
        meet = ((between < _MEET) & ~np.eye(len(places), dtype=bool)).any(axis=1)
        return np.where(meet[:, None], np.nan, places)

    def _patch(self, image: Image, centre: Any) -> Image:
        """Cut out a mark with a margin; beyond the border of the image its last pixels go on."""
        rows = np.arange(-self._half[0] - _MARGIN, self._half[0] + _MARGIN + 1) + centre[0]
        columns = np.arange(-self._half[1] - _MARGIN, self._half[1] + _MARGIN + 1) + centre[1]
        height, width = image.shape
        return np.asarray(image[np.ix_(rows.clip(0, height - 1), columns.clip(0, width - 1))])

    def _refine(self, corners: npt.NDArray[np.int64], patches: Image) -> Tracks:
        place, error = np.full(corners.shape, np.nan), np.full(corners.shape, np.nan)
        for n in range(corners.shape[1]):
            found = corners[:, n, 0] >= 0
            shift, its_error = fit_places(patches[found, n], self._sigma, _MARGIN)
            place[found, n], error[found, n] = corners[found, n] + shift, its_error
        return Tracks(place, error)


def _as_bright(seen: Image, template: Image) -> bool:
    """Tell whether a spot has about the contrast of the first image, on about the same grey."""
    contrast = float(seen.std()) / max(float(template.std()), 1e-12)
    brighter = abs(float(seen.mean()) - float(template.mean())) / max(float(np.ptp(template)), 1e-12)
    return 1 / _CONTRAST < contrast < _CONTRAST and brighter < _BRIGHTER


def _window(centre: Floats, around: Pair, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Return the first pixel and the one after the last of a window, as far as it is in the image."""
    middle = np.round(centre).astype(int)
    low = np.clip(middle - around, 0, shape)
    return low, np.clip(middle + np.array(around) + 1, low, shape)
