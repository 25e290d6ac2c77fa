"""A scene: images of many scales and the alignments between them, as one graph."""

from __future__ import annotations

import os
from typing import Any, Self

import pandas as pd
import xarray as xr

from ..alignment import Alignment
from .chain import chained, resample
from .edges import Step, step_of
from .error import SceneError
from .file import read_scene, write_scene
from .grid import Grid, grid_and_image
from .paths import Loop, best_chain, check_loops, find_loops, joined_with
from .tables import alignment_table, image_table, loop_table


class Scene:
    """Images and the alignments between them: any image onto any other, with the error carried along.

    A battery is seen by an overview at tens of µm, a detail, nanoCT, a section and SIMS; each was aligned
    with its neighbour in scale, and none with all. The scene chains the alignments ("cross-scale, correlated
    characterization", Fraunhofer IKTS).

    Notes
    -----
    The error of a chain is the root of the sum of squares of the errors of its alignments, each in µm of the
    last frame, at the farthest point that the first and the last image share. Beyond the overlap in which an
    alignment was found, its error grows in proportion to the distance from the middle of that overlap, as a
    turn carries it. The sum holds for independent errors only: two alignments with one image share what that
    image has wrong, such as a voxel size or a distortion, which a chain does not show, and a loop may.

    Across an affine alignment an error is scaled by the geometric mean of the three scales: it is right for
    rigid and similar ones. Two images may be joined that share no place, as tiles and neighbours do.

    What the matrix of a section says of z is replaced by the normal of its plane in the volume.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> scene = ct.register.Scene()
    >>> for name, size, voxel in [("cell", 60, 100.0), ("detail", 50, 10.0), ("SEM", 40, 1.0)]:
    ...     scene.add(name, ct.volume(np.zeros((size, size)), voxel))
    >>> at = lambda y, x: [[1, 0, y], [0, 1, x], [0, 0, 1]]
    >>> scene.align("detail", "cell", ct.register.stated(at(3000.0, 2000.0), error_um=30.0))
    >>> scene.align("SEM", "detail", ct.register.stated(at(200.0, 100.0), error_um=4.0))
    >>> found = scene.between("SEM", "cell")
    >>> found.points([0.0, 0.0]).tolist(), round(found.error_um, 2)
    ([3200.0, 2100.0], 30.27)
    """

    def __init__(self) -> None:
        self._grids: dict[str, Grid] = {}
        self._images: dict[str, xr.DataArray] = {}
        self._steps: dict[frozenset[str], Step] = {}
        self._known: dict[frozenset[str], Alignment] = {}
        self._checked: list[Loop] | None = None

    @property
    def grids(self) -> dict[str, Grid]:
        """The grid of each image, in the order in which they were added."""
        return dict(self._grids)

    @property
    def images(self) -> dict[str, xr.DataArray]:
        """The images whose values are known; of a scene from a file, none."""
        return dict(self._images)

    def __repr__(self) -> str:
        joined = [f"{step.source} → {step.target}" for step in self._steps.values()]
        names, pairs = ", ".join(self._grids), ", ".join(joined) or "none"
        return f"Scene({len(self._grids)} images: {names}; aligned: {pairs})"

    def add(self, name: str, image: xr.DataArray | Grid) -> None:
        """Add an image, or its grid alone; it is kept as it is, and not read.

        Parameters
        ----------
        name : str
            What it is called in the scene.
        image : xarray.DataArray or Grid
            Dims z, y, x or y, x, with channels or without, NumPy or Dask. Given an image for a name that has
            only a grid so far, as of a scene from a file, that grid gets its values.

        Raises
        ------
        TypeError, ValueError
            If the name is taken or none, or the image is no image of the data model.
        """
        if not isinstance(name, str) or not name.strip():
            raise TypeError(
                f"Cannot add an image named {name!r} to the scene: a word is needed. Pass for "
                "instance 'nanoCT'."
            )
        grid, values = grid_and_image(name, image)
        known = self._grids.get(name)
        if known is not None and (name in self._images or values is None or not known.same(grid)):
            raise ValueError(
                f"Cannot add {name!r} to the scene: it holds one of that name with {known.shape} voxels of "
                f"{known.voxel_um} µm. Give the new one another name."
            )
        self._grids.setdefault(name, grid)
        if values is not None:
            self._images[name] = values

    def align(self, moving: str, fixed: str, alignment: Alignment) -> None:
        """Join two images by an alignment that leads from the first to the second.

        Parameters
        ----------
        moving, fixed : str
            Names of images of the scene.
        alignment : Alignment or SectionAlignment
            As :func:`align` or :func:`locate_section` finds it for these two, or :func:`stated` makes it.

        Raises
        ------
        TypeError, ValueError
            If an image is unknown, both are one or joined already, or the alignment does not fit them.
        """
        pair = self._pair(moving, fixed, doing="align")
        if pair in self._steps:
            known = self._steps[pair]
            raise ValueError(
                f"Cannot align {moving!r} with {fixed!r}: they are joined already, with an error of "
                f"{known.error_um:.4g} µm. Remove that alignment first with scene.drop({moving!r}, "
                f"{fixed!r})."
            )
        grids = self._grids[moving], self._grids[fixed]
        self._steps[pair], self._known[pair] = step_of(moving, fixed, grids, alignment)
        self._checked = None

    def drop(self, first: str, second: str) -> None:
        """Remove the alignment between two images."""
        pair = self._pair(first, second, doing="drop an alignment of")
        if pair not in self._steps:
            joined = [" and ".join(map(repr, sorted(p))) for p in self._steps]
            raise ValueError(
                f"Cannot drop an alignment of {first!r} with {second!r}: there is none. Joined are "
                f"{', '.join(joined) or 'no images'}; see scene.alignments()."
            )
        del self._steps[pair], self._known[pair]
        self._checked = None

    def between(self, moving: str, fixed: str, *, allow: bool = False) -> Alignment:
        """Return how one image lies in the frame of another, through as many others as it takes.

        Parameters
        ----------
        moving, fixed : str
            Names of images of the scene.
        allow : bool
            Answer although the chain runs through a loop that contradicts itself.

        Returns
        -------
        Alignment
            Along the chain with the least error: a :class:`ChainedAlignment`, or between a section and a
            volume a :class:`ChainedSection`; `path` names the images. Sections joined through sections
            alone have a 3 × 3 matrix, all others 4 × 4.

        Raises
        ------
        SceneError
            If nothing joins the images, or the chain is part of a loop that does not close: by more than
            four times what the stated errors allow.
        TypeError, ValueError
            If an image is unknown.
        """
        for name in (moving, fixed):
            self._check_name(name, doing="find an alignment")
        chain = best_chain(list(self._steps.values()), moving, fixed, self._grids)
        if chain is None:
            joined = ", ".join(map(repr, joined_with(fixed, self._steps, self._grids))) or "nothing"
            raise SceneError(
                f"Cannot find an alignment of {moving!r} with {fixed!r}: no chain of alignments joins them. "
                f"{fixed!r} is joined with {joined}. Align one of "
                "those with the other side first: scene.align(moving, fixed, alignment)."
            )
        if not allow:
            check_loops(self._loops(), chain, list(self._steps.values()), self._grids, moving, fixed)
        return chained((moving, fixed), chain, self._grids, self._known)

    def resample(
        self,
        moving: str,
        *,
        onto: str,
        fill: float | None = None,
        labels: bool | None = None,
        allow: bool = False,
    ) -> xr.DataArray:
        """Bring an image of the scene onto the grid of another.

        Parameters
        ----------
        moving, onto : str
            Names of images of the scene; of `onto` only the grid is used.
        fill, labels, allow
            As in :meth:`Alignment.resample`, and in :meth:`between`.

        Returns
        -------
        xarray.DataArray
            On the grid of `onto`, as :meth:`Alignment.resample` and, between a section and a volume,
            :meth:`SectionAlignment.resample` have it.

        Raises
        ------
        SceneError, ValueError
            As :meth:`between`; or if the values of the image are not known, two sections do not lie in one
            plane, within their error or half a pixel, or the result would hold over 2³⁰ voxels.
        """
        found = self.between(moving, onto, allow=allow)
        if moving not in self._images:
            raise SceneError(
                f"Cannot resample {moving!r}: the scene knows its grid, and not its values. Give it the "
                f"image first with scene.add({moving!r}, image)."
            )
        pair = self._grids[moving], self._grids[onto]
        return resample(found, self._images[moving], (moving, onto), pair, fill=fill, labels=labels)

    def loops(self) -> pd.DataFrame:
        """Return how well the independent loops of alignments close.

        Returns
        -------
        pandas.DataFrame
            A row a loop: `loop`, its images; `alignments`, their number; `closure_um`, how far the way round
            is from coming back, at the farthest point that the first two frames share; `expected_um`, what
            the stated errors allow there; `z`, one over the other; `contradicts`, whether that is above 4.

        Notes
        -----
        Each alignment outside a spanning tree of those with the least errors closes one. What all alignments
        of a loop have wrong alike does not open it.
        """
        return loop_table(self._loops())

    def table(self, onto: str | None = None) -> pd.DataFrame:
        """Return the images, a row each: dims, voxels, voxel size and size in µm.

        Given the name of an image as `onto`, also where the middle of each lies in its frame, and the error
        of that, in µm; NaN where nothing joins them. Loops that contradict themselves are allowed here.
        """
        if onto is not None:
            self._check_name(onto, doing="tell places")
            joined = {onto, *joined_with(onto, self._steps, self._grids)}
            found = {name: self.between(name, onto, allow=True) for name in self._grids if name in joined}
            return image_table(self._grids, found, onto)
        return image_table(self._grids)

    def alignments(self) -> pd.DataFrame:
        """Return the alignments, a row each; errors in µm of the fixed image, `contradicts` as in loops."""
        return alignment_table(self._steps, self._known, self._loops())

    def write(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write grids and alignments, and no values, to a JSON file: a scene of OME-NGFF 0.6, with errors."""
        write_scene(self._grids, self._steps, self._known, path, overwrite=overwrite)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read a scene that :meth:`write` wrote; give it images with :meth:`add`."""
        grids, alignments = read_scene(path)
        out = cls()
        for name, grid in grids.items():
            out.add(name, grid)
        for moving, fixed, found in alignments:
            out.align(moving, fixed, found)
        return out

    def _check_name(self, name: Any, *, doing: str) -> None:
        if not isinstance(name, str) or name not in self._grids:
            held = ", ".join(map(repr, self._grids)) or "no image"
            raise (ValueError if isinstance(name, str) else TypeError)(
                f"Cannot {doing} of {name!r}: the scene holds {held}. Add it with scene.add(name, image)."
            )

    def _pair(self, first: Any, second: Any, *, doing: str) -> frozenset[str]:
        for name in (first, second):
            self._check_name(name, doing=f"{doing} {first!r} with {second!r}: there is no image")
        if first == second:
            raise ValueError(f"Cannot {doing} {first!r} with itself: two images are needed. Pass two names.")
        return frozenset((first, second))

    def _loops(self) -> list[Loop]:
        if self._checked is None:
            self._checked = find_loops(list(self._steps.values()), self._grids)
        return self._checked
