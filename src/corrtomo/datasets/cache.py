"""Digital twins too large for the folder data: made once, kept in the cache of the user."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pooch
import xarray as xr

from ..io import write


def folder(name: str, size: str, seed: int, *, parameters: object, code: Sequence[Path]) -> Path:
    """Return where a twin is kept; other parameters, or other code than made it, are another folder."""
    root = Path(os.environ.get("CORRTOMO_CACHE") or pooch.os_cache("corrtomo"))
    made_by = hashlib.sha256(repr(parameters).encode())
    simulate = Path(__file__).parents[1] / "simulate"
    for source in [*sorted(simulate.rglob("*.py")), *code]:
        made_by.update(source.read_bytes())
    return root / f"{name}-{size}-seed{seed}-{made_by.hexdigest()[:12]}"


def make(place: Path, makers: Mapping[str, Callable[[], xr.DataArray]]) -> Path:
    """Write the images that a folder of the cache lacks; each appears whole or not at all."""
    place.mkdir(parents=True, exist_ok=True)
    for key, maker in makers.items():
        path = place / f"{key}.ome.zarr"
        if not path.exists():
            try:
                write(maker(), path)
            except FileExistsError:
                if not path.is_dir():  # else another process was faster, with the same image
                    raise
    return place
