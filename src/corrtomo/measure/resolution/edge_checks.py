"""What the measurement of an edge refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from ...checks import check_finite, check_length, check_spatial
from ...volume import check_image, voxel_size
from ..options import check_real, check_whole
from .edge_facets import Facets
from .edge_fit import outwards
from .edge_profile import Profile

DOING = "measure the resolution at an edge"
LEAST_VOXELS = 4
"""That profiles reach to both sides, at least."""
_FACET_VOXELS = 6
_SPAN, _SINGLE = 1e30, 1e-6
"""Grey values and steps of them that single precision holds."""
_NEAR, _BESIDE, _CUT_OFF = 1.5, 3.0, 0.75
"""Beside an edge, in standard deviations of its spread: from where, to where; and share of extreme voxels."""
_EVEN = 1e-3
"""By how much voxels may be uneven, as in :mod:`corrtomo.volume`: whole voxels are no shorter for it."""


def check_edge(image: Any, method: Any, outer: Any, facet_um: Any, reach_um: Any) -> None:
    """Refuse what shows no edge, and options out of range."""
    check_image(image, ndim=(2, 3))
    check_spatial(image, doing=DOING)
    if image.dtype == bool:
        raise TypeError(
            f"Cannot {DOING} of a mask: its edge is where a threshold put it. Pass the grey values it came "
            "from."
        )
    check_real(image, doing=DOING)
    check_finite(image, doing=DOING)
    if method not in ("fit", "derivative"):
        raise ValueError(f"Cannot {DOING} with method {method!r}: 'fit' and 'derivative' are known.")
    if not isinstance(outer, bool):
        raise TypeError(f"Cannot {DOING} with outer={outer!r}: True or False is needed.")
    voxel = max(voxel_size(image))
    for value, name, least in ((facet_um, "facet_um", _FACET_VOXELS), (reach_um, "reach_um", LEAST_VOXELS)):
        if value is not None:
            check_length(value, name, doing=DOING)
            if value < least * voxel * (1 - _EVEN):
                raise ValueError(
                    f"Cannot {DOING} with {name}={value!r}: {least} voxels of {voxel:g} µm or more are "
                    "needed. Leave it out."
                )


def check_places(fewest: Any, most: Any) -> tuple[int, int]:
    """Refuse numbers of places that are none, or of which more are needed than tried; return both."""
    fewest = check_whole(fewest, "fewest", 8, doing=DOING)
    most = check_whole(most, "most", 8, doing=DOING)
    if fewest > most:
        raise ValueError(
            f"Cannot {DOING} with fewest={fewest} of most={most}: more places would be needed than are "
            "tried. Lower fewest=, or raise most=."
        )
    return fewest, most


def check_range(image: xr.DataArray) -> tuple[float, float]:
    """Refuse grey values that single precision does not hold apart; return the lowest and the highest."""
    low, high = float(image.min()), float(image.max())
    largest = max(abs(low), abs(high))
    if not 1 / _SPAN < largest < _SPAN and largest > 0:
        raise ValueError(
            f"Cannot {DOING} of grey values up to {largest:.3g}: they must be within {1 / _SPAN:g} to "
            f"{_SPAN:g}. Divide them by the largest first."
        )
    if low < high and high - low < _SINGLE * largest:
        raise ValueError(
            f"Cannot {DOING} of grey values that differ by {high - low:.3g} around {largest:.3g}: single "
            "precision does not tell them apart. Subtract their mean first, with image - image.mean()."
        )
    return low, high


def cut_off(profiles: list[Profile], low: float, high: float) -> tuple[str, ...]:
    """Say where grey values beside the edge are the lowest or the highest of all: the detector's limits.

    A blurred edge comes near its two levels, and noise scatters around them. No count is a level of its own.
    """
    grey, far = [], []
    for patch, fit, _ in profiles:
        grey.append(patch.grey)
        far.append(outwards(patch, fit.surface)[0] / fit.width_um)
    values, places = np.concatenate(grey), np.concatenate(far)
    counts = low == 0 and bool((values == np.rint(values)).all())
    said = []
    for name, extreme, side in (("highest", high, -places), ("lowest", low, places)):
        beside = values[(side >= _NEAR) & (side <= _BESIDE)]
        share = float((beside == extreme).mean()) if beside.size else 0.0
        if share > _CUT_OFF and not (counts and name == "lowest"):
            said.append(
                f"the edge is cut off at the {name} grey value, {extreme:.4g}, which {share:.0%} of the "
                "voxels beside it have: the image is saturated, and the width too small"
            )
    return tuple(said)


def refuse_few(
    found: int, image: xr.DataArray, facet: float, far: float, *, fewest: int, outer: bool
) -> None:
    """Refuse an image with room for too few facets; say so where it is thinner than one of them."""
    if found >= fewest:
        return
    where = "on the convex outside of the sample" if outer else "at all"
    advice = "Take a larger crop, a smaller facet_um, or every edge with outer=False."
    sizes = zip(image.shape, voxel_size(image), image.dims, strict=True)
    thick, edge, dim = min((n * size, size, str(dim)) for n, size, dim in sizes)
    if image.ndim == 3 and thick < facet + edge:
        advice = f"The volume is only {thick:.3g} µm thick along {dim}: take more of it"
        room = thick - 2 * edge  # around a voxel's centre, between those of the first and the last
        if room >= _FACET_VOXELS * max(voxel_size(image)) * (1 - _EVEN):
            advice += f", a facet_um up to {room:.3g}"
        advice += f", or one slice with image.isel({dim}=0)."
    raise ValueError(
        f"Cannot {DOING}: {found} places of {facet:.3g} µm with {far:.3g} µm to both sides lie {where}, and "
        f"{fewest} or more are needed. {advice}"
    )


def refuse_noise(profiles: list[Profile], facets: Facets) -> None:
    """Refuse where the step of grey is less than the noise."""
    noise = noise_of(profiles)
    if facets.contrast < noise:
        raise ValueError(
            f"Cannot {DOING}: there is no edge. The two dominant grey levels differ by "
            f"{facets.contrast:.3g}, less than the noise of a voxel, {noise:.3g}. Take a crop with sample "
            "and vacuum, or more projections."
        )


def refuse_fine(fwhm_um: float, voxel: float) -> None:
    """Refuse a width below the voxel."""
    if fwhm_um < voxel:
        raise ValueError(
            f"Cannot {DOING}: the edge is narrower than a voxel. All that is known is a bound: its width is "
            f"at most {voxel:.3g} µm. Take smaller voxels, or grey values if these are labels."
        )


def noise_of(profiles: list[Profile]) -> float:
    """Return the standard deviation of grey values around the fit, of the median facet."""
    return float(np.median([profile.fit.rms for profile in profiles]))
