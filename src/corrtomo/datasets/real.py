"""Published real data: fetched once, held against its hash, or used where it already lies."""

from __future__ import annotations

import difflib
import hashlib
import os
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pooch
import requests

from .record import RECORDS, fetch_record

_VARIABLE = "CORRTOMO_DATA"
_TABLE = Path(__file__).with_name("sources.toml")
_RETRIES = 2


@dataclass(frozen=True)
class File:
    """One file of a data set."""

    url: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Source:
    """One data set: what it shows, under which licence, and its files."""

    about: str
    workflow: str
    licence: str
    credit: str
    files: dict[str, File]


def fetch(name: str) -> Path:
    """Bring a published data set onto this machine.

    Parameters
    ----------
    name : str
        Which one; :func:`sources` lists them. Or ``"kintsugi-record"``: all files of the record of the
        kintsugi paper, doi:10.5281/zenodo.6815046, as the archive lists them.

    Returns
    -------
    pathlib.Path
        The folder that holds its files; read one with ``ct.read(folder / file, voxel_size=...)``.

    Raises
    ------
    ValueError
        If the name is not known, or a file has the wrong hash.
    FileNotFoundError
        If ``CORRTOMO_DATA`` is set and a file is missing there.
    ConnectionError
        If a file is not here yet and cannot be downloaded.

    Notes
    -----
    With the environment variable ``CORRTOMO_DATA`` set, the files are used where they lie, as
    ``$CORRTOMO_DATA/<name>/<file>``, and nothing is downloaded. Without it they are downloaded once into the
    cache folder of the user. Every file is held against its SHA-256 on every call.

    A record has no list of files here: it is asked for at the archive, with its checksums, and kept. Files in
    ``$CORRTOMO_DATA/<name>`` are taken first; without that folder the record is downloaded even where
    ``CORRTOMO_DATA`` is set. This was tried against a stand-in for the archive only: names and sizes of its
    files, and its licence, are to be read on its page.
    """
    if name in RECORDS:
        return fetch_record(name)
    table = read_sources()
    if name not in table:
        known = [*table, *RECORDS]
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4) if isinstance(name, str) else []
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"Cannot fetch {name!r}: not a known data set. Known are "
            f"{', '.join(known)}.{meant} "
            "Digital twins come from ct.datasets.load()."
        )
    given = os.environ.get(_VARIABLE)
    if given:
        folder = Path(given) / name
        for file, what in table[name].files.items():
            _check_local(folder / file, what)
        return folder
    folder = Path(pooch.os_cache("corrtomo")) / name
    for file, what in table[name].files.items():
        _download(folder, file, what)
    return folder


def reachable(name: str) -> bool:
    """Tell whether a published data set is on this machine, or can be brought onto it now.

    For chapters that go on without it where there is no connection. What is wrong with a set that is here
    (a missing file, a wrong hash) is raised as by :func:`fetch`.
    """
    try:
        fetch(name)
    except ConnectionError:
        return False
    return True


def sources() -> pd.DataFrame:
    """List the published data sets, with what to cite.

    Returns
    -------
    pandas.DataFrame
        One row a data set: about, licence, credit, number of files, size in MB.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.datasets.sources().loc["nmc-xt-slice", "credit"]
    'Ebner et al. 2013, ETH Zurich; via Quantitative Big Imaging 2022'
    """
    rows = [
        {
            "name": name,
            "about": source.about,
            "licence": source.licence,
            "credit": source.credit,
            "files": len(source.files),
            "size (MB)": round(sum(f.size for f in source.files.values()) / 1e6, 2),
        }
        for name, source in read_sources().items()
    ]
    return pd.DataFrame(rows).set_index("name")


@lru_cache(maxsize=1)
def read_sources() -> dict[str, Source]:
    """Read the table of data sets."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return {
        name: Source(
            about=entry["about"],
            workflow=entry["workflow"],
            licence=entry["licence"],
            credit=entry["credit"],
            files={
                file: File(f.get("url", entry["base"] + file), f["sha256"], f["bytes"])
                for file, f in entry["files"].items()
            },
        )
        for name, entry in table.items()
    }


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_local(path: Path, what: File) -> None:
    if not path.is_file():
        raise FileNotFoundError(
            f"Cannot use {_VARIABLE}={os.environ[_VARIABLE]}: {path} is missing. Every file of a data set is "
            f"needed there, and nothing is downloaded while {_VARIABLE} is set. Put it there from "
            f"{what.url}, or unset {_VARIABLE} to download the set."
        )
    got = sha256(path)
    if got != what.sha256:
        raise ValueError(
            f"Cannot use {path}: its SHA-256 differs. Expected {what.sha256}, got {got} "
            f"({path.stat().st_size} bytes; {what.size} expected). The file was changed or copied in part. "
            f"Get it again from {what.url}, or unset {_VARIABLE} to download the set."
        )


def _download(folder: Path, file: str, what: File) -> None:
    """Download one file, if it is not there whole; pooch writes beside it and moves it into place."""
    large = what.size > 2_000_000
    getter = pooch.HTTPDownloader(progressbar=large, timeout=30)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shelf = pooch.create(
            folder, "", registry={file: what.sha256}, urls={file: what.url}, retry_if_failed=_RETRIES
        )
        shelf.fetch(file, downloader=getter)
    except requests.RequestException as error:
        raise ConnectionError(
            f"Cannot download {what.url}: {error}. It is needed once, with a connection. Download the "
            f"files of the set on another machine, put them into <folder>/{folder.name}/, and set "
            f"{_VARIABLE} to <folder>."
        ) from error
    except ValueError as error:
        raise ValueError(
            f"Cannot use {what.url}: its SHA-256 is not the published one after {_RETRIES + 1} tries "
            f"({error}). Expected {what.sha256}. Nothing was kept. Try again later, or put a good copy into "
            f"<folder>/{folder.name}/ and set {_VARIABLE} to <folder>."
        ) from error
    except OSError as error:
        raise OSError(
            f"Cannot keep {file} in {folder}: {error.strerror}. A folder that can be written to is needed. "
            f"Set {_VARIABLE} to a folder that holds {folder.name}/{file}."
        ) from error
