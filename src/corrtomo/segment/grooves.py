"""Grooves of milling: how much the grey value rises and falls across them."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import njit, prange

from ..checks import check_length, check_spatial
from ..volume import check_image, spacing

FACE = ("y", "x")
"""The two axes of a section face."""
_LEAST_ACROSS = 3
WINDOW_UM = (0.75, 0.375)
"""Length along the grooves and across them that told active material best on images like the paper's."""
_lazy: Any = da  # its functions carry no types


def groove_gradient(
    image: xr.DataArray, *, window_um: Sequence[float] = WINDOW_UM, across: str = "x"
) -> xr.DataArray:
    r"""Measure the vertical grooves that milling leaves on active material, and on nothing else.

    They are what the cycling paper uses beside grey values (section 2.3, "the distinctive vertical grooves
    on the active material"). The formula is ours, for the paper prints none: G = ⟨\|∂m\|⟩ − \|⟨∂m⟩\|, where m
    is the grey value averaged along the grooves, ∂ its gradient across them, and ⟨⟩ the mean over the window.

    Parameters
    ----------
    image : xarray.DataArray
        Grey values, dims z, y, x or y, x; each slice by itself. A Dask image stays lazy, in whole slices.
    window_um : sequence of float
        Length of the window in µm along the grooves and across them: in pixels, the nearest odd number.
    across : {"x", "y"}
        The axis across the grooves; on a milled section face they run along y.

    Returns
    -------
    xarray.DataArray
        ``float32``, or ``float64`` where the grey values need it: grey values a µm on the grid of `image`.

    Raises
    ------
    TypeError
        If a length is no number, or the image has no grey values.
    ValueError
        If the window is larger than the image or narrower than three pixels across the grooves, or a grey
        value is NaN or infinite.

    Notes
    -----
    What climbs once, an edge or a shading, has both terms alike and counts nothing; grooves climb and fall.
    So does a thin bridge that lies along the grooves, which this cannot tell from one. Noise leaves a floor,
    lower the longer the window is along the grooves. At the border the window is cut off.

    References
    ----------
    Section 2.3 of the cycling paper of the handbook's part "Cycling and contact".

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> grooved, edge = np.tile([150, 160], (4, 4)), np.repeat([[40, 160]], 4, 1) * np.ones((4, 1))
    >>> ct.segment.groove_gradient(ct.volume(grooved, 0.5), window_um=(1.5, 2.5)).values[1, 2:6].tolist()
    [20.0, 20.0, 20.0, 20.0]
    >>> float(ct.segment.groove_gradient(ct.volume(edge, 0.5), window_um=(1.5, 2.5)).max())
    0.0
    """
    reach, step_um = check_grooves(image, window_um, across, doing="measure grooves")
    kind = float_of(image.dtype)
    options: dict[str, Any] = {"reach": reach, "step_um": step_um, "across": across}
    out = by_slices(_gradient, image, kind, **options)
    out.attrs, out.name = {"units": "grey values/µm"}, "groove gradient"
    return out


def by_slices(work: Any, image: xr.DataArray, kind: Any, **options: Any) -> xr.DataArray:
    """Apply work on an array z, y, x to an image; of a Dask image to its chunks, made whole slices.

    Slices know nothing of one another, so whole ones need no overlap and give the same as NumPy.
    """
    data = image.data
    if isinstance(data, da.Array):
        whole = data.rechunk(dict.fromkeys(range(data.ndim - 2, data.ndim), -1))
        done = _lazy.map_blocks(
            _shaped, whole, work=work, dtype=kind, meta=np.empty((0,) * data.ndim, kind), **options
        )
    else:
        done = _shaped(data, work=work, **options)
    return image.copy(data=done)


def _shaped(grey: npt.NDArray[Any], work: Any, **options: Any) -> npt.NDArray[Any]:
    refuse_not_finite(grey)
    slices = grey[None] if grey.ndim == 2 else grey
    if grey.dtype.char in "eg" or not grey.dtype.isnative:  # half, long and swapped: numba knows them not
        slices = slices.astype(float_of(grey.dtype))
    out: npt.NDArray[Any] = work(slices, **options)
    return out.reshape(grey.shape)


def refuse_not_finite(grey: npt.NDArray[Any]) -> None:
    """Refuse NaN and infinite grey values of an array."""
    if np.issubdtype(grey.dtype, np.floating) and not np.isfinite(grey).all():
        raise ValueError(
            f"Cannot use grey and gradient: {int((~np.isfinite(grey)).sum())} of {grey.size} grey values are "
            "NaN or infinite. Only finite grey values are allowed. Crop them away or fill them first, for "
            "instance with image.fillna(0)."
        )


def float_of(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Return the floating-point dtype that holds the grey values of an image."""
    return np.dtype(np.float32 if np.result_type(dtype, np.float32) == np.float32 else np.float64)


def check_grooves(
    image: xr.DataArray, window_um: Any, across: Any, *, doing: str
) -> tuple[tuple[int, int], float]:
    """Check image and window; return how far the window reaches along and across, and the pixel across."""
    check_image(image, ndim=(2, 3))
    check_spatial(image, doing=doing)
    if image.dtype == bool:
        raise TypeError(
            f"Cannot {doing}: the image is a mask of booleans, and grey values are needed. Pass the image "
            "that the mask was made from."
        )
    if "phases" in image.attrs:
        raise TypeError(
            f"Cannot {doing} of labels: grey values are needed, and this image lists phases in its "
            "attributes. Pass the image that was segmented."
        )
    missing = [dim for dim in FACE if dim not in image.dims]
    if missing:
        raise ValueError(
            f"Cannot {doing}: the image has dims {image.dims}, and a section face is y, x. Name the dims "
            "with ct.volume(array, voxel_size, dims=('y', 'x'))."
        )
    if across not in FACE:
        raise ValueError(
            f"Cannot {doing} across {across!r}: allowed are 'x' and 'y', the axes of a section face."
        )
    along = FACE[1 - FACE.index(across)]
    if isinstance(window_um, str) or not isinstance(window_um, Sequence) or len(window_um) != 2:
        raise ValueError(
            f"Cannot {doing} with window_um {window_um!r}: two lengths in µm are needed, along the grooves "
            f"and across them. Pass for instance window_um={WINDOW_UM}."
        )
    reach = []
    for dim, length in zip((along, across), window_um, strict=True):
        check_length(length, f"a window along {dim} of", doing=doing)
        pixels = 2 * round((float(length) / spacing(image, dim) - 1) / 2) + 1
        least = _LEAST_ACROSS if dim == across else 1
        if not least <= pixels <= image.sizes[dim]:
            raise ValueError(
                f"Cannot {doing}: the window of {length:g} µm along {dim} is {max(pixels, 1)} pixels of "
                f"{spacing(image, dim):g} µm, and {least} to {image.sizes[dim]} are possible, the size of "
                "the image. Pass another window_um, or a larger image."
            )
        reach.append(pixels // 2)
    return (reach[0], reach[1]), spacing(image, across)


def check_number(value: Any, what: str, *, doing: str) -> float:
    """Refuse what is not a finite number, or return it as a float."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError(f"Cannot {doing} with {what} {value!r}: a number is needed. Pass for instance 110.")
    if not np.isfinite(float(value)):
        raise ValueError(f"Cannot {doing} with {what} {value!r}: it must be finite. Pass for instance 110.")
    return float(value)


def _gradient(
    grey: npt.NDArray[Any], *, reach: tuple[int, int], step_um: float, across: str
) -> npt.NDArray[Any]:
    out = np.empty(grey.shape, float_of(grey.dtype))
    turned = [a if across == "x" else a.transpose(0, 2, 1) for a in (grey, out)]
    _gradient_of_slices(turned[0], reach, step_um, turned[1])
    return out


@njit(cache=True, parallel=True)
def _gradient_of_slices(grey: Any, reach: tuple[int, int], step: float, out: Any) -> None:
    rows = grey.shape[1]
    for row in prange(grey.shape[0] * rows):
        groove_row(grey[row // rows], row % rows, reach, step, out[row // rows, row % rows])


@njit(cache=True)
def groove_row(face: Any, j: int, reach: tuple[int, int], step: float, out: Any) -> None:
    """Write the groove gradient of one row of a section face."""
    first, end = max(0, j - reach[0]), min(face.shape[0], j + reach[0] + 1)
    width = len(out)
    mean = np.zeros(width, out.dtype)
    for k in range(first, end):
        line = face[k]
        for i in range(width):
            mean[i] += out.dtype.type(line[i])
    climbed = np.zeros(width, out.dtype)  # the way up and down from the first pixel on
    share = out.dtype.type(end - first)
    for i in range(width):
        mean[i] /= share
    for i in range(1, width):
        climbed[i] = abs(mean[i] - mean[i - 1])
    for i in range(width):
        left, right = max(0, i - reach[1]), min(width - 1, i + reach[1])
        way = out.dtype.type(0)
        for k in range(left + 1, right + 1):
            way += climbed[k]
        out[i] = max(way - abs(mean[right] - mean[left]), out.dtype.type(0)) / out.dtype.type(
            (right - left) * step
        )
