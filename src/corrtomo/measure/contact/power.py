"""How large a volume must be for a drop of contact to be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from ..options import check_between, is_flat
from ..spectra import check_level
from .blocks import read_blocks
from .variogram import effective_sample_size

_DOING = "find the volume that shows a drop"
_SPREAD = (0.05, 5.0)
_ROWS = 41
_LEAST_PERCENT = 1e-6
_ALIKE = 4.0
"""Effective values for one degree of freedom: how far values are alike is estimated from them too."""


class ContactPower(NamedTuple):
    """The volume that shows a drop (µm³; in 2D the area, µm²), its range, and a table of others."""

    needed: float
    needed_range: tuple[float, float]
    table: pd.DataFrame


def contact_power(
    blocks: pd.DataFrame,
    drop_percent: float = 10.0,
    *,
    power: float = 0.8,
    level: float = 0.95,
    extents: Sequence[float] | None = None,
) -> ContactPower:
    """Find how large a volume must be so that a drop of contact is told from chance.

    The cycling paper holds its 5100 µm³ for sufficient because the volume fractions come out right
    (section 2.2); whether they suffice for a drop of contact is another question.

    Parameters
    ----------
    blocks : pandas.DataFrame
        From :func:`contact_blocks`, of a sample before.
    drop_percent : float
        The drop to be seen, in percent of the share of these blocks; from a millionth to 100.
    power : float
        How often it should be seen, between 1 - `level` and 1.
    level : float
        Confidence of the interval of the drop, which must then lie off zero, and of `needed_range`.
    extents : sequence of float, optional
        Rows of the table: volumes in µm³, or areas in µm² for blocks of a section; by default from a
        twentieth to five times of what is needed.

    Returns
    -------
    ContactPower
        ``needed``, in µm³ (µm² in 2D) for each of the two samples, its ``needed_range``, low and high at
        `level`, and a ``table`` with a row for each volume: ``volume_um3`` (``area_um2``), ``standard_error``
        of the share, and ``power``.

    Raises
    ------
    TypeError
        If this is no table of blocks, or an option is no number.
    ValueError
        If an option is out of range, or :func:`effective_sample_size` refuses.

    Notes
    -----
    Two samples of volume V each, with the same scatter: V = 2 (u + w)² s² V₀ / d², where d is the drop, u
    and w are the normal quantiles of (1 + level) / 2 and of the power, and s is the standard error in the
    measured volume V₀, neighbouring blocks correlated as they are, from :func:`effective_sample_size`. The
    standard error falls with the root of the volume only above some correlation lengths. One place of each
    sample is compared; places that differ need more places, not more volume.

    V is known only as well as s². Of m independent blocks s² is as χ² of m - 1 degrees of freedom; of m
    effective blocks, where how far they are alike is estimated too, it scatters about twice as much, and
    `needed_range` is that of χ² of m / 4: at 95 % it held the truth in 91 to 99 % of simulated spherical
    fields and series, but in 41 to 93 % of exponential fields in 3D, where the model itself is hard to
    tell. It is wide, and rightly so: 60 blocks tell the volume within a factor of two or three.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import corrtomo as ct
    >>> contact = 0.5 + 0.1 * np.random.default_rng(0).normal(size=400)
    >>> table = pd.DataFrame({"x_um": np.arange(400.0), "contact_um": contact})
    >>> found = ct.measure.contact_power(table.assign(outline_um=1.0, area_um2=1.0), 10.0)
    >>> 45 < found.needed < 80, found.needed_range[0] < found.needed < found.needed_range[1]
    (True, True)
    """
    check_level(level, doing=_DOING)
    if check_between(drop_percent, "drop_percent", 0, 100, doing=_DOING) == 0:
        raise ValueError(f"Cannot {_DOING} of 0 %: above 0 is needed. Pass for instance drop_percent=10.")
    if drop_percent < _LEAST_PERCENT:
        raise ValueError(
            f"Cannot {_DOING} of {drop_percent!r} %: {_LEAST_PERCENT:g} % or more is needed. Pass for "
            "instance drop_percent=10."
        )
    if not 1 - level < check_between(power, "power", 0, 1, doing=_DOING) < 1:
        raise ValueError(
            f"Cannot {_DOING} with power {power!r}: a share between {1 - level:.3g}, which chance alone "
            "gives, and 1 is needed. Pass for instance power=0.8."
        )
    extent = read_blocks(blocks, doing=_DOING).extent.sum()
    measured = effective_sample_size(blocks)
    name = "volume_um3" if "volume_um3" in blocks else "area_um2"
    drop = measured.mean * float(drop_percent) / 100
    if drop == 0:
        raise ValueError(
            f"Cannot {_DOING}: there is no contact in these blocks, so none can be lost. Check touching= of "
            "ct.measure.contact_blocks()."
        )
    one = measured.standard_error**2 * float(extent)
    outside = float(stats.norm.ppf((1 + level) / 2))
    needed = 2 * (outside + float(stats.norm.ppf(power))) ** 2 * one / drop**2
    rows = _extents(extents, needed)
    error = np.sqrt(one / rows)
    seen = drop / (np.sqrt(2) * error)
    found = stats.norm.cdf(seen - outside) + stats.norm.cdf(-seen - outside)
    table = pd.DataFrame({name: rows, "standard_error": error, "power": found})
    return ContactPower(needed, _range(needed, measured.effective, level), table)


def _range(needed: float, effective: float, level: float) -> tuple[float, float]:
    """Return low and high, as of a variance whose degrees of freedom are known no better."""
    free = effective / _ALIKE
    high, low = free / stats.chi2.ppf([(1 - level) / 2, (1 + level) / 2], free)
    return float(needed * low), float(needed * high)


def _extents(extents: Any, needed: float) -> Any:
    if extents is None:
        return np.geomspace(_SPREAD[0] * needed, _SPREAD[1] * needed, _ROWS)
    if not is_flat(extents) or np.asarray(extents).dtype.kind not in "iuf":
        raise TypeError(
            f"Cannot {_DOING} with extents {extents!r}: a sequence of volumes in µm³, or areas in µm², is "
            "needed. Pass for instance [1000.0, 5000.0]."
        )
    rows = np.asarray(extents, float)
    if not ((rows > 0) & np.isfinite(rows)).all():
        raise ValueError(
            f"Cannot {_DOING} with extents {rows.tolist()}: they must be finite and above zero. Pass for "
            "instance [1000.0, 5000.0]."
        )
    return rows
