"""Thresholds of grey and gradient, learnt from an area whose phases are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ..blocks import blocks
from ..checks import check_same_grid
from ..phases import Phase, check_codes
from .grey_and_gradient import check_weight
from .grooves import WINDOW_UM, check_grooves, groove_gradient, refuse_not_finite

_BINS = 256
_PHASES = (Phase.PORE, Phase.CBD, Phase.AM)
_DOING = "fit grey and gradient"
WEIGHTS_UM = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)


def fit_grey_and_gradient(
    image: xr.DataArray,
    truth: xr.DataArray,
    *,
    gradient_weights_um: Sequence[float] = WEIGHTS_UM,
    window_um: Sequence[float] = WINDOW_UM,
    across: str = "x",
) -> pd.DataFrame:
    """Find the best two thresholds for each weight of the gradient, from an area labelled by hand.

    The cycling paper controls "the various parameters that characterize the weighting between grey-scale
    thresholds and analysis of gradient values" by hand, against a known composition (section 2.3). A
    composition cannot choose three numbers: for every weight some thresholds meet it. A labelled area can.

    Parameters
    ----------
    image : xarray.DataArray
        Grey values, dims z, y, x or y, x, NumPy or Dask.
    truth : xarray.DataArray
        Labels on the same grid; 255 (left out) wherever it is not labelled.
    gradient_weights_um : sequence of float
        The weights that are tried, in µm; keep 0 among them, to see what the gradient is worth.
    window_um, across
        As for :func:`groove_gradient`.

    Returns
    -------
    pandas.DataFrame
        A row for each weight: ``gradient_weight_um``, ``cbd_threshold`` and ``am_threshold`` as
        :func:`grey_and_gradient` takes them; ``right``, the share of labelled voxels that they label right;
        ``pore_error``, ``cbd_error``, ``am_error``, fraction found less fraction labelled.

    Raises
    ------
    TypeError
        If the labels or the weights are no numbers of their kind.
    ValueError
        If the grids differ, a phase that is parted is not labelled, another one is, or a weight is below 0.

    Notes
    -----
    The most right voxels on the labelled area itself: judge the choice on another one. It is as good as the
    labels are typical: label shaded parts, edges and pores with walls behind them, too. Grey values are
    counted in 256 bins between their extremes (``uint8`` has one a grey value), scores in 256. Of equally
    good thresholds the middle one is taken.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> grey = np.repeat([[40, 95, 165]], 8, axis=1) * np.ones((9, 1), int)
    >>> truth = ct.volume(np.repeat([[0, 1, 2]], 8, axis=1) * np.ones((9, 1), int), 0.1)
    >>> table = ct.segment.fit_grey_and_gradient(
    ...     ct.volume(grey, 0.1), truth, gradient_weights_um=[0], window_um=(0.3, 0.5))
    >>> table[["cbd_threshold", "am_threshold", "right"]].values.tolist()
    [[67.0, 130.0, 1.0]]
    """
    check_grooves(image, window_um, across, doing=_DOING)
    weights = _check_weights(gradient_weights_um)
    _check_truth(image, truth)
    gradient = groove_gradient(image, window_um=window_um, across=across)
    ends = _extremes(image, gradient, truth)
    _check_scores(weights, ends)
    rows = []
    for weight in weights:
        counts, greys, scores = _count(image, gradient, truth, weight, ends)
        rows.append((weight, *_best(counts, greys, scores)))
    errors = [f"{name}_error" for name in ("pore", "cbd", "am")]
    return pd.DataFrame(
        rows, columns=["gradient_weight_um", "cbd_threshold", "am_threshold", "right", *errors]
    )


def _check_weights(weights: Any) -> list[float]:
    if isinstance(weights, str) or not isinstance(weights, Iterable) or getattr(weights, "ndim", 1) == 0:
        raise TypeError(
            f"Cannot {_DOING} with gradient_weights_um {weights!r}: several numbers in µm are needed. Pass "
            f"for instance {WEIGHTS_UM}."
        )
    found = [check_weight(weight, doing=_DOING) for weight in weights]
    if not found:
        raise ValueError(
            f"Cannot {_DOING} with no gradient_weights_um: one or more are needed. Pass for instance "
            f"{WEIGHTS_UM}."
        )
    return found


def _check_truth(image: xr.DataArray, truth: xr.DataArray) -> None:
    check_same_grid(image, truth, doing=_DOING)
    labelled = [phase for phase in check_codes(truth) if phase is not Phase.LEFT_OUT]
    if truth.dtype == bool or labelled != list(_PHASES):
        raise ValueError(
            f"Cannot {_DOING} with labels of {', '.join(p.label for p in labelled) or 'nothing'}: "
            f"{', '.join(p.label for p in _PHASES)} must all be labelled, and nothing else. Label some of "
            "each, and mark the rest as left out, for instance with truth.where(truth <= 2, 255)."
        )


Ends = tuple[float, float, float]


def _labelled(*images: xr.DataArray) -> Any:
    """Walk through grey values, groove gradients and codes of what is labelled."""
    for grey, gradient, codes in blocks(*images):
        known = codes != Phase.LEFT_OUT
        refuse_not_finite(grey)
        yield grey[known].astype(float), gradient[known].astype(float), codes[known].astype(np.intp)


def _extremes(*images: xr.DataArray) -> Ends:
    """Return the darkest and the brightest grey value of what is labelled, and its strongest gradient."""
    ends = [(g.min(), g.max(), s.max()) for g, s, _ in _labelled(*images) if g.size]
    low, high, steepest = (
        float(find(values)) for find, values in zip((min, max, max), zip(*ends, strict=True), strict=True)
    )
    if not (low < high and np.isfinite(high - low)):
        raise ValueError(
            f"Cannot {_DOING}: the labelled grey values go from {low:g} to {high:g}, a range that cannot be "
            "parted. Check the channel that was passed, or scale the image first."
        )
    return low, high, steepest


def _check_scores(weights: list[float], ends: Ends) -> None:
    """Refuse weights with which scores are beyond what a float holds."""
    low, high, steepest = ends
    for weight in weights:
        if not np.isfinite(high + weight * steepest - low):
            raise ValueError(
                f"Cannot {_DOING} with gradient weight {weight:g} µm: the strongest gradient is "
                f"{steepest:.3g} grey values a µm, and scores must be finite. Pass for instance {WEIGHTS_UM}."
            )


def _count(
    image: xr.DataArray, gradient: xr.DataArray, truth: xr.DataArray, weight: float, ends: Ends
) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any], npt.NDArray[Any]]:
    """Count voxels by phase, grey value and score; return the thresholds above each bin, too."""
    low, high, steepest = ends
    whole = not np.issubdtype(image.dtype, np.floating) and high - low < _BINS
    # Whole grey values have a bin each, and a threshold on the grey value itself.
    step = 1.0 if whole else (high - low) / (_BINS - 1)
    top = high + weight * steepest
    stride = step if whole and weight == 0 else max(top - low, step) / (_BINS - 1)
    counts = np.zeros(len(_PHASES) * _BINS * _BINS, np.int64)
    for grey, grooves, codes in _labelled(image, gradient, truth):
        i = np.ceil((grey - low) / step).astype(np.intp).clip(0, _BINS - 1)
        j = np.ceil((grey + weight * grooves - low) / stride).astype(np.intp).clip(0, _BINS - 1)
        counts += np.bincount((codes * _BINS + i) * _BINS + j, minlength=counts.size)
    bins = np.arange(_BINS)
    return counts.reshape(len(_PHASES), _BINS, _BINS), low + bins * step, low + bins * stride


def _best(counts: npt.NDArray[np.int64], greys: Any, scores: Any) -> tuple[float, ...]:
    """Try all pairs of thresholds; return the best, the share that is right, and the errors of fractions."""
    total = counts.sum()
    dark = counts.sum(axis=2).cumsum(axis=1)  # phase, threshold of the binder
    bright = counts[:, ::-1].cumsum(axis=1)[:, ::-1] - counts  # above the threshold of the binder
    weak = bright.cumsum(axis=2)  # and not above that of the active material
    am = weak[:, :, -1:] - weak
    right = dark[Phase.PORE][:, None] + weak[Phase.CBD] + am[Phase.AM]
    right[greys[:, None] >= scores[None]] = -1  # thresholds ascend
    i = _middle((right == right.max()).any(axis=1))
    j = _middle(right[i] == right[i].max())
    found = dark[:, i].sum(), weak[:, i, j].sum(), am[:, i, j].sum()
    errors = [(n - m) / total for n, m in zip(found, counts.sum(axis=(1, 2)), strict=True)]
    return float(greys[i]), float(scores[j]), float(right[i, j] / total), *map(float, errors)


def _middle(best: npt.NDArray[np.bool_]) -> int:
    places = np.flatnonzero(best)
    return int(places[len(places) // 2])
