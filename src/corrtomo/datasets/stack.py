"""A slice-and-view stack that a chapter works on: raw images, their marks, the truth where it is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import xarray as xr

from ..io import read
from .folder import files_named
from .sample import Source

_MARKS = {"y_um", "x_um", "slope"}


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
            If they are not known.
        """
        if self.truth_on is None:
            raise ValueError(
                "Cannot tell the truth of a measured stack: nobody knows it. Compare with labels of your own "
                "by ct.measure.cohen_kappa(), or use the digital twin, ct.datasets.load_stack('nmc')."
            )
        return self.truth_on(like)

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
        If there is no ``stack``, several files answer to one name, or columns or dims are missing.
    """
    found = files_named(folder, ("stack", "marks"), kind="stack")
    marks = None
    if path := found.get("marks"):
        marks = pd.read_csv(path)
        if not set(marks.columns) >= _MARKS:
            raise ValueError(
                f"Cannot use the marks of {path}: its columns are {list(marks.columns)}, and y_um, x_um and "
                "slope are needed. Give where each mark is in the first image, in µm, and how far it runs "
                "along x for each µm milled."
            )
    stack = read(found["stack"], voxel_size_um)
    if stack.dims != ("z", "y", "x"):
        raise ValueError(
            f"Cannot use {found['stack']} as a stack: its dims are {stack.dims}, and z, y, x are needed, one "
            "image a slice. Take one channel of it first."
        )
    about = f"Measured: {found['stack'].name}."
    return Stack(stack, tilt_deg, "measured", about, marks)
