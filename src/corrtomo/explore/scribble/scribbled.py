"""What is painted on an image, and what a classifier makes of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import traitlets
import xarray as xr

from ...io import write
from ...measure import kappa_from_confusion
from ...phases import Phase
from ...segment.trained.classes import Classes
from ..explorer import unpack
from .discriminant import FEATURES, LEFT_OUT, counted, expand, fit_discriminant, trainable
from .scribbling import check_scribbles, split_scribbles, unpack_features


def _as_bytes(value: Any, _widget: Any) -> bytes:
    """Return what the page sends, which comes as a view of the message."""
    return bytes(value)


class Scribbled(traitlets.HasTraits):
    """Scribbles on the grid of an image, and the labels of its crop; mixed into an explorer."""

    image = traitlets.Bytes().tag(sync=True)
    features = traitlets.Bytes().tag(sync=True)
    truth = traitlets.Bytes().tag(sync=True)
    head = traitlets.Bytes().tag(sync=True)
    shape: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    window: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    whole: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    voxel_um: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    channels: traitlets.List[Any] = traitlets.List().tag(sync=True)
    classes: traitlets.List[Any] = traitlets.List().tag(sync=True)
    phases: traitlets.List[Any] = traitlets.List().tag(sync=True)
    colours: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)
    words: traitlets.List[Any] = traitlets.List().tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    start: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)

    painted = traitlets.Bytes().tag(sync=True, from_json=_as_bytes)
    beyond = traitlets.Bytes().tag(sync=True, from_json=_as_bytes)
    begun = traitlets.Bytes().tag(sync=True)
    begun_beyond = traitlets.Bytes().tag(sync=True)
    view = traitlets.Enum(["segmentation", "image", "wrong"], "segmentation").tag(sync=True)
    channel = traitlets.Int(0).tag(sync=True)
    opacity = traitlets.Float(0.5, min=0.0, max=1.0).tag(sync=True)
    marks = traitlets.Bool(True).tag(sync=True)
    brush = traitlets.Int(9, min=1, max=41).tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)

    grid = traitlets.Instance(xr.DataArray)
    known = traitlets.Instance(Classes)

    @property
    def scribbles(self) -> xr.DataArray:
        """Codes of the classes where they are painted, 255 elsewhere, on the whole image; dims y, x."""
        codes = unpack(self.beyond).reshape(self.whole).copy()
        codes[self._rows, self._columns] = self._codes()
        names = {name: code for code, name in enumerate(self.known.names)}
        return self._as_image(codes, names).rename("scribbles")

    @scribbles.setter
    def scribbles(self, scribbles: xr.DataArray) -> None:
        codes = check_scribbles(scribbles, self.grid, self.known.names)
        with self.hold_trait_notifications():
            self.beyond, self.painted = split_scribbles(codes, (self._rows, self._columns))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the scribbles as a label image, in the format of its suffix, and return its path."""
        write(self.scribbles, path, overwrite=overwrite)
        return Path(path)

    def labels(self, *, merged: bool = True) -> xr.DataArray:
        """Segment the crop with what is painted.

        The classifier is that of the page, :func:`.discriminant.fit_discriminant` by scikit-learn, or the
        random forest once it is chosen and trained.

        Parameters
        ----------
        merged : bool
            Codes of the results of `merge`; False for those of the classes.

        Returns
        -------
        xarray.DataArray
            ``uint8``, dims y, x of the crop; ``attrs["classes"]`` names the codes.

        Raises
        ------
        ValueError
            If fewer than two classes are painted.

        Notes
        -----
        The page finds the same labels, but for pixels whose two best classes differ by rounding alone
        (scores closer than 1e-9 of the larger one).
        """
        found = self._numbers()
        phases = {p.name: int(p) for p in Phase} if self.known.are_phases(merged=merged) else {}
        codes = self.known.table(merged=merged)[found]
        labels = self._as_image(codes, self.known.codes(merged=merged), crop=True)
        return labels.assign_attrs(phases=phases)

    @property
    def kappa(self) -> float:
        """Cohen's kappa of the segmentation and the truth, on the pixels of the crop that are not painted."""
        if not self.truth:
            raise ValueError("Cannot compute kappa: the explorer was made without a truth. Pass truth=.")
        compared = (self._codes() == LEFT_OUT) & (self._true() != LEFT_OUT)
        found = self.known.places(merged=True)[self._numbers()]
        many = len(self.phases)
        pairs = many * self._true()[compared].astype(np.intp) + found[compared]
        return kappa_from_confusion(np.bincount(pairs, minlength=many**2).reshape(many, many))

    def _found(self) -> np.ndarray | None:
        """Return what another classifier than that of the page found; None where none is asked."""
        return None

    def _can_train(self) -> bool:
        return self._found() is not None or trainable(self._features(), self._codes(), len(self.classes))

    def _features(self) -> np.ndarray:
        return unpack_features(self.features, (FEATURES * self.shape[0], *self.shape[1:]))

    def _numbers(self) -> np.ndarray:
        """Return which class each pixel of the crop is found to be, by its number."""
        found = self._found()
        if found is None:
            features = self._features()
            model = fit_discriminant(features, self._codes(), len(self.classes))
            found = model.predict(expand(features)).reshape(self.shape[1:])
        return found

    @property
    def _rows(self) -> slice:
        return slice(self.window[0], self.window[0] + self.shape[1])

    @property
    def _columns(self) -> slice:
        return slice(self.window[1], self.window[1] + self.shape[2])

    def _codes(self) -> np.ndarray:
        return unpack(self.painted).reshape(self.shape[1:])

    def _true(self) -> np.ndarray:
        return unpack(self.truth).reshape(self.shape[1:])

    def _counts(self) -> np.ndarray:
        return counted(self._codes(), len(self.classes))

    def _as_image(self, codes: np.ndarray, names: Mapping[str, int], *, crop: bool = False) -> xr.DataArray:
        grid = self.grid.isel(channel=0, drop=True)
        grid = grid.isel(y=self._rows, x=self._columns) if crop else grid
        attrs = {"classes": dict(names)}
        return xr.DataArray(codes, coords=grid.coords, dims=grid.dims, attrs=attrs)
