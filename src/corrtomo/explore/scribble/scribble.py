"""The scribble explorer: paint some pixels of each class and see what a classifier makes of the rest."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from matplotlib.patches import Patch

from ...phases import Phase
from ...show import Figure
from ...show.figure import Source, describe, is_static
from ...show.layout import row
from ...show.panels import mix
from ...show.style import MUTED, house_style, rgb
from ...volume import voxel_size
from ..comparison import comparison_state
from ..explorer import STYLE, Explorer, bundle, pack, unpack
from .classes import check_classes, describe_classes
from .discriminant import LEFT_OUT, page_features
from .forest import Forest
from .scribbling import (
    Window,
    channel_names,
    check_crop,
    check_scribbled,
    check_scribbles,
    check_truth,
    margin_of,
    pack_features,
    png_head,
    saved,
    split_scribbles,
)


class ScribbleExplorer(Forest, Explorer):
    """Scribbles on a crop of an image, and the segmentation that a classifier learns from them.

    Made by :func:`scribble`. In a kernel, ``explorer.scribbles`` follows the brush and can be set,
    ``explorer.labels()`` is the segmentation of the crop, and ``explorer.save(path)`` keeps the scribbles.
    """

    module: ClassVar[str] = "scribble"
    _esm = bundle("scribble")
    _css = STYLE

    def state(self) -> dict[str, Any]:
        """Return the state that the page needs; without a kernel there is no forest."""
        return {**super().state(), "live": not is_static()}

    def picture(self) -> Figure:
        """Draw the explorer as it stands: crop, scribbles and, where something is painted, segmentation."""
        grey = unpack(self.image).reshape(self.shape)[self.channel]
        base = np.repeat(grey[..., None], 3, axis=-1)
        palette = np.zeros((LEFT_OUT + 1, 3), np.uint8)
        palette[: len(self.classes)] = [rgb(c["colour"]) for c in self.classes]
        codes = self._codes()
        panels = {self.channels[self.channel]: base}
        panels["scribbles"] = np.where((codes != LEFT_OUT)[..., None], palette[codes], base)
        said = "Nothing is painted yet." if (codes == LEFT_OUT).all() else ""
        if self._can_train():
            found = self._numbers()
            panels["segmentation"] = mix(base, palette[found], self.opacity)
            said = self._say(found)
        cut = self._as_image(codes, {}, crop=True)
        with house_style():
            legend = [Patch(facecolor=c["colour"], edgecolor=MUTED, label=c["name"]) for c in self.classes]
            drawing = row(panels, [cut] * len(panels), legend)
        counts = ", ".join(f"{c['name']} {n}" for c, n in zip(self.classes, self._counts(), strict=True))
        alt = f"A crop of an image, with scribbles on it. Painted pixels: {counts}. {said}".strip()
        return Figure(drawing, alt, self.caption)

    def __repr__(self) -> str:
        kappa = f", kappa={self.kappa:.4f}" if self.truth and self._can_train() else ""
        return f"ScribbleExplorer({len(self.classes)} classes, {self._counts().sum()} pixels painted{kappa})"

    def _say(self, found: np.ndarray) -> str:
        results = self.known.places(merged=True)[found]
        shares = 100 * np.bincount(results.ravel(), minlength=len(self.phases)) / found.size
        text = ", ".join(f"{p['name']} {s:.2f} %" for p, s in zip(self.phases, shares, strict=True))
        kappa = f" Cohen's kappa with the truth is {self.kappa:.4f}." if self.truth else ""
        return f"Shares of the crop: {text}.{kappa}"


def scribble(
    image: xr.DataArray,
    classes: Sequence[Phase | str],
    *,
    caption: str,
    source: Source,
    scribbles: xr.DataArray | None = None,
    truth: xr.DataArray | None = None,
    merge: Mapping[str, str] | None = None,
    crop: Mapping[str, tuple[float, float]] | None = None,
    path: str | os.PathLike[str] | None = None,
    seed: int = 0,
    notice: str | None = None,
) -> ScribbleExplorer:
    """Paint some pixels of each class over an image, and see at once what a classifier makes of the rest.

    The Kintsugi paper trains its segmentation on such scribbles, with a class for platinum at the edge of a
    pore and one for platinum at depth, both merged into pores afterwards (J. Electrochem. Soc. 169, 070512,
    Segmentation).

    Parameters
    ----------
    image : xarray.DataArray
        8-bit grey values, dims y, x or channel, y, x.
    classes : sequence of str or Phase
        What is painted, in the order of the codes of `scribbles`: 2 to 8, with keys 1 to 8.
    caption : str
        What it shows; source and pixel size are added.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    scribbles : xarray.DataArray, optional
        To begin with: codes of the classes on the grid of the image, 255 where nothing is painted.
    truth : xarray.DataArray, optional
        On the same grid: codes of the results (see `merge`), 255 where left out.
    merge : mapping of str to str, optional
        Classes that are one in the result, for instance ``{"platinum edge": "pore"}``. Where all results are
        phases, their codes are those of :class:`corrtomo.Phase`, otherwise 0, 1, … in their order.
    crop : mapping of str to tuple of float, optional
        What the page shows, in µm, for instance ``{"y": (2.0, 6.0), "x": (1.0, 6.0)}``; by default the middle
        256 × 200 pixels.
    path : str or path, optional
        Scribbles of an earlier session, read instead of `scribbles` if the file is there.
    seed : int
        Of the random forest.
    notice : str, optional
        The one thing to notice.

    Returns
    -------
    ScribbleExplorer
        Shows itself in Jupyter and on the static website; ``scribbles``, ``labels()`` and ``kappa`` hold its
        present state.

    Raises
    ------
    TypeError
        If an image is a plain array, or the grey values are not 8-bit.
    ValueError
        If grids differ, there are fewer than two classes or one occurs twice, a code is no class, or the crop
        lies outside or is too large for a page.

    Notes
    -----
    In the page the classifier is a linear discriminant on filtered values and their squares, the same as in
    Python (see :func:`.discriminant.fit_discriminant`); with a kernel a random forest
    (:class:`corrtomo.segment.PixelClassifier`) is trained on request. Kappa is that of the pixels which are
    not painted. Scribbles beyond the crop are kept, and train the forest only.
    """
    whole = check_scribbled(image)
    known = check_classes(classes, merge)
    window = check_crop(whole, crop)
    earlier = saved(path, whole)
    begun = scribbles if earlier is None else earlier
    blank = np.full(whole.shape[-2:], LEFT_OUT, np.uint8)
    drawn = blank if begun is None else check_scribbles(begun, whole, known.names)
    true = None if truth is None else check_truth(truth, whole, known.codes(merged=True))[window]
    beyond, painted = split_scribbles(drawn, window)
    described, phases = describe_classes(known)
    near, inner = margin_of(whole, window)
    start = {"view": "segmentation", "channel": 0, "opacity": 0.5, "marks": True, "brush": 9, "chosen": 0}
    start |= {"classifier": "discriminant"}
    explorer = ScribbleExplorer(
        **_page(whole, window),
        features=pack_features(page_features(near.values)[:, *inner]),
        truth=b"" if true is None else pack(true),
        classes=described,
        phases=phases,
        known=known,
        seed=seed,
        caption=describe(caption, [whole], source=source, notice=notice),
        painted=painted,
        beyond=beyond,
        begun=painted,
        begun_beyond=beyond,
        start=start,
        **start,
    )
    explorer.head = png_head(explorer.scribbles)
    return explorer


def _page(image: xr.DataArray, window: Window) -> dict[str, Any]:
    """Return what the page needs of the image, but for its filtered values."""
    shown = image.values[:, *window]
    rows, columns = image.shape[-2:]
    note = ""
    if shown.shape[-2:] != (rows, columns):
        note = f"A crop of {shown.shape[2]} × {shown.shape[1]} of {columns} × {rows} pixels."
    shared = comparison_state(image.isel(channel=0), [0])
    return {
        "grid": image,
        "image": pack(shown),
        "shape": shown.shape,
        "window": (window[0].start, window[1].start),
        "whole": (rows, columns),
        "voxel_um": voxel_size(image),
        "channels": channel_names(image),
        "colours": shared["colours"],
        "words": shared["words"],
        "note": note,
    }
