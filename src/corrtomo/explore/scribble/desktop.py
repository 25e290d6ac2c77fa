"""Painting on a desktop: the same scribbles in napari."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from ...checks import check_same_grid
from ...phases import Phase, check_integer
from ...volume import CHANNEL, check_image, origin, voxel_size
from .classes import check_classes, describe_classes
from .discriminant import LEFT_OUT
from .scribbling import channel_names, check_codes

_BACKGROUND = 0
"""What napari shows as not painted; the codes of the classes follow from 1 on."""


@dataclass(frozen=True)
class NapariSession:
    """A napari window with an image and scribbles on it; made by :func:`napari`.

    Attributes
    ----------
    viewer : napari.Viewer
        The window.
    layer : napari.layers.Labels
        The scribbles; class 0 is its label 1.
    grid : xarray.DataArray
        The image without its channels, whose coordinates the scribbles have.
    names : tuple of str
        The classes, in the order of their codes.
    """

    viewer: Any
    layer: Any
    grid: xr.DataArray
    names: tuple[str, ...]

    @property
    def scribbles(self) -> xr.DataArray:
        """What is painted now: codes of the classes, 255 where nothing is painted.

        Raises
        ------
        ValueError
            If a label has been painted that is no class.
        """
        painted = np.asarray(self.layer.data)
        wrong = [label for label in np.unique(painted).tolist() if not 0 <= label <= len(self.names)]
        if wrong:
            raise ValueError(
                f"Cannot take labels {wrong} out of napari: {len(self.names)} classes have labels 1 to "
                f"{len(self.names)}, and 0 is not painted. Paint over them with one of these."
            )
        codes = np.where(painted == _BACKGROUND, LEFT_OUT, painted - 1).astype(np.uint8)
        attrs = {"classes": {name: code for code, name in enumerate(self.names)}}
        return xr.DataArray(codes, self.grid.coords, self.grid.dims, name="scribbles", attrs=attrs)


def napari(
    image: xr.DataArray,
    scribbles: xr.DataArray | None = None,
    *,
    classes: Sequence[Phase | str],
    merge: Mapping[str, str] | None = None,
) -> NapariSession:
    """Open an image in napari, with a layer of scribbles to paint on.

    Parameters
    ----------
    image : xarray.DataArray
        Grey values, dims out of channel, z, y, x, two of the latter or more; each channel becomes a layer.
    scribbles : xarray.DataArray, optional
        To begin with: codes of the classes on the grid of the image, 255 where nothing is painted.
    classes : sequence of str or Phase
        What is painted, in the order of the codes.
    merge : mapping of str to str, optional
        As for :func:`scribble`: it chooses the colours.

    Returns
    -------
    NapariSession
        Its ``scribbles`` are what is painted at that time, ready for
        :meth:`corrtomo.segment.PixelClassifier.fit` and ``ct.write``.

    Raises
    ------
    ImportError
        If napari is not installed.
    ValueError
        If grids differ, or a code is no class.

    Notes
    -----
    napari keeps 0 for what is not painted: there, label 1 is the class with code 0. The scale is passed on,
    so that its scale bar is in µm. In a script, call ``napari.run()`` afterwards to keep the window open.
    """
    check_image(image, ndim=(2, 3))
    known = check_classes(classes, merge)
    whole = image if CHANNEL in image.dims else image.expand_dims(CHANNEL)
    grid = whole.isel({CHANNEL: 0}, drop=True)
    labels = np.zeros(grid.shape, np.uint8)
    if scribbles is not None:
        check_same_grid(scribbles, grid, doing="paint on with these scribbles")
        check_integer(scribbles, doing="paint on with these scribbles")
        check_codes(scribbles, known.names)
        codes = scribbles.values
        labels = np.where(codes == LEFT_OUT, _BACKGROUND, codes + 1).astype(np.uint8)
    viewer = _library().Viewer(title="corrtomo: scribbles")
    place = {"scale": voxel_size(grid), "translate": origin(grid)}
    for name, channel in zip(channel_names(whole), whole, strict=True):
        viewer.add_image(channel.data, name=name, colormap="gray", **place)
    colours = dict(enumerate((c["colour"] for c in describe_classes(known)[0]), start=1))
    layer = viewer.add_labels(labels, name="scribbles", opacity=0.7, **place)
    layer.colormap = {None: "transparent", _BACKGROUND: "transparent", **colours}
    layer.metadata["classes"] = dict(enumerate(known.names, start=1))
    viewer.scale_bar.visible, viewer.scale_bar.unit = True, "um"
    return NapariSession(viewer, layer, grid, known.names)


def _library() -> Any:
    """Return napari, which is not among the requirements: it brings a desktop's worth of packages."""
    try:
        return importlib.import_module("napari")
    except ImportError as error:
        raise ImportError(
            "Cannot open napari: it is not installed here. It is an optional extra for desktops. Install it "
            'with: pip install "corrtomo[desktop]". Without it, paint with ct.explore.scribble(image, ...).'
        ) from error
