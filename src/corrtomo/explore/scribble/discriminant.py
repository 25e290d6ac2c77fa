"""The classifier that a page can train: a discriminant on a few filtered values of each pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

LEFT_OUT = 255
SHRINKAGE = 1e-3
FEWEST = 2
"""Painted pixels from which on a class takes part: one alone says nothing of its spread."""
MARGIN = 24
"""Pixels around a crop that its filtered values depend on: four times the widest Gaussian."""
FEATURES = 8
"""Filtered values of a pixel, for each channel."""
_SMOOTH, _SPREAD = (1.0, 2.0, 4.0, 6.0), (1.0, 2.0, 4.0)


def page_features(channels: np.ndarray) -> np.ndarray:
    """Filter an image into what the classifier of a page sees, as bytes.

    Parameters
    ----------
    channels : numpy.ndarray
        8-bit grey values, dims channel, y, x.

    Returns
    -------
    numpy.ndarray
        ``uint8``, dims feature, y, x. For each channel: the grey value; smoothed with Gaussians of 1, 2, 4
        and 6 pixels; twice its local standard deviation under Gaussians of 1, 2 and 4 pixels.

    Notes
    -----
    Both are in grey values, whatever the image, so that a crop and the whole image are filtered alike; a
    deviation above 127 counts as 127. The image is mirrored at its border.
    """
    planes = [plane for channel in channels for plane in _filter(channel)]
    return np.stack(planes)


def _filter(channel: np.ndarray) -> list[np.ndarray]:
    grey = channel.astype(np.float64)
    smooth = {sigma: gaussian_filter(grey, sigma) for sigma in _SMOOTH}
    planes = [grey, *smooth.values()]
    for sigma in _SPREAD:
        variance = gaussian_filter(grey**2, sigma) - smooth[sigma] ** 2
        planes.append(2 * np.sqrt(np.maximum(variance, 0)))
    return [np.clip(np.rint(plane), 0, 255).astype(np.uint8) for plane in planes]


def expand(features: np.ndarray) -> np.ndarray:
    """Set the squares beside the values: dims feature, … become twice as many, a row a pixel.

    Examples
    --------
    >>> expand(np.array([[0, 51], [255, 102]], np.uint8)).tolist()
    [[0.0, 255.0, 0.0, 255.0], [51.0, 102.0, 10.2, 40.8]]
    """
    values = features.reshape(len(features), -1).T.astype(np.float64)
    return np.concatenate([values, values * values / 255], axis=1)


def counted(painted: np.ndarray, count: int) -> np.ndarray:
    """Count the painted pixels of each class."""
    return np.bincount(painted.ravel(), minlength=LEFT_OUT + 1)[:count]


def fit_discriminant(features: np.ndarray, painted: np.ndarray, count: int) -> LinearDiscriminantAnalysis:
    """Fit the classifier of a page to painted pixels, with scikit-learn.

    A linear discriminant on the filtered values and their squares, the covariance shrunk by 0.001 and all
    classes equally likely, as the painted area says nothing of how much there is. It was chosen by Cohen's
    kappa on what it was not trained on, and by the milliseconds in which 256 × 200 pixels of two channels are
    classified in JavaScript. Real: halves of the boxes drawn on `kintsugi-nmc`, held out in turn (4 classes,
    mean of 4 splits). Drawn: a section of smoothed noise in two channels (5 classes, mean of 3 scribbles).

    ================================================  =====  =====  ====
    classifier, on the same filtered values           real   drawn  ms
    ================================================  =====  =====  ====
    linear discriminant                               0.980  0.881  –
    linear discriminant, with squares (this one)      0.986  0.917  9
    linear discriminant, with all products            0.985  0.933  40
    quadratic discriminant, regularised by 0.01       0.957  0.902  –
    random forest of 50 trees                         0.983  0.935  –
    ================================================  =====  =====  ====

    All products would leave no time for the rest of a frame. A quadratic discriminant needs a covariance from
    each class alone, and fails on classes of few or uniform pixels, such as saturated platinum.

    Its sums over painted pixels are whole numbers, so that a stroke is added and taken back without error:
    the page trains anew with each stroke, and how much was painted before does not matter.

    Parameters
    ----------
    features : numpy.ndarray
        ``uint8``, dims feature, y, x.
    painted : numpy.ndarray
        ``uint8``, dims y, x: codes of the classes, 255 where nothing is painted.
    count : int
        How many classes there are; those with fewer than two painted pixels take no part.

    Returns
    -------
    sklearn.discriminant_analysis.LinearDiscriminantAnalysis
        Takes rows of :func:`expand`.

    Raises
    ------
    ValueError
        If fewer than two classes take part, or all pixels of each class are alike.
    """
    painted = painted.ravel()
    known = _known(painted, count)
    if len(known) < 2:
        raise ValueError(
            f"Cannot train on scribbles of {len(known)} class(es): two are needed, each with {FEWEST} "
            "painted pixels or more. Paint in the explorer, or set explorer.scribbles."
        )
    if not trainable(features, painted, count):
        raise ValueError(
            "Cannot train on scribbles whose pixels are all alike within each class: how far they scatter is "
            "not known. Paint over more of each class."
        )
    chosen = np.isin(painted, known)
    rows, codes = expand(features.reshape(len(features), -1)[:, chosen]), painted[chosen]
    model: Any = LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage=SHRINKAGE, priors=np.full(len(known), 1 / len(known))
    )
    return model.fit(rows, codes)


def trainable(features: np.ndarray, painted: np.ndarray, count: int) -> bool:
    """Return whether two classes or more are painted, and the pixels of one of them differ."""
    values, painted = features.reshape(len(features), -1), painted.ravel()
    known = _known(painted, count)
    return len(known) >= 2 and any(np.ptp(values[:, painted == code], axis=1).any() for code in known)


def _known(painted: np.ndarray, count: int) -> np.ndarray:
    return np.flatnonzero(counted(painted, count) >= FEWEST)
