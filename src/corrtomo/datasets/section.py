"""A cross-section that a chapter works on: images of one plane, and the truth where it is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ..checks import check_same_grid
from ..io import read
from ..phases import Phase, as_labels, check_codes, check_integer
from ..simulate.cross_section import CLASSES, PHASE_OF_CLASS
from ..volume import check_image
from .folder import files_named
from .sample import Source

_FILES = ("image", "bare", "truth", "classes", "cracks", "eds")


@dataclass(frozen=True, eq=False)
class Section:
    """Images of one polished plane; what is not known or was not imaged is None.

    Attributes
    ----------
    image : xarray.DataArray
        Grey values of the electron microscope, ``uint8``, dims channel, y, x (or y, x for one detector).
    source : {"measured", "digital twin"}
        What kind of data it is: for captions.
    about : str
        What it is, where it is from, and its licence, in a sentence or two.
    truth : xarray.DataArray or None
        Labels on the grid of `image`.
    classes : xarray.DataArray or None
        The classes that an operator tells apart, finer than phases, as codes in the order of
        ``attrs["classes"]``.
    cracks : xarray.DataArray or None
        Where particles are cracked: 0 none, 1 empty, 2 filled with carbon binder domain.
    bare : xarray.DataArray or None
        The same plane before its pores were filled.
    eds : xarray.DataArray or None
        X-ray counts, dims channel (elements), y, x, in their own frame.
    pose : numpy.ndarray or None
        3 × 3, takes (y, x, 1) in µm from the frame of `image` to that of `eds`. A registration must find it.
    boxes : pandas.DataFrame or None
        Rectangles that an operator drew for training (of the digital twin, the largest square in each class):
        ``class``, and ``y``, ``x``, ``height``, ``width`` in pixels.
    """

    image: xr.DataArray
    source: Source
    about: str
    truth: xr.DataArray | None = None
    classes: xr.DataArray | None = None
    cracks: xr.DataArray | None = None
    bare: xr.DataArray | None = None
    eds: xr.DataArray | None = None
    pose: npt.NDArray[np.float64] | None = None
    boxes: pd.DataFrame | None = None

    @property
    def merge(self) -> dict[str, str]:
        """What becomes of classes that are finer than phases."""
        names = () if self.classes is None else self.classes.attrs["classes"]
        phases = {name: PHASE_OF_CLASS[name].label for name in names if name in PHASE_OF_CLASS}
        return {name: phase for name, phase in phases.items() if name != phase}

    def of_class(self, name: str) -> xr.DataArray:
        """Tell where a class lies: booleans on the grid of `image`, nowhere where the section lacks it.

        Raises
        ------
        ValueError
            If no section has a class of that name.
        """
        codes = {} if self.classes is None else self.classes.attrs["classes"]
        known = dict.fromkeys([*codes, *CLASSES, *(p.label for p in Phase if p is not Phase.LEFT_OUT)])
        if not isinstance(name, str) or name not in known:
            raise ValueError(
                f"Cannot tell where {name!r} lies: no class has that name. Known are {', '.join(known)}. "
                "Pass one of them."
            )
        plane = self.image.isel(channel=0, drop=True) if "channel" in self.image.dims else self.image
        if self.classes is None or name not in codes:
            return xr.zeros_like(plane, dtype=bool).rename(name)
        mask: xr.DataArray = self.classes == codes[name]
        return mask.rename(name)

    def __repr__(self) -> str:
        names = ("image", "truth", "classes", "cracks", "bare", "eds")
        images = {name: getattr(self, name) for name in names}
        sizes = (f"{name} {dict(image.sizes)}" for name, image in images.items() if image is not None)
        return f"Section({self.about}\n  " + "\n  ".join(sizes) + ")"


def named_classes(codes: xr.DataArray) -> xr.DataArray:
    """List the five classes of the paper in the attributes of their codes.

    Raises
    ------
    ValueError
        If there are other codes.
    """
    check_integer(codes, doing="read classes")
    unknown = sorted(set(np.unique(codes.data).tolist()) - {*range(len(CLASSES)), int(Phase.LEFT_OUT)})
    if unknown:
        raise ValueError(
            f"Cannot read classes with the codes {unknown}: allowed are 0 to {len(CLASSES) - 1} for "
            f"{CLASSES}, and 255 for left out. Without classes the phases of truth are taken."
        )
    return codes.assign_attrs(phases={}, classes={name: code for code, name in enumerate(CLASSES)})


def classes_of_phases(truth: xr.DataArray) -> xr.DataArray:
    """Return the phases that occur as classes, numbered from 0: what is painted where none is finer."""
    present = [p for p in check_codes(truth) if p is not Phase.LEFT_OUT]
    table = np.full(256, int(Phase.LEFT_OUT), np.uint8)
    table[[int(p) for p in present]] = np.arange(len(present))
    codes = truth.copy(data=table[np.asarray(truth.data)]).rename("classes")
    return codes.assign_attrs(phases={}, classes={p.label: k for k, p in enumerate(present)})


def section_from_folder(folder: Path, *, pixel_um: float | None = None) -> Section:
    """Take a folder of a reader's files: ``image`` and, if there, ``bare``, ``truth``, ``cracks``, ``eds``.

    Images of one detector get a channel, so that chapters take one detector as they take two.

    Raises
    ------
    ValueError
        If there is no ``image``, several files answer to one name, or grids that must agree differ.
    """
    found = files_named(folder, _FILES, kind="section")
    images: dict[str, Any] = {
        name: read(path, None if name == "eds" else pixel_um) for name, path in found.items()
    }
    if "truth" in images:
        images["truth"] = as_labels(images["truth"])
    first = images["image"]
    check_image(first, ndim=(2,))
    for name in set(images) & {"truth", "classes", "cracks"}:
        check_integer(images[name], doing=f"use {name} beside the image")
        if images[name].ndim != 2:
            raise ValueError(
                f"Cannot use {name} with dims {images[name].dims}: one image of codes is needed, y, x. "
                "Select a channel first."
            )
    if "eds" in images and ("channel" not in images["eds"].dims or images["eds"].dtype.kind not in "iu"):
        raise ValueError(
            f"Cannot use eds with dims {images['eds'].dims} and dtype {images['eds'].dtype}: whole counts "
            "with a channel for each element are needed, dims channel, y, x."
        )
    grid = first.isel(channel=0, drop=True) if "channel" in first.dims else first
    for name in set(images) & {"bare", "truth", "classes", "cracks"}:
        other = images[name]
        one = other.isel(channel=0, drop=True) if "channel" in other.dims else other
        check_same_grid(grid, one, doing=f"use {name} beside the image")
    if "classes" in images:
        images["classes"] = named_classes(images["classes"])
    elif "truth" in images:
        images["classes"] = classes_of_phases(images["truth"])
    for name in set(images) & {"image", "bare"}:
        if "channel" not in images[name].dims:
            images[name] = images[name].expand_dims(channel=["detector"])
    return Section(**images, source="measured", about=f"Measured: {found['image'].name}.")
