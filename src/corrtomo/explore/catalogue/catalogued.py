"""What the catalogue explorer holds: columns, rows, pictures, and what is known of each entry."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import xarray as xr
from PIL import Image

from ... import catalogue as rooms
from ...phases import Phase
from ...show.style import rgb
from ...volume import CHANNEL, SPATIAL, check_image, voxel_size

Folder = str | os.PathLike[str]
_INNER = ("sha256", "corrtomo_version", "megabytes", "time_utc", "derived_from", "aligned_onto")
_HIDDEN = (
    "alignment_error_um",
    "name",
    "licence",
    "how",
    "channels",
    "dtype",
    "size_z",
    "size_y",
    "size_x",
    "voxel_z_um",
    "voxel_y_um",
)
_UNITS = {"_um": "µm", "_um2": "µm²", "_um3": "µm³", "_nm": "nm", "_percent": "%", "_per_um": "1/µm"}


def describe_columns(table: pd.DataFrame, shown: Sequence[str] | None) -> list[dict[str, Any]]:
    """Name the columns that say anything; the sample first."""
    if shown is not None:
        unknown = [name for name in shown if name not in table.columns]
        if unknown:
            raise KeyError(
                f"Cannot show the column {unknown[0]!r}: the table has {', '.join(table.columns)}. "
                "Pass columns=[...] out of these."
            )
    order = list(dict.fromkeys(["sample", *(shown or ()), *table.columns]))
    visible = {*shown, "sample"} if shown is not None else {*table.columns} - {*_INNER, *_HIDDEN}
    return [
        {"name": name, "label": label(name), "kind": _kind(table[name]), "shown": name in visible}
        for name in order
        if not table[name].isna().all()
    ]


def rows_of(table: pd.DataFrame, columns: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """Return the values of all columns, row by row; None for what is not stated."""
    lists = [[_plain(value) for value in table[c["name"]]] for c in columns]
    return [list(row) for row in zip(*lists, strict=True)]


def label(name: str) -> str:
    """Write the name of a column as words, with its unit.

    Examples
    --------
    >>> label("voxel_x_um"), label("kappa")
    ('voxel x (µm)', 'kappa')
    """
    ending = max((e for e in _UNITS if name.endswith(e)), key=len, default="")
    words = name.removesuffix(ending).replace("_", " ")
    return f"{words} ({_UNITS[ending]})" if ending else words


def thumbnail(image: xr.DataArray, pixels: int) -> dict[str, Any]:
    """Paint the middle slice of an image, small: grey values from 1 to 99 %, labels in their colours."""
    check_image(image)
    flat = image.isel({CHANNEL: 0}) if CHANNEL in image.dims else image
    across = [str(d) for d in flat.dims][-2:]
    flat = flat.isel({str(d): flat.sizes[d] // 2 for d in flat.dims if d not in across})
    step = {d: max(1, flat.sizes[d] // (2 * pixels)) for d in across}
    flat = flat.isel({d: slice(None, None, n) for d, n in step.items()}).compute()
    values = np.atleast_2d(flat.values)
    sizes = dict(zip([str(d) for d in image.dims if d in SPATIAL], voxel_size(image), strict=True))
    width = image.sizes[across[-1]] * sizes[across[-1]]
    height = image.sizes[across[0]] * sizes[across[0]] if len(across) > 1 else width / 8
    labels = "phases" in image.attrs
    picture = Image.fromarray(_coloured(values) if labels else _stretched(values))
    scale = pixels / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = Image.Resampling.NEAREST if labels else Image.Resampling.BOX
    data = io.BytesIO()
    picture.resize(size, method).save(data, "WEBP", lossless=labels, quality=80)
    text = base64.b64encode(data.getvalue()).decode()
    return {"src": f"data:image/webp;base64,{text}", "width_um": width, "height_um": height}


def pictures_of(
    folder: str | os.PathLike[str], table: pd.DataFrame, pixels: int
) -> dict[str, dict[str, Any]]:
    """Paint every entry from its coarsest scale that is large enough; say where that cannot be done."""
    found: dict[str, dict[str, Any]] = {}
    for entry in table.index:
        try:
            found[str(entry)] = thumbnail(_coarse(folder, str(entry), pixels), pixels)
        except (FileNotFoundError, ValueError) as error:
            found[str(entry)] = {"problem": str(error).split(". ")[0]}
    return found


def histories(folder: str | os.PathLike[str]) -> dict[str, list[list[Any]]]:
    """Return every number that was added to each entry, with who, how and when."""
    found: dict[str, list[list[Any]]] = {}
    for row in rooms.measurements(folder).to_dict("records"):
        when = f"{row['time_utc']:%Y-%m-%d %H:%M}"
        found.setdefault(row["entry"], []).append(
            [label(row["name"]), float(row["value"]), row["who"], row["how"], when]
        )
    return found


def links_to(folder: str | os.PathLike[str], table: pd.DataFrame, address: str) -> dict[str, str]:
    """Return the address of the OME-Zarr of every entry below that of the catalogue."""
    if not isinstance(address, str) or urlsplit(address).scheme not in ("", "http", "https"):
        raise ValueError(
            f"Cannot link to {address!r}: an address of the web, or one from the page on, is needed. "
            "Pass for instance 'https://example.org/catalogue'."
        )
    start, images = address.rstrip("/"), Path(folder) / "images"
    known = {path.name for path in images.iterdir()} if images.is_dir() else set()
    names = {str(entry): f"{entry}.ome.zarr" for entry in table.index}
    return {entry: f"{start}/images/{name}" for entry, name in names.items() if name in known}


def _coarse(folder: str | os.PathLike[str], entry: str, pixels: int) -> xr.DataArray:
    """Open the coarsest scale that is still larger than the picture."""
    image = rooms.open(folder, entry, check_hash=False)
    level = 0
    while max(image.sizes[d] for d in image.dims if d in SPATIAL) > 4 * pixels:
        try:
            image = rooms.open(folder, entry, level=level + 1, check_hash=False)
        except ValueError:  # there is no coarser one
            break
        level += 1
    return image


def _coloured(codes: np.ndarray) -> np.ndarray:
    table = np.zeros((256, 3), np.uint8)
    for phase in Phase:
        table[int(phase)] = rgb(phase.colour)
    return np.asarray(table[codes.astype(np.uint8)])


def _stretched(values: np.ndarray) -> np.ndarray:
    numbers = values.astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return np.zeros(values.shape, np.uint8)
    low, high = np.percentile(finite, [1, 99])
    if high <= low:
        low, high = float(finite.min()), float(finite.max())
    scaled = (np.nan_to_num(numbers, nan=low) - low) / ((high - low) or 1.0)
    return np.asarray(np.round(255 * np.clip(scaled, 0, 1)), np.uint8)


def _kind(column: pd.Series[Any]) -> str:
    return "number" if pd.api.types.is_numeric_dtype(column) else "text"


def _plain(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M}"
    if not isinstance(value, Real | np.bool_):  # texts, and what no page can plot
        return str(value)
    number = float(value)
    return (
        int(number)
        if number.is_integer() and abs(number) < 2**53
        else number
        if np.isfinite(number)
        else None
    )
