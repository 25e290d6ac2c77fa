"""Vertical stripes of the ion beam (curtains), found from the steps between neighbouring columns."""

from __future__ import annotations

from functools import partial
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import njit
from scipy import ndimage
from tqdm.auto import tqdm

from ..checks import check_length, check_spatial
from ..volume import check_image, spacing

Grey = npt.NDArray[np.float32]
_DOING = "remove stripes"
_BASE = 0.25
"""Share of the mean grey value that is added before the logarithm, for what is dark is mostly noise."""
_SMOOTHING = 2.0
"""Pixels along y over which noise is averaged before steps are told from edges."""
_EDGE, _SMALL = 1.5, 0.05
"""Robust standard deviations beyond which a step between columns is an edge, not a stripe; a change of the
grey value by less than this share never is."""
_WIDEST = 1000
"""Pixels that `width_um` may span in an image that has fewer."""
_FINEST = 1e-3
"""Pixels that a length must span."""
_ROUNDS = 2
_LEAST = 0.05
"""Share of steps along a stripe that must not be edges, for the stripe to be known in full."""
_lazy: Any = da  # its functions carry no types


def destripe(
    image: xr.DataArray, *, length_um: float = 2.0, width_um: float = 0.3, progress: bool = True
) -> xr.DataArray:
    """Remove the vertical stripes that the ion beam leaves on a section: curtains.

    Where the beam leaves a hard particle it mills unevenly, and bright and dark stripes run down the section.
    The cycling paper deposits tungsten against them (section 2.2); what is left shifts grey values across
    thresholds.

    Parameters
    ----------
    image : xarray.DataArray
        Grey values from 0 on, dims y, x or z, y, x, with stripes along y. NumPy or Dask, slice by slice.
    length_um : float
        Length over which a stripe keeps its strength, in µm.
    width_um : float
        Width up to which it is a stripe, in µm: wider changes along x stay. At most the width of the image,
        or 1000 pixels.
    progress : bool
        Show a bar where it takes longer than a second.

    Returns
    -------
    xarray.DataArray
        The same grid and dtype, integers rounded; lazy if the image is.

    Raises
    ------
    TypeError
        If the image is a plain array, or a mask of booleans.
    ValueError
        If it has other dims, grey values below 0, NaN, or a length is not above zero; or if `width_um` is
        wider than the image and than 1000 pixels.

    Notes
    -----
    It removes the vertical grooves on active material as well, which
    ``ct.segment.grey_and_gradient`` tells phases by: segment first, or keep the original image for the
    gradient. It does not tell a stripe from structure that is upright, narrow and long, such as a crack along
    the milling beam: that fades too. Labels need no destriping; thresholds do.

    A stripe is taken for a factor. The logarithm of the image steps from column to column, at stripes and at
    edges; steps that are far larger than most are edges and are left out, the rest is averaged along y, and
    summed up along x to the strength of the stripe. Left-out edges are what sets it apart from the common
    filters in Fourier or wavelet space (Münch et al. 2009), which smear edges into stripes of their own: on
    a digital twin those left more error, and did more harm where there was no stripe. The brightness of what
    is wider than `width_um` is kept. A stripe whose edges are far steeper than the noise is taken for
    structure, and stays. At the border the averages are over what is there.

    References
    ----------
    Münch et al., Opt. Express 17, 8567 (2009), doi:10.1364/OE.17.008567: the filter it is compared with.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> grey = np.full((80, 60), 100.0)
    >>> grey[:, 30] = 104.0
    >>> even = ct.reconstruct.destripe(ct.volume(grey, 0.05))
    >>> bool(abs(even.values[:, 30] / even.values[:, 10] - 1).max() < 0.01)
    True
    """
    check_image(image, ndim=(2, 3))
    check_spatial(image, doing=_DOING)
    if image.dims[-2:] != ("y", "x"):
        raise ValueError(
            f"Cannot {_DOING} from an image with dims {image.dims}: y, x or z, y, x are needed, with stripes "
            "along y. Select a section first, for instance image.isel(z=0)."
        )
    if image.dtype == bool or "phases" in image.attrs:
        raise TypeError(
            f"Cannot {_DOING} from labels or a mask: stripes are in grey values. Pass the image that was "
            "segmented."
        )
    check_length(length_um, "length_um", doing=_DOING)
    check_length(width_um, "width_um", doing=_DOING)
    _check_width(width_um, image)
    _check_fine(length_um, "length_um", spacing(image, "y"))
    _check_fine(width_um, "width_um", spacing(image, "x"))
    work = partial(_plane, length=length_um / spacing(image, "y"), width=width_um / spacing(image, "x"))
    if isinstance(image.data, da.Array):
        whole = image.data.rechunk({image.ndim - 2: -1, image.ndim - 1: -1})
        return image.copy(data=_lazy.map_blocks(partial(_planes, work), whole, dtype=image.dtype))
    if image.ndim == 2:
        return image.copy(data=work(np.asarray(image.data), 0))
    out = np.empty(image.shape, image.dtype)
    slices = tqdm(image.data, desc=_DOING, unit="slice", delay=1, leave=False, disable=not progress)
    for k, plane in enumerate(slices):
        out[k] = work(np.asarray(plane), k)
    return image.copy(data=out)


def _check_width(width_um: float, image: xr.DataArray) -> None:
    """Refuse a width far beyond the image, over which the kernel of its mean would reach."""
    most = spacing(image, "x") * max(image.sizes["x"], _WIDEST)
    if width_um > most:
        raise ValueError(
            f"Cannot {_DOING} with width_um {width_um!r} µm: up to {most:.4g} µm is allowed, the width of "
            f"the image or {_WIDEST} pixels. Give the width of a stripe in µm, for instance 0.3."
        )


def _check_fine(value: float, what: str, pixel_um: float) -> None:
    """Refuse a length far below a pixel: it is in another unit."""
    if value < _FINEST * pixel_um:
        raise ValueError(
            f"Cannot {_DOING} with {what} {value!r} µm: {_FINEST * pixel_um:.4g} µm or more is allowed, a "
            "thousandth of a pixel. State lengths in µm, for instance 0.3."
        )


def _planes(work: Any, chunk: npt.NDArray[Any], block_info: Any = None) -> npt.NDArray[Any]:
    """Destripe the slices of a chunk; Dask tells where it lies, for errors to name the slice."""
    if chunk.ndim == 2:
        return np.asarray(work(chunk, 0))
    first = block_info[0]["array-location"][0][0] if block_info else 0
    return np.array([work(plane, first + k) for k, plane in enumerate(chunk)])


def _plane(grey: Any, k: int, *, length: float, width: float) -> npt.NDArray[Any]:
    if not np.isfinite(grey).all() or grey.min(initial=0) < 0:
        raise ValueError(
            f"Cannot {_DOING} in slice {k}: its grey values are NaN, infinite or below 0, but a stripe is a "
            "factor. Fill them first with image.fillna(0), or shift them with image - image.min()."
        )
    base = _BASE * float(grey.mean(dtype=np.float64))
    if base == 0.0:
        return np.array(grey)
    wide = grey.astype(np.float64 if grey.dtype.itemsize > 4 else np.float32)
    factor = np.exp(-_strength(np.log(wide + base).astype(np.float32), length, width))
    even = (wide + base) * factor - base
    if grey.dtype.kind in "iu":
        most = np.iinfo(grey.dtype)
        return np.asarray(np.clip(np.rint(even), 0, most.max).astype(grey.dtype))
    return np.asarray(np.maximum(even, 0.0).astype(grey.dtype))


def _strength(bright: Grey, length: float, width: float) -> Grey:
    """Return how much each pixel is brightened by stripes, as a logarithm."""
    smooth = ndimage.gaussian_filter1d(bright, _SMOOTHING, axis=0, mode="nearest")
    step = np.diff(smooth, axis=1, prepend=smooth[:, :1])
    usual = 1.4826 * float(np.median(np.abs(step)))
    edge, keep = np.float32(max(_EDGE * usual, _SMALL)), np.float32(np.exp(-1.0 / length))
    least = np.float32(_LEAST * min(2.0 * length, len(step)))
    stripe = np.zeros_like(step)
    for _ in range(_ROUNDS):  # what is no edge is told better once the stripe is about known
        stripe += _average_steps(step - stripe, edge, keep, least)
    summed = np.cumsum(stripe, axis=1, dtype=np.float64)
    wider = ndimage.gaussian_filter1d(summed, width, axis=1, mode="nearest")
    return np.asarray(summed - wider, np.float32)


@njit(cache=True, nogil=True)
def _average_steps(step: Any, edge: Any, keep: Any, least: Any) -> Any:
    """Average along each column, edges left out: weights fall by `keep` a pixel, and sum up to `least`."""
    rows, columns = step.shape
    out = np.zeros((rows, columns), np.float32)
    known = np.zeros((rows, columns), np.float32)
    for j in range(1, rows):  # from above, without the pixel itself
        for i in range(columns):
            inside = np.float32(abs(step[j - 1, i]) <= edge)
            out[j, i] = keep * (out[j - 1, i] + inside * step[j - 1, i])
            known[j, i] = keep * (known[j - 1, i] + inside)
    below, known_below = np.zeros(columns, np.float32), np.zeros(columns, np.float32)
    for j in range(rows - 1, -1, -1):
        for i in range(columns):
            inside = np.float32(abs(step[j, i]) <= edge)
            below[i] = keep * below[i] + inside * step[j, i]
            known_below[i] = keep * known_below[i] + inside
            out[j, i] = (out[j, i] + below[i]) / max(known[j, i] + known_below[i], least)
    return out
