"""Where things lie in the folder of a catalogue, and which folder is one."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

IMAGES, ENTRIES, MEASUREMENTS = "images", "entries", "measurements"
CRATE = "ro-crate-metadata.json"
_ID = re.compile(r"[0-9a-f]{16}")
_ADDED = re.compile(r"([0-9a-f]{16})-[0-9a-f]{12}")


def make(folder: str | os.PathLike[str]) -> Path:
    """Return the folder of a catalogue, made where there is none; refuse one that holds other things."""
    root = _path(folder)
    if root.is_dir() and not (root / ENTRIES).is_dir():
        foreign = sorted(p.name for p in root.iterdir())
        # Another process may have made it since.
        if foreign and not (root / ENTRIES).is_dir():
            raise ValueError(
                f"Cannot add to {root}: it is no catalogue, and holds {foreign[0]!r} "
                f"({len(foreign)} entries). A catalogue, an empty folder or a new name is needed. "
                "Pass a folder of its own."
            )
    if root.exists() and not root.is_dir():
        raise NotADirectoryError(
            f"Cannot add to {root}: it is a file. The folder of a catalogue, or a new name, is needed. "
            "Pass another path."
        )
    try:
        root.mkdir(exist_ok=True)
        for name in (ENTRIES, IMAGES, MEASUREMENTS):  # entries first: it says that this is a catalogue
            (root / name).mkdir(exist_ok=True)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"Cannot add to {root}: there is no folder {root.parent}. The folder above the catalogue must "
            "exist. Make it first with pathlib.Path.mkdir(parents=True)."
        ) from error
    except OSError as error:  # not allowed, read-only, full, a name too long, a file in the way
        raise type(error)(
            f"Cannot add to {root}: no folders can be made in it ({error.strerror}). "
            "A folder in which you may write, with room, is needed. Pass another path."
        ) from error
    return root


def find(folder: str | os.PathLike[str]) -> Path:
    """Return the folder of a catalogue that exists."""
    root = _path(folder)
    if not (root / ENTRIES).is_dir():
        what = "it has no folder 'entries'" if root.is_dir() else "there is no such folder"
        raise FileNotFoundError(
            f"Cannot find a catalogue at {root}: {what}. A folder that ct.catalogue.add() has made is "
            "needed. Check the path, or add a first image there."
        )
    return root


def files(root: Path, room: str) -> list[Path]:
    """List the Parquet files of one room that have the name of one, in the order of their names."""
    pattern = _ID if room == ENTRIES else _ADDED
    if not (root / room).is_dir():  # nothing has been added to it yet
        return []
    return sorted(p for p in (root / room).iterdir() if p.suffix == ".parquet" and pattern.fullmatch(p.stem))


def entry_of(file: Path) -> str:
    """Return the id of the entry that a Parquet file is of."""
    return file.stem.partition("-")[0]


def image_path(root: Path, entry: str) -> Path:
    """Return where the image of an entry lies."""
    return root / IMAGES / f"{entry}.ome.zarr"


def check_id(root: Path, entry: Any, *, doing: str) -> str:
    """Refuse an id that no entry has."""
    known = {p.stem for p in files(root, ENTRIES)}
    if not isinstance(entry, str) or entry not in known:
        some = f", for instance {min(known)!r}" if known else ""
        raise KeyError(
            f"Cannot {doing}: the catalogue {root} has no entry {entry!r}, but {len(known)} others{some}. "
            "An id is 16 hex digits, as ct.catalogue.add() returns it. List them with "
            "ct.catalogue.table(folder)."
        )
    return entry


def _path(folder: Any) -> Path:
    if not isinstance(folder, str | os.PathLike) or not str(folder).strip() or "\0" in str(folder):
        raise TypeError(
            f"Cannot use {folder!r} as the folder of a catalogue: a path is needed. "
            "Pass for instance 'my-catalogue'."
        )
    return Path(os.path.realpath(folder))
