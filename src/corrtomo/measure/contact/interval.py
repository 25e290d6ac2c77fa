"""How sure contact is, and whether it fell: confidence intervals from blocks."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from ..bootstrap import Interval
from ..options import check_whole
from ..spectra import check_level
from .blocks import check_apart, corners_of, read_blocks

Floats = npt.NDArray[np.float64]
_FEWEST_BLOCKS = 8
_MOST_RESAMPLES = 1_000_000
_DRAWN = 1 << 23
"""Blocks that are drawn at a time: what is held while resampling."""


class ContactDrop(NamedTuple):
    """By how much contact fell: in percent of what it was, and as a difference, each with its interval."""

    percent: float
    percent_interval: Interval
    difference: float
    difference_interval: Interval


class _Draws(NamedTuple):
    """The share in contact, what it was in each draw, and of how many blocks or places it was drawn."""

    share: float
    draws: Floats
    units: int


def contact_interval(
    blocks: pd.DataFrame, *, level: float = 0.95, seed: int = 0, resamples: int = 2000
) -> Interval:
    """Find a confidence interval of the share in contact, by drawing blocks with replacement.

    The share is contact over surface, each summed over blocks: blocks with much surface say more. Drawing
    blocks anew shows how far it would move in another volume of the same size in the same sample.

    Parameters
    ----------
    blocks : pandas.DataFrame
        From :func:`contact_blocks`. With a column ``place``, places are drawn.
    level : float
        Confidence, between 0 and 1.
    seed : int
        The same seed gives the same interval.
    resamples : int
        How many times blocks are drawn; 100 to 1 000 000.

    Returns
    -------
    Interval
        Low and high end, between 0 and 1, level, and number of blocks, or of places where they were drawn.

    Raises
    ------
    TypeError
        If this is no table of blocks, or an option is no number.
    ValueError
        If there are fewer than 8 blocks with a face, or 2 places, two blocks are at one place, or an
        option is out of range.

    Notes
    -----
    The ends are the share and Student's t of so many blocks or places, times the standard deviation over
    draws, corrected by √(n / (n - 1)); percentiles of the draws would be too narrow for few. Where a sample
    has several places, whole places are drawn: blocks of one place share what is peculiar to it, and
    drawing blocks within them again would count their scatter twice. Three places have wide intervals, and
    rightly so. Too narrow where blocks are narrower than what they share: compare with the standard error
    of :func:`effective_sample_size`, or double the blocks and see whether the interval grows. It says
    nothing of other samples, nor of how well phases were told apart (:func:`contact_bias`).

    References
    ----------
    Davison and Hinkley, Bootstrap Methods and their Application (1997), section 3.8,
    doi:10.1017/CBO9780511802843. Künsch, Ann. Stat. 17, 1217 (1989), doi:10.1214/aos/1176347265.

    Examples
    --------
    >>> import pandas as pd
    >>> import corrtomo as ct
    >>> table = pd.DataFrame({"contact_um": [1.0, 2.0] * 8, "outline_um": 3.0, "area_um2": 1.0})
    >>> low, high, level, blocks = ct.measure.contact_interval(table)
    >>> round(low, 1), round(high, 1), blocks
    (0.4, 0.6, 16)
    """
    doing = "find an interval of contact"
    _check_options(level, seed, resamples, doing=doing)
    drawn = _draw(blocks, resamples, np.random.default_rng(seed), doing=doing)
    half = float(stats.t.ppf((1 + level) / 2, drawn.units - 1) * drawn.draws.std(ddof=1))
    return Interval(max(0.0, drawn.share - half), min(1.0, drawn.share + half), level, drawn.units)


def contact_drop(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    level: float = 0.95,
    seed: int = 0,
    resamples: int = 2000,
) -> ContactDrop:
    """Find how much contact fell from one sample to another, with its confidence interval.

    The cycling paper finds 11 % after 20 and 20 % after 50 cycles (section 3.1), without an interval: one
    that holds zero says that the drop may be nothing but another place.

    Parameters
    ----------
    before, after : pandas.DataFrame
        From :func:`contact_blocks`, with a column ``place`` where there are several; counted in one way.
    level, seed, resamples
        As in :func:`contact_interval`.

    Returns
    -------
    ContactDrop
        ``percent``, the drop over the share before, and ``difference``, before minus after, from -1 to 1;
        each with an :class:`Interval`. Negative where contact grew.

    Raises
    ------
    TypeError
        If these are no tables of blocks, or an option is no number.
    ValueError
        If one is 3D and the other 2D, there is no contact before, or :func:`contact_interval` would refuse.

    Notes
    -----
    As :func:`contact_interval`, both samples drawn apart, with Welch's number of degrees of freedom. What
    one place of each sample says of the samples is not known from blocks: two places of one sample may
    differ by as much. What changed besides cycling, for instance polishing or grey values, is in the drop
    too.

    References
    ----------
    Welch, Biometrika 34, 28 (1947), doi:10.1093/biomet/34.1-2.28.

    Examples
    --------
    >>> import pandas as pd
    >>> import corrtomo as ct
    >>> table = pd.DataFrame({"contact_um": [2.0, 2.2] * 8, "outline_um": 4.0, "area_um2": 1.0})
    >>> drop = ct.measure.contact_drop(table, table.assign(contact_um=table.contact_um / 2))
    >>> drop.percent, drop.percent_interval.low > 45
    (50.0, True)
    """
    doing = "compare contact before and after"
    _check_options(level, seed, resamples, doing=doing)
    rng = np.random.default_rng(seed)
    first, second = (_draw(table, resamples, rng, doing=doing) for table in (before, after))
    if ("volume_um3" in before) != ("volume_um3" in after):
        raise ValueError(
            f"Cannot {doing}: one table is of a volume, the other of a section, and they see different "
            "directions. Count both along the same axes, the volume slice by slice."
        )
    if first.share == 0 or (first.draws <= 0).any():
        raise ValueError(
            f"Cannot {doing}: the share before is {first.share:.3g}, and "
            f"{int((first.draws <= 0).sum())} of {resamples} draws have no contact, of which a drop in "
            "percent is not defined. Raise block_um, or use a larger volume."
        )
    units = first.units, second.units
    difference = _interval(
        first.share - second.share,
        first.draws - second.draws,
        (first.draws, second.draws),
        units,
        level,
    )
    percent = _interval(
        100 * (1 - second.share / first.share),
        100 * (1 - second.draws / first.draws),
        (100 * second.share / first.draws, 100 * second.draws / first.share),
        units,
        level,
    )
    return ContactDrop(*percent, *difference)


def _interval(
    value: float, draws: Floats, alone: tuple[Floats, Floats], units: tuple[int, int], level: float
) -> tuple[float, Interval]:
    """Return the interval of what two samples say together; `alone` are draws of one at a time."""
    parts = np.array([part.var(ddof=1) for part in alone])
    free = np.array(units) - 1
    spread = float(np.sum(parts**2 / free))
    degrees = float(parts.sum() ** 2 / spread) if spread > 0 else float(free.min())
    half = float(stats.t.ppf((1 + level) / 2, degrees) * draws.std(ddof=1))
    return float(value), Interval(float(value) - half, float(value) + half, level, min(units))


def _draw(blocks: pd.DataFrame, resamples: int, rng: np.random.Generator, *, doing: str) -> _Draws:
    """Draw blocks, or places where there are several, and return the share of each draw.

    Deviations are widened by √(n / (n - 1)), so that their variance is that of the estimate.
    """
    contact, every, _, places = read_blocks(blocks, doing=doing)
    corners = corners_of(blocks, doing=doing)
    if corners.shape[1]:
        check_apart(corners[every > 0], places[every > 0], doing=doing)
    several = "place" in blocks
    if several:
        contact, every = (np.bincount(places, part).astype(float) for part in (contact, every))
    contact, every = contact[every > 0], every[every > 0]
    units, fewest = len(every), 2 if several else _FEWEST_BLOCKS
    if units < fewest:
        raise ValueError(
            f"Cannot {doing} from {units} {'places' if several else 'blocks'} with a face: {fewest} or more "
            f"are needed. {'Image more places.' if several else 'Lower block_um, or use a larger volume.'}"
        )
    shares = np.full(units, 1 / units)
    batch = max(1, _DRAWN // units)
    found = []
    for start in range(0, resamples, batch):
        times = rng.multinomial(units, shares, size=min(batch, resamples - start)).astype(float)
        found.append((times @ contact) / (times @ every))
    share = float(contact.sum() / every.sum())
    widened = share + (np.concatenate(found) - share) * np.sqrt(units / (units - 1))
    return _Draws(share, widened, units)


def _check_options(level: Any, seed: Any, resamples: Any, *, doing: str) -> None:
    check_level(level, doing=doing)
    check_whole(seed, "seed", 0, doing=doing)
    check_whole(resamples, "resamples", 100, doing=doing, most=_MOST_RESAMPLES)
