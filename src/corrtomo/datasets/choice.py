"""What is asked for by size and seed."""

from __future__ import annotations

from collections.abc import Collection
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np


def check_name(name: Any, like: str) -> None:
    """Refuse a name that is no text and no path; `like` is an example of one."""
    if not isinstance(name, str | Path):
        raise TypeError(
            f"Cannot load {name!r}: a name or a path is needed, and this is a {type(name).__name__}. Pass "
            f"for instance {like}."
        )


def is_there(name: str | Path) -> bool:
    """Tell whether there is a file or a folder of that name; one that is too long is of none."""
    try:
        return Path(name).exists()
    except OSError:
        return False


def is_one_of(value: Any, allowed: Collection[int]) -> bool:
    """Tell whether a number is one of some; True and False are none."""
    number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    return number and value in allowed


def check_choice(name: str | Path, size: Any, seed: Any, *, sizes: tuple[str, ...], crop: str) -> None:
    """Refuse a size that is not one of `sizes`, and a seed that is no whole number from 0.

    `crop` is what cuts a part out of what is loaded, for the message.
    """
    if not isinstance(size, str) or size not in sizes:
        raise ValueError(
            f"Cannot load {name!r} at size {size!r}: allowed are {', '.join(sizes)}. "
            f"Crop a twin with {crop}.isel(x=slice(...))."
        )
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(
            f"Cannot load {name!r} with seed {seed!r}: a whole number from 0 is needed. "
            "Leave it out for the twin that lies in the folder data."
        )
