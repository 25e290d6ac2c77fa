"""The AHE-based segmentation at every combination of window, threshold and ball, as a page needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise, product
from numbers import Real
from typing import Any

import numpy as np
import xarray as xr
from numba import get_num_threads, set_num_threads
from tqdm.auto import tqdm

from ...checks import check_length
from ...measure import kappa_from_confusion
from ...segment import equalise
from ...segment.equalised_ternary import finish
from ..explorer import pack, unpack

Steps = tuple[list[Any], list[Any], list[Any]]
"""Windows in µm, thresholds on the equalised image, diameters of the ball in µm."""
_CLASSES = 3
_MOST = 2000
_SMALL = 1 << 22
"""Voxels below which threads wait for each other longer than they work."""


@dataclass(frozen=True)
class Sweep:
    """What a sweep found: numbers of the whole volume, and pictures of the slices that are kept.

    Attributes
    ----------
    counts : numpy.ndarray
        Confusion counts, dims window, threshold, diameter, truth, segmented.
    equalised : numpy.ndarray
        Equalised slices, dims window, z, y, x.
    am, thresholded, cbd : numpy.ndarray
        Masks: of the active material, dims z, y, x; of the binder before opening and closing, dims window,
        threshold, z, y, x; after it, dims window, threshold, diameter, z, y, x.
    """

    counts: np.ndarray
    equalised: np.ndarray
    am: np.ndarray
    thresholded: np.ndarray
    cbd: np.ndarray


def sweep(
    image: xr.DataArray,
    truth: xr.DataArray,
    am_threshold: float,
    steps: Steps,
    *,
    keep: Callable[[xr.DataArray], np.ndarray],
) -> Sweep:
    """Segment at every combination of window (µm), threshold and ball (µm); equalise once a window.

    Both images are in memory; codes of the truth beyond the three phases are left out.
    """
    sizes = tuple(len(values) for values in steps)
    windows, thresholds, diameters = steps
    counts = np.zeros((*sizes, _CLASSES, _CLASSES), np.int64)
    compared = truth.data < _CLASSES
    rows = _CLASSES * truth.data[compared].astype(np.intp)
    equalised: list[np.ndarray] = []
    thresholded: list[np.ndarray] = []
    cbd: list[np.ndarray] = []
    bar = tqdm(total=int(np.prod(sizes)), desc="AHE-based segmentation", unit="combination")
    with bar, _few_threads(image.size):
        for i, window_um in enumerate(windows):
            ranks = equalise(image, window_um)
            equalised.append(keep(ranks))
            for j, k in product(range(sizes[1]), range(sizes[2])):
                found = finish(image, ranks, am_threshold, thresholds[j], diameters[k])
                pairs = np.bincount(rows + found["labels"].data[compared], minlength=_CLASSES**2)
                counts[i, j, k] = pairs.reshape(_CLASSES, _CLASSES)
                cbd.append(keep(found["cbd"]))
                if k == 0:
                    thresholded.append(keep(found["cbd_thresholded"]))
                bar.update()
    shape = equalised[0].shape
    return Sweep(
        counts=counts,
        equalised=np.stack(equalised),
        am=keep(image > am_threshold),
        thresholded=np.stack(thresholded).reshape(*sizes[:2], *shape),
        cbd=np.stack(cbd).reshape(*sizes, *shape),
    )


@contextmanager
def _few_threads(voxels: int) -> Iterator[None]:
    """Work on small volumes with one thread: there are hundreds of short steps."""
    before = get_num_threads()
    set_num_threads(1 if voxels < _SMALL else before)
    try:
        yield
    finally:
        set_num_threads(before)


def kappas(counts: np.ndarray) -> np.ndarray:
    """Return Cohen's kappa of each confusion table, the last two dims."""
    flat = [kappa_from_confusion(table) for table in counts.reshape(-1, *counts.shape[-2:])]
    return np.array(flat).reshape(counts.shape[:-2])


def pack_masks(masks: np.ndarray) -> bytes:
    """Pack masks one bit a voxel, each as what differs from the one before: dims threshold, …, z, y, x.

    A little more of a threshold changes few voxels, so that differences pack far smaller than masks.
    """
    rows = masks.reshape(len(masks), -1)
    changes = np.concatenate([rows[:1], rows[1:] ^ rows[:-1]])
    return pack(np.packbits(changes, axis=1))


def unpack_masks(packed: bytes, shape: Sequence[int]) -> np.ndarray:
    """Return the masks that :func:`pack_masks` packed."""
    bits = np.unpackbits(unpack(packed).reshape(shape[0], -1), axis=1, count=int(np.prod(shape[1:])))
    masks: Any = np.bitwise_xor.accumulate(bits, axis=0).astype(bool)
    return np.asarray(masks.reshape(tuple(shape)))


def check_steps(windows_um: Any, thresholds: Any, diameters_um: Any, am_threshold: Any) -> Steps:
    """Refuse what cannot be swept; return windows, thresholds and diameters."""
    doing = "sweep the AHE-based segmentation"
    if (
        isinstance(am_threshold, bool)
        or not isinstance(am_threshold, Real)
        or not 0 <= float(am_threshold) < 255
    ):
        raise ValueError(
            f"Cannot {doing} with am_threshold {am_threshold!r}: a grey value from 0 to 254 is needed. Find "
            "it with ct.segment.threshold_otsu() or ct.measure.kappa_by_threshold()."
        )
    lists = {"windows_um": windows_um, "thresholds": thresholds, "diameters_um": diameters_um}
    for name, values in lists.items():
        many = isinstance(values, Sequence | range | np.ndarray) and not isinstance(values, str | bytes)
        if not many or len(values) == 0:
            raise ValueError(
                f"Cannot {doing} over {name} {values!r}: one value or more is needed, in a sequence. Pass "
                "for instance windows_um=(6.0, 8.0, 10.0)."
            )
        for value in values if name != "thresholds" else ():
            check_length(value, f"one of {name}", doing=doing)
        if any(not a < b for a, b in pairwise(values)):
            raise ValueError(
                f"Cannot {doing} over {name} {list(values)!r}: they must ascend, none twice. Sort them first "
                "with sorted(set(...))."
            )
    whole = all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in thresholds)
    if not whole or not 0 <= thresholds[0] <= thresholds[-1] < 255:
        raise ValueError(
            f"Cannot {doing} over thresholds {list(thresholds)!r}: whole grey values from 0 to 254 are "
            "needed, so that both sides of each can occur. Pass for instance range(60, 180, 10)."
        )
    combinations = len(windows_um) * len(thresholds) * len(diameters_um)
    if combinations > _MOST:
        raise ValueError(
            f"Cannot {doing} over {combinations} combinations: a page holds {_MOST} at most. Take fewer "
            "of each, for instance 6 windows, 12 thresholds and 4 diameters."
        )
    return [float(v) for v in windows_um], [int(v) for v in thresholds], [float(v) for v in diameters_um]
