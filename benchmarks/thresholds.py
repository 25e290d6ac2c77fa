"""Thresholds found and applied."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import SimpleITK as sitk  # noqa: N813 (the name of its own documentation)
from skimage.filters import threshold_otsu

import corrtomo as ct

from .data import phases_and_grey
from .table import Row
from .timing import ours, theirs


def rows(size: int) -> Iterator[Row | str]:
    _, grey = phases_and_grey(size)
    itk_image = sitk.GetImageFromArray(grey.values)

    mine = ours(lambda: ct.segment.threshold_otsu(grey))
    peer = theirs(lambda: threshold_otsu(grey.values))
    assert mine.result == peer.result
    yield Row("Otsu's threshold", size, mine, "scikit-image", peer)
    peer = theirs(lambda: _itk(sitk.OtsuThresholdImageFilter(), itk_image))
    assert abs(mine.result - peer.result) <= 1
    yield Row("Otsu's threshold", size, mine, "SimpleITK (segments as well)", peer)

    mine = ours(lambda: ct.segment.threshold_max_entropy(grey))
    peer = theirs(lambda: _itk(sitk.MaximumEntropyThresholdImageFilter(), itk_image))
    assert abs(mine.result - peer.result) <= 1
    yield Row("maximum-entropy threshold", size, mine, "SimpleITK (segments as well)", peer)

    mine = ours(lambda: ct.segment.by_thresholds(grey, 85, 135))
    peer = theirs(lambda: np.digitize(grey.values, (85, 135), right=True).astype(np.uint8))
    np.testing.assert_array_equal(mine.result, peer.result)
    yield Row("three phases by two thresholds", size, mine, "NumPy, digitize", peer)


def _itk(
    method: sitk.OtsuThresholdImageFilter | sitk.MaximumEntropyThresholdImageFilter, image: sitk.Image
) -> float:
    method.SetNumberOfHistogramBins(256)
    method.Execute(image)
    return float(method.GetThreshold())
