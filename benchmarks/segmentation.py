"""Adaptive equalisation, opening, and the whole AHE-based segmentation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage
from skimage.exposure import equalize_adapthist, rescale_intensity

import corrtomo as ct

from .data import phases_and_grey
from .table import Row
from .timing import ours, theirs

_PEER_SIZE = 256
_WINDOW = 24


def rows(size: int) -> Iterator[Row | str]:
    _, grey = phases_and_grey(size)
    window = min(_WINDOW, size // 2)
    window_um = window * 0.438
    mine = ours(lambda: ct.segment.equalise(grey, window_um))
    peer = theirs(lambda: equalize_adapthist(grey.values, kernel_size=window, clip_limit=0))
    stretched = rescale_intensity(mine.result.values.astype(np.float32), out_range=(0, 255))
    gap = np.abs(stretched - 255 * peer.result)
    assert (gap > 1).mean() < 0.05
    yield Row(f"equalisation, window {window} voxels", size, mine, "scikit-image, equalize_adapthist", peer)
    exact = ours(lambda: ct.segment.equalise(grey, window_um, exact=True))
    yield Row("the same, exact", size, exact, "scikit-image, not exact", peer)

    part = min(size, _PEER_SIZE)
    crop = (slice(part),) * 3
    larger = (size / part) ** 3
    mask = grey > 110
    for diameter in (2, 5):
        ball = _ball(diameter)
        mine = ours(lambda d=diameter: ct.segment.opening(mask, d * 0.438))
        peer = theirs(lambda b=ball: ndimage.binary_opening(mask.values[crop], b))
        small = ct.segment.opening(mask[crop], diameter * 0.438).values
        inner = (slice(diameter, -diameter),) * 3  # the border has a rule of its own
        np.testing.assert_array_equal(small[inner], peer.result[inner])
        yield Row(f"opening, ball of {diameter} voxels", size, mine, "SciPy, binary_opening", peer, larger)

    knobs = {"am_threshold": 135, "cbd_threshold": 100, "window_um": window_um}
    mine = ours(lambda: ct.segment.equalised_ternary(grey, **knobs))
    peer = theirs(lambda: _by_hand(grey.values[crop], window))
    yield Row("AHE-based segmentation", size, mine, "scikit-image and SciPy in a row", peer, larger)
    same = (ct.segment.equalised_ternary(grey[crop], **knobs).values == peer.result).mean()
    yield (
        f"Stretched to full range, ranks differ from scikit-image's by {gap.mean():.2f} grey values in the "
        f"mean, and by more than 1 on {100 * (gap > 1).mean():.1f} % of the voxels, for it merges some of "
        f"more than 252 grey values. Labels, without that stretch, agree on {100 * same:.1f} %."
    )


def _ball(diameter: int) -> np.ndarray:
    at = np.indices((diameter,) * 3) - (diameter - 1) / 2
    return (at**2).sum(axis=0) <= (diameter / 2) ** 2


def _by_hand(grey: np.ndarray, window: int) -> np.ndarray:
    am = grey > 135
    rank = 255 * equalize_adapthist(grey, kernel_size=window, clip_limit=0)
    ball = _ball(2)
    opened = ndimage.binary_opening((rank > 100) & ~am, ball)
    closed = ndimage.binary_closing(opened | am, ball)
    return np.where(am, 2, closed.astype(np.uint8))
