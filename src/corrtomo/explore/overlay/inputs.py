"""What goes into an overlay explorer: images, maps and classes of one grid, refused where they do not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from ...checks import check_same_grid, check_spatial
from ...measure.options import check_between, check_real
from ...phases import check_integer
from ...show.classes import class_colours, class_names
from ...show.composite import COLOURS, ISOTOPES, check_colour
from ...show.style import SERIES
from ...volume import CHANNEL, check_image
from .section import Bytes

DOING = "explore an overlay"
CUT = "CT"
"""Name of the layer that is cut from a volume."""
SHARED = ("maps", "blend")
"""What may stand on a side besides an image: all maps alone, and everything together."""
_TAKEN = (*SHARED, "classes", "y_um", "x_um")
"""What no image and no channel may be named: another layer, or a place."""
MOST_IMAGES, MOST_CHANNELS = 3, 4
MOST_PIXELS = 1 << 20
MOST_COUNT = 65_535
RANGES = {"opacity": (0.0, 1.0), "gain": (0.01, 100.0), "gamma": (0.01, 100.0)}
_SMALLEST = 8
_LIKE = "Pass for instance images={'SE': se}, maps=sims."
_SMALLER = (
    "Crop them first, for instance with image.isel(x=slice(0, 512)), or bring them onto a coarser grid with "
    "alignment.resample()."
)


def check_images(images: Any, *, cut: bool) -> dict[str, xr.DataArray]:
    """Refuse images that cannot lie over each other; return them in memory, by name."""
    if not isinstance(images, Mapping):
        raise TypeError(
            f"Cannot {DOING} of a {type(images).__name__}: images with their names are needed. {_LIKE}"
        )
    named = all(isinstance(name, str) and name.strip() for name in images)
    most = MOST_IMAGES - cut
    if not 1 <= len(images) <= most or not named:
        raise ValueError(
            f"Cannot {DOING} of {len(images)} images named {list(images)!r}: one to {most} are allowed, each "
            f"with a name. {_LIKE}"
        )
    reserved = [name for name in images if name in _TAKEN or (cut and name == CUT)]
    if reserved:
        raise ValueError(
            f"Cannot {DOING} with an image named {reserved[0]!r}: that is the name of another layer or of a "
            f"place"
            f"{', which is cut from the volume' if reserved[0] == CUT else ''}. Leave it out, or give it "
            "another name."
        )
    first = next(iter(images.values()))
    for name, image in images.items():
        check_image(image, ndim=(2,))
        check_spatial(image, doing=f"{DOING} with {name!r}")
        check_real(image, doing=f"{DOING} with {name!r}")
        check_same_grid(first, image, doing=f"lay {name!r} over {next(iter(images))!r}")
    _check_size(first)
    kept = {str(name): image.compute() for name, image in images.items()}
    for name, image in kept.items():
        if infinite := int(np.isinf(image.values).sum()):
            raise ValueError(
                f"Cannot {DOING} with {name!r}: {infinite} of {image.size} grey values are infinite. NaN is "
                "a pixel that is not known; set them with image.where(np.isfinite(image))."
            )
    return kept


def check_maps(maps: Any, images: Mapping[str, xr.DataArray]) -> xr.DataArray | None:
    """Refuse maps that are not counts on the grid of the images; return them as ``uint16``, in memory."""
    if maps is None:
        return None
    check_image(maps, ndim=(2,))
    names = [str(c) for c in maps[CHANNEL].values] if CHANNEL in maps.coords and CHANNEL in maps.dims else []
    used = {*images, *_TAKEN, CUT}
    own = len(set(names)) == len(names) and all(name.strip() and name not in used for name in names)
    if not (own and 1 <= len(names) <= MOST_CHANNELS):
        raise ValueError(
            f"Cannot {DOING} with maps of channels {names}, dims {maps.dims}: one to {MOST_CHANNELS} "
            "channels are needed, each with a name of its own. Choose them, for instance with "
            "maps.sel(channel=['7Li', '27Al', '59Co'])."
        )
    first = next(iter(images.values()))
    check_same_grid(first, maps.isel({CHANNEL: 0}, drop=True), doing="lay maps over an image")
    kept = maps.compute()
    values = kept.values
    wrong = ~np.isfinite(values) if np.issubdtype(values.dtype, np.floating) else np.zeros(values.shape, bool)
    whole = np.where(wrong, 0, values)
    wrong |= (whole < 0) | (whole != np.floor(whole)) | (whole > MOST_COUNT)
    if wrong.any():
        raise ValueError(
            f"Cannot {DOING} with maps of counts such as {values[wrong][0].item()!r}: {int(wrong.sum())} of "
            f"{wrong.size} are no whole numbers from 0 to {MOST_COUNT}. Show counts as they were measured: "
            "bring the images onto the grid of the maps with alignment.resample(image, onto), or take the "
            "nearest pixel of the maps with alignment.resample(maps, onto, labels=True, fill=0)."
        )
    out: xr.DataArray = kept.assign_coords({CHANNEL: names}).astype(np.uint16)
    return out


def check_overlay_classes(classes: Any, first: xr.DataArray) -> tuple[Bytes, list[list[Any]]] | None:
    """Refuse classes of another grid or without names; return their codes, and a table of what they mean."""
    if classes is None:
        return None
    check_integer(classes, doing=f"{DOING} with classes")
    check_same_grid(first, classes, doing="lay classes over an image")
    _check_names(classes.attrs.get("classes"))
    names = class_names(classes, "classes")
    codes = classes.compute().values.astype(np.int64)
    if codes.min() < 0 or codes.max() > np.iinfo(np.uint8).max:
        raise ValueError(
            f"Cannot {DOING} with classes of codes {codes.min()} to {codes.max()}: 0 to 255 are allowed. "
            "Number them anew first."
        )
    colours = class_colours(list(names)) if len(names) > 1 else dict.fromkeys(names, SERIES[0])
    return codes.astype(np.uint8), [[code, name, colours[name]] for name, code in names.items()]


def _check_names(given: Any) -> None:
    """Refuse names of classes that do not each stand for a code of their own; no names are refused later."""
    if not given:
        return
    codes = list(given.values()) if isinstance(given, Mapping) else [None]
    whole = all(isinstance(c, int | np.integer) and not isinstance(c, bool) and 0 <= c <= 255 for c in codes)
    if not whole or len(set(codes)) < len(codes):
        raise ValueError(
            f"Cannot {DOING} with classes of attrs['classes'] {given!r}: names are needed, each with a code "
            "of its own from 0 to 255. Name them with codes.assign_attrs(classes={'LCO': 1, 'NCA': 2})."
        )


def check_several(images: Any, maps: Any, classes: Any, volume: Any, alignment: Any) -> None:
    """Refuse one layer alone, and an alignment with nothing to align."""
    if len(images) == 1 and all(part is None for part in (maps, classes, volume)):
        raise ValueError(
            f"Cannot {DOING} of one image: there is nothing to lay over it. Pass maps=, classes= or volume= "
            "too, or a second image."
        )
    if alignment is not None and volume is None:
        raise ValueError(
            f"Cannot {DOING} with an alignment and no volume: it says where the section lies in one. Pass "
            "volume= too, or leave the alignment out."
        )


def check_set(colours: Any) -> str:
    """Refuse what is no name of a set of colours."""
    if not isinstance(colours, str) or colours not in COLOURS:
        raise ValueError(
            f"Cannot {DOING} with colours={colours!r}: {' or '.join(map(repr, COLOURS))} is needed. Give a "
            "layer another colour afterwards with explorer.adjust('7Li', colour='#00ff00')."
        )
    return colours


def check_layer(layer: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse a layer that cannot be shown so; return a copy."""
    doing = f"show layer {layer['name']!r}"
    if set(layer) != {"name", "on", "colour", *RANGES} or not isinstance(layer["on"], bool):
        raise ValueError(
            f"Cannot {doing} by {dict(layer)!r}: on (True or False), opacity, gain, gamma and colour are "
            f"needed. Pass for instance explorer.adjust({layer['name']!r}, on=False)."
        )
    check_colour(layer["colour"], layer["name"], doing=DOING)
    return {**layer, **{k: check_between(layer[k], k, *bounds, doing=doing) for k, bounds in RANGES.items()}}


def map_colours(names: list[str]) -> dict[str, list[str]]:
    """Return a colour for each channel in both sets; what a set does not know takes what is left in it."""
    out = {}
    for key, known in COLOURS.items():
        own: dict[str, str] = {}
        for name in names:
            if name in known and known[name] not in own.values():
                own[name] = known[name]
        free = iter([known[isotope] for isotope in ISOTOPES if known[isotope] not in own.values()])
        out[key] = [own[name] if name in own else next(free) for name in names]
    return out


def _check_size(image: xr.DataArray) -> None:
    rows, columns = image.shape
    if rows * columns > MOST_PIXELS:
        raise ValueError(
            f"Cannot {DOING} of {columns} × {rows} pixels on a page: {MOST_PIXELS / 1e6:.2f} million are the "
            f"most. {_SMALLER}"
        )
    if min(rows, columns) < _SMALLEST:
        raise ValueError(
            f"Cannot {DOING} of {columns} × {rows} pixels: {_SMALLEST} or more are needed on each side. Take "
            "a larger crop."
        )
