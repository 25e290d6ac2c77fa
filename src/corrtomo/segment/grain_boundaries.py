"""Boundaries of primary grains on an image of a section."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage
from skimage import graph, measure, morphology, segmentation

from ..checks import check_finite, check_length, check_same_grid, check_spatial
from ..phases import check_mask
from ..volume import check_image, voxel_size
from .grooves import check_number

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_DOING = "find grain boundaries"
_LAPLACE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]]) / 6
"""Blind to edges: of noise of standard deviation 1 it leaves 1."""
_APART = 3
_MAD = 1.4826
_FINEST = 0.7
"""Least spread in pixels at which a Gaussian has a derivative."""
_DIP = 0.5
"""Share of the least strength by which a grain must dip within its boundary."""


def grain_boundaries(
    image: xr.DataArray, mask: xr.DataArray, *, spread_um: float = 0.05, least: float = 3.5
) -> xr.DataArray:
    """Find the boundaries of primary grains: dark lines, and steps from one grey to another.

    The SE image of the nanoCT and SIMS paper shows the primary grains of NCA, at whose boundaries aluminium
    gathers ("Results and Discussion" and Fig. 4, doi:10.1017/S1431927622012405).

    Parameters
    ----------
    image : xarray.DataArray
        Grey values of a section, dims y, x, square pixels.
    mask : xarray.DataArray
        Booleans on the same grid: the particles whose grains are asked for.
    spread_um : float
        Standard deviation in µm of the Gaussian over which the image is averaged: about two pixels, and well
        below the width of a grain.
    least : float
        Least mean strength of a boundary over its length, in standard deviations of the noise.

    Returns
    -------
    xarray.DataArray
        Booleans on the same grid: the pixels on either side of a boundary, two pixels wide;
        ``attrs["noise_from_afar"]``: noise told from pixels three apart over that of neighbours.

    Raises
    ------
    TypeError
        If the mask is not boolean, the image has no grey values, or an option is no number.
    ValueError
        If the image is not 2D, its pixels are not square, grids differ, a grey value is not finite, the mask
        is empty, or an option is out of range.

    Notes
    -----
    Strength is the slope of the averaged image and its curvature across a dark line, each over what noise
    gives, added in squares. A watershed of it cuts too much, and boundaries weaker than `least` on the whole
    are taken away, the weakest first: a line can be faint in places, for what closes a grain counts together.
    Ridge filters with hysteresis have no such memory. On Voronoi grains of 0.6 µm in 25 nm pixels, with steps
    of 12 grey values (standard deviation) and lines 15 deep, found within two pixels: precision 0.96 and
    recall 0.96 at a noise of 6 grey values, 0.95 and 0.75 at 12; with steps alone, noise 8, 0.95 and 0.80;
    with lines 20 deep and hardly a step, 0.93 and 0.79. Sato's filter, at the best thresholds tried, had 0.96
    and 0.70, 0.92 and 0.27, 0.78 and 0.27, 0.99 and 0.57; Meijering's a precision of one half. Lower `least`
    finds more, and more that is not there: at 3, 0.87 and 0.83 at a noise of 12.

    Where a dark line lies beside a step, the steepest place is its bright edge, and the boundary is put
    there: up to one pixel to the bright side of the line (0.9 to 1.0 measured for lines of two pixels, 15 or
    30 deep, beside steps of 12 or 24, in pixels of 25 nm). Steps alone and lines alone are within 0.2 pixels.

    The outline of the mask is no boundary, and one nearer to it than `spread_um` may be missed. Milling
    grooves and cracks are found too: leave them out of the mask. Grains of one orientation have no boundary
    here.

    Noise is told from neighbouring pixels, and must be independent in each. Where an image was resampled,
    smoothed or reconstructed, neighbours share their noise, it is taken for too little, and noise becomes
    boundaries. Of noise alone it finds none where that is white; on half of the pixels where the image was
    brought onto twice as fine a grid linearly, or averaged over a Gaussian of one pixel; on a quarter for
    one of half a pixel. ``noise_from_afar`` was 1.0, 18, 10 and 1.5 there. It was 1.2 at most with grains of
    24 pixels in white noise, and 2 with such of 6: from 1.5 on, take the image as it was recorded.

    References
    ----------
    Immerkær, Comput. Vis. Image Underst. 64, 300 (1996), doi:10.1006/cviu.1996.0060, for the noise.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> grey = np.where(np.arange(40) < 20, 100, 140) + np.random.default_rng(0).normal(0, 5, (40, 40))
    >>> image = ct.volume(grey, 0.025)
    >>> found = ct.segment.grain_boundaries(image, image > 0)
    >>> np.flatnonzero(found.values[20]).tolist()
    [19, 20]
    """
    pixel = _check(image, mask, spread_um, least)
    inside = np.asarray(mask.data)
    spread = float(spread_um) / pixel
    strength = _strength(np.asarray(image.data, float), inside, spread)
    grains = _grains(strength, inside, float(least))
    out = xr.DataArray(
        _borders(grains, inside), dims=image.dims, coords=image.coords, name="grain boundaries"
    )
    return out.assign_attrs(noise_from_afar=_from_afar(np.asarray(image.data, float), inside))


def _check(image: xr.DataArray, mask: xr.DataArray, spread_um: Any, least: Any) -> float:
    """Refuse what has no grains; return the edge of a pixel in µm."""
    check_image(image, ndim=(2,))
    check_spatial(image, doing=_DOING)
    if image.dtype == bool or "phases" in image.attrs:
        raise TypeError(
            f"Cannot {_DOING} of labels or a mask: grey values are needed. Pass the image that was segmented."
        )
    check_finite(image, doing=_DOING)
    check_mask(mask, doing=_DOING)
    check_same_grid(image, mask, doing=_DOING)
    edges = voxel_size(image)
    if max(edges) > min(edges) * 1.001:
        raise ValueError(
            f"Cannot {_DOING} in pixels of {edges} µm: square ones are needed. Resample the image first, for "
            "instance with image.interp()."
        )
    check_length(spread_um, "spread_um", doing=_DOING)
    longest = min(image.shape) * edges[0]
    if not _FINEST * edges[0] * (1 - 1e-6) <= spread_um <= longest / 4:
        raise ValueError(
            f"Cannot {_DOING} with spread_um={spread_um:g}: from {_FINEST * edges[0]:.3g} µm (0.7 pixels) to "
            f"{longest / 4:.3g} µm (a quarter of the image) is possible. Pass about two pixels."
        )
    if check_number(least, "least", doing=_DOING) <= 0:
        raise ValueError(f"Cannot {_DOING} with least {least!r}: a number above zero is needed, such as 3.5.")
    if not bool(mask.any()):
        raise ValueError(f"Cannot {_DOING}: the mask is empty. Pass the particles, for instance grey > 110.")
    return edges[0]


def _strength(grey: Floats, inside: Mask, spread: float) -> Floats:
    """Return how strong a boundary is at each pixel, in standard deviations of the noise."""
    noise = _noise(grey, inside)
    # What lies around particles is given their mean near by: their outline is no step.
    near = ndimage.gaussian_filter(inside.astype(float), 3 * spread)
    grey = np.where(
        inside, grey, ndimage.gaussian_filter(grey * inside, 3 * spread) / np.maximum(near, 1e-12)
    )

    def derived(*order: int) -> Floats:
        return np.asarray(ndimage.gaussian_filter(grey, spread, order=order))

    slope = np.hypot(derived(1, 0), derived(0, 1)) * np.sqrt(8 * np.pi) * spread**2
    down, across, mixed = derived(2, 0), derived(0, 2), derived(1, 1)
    curve = (down + across) / 2 + np.hypot((down - across) / 2, mixed)
    curve = np.maximum(curve, 0.0) * np.sqrt(16 * np.pi / 3) * spread**3
    return np.asarray(np.hypot(slope, curve) / noise)


def _noise(grey: Floats, inside: Mask) -> float:
    """Return the standard deviation of the noise within the mask; rounding to whole grey values at least."""
    scale = float(np.abs(grey[inside]).max()) or 1.0
    return max(_roughness(grey, inside, 1), 1e-3 * scale)


def _from_afar(grey: Floats, inside: Mask) -> float:
    """Return the noise told from pixels that are apart over that of neighbours; 1 where there is none."""
    scale = float(np.abs(grey[inside]).max()) or 1.0
    least = 1e-3 * scale  # what rounding leaves is no noise
    return max(_roughness(grey, inside, _APART), least) / max(_roughness(grey, inside, 1), least)


def _roughness(grey: Floats, inside: Mask, apart: int) -> float:
    """Return the standard deviation of the noise within the mask, from pixels so far apart."""
    size = 2 * apart + 1
    kernel = np.zeros((size, size))
    kernel[::apart, ::apart] = _LAPLACE
    deep = ndimage.binary_erosion(inside, np.ones((size, size)))
    rough = np.abs(ndimage.convolve(grey, kernel))[deep if deep.any() else inside]
    return _MAD * float(np.median(rough))


def _grains(strength: Floats, inside: Mask, least: float) -> npt.NDArray[np.intp]:
    """Return a number for each grain: a watershed, whose weak boundaries are taken away."""
    rising = morphology.reconstruction(strength + _DIP * least, strength, method="erosion") - strength
    seeds = measure.label((rising >= _DIP * least * (1 - 1e-6)) & inside)
    grains = segmentation.watershed(strength, seeds, mask=inside)
    if grains.max() < 2:
        return np.asarray(grains)
    regions = graph.rag_boundary(grains, strength, connectivity=1)
    if regions.has_node(0):
        regions.remove_node(0)
    merged = graph.merge_hierarchical(
        grains, regions, least, rag_copy=False, in_place_merge=True, merge_func=_nothing, weight_func=_joined
    )
    return np.asarray(merged)


def _nothing(regions: Any, first: int, second: int) -> None:
    """Change nothing of a region that takes in another: only boundaries count."""


def _joined(regions: Any, first: int, second: int, other: int) -> dict[str, float]:
    """Return strength and length of what is between a merged region and another."""
    none = {"weight": 0.0, "count": 0}
    parts = [regions[one].get(other, none) for one in (first, second)]
    count = sum(part["count"] for part in parts)
    return {"count": count, "weight": sum(part["count"] * part["weight"] for part in parts) / count}


def _borders(grains: npt.NDArray[np.intp], inside: Mask) -> Mask:
    """Tell which pixels have a neighbour along an axis in another grain."""
    out = np.zeros(inside.shape, bool)
    for axis in range(inside.ndim):
        before = (slice(None),) * axis + (slice(None, -1),)
        after = (slice(None),) * axis + (slice(1, None),)
        parted = (grains[before] != grains[after]) & inside[before] & inside[after]
        out[before] |= parted
        out[after] |= parted
    return out
