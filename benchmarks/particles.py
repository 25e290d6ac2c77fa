"""Separate particles, and the volume of each phase."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage
from skimage.measure import label, regionprops_table

import corrtomo as ct

from .data import phases_and_grey
from .table import Row
from .timing import ours, theirs

_PEER_SIZE = 256


def rows(size: int) -> Iterator[Row | str]:
    labels, grey = phases_and_grey(size)
    mask = ((grey > 185) & (labels == ct.Phase.AM)).compute()
    part = mask.values[(slice(min(size, _PEER_SIZE)),) * 3]
    larger = mask.size / part.size

    found = ours(lambda: ct.measure.label_particles(mask))
    peer = theirs(lambda: label(mask.values, connectivity=3))
    assert found.result.max() == peer.result.max()
    yield Row("numbers of particles", size, found, "scikit-image, label", peer)
    peer = theirs(lambda: ndimage.label(mask.values, np.ones((3, 3, 3))))
    assert found.result.max() == peer.result[1]
    yield Row("numbers of particles", size, found, "SciPy, label", peer)

    mine = ours(lambda: ct.measure.particles(mask))
    peer = theirs(lambda: _table(part))
    small = ct.measure.particles(ct.volume(part, 1.0))
    assert sorted(small.voxels) == sorted(peer.result["area"])
    step = f"table of {len(mine.result)} particles"
    yield Row(step, size, mine, "scikit-image, label and regionprops", peer, larger)

    mine = ours(lambda: ct.measure.volume_fractions(labels))
    peer = theirs(lambda: np.unique(labels.values, return_counts=True))
    assert mine.result.voxels.tolist() == peer.result[1].tolist()
    yield Row("volume fractions", size, mine, "NumPy, unique", peer)
    if larger > 1:
        yield f"≈: regionprops were timed on {part.shape[0]}³ voxels, the time multiplied by {larger:g}."


def _table(mask: np.ndarray) -> dict[str, np.ndarray]:
    return regionprops_table(label(mask, connectivity=3), properties=("area", "centroid", "bbox"))
