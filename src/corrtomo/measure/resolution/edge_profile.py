"""The voxels around each facet, fitted one by one, and which of the facets can be used."""

from __future__ import annotations

from typing import Any, NamedTuple

import dask
import numpy as np
import numpy.typing as npt
import xarray as xr

from ...volume import origin, voxel_size
from .edge_facets import Facets
from .edge_fit import FWHM, EdgeFit, Floats, Patch, across_um, fit_edge, linearise, make_patch, outwards

_START_VOXELS = 2.5
_LEAST_CONTRAST = 0.6
"""Of the step between the two dominant grey levels: below, the facet is no sample against vacuum."""
_ROUGH, _ROUGH_SHARE = 2.0, 0.02
"""Residuals averaged over cells: variance over that of the noise, and amplitude over the step of grey."""
_CELLS_ALONG, _CELLS_ACROSS = 6, 4
_CURVED = 3.0
"""Radius of curvature over full width at half maximum, at least."""
_lazy: Any = dask  # its functions carry no types


class Profile(NamedTuple):
    """A facet's voxels and its own fit; `why` says why it is left out, and is empty if it is used."""

    patch: Patch
    fit: EdgeFit
    why: str


def pilot_fits(image: xr.DataArray, facets: Facets, facet_um: float, reach_um: float) -> list[Profile]:
    """Fit every facet with a profile of `reach_um` to both sides of where the surface was found."""
    start = float(np.log(_START_VOXELS * np.prod(voxel_size(image)) ** (1 / image.ndim)))
    profiles = []
    boxes = _boxes(image, facets, facet_um / 2, reach_um)
    for (places, grey), normal in zip(boxes, facets.normals, strict=True):
        near = (np.abs(places @ normal) <= reach_um) & (across_um(places, normal) <= facet_um / 2)
        patch = make_patch(places[near], grey[near], normal)
        profiles.append(Profile(patch, fit_edge(patch, _first_fit(patch, start)), ""))
    return profiles


def steps_of_grey(profiles: list[Profile]) -> Floats:
    """Return by how much each facet is brighter inside than outside."""
    return np.array([profile.fit.inside - profile.fit.outside for profile in profiles])


def is_sample(profiles: list[Profile], contrast: float) -> npt.NDArray[np.bool_]:
    """Say which facets part bright sample from what is around it."""
    return steps_of_grey(profiles) >= _LEAST_CONTRAST * contrast


def final_fits(pilot: list[Profile], reach_um: float, facet_um: float, contrast: float) -> list[Profile]:
    """Fit again what lies within `reach_um` of each fitted surface, and say which facets can be used."""
    profiles = []
    for patch, fit, _ in pilot:
        near = np.abs(outwards(patch, fit.surface)[0]) <= reach_um
        kept = Patch(patch.along[near], patch.shape[near], patch.slopes[:, near], patch.grey[near])
        # Three values a parameter, at least: else the surface has left the box.
        enough = kept.grey.size >= 3 * (kept.shape.shape[1] + 3)
        profiles.append(Profile(kept, fit_edge(kept, fit), "") if enough else Profile(patch, fit, "no edge"))
    bright = is_sample(profiles, contrast)
    profiles = [
        p._replace(why=p.why or _why(p, bool(sample), reach_um))
        for p, sample in zip(profiles, bright, strict=True)
    ]
    return _without_rough(profiles, reach_um, facet_um)


def _why(profile: Profile, bright: bool, reach_um: float) -> str:
    fit = profile.fit
    if not bright:
        return "low contrast"
    if not fit.settled or abs(fit.surface[0]) > reach_um or fit.width_um > reach_um:
        return "no edge"
    return "curved" if fit.radius_um < _CURVED * FWHM * fit.width_um else ""


def _without_rough(profiles: list[Profile], reach_um: float, facet_um: float) -> list[Profile]:
    """Leave out facets that a smooth edge does not explain: a pore, a second particle, a rough surface.

    Averaged over cells as wide as the edge, noise is small and such structure is not. The noise is that of
    the quietest quarter of the facets.
    """
    known = [i for i, profile in enumerate(profiles) if not profile.why]
    if not known:
        return profiles
    rest = np.array([_structure(profiles[i], reach_um, facet_um) for i in known])
    quiet = float(np.quantile(rest[:, 0], 0.25))
    amplitude = np.sqrt(np.maximum(rest[:, 0] - quiet, 0) / rest[:, 1])
    step = steps_of_grey([profiles[i] for i in known])
    rough = (rest[:, 0] > _ROUGH * quiet) & (amplitude > _ROUGH_SHARE * step)
    for i in np.array(known)[rough]:
        profiles[i] = profiles[i]._replace(why="not smooth")
    return profiles


def _structure(profile: Profile, reach_um: float, facet_um: float) -> tuple[float, float]:
    """Return the variance of a voxel that the means of the residuals over cells speak of; voxels a cell."""
    patch, fit, _ = profile
    rest = linearise(patch, fit)[1]
    cells = _parts(outwards(patch, fit.surface)[0] / (2 * reach_um), _CELLS_ALONG)
    for across in patch.shape[:, 1 : 2 + (patch.shape.shape[1] == 6)].T:
        cells = cells * _CELLS_ACROSS + _parts(across / facet_um, _CELLS_ACROSS)
    count = np.bincount(cells)
    total = np.bincount(cells, rest)[count > 0]
    count = count[count > 0]
    return float((total**2 / count).mean()), float(count.mean())


def _parts(place: Floats, parts: int) -> npt.NDArray[np.int64]:
    """Return the number of the part in which a place from -0.5 to 0.5 lies."""
    return np.clip(((place + 0.5) * parts).astype(np.int64), 0, parts - 1)


def _first_fit(patch: Patch, log_width: float) -> EdgeFit:
    """Return a flat surface where it was found, between the mean grey values of both sides."""
    inner = patch.along < 0
    inside, outside = (float(patch.grey[part].mean()) if part.any() else 0.0 for part in (inner, ~inner))
    return EdgeFit(inside, outside, np.zeros(patch.shape.shape[1]), log_width, 0.0, False)


def _boxes(
    image: xr.DataArray, facets: Facets, half_um: float, reach_um: float
) -> list[tuple[Floats, npt.NDArray[Any]]]:
    """Return the places (µm from the centre) and grey values in a box around each facet."""
    first, edges = np.array(origin(image)), np.array(voxel_size(image))
    boxes, starts = [], []
    for centre, normal in zip(facets.centres, facets.normals, strict=True):
        half = reach_um * np.abs(normal) + half_um * np.sqrt(np.maximum(1 - normal**2, 0))
        low = np.maximum(np.floor((centre - half - first) / edges).astype(int), 0)
        high = np.ceil((centre + half - first) / edges).astype(int) + 1
        boxes.append(image.data[tuple(slice(a, b) for a, b in zip(low, high, strict=True))])
        starts.append(first + low * edges - centre)
    if image.chunks is not None:
        boxes = list(_lazy.compute(*boxes))
    out = []
    for box, start in zip(boxes, starts, strict=True):
        index = np.indices(box.shape).reshape(box.ndim, -1).T
        out.append((start + index * edges, np.asarray(box).ravel()))
    return out
