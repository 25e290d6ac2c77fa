"""What telling materials apart by their elements refuses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from ..checks import check_same_grid
from ..phases import check_integer
from ..volume import CHANNEL, check_image

DOING = "tell materials apart"
CLASSES = {"pore": 0, "carbon binder domain": 1}
"""Codes below those of the two materials."""
UNDECIDED = "undecided"
_NAMES = ("LCO", "NCA")
_ELEMENT = re.compile(r"\d{0,3}([A-Z][a-z]?)(?![A-Za-z])")


def names_of(names: Sequence[str] | None, of: Any, to: Any) -> Sequence[str]:
    """Return the names of the materials; refuse to guess them for other elements than nickel to cobalt."""
    if names is not None:
        return names
    known = [_ELEMENT.match(name) if isinstance(name, str) else None for name in (of, to)]
    if any(found is not None and found[1] != usual for found, usual in zip(known, ("Ni", "Co"), strict=True)):
        raise ValueError(
            f"Cannot {DOING} by {of!r} and {to!r} without names: only of nickel to cobalt LCO has the low "
            "share and NCA the high one. Name what has a low share of the first, and what a high one, for "
            "instance names=('NCA', 'LCO')."
        )
    return _NAMES


def check_options(names: Any, sure: Any, level: Any) -> None:
    """Refuse names that are not two different ones, and shares out of range."""
    both = list(names) if isinstance(names, Sequence) and not isinstance(names, str) else []
    if len(both) != 2 or both[0] == both[1] or not all(isinstance(n, str) and n for n in both):
        raise ValueError(
            f"Cannot {DOING} called {names!r}: two different names are needed, of low share first. Pass for "
            "instance ('LCO', 'NCA')."
        )
    taken = [name for name in both if name in (*CLASSES, UNDECIDED)]
    if taken:
        raise ValueError(
            f"Cannot {DOING} called {taken[0]!r}: that is what something else is called. Pass another name."
        )
    for what, value, low in (("sure", sure, 0.5), ("level", level, 0.0)):
        number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
        if not number or not low < float(value) < 1:
            raise ValueError(
                f"Cannot {DOING} with {what} {value!r}: a number between {low:g} and 1 is needed. Pass for "
                "instance 0.95."
            )


def two_maps(
    maps: xr.DataArray, onto: xr.DataArray, of: Any, to: Any
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Refuse maps that are not whole counts of both elements on the grid of `onto`; return the two."""
    check_image(maps)
    if CHANNEL not in maps.dims or CHANNEL not in maps.coords:
        raise ValueError(
            f"Cannot {DOING}: the maps have dims {maps.dims}, and elements are named along channel. Stack "
            "them first, with maps.assign_coords(channel=['Ni', 'Co'])."
        )
    elements = [str(name) for name in maps[CHANNEL].values]
    if of == to or elements.count(of) != 1 or elements.count(to) != 1:
        raise ValueError(
            f"Cannot {DOING} by {of!r} and {to!r}: two different ones of the channels {', '.join(elements)} "
            "are needed. Pass them as of= and to=."
        )
    if not np.issubdtype(maps.dtype, np.integer):
        raise TypeError(
            f"Cannot {DOING}: the maps have dtype {maps.dtype}, and whole counts are needed as integers. "
            "Export them as counts, and bring them onto a grid with method='nearest'."
        )
    chosen = [maps.isel(channel=elements.index(name), drop=True) for name in (of, to)]
    check_same_grid(chosen[0], onto, doing=DOING)
    values = [np.asarray(one.data) for one in chosen]
    least = min(int(one.min()) for one in values)
    if least < 0:
        raise ValueError(
            f"Cannot {DOING}: a count is {least}. Counts are whole numbers from 0. Take maps before a "
            "background was subtracted."
        )
    return values[0], values[1]


def owners_of(particles: xr.DataArray) -> npt.NDArray[Any]:
    """Refuse what are no numbers of particles; return them."""
    check_integer(particles, doing=DOING)
    owner = np.asarray(particles.data)
    if particles.dtype == bool or int(owner.min()) < 0 or not owner.any():
        raise ValueError(
            f"Cannot {DOING} in particles of dtype {particles.dtype}, from {int(owner.min())} to "
            f"{int(owner.max())}: numbers from 1 are needed, and 0 is none. Number them with "
            "ct.measure.label_particles(mask), or take ct.segment.pixels_by_elements(maps, mask)."
        )
    return owner


def check_shares(shares: Any) -> tuple[float, float]:
    """Refuse what are no two shares, the lower one first; return them."""
    flat = isinstance(shares, Sequence | np.ndarray) and len(shares) == 2
    if not flat or not all(isinstance(s, Real) and not isinstance(s, bool | np.bool_) for s in shares):
        raise TypeError(
            f"Cannot {DOING} with shares {shares!r}: two numbers are needed. Pass for instance (0.02, 0.8)."
        )
    low, high = float(shares[0]), float(shares[1])
    if not 0 <= low < high <= 1:
        raise ValueError(
            f"Cannot {DOING} with shares {shares!r}: two from 0 to 1 are needed, the lower one first. Pass "
            "for instance (0.02, 0.8)."
        )
    return low, high
