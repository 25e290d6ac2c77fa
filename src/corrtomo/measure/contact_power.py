"""How large a volume must be for a drop of contact to be seen."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from .contact_blocks import read_blocks
from .spectra import check_level
from .variogram import effective_sample_size

_DOING = "find the volume that shows a drop"
_SPREAD = (0.05, 5.0)
_ROWS = 41


class ContactPower(NamedTuple):
    """The volume that shows a drop (µm³; in 2D the area, µm²), and the power of others as a table."""

    needed: float
    table: pd.DataFrame


def contact_power(
    blocks: pd.DataFrame,
    drop_percent: float = 10.0,
    *,
    power: float = 0.8,
    level: float = 0.95,
    volumes_um3: Sequence[float] | None = None,
) -> ContactPower:
    """Find how large a volume must be so that a drop of contact is told from chance.

    The cycling paper holds its 5100 µm³ for sufficient because the volume fractions come out right
    (section 2.2); whether they suffice for a drop of contact is another question.

    Parameters
    ----------
    blocks : pandas.DataFrame
        From :func:`contact_blocks`, of a sample before.
    drop_percent : float
        The drop to be seen, in percent of the share of these blocks; above 0, at most 100.
    power : float
        How often it should be seen, between 1 - `level` and 1.
    level : float
        Confidence of the interval of the drop, which must then lie off zero.
    volumes_um3 : sequence of float, optional
        Rows of the table, in µm³ (of blocks of a section, areas in µm²); by default from a twentieth to five
        times of what is needed.

    Returns
    -------
    ContactPower
        ``needed``, in µm³ (µm² in 2D) for each of the two samples, and a table with a row for each volume:
        ``volume_um3`` (``area_um2``), ``standard_error`` of the share, and ``power``.

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
    standard error falls with the root of the volume only above some correlation lengths. V is known only as
    well as s: of m effective blocks s within about 1 / √(2 m), and V within twice that. One place of each
    sample is compared; places that differ need more places, not more volume.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import corrtomo as ct
    >>> contact = 0.5 + 0.1 * np.random.default_rng(0).normal(size=400)
    >>> table = pd.DataFrame({"x_um": np.arange(400.0), "contact_um": contact})
    >>> found = ct.measure.contact_power(table.assign(outline_um=1.0, area_um2=1.0), 10.0)
    >>> 45 < found.needed < 80
    True
    """
    check_level(level, doing=_DOING)
    _check_options(drop_percent, power, level)
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
    volumes = _volumes(volumes_um3, needed)
    error = np.sqrt(one / volumes)
    seen = drop / (np.sqrt(2) * error)
    found = stats.norm.cdf(seen - outside) + stats.norm.cdf(-seen - outside)
    return ContactPower(needed, pd.DataFrame({name: volumes, "standard_error": error, "power": found}))


def _volumes(volumes_um3: Any, needed: float) -> Any:
    if volumes_um3 is None:
        return np.geomspace(_SPREAD[0] * needed, _SPREAD[1] * needed, _ROWS)
    if isinstance(volumes_um3, str) or np.ndim(volumes_um3) != 1 or len(volumes_um3) == 0:
        raise TypeError(
            f"Cannot {_DOING} with volumes_um3 {volumes_um3!r}: a sequence of volumes in µm³ is needed. Pass "
            "for instance [1000.0, 5000.0]."
        )
    volumes = np.asarray(volumes_um3, float)
    if not ((volumes > 0) & np.isfinite(volumes)).all():
        raise ValueError(
            f"Cannot {_DOING} with volumes_um3 {volumes.tolist()}: they must be finite and above zero. Pass "
            "for instance [1000.0, 5000.0]."
        )
    return volumes


def _check_options(drop_percent: Any, power: Any, level: float) -> None:
    for name, value in (("drop_percent", drop_percent), ("power", power)):
        if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
            raise TypeError(
                f"Cannot {_DOING} with {name}={value!r}: a number is needed. Pass for instance "
                "drop_percent=10, power=0.8."
            )
    if not 0 < float(drop_percent) <= 100:
        raise ValueError(
            f"Cannot {_DOING} of {drop_percent!r} %: above 0 and at most 100 is needed. Pass for instance 10."
        )
    if not 1 - level < float(power) < 1:
        raise ValueError(
            f"Cannot {_DOING} with power {power!r}: a share between {1 - level:.3g}, which chance alone "
            "gives, and 1 is needed. Pass for instance 0.8."
        )
