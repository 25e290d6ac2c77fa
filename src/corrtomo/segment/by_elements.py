"""Which active material a particle is, by its elements."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy.special import betaincinv

from ..checks import check_same_grid
from ..phases import Phase, check_codes, check_integer
from ..volume import CHANNEL, check_image
from .mixture import Mixture, learn, needs_two

CLASSES = {"pore": 0, "carbon binder domain": 1}
"""Codes below those of the two materials."""
UNDECIDED = "undecided"
_DOING = "tell materials apart"
_FEWEST = 4


class ByElements(NamedTuple):
    """Particles named by their elements.

    Attributes
    ----------
    labels : xarray.DataArray
        ``uint8`` codes on the grid of the particles, named in ``attrs["classes"]``; 255 is left out.
    table : pandas.DataFrame
        A row for each particle.
    shares : tuple of float
        Share of the first element that is typical of either material, in the order of the names.
    spread : float
        How much that varies within a material beyond counting: the variance of the share is
        spread · share · (1 − share).
    """

    labels: xr.DataArray
    table: pd.DataFrame
    shares: tuple[float, float]
    spread: float


def by_elements(
    maps: xr.DataArray,
    particles: xr.DataArray,
    *,
    of: str = "Ni",
    to: str = "Co",
    names: Sequence[str] = ("LCO", "NCA"),
    shares: Sequence[float] | None = None,
    phases: xr.DataArray | None = None,
    sure: float = 0.95,
    level: float = 0.95,
) -> ByElements:
    """Name each particle by the share of one element in two, all of its counts taken together.

    LCO and NCA are alike in nanoCT and in SE images; the nanoCT and SIMS paper tells them by nickel and
    cobalt ("Results and Discussion" and Fig. 3, doi:10.1017/S1431927622012405).

    Parameters
    ----------
    maps : xarray.DataArray
        Whole counts, dims channel, [z,] y, x, the channels named: from EDS, or from SIMS.
    particles : xarray.DataArray
        Numbers of the particles on the same grid, 0 outside, for instance from
        :func:`corrtomo.measure.separate_particles`.
    of, to : str
        Names of the two channels: the share is counts of the first over those of both.
    names : sequence of str
        What the particles of low share are called, and those of high share.
    shares : sequence of float, optional
        The typical share of either, where it is known, in the order of `names`; by default both are learned
        from the particles.
    phases : xarray.DataArray, optional
        Codes of :class:`corrtomo.Phase` on the same grid, from which pore and binder outside the particles
        are taken over; by default all outside is left out.
    sure : float
        Between 0.5 and 1: a particle whose more likely name has a lower probability stays undecided.
    level : float
        Confidence of the interval of a particle's share, between 0 and 1.

    Returns
    -------
    ByElements
        ``labels``, with the codes pore 0, carbon binder domain 1, then the two names 2 and 3, and 255 for
        what is undecided or left out; ``table``, a row for each particle with its ``pixels``, the counts of
        both elements under their names, ``share`` with the ends ``low`` and ``high`` of its interval,
        ``likelier``, the ``probability`` of that, and ``class``; ``shares`` and ``spread``.

    Raises
    ------
    TypeError
        If counts are not integers, or particles not numbers.
    ValueError
        If grids differ, a channel is not there, a count is negative, fewer than four particles have counts or
        one material explains them all (pass `shares` then), or an option is out of range.

    Notes
    -----
    Shares are learned as a mixture of two beta-binomial laws, by maximum likelihood: counts are binomial
    around the share of a particle, and that share varies within a material, for X-rays come from a
    neighbour too, and matrix and background differ. With no such variation it is the mixture of two
    binomials. The particle's probability is by Bayes, its prior how common either material is. Two materials
    must be needed: by Schwarz's criterion against one whose shares vary. The interval is Clopper and
    Pearson's; it knows of counting only.

    Elements are detected with different ease, so a share of counts is no composition, and shares learned on
    one instrument serve no other. A particle that is made of two gets one name: :func:`pixels_by_elements`.
    Leave out a margin as wide as the beam spreads where particles are small.

    References
    ----------
    Skellam, J. R. Stat. Soc. B 10, 257 (1948), doi:10.1111/j.2517-6161.1948.tb00014.x; Schwarz, Ann. Stat. 6,
    461 (1978), doi:10.1214/aos/1176344136.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> counts = np.array([[[1, 0, 1, 40, 38]], [[60, 50, 55, 10, 12]]])
    >>> maps = ct.volume(counts, 0.5, dims=("channel", "y", "x")).assign_coords(channel=["Ni", "Co"])
    >>> found = ct.segment.by_elements(maps, ct.volume([[1, 2, 3, 4, 5]], 0.5))
    >>> found.labels.values.tolist(), [round(share, 2) for share in found.shares]
    ([[2, 2, 2, 3, 3]], [0.01, 0.78])
    """
    check_options(names, sure, level)
    some, rest = two_maps(maps, particles, of, to)
    if {of, to} & {"pixels", "share", "low", "high", "likelier", "probability", "class"}:
        raise ValueError(
            f"Cannot {_DOING} by {of!r} and {to!r}: the table has a column of that name. Name the channels "
            "by element, with maps.assign_coords(channel=['Ni', 'Co'])."
        )
    owner = _owners(particles)
    numbers, at = np.unique(owner, return_inverse=True)
    at = at.reshape(owner.shape)
    pixels, above, below = (
        np.bincount(at.ravel(), None if w is None else w.ravel(), len(numbers)) for w in (None, some, rest)
    )
    inside = numbers > 0
    table = pd.DataFrame(
        {"pixels": pixels[inside], of: above[inside].astype(np.int64), to: below[inside].astype(np.int64)},
        index=pd.Index(numbers[inside].astype(np.int64), name="particle"),
    )
    found = learned(above[inside], below[inside], shares, table.shape[0])
    _judge(table, found, of, to, tuple(names), sure, level)
    code = np.full(len(numbers), int(Phase.LEFT_OUT), np.uint8)
    for number, name in enumerate(names):
        code[np.flatnonzero(inside)[table["class"].to_numpy() == name]] = 2 + number
    labels = finished(code[at], owner > 0, particles, phases, names)
    return ByElements(labels, table, found.shares, found.spread)


def learned(above: Any, below: Any, shares: Any, particles: int, what: str = "particles") -> Mixture:
    """Learn two materials from counts of both elements; refuse counts that do not tell of two."""
    seen = above + below > 0
    some, rest = above[seen].astype(float), below[seen].astype(float)
    if shares is not None:
        return learn(some, rest, _check_shares(shares)) if seen.any() else _known(_check_shares(shares))
    advice = "Pass their typical shares as shares=, for instance from a place where both are."
    if len(some) < _FEWEST:
        raise ValueError(
            f"Cannot {_DOING}: {len(some)} of {particles} {what} have counts, and {_FEWEST} or more are "
            f"needed to learn what either material is like. {advice}"
        )
    found = learn(some, rest)
    if not needs_two(found, some, rest):
        raise ValueError(
            f"Cannot {_DOING}: one material explains all {len(some)} {what} as well as two of shares "
            f"{found.shares[0]:.3g} and {found.shares[1]:.3g}. Two are needed. {advice}"
        )
    return found


def two_maps(
    maps: xr.DataArray, onto: xr.DataArray, of: Any, to: Any
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Refuse maps that are not whole counts of both elements on the grid of `onto`; return the two."""
    check_image(maps)
    if CHANNEL not in maps.dims or CHANNEL not in maps.coords:
        raise ValueError(
            f"Cannot {_DOING}: the maps have dims {maps.dims}, and elements are named along channel. Stack "
            "them first, with maps.assign_coords(channel=['Ni', 'Co'])."
        )
    elements = [str(name) for name in maps[CHANNEL].values]
    if of == to or elements.count(of) != 1 or elements.count(to) != 1:
        raise ValueError(
            f"Cannot {_DOING} by {of!r} and {to!r}: two different ones of the channels {', '.join(elements)} "
            "are needed. Pass them as of= and to=."
        )
    if not np.issubdtype(maps.dtype, np.integer):
        raise TypeError(
            f"Cannot {_DOING}: the maps have dtype {maps.dtype}, and whole counts are needed as integers. "
            "Export them as counts, and bring them onto a grid with method='nearest'."
        )
    chosen = [maps.isel(channel=elements.index(name), drop=True) for name in (of, to)]
    check_same_grid(chosen[0], onto, doing=_DOING)
    values = [np.asarray(one.data) for one in chosen]
    least = min(int(one.min()) for one in values)
    if least < 0:
        raise ValueError(
            f"Cannot {_DOING}: a count is {least}. Counts are whole numbers from 0. Take maps before a "
            "background was subtracted."
        )
    return values[0], values[1]


def finished(
    codes: npt.NDArray[np.uint8],
    inside: npt.NDArray[np.bool_],
    onto: xr.DataArray,
    phases: xr.DataArray | None,
    names: Sequence[str],
) -> xr.DataArray:
    """Return codes as labels whose classes are named, with pore and binder from outside."""
    if phases is not None:
        check_codes(phases)
        check_same_grid(phases, onto, doing=_DOING)
        known = np.asarray(phases.data)
        kept = ~inside & np.isin(known, list(CLASSES.values()))
        codes = np.where(kept, known, codes).astype(np.uint8)
    classes = CLASSES | {str(name): 2 + number for number, name in enumerate(names)}
    return xr.DataArray(
        codes, dims=onto.dims, coords=onto.coords, name="materials", attrs={"phases": {}, "classes": classes}
    )


def check_options(names: Any, sure: Any, level: Any) -> None:
    """Refuse names that are not two different ones, and shares out of range."""
    both = list(names) if isinstance(names, Sequence) and not isinstance(names, str) else []
    if len(both) != 2 or both[0] == both[1] or not all(isinstance(n, str) and n for n in both):
        raise ValueError(
            f"Cannot {_DOING} called {names!r}: two different names are needed, of low share first. Pass for "
            "instance ('LCO', 'NCA')."
        )
    taken = [name for name in both if name in (*CLASSES, UNDECIDED)]
    if taken:
        raise ValueError(
            f"Cannot {_DOING} called {taken[0]!r}: that is what something else is called. Pass another name."
        )
    for what, value, low in (("sure", sure, 0.5), ("level", level, 0.0)):
        number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
        if not number or not low < float(value) < 1:
            raise ValueError(
                f"Cannot {_DOING} with {what} {value!r}: a number between {low:g} and 1 is needed. Pass for "
                "instance 0.95."
            )


def _owners(particles: xr.DataArray) -> npt.NDArray[Any]:
    check_integer(particles, doing=_DOING)
    owner = np.asarray(particles.data)
    if particles.dtype == bool or int(owner.min()) < 0 or not owner.any():
        raise ValueError(
            f"Cannot {_DOING} in particles of dtype {particles.dtype}, from {int(owner.min())} to "
            f"{int(owner.max())}: numbers from 1 are needed, and 0 is none. Number them with "
            "ct.measure.label_particles(mask), or take ct.segment.pixels_by_elements(maps, mask)."
        )
    return owner


def _check_shares(shares: Any) -> tuple[float, float]:
    flat = isinstance(shares, Sequence | np.ndarray) and len(shares) == 2
    if not flat or not all(isinstance(s, Real) and not isinstance(s, bool | np.bool_) for s in shares):
        raise TypeError(
            f"Cannot {_DOING} with shares {shares!r}: two numbers are needed. Pass for instance (0.02, 0.8)."
        )
    low, high = float(shares[0]), float(shares[1])
    if not 0 <= low < high <= 1:
        raise ValueError(
            f"Cannot {_DOING} with shares {shares!r}: two from 0 to 1 are needed, the lower one first. Pass "
            "for instance (0.02, 0.8)."
        )
    return low, high


def _known(shares: tuple[float, float]) -> Mixture:
    return Mixture(shares, 0.5, 1e-8, 0.0)


def _judge(
    table: pd.DataFrame, found: Mixture, of: str, to: str, names: tuple[str, ...], sure: float, level: float
) -> None:
    """Add to the table what each particle is, and how sure that is."""
    above, below = table[of].to_numpy(float), table[to].to_numpy(float)
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore"):  # a particle without counts
        table["share"] = above / (above + below)
    table["low"] = np.where(above > 0, betaincinv(np.maximum(above, 1), below + 1, tail), 0.0)
    table["high"] = np.where(below > 0, betaincinv(above + 1, np.maximum(below, 1), 1 - tail), 1.0)
    second = found.second(above, below)
    likelier = np.where(second > 0.5, names[1], names[0])
    probability = np.maximum(second, 1 - second)
    table["likelier"], table["probability"] = likelier, probability
    table["class"] = np.where((probability >= sure) & (above + below > 0), likelier, UNDECIDED)
