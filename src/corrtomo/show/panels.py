"""Pictures of slices: side by side, with phases painted over, or where two segmentations agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.patches import Patch

from ..checks import check_finite, check_same_grid
from ..phases import Phase, check_codes, check_integer
from ..volume import check_image, voxel_size
from .figure import Figure, Source, check_words, describe
from .layout import row
from .style import (
    HIT,
    MUTED,
    TOO_BRIGHT,
    TOO_DARK,
    house_style,
    phase_palette,
    rgb,
)


def slices(
    images: Mapping[str, xr.DataArray],
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    at_um: float | None = None,
    index: int | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Show the same slice of several images side by side.

    Grey images share their limits, so that a difference in brightness is one of the data; labels are
    painted in the colours of their phases, masks in black and white.

    Parameters
    ----------
    images : mapping of str to xarray.DataArray
        Title and image, 2D or 3D; a 3D image is cut across z.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    at_um : float, optional
        Position of the slice along z in µm; the middle slice by default.
    index : int, optional
        Number of the slice instead of its position.
    limits : tuple of float, optional
        Grey values shown black and white; by default the 0.5 and 99.5 percentiles of all panels together.

    Returns
    -------
    Figure
        One lettered panel an image, each with a scale bar in µm.

    Raises
    ------
    ValueError
        If there is no image, a position lies outside, or a label is not a phase.
    """
    check_words(caption=caption, alt=alt, notice=notice)
    if not images:
        raise ValueError(
            "Cannot show slices: the mapping holds no image. One or more are needed. Pass {'X-ray': image}."
        )
    cuts = {title: cut(image, at_um=at_um, index=index) for title, image in images.items()}
    low, high = limits or shared_limits(list(cuts.values()))
    if limits and not -np.inf < low < high < np.inf:
        raise ValueError(
            f"Cannot show slices between limits {limits!r}: the grey value shown black must lie below the "
            "one shown white, both finite. Swap them, or leave limits out."
        )
    with house_style():
        painted = {title: paint(image, low, high) for title, image in cuts.items()}
        drawing = row(painted, list(cuts.values()), _phase_legend(*cuts.values()))
    text = describe(caption, list(images.values()), source=source, notice=notice)
    return Figure(drawing, alt, text)


def overlay(
    image: xr.DataArray,
    labels: xr.DataArray,
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    at_um: float | None = None,
    index: int | None = None,
    opacity: float = 0.5,
    painted: str = "segmentation",
) -> Figure:
    """Show a slice, and the same slice with its phases painted over it.

    Parameters
    ----------
    image, labels : xarray.DataArray
        Grey values, and labels or a mask on the same grid, 2D or 3D.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    at_um, index : optional
        The slice, by its position along z in µm or by its number; the middle one by default.
    opacity : float
        0 shows the grey values alone, 1 the phases alone.
    painted : str
        What is painted, above the second panel.

    Returns
    -------
    Figure
        Two lettered panels.
    """
    check_words(caption=caption, alt=alt, notice=notice, painted=painted)
    check_same_grid(image, labels, doing="paint labels over an image")
    grey, codes = (cut(a, at_um=at_um, index=index) for a in (image, labels))
    with house_style():
        base = paint(grey, *shared_limits([grey]))
        if _is_labels(codes):
            over = mix(base, paint(codes, 0, 1), opacity)
        else:
            check_integer(codes, doing="paint labels over an image")
            colour = np.broadcast_to(np.array(rgb(TOO_DARK), np.uint8), base.shape)
            over = np.where((codes.values != 0)[..., None], mix(base, colour, opacity), base)
        drawing = row({"grey values": base, painted: over}, [grey, grey], _phase_legend(codes))
    return Figure(drawing, alt, describe(caption, [image], source=source, notice=notice))


def agreement(
    truth: xr.DataArray,
    predicted: xr.DataArray,
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    image: xr.DataArray | None = None,
    ignore: int | None = None,
    at_um: float | None = None,
    index: int | None = None,
) -> Figure:
    """Show where a segmentation agrees with the truth, where it misses and where it raises a false alarm.

    Parameters
    ----------
    truth, predicted : xarray.DataArray
        Masks, or labels whose codes ascend with the grey value, on the same grid, 2D or 3D.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    image : xarray.DataArray, optional
        Grey values to paint over; plain by default.
    ignore : int, optional
        Code in either that is left out.
    at_um, index : optional
        The slice, by its position along z in µm or by its number; the middle one by default.

    Returns
    -------
    Figure
        Truth, segmentation and agreement.

    Notes
    -----
    Of more than two phases, a voxel taken for a darker phase than it is counts as "called too dark".
    """
    check_words(caption=caption, alt=alt, notice=notice)
    for labels in (truth, predicted):
        check_integer(labels, doing="show agreement")
    check_same_grid(truth, predicted, doing="show agreement")
    if image is not None:
        check_same_grid(truth, image, doing="show agreement")
    true, found = (cut(a, at_um=at_um, index=index) for a in (truth, predicted))
    binary = max(len(np.unique(a.values[a.values != ignore])) for a in (true, found)) <= 2
    with house_style():
        grey = None if image is None else cut(image, at_um=at_um, index=index)
        both, legend = _agreement(true.values, found.values, ignore, binary=binary)
        if grey is not None:
            both = mix(paint(grey, *shared_limits([grey])), both, 0.6)
        painted = {"truth": paint(true, 0, 1), "segmentation": paint(found, 0, 1), "agreement": both}
        drawing = row(painted, [true] * 3, _phase_legend(true, found, ignore=ignore) + legend)
    return Figure(drawing, alt, describe(caption, [truth], source=source, notice=notice))


def cut(
    image: xr.DataArray, *, at_um: float | None = None, index: int | None = None, gaps: bool = False
) -> xr.DataArray:
    """Return one slice across z, by its position in µm or its number; the middle one by default.

    With `gaps`, NaN is allowed: what is left out.
    """
    dims = check_image(image, ndim=(2, 3))
    if image.ndim != len(dims):
        raise ValueError(
            f"Cannot show a slice of an image with dims {image.dims}: one channel is needed. "
            "Select it first, for instance with image.sel(channel='SESI')."
        )
    if not gaps:
        check_finite(image, doing="show a slice")
    if at_um is not None and index is not None:
        raise ValueError(
            f"Cannot choose a slice by at_um={at_um} and index={index} at once. Give one of them, or neither."
        )
    if len(dims) == 2:
        return image
    depth, size = image.sizes[dims[0]], voxel_size(image)[0]
    number = depth // 2 if index is None else index
    if at_um is not None:
        number = round((at_um - float(image[dims[0]][0])) / size)
    if not 0 <= number < depth:
        first, last = (float(image[dims[0]][i]) for i in (0, -1))
        given = f"index={index}" if at_um is None else f"at_um={at_um}"
        raise ValueError(
            f"Cannot show the slice at {given}: the image has {depth} slices, "
            f"from {first:.4g} to {last:.4g} µm. Choose one inside."
        )
    return image.isel({dims[0]: number})


def _is_labels(image: xr.DataArray) -> bool:
    # A comparison such as labels == ct.Phase.AM keeps the attributes, but is a mask.
    return bool(image.attrs.get("phases")) and image.dtype != bool


def _phase_legend(*cuts: xr.DataArray, ignore: int | None = None) -> list[Patch]:
    present = {phase for image in cuts if _is_labels(image) for phase in check_codes(image)}
    return [Patch(facecolor=p.colour, edgecolor=MUTED, label=p.label) for p in sorted(present) if p != ignore]


def shared_limits(cuts: Sequence[xr.DataArray]) -> tuple[float, float]:
    """Return the 0.5 and 99.5 percentiles of the grey values of several slices together."""
    grey = [a.values.ravel() for a in cuts if not _is_labels(a) and a.dtype != bool]
    if not grey:
        return 0.0, 1.0
    low, high = np.percentile(np.concatenate(grey), [0.5, 99.5])
    return float(low), float(high) if high > low else float(low) + 1.0


def paint(image: xr.DataArray, low: float, high: float) -> np.ndarray:
    """Return a slice as RGB bytes: phases in their colours, masks and grey values in grey."""
    if _is_labels(image):
        check_codes(image)
        return np.asarray(phase_palette()[image.values])
    values = image.values.astype(float)
    if image.dtype == bool:
        low, high = 0.0, 1.0
    grey = np.rint(255 * np.clip((values - low) / (high - low), 0, 1)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def mix(base: np.ndarray, over: np.ndarray, opacity: float) -> np.ndarray:
    """Return one picture painted over another, both RGB bytes."""
    return np.rint((1 - opacity) * base + opacity * over).astype(np.uint8)


def _agreement(
    true: np.ndarray, found: np.ndarray, ignore: int | None, *, binary: bool
) -> tuple[np.ndarray, list[Patch]]:
    """Return the agreement of two slices as RGB bytes, and its legend."""
    a, b = true.astype(int), found.astype(int)
    out = np.full((*a.shape, 3), rgb(HIT), np.uint8)
    if binary:
        out[(a == b) & (a == a.min())] = 40
    out[b < a], out[b > a] = rgb(TOO_DARK), rgb(TOO_BRIGHT)
    words = ("as in truth", "called too dark", "called too bright")
    if binary:
        words = ("hit", "miss", "false alarm")
    legend = [
        Patch(facecolor=c, edgecolor=MUTED, label=w)
        for c, w in zip((HIT, TOO_DARK, TOO_BRIGHT), words, strict=True)
    ]
    left_out = np.zeros(a.shape, bool) if ignore is None else (a == ignore) | (b == ignore)
    if left_out.any():
        out[left_out] = rgb(Phase.LEFT_OUT.colour)
        legend.append(Patch(facecolor=Phase.LEFT_OUT.colour, edgecolor=MUTED, label=Phase.LEFT_OUT.label))
    return out, legend
