"""Segmentation that learns from scribbles: features, the vote of a forest, and both; two channels, 2D."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numba
import numpy as np
import xarray as xr
from scipy import ndimage
from skimage.feature import multiscale_basic_features
from skimage.future import TrainableSegmenter
from sklearn.ensemble import RandomForestClassifier

import corrtomo as ct
from corrtomo.segment.trained.gaussian import reach, smooth

from .table import Row
from .timing import ours, theirs

_CLASSES = ("active material", "current collector", "binder", "platinum edge", "platinum depth")
_GREY = ((100, 170, 60, 230, 30), (90, 150, 110, 200, 140))
_NOISE = (8, 26)
_SIGMAS = (1, 2, 4, 8, 16)
_SAME = ("intensity", "edges", "hessian")  # what scikit-image's features have


@dataclass(frozen=True)
class Square(Row):
    """A row about an image of 4 × `size` pixels along an edge: 512 and 2048 for 128 and 512."""

    def cells(self) -> tuple[str, ...]:
        """Write the texts of one line."""
        first, _, *others = super().cells()
        return (first, f"{4 * self.size}²", *others)


def rows(size: int) -> Iterator[Row | str]:
    image, scribbles = _section(4 * size)
    grey, painted = np.moveaxis(image.values, 0, -1), scribbles.values
    plane = image.values[0].astype(np.float32)
    padded = np.pad(plane, reach(16), mode="symmetric")
    mine = ours(lambda: smooth(padded, (16, 16)))
    peer = theirs(lambda: ndimage.gaussian_filter(plane, 16))
    assert np.abs(mine.result - peer.result).max() < 1e-3
    yield Square("Gaussian of 16 pixels, one thread", size, mine, "SciPy, gaussian_filter", peer)

    model = ct.segment.PixelClassifier(_CLASSES, features=_SAME)
    features = partial(multiscale_basic_features, sigma_min=1, sigma_max=16, channel_axis=-1)
    forest = RandomForestClassifier(
        100, n_jobs=numba.get_num_threads(), random_state=0, class_weight="balanced"
    )
    segmenter = TrainableSegmenter(clf=forest, features_func=features)
    codes = np.where(painted == 255, 0, painted + 1)
    mine = ours(lambda: model.fit(image, scribbles, progress=False))
    peer = theirs(lambda: segmenter.fit(grey, codes))
    yield Square("train: 40 features, 100 trees", size, mine, "scikit-image, TrainableSegmenter", peer)
    mine = ours(lambda: model.predict(image, progress=False))
    peer = theirs(lambda: segmenter.predict(grey))
    same = (mine.result.values + 1 == peer.result).mean()
    assert same > 0.95
    yield Square("predict", size, mine, "scikit-image, TrainableSegmenter", peer)

    every = ct.segment.PixelClassifier(_CLASSES).fit(image, scribbles)
    mine = ours(lambda: every.predict(image, progress=False))
    yield Square("predict, with texture: 50 features", size, mine, "the same, 40 features", peer)

    mine, peer = _votes(every, size)
    yield Square("vote of 100 trees, one thread", size, mine, "scikit-learn, predict_proba", peer)
    yield (
        f"Labels of both segmenters agree on {100 * same:.1f} % of the pixels: their features differ by "
        "rounding and at the border, and so do the forests. On the same features the votes are equal to the "
        "last bit. Both use all cores where nothing else is said; what is compiled is not counted."
    )


def _votes(model: ct.segment.PixelClassifier, size: int) -> tuple[Any, Any]:
    """Time the vote on features of the painted kind, as many as there are pixels, at most a million."""
    rng = np.random.default_rng(0)
    count = min(16 * size * size, 1 << 20) // 64
    fields = rng.normal(size=(count, 50, 8, 8)).cumsum(axis=2).cumsum(axis=3)  # neighbours are alike
    cells = (60 + 20 * fields).reshape(count, 50, 64).astype(np.float32)
    table = np.ascontiguousarray(cells.transpose(0, 2, 1)).reshape(-1, 50)
    mine = ours(lambda: model._model.voter.shares(cells))
    peer = theirs(lambda: model.classifier.predict_proba(table))
    np.testing.assert_array_equal(mine.result.transpose(0, 2, 1).reshape(len(table), -1), peer.result)
    return mine, peer


def _section(edge: int) -> tuple[xr.DataArray, xr.DataArray]:
    """Make smooth patches of five classes in two noisy channels, and scribbles of 5 pixels on them."""
    rng = np.random.default_rng(0)
    field = ndimage.gaussian_filter(rng.normal(size=(512, 512)), 6, mode="wrap")
    tile = np.digitize(field, np.quantile(field, (0.2, 0.4, 0.6, 0.9))).astype(np.uint8)
    truth = np.tile(tile, (-(-edge // 512),) * 2)[:edge, :edge]
    greys = [rng.normal(np.take(g, truth), n).clip(0, 255) for g, n in zip(_GREY, _NOISE, strict=True)]
    painted = np.full(truth.shape, 255, np.uint8)
    for code in range(len(_CLASSES)):
        for y, x in rng.permutation(np.argwhere(truth == code))[:30]:
            part = slice(max(0, y - 2), y + 3), slice(max(0, x - 2), x + 3)
            painted[part] = np.where(truth[part] == code, code, painted[part])
    image = ct.volume(np.stack(greys).astype(np.uint8), 0.02, dims=("channel", "y", "x"))
    return image.assign_coords(channel=["CBS", "TLD"]), ct.volume(painted, 0.02)
