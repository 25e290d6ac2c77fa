"""κ once, at every threshold, at every pair, and its interval."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.metrics import cohen_kappa_score, confusion_matrix

import corrtomo as ct

from .data import phases_and_grey
from .table import Row
from .timing import ours, theirs

_PEER_SIZE = 256


def rows(size: int) -> Iterator[Row | str]:
    truth, grey = phases_and_grey(size)
    mask = truth == ct.Phase.AM
    part = min(size, _PEER_SIZE)
    crop = (slice(part),) * 3
    larger = (size / part) ** 3
    small_grey, small_truth = grey.values[crop], truth.values[crop].ravel()

    single = theirs(lambda: cohen_kappa_score(small_truth == 2, (small_grey > 140).ravel()))
    mine = ours(lambda: ct.measure.kappa_by_threshold(grey, mask))
    small = ct.measure.kappa_by_threshold(grey[crop], mask[crop])
    np.testing.assert_allclose(small.sel(threshold=140), single.result, atol=1e-12)
    yield Row("κ at 256 thresholds", size, mine, "scikit-learn, one call each", single, 256 * larger)

    segmented = np.digitize(small_grey, (85, 135), right=True).ravel()
    pair = theirs(lambda: cohen_kappa_score(small_truth, segmented))
    mine = ours(lambda: ct.measure.kappa_by_threshold_pair(grey, truth))
    small = ct.measure.kappa_by_threshold_pair(grey[crop], truth[crop])
    np.testing.assert_allclose(small.sel(lower=85, upper=135), pair.result, atol=1e-12)
    yield Row(
        "κ at 32 640 pairs of thresholds", size, mine, "scikit-learn, one call each", pair, 32_640 * larger
    )

    def histogram_by_numpy() -> np.ndarray:
        return np.bincount((truth.values.astype(np.uint16) * 256 + grey.values).ravel(), minlength=768)

    numpy = theirs(histogram_by_numpy)
    mine = ours(lambda: ct.measure.joint_histogram(grey, truth))
    np.testing.assert_array_equal(mine.result.values.ravel(), numpy.result)
    yield Row("joint histogram alone", size, mine, "NumPy, bincount of pairs", numpy)

    found = ct.segment.by_thresholds(grey, 85, 135)
    once = theirs(lambda: confusion_matrix(small_truth, segmented))
    mine = ours(lambda: ct.measure.cohen_kappa(truth, found))
    np.testing.assert_array_equal(ct.measure.confusion_matrix(truth[crop], found[crop]), once.result)
    yield Row("κ of two segmentations", size, mine, "scikit-learn, confusion matrix", once, larger)

    yield (
        f"≈: scikit-learn was timed for one call on {part}³ voxels, and its time multiplied by the number of "
        f"calls and of voxels; its memory is that of this one call."
    )
