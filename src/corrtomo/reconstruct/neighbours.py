"""Drift without marks: each image against those before it."""

from __future__ import annotations

from collections import deque
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.linalg import solveh_banded

from ..checks import check_length
from .phase_correlation import PhaseCorrelator
from .planes import check_stack, planes
from .positions import Floats, table

_DOING = "find drift from neighbours"
_FINEST_PIXELS = 4.0
_EVEN = 1e-4
"""Share of its grey values' spread below which an image does not vary along a dim."""


def drift_from_neighbours(
    stack: xr.DataArray,
    *,
    neighbours: int = 2,
    search_um: float = 0.5,
    finest_um: float | None = None,
    repeats: bool = False,
    progress: bool = True,
) -> pd.DataFrame:
    """Find the drift of each image against those before it, by phase correlation: for stacks without marks.

    The cycling paper aligns by reference markers (section 2.2). Stacks without any are commonly aligned slice
    by slice, as here: read the Notes before the result is believed.

    Parameters
    ----------
    stack : xarray.DataArray
        Grey values with dims z, y, x: z the nominal position of each slice, y and x as on the screen, in µm.
        NumPy or Dask; one slice is read at a time.
    neighbours : int
        How many earlier slices each is compared with.
    search_um : float
        How far two compared images may be apart, in µm on the screen.
    finest_um : float, optional
        Shortest wavelength that is compared, in µm: what is finer is mostly noise. By default 4 pixels.
    repeats : bool
        Allow an image that equals the one before it.
    progress : bool
        Show a bar where it takes longer than a second.

    Returns
    -------
    pandas.DataFrame
        As from :func:`drift_from_marks`. ``z_um`` is the nominal depth and its error NaN; ``marks_found`` is
        0. Errors of y and x are those of a sum of steps, from how well ways over several slices agree; NaN
        with one neighbour, which nothing checks.

    Raises
    ------
    TypeError
        If the stack is a plain array, or `neighbours` is no whole number.
    ValueError
        If the stack has other dims, fewer than two slices, slices missing, NaN, or an image twice; if an
        image does not vary along y or along x; or if two images are not alike within `search_um`.

    Notes
    -----
    It accumulates: each step adds its error, and after many slices their sum is several pixels. And it
    bends straight features: what runs through the stack at a slant moves from image to image as a drift does,
    and is made upright with everything else. If most features lean the same way, or a large one leans, the
    result leans the other way, and nothing in it shows that: the errors in the table do not hold it. More
    neighbours lessen the first, not the second. Volumes suffer little; orientation, tortuosity and everything
    straight do. Use marks where there are any.

    Wavelengths longer than half the image along y or x are left out: shading stands still, and so may
    vertical stripes. Images of less than some 16 pixels hold nothing to compare.

    References
    ----------
    Kuglin and Hines, Proc. IEEE Int. Conf. Cybern. Soc., 163 (1975); shifts below a pixel as in
    Guizar-Sicairos et al., Opt. Lett. 33, 156 (2008), doi:10.1364/OL.33.000156.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> scene = np.random.default_rng(0).normal(size=(80, 80))
    >>> stack = ct.volume(np.array([scene[k : k + 64, 8:72] for k in range(3)]), (0.05, 0.025, 0.025))
    >>> found = ct.reconstruct.drift_from_neighbours(stack, search_um=0.1)
    >>> (found.y_um / 0.025).round(1).tolist(), (found.x_um / 0.025).abs().round(1).tolist()
    ([0.0, -1.0, -2.0], [0.0, 0.0, 0.0])
    """
    _, y_pixel, x_pixel = check_stack(stack, doing=_DOING, slices=2)
    check_length(search_um, "search_um", doing=_DOING)
    if finest_um is None:
        finest_um = _FINEST_PIXELS * max(y_pixel, x_pixel)
    check_length(finest_um, "finest_um", doing=_DOING)
    count = _check_neighbours(neighbours, stack.sizes["z"])
    pixel = np.array([y_pixel, x_pixel])
    shape = (stack.sizes["y"], stack.sizes["x"])
    correlator = PhaseCorrelator(shape, search_um / pixel, finest_um / pixel)
    steps = np.full((stack.sizes["z"], count, 2), np.nan)
    earlier: deque[Any] = deque(maxlen=count)
    for k, image in planes(stack, doing=_DOING, progress=progress, repeats=repeats):
        _check_varies(image, k)
        spectrum = correlator.spectrum(image)
        for apart, other in enumerate(earlier):
            steps[k, apart] = correlator.shift(spectrum, other)
        earlier.appendleft(spectrum)
        if k > 0 and np.isnan(steps[k, 0]).any():
            raise ValueError(
                f"Cannot {_DOING}: images {k - 1} and {k} are not alike at any shift of up to "
                f"{search_um:g} µm, or hold nothing to compare. Raise search_um where they jump, leave a "
                f"spoilt image out with stack.drop_isel(z={k}), or use marks with "
                "ct.reconstruct.drift_from_marks()."
            )
    shift, error = _chain(steps)
    nominal = stack["z"].values.astype(float)
    errors = np.column_stack([np.full(len(nominal), np.nan), error * pixel])
    return table(nominal - nominal[0], shift * pixel, errors, np.zeros(len(nominal), np.int64))


def _check_varies(image: Any, k: int) -> None:
    """Refuse an image that is even along y or x: the borders, which stand still, are all it shows there."""
    grey = image.astype(np.float64)
    spread = float(grey.std())
    for dim, first in (("y", grey[:1]), ("x", grey[:, :1])):
        if spread > 0 and float(np.abs(grey - first).mean()) <= _EVEN * spread:
            raise ValueError(
                f"Cannot {_DOING}: image {k} does not vary along {dim}, and holds nothing to compare there: "
                "a drift would not be seen. Structure along both y and x is needed. Leave a spoilt image out "
                f"with stack.drop_isel(z={k}), or use marks with ct.reconstruct.drift_from_marks()."
            )


def _check_neighbours(neighbours: Any, slices: int) -> int:
    if isinstance(neighbours, bool | np.bool_) or not isinstance(neighbours, Integral):
        raise TypeError(
            f"Cannot {_DOING} with neighbours={neighbours!r}: a whole number is needed. Pass for instance 2."
        )
    if int(neighbours) < 1:
        raise ValueError(
            f"Cannot {_DOING} with neighbours={neighbours!r}: 1 or more is needed. Pass for instance 2."
        )
    return min(int(neighbours), slices - 1)


def _chain(steps: Floats) -> tuple[Floats, Floats]:
    """Fit a position to each slice, by least squares over all steps, and its error; pixels.

    `steps` holds the shift against the slice 1, 2, … before, with axes slice, apart, and y, x; NaN where none
    was found.
    """
    slices, count, _ = steps.shape
    band, right = np.zeros((count + 1, slices)), np.zeros((slices, 2))
    band[0, 0] = 1.0  # the first slice stays where it is
    pairs = [(k, apart) for k in range(slices) for apart in range(count) if np.isfinite(steps[k, apart, 0])]
    for k, apart in pairs:
        before = k - apart - 1
        band[0, k] += 1.0
        band[0, before] += 1.0
        band[apart + 1, before] -= 1.0
        right[k] += steps[k, apart]
        right[before] -= steps[k, apart]
    place = np.asarray(solveh_banded(band, right, lower=True), np.float64)
    place -= place[0]
    misfit = np.array([place[k] - place[k - apart - 1] - steps[k, apart] for k, apart in pairs])
    free = len(pairs) - (slices - 1)
    spread = np.sqrt((misfit**2).sum(axis=0) / free) if free > 0 else np.full(2, np.nan)
    # Over a step, ways of 1, 2, … slices tell 1, 4, … times as much; errors of the steps add up.
    told = np.mean([(apart + 1) ** 2 for _, apart in pairs]) * len(pairs) / (slices - 1)
    error = spread * np.sqrt(np.arange(slices)[:, None] / told)
    return place, error
