"""The width at each place along the edge, and by the direction in which it faces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from .edge_facets import Facets
from .edge_fit import FWHM, Floats
from .edge_profile import Profile, steps_of_grey
from .edge_width import Width

_FEWEST = 3


def by_place(profiles: list[Profile], facets: Facets, image: xr.DataArray) -> pd.DataFrame:
    """Return a row for each facet, used or not."""
    columns: dict[str, Any] = {}
    off = np.array([profile.fit.surface[0] for profile in profiles])
    for i, dim in enumerate(image.dims):
        columns[f"{dim}_um"] = facets.centres[:, i] + off * facets.normals[:, i]
        columns[f"normal_{dim}"] = facets.normals[:, i]
    columns["fwhm_um"] = [FWHM * profile.fit.width_um for profile in profiles]
    columns["contrast"] = steps_of_grey(profiles)
    columns["noise"] = [profile.fit.rms for profile in profiles]
    columns["used"] = [not profile.why for profile in profiles]
    columns["why"] = [profile.why for profile in profiles]
    return pd.DataFrame(columns)


def by_direction(
    fitted: list[Profile], centres: Floats, normals: Floats, measure: Callable[[list[Profile]], Width]
) -> pd.DataFrame:
    """Return the width of the facets that face along each axis, or from the middle, or around it."""
    rows = []
    for name, chosen in _directions(centres, normals).items():
        some = [fitted[i] for i in np.flatnonzero(chosen)]
        width = measure(some) if len(some) >= _FEWEST else Width(np.nan, np.nan, np.nan)
        rows.append({"direction": name, "facets": len(some), **width._asdict()})
    return pd.DataFrame(rows)


def _directions(centres: Floats, normals: Floats) -> dict[str, Any]:
    """Say which facets face along each axis, and, in the plane, from the middle of all or around it."""
    names = ("z", "y", "x")[-normals.shape[1] :]
    axis = np.abs(normals).argmax(axis=1)
    groups: dict[str, Any] = {name: axis == i for i, name in enumerate(names)}
    away = centres[:, -2:] - (centres[:, -2:].min(axis=0) + centres[:, -2:].max(axis=0)) / 2
    outwards = np.abs((away * normals[:, -2:]).sum(axis=1))
    in_plane = ~groups["z"] if "z" in groups else np.ones(len(centres), bool)
    flat = np.linalg.norm(away, axis=1) * np.linalg.norm(normals[:, -2:], axis=1)
    groups["radial"] = in_plane & (outwards >= np.sqrt(0.5) * flat)
    groups["tangential"] = in_plane & (outwards < np.sqrt(0.5) * flat)
    return groups
