"""Look through a catalogue for what is gone, changed, broken or left over; delete nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from .adding import PART
from .fingerprint import difference
from .parquet import ADDED, ENTRY, INNER, connect, load
from .place import CRATE, ENTRIES, IMAGES, MEASUREMENTS, entry_of, files, image_path
from .place import find as find_catalogue

_COLUMNS = ("entry", "problem", "path", "what")


def check(folder: str | os.PathLike[str]) -> pd.DataFrame:
    """Name every entry whose file is gone or changed, and what killed writers have left.

    Parameters
    ----------
    folder : str or path
        The catalogue.

    Returns
    -------
    pandas.DataFrame
        One row a problem, none where all is well. entry: its id, empty where there is none; path: the file,
        from the folder of the catalogue on; what: in words; problem, one of

        - gone, changed: the image is not the one that was added;
        - broken: a Parquet file cannot be read;
        - dangling: it names an entry that is not there;
        - no entry: an image without an entry, which a killed writer or a lost Parquet file leaves;
        - unfinished: a hidden file of a writer that was killed, or is still at work;
        - foreign: nothing that a catalogue has written.

    Raises
    ------
    FileNotFoundError
        If there is no catalogue.

    Notes
    -----
    Every byte of every image is read. Nothing is deleted or mended: what is unfinished or has no entry may
    belong to a writer that is at work now, and to add the same image again completes it.
    """
    root = find_catalogue(folder)
    rows = [*_entries(root), *_images(root), *_others(root)]
    return pd.DataFrame(
        [(entry, problem, path.relative_to(root).as_posix(), what) for entry, problem, path, what in rows],
        columns=list(_COLUMNS),
    ).astype(str)


_Rows = Iterator[tuple[str, str, Path, str]]


def _entries(root: Path) -> _Rows:
    """Look at every Parquet file, and at the image and the other entries that it names."""
    stated = files(root, ENTRIES)
    known = {entry_of(path) for path in stated}
    with connect() as database:
        broken = load(database, "stated", stated, ENTRY | INNER)
        broken |= load(database, "added", files(root, MEASUREMENTS), ADDED)
        query = "SELECT id, files, derived_from, aligned_onto FROM stated ORDER BY id"
        found = database.execute(query).fetchall()
    for path, why in broken.items():
        yield entry_of(path), "broken", path, why
    for entry, hashes, *others in found:
        image = image_path(root, entry)
        wrong = difference(hashes, image)
        if wrong:
            yield entry, "changed" if image.is_dir() else "gone", image, wrong
        for name, other in zip(("derived_from", "aligned_onto"), others, strict=True):
            if other is not None and other not in known:
                path = root / ENTRIES / f"{entry}.parquet"
                yield entry, "dangling", path, f"{name} is {other}, which is not in the catalogue"
    for path in files(root, MEASUREMENTS):
        if entry_of(path) not in known:
            yield entry_of(path), "dangling", path, "it measures an entry that is not in the catalogue"


def _images(root: Path) -> _Rows:
    """Look for images that no entry is of."""
    known = {path.stem: path for path in files(root, ENTRIES)}
    for path in _inside(root, IMAGES):
        entry = path.name.removesuffix(".ome.zarr")
        if path.name.startswith(PART):
            yield "", "unfinished", path, _age(path)
        elif path != image_path(root, entry) or len(entry) != 16:
            yield "", "foreign", path, "it is no image of a catalogue"
        elif entry not in known:
            yield entry, "no entry", path, "it has no Parquet file: add the image again, or restore the file"


def _others(root: Path) -> _Rows:
    """Look for what is no part of a catalogue."""
    for room in (ENTRIES, MEASUREMENTS):
        known = set(files(root, room))
        for path in _inside(root, room):
            if path.name.startswith(PART):
                yield "", "unfinished", path, _age(path)
            elif path not in known:
                yield "", "foreign", path, "it has no name of a Parquet file of a catalogue"
    for path in _inside(root, "."):
        if path.name.startswith(PART):
            yield "", "unfinished", path, _age(path)
        elif path.name not in (ENTRIES, IMAGES, MEASUREMENTS, CRATE):
            yield "", "foreign", path, "it is no part of a catalogue"


def _inside(root: Path, room: str) -> list[Path]:
    place = root / room
    return sorted(place.iterdir()) if place.is_dir() else []


def _age(path: Path) -> str:
    """Say since when nothing has been written to it."""
    try:
        inside = [p.stat().st_mtime for p in (path, *path.rglob("*"))]
    except FileNotFoundError:  # its writer has just moved it
        return "a writer is at work"
    idle = max(0.0, time.time() - max(inside))
    return f"a writer was killed, or is at work; nothing was written for {idle:.0f} s"
