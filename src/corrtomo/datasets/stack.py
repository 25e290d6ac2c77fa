"""A slice-and-view stack that a chapter works on: raw images, their marks, the truth where it is known."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..checks import check_spatial
from ..io import read
from ..measure.options import check_between
from ..phases import Phase, as_labels
from ..volume import check_image, volume, voxel_size
from .folder import files_named
from .sample import Source

_MARKS = ["y_um", "x_um", "slope"]
_STEEPEST_DEG = 80.0
"""As ``ct.reconstruct.slices`` takes it: at 90° a face is seen edge-on."""
_SAVE = (
    "Save it as comma-separated text in UTF-8, a row a mark, below the line y_um,x_um,slope. Delete it where "
    "there are none."
)


@dataclass(frozen=True, eq=False)
class Stack:
    """Images of milled faces as the microscope stored them; what is not known is None.

    Attributes
    ----------
    image : xarray.DataArray
        Grey values, dims z, y, x: z the nominal places of the slices, y and x as on the screen, in µm.
    tilt_deg : float
        The face is seen under this angle: a µm of the screen along y is 1 / cos `tilt_deg` µm of the face.
    source : {"measured", "digital twin"}
        What kind of data it is: for captions.
    about : str
        What it is, where it is from, and its licence, in a sentence or two.
    marks : pandas.DataFrame or None
        Marks in the coating over the region: ``y_um``, ``x_um`` in the first image, and ``slope``, how far
        each runs along x for each µm milled.
    slices : pandas.DataFrame or None
        The truth of a digital twin: ``slice``, ``z_um`` where it lies, ``y_um`` and ``x_um`` its drift.
    truth_on : callable or None
        Returns the true phases on the grid of a volume in the frame of the first image, its tilt undone.
    """

    image: xr.DataArray
    tilt_deg: float
    source: Source
    about: str
    marks: pd.DataFrame | None = None
    slices: pd.DataFrame | None = None
    truth_on: Callable[[xr.DataArray], xr.DataArray] | None = None

    def truth(self, like: xr.DataArray) -> xr.DataArray:
        """Return the true phases on the grid of a volume made of this stack.

        Raises
        ------
        ValueError
            If they are not known, or `like` is no volume.
        """
        if self.truth_on is None:
            raise ValueError(
                "Cannot tell the truth of a measured stack: nobody knows it. Compare with labels of your own "
                "by ct.measure.cohen_kappa(), or use the digital twin, ct.datasets.load_stack('nmc')."
            )
        check_image(like)
        check_spatial(like, doing="tell the truth on an image")
        check_image(like, ndim=(3,))
        return self.truth_on(like)

    def labelled(self, slices: Sequence[int]) -> xr.DataArray:
        """Label some of the raw images, as a careful hand would: the truth in them, left out elsewhere.

        Parameters
        ----------
        slices : sequence of int
            Numbers of the images.

        Returns
        -------
        xarray.DataArray
            Labels on the grid of `image`.

        Raises
        ------
        ValueError
            If the truth is not known, or there is no such image.
        """
        wanted = np.asarray(slices)
        count = self.image.sizes["z"]
        if wanted.dtype.kind not in "iu" or wanted.ndim != 1 or ((wanted < 0) | (wanted >= count)).any():
            raise ValueError(
                f"Cannot label the images {slices!r}: whole numbers from 0 to {count - 1} are needed. Pass "
                "for instance [0, 10]."
            )
        edges = np.array(voxel_size(self.image))
        edges[1] /= np.cos(np.radians(self.tilt_deg))
        codes = np.full(self.image.shape, Phase.LEFT_OUT, np.uint8)
        for k in wanted.tolist():
            place = None if self.slices is None else self.slices.iloc[k]
            z, y, x = (0.0, 0.0, 0.0) if place is None else place[["z_um", "y_um", "x_um"]]
            start = [z, -y / np.cos(np.radians(self.tilt_deg)), -x]
            face = volume(np.zeros((1, *codes.shape[1:]), np.uint8), edges.tolist(), origin=start)
            codes[k] = self.truth(face).values[0]
        bare = xr.DataArray(codes, self.image.coords, self.image.dims, name="phases")
        return as_labels(bare)

    def __repr__(self) -> str:
        marks = 0 if self.marks is None else len(self.marks)
        return f"Stack({self.about}\n  image {dict(self.image.sizes)}, {marks} marks, tilt {self.tilt_deg}°)"


def stack_from_folder(
    folder: Path, *, tilt_deg: float, voxel_size_um: float | Sequence[float] | None = None
) -> Stack:
    """Take a folder of a reader's files: ``stack`` in any format, and ``marks.csv`` if it is there.

    Raises
    ------
    ValueError
        If there is no ``stack`` of two slices or more, several files answer to one name, or columns, dims or
        numbers are missing.
    TypeError
        If the stack is a mask.
    """
    found = files_named(folder, ("stack", "marks"), kind="stack")
    marks = _marks(found["marks"]) if "marks" in found else None
    stack = read(found["stack"], voxel_size_um)
    if stack.dims != ("z", "y", "x"):
        raise ValueError(
            f"Cannot use {found['stack']} as a stack: its dims are {stack.dims}, and z, y, x are needed, one "
            "image a slice. Take one channel of it first."
        )
    if stack.dtype == bool:
        raise TypeError(
            f"Cannot use {found['stack']} as a stack: it is a mask of booleans, and grey values are needed. "
            "Pass the images that the mask was made from."
        )
    if stack.sizes["z"] < 2:
        raise ValueError(
            f"Cannot use {found['stack']} as a stack: it has one slice, and two or more are needed. Load a "
            "single image with ct.datasets.load_section()."
        )
    about = f"Measured: {found['stack'].name}."
    return Stack(stack, tilt_deg, "measured", about, marks)


def check_tilt(tilt_deg: Any) -> None:
    """Refuse what is no angle under which a face is seen."""
    check_between(tilt_deg, "tilt_deg", 0.0, _STEEPEST_DEG, doing="load a stack")


def _marks(path: Path) -> pd.DataFrame:
    """Read a table of marks; refuse one that lacks columns, rows or numbers."""
    try:
        with warnings.catch_warnings():
            # Without index_col the first column of rows that are too long would name them.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            marks = pd.read_csv(path, index_col=False)
    except (ValueError, pd.errors.ParserWarning) as error:  # no text, not UTF-8, or rows of uneven length
        raise ValueError(f"Cannot read the marks of {path}: {error}. {_SAVE}") from error
    if not set(marks.columns) >= set(_MARKS):
        raise ValueError(
            f"Cannot use the marks of {path}: its columns are {list(marks.columns)}, and y_um, x_um and "
            "slope are needed. Give where each mark is in the first image, in µm, and how far it runs "
            "along x for each µm milled."
        )
    numbers = all(marks[name].dtype.kind in "iuf" for name in _MARKS)
    if marks.empty or not numbers or not np.isfinite(marks[_MARKS].to_numpy(float)).all():
        raise ValueError(
            f"Cannot use the marks of {path}: {len(marks)} rows, and one or more are needed, with finite "
            f"numbers as y_um, x_um and slope. {_SAVE}"
        )
    return marks
