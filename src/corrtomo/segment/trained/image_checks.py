"""Images that a pixel classifier refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from ...checks import check_same_grid
from ...volume import CHANNEL, check_image
from .features import FilterBank
from .gaussian import TRUNCATE, reach

_RGB = ({"r", "g", "b"}, {"red", "green", "blue"})
_LEAST_RANGE = 1e-4
"""Span of the grey values that a forest is trained on, from a thousand steps of scikit-learn's trees on."""
_STACK = (
    "Stack the images first, with xarray.concat([cbs, tld], join='exact', "
    "dim=pandas.Index(['CBS', 'TLD'], name='channel'))."
)


def check_picture(image: Any, *, doing: str) -> None:
    """Refuse what is no image with grey values in two or three dimensions."""
    if isinstance(image, Sequence | Mapping):
        parts = list(image.values()) if isinstance(image, Mapping) else list(image)
        if parts and all(isinstance(part, xr.DataArray) for part in parts):
            for part in parts[1:]:
                check_same_grid(parts[0], part, doing="take these images for channels")
        raise TypeError(
            f"Cannot {doing} {len(parts)} images in a {type(image).__name__}: one image is needed, with a "
            f"leading channel dim where there are several. {_STACK}"
        )
    check_image(image, ndim=(2, 3))
    if image.dtype == bool:
        raise TypeError(
            f"Cannot {doing} an image of booleans: it is a mask, but grey values are needed. "
            "If that is what was recorded, convert it with image.astype('uint8')."
        )
    names = {n.lower() for n in channel_names(image)}
    if len(names) in (3, 4) and any(colours <= names for colours in _RGB):
        raise ValueError(
            f"Cannot {doing} an image with the channels {channel_names(image)}: red, green and blue are a "
            f"screenshot or a coloured copy, not what detectors counted. Take the original, or one channel "
            f"alone with image.isel(channel=0, drop=True)."
        )


def check_not_copies(values: npt.NDArray[Any], *, doing: str) -> None:
    """Refuse three or four channels of which the first three are one: a grey picture saved in colour."""
    if values.shape[1] in (3, 4) and (values[:, :1] == values[:, :3]).all():
        raise ValueError(
            f"Cannot {doing} an image of {values.shape[1]} channels whose first three are equal wherever it "
            "is painted: it is a grey picture saved as RGB, for instance a screenshot. Take one channel with "
            "image.isel(channel=0, drop=True)."
        )


def check_parted(values: npt.NDArray[Any], *, doing: str) -> None:
    """Refuse floats that lie so close together that no tree asks between them."""
    if not np.issubdtype(values.dtype, np.floating) or not np.isfinite(values).all():
        return
    widest = float((values.max(axis=0).astype(float) - values.min(axis=0).astype(float)).max())
    if widest < _LEAST_RANGE:
        raise ValueError(
            f"Cannot {doing} grey values that span {widest:.3g} where they are painted: a tree tells values "
            f"apart by 1e-7 at best, so {_LEAST_RANGE:g} or more is needed. Scale the image first, for "
            "instance with 255 * (image - image.min()) / (image.max() - image.min())."
        )


def check_large_enough(image: xr.DataArray, bank: FilterBank, voxel_um: tuple[float, ...]) -> None:
    """Refuse an image that is smaller than the widest filter."""
    spatial = [(str(d), image.sizes[d]) for d in image.dims if d != CHANNEL]
    widest = max(bank.scales_um)
    for (dim, size), edge in zip(spatial, voxel_um, strict=True):
        needed = 2 * reach(widest / edge) + 1
        if size < needed:
            most = max(0, (size - 1) // 2 - 0.5) * edge / TRUNCATE
            rgb = " Is it a picture in colour?" if dim == "x" and size in (3, 4) else ""
            raise ValueError(
                f"Cannot filter an image of {size} voxels along {dim} at the scale {widest:.4g} µm: the "
                f"filter has {needed} voxels.{rgb} Take a larger image, or scales_um up to {most:.4g} µm."
            )


def channel_names(image: xr.DataArray) -> tuple[str, ...]:
    """Return the names of the channels; one empty name where there is no channel dim."""
    if CHANNEL not in image.dims:
        return ("",)
    if CHANNEL in image.coords:
        return tuple(str(n) for n in image[CHANNEL].values.tolist())
    return tuple(str(k) for k in range(image.sizes[CHANNEL]))


def check_fits(
    image: xr.DataArray,
    voxel_um: tuple[float, ...],
    bank: FilterBank,
    trained_um: tuple[float, ...],
    dtype: np.dtype[Any],
    tolerance: float,
    *,
    doing: str = "segment this image with this model",
) -> None:
    """Refuse an image that is not like the one that a model was trained on."""
    if len(voxel_um) != bank.ndim:
        hint = "Segment slice by slice, image.isel(z=k)" if bank.ndim == 2 else "Pass the volume"
        raise ValueError(
            f"Cannot {doing}: the image is {len(voxel_um)}D, the model was trained on a {bank.ndim}D one. "
            f"{hint}, or train another model."
        )
    names = channel_names(image)
    if names != bank.channels:
        raise ValueError(
            f"Cannot {doing}: the image has {len(names)} channels {_said(names)}, the model was trained on "
            f"{len(bank.channels)}, {_said(bank.channels)}. Pass the same channels in the same order, with "
            "image.sel(channel=[...]), or train another model."
        )
    off = max(abs(a / b - 1) for a, b in zip(voxel_um, trained_um, strict=True))
    if off > tolerance:
        raise ValueError(
            f"Cannot {doing}: its pixel size {_edges(voxel_um)} µm differs by {100 * off:.3g} % from the "
            f"{_edges(trained_um)} µm of the training image, and {100 * tolerance:.3g} % are allowed "
            "(pixel_size_tolerance). Resample the image, or train another model."
        )
    if image.dtype != dtype:
        raise ValueError(
            f"Cannot {doing}: its dtype is {image.dtype}, that of the training image was {dtype}, and grey "
            f"values may mean something else. If they do not, convert it with image.astype('{dtype}')."
        )


def _said(names: tuple[str, ...]) -> str:
    return "without a name" if names == ("",) else ", ".join(repr(n) for n in names)


def _edges(voxel_um: tuple[float, ...]) -> str:
    return " × ".join(f"{v:.5g}" for v in voxel_um)
