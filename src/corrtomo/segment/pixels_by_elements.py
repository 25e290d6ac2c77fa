"""Which active material a pixel is, where particles of two materials touch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage
from scipy.special import expit, logit

from ..phases import Phase, check_mask
from .by_elements import finished, learned
from .element_checks import DOING, check_options, names_of, two_maps
from .grooves import check_number
from .mixture import Mixture

_TILE_COUNTS = 40.0
"""Counts of a tile from which the shares of the materials are learned."""
_ROUNDS = 200
_STILL = 1e-3
_SURE = 1e-4


def pixels_by_elements(
    maps: xr.DataArray,
    mask: xr.DataArray,
    *,
    of: str = "Ni",
    to: str = "Co",
    names: Sequence[str] | None = None,
    shares: Sequence[float] | None = None,
    phases: xr.DataArray | None = None,
    coupling: float = 1.5,
    sure: float = 0.95,
) -> xr.DataArray:
    """Name each pixel of the active material by the share of one element in two, its neighbours considered.

    Where a particle of LCO touches one of NCA, and where particles are not known, :func:`by_elements` cannot
    tell them apart; SIMS maps have a few counts a pixel, too few for a pixel alone.

    Parameters
    ----------
    maps : xarray.DataArray
        Whole counts, dims channel, [z,] y, x, the channels named.
    mask : xarray.DataArray
        Booleans on the same grid: the active material.
    of, to, names, shares, phases
        As for :func:`by_elements`; shares are learned from square tiles of pixels.
    coupling : float
        From 0: how much more likely, as a logarithm of odds, a pixel is of a material for each neighbour that
        surely is than for each that surely is not. 0 judges each pixel alone.
    sure : float
        Between 0.5 and 1: what is less probable stays left out.

    Returns
    -------
    xarray.DataArray
        ``uint8``: pore 0, carbon binder domain 1, then the two names 2 and 3, named in ``attrs["classes"]``;
        255 for what is undecided or left out. ``attrs["shares"]`` holds the shares of the materials.

    Raises
    ------
    TypeError, ValueError
        As :func:`by_elements`; also if the mask is not boolean or empty, or the coupling is out of range.

    Notes
    -----
    Bayes' rule with a binomial count a pixel, and the Ising model as prior for neighbours over faces, in the
    mean-field approximation: its probabilities are more sure of themselves than they should be next to a
    border of two materials. On two halves of a disc, with shares of 0.005 and 0.78 and a count and a half a
    pixel, 33 % of the pixels were named right alone and 98 % together, 0.03 % wrong. Borders are rounded, and
    what is smaller than a few pixels goes. Pixels that are not in the mask bind no neighbour. The spread of
    the beam is not undone: X-rays of a border are of both.

    It misleads where the share drifts over the image, as by a detector that looks from one side, sample
    charging or a tilted section: of one material whose share rose from 0.2 to 0.8 across the map it made two,
    of shares 0.35 and 0.65, and 4 % undecided. Two halves of one image are no two materials: look whether the
    border follows particles, or pass `shares` from elsewhere.

    References
    ----------
    Besag, J. R. Stat. Soc. B 48, 259 (1986), doi:10.1111/j.2517-6161.1986.tb01412.x.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> counts = np.array([[[0, 0, 0, 9, 8, 9]], [[9, 8, 0, 1, 2, 1]]])
    >>> maps = ct.volume(counts, 0.1, dims=("channel", "y", "x")).assign_coords(channel=["Ni", "Co"])
    >>> mask = ct.volume(np.full((1, 6), True), 0.1)
    >>> found = ct.segment.pixels_by_elements(maps, mask, shares=(0.02, 0.85), sure=0.9)
    >>> found.values.tolist()
    [[2, 2, 255, 3, 3, 3]]
    """
    check_mask(mask, doing=DOING)
    if not 0 <= check_number(coupling, "coupling", doing=DOING) <= 10:
        raise ValueError(
            f"Cannot {DOING} with coupling {coupling!r}: from 0 to 10 is needed. Pass for instance 1.5."
        )
    some, rest = two_maps(maps, mask, of, to)
    names = names_of(names, of, to)
    check_options(names, sure, 0.95)
    inside = np.asarray(mask.data)
    if not inside.any():
        raise ValueError(
            f"Cannot {DOING}: the mask is empty. One pixel or more is needed. Check the threshold."
        )
    above, below = _tiles(some, rest, inside)
    found = learned(above, below, shares, len(above), "tiles of pixels")
    second = _mean_field(_evidence(some, rest, found), inside, float(coupling))
    codes = np.full(mask.shape, int(Phase.LEFT_OUT), np.uint8)
    codes[inside & (second <= 1 - sure)] = 2
    codes[inside & (second >= sure)] = 3
    labels = finished(codes, inside, mask, phases, names)
    labels.attrs["shares"] = found.shares
    return labels


def _tiles(some: Any, rest: Any, inside: npt.NDArray[np.bool_]) -> tuple[Any, Any]:
    """Return counts of both elements in square tiles, large enough to tell of a share."""
    mean = max(float((some + rest)[inside].mean()), 1e-6)
    edge = int(np.ceil((_TILE_COUNTS / mean) ** (1 / inside.ndim)))
    edge = max(1, min(edge, min(n for n in inside.shape if n > 1 or max(inside.shape) == 1) // 2))
    shape = [-(-n // edge) for n in inside.shape]
    places = np.ravel_multi_index([at // edge for at in np.nonzero(inside)], shape)
    both = [np.bincount(places, values[inside], int(np.prod(shape))) for values in (some, rest)]
    held = np.bincount(places, minlength=int(np.prod(shape))) > 0
    return both[0][held], both[1][held]


def _evidence(some: Any, rest: Any, found: Mixture) -> npt.NDArray[np.float64]:
    """Return the logarithm of the odds of the second material for each pixel by itself."""
    low, high = np.clip(found.shares, _SURE, 1 - _SURE)
    odds = some * np.log(high / low) + rest * np.log((1 - high) / (1 - low))
    return np.asarray(odds + logit(np.clip(found.weight, _SURE, 1 - _SURE)), np.float64)


def _mean_field(
    odds: npt.NDArray[np.float64], inside: npt.NDArray[np.bool_], coupling: float
) -> npt.NDArray[np.float64]:
    """Return the probability of the second material for each pixel and its neighbours together."""
    cross = ndimage.generate_binary_structure(odds.ndim, 1).astype(float)
    cross[(1,) * odds.ndim] = 0.0
    second = expit(odds)
    for _ in range(_ROUNDS if coupling > 0 else 0):
        lean = np.where(inside, 2 * second - 1, 0.0)
        pulled = ndimage.convolve(lean, cross, mode="constant")
        # Half of the old one is kept, or two neighbours may swap for ever.
        new = (second + expit(odds + coupling * pulled)) / 2
        moved, second = float(np.abs(new - second)[inside].max()), new
        if moved < _STILL:
            break
    return np.asarray(second)
