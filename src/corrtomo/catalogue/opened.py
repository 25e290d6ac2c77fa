"""Open what a catalogue holds: an image after a look at its hash, and the alignment of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb
import xarray as xr

from ..io import read
from ..register.alignment import Alignment
from .alignments import from_text
from .fingerprint import difference
from .parquet import ENTRY, INNER, connect, load
from .place import ENTRIES, check_id, image_path
from .place import find as find_catalogue


def open(
    folder: str | os.PathLike[str], entry: str, *, level: int = 0, check_hash: bool = True
) -> xr.DataArray:
    """Open the image of an entry, once it is known to be the one that was added.

    Parameters
    ----------
    folder : str or path
        The catalogue.
    entry : str
        The id of the entry.
    level : int
        Which scale; 0 is the finest.
    check_hash : bool
        Read the whole file first, and compare it with what was added: some 1 GB a second from a fast disk.

    Returns
    -------
    xarray.DataArray
        On Dask, as :func:`corrtomo.read` gives it, with all coordinates and attributes that were added.

    Raises
    ------
    KeyError
        If there is no such entry.
    FileNotFoundError
        If its image is gone.
    ValueError
        If the image has changed since it was added, or the Parquet file of the entry is damaged.
    """
    root = find_catalogue(folder)
    check_id(root, entry, doing="open it")
    path = image_path(root, entry)
    if not path.is_dir():
        raise FileNotFoundError(
            f"Cannot open {entry}: its image {path} is gone. The folder that was added is needed. "
            "Restore it from a copy. See ct.catalogue.check(folder)."
        )
    wrong = difference(row_of(root, entry)["files"], path) if check_hash else ""
    if wrong:
        raise ValueError(
            f"Cannot open {entry}: {wrong}. What is added to a catalogue must stay as it is. Restore it from "
            "a copy, or look at it as it stands with check_hash=False."
        )
    return read(path, level=level)


def alignment(folder: str | os.PathLike[str], entry: str) -> Alignment:
    """Return the alignment of an entry, which takes it to the entry named in its column ``aligned_onto``.

    Parameters
    ----------
    folder : str or path
        The catalogue.
    entry : str
        The id of the entry.

    Returns
    -------
    Alignment
        What was added: a matrix from (z, y, x) in µm of this image to those of the other, with its error.

    Raises
    ------
    KeyError
        If there is no such entry.
    ValueError
        If it was added without alignment, or the Parquet file of the entry is damaged.
    """
    root = find_catalogue(folder)
    check_id(root, entry, doing="return its alignment")
    text = row_of(root, entry)["alignment"]
    if text is None:
        raise ValueError(
            f"Cannot return the alignment of {entry}: it was added without one. An entry with a value in the "
            "column aligned_onto is needed. Find them with where='aligned_onto IS NOT NULL'."
        )
    return from_text(text)


def row_of(root: Path, entry: str) -> dict[str, Any]:
    """Return all that the Parquet file of an entry holds."""
    path = root / ENTRIES / f"{entry}.parquet"
    with connect() as database:
        broken = load(database, "entry", [path], ENTRY | INNER)
        if broken:
            raise ValueError(
                f"Cannot read the entry {entry}: {path} is damaged ({broken[path]}). A whole file is needed. "
                "Restore it from a copy."
            )
        return _first(database)


def _first(database: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return the one row of the table; maps as dicts."""
    names = list(ENTRY | INNER)
    values = database.execute("SELECT * FROM entry").fetchall()[0]
    return dict(zip(names, values, strict=True))
