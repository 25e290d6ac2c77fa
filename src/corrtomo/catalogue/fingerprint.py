"""The fingerprint of an image on disk: every file by its SHA-256, so that a change can be named."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

_BLOCK = 1 << 20
_NAMED = 3  # files that a message names


def fingerprint(image: Path, *, settle: bool = False) -> dict[str, str]:
    """Return the SHA-256 of every file in a folder, by its path there; `settle` brings them to the disk."""
    found = {}
    for folder, folders, names in os.walk(image):
        folders.sort()
        for name in sorted(names):
            path = Path(folder) / name
            found[path.relative_to(image).as_posix()] = _digest(path, settle)
        if settle:
            settle_folder(Path(folder))
    return dict(sorted(found.items()))


def total(files: Mapping[str, str]) -> str:
    """Return one SHA-256 for all files of an image."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def difference(stated: Mapping[str, str], image: Path) -> str:
    """Say in words how an image on disk differs from what was stated; empty where it does not.

    A folder that is not there differs in that it is gone.
    """
    if not image.is_dir():
        return f"its image {image.name} is gone"
    now = fingerprint(image)
    kinds = {
        "changed": [name for name in stated if name in now and now[name] != stated[name]],
        "missing": [name for name in stated if name not in now],
        "new": [name for name in now if name not in stated],
    }
    words = [
        f"{len(names)} of {len(stated)} files {kind} ({', '.join(names[:_NAMED])}"
        f"{', …' if len(names) > _NAMED else ''})"
        for kind, names in kinds.items()
        if names
    ]
    return f"its image {image.name} has changed: {'; '.join(words)}" if words else ""


def settle_file(path: Path) -> None:
    """Bring a file from the memory of the system to the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def settle_folder(path: Path) -> None:
    """Bring the names in a folder to the disk, where the system can do that."""
    if os.name == "nt":  # Windows opens no folder
        return
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _digest(path: Path, settle: bool) -> str:
    if not path.is_file():  # a pipe would be waited for, and a device never ends
        return "no file"
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
        if settle:
            os.fsync(file.fileno())
    return digest.hexdigest()
