"""Scribbles: the few voxels that are painted, as places and codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from ...checks import check_same_grid, check_spatial
from ...volume import CHANNEL, check_image
from .classes import NOT_PAINTED, Classes


@dataclass(frozen=True)
class Scribbles:
    """Painted voxels in the order of the image: places, dims voxel, axis; and their codes.

    Those of several images stand one after the other, and their `shape` is empty.
    """

    places: npt.NDArray[np.int64]
    codes: npt.NDArray[np.uint8]
    shape: tuple[int, ...]

    @classmethod
    def of(
        cls, painted: xr.DataArray, image: xr.DataArray, classes: Classes, *, complete: bool = True
    ) -> Scribbles:
        """Gather what is painted; refuse what does not belong to the image or the classes.

        If `complete`, each class must be painted; else anything.
        """
        _check(painted, image, classes)
        places, codes = [], []
        for start, part in _parts(painted):
            here = np.nonzero(part != NOT_PAINTED)
            places.append(np.stack(here, axis=1) + np.array(start))
            codes.append(np.asarray(part[here], np.int64))
        where, what = np.concatenate(places), np.concatenate(codes)
        order = np.lexsort(where.T[::-1])
        check_painted(what, classes, complete=complete)
        return cls(where[order].astype(np.int64), what[order].astype(np.uint8), painted.shape)

    @classmethod
    def joined(cls, several: Sequence[Scribbles]) -> Scribbles:
        """Put the scribbles of several images one after the other."""
        if len(several) == 1:
            return several[0]
        places = np.concatenate([some.places for some in several])
        return cls(places, np.concatenate([some.codes for some in several]), ())

    def on(self, image: xr.DataArray, classes: Classes) -> xr.DataArray:
        """Paint them again, on an image of the same size."""
        check_image(image)
        plain = one_channel(image)
        if not self.shape:
            raise ValueError(
                "Cannot paint the scribbles of several images on one: which of them lie on it is not kept. "
                "Keep the scribbles themselves, for instance with ct.write()."
            )
        if plain.shape != self.shape:
            raise ValueError(
                f"Cannot paint these scribbles on an image of size {plain.shape}: they were painted on one "
                f"of {self.shape}. Pass the image that the model was trained on."
            )
        painted = np.full(self.shape, NOT_PAINTED, np.uint8)
        painted[tuple(self.places.T)] = self.codes
        out = plain.copy(data=painted)
        out.attrs, out.name = {"classes": {n: k for k, n in enumerate(classes.names)}}, "scribbles"
        return out


def one_channel(image: xr.DataArray) -> xr.DataArray:
    """Return the grid of an image without its channels."""
    return image.isel({CHANNEL: 0}, drop=True) if CHANNEL in image.dims else image


def _parts(painted: xr.DataArray) -> Any:
    """Walk over the chunks of scribbles: where each begins, and its values."""
    if painted.chunks is None:
        yield (0,) * painted.ndim, np.asarray(painted.data)
        return
    ends = [np.cumsum([0, *sizes]).tolist() for sizes in painted.chunks]
    for index in product(*(range(len(sizes)) for sizes in painted.chunks)):
        part = tuple(slice(e[i], e[i + 1]) for e, i in zip(ends, index, strict=True))
        yield tuple(p.start for p in part), np.asarray(painted.data[part])


def _check(painted: xr.DataArray, image: xr.DataArray, classes: Classes) -> None:
    doing = "train with these scribbles"
    check_image(painted)
    check_spatial(painted, doing=doing)
    if not np.issubdtype(painted.dtype, np.integer):
        raise TypeError(
            f"Cannot {doing}: their dtype is {painted.dtype}, but whole numbers are needed: the place of "
            f"each voxel's class among the classes, or {NOT_PAINTED} where nothing is painted. Convert them "
            "with scribbles.astype('uint8'), or draw boxes with ct.segment.boxes()."
        )
    check_same_grid(one_channel(image), painted, doing=doing)
    said = painted.attrs.get("classes")
    if isinstance(said, Mapping) and dict(said) != {n: k for k, n in enumerate(classes.names)}:
        raise ValueError(
            f"Cannot {doing}: they say what their codes mean, {dict(said)}, but the classes of the model are "
            f"{list(classes.names)}, counted from 0. Make the model with the same classes in the same order."
        )


def check_painted(codes: npt.NDArray[Any], classes: Classes, *, complete: bool) -> None:
    """Refuse codes that are no class, and if all must be painted, classes without a voxel."""
    wrong = np.unique(codes[(codes < 0) | (codes >= len(classes.names))])
    if len(wrong):
        raise ValueError(
            f"Cannot train with the code {wrong[0]} in the scribbles: the classes {list(classes.names)} have "
            f"the codes 0 to {len(classes.names) - 1}, and {NOT_PAINTED} is not painted. Paint with these "
            "codes, or name more classes."
        )
    if not complete:
        if not len(codes):
            raise ValueError(
                "Cannot train with scribbles where nothing is painted: an image that teaches nothing is "
                "likely a file mixed up. Paint something, or leave out the image."
            )
        return
    counts = np.bincount(codes, minlength=len(classes.names))
    empty = [n for n, count in zip(classes.names, counts, strict=True) if count == 0]
    if len(empty) >= len(classes.names) - 1:
        raise ValueError(
            f"Cannot train with {len(classes.names) - len(empty)} of {len(classes.names)} classes painted: a "
            f"classifier tells two or more apart, and {empty} have no voxel. Paint some of each."
        )
    if empty:
        raise ValueError(
            f"Cannot train without scribbles of {empty}: each class needs one painted voxel or more. Paint "
            "some, or leave the class out and count the codes anew."
        )


def check_several(images: Any, scribbles: Any) -> None:
    """Refuse what are no two sequences of one length."""
    for name, value in (("images", images), ("scribbles", scribbles)):
        if isinstance(value, xr.DataArray | str) or not isinstance(value, Sequence):
            raise TypeError(
                f"Cannot train on several images: {name} is a {type(value).__name__}, and a list or tuple is "
                "needed. For one image call fit(image, scribbles)."
            )
    if len(images) != len(scribbles) or not images:
        raise ValueError(
            f"Cannot train on {len(images)} images with {len(scribbles)} scribbles: as many of one as of the "
            "other are needed, and one or more. Pass the scribbles of each image in the same order."
        )
