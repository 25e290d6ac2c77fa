"""How fine an image is, from the edge of the sample: edge response, line spread, width."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from ...volume import voxel_size
from ..options import check_whole
from ..spectra import check_level
from .edge_checks import (
    DOING,
    LEAST_VOXELS,
    check_edge,
    check_places,
    check_range,
    cut_off,
    noise_of,
    refuse_few,
    refuse_fine,
    refuse_noise,
)
from .edge_facets import Facets, find_facets
from .edge_fit import FWHM
from .edge_profile import Profile, final_fits, is_sample, pilot_fits, steps_of_grey
from .edge_tables import by_direction, by_place
from .edge_width import Width, common_width, mean_response, spread_width

Method = Literal["fit", "derivative"]
_FACET_VOXELS, _REACH_VOXELS = 20.0, 10.0
_REACH_WIDTHS = 3.0
"""Standard deviations of the spread to both sides of the edge: 99.7 % of the step."""
_WIDER = 4


@dataclass(frozen=True, eq=False)
class EdgeResolution:
    """The full width at half maximum of the line spread, as :func:`edge_resolution` finds it.

    Attributes
    ----------
    fwhm_um, low_um, high_um : float
        The width in µm, and the ends of its confidence interval.
    level : float
        Confidence of the interval.
    method : {"fit", "derivative"}
        How it was measured.
    facets : int
        Places along the edge on which it rests.
    left_out : dict of str to int
        Why other places were left out, and how many.
    contrast, noise : float
        Step of grey at the edge, and standard deviation of the grey values around the fit; the unit of grey.
    voxel_um : float
        Edge length of a voxel (the geometric mean, where they are no cubes).
    response : pandas.DataFrame
        The mean edge: ``distance_um`` outwards, ``edge``, 1 to 0, and ``spread_per_um``, minus its slope.
    profiles : pandas.DataFrame
        A row for each place: its position and outward normal (``z_um``, …, ``normal_z``, …), ``fwhm_um`` of a
        fit to it alone, ``contrast``, ``noise``, ``used``, and ``why`` not.
    by_direction : pandas.DataFrame
        ``direction`` of the normal (the nearest axis; in the plane also "radial" and "tangential" around the
        middle of the facets), ``facets``, ``fwhm_um``, ``low_um``, ``high_um``; NaN where there are too few.
    warnings : tuple of str
        Why the width may be too small.
    """

    fwhm_um: float
    low_um: float
    high_um: float
    level: float
    method: str
    facets: int
    left_out: dict[str, int]
    contrast: float
    noise: float
    voxel_um: float
    response: pd.DataFrame
    profiles: pd.DataFrame
    by_direction: pd.DataFrame
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        out = ", ".join(f"{count} {why}" for why, count in self.left_out.items()) or "none"
        said = "".join(f"; {warning}" for warning in self.warnings)
        return (
            f"EdgeResolution({self.fwhm_um:.3f} µm full width at half maximum, {self.low_um:.3f} to "
            f"{self.high_um:.3f} at {self.level:.0%}; {self.method}, {self.facets} facets of the edge, left "
            f"out: {out}; contrast {self.contrast:.3g}, noise {self.noise:.2g}, voxel {self.voxel_um:.3g} µm"
            f"{said})"
        )


def edge_resolution(
    image: xr.DataArray,
    *,
    method: Method = "fit",
    outer: bool = True,
    facet_um: float | None = None,
    reach_um: float | None = None,
    fewest: int = 8,
    most: int = 200,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> EdgeResolution:
    """Measure the full width at half maximum of the line spread, at the edge of the sample against vacuum.

    The nanoCT paper states 224 ± 23 nm, from the derivative of the edge response at the FIB-milled side of
    its pillar, which is smoother than the resolution (Microsc. Microanal., doi:10.1017/S1431927622012405,
    "Results and Discussion"; ASTM E 1441). One profile through noise gives anything: here the edge is found
    automatically, and many places along it share one width.

    Parameters
    ----------
    image : xarray.DataArray
        Grey values, the sample brighter than its surroundings, dims y, x or z, y, x; NumPy or Dask.
    method : {"fit", "derivative"}
        "fit": an edge blurred by a Gaussian. "derivative": the slope of the mean edge, sampled four times
        finer than the voxels, with no model of the spread, but less sure.
    outer : bool
        Only at the convex outside of the sample, as milled; otherwise at every edge, particles and pores too.
    facet_um : float, optional
        Diameter of the places at which the edge is taken for a plane or a weakly bent surface; by default 20
        voxels.
    reach_um : float, optional
        How far profiles go to both sides; by default three standard deviations of the spread, and a voxel.
    fewest, most : int
        Places that are needed (8 or more), and that are tried; of more, some are drawn.
    level : float
        Confidence of the interval, between 0 and 1.
    resamples, seed : int
        How often places are drawn for the interval, 100 times or more; the same seed gives the same interval.

    Returns
    -------
    EdgeResolution
        The width in µm with its interval, the mean edge, and the width by place and by direction.

    Raises
    ------
    TypeError
        If an option is of the wrong kind.
    ValueError
        If there is no edge, or none that stands above the noise, in fewer than `fewest` places, or the width
        is below the voxel.

    Notes
    -----
    The surface is looked for half-way between the two dominant grey levels of the image, smoothed over 1.5
    voxels. At each facet the grey values on both sides, a bent surface (quadratic) and the width are then
    fitted at once to the voxels as they are, so that the surface does not follow the noise. Left out are
    facets of low contrast (binder or pores at the surface), those that a smooth edge does not explain (a
    crack, a second particle), and surfaces bent by less than three widths. The interval is a bootstrap over
    facets, which are independent where single voxels are not; it knows neither ring artefacts nor drift. In
    one slice with noise of a third of the contrast, particles as small as facets made it 14 % too wide.

    The width is that of everything: focal spot, detector, motion, voxels, the filter of the reconstruction,
    and the roughness of the surface: a standard deviation of r adds 5.5 r² to its square. A sharpening
    filter makes the width small and the image no finer: look at ``response`` for overshoot. So does a grey
    scale that ends below the sample or above the vacuum: ``warnings`` says so where most voxels beside the
    edge have the highest or lowest value; of whole numbers a lowest of 0 passes for a count.

    Where the spread is no Gaussian, "fit" finds the Gaussian of the most similar edge: 0.78 times the width
    of a box, 1.7 times that of an exponential. "derivative" is within 2 % (too wide, from its window) on
    edges without noise; with noise it is unsure, and comes out too small where the peak of the slope is
    noise. Where the two differ by more than their intervals, the spread is no Gaussian.

    References
    ----------
    Hesterberg, Am. Stat. 69, 371 (2015), doi:10.1080/00031305.2015.1089789 (percentiles for few places).

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import ndimage
    >>> import corrtomo as ct
    >>> y, x = np.mgrid[-6:6.01:0.05, -6:6.01:0.05]
    >>> pillar = ndimage.gaussian_filter((y**2 + x**2 < 5**2).astype(float), 2.0)  # 2 voxels
    >>> found = ct.measure.edge_resolution(ct.volume(pillar, 0.05))
    >>> round(found.fwhm_um, 2)  # 2.355 * 0.1
    0.24
    """
    check_edge(image, method, outer, facet_um, reach_um)
    check_level(level, doing=DOING)
    fewest, most = check_places(fewest, most)
    resamples = check_whole(resamples, "resamples", 100, doing=DOING, most=100_000)
    seed = check_whole(seed, "seed", 0, doing=DOING)
    low, high = check_range(image)
    voxel = float(np.prod(voxel_size(image)) ** (1 / image.ndim))
    facet = float(facet_um) if facet_um is not None else _FACET_VOXELS * voxel
    options: dict[str, Any] = {"outer": outer, "most": most, "seed": seed}
    facets, pilot, reach = _pilot(image, facet, reach_um, voxel, fewest, options)
    profiles = final_fits(pilot, reach, facet, facets.contrast)
    used = [i for i, profile in enumerate(profiles) if not profile.why]
    left_out = dict(Counter(profile.why for profile in profiles if profile.why))
    refuse_noise(profiles, facets)
    if len(used) < fewest:
        raise ValueError(
            f"Cannot {DOING}: {len(used)} of {len(profiles)} places can be used, and {fewest} or more are "
            f"needed. Left out: {', '.join(f'{n} {why}' for why, n in left_out.items())}. "
            "Take a larger crop or more slices, a smaller facet_um, or every edge with outer=False."
        )
    drawing: dict[str, Any] = {"level": float(level), "resamples": resamples, "seed": seed}
    width, fitted = common_width([profiles[i] for i in used], **drawing)
    refuse_fine(width.fwhm_um, voxel)
    if method == "derivative":
        width = spread_width(fitted, voxel, reach, **drawing)

    def measure(some: list[Profile]) -> Width:
        own, refitted = common_width(some, **drawing)
        return own if method == "fit" else spread_width(refitted, voxel, reach, **drawing)

    return EdgeResolution(
        *width,
        level=float(level),
        method=method,
        facets=len(used),
        left_out=left_out,
        contrast=float(np.median(steps_of_grey(fitted))),
        noise=noise_of(fitted),
        voxel_um=voxel,
        response=pd.DataFrame(mean_response(fitted, voxel, reach)._asdict()),
        profiles=by_place(profiles, facets, image),
        by_direction=by_direction(fitted, facets.centres[used], facets.normals[used], measure),
        warnings=cut_off(fitted, low, high),
    )


def _pilot(
    image: xr.DataArray,
    facet: float,
    reach_um: float | None,
    voxel: float,
    fewest: int,
    options: dict[str, Any],
) -> tuple[Facets, list[Profile], float]:
    """Return facets, a first fit to each, and how far profiles should go; wider until they hold the edge."""
    far = float(reach_um) if reach_um is not None else _REACH_VOXELS * voxel
    for _ in range(_WIDER):
        facets = find_facets(image, facet, far, **options)
        if facets.contrast == 0:
            raise ValueError(
                f"Cannot {DOING}: all grey values are alike, there is no edge. Take a crop with sample and "
                "vacuum."
            )
        refuse_few(len(facets.centres), image, facet, far, fewest=fewest, outer=options["outer"])
        pilot = pilot_fits(image, facets, facet, far)
        bright = is_sample(pilot, facets.contrast)
        if not bright.any():
            refuse_noise(pilot, facets)
            return facets, pilot, far
        width = float(np.median([p.fit.width_um for p, sample in zip(pilot, bright, strict=True) if sample]))
        refuse_fine(FWHM * width, voxel)
        reach = _REACH_WIDTHS * width + voxel
        if reach_um is not None or reach <= far:
            break
        far *= 2
    return facets, pilot, far if reach_um is not None else min(max(reach, LEAST_VOXELS * voxel), far)
