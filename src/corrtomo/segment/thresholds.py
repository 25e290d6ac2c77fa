"""Global thresholds: found from the histogram, and applied."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from numbers import Real
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from skimage.filters import threshold_otsu as _otsu

from ..blocks import blocks
from ..checks import check_finite
from ..phases import Phase
from ..volume import check_image

_FLOAT_BINS = 256
_MOST_GREYS = 1 << 16
_MOST_CLASSES = 255


def threshold_otsu(image: xr.DataArray) -> float:
    """Find the grey value that splits the histogram into two classes of least variance.

    Otsu's method is what the X-ray and FIB-SEM paper holds against the best threshold (Sci. Rep. 6, 30109,
    "Binary Xt Segmentation"); it needs no truth.

    Parameters
    ----------
    image : xarray.DataArray
        Grey values, any dims, NumPy or Dask.

    Returns
    -------
    float
        Grey values above it belong to the brighter class; a whole number for integer images.

    Raises
    ------
    ValueError
        If all grey values are the same, or some are NaN or infinite.

    Notes
    -----
    Misleads where one class is rare, or where the classes have no peaks of their own. Integer images have one
    bin a grey value, floating-point images 256 bins between their extremes. Left-out voxels cannot be told
    from grey: crop first.

    References
    ----------
    Otsu, IEEE Trans. Syst. Man Cybern. 9, 62 (1979), doi:10.1109/TSMC.1979.4310076; computed by scikit-image.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.segment.threshold_otsu(ct.volume([1, 2, 2, 8, 9, 9], 0.438))
    2.0
    """
    counts, greys = _histogram(image, doing="find Otsu's threshold")
    return float(_otsu(hist=(counts, greys)))


def threshold_max_entropy(image: xr.DataArray) -> float:
    """Find the grey value that leaves most entropy in the histograms of the two classes together.

    The second automatic threshold of the X-ray and FIB-SEM paper (Sci. Rep. 6, 30109, "Binary Xt
    Segmentation").

    Parameters
    ----------
    image : xarray.DataArray
        Grey values, any dims, NumPy or Dask.

    Returns
    -------
    float
        Grey values above it belong to the brighter class; a whole number for integer images.

    Raises
    ------
    ValueError
        If all grey values are the same, or some are NaN or infinite.

    Notes
    -----
    Depends on the shape of each class, not on its size: a few bright artefacts, spread over many grey values,
    draw it upwards. Bins as in :func:`threshold_otsu`. Of several equal maxima the lowest is taken.

    References
    ----------
    Kapur, Sahoo and Wong, Comput. Vis. Graph. Image Process. 29, 273 (1985),
    doi:10.1016/0734-189X(85)90125-2.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.segment.threshold_max_entropy(ct.volume([1, 2, 3, 7, 8, 9], 0.438))
    3.0
    """
    counts, greys = _histogram(image, doing="find the maximum-entropy threshold")
    # The last split would leave no class above; each class is summed from its own end, so none is a
    # difference of large numbers.
    entropy = _entropy_up_to(counts)[:-1] + _entropy_up_to(counts[::-1])[::-1][1:]
    return float(greys[int(np.argmax(entropy))])


def by_thresholds(
    image: xr.DataArray, *thresholds: float, phases: Sequence[Phase] | None = None
) -> xr.DataArray:
    """Segment by global thresholds: a grey value above the n-th belongs to class n.

    Parameters
    ----------
    image : xarray.DataArray
        Grey values, any dims; a Dask image stays lazy.
    *thresholds : float
        Grey values, ascending.
    phases : sequence of Phase, optional
        What the classes are, from dark to bright: the result then holds their codes.

    Returns
    -------
    xarray.DataArray
        ``uint8`` classes 0 … n on the grid of `image`, or the codes of `phases`. Two thresholds part pore,
        carbon binder domain and active material, whose codes are 0, 1 and 2. Classes that are not named are
        no phases: ``attrs["phases"]`` is empty.

    Raises
    ------
    ValueError
        If there is no threshold, they do not ascend or are not finite, a grey value is NaN or infinite, or
        the number of phases does not fit.

    Notes
    -----
    Every voxel of blur between a bright and a dark phase passes through the grey values between: with three
    classes, edges are labelled as the middle one.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.segment.by_thresholds(ct.volume([73, 74, 110, 111], 0.438), 73, 110).values
    array([0, 1, 1, 2], dtype=uint8)
    >>> ct.segment.by_thresholds(ct.volume([73, 111], 0.438), 110, phases=(ct.Phase.PORE, ct.Phase.AM)).values
    array([0, 2], dtype=uint8)
    """
    check_image(image)
    levels = _ascending(thresholds)
    codes = _codes(phases, len(levels) + 1)
    if not np.issubdtype(image.dtype, np.floating):
        levels = [math.floor(level) for level in levels]  # the same classes, without a copy as floats
    classes: xr.DataArray = xr.apply_ufunc(
        _classify,
        image,
        kwargs={"levels": levels, "codes": codes},
        dask="parallelized",
        output_dtypes=[np.uint8],
    )
    classes.name = "segmentation"
    named = phases is not None or len(levels) == 2
    classes.attrs = {"phases": {p.name: int(p) for p in Phase} if named else {}}
    return classes


def _codes(phases: Sequence[Phase] | None, count: int) -> npt.NDArray[np.uint8]:
    chosen = range(count) if phases is None else [Phase(phase) for phase in phases]
    if len(chosen) != count or len(set(chosen)) != count or (Phase.LEFT_OUT in chosen and phases is not None):
        raise ValueError(
            f"Cannot name {count} classes {phases!r}: {count} different phases are needed, from dark to "
            "bright. Pass for instance phases=(ct.Phase.PORE, ct.Phase.AM) with one threshold."
        )
    return np.array(chosen, np.uint8)


def _classify(
    grey: npt.NDArray[Any], levels: list[float] | list[int], codes: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    if np.issubdtype(grey.dtype, np.floating) and not np.isfinite(grey).all():
        raise ValueError(
            f"Cannot segment by thresholds: {int((~np.isfinite(grey)).sum())} grey values are NaN or "
            "infinite. Only finite grey values are allowed. Crop them away or fill them first, for "
            "instance with image.fillna(0)."
        )
    out = np.zeros(grey.shape, np.uint8)
    for level in levels:
        if np.issubdtype(grey.dtype, np.floating):  # a level beyond what the dtype holds parts nothing
            level = float(np.clip(level, np.finfo(grey.dtype).min, np.finfo(grey.dtype).max))
        out += grey > level
    return out if np.array_equal(codes, np.arange(len(codes))) else codes[out]


def _ascending(thresholds: tuple[Any, ...]) -> list[float]:
    for value in thresholds:
        if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
            raise TypeError(
                f"Cannot segment by threshold {value!r}: a number is needed. Pass them one by one, for "
                "instance ct.segment.by_thresholds(image, 73, 110)."
            )
    levels = [float(t) for t in thresholds]
    if not 1 <= len(levels) < _MOST_CLASSES:
        raise ValueError(
            f"Cannot segment by {len(levels)} thresholds: 1 to {_MOST_CLASSES - 1} are needed. Pass them "
            "after the image, for instance ct.segment.by_thresholds(image, 73, 110)."
        )
    if not np.isfinite(levels).all():
        raise ValueError(
            f"Cannot segment by thresholds {thresholds}: they must be finite. Find one with "
            "ct.segment.threshold_otsu(image)."
        )
    if any(a >= b for a, b in pairwise(levels)):
        raise ValueError(
            f"Cannot segment by thresholds {thresholds}: they must ascend, each above the one before. "
            "Sort them, and drop equal ones."
        )
    return levels


def _entropy_up_to(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the entropy of the grey values up to each one: ln N - (sum of n ln n) / N; 0 for none or one."""
    total = np.maximum(counts.cumsum(), 1)
    entropy: npt.NDArray[np.float64] = np.log(total)
    entropy -= (counts * np.log(np.maximum(counts, 1))).cumsum() / total
    return entropy


def _histogram(image: xr.DataArray, *, doing: str) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    """Count the voxels of each grey value, from the darkest to the brightest that occurs."""
    check_image(image)
    check_finite(image, doing=doing)
    low, high = _extremes(image.data)
    if low == high:
        raise ValueError(
            f"Cannot {doing}: all {image.size} grey values are {low:g}. Two or more are needed. "
            "Check the crop, or the channel, that was passed."
        )
    if np.issubdtype(image.dtype, np.floating):
        low, high = float(low), float(high)
        step = high / _FLOAT_BINS - low / _FLOAT_BINS
        if not (np.isfinite(high - low) and step > 2 * np.spacing(max(abs(low), abs(high)))):
            raise ValueError(
                f"Cannot {doing}: grey values from {low:g} to {high:g} cannot be told apart in "
                f"{_FLOAT_BINS} bins. A range that floats resolve is needed. Scale the image first, for "
                "instance with (image - image.min()) / (image.max() - image.min())."
            )
        edges = np.linspace(low, high, _FLOAT_BINS + 1)
        parts = (part.astype(float) for (part,) in blocks(image))
        counts = sum(np.histogram(part, bins=_FLOAT_BINS, range=(low, high))[0] for part in parts)
        return np.asarray(counts), (edges[:-1] + edges[1:]) / 2
    n = int(high) - int(low) + 1
    if image.dtype == bool or n > _MOST_GREYS:
        raise TypeError(
            f"Cannot {doing} of dtype {image.dtype} from {low} to {high}: floating-point grey values, or "
            f"integers that span {_MOST_GREYS} or fewer, are needed. Pass grey values, not a mask; scale "
            "wider integers first, for instance with image.astype('float32')."
        )
    wide = image.dtype if image.dtype == np.uint64 else np.dtype(np.int64)
    shifted = ((part.astype(wide) - wide.type(low)).astype(np.intp) for (part,) in blocks(image))
    counts = sum(np.bincount(part, minlength=n) for part in shifted)
    return np.asarray(counts), np.arange(int(low), int(high) + 1, dtype=float)


def _extremes(data: Any) -> tuple[Any, Any]:
    low, high = data.min(), data.max()
    if isinstance(data, da.Array):
        low, high = da.compute(low, high)
    return low, high
