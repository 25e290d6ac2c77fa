"""The record: what a format has no field for, kept in it as JSON, so that a round trip loses nothing.

It holds dims, size, exact voxel size and origin (decimal numbers that give the same bits back), the
name, the attributes, and the coordinates that are not evenly counted from the origin, such as channels.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from ..volume import CHANNEL, SPATIAL, check_image, volume, voxel_size
from ..volume import origin as origin_of

Record = dict[str, Any]
KEY = "corrtomo"
_OWN = ("units", "voxel_size_um")
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "dims": list,
    "shape": list,
    "dtype": str,
    "voxel_size_um": list,
    "origin_um": list,
    "name": (str, type(None)),
    "attrs": dict,
    "coords": dict,
    "coord_attrs": dict,
}


def describe(image: xr.DataArray) -> Record:
    """Make the record of an image; refuse what JSON cannot give back equal."""
    dims = check_image(image)
    plain = volume(
        np.broadcast_to(0, image.shape),
        voxel_size(image),
        origin=origin_of(image),
        dims=[str(d) for d in image.dims],
    )
    exact = [d for d in dims if not _same(image[d].values, plain[d].values)]
    record: Record = {
        "format": 1,
        "dims": [str(d) for d in image.dims],
        "shape": list(image.shape),
        "dtype": image.dtype.str,
        "voxel_size_um": list(voxel_size(image)),
        "origin_um": list(origin_of(image)),
        "name": _name(image),
        "attrs": dict(image.attrs),
        "coords": {},
        "coord_attrs": {},
    }
    for key, coord in image.coords.items():
        if coord.dims not in ((), (key,)):
            raise ValueError(
                f"Cannot write coordinate {key!r} along {coord.dims}: only the coordinates of the axes and "
                f"single values are kept in a file. Leave it out first with image.drop_vars({key!r})."
            )
        if key in exact or key not in dims:
            record["coords"][str(key)] = {"dtype": coord.dtype.str, "values": coord.values.tolist()}
        extra = {k: v for k, v in coord.attrs.items() if not (key in dims and k in _OWN)}
        if extra:
            record["coord_attrs"][str(key)] = extra
    _check_json(record)
    return record


def restore(data: Any, record: Record) -> xr.DataArray:
    """Give data its record back; it may have lost axes of length one, byte order, and that it is boolean."""
    array = data.reshape(tuple(record["shape"]))
    dtype = np.dtype(record["dtype"])
    if array.dtype != dtype:
        array = array != 0 if dtype.kind == "b" else array.astype(dtype)
    image = volume(
        array, record["voxel_size_um"], origin=record["origin_um"], dims=record["dims"], name=record["name"]
    )
    image = image.assign_attrs(record["attrs"])
    image.name = record["name"]  # else xarray takes the one that Dask has made up
    for key, stored in record["coords"].items():
        values = np.asarray(stored["values"], dtype=np.dtype(stored["dtype"]))
        attrs = image[key].attrs if key in SPATIAL and key in image.dims else {}
        image = image.assign_coords({key: xr.Variable((key,) if values.ndim else (), values, attrs)})
    for key, attrs in record["coord_attrs"].items():
        image[key].attrs.update(attrs)
    return image


def _name(image: xr.DataArray) -> str | None:
    if image.name is not None and not isinstance(image.name, str):
        raise TypeError(
            f"Cannot write an image named {image.name!r}: a file keeps a name that is text. Rename it first "
            "with image.rename('...')."
        )
    return image.name


def dump(record: Record) -> str:
    """Spell a record in ASCII, as every format can hold it."""
    # The word before the braces keeps tifffile from taking it for its own JSON.
    return f"{KEY} {json.dumps(record, default=_plain, allow_nan=False)}"


def load(text: str | None) -> Record | None:
    """Find a record in a field of a file; None where the text is another's."""
    word, _, rest = (text or "").partition(" ")
    if word != KEY:
        return None
    try:
        record: Record = json.loads(rest)
    except ValueError as error:
        raise _damaged(str(error)) from error
    return check_record(record)


def check_record(record: Any) -> Record:
    """Refuse a record that is not whole, or of a version that is not known."""
    if not isinstance(record, dict) or "format" not in record:
        raise _damaged("it names no format")
    if record["format"] != 1:
        raise ValueError(
            f"Cannot read this file: its record is of format {record['format']!r}, and this corrtomo knows "
            "format 1. A newer version wrote it. Upgrade corrtomo."
        )
    wrong = [k for k, kind in _FIELDS.items() if k not in record or not isinstance(record[k], kind)]
    if wrong:
        raise _damaged(f"{', '.join(wrong)} missing, or of the wrong kind")
    spatial = [d for d in record["dims"] if d in SPATIAL]
    if len(record["dims"]) != len(record["shape"]) or not (
        len(spatial) == len(record["voxel_size_um"]) == len(record["origin_um"])
    ):
        raise _damaged("dims, shape, voxel_size_um and origin_um do not fit together")
    _check_dtype(record["dtype"])
    return record


def _damaged(why: str) -> ValueError:
    return ValueError(
        f"Cannot read the record that corrtomo wrote into this file: it is damaged ({why}). "
        "A whole file is needed. Copy or download it again."
    )


def _check_dtype(name: str) -> None:
    try:
        np.dtype(name)
    except TypeError as error:
        raise _damaged(str(error)) from error


def channel_names(image: xr.DataArray) -> list[str] | None:
    """Return the names of the channels, for formats with a field for them."""
    if CHANNEL not in image.dims:
        return None
    if CHANNEL in image.coords:
        return [str(c) for c in image[CHANNEL].values]
    return [f"channel {i}" for i in range(image.sizes[CHANNEL])]


def _check_json(record: Record) -> None:
    names = [k for k in record["attrs"] if not isinstance(k, str)]
    names += [k for attrs in record["coord_attrs"].values() for k in attrs if not isinstance(k, str)]
    if names:
        raise TypeError(
            f"Cannot write attributes named {names!r}: a file keeps names that are text. "
            "Rename them first, or leave them out with del image.attrs[...]."
        )
    for key, value in _leaves(record):
        try:
            same = bool(json.loads(json.dumps(value, default=_plain, allow_nan=False)) == value)
        except (TypeError, ValueError):
            same = False
        if not same:
            raise TypeError(
                f"Cannot write attribute or coordinate {key!r} of type {type(value).__name__}: a file keeps "
                "what JSON can hold: text, finite numbers, lists, and dicts with text keys. "
                f"Convert it, or leave it out with del image.attrs[{key!r}]."
            )


def _leaves(record: Record) -> list[tuple[str, Any]]:
    leaves = list(record["attrs"].items())
    leaves += [(k, c["values"]) for k, c in record["coords"].items()]
    return leaves + [(k, v) for attrs in record["coord_attrs"].values() for k, v in attrs.items()]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    return first.dtype == second.dtype and np.array_equal(first, second)
