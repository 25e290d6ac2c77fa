"""Garwood's interval of a Poisson count."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv

Floats = npt.NDArray[np.float64]


def garwood(counts: npt.NDArray[np.int64] | Floats, level: float) -> tuple[Floats, Floats]:
    """Return the ends of Garwood's exact interval of Poisson counts: of their mean, at a confidence `level`.

    Counts over their dispersion, which are no whole numbers, are taken too.

    References
    ----------
    Garwood, Biometrika 28, 437 (1936), doi:10.1093/biomet/28.3-4.437.

    Examples
    --------
    >>> low, high = garwood(np.array([0, 4]), 0.95)
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([0.0, 1.09], [3.69, 10.24])
    """
    tail = (1 - level) / 2
    low = np.where(counts > 0, gammaincinv(np.where(counts > 0, counts, 1.0), tail), 0.0)
    return low, np.asarray(gammaincinv(counts + 1, 1 - tail))
