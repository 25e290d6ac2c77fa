"""A wound cell that a chapter works on: overview, detail, and the truth where it is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ..checks import check_same_grid
from ..volume import check_image
from .sample import Source

Frame = Literal["overview", "detail"]
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cell:
    """A wound cell seen by X-rays; what is not known or was not taken is None.

    Images are read, or made, when they are first asked for.

    Attributes
    ----------
    source : {"measured", "digital twin"}
        What kind of data it is: for captions.
    about : str
        What it is, where it is from, and its licence, in a sentence or two.
    makers : mapping of str to callable
        What makes each image.
    outgrowths : pandas.DataFrame or None
        The truth, a row each: see :class:`corrtomo.simulate.JellyRoll`; places in the frame of the overview,
        and ``in_detail``.
    pose : numpy.ndarray or None
        The truth: 4 × 4, takes (z, y, x, 1) in µm from the frame of the detail to that of the overview.
    centre_um : tuple of float or None
        The truth: y and x of the axis of the can in the overview.
    layers_on : callable or None
        The truth: returns layers or phases on the grid of an image, in the frame of either.
    spiral_of : callable or None
        The truth: returns where a collector runs in the overview.
    """

    source: Source
    about: str
    makers: Mapping[str, Callable[[], xr.DataArray]] = field(repr=False)
    outgrowths: pd.DataFrame | None = None
    pose: Matrix | None = None
    centre_um: tuple[float, float] | None = None
    layers_on: Callable[[xr.DataArray, str, bool], xr.DataArray] | None = None
    spiral_of: Callable[[str], pd.DataFrame] | None = None

    def _get(self, name: str) -> xr.DataArray | None:
        return self.makers[name]() if name in self.makers else None

    def _given_truth(self, frame: Frame) -> xr.DataArray | None:
        """Return the truth that was given with an image, and refuse one on another grid."""
        image, truth = getattr(self, frame), self._get(f"{frame}-truth")
        if image is not None and truth is not None:
            check_same_grid(image, truth, doing=f"use {frame}-truth")
        return truth

    @cached_property
    def overview(self) -> xr.DataArray | None:
        """Grey values of the whole width of the cell, dims z, y, x."""
        return self._get("overview")

    @cached_property
    def detail(self) -> xr.DataArray | None:
        """Grey values of a small field, dims z, y, x, in a frame of its own."""
        return self._get("detail")

    @cached_property
    def overview_truth(self) -> xr.DataArray | None:
        """Layers at the voxel centres of the overview."""
        if self.layers_on is not None and self.overview is not None:
            return self.truth(self.overview)
        return self._given_truth("overview")

    @cached_property
    def detail_truth(self) -> xr.DataArray | None:
        """Layers at the voxel centres of the detail."""
        if self.layers_on is not None and self.detail is not None:
            return self.truth(self.detail, frame="detail")
        return self._given_truth("detail")

    @cached_property
    def winding(self) -> xr.DataArray | None:
        """Grey values of one slice of a regular winding, dims y, x; its pixel size may not be stated."""
        return self._get("winding")

    @cached_property
    def winding_mask(self) -> xr.DataArray | None:
        """Where that slice shows electrode, as published."""
        return self._get("winding-mask")

    @cached_property
    def collectors(self) -> xr.DataArray | None:
        """Labels 1 and 2 of the two collectors in one slice, dims y, x, as published."""
        return self._get("collectors")

    def truth(self, like: xr.DataArray, *, frame: Frame = "overview", phases: bool = False) -> xr.DataArray:
        """Return the true layers on the grid of an image; with `phases`, :class:`corrtomo.Phase` instead.

        Parameters
        ----------
        like : xarray.DataArray
            Any image with dims z, y, x: a crop of the overview, or a finer grid of your own.
        frame : {"overview", "detail"}
            In which frame its coordinates are.
        phases : bool
            Return pore, binder, active material, collector and separator: with the particles in the coatings.

        Returns
        -------
        xarray.DataArray
            ``uint8`` on the grid of `like`; ``attrs["classes"]``, or ``attrs["phases"]``, has the codes.

        Raises
        ------
        ValueError
            If they are not known, the frame is not one of two, or `like` is no volume.
        """
        if self.layers_on is None:
            raise ValueError(
                "Cannot tell the truth of a measured cell: nobody knows it. Use the digital twin, "
                "ct.datasets.load_cell()."
            )
        if not isinstance(frame, str) or frame not in get_args(Frame):
            raise ValueError(f"Cannot tell the truth in frame {frame!r}: allowed are {get_args(Frame)}.")
        check_image(like, ndim=(3,))
        return self.layers_on(
            like.isel(channel=0, drop=True) if "channel" in like.dims else like, frame, phases
        )

    def spiral(self, layer: str = "copper") -> pd.DataFrame:
        """Return where the middle of a collector runs in the overview.

        Parameters
        ----------
        layer : {"copper", "aluminium"}
            Which.

        Returns
        -------
        pandas.DataFrame
            ``winding_deg``, ``turn``, ``y_um``, ``x_um``, ``radius_um`` from the axis of the can, and
            ``thickness_um``.

        Raises
        ------
        ValueError
            If it is not known, or there is no such layer.
        """
        if self.spiral_of is None:
            raise ValueError(
                "Cannot tell the spiral of a measured cell: nobody knows it. Use the digital twin, "
                "ct.datasets.load_cell(), or trace it."
            )
        return self.spiral_of(layer)

    def __repr__(self) -> str:
        return f"Cell({self.about}\n  {', '.join(self.makers)})"
