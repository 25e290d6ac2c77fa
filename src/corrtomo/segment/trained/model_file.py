"""Models in files that run no code when they are opened."""

from __future__ import annotations

import io
import os
import secrets
import struct
import zipfile
import zlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import skops.io

from .tree_checks import TREE, is_checked

_FORMAT = "corrtomo.segment.PixelClassifier"
_VERSION = 1
_DATE = (1980, 1, 1, 0, 0, 0)
"""Of all parts: a file does not say when it was made."""
_MOST_PACKED, _SMALL = 100, 1 << 24
"""Bytes that one packed byte may stand for, and bytes of which it does not matter."""
Parts = dict[str, Any]
_DAMAGE = (
    *(
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        ValueError,
        ImportError,
        NotImplementedError,
        EOFError,
    ),
    *(OSError, zipfile.BadZipFile, zlib.error, struct.error, RecursionError, MemoryError),
)
"""What reading a damaged file may end in."""


def write_model(parts: Parts, path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Write the parts of a model: plain values, arrays, and scikit-learn's classifier."""
    target = Path(path)
    if target.exists() and (target.is_dir() or not overwrite):
        raise FileExistsError(
            f"Cannot write {target}: it exists. A new name is needed, so that nothing on disk is lost. "
            "Choose another name, or replace a file with model.save(path, overwrite=True)."
        )
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"Cannot write {target}: there is no folder {target.parent}. "
            "The folder of the target must exist. Make it first with pathlib.Path.mkdir(parents=True)."
        )
    whole = {"format": _FORMAT, "version": _VERSION, **parts}
    packed = _undated(skops.io.dumps(whole))
    part = target.with_name(f".part-{secrets.token_hex(4)}")
    try:
        part.write_bytes(packed)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def read_model(path: str | os.PathLike[str], trusted: Sequence[str]) -> Parts:
    """Read the parts of a model; refuse what is no model, and types that could run code."""
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(
            f"Cannot load a model from {source}: there is no such file. Check the path, or save one first "
            "with model.save(path)."
        )
    data = source.read_bytes()
    if not zipfile.is_zipfile(io.BytesIO(data)):
        raise ValueError(
            f"Cannot load a model from {source}: it is no file of skops, or only a part of one. Pickle and "
            "joblib are not read, for they run code. Pass a file that model.save(path) wrote."
        )
    _check_unpacked(source, data)
    try:
        unknown = set(skops.io.get_untrusted_types(data=data)) - set(trusted)
        parts = None if unknown - {TREE} else skops.io.loads(data, trusted=[*trusted, *unknown])
    except _DAMAGE as error:
        raise damaged(source, error) from error
    if unknown - {TREE}:
        raise _untrusted(source, unknown)
    if not isinstance(parts, dict) or parts.get("format") != _FORMAT:
        raise ValueError(
            f"Cannot load a model from {source}: it is a file of skops, but holds no {_FORMAT}. "
            "Pass a file that model.save(path) wrote."
        )
    if parts.get("version") != _VERSION:
        raise ValueError(
            f"Cannot load a model from {source}: its format is version {parts.get('version')}, and "
            f"{_VERSION} is known. Update corrtomo, or train the model again."
        )
    if unknown and not all(is_checked(classifier) for classifier in _classifiers(source, parts)):
        raise _untrusted(source, unknown)
    return parts


def _check_unpacked(source: Path, data: bytes) -> None:
    """Refuse a small file that would unpack to fill the memory."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            stated = sum(part.file_size for part in packed.infolist())
    except _DAMAGE as error:
        raise damaged(source, error) from error
    if stated > max(_SMALL, _MOST_PACKED * len(data)):
        raise ValueError(
            f"Cannot load a model from {source}: its {len(data)} bytes would unpack to {stated}, more than "
            f"{_MOST_PACKED} times as many, which no forest does. Pass a file that model.save(path) wrote."
        )


def damaged(source: Path | str | os.PathLike[str], error: Exception) -> ValueError:
    """Return the error for a file whose parts are not those of a model."""
    return ValueError(
        f"Cannot load a model from {source}: its parts are damaged or missing ({error}). "
        "Pass a file that model.save(path) wrote."
    )


def _classifiers(source: Path, parts: Parts) -> list[Any]:
    """Return the classifiers in a model: the fitted one, and the one that it is a copy of."""
    try:
        return [parts["model"]["classifier"], parts["settings"]["classifier"]]
    except (KeyError, TypeError) as error:
        raise damaged(source, error) from error


def _untrusted(source: Path, types: set[str]) -> ValueError:
    return ValueError(
        f"Cannot load a model from {source}: it holds types that are not known to be safe, {sorted(types)}. "
        "If you trust where it comes from, and these types, name them with trusted=[...]."
    )


def versions() -> dict[str, str]:
    """Return the versions of what a model is made with."""
    return {name: version(name) for name in ("corrtomo", "numpy", "scikit-learn", "skops")}


def _undated(packed: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, old.read(name))
    return out.getvalue()
