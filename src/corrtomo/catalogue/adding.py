"""Add an image to a catalogue, and numbers to an entry, safely beside other writers."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import xarray as xr

from ..io import write
from ..register.alignment import Alignment
from ..volume import CHANNEL, SPATIAL, spacing
from .alignments import as_text, check_alignment
from .checking import check_given, check_measurements, check_text
from .fingerprint import difference, fingerprint, settle_folder, total
from .parquet import ADDED, ENTRY, INNER, connect, load, write_row
from .place import ENTRIES, IMAGES, MEASUREMENTS, check_id, entry_of, image_path, make
from .place import files as stored
from .place import find as find_catalogue

PART = ".part-"
_WHEN = {"measured": INNER["measured"], "time_utc": ENTRY["time_utc"]}
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY)


def add(
    folder: str | os.PathLike[str],
    image: xr.DataArray,
    *,
    sample: str,
    instrument: str,
    who: str,
    how: str,
    kind: str | None = None,
    source: str | None = None,
    of: str | None = None,
    alignment: Alignment | None = None,
    onto: str | None = None,
    measurements: Mapping[str, float] | None = None,
    licence: str | None = None,
) -> str:
    """Add an image to a catalogue, with what is known of it.

    The workflow from cell to particle lets all data of an analysis be "quantitatively evaluated and
    correlated on an interactive data platform", and learns from them (cell-to-particle, "Digital workflow").
    That needs, for every image, which sample and instrument it is from, what it was made of, and how.

    Parameters
    ----------
    folder : str or path
        The catalogue; made where there is none.
    image : xarray.DataArray
        Any dims, NumPy or Dask: written as OME-Zarr, as by :func:`corrtomo.write`.
    sample, instrument : str
        What was imaged, and by what.
    who, how : str
        Who made it, and how: settings, or the call that made it.
    kind : str, optional
        What it is, one word in lower case; by default "labels" for images with ``attrs["phases"]``, else
        "image".
    source : {"measured", "digital twin", "schematic"}, optional
        What kind of data it is; not stated by default.
    of : str, optional
        The id of the entry that it segments or is otherwise derived from.
    alignment : Alignment, optional
        Takes (z, y, x) in µm from this image to the entry `onto`, as ``ct.register.align(image, onto)``
        finds it.
    onto : str, optional
        The id of the entry that `alignment` leads to.
    measurements : mapping of str to float, optional
        Finite numbers by name: lower-case letters, digits and _, with the unit, like ``d50_um``.
    licence : str, optional
        Under which others may use it: an SPDX name or an address.

    Returns
    -------
    str
        The id of the entry: 16 hex digits, the same for the same image of the same sample.

    Raises
    ------
    FileExistsError
        If it is in the catalogue already: the message names the entry.
    KeyError
        If `of` or `onto` is no entry.
    TypeError, ValueError
        If the image cannot be written, a text is empty, a measurement is no finite number, or only one of
        `alignment` and `onto` is given; if the folder holds other things than a catalogue.

    Notes
    -----
    Several processes may add at once. The image is written to a hidden folder, brought to the disk, hashed
    and moved; the entry exists from the moment when its Parquet file, written last, has its name. A writer
    that is killed leaves no entry; what it leaves is named by :func:`check` and nothing deletes it. The same
    image is known by its bytes on disk: in other Dask chunks it is another one. A segmentation is the same
    if `of`, `who` and `how` are the same, too: two people may find the same.

    Examples
    --------
    >>> import tempfile
    >>> import corrtomo as ct
    >>> from corrtomo import catalogue
    >>> folder = tempfile.TemporaryDirectory()
    >>> facts = {"sample": "LCO 1", "instrument": "drawn", "who": "A. Reader", "how": "by hand"}
    >>> entry = catalogue.add(folder.name, ct.volume([[1, 2], [3, 4]], 0.5), **facts)
    >>> catalogue.table(folder.name)["voxel_x_um"].to_dict() == {entry: 0.5}
    True
    >>> folder.cleanup()
    """
    given = {"sample": sample, "instrument": instrument, "who": who, "how": how, "licence": licence}
    kind = check_given(image, given, kind=kind, source=source)
    measured = check_measurements(measurements)
    check_alignment(image, alignment, onto)
    root = make(folder)
    for other in filter(None, (of, onto)):
        check_id(root, other, doing="add an image that belongs to another")
    facts = given | _facts(image) | {"kind": kind, "source": source, "derived_from": of, "aligned_onto": onto}
    facts |= {"alignment_error_um": float(alignment.error_um) if alignment is not None else None}
    with _part(root) as part:
        written = part / "image.ome.zarr"
        write(image, written)
        files = fingerprint(written, settle=True)
        size = sum(path.stat().st_size for path in written.rglob("*") if path.is_file()) / 1e6
        entry = _identify(facts, files)
        facts |= {"id": entry, "sha256": total(files), "megabytes": size}
        _place(written, root, entry, files)
    text = as_text(alignment, entry, onto) if alignment is not None and onto is not None else None
    row = facts | _now() | {"measured": measured, "alignment": text, "files": files}
    _commit(root, entry, row)
    return entry


def add_measurements(
    folder: str | os.PathLike[str],
    entry: str,
    measurements: Mapping[str, float],
    *,
    who: str,
    how: str,
) -> None:
    """Add numbers to an entry, later than its image.

    Parameters
    ----------
    folder : str or path
        The catalogue.
    entry : str
        The id of the entry.
    measurements : mapping of str to float
        Finite numbers by name: lower-case letters, digits and _, with the unit, like ``d50_um``.
    who, how : str
        Who measured, and how.

    Raises
    ------
    KeyError
        If there is no such entry.
    TypeError, ValueError
        If a name or a number is not allowed, or there is none.

    Notes
    -----
    Nothing is overwritten: the table shows the latest number of each name, and
    :func:`corrtomo.catalogue.measurements` all of them. Several processes may add at once.
    """
    root = find_catalogue(folder)
    check_id(root, entry, doing="add measurements")
    measured = check_measurements(measurements)
    if not measured:
        raise ValueError(
            f"Cannot add measurements to {entry}: none is given. One number or more is needed. "
            "Pass for instance {'kappa': 0.93}."
        )
    check_text("who", who)
    check_text("how", how)
    (root / MEASUREMENTS).mkdir(exist_ok=True)
    target = root / MEASUREMENTS / f"{entry}-{secrets.token_hex(6)}.parquet"
    now = _now()
    latest = _latest(root, entry)
    if latest is not None and latest >= now["time_utc"]:
        warnings.warn(
            f"The clock of this machine, {now['time_utc']:%Y-%m-%d %H:%M:%S} UTC, is behind the latest "
            f"measurement of {entry}, {latest:%Y-%m-%d %H:%M:%S}. The new one is dated just after it: "
            "the table shows it so. Set the clock.",
            stacklevel=2,
        )
        now["time_utc"] = latest + timedelta(microseconds=1)
    write_row(target, {"id": entry, "measured": measured, "who": who, "how": how} | now, ADDED)


def _latest(root: Path, entry: str) -> datetime | None:
    """Return when an entry was measured last, as far as its files can be read."""
    own = [path for path in stored(root, MEASUREMENTS) if entry_of(path) == entry]
    with connect() as database:
        load(database, "added", own, ADDED)
        load(database, "stated", [root / ENTRIES / f"{entry}.parquet"], {"id": "VARCHAR", **_WHEN})
        query = "SELECT max(time_utc) FROM (SELECT time_utc FROM added UNION ALL SELECT time_utc FROM stated)"
        row = database.execute(query).fetchone()
    return row[0] if row else None


def _facts(image: xr.DataArray) -> dict[str, Any]:
    """Read from an image what the table says of it."""
    facts: dict[str, Any] = {"name": image.name, "dtype": image.dtype.name, "channels": None}
    if CHANNEL in image.dims:
        names = image[CHANNEL].values.tolist() if CHANNEL in image.coords else range(image.sizes[CHANNEL])
        facts["channels"] = ", ".join(map(str, names))
    for dim in SPATIAL:
        facts[f"size_{dim}"] = image.sizes.get(dim)
        facts[f"voxel_{dim}_um"] = spacing(image, dim) if dim in image.dims else None
    return facts


def _now() -> dict[str, Any]:
    return {"corrtomo_version": version("corrtomo"), "time_utc": datetime.now(UTC).replace(tzinfo=None)}


def _identify(facts: Mapping[str, Any], files: Mapping[str, str]) -> str:
    """Return the id: what is in the image, what it is of, and for what is derived, who made it and how."""
    words = [total(files), facts["sample"], facts["kind"]]
    if facts["derived_from"] is not None:
        words += [facts["derived_from"], facts["who"], facts["how"]]
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]


@contextmanager
def _part(root: Path) -> Iterator[Path]:
    """Give a hidden folder to write to, gone at the end unless the process is killed."""
    part = root / IMAGES / f"{PART}{secrets.token_hex(6)}"
    try:
        part.mkdir()
        yield part
    except OSError as error:
        if str(error).startswith("Cannot") or error.errno is None:
            raise
        raise type(error)(
            f"Cannot add to {root}: the image cannot be written ({error.strerror}). A disk with room, on "
            "which you may write, is needed; nothing was added. Make room, and add it again."
        ) from error
    finally:
        if part.is_dir():
            shutil.rmtree(part)


def _place(written: Path, root: Path, entry: str, files: Mapping[str, str]) -> None:
    """Move an image to its place; take over the same one that a killed writer has left there."""
    _refuse_twice(root, entry)
    target = image_path(root, entry)
    try:
        written.rename(target)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        _refuse_twice(root, entry)
        wrong = difference(files, target)
        if wrong:
            raise FileExistsError(
                f"Cannot add {entry}: a killed writer has left its image, and {wrong}. "
                f"An unharmed one, or none, is needed. Look at {target}, and move it away."
            ) from error
    settle_folder(target.parent)


def _commit(root: Path, entry: str, row: Mapping[str, Any]) -> None:
    try:
        write_row(root / ENTRIES / f"{entry}.parquet", row, ENTRY | INNER)
    except FileExistsError:  # another process was faster
        _refuse_twice(root, entry)
        raise


def _refuse_twice(root: Path, entry: str) -> None:
    if (root / ENTRIES / f"{entry}.parquet").exists():
        raise FileExistsError(
            f"Cannot add this image: it is in the catalogue {root} already, as {entry}. "
            "An image is added once for each sample. "
            f"Add numbers to it with ct.catalogue.add_measurements(folder, {entry!r}, ...)."
        )
