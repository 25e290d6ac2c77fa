"""What is asked for by size and seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def check_choice(name: str | Path, size: Any, seed: Any, *, sizes: tuple[str, ...], crop: str) -> None:
    """Refuse a size that is not one of `sizes`, and a seed that is no whole number from 0.

    `crop` is what cuts a part out of what is loaded, for the message.
    """
    if size not in sizes:
        raise ValueError(
            f"Cannot load {name!r} at size {size!r}: allowed are {', '.join(sizes)}. "
            f"Crop a twin with {crop}.isel(x=slice(...))."
        )
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(
            f"Cannot load {name!r} with seed {seed!r}: a whole number from 0 is needed. "
            "Leave it out for the twin that lies in the folder data."
        )
