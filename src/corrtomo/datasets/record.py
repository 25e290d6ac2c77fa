"""Published records that state their own files: all of them by one DOI, with the checksums of the archive."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pooch
import requests

_VARIABLE = "CORRTOMO_DATA"
_LISTING = "record.json"
_RETRIES = 2
_TIMEOUT_S = 30


RECORDS = {"kintsugi-record": "10.5281/zenodo.6815046"}
"""The DOI of each record, by name."""


def fetch_record(name: str) -> Path:
    """Bring all files of a record onto this machine, and return their folder.

    The list of files and checksums is asked for once and kept beside them, so that later calls need no
    connection; every file is held against its checksum on every call.

    Raises
    ------
    ValueError
        If a file does not have its checksum, or a name in the record is no plain file name.
    ConnectionError
        If the list or a file is not here yet and cannot be downloaded.
    """
    given = os.environ.get(_VARIABLE)
    if given and (Path(given) / name).is_dir():
        return _local(Path(given) / name)
    folder = Path(pooch.os_cache("corrtomo")) / name
    doi = RECORDS[name]
    shelf = pooch.create(folder, f"doi:{doi}/", retry_if_failed=_RETRIES)
    getter = pooch.DOIDownloader(progressbar=True, timeout=_TIMEOUT_S)
    try:
        shelf.registry = _listing(shelf, folder)
        for file in shelf.registry:
            shelf.fetch(file, downloader=getter)
    except (requests.RequestException, KeyError) as error:
        raise ConnectionError(
            f"Cannot download the record doi:{doi}: {type(error).__name__}: {error}. It is needed once, with "
            f"a connection. Download all its files from https://doi.org/{doi} on another machine, put them "
            f"into <folder>/{name}/, and set {_VARIABLE} to <folder>."
        ) from error
    return folder


def _listing(shelf: pooch.Pooch, folder: Path) -> dict[str, str]:
    """Return the checksum of each file: as kept, else as the archive states it."""
    kept = folder / _LISTING
    if kept.is_file():
        return _read(kept)
    shelf.load_registry_from_doi()
    strange = [file for file in shelf.registry if Path(file).name != file or file == _LISTING]
    if strange or not shelf.registry:
        raise ValueError(
            f"Cannot use the record {shelf.base_url}: it lists {len(shelf.registry)} files, and these are no "
            f"plain file names: {strange}. Download what you need by hand from its page."
        )
    folder.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(shelf.registry, indent=1), encoding="utf-8")
    part.replace(kept)
    return dict(shelf.registry)


def _local(folder: Path) -> Path:
    """Check the files that a reader put there, as far as their checksums are known."""
    known = _read(folder / _LISTING) if (folder / _LISTING).is_file() else {}
    for file, expected in known.items():
        path = folder / file
        algorithm, _, digest = expected.rpartition(":")
        got = pooch.file_hash(path, alg=algorithm or "sha256") if path.is_file() else "no file"
        if got != digest:
            raise ValueError(
                f"Cannot use {path}: expected {expected}, got {got}. The file is missing, changed or copied "
                f"in part. Get it again from the record, or remove {_LISTING} there to use them unchecked."
            )
    if not any(path.is_file() for path in folder.iterdir()):
        raise FileNotFoundError(
            f"Cannot use {folder}: it is empty. Put the files of the record there, or remove the folder to "
            "download them."
        )
    return folder


def _read(path: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found
