"""The layers of an overlay explorer as the page takes them: bytes, and what must be known of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from ...show.composite import full_count, isotope
from ...volume import CHANNEL
from ..explorer import pack
from .inputs import DOING, MOST_CHANNELS, map_colours
from .section import Bytes, Known

MOST_BYTES = 6_000_000
"""Most bytes of packed images and maps: a page carries a third more."""
_BRIGHTEST = 99.5
_DARKEST = 0.5
_BYTE = 256
_WIDEST = np.finfo(np.float64).max / 8
_HIDDEN = "58Ni"
"""Of four channels the one that is not shown at first, as in the paper's Fig. 4."""
Greys = dict[str, tuple[float, float, str, bool]]
"""By name: what the bytes 0 and 255 stand for, in which unit, and whether the page cuts it from a volume."""


def packed_layers(
    images: Mapping[str, xr.DataArray], maps: xr.DataArray | None, classes: tuple[Bytes, Any] | None
) -> tuple[dict[str, bytes], Greys]:
    """Pack all layers for the page; refuse what makes it too large."""
    greys: Greys = {}
    planes, masks = [], []
    for name, image in images.items():
        values, known, low, high = eight_bit(image.values)
        greys[name] = (low, high, str(image.attrs.get("units", "")), False)
        planes.append(values)
        masks.append(known)
    out = {"greys": pack(np.stack(planes)), "known": pack(np.stack(masks))}
    if maps is not None:
        out["counts"] = pack(np.stack([maps.values % _BYTE, maps.values // _BYTE]))
    if classes is not None:
        out["classes"] = pack(classes[0])
    size = sum(map(len, out.values()))
    if size > MOST_BYTES:
        raise ValueError(
            f"Cannot {DOING} on a page: images and maps weigh {size / 1e6:.2f} MB packed, "
            f"{MOST_BYTES / 1e6:g} MB is the most. Crop them first, for instance with image.isel(x=slice(0, "
            "512))."
        )
    return out, greys


def eight_bit(values: np.ndarray) -> tuple[Bytes, Known, float, float]:
    """Return grey values as bytes, which are known, and what the bytes 0 and 255 stand for.

    ``uint8`` stays as it is. Others are scaled from their 0.5 to their 99.5 percentile; NaN is not known.
    """
    if values.dtype == np.uint8:
        return values, np.ones(values.shape, bool), 0.0, 255.0
    grey = values.astype(np.float64)
    known = np.isfinite(grey)
    if not known.any():
        raise ValueError(
            f"Cannot {DOING} with an image of which no grey value is finite. Check the alignment that "
            "brought it here, and the crop."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = (float(v) for v in np.percentile(grey[known], [_DARKEST, _BRIGHTEST]))
    high = high if high > low else max(low + 1.0, float(np.nextafter(low, np.inf)))
    if not np.ptp(grey[known] / 4) < _WIDEST:
        raise ValueError(
            f"Cannot {DOING} with grey values from {grey[known].min():.3g} to {grey[known].max():.3g}: their "
            "range is more than floats hold. Scale the image first."
        )
    scaled = np.rint(255 * np.clip((np.where(known, grey, low) - low) / (high - low), 0, 1))
    return np.where(known, scaled, 0).astype(np.uint8), known, low, high


def describe_layers(
    greys: Greys,
    table: list[list[Any]] | None,
    maps: xr.DataArray | None,
    colours: str,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what the page must know of each layer, and how each is shown at first."""
    about: list[dict[str, Any]] = []
    shown: list[dict[str, Any]] = []

    def add(name: str, label: str, kind: str, on: bool, opacity: float, colour: str, **more: Any) -> None:
        about.append({"name": name, "label": label, "kind": kind, **more})
        shown.append(
            {"name": name, "on": on, "opacity": opacity, "gain": 1.0, "gamma": 1.0, "colour": colour}
        )

    (*others, last) = greys
    for name, (low, high, unit, cut) in greys.items():
        top = name == last and bool(others) and maps is None  # under maps one image alone is clearer
        on = maps is None or name == last
        opacity = 0.5 if top or maps is not None else 1.0
        add(name, name, "grey", on, opacity, "#ffffff", low=low, high=high, unit=unit, cut=cut)
    if table is not None:
        add("classes", "classes", "classes", False, 0.5, "#ffffff", table=table)
    if maps is not None:
        names = [str(c) for c in maps[CHANNEL].values]
        for name, colour in zip(names, map_colours(names)[colours], strict=True):
            counts = maps.sel({CHANNEL: name}).values
            full, most = full_count(counts, _BRIGHTEST), int(counts.max())
            on = name != _HIDDEN or len(names) < MOST_CHANNELS
            add(name, isotope(name), "counts", on, 1.0, colour, full=full, most=most)
    return about, shown
