"""Images that follow each other in time or angle: the axis between them has no length."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from ..volume import SPATIAL
from .files import find
from .found import Asked, to_image


def read_frames(path: Path, pixel_um: float | None = None) -> xr.DataArray:
    """Read radiographs, which files hold as a stack along z; the step along z means nothing.

    Programs state 1 µm between images where they know of none. `pixel_um` is therefore held against the
    pixels that the file states, and not against the step between images, which need not be stated either.
    """
    found = find(path, None, 0)
    if found.record is None:
        found.voxel_um["z"] = 1.0
        found.origin_um.pop("z", None)
        dims, step = found.dims, 1.0
    else:
        dims = tuple(found.record["dims"])
        step = dict(zip((d for d in dims if d in SPATIAL), found.record["voxel_size_um"], strict=True)).get(
            "z", 1.0
        )
    if pixel_um is None:
        return to_image(found, Asked(), path)
    return to_image(found, Asked([step if d == "z" else pixel_um for d in dims if d in SPATIAL]), path)
