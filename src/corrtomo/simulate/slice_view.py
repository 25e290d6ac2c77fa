"""FIB-SEM serial sectioning of a calendered cathode: a stack of images, as a microscope stores it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ..checks import check_spatial
from ..phases import Phase, as_labels
from ..volume import check_image, origin, volume, voxel_size
from . import face_image
from .calendered import Calendered
from .face_image import ABOVE, COATING, MARK, FaceModel
from .limits import (
    check_calendered,
    check_edge,
    check_look,
    check_model,
    check_origin,
    check_progress,
    check_seed,
    check_shape,
)
from .milling import MillingModel, mark_table, slice_table
from .raster import View
from .scene import Planes, Scene

Array = npt.NDArray[np.float64]
Progress = Callable[[Iterable[int]], Iterable[int]]
_SLAB = 32
TOP_PIXELS = 40
"""Rows of the first image above the coating, so that images may drift."""


@dataclass(frozen=True, eq=False)
class SliceStack:
    """A stack of images of milled faces, and what is known of a digital twin alone.

    Attributes
    ----------
    image : xarray.DataArray
        ``uint8``, dims z, y, x: z where the slices should lie, y and x as on the screen, in µm.
    marks : pandas.DataFrame
        Marks in the coating: ``y_um``, ``x_um`` in the first image, ``slope`` along x for each µm milled.
    tilt_deg : float
        The face is seen under this angle: a µm of the screen along y is 1 / cos `tilt_deg` µm of the face.
    slices : pandas.DataFrame
        The truth: ``slice``, ``z_um`` where it lies, ``y_um`` and ``x_um`` its drift on the screen.
    specimen : Calendered
        What was imaged.
    place_um : tuple of float
        z, y, x of the specimen at the origin of the untilted frame of the first image.
    """

    image: xr.DataArray
    marks: pd.DataFrame
    tilt_deg: float
    slices: pd.DataFrame
    specimen: Calendered
    place_um: tuple[float, float, float]

    def truth(self, like: xr.DataArray) -> xr.DataArray:
        """Return the phases on the grid of a volume in the frame of the first image, its tilt undone.

        Parameters
        ----------
        like : xarray.DataArray
            A volume with dims z, y, x, for instance from :func:`corrtomo.reconstruct.slices`.

        Returns
        -------
        xarray.DataArray
            Labels; what lies above the specimen is left out.
        """
        return truth_on(self.specimen, self.place_um, like)


def slice_and_view(
    specimen: Calendered,
    pixel_um: float = 0.025,
    slice_um: float = 0.05,
    *,
    shape: Sequence[int],
    origin_um: Sequence[float] = (0.0, 0.0, 0.0),
    milling: MillingModel | None = None,
    face: FaceModel | None = None,
    seed: int = 0,
    progress: Progress = iter,
) -> SliceStack:
    """Mill a cathode slice by slice and image each face: a digital twin, not a measurement.

    The cycling paper takes 300 images of 1024 × 768 pixels of its NMC cathode, one every 50 nm, under an
    angle of 36° ("FIB-SEM microscopy"). The twin has what makes such stacks hard to use: images
    that shift upwards and sideways, slices of uneven thickness, a foreshortened face, grooves, curtains, and
    pores without resin, through which one sees what lies behind.

    Parameters
    ----------
    specimen : Calendered
        From :func:`calendered` or :func:`cycled`.
    pixel_um : float
        Edge of a pixel of the screen in µm.
    slice_um : float
        Nominal thickness of a slice in µm.
    shape : sequence of int
        Number of slices, and of pixels along y and x.
    origin_um : sequence of float
        z of the first face, and y, x of the specimen where coating and left border meet, in µm.
    milling : MillingModel, optional
        Tilt, drift, thickness, coating and marks.
    face : FaceModel, optional
        Grey values, grooves, curtains, noise.
    seed : int
        Seed of all of these.
    progress : callable, optional
        Wraps the loop over slabs of slices, for instance ``tqdm.tqdm``.

    Returns
    -------
    SliceStack
        Images, marks, and the truth.

    Raises
    ------
    ValueError
        If sizes are out of range, or the coating does not fit into the image.
    TypeError
        If `specimen` is no calendered cathode, `milling` or `face` no such model, or `progress` wraps no
        loop.

    Notes
    -----
    Marks are two lines along the milling direction and a chevron, cut into the coating: what the paper's
    "reference markers" look like it does not say. Redeposition and charging are not modelled, nor are
    nanopores of the binder. What is seen through a pore is known to one slice and one pixel.

    Examples
    --------
    >>> import corrtomo as ct
    >>> cathode = ct.simulate.calendered((18.0, 20.0, 20.0), seed=1)
    >>> stack = ct.simulate.slice_and_view(cathode, 0.05, 0.1, shape=(4, 120, 160))
    >>> stack.image.sizes["z"], len(stack.marks)
    (4, 4)
    """
    check_calendered(specimen)
    check_seed(seed)
    check_shape(shape)
    check_model(milling, MillingModel, "milling")
    check_model(face, FaceModel, "face")
    check_progress(progress)
    mill = MillingModel() if milling is None else milling
    optics = FaceModel() if face is None else face
    pixel, thick = check_edge(pixel_um, "pixel_um"), check_edge(slice_um, "slice_um")
    count, rows, columns = (int(n) for n in shape)
    z0, y0, x0 = check_origin(origin_um)
    cos = float(np.cos(np.radians(mill.tilt_deg)))
    top = TOP_PIXELS * pixel + mill.coating_um * cos
    if top >= rows * pixel:
        raise ValueError(
            f"Cannot image {rows} rows of {pixel:g} µm: the coating alone takes {top:.3g} µm on the screen. "
            "Image more rows, or thin the coating of the model."
        )
    lower = optics.look_um * float(np.sin(np.radians(mill.tilt_deg))) / pixel
    check_look(
        optics.look_um, thick, min(count, _SLAB), rows + lower, columns,
        advice="Lower look_um of the face model, or give thicker slices, coarser or fewer pixels.",
    )  # fmt: skip
    behind = int(np.ceil(optics.look_um / thick)) + 1
    slices = slice_table(count + behind, thick, mill, seed)
    marks = mark_table(columns * pixel, count * thick, top, mill)
    # Behind its pores the beam sees what lies below the image.
    below = int(np.ceil(optics.look_um * np.sin(np.radians(mill.tilt_deg)) / pixel)) + 1
    stage = _Stage(specimen, mill, slices, marks, (rows + below, columns), pixel, top, (z0, y0, x0))
    images = np.empty((count, rows, columns), np.uint8)
    later = stage.codes(count, count + behind)[0]
    for first in progress(range((count - 1) // _SLAB * _SLAB, -1, -_SLAB)):
        last = min(first + _SLAB, count)
        faces, owners = stage.codes(first, last)
        codes = np.concatenate([faces, later])
        backs = stage.backs(codes, first, last, optics.look_um)
        seen, depth = (back[:, :rows] for back in backs)
        shown = faces[:, :rows], owners[:, :rows], (seen, depth)
        images[first:last] = face_image.record(*shown, pixel, optics, first, seed)
        later = codes[:behind].copy()
    image = volume(images, [thick, pixel, pixel], name="slice-and-view")
    place = (z0, y0 - top / cos, x0)
    return SliceStack(image, marks, mill.tilt_deg, slices[:count], specimen, place)


def truth_on(specimen: Calendered, place_um: Sequence[float], like: xr.DataArray) -> xr.DataArray:
    """Return the phases on a grid, whose origin is at a place of the specimen; above it is left out."""
    check_image(like, ndim=(3,))
    check_spatial(like, doing="tell the true phases")
    edges = np.array(voxel_size(like))
    place = np.array(origin(like)) + np.array(place_um)
    planes, rows, columns = like.shape
    codes = specimen.codes(View(edges, place, (planes, rows, columns)))
    codes[:, place[1] + np.arange(rows) * edges[1] < 0.0] = Phase.LEFT_OUT
    return as_labels(like.drop_attrs().copy(data=codes).rename("phases"))


@dataclass(frozen=True, eq=False)
class _Stage:
    """What the faces of a stack show, before any light falls on them."""

    specimen: Calendered
    mill: MillingModel
    slices: pd.DataFrame
    marks: pd.DataFrame
    shape: tuple[int, int]
    pixel_um: float
    top_um: float
    place_um: tuple[float, float, float]

    @property
    def cos(self) -> float:
        """Foreshortening of the face."""
        return float(np.cos(np.radians(self.mill.tilt_deg)))

    @cached_property
    def planes(self) -> Planes:
        """Where the pixels of each image lie in the specimen."""
        z, y, x = (self.slices[f"{d}_um"].to_numpy() for d in "zyx")
        z0, y0, x0 = self.place_um
        origins = np.stack([z0 + z, y0 - (self.top_um + y) / self.cos, x0 - x], axis=1)
        return Planes(origins, (self.pixel_um / self.cos, self.pixel_um), self.shape)

    @cached_property
    def scene(self) -> Scene:
        """The part of the specimen that the images show."""
        low = self.planes.origins_um.min(axis=0)
        high = self.planes.origins_um.max(axis=0)
        high[1:] += np.array(self.planes.pixel_um) * self.shape
        view = View(np.maximum(high - low, 1e-6), low, (2, 2, 2))
        return self.specimen.scene(view)

    def codes(self, first: int, last: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
        """Return what lies at each pixel, and whose particle: coating and marks put in."""
        planes = self.planes.part(first, last)
        codes, owners = self.specimen.draw(self.scene, planes)
        for face, start, k in zip(codes, planes.origins_um, range(first, last), strict=True):
            depth = start[1] + np.arange(self.shape[0]) * planes.pixel_um[0] - self.place_um[1]
            self._coat(face, depth, k)
        return codes, owners

    def _coat(self, face: npt.NDArray[np.uint8], depth: Array, k: int) -> None:
        """Lay the coating over a face, with its marks."""
        coat = self.mill.coating_um
        face[depth < 0.0] = COATING
        face[depth < -coat] = ABOVE
        row = np.flatnonzero(np.abs(depth + coat / 2.0) <= self.mill.mark_um / 2.0)
        along = np.arange(self.shape[1]) * self.pixel_um - self.slices["x_um"].iloc[k]
        for mark in self.marks.itertuples():
            off = along - mark.x_um - mark.slope * self.slices["z_um"].iloc[k]
            inside = off**2 + (depth[row, None] + coat / 2.0) ** 2 <= (self.mill.mark_um / 2.0) ** 2
            face[row] = np.where(inside, MARK, face[row])

    def backs(self, codes: npt.NDArray[np.uint8], first: int, last: int, look_um: float) -> Any:
        """Return what is seen at each pixel, and how far behind the face, along the electron beam."""
        some = self.slices.iloc[first : first + len(codes)]
        z, y, x = (some[f"{d}_um"].to_numpy() for d in "zyx")
        down = y + z * np.sin(np.radians(self.mill.tilt_deg))
        shift = np.stack([down, x], axis=1) / self.pixel_um
        return face_image.look_back(codes, last - first, z, shift, look_um)
