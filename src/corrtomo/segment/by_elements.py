"""Which active material a particle is, by its elements."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy.special import betaincinv

from ..checks import check_same_grid
from ..phases import Phase, check_codes
from .element_checks import (
    CLASSES,
    DOING,
    UNDECIDED,
    check_options,
    check_shares,
    names_of,
    owners_of,
    two_maps,
)
from .mixture import Mixture, learn, needs_two

_FEWEST = 4
_NO_LAW, _TOLD = 1 / 3, 10
"""Spread from which on most shares are nearly 0 or 1, and counts of a particle that tell of it."""


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
    names: Sequence[str] | None = None,
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
    names : sequence of str, optional
        What the particles of low share are called, and those of high share; by default LCO and NCA, which
        differ so in the share of nickel over cobalt: of other elements names are needed.
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
        one material explains them all (pass `shares` then), elements other than nickel to cobalt have no
        names, or an option is out of range.

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
    Leave out a margin as wide as the beam spreads where particles are small. Where given `shares` are so far
    from all particles that these would have to vary by nearly everything, a warning says so.

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
    some, rest = two_maps(maps, particles, of, to)
    names = names_of(names, of, to)
    check_options(names, sure, level)
    if {of, to} & {"pixels", "share", "low", "high", "likelier", "probability", "class"}:
        raise ValueError(
            f"Cannot {DOING} by {of!r} and {to!r}: the table has a column of that name. Name the channels "
            "by element, with maps.assign_coords(channel=['Ni', 'Co'])."
        )
    owner = owners_of(particles)
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
        known = check_shares(shares)
        found = learn(some, rest, known) if seen.any() else _known(known)
        if found.spread > _NO_LAW and np.count_nonzero(some + rest >= _TOLD) >= _FEWEST:
            warnings.warn(
                f"With shares {known} what {what} have would vary within a material by {found.spread:.2g} of "
                "all there is: no particle is like either. Shares belong to one instrument and its channels; "
                "leave shares= out to learn them.",
                stacklevel=3,
            )
        return found
    advice = "Pass their typical shares as shares=, for instance from a place where both are."
    if len(some) < _FEWEST:
        raise ValueError(
            f"Cannot {DOING}: {len(some)} of {particles} {what} have counts, and {_FEWEST} or more are "
            f"needed to learn what either material is like. {advice}"
        )
    found = learn(some, rest)
    if not needs_two(found, some, rest):
        raise ValueError(
            f"Cannot {DOING}: one material explains all {len(some)} {what} as well as two of shares "
            f"{found.shares[0]:.3g} and {found.shares[1]:.3g}. Two are needed. {advice}"
        )
    return found


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
        check_same_grid(phases, onto, doing=DOING)
        known = np.asarray(phases.data)
        kept = ~inside & np.isin(known, list(CLASSES.values()))
        codes = np.where(kept, known, codes).astype(np.uint8)
    classes = CLASSES | {str(name): 2 + number for number, name in enumerate(names)}
    return xr.DataArray(
        codes, dims=onto.dims, coords=onto.coords, name="materials", attrs={"phases": {}, "classes": classes}
    )


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
