"""Adaptive histogram equalisation: what is dark or bright for its place."""

from __future__ import annotations

from functools import partial
from numbers import Real
from typing import Any

import dask
import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr

from ..checks import check_length, check_spatial
from ..volume import check_image, voxel_size
from .local_rank import local_rank
from .overlapped import overlapped
from .tiles import Axis, blend_tiles

Grey = npt.NDArray[np.uint8]
_ROUNDING = 1e-9  # of lengths in µm, when they are counted in voxels
_lazy: Any = dask  # its functions carry no types


def equalise(
    image: xr.DataArray, window_um: float, *, clip_limit: float | None = None, exact: bool = False
) -> xr.DataArray:
    """Replace each grey value by its rank within a window around it: the share that is not brighter.

    The contrast of a place depends on what surrounds it; the AHE-based segmentation therefore equalises the
    histogram within a window of the typical distance between grains before it takes a threshold (Sci. Rep.
    6, 30109, "Complete Ternary Xt Segmentation").

    Parameters
    ----------
    image : xarray.DataArray
        8-bit grey values, dims z, y, x or y, x; a Dask image stays lazy.
    window_um : float
        Edge of the window in µm: 2 voxels at least, and no larger than the volume along its longest axis.
    clip_limit : float, optional
        Largest share of a window's voxels that one grey value may have; what is above is spread over all
        others, which holds noise down in places of one grey (CLAHE). By default nothing is clipped.
    exact : bool
        Rank every voxel within a window of its own, instead of blending the ranks within fixed tiles.

    Returns
    -------
    xarray.DataArray
        ``uint8`` on the same grid: 255 times the share of the window that is not brighter.

    Raises
    ------
    TypeError
        If the grey values are not ``uint8``.
    ValueError
        If the window is smaller than 2 voxels or larger than the volume, or a clip limit is not between 0 and
        1 or is asked of ``exact``.

    Notes
    -----
    Misleads where a window holds one phase only: its noise is stretched to full contrast. A place of one grey
    value, such as what a mask has set to 0, becomes 255, and so does a constant image: crop such places away.

    By default the volume is cut, from its first voxel on, into tiles of the window, in whole voxels; what the
    last tiles lack is mirrored at the border; each voxel takes the mean of its ranks in the tiles around it,
    by distance. ``skimage.exposure.equalize_adapthist`` does the same, and then stretches the result to full
    range. Apart from that stretch both agree to 1 of 255 grey values where an image spans at most 252 of
    them; scikit-image merges some of more, and is then up to 7 off, but by more than 1 on 2 % of the voxels
    only. With a clip limit it hands out up to 255 voxels too many, and differs more in windows below some
    10 000 voxels. A cropped image has other tiles, and so slightly other ranks.

    With ``exact`` the window is the nearest odd number of voxels, and cut off at the border.

    References
    ----------
    Pizer et al., Comput. Vis. Graph. Image Process. 39, 355 (1987), doi:10.1016/S0734-189X(87)80186-X.

    Examples
    --------
    >>> import corrtomo as ct
    >>> steps = ct.volume([[10, 20, 110, 120]] * 4, 1.0).astype("uint8")
    >>> ct.segment.equalise(steps, 3.0, exact=True).values[0].tolist()
    [128, 170, 170, 255]
    """
    window = _check(image, window_um, clip_limit, exact)
    if exact:
        radius = tuple(int(n / 2 + _ROUNDING) for n in window)
        work = partial(local_rank, radius=radius)
        if isinstance(image.data, da.Array):
            return image.copy(data=overlapped(work, image.data, radius, dtype=np.uint8))
        return image.copy(data=work(np.asarray(image.data)))
    axes = (Axis.of(1, 1),) * (3 - image.ndim)
    axes += tuple(Axis.of(n, round(size)) for n, size in zip(image.shape, window, strict=True))
    limit = 1.0 if clip_limit is None else float(clip_limit)
    if isinstance(image.data, da.Array):
        return image.copy(data=_by_chunks(image.data, axes, limit))
    return image.copy(data=_blend(np.asarray(image.data), axes, [(0, n) for n in image.shape], limit))


def _check(image: xr.DataArray, window_um: float, clip_limit: Any, exact: bool) -> tuple[float, ...]:
    """Refuse what cannot be equalised; return the window in voxels along each axis."""
    doing = "equalise grey values"
    check_image(image, ndim=(2, 3))
    check_spatial(image, doing=doing)
    check_length(window_um, "window", doing=doing)
    if image.dtype != np.uint8:
        raise TypeError(
            f"Cannot {doing} of dtype {image.dtype}: 8 bits are needed, for every grey value has a rank. "
            "Scale the image first, with (255 * (image - low) / (high - low)).clip(0, 255).astype('uint8')."
        )
    window = tuple(window_um / edge for edge in voxel_size(image))
    largest = max(n * edge for n, edge in zip(image.shape, voxel_size(image), strict=True))
    if min(window) < 2 - _ROUNDING or window_um > largest * (1 + _ROUNDING):
        raise ValueError(
            f"Cannot {doing} with a window of {window_um:g} µm: 2 voxels ({2 * max(voxel_size(image)):g} µm) "
            f"or more are needed, and at most the longest edge of the volume ({largest:g} µm). Measure the "
            "distance of the grains with ct.measure.grain_distance()."
        )
    if clip_limit is not None:
        if isinstance(clip_limit, bool) or not isinstance(clip_limit, Real) or not 0 < float(clip_limit) <= 1:
            raise ValueError(
                f"Cannot {doing} with clip_limit {clip_limit!r}: a share of the window above 0 and up to 1 "
                "is needed. Leave it out to clip nothing."
            )
        if exact:
            raise ValueError(
                f"Cannot {doing} with clip_limit {clip_limit!r} and exact=True: ranks are counted, not "
                "clipped. Leave one of them out."
            )
    return window


def _by_chunks(data: Any, axes: tuple[Axis, ...], clip: float) -> Any:
    """Equalise chunk by chunk, each from the voxels of all tiles that it needs: the chunks change nothing."""
    lead = 3 - data.ndim
    ends = [np.cumsum([0, *sizes]).tolist() for sizes in data.chunks]
    blocks = np.empty(data.numblocks, object)
    for index in np.ndindex(data.numblocks):
        inner = [(e[i], e[i + 1]) for e, i in zip(ends, index, strict=True)]
        wide = tuple(axis.needed(slice(*part)) for axis, part in zip(axes[lead:], inner, strict=True))
        work = _lazy.delayed(_blend, pure=True)(data[wide], axes, inner, clip)
        shape = tuple(b - a for a, b in inner)
        blocks[index] = da.from_delayed(work, shape, np.uint8)
    return da.block(blocks.tolist())


def _blend(grey: Grey, axes: tuple[Axis, ...], inner: list[tuple[int, int]], clip: float) -> Grey:
    lead = 3 - grey.ndim
    parts = (slice(0, 1),) * lead + tuple(slice(a, b) for a, b in inner)
    deep = grey.reshape((1,) * lead + grey.shape)
    out = blend_tiles(deep, (axes[0], axes[1], axes[2]), parts, clip)
    return out.reshape([b - a for a, b in inner])
