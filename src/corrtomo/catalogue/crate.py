"""Describe a catalogue as an RO-Crate: the metadata file that repositories and search engines read."""

from __future__ import annotations

import json
import os
from datetime import UTC
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
from rocrate.model import ContextEntity, Person, SoftwareApplication
from rocrate.rocrate import ROCrate

from ..io.atomic import replacing
from .checking import check_text
from .fingerprint import settle_file
from .parquet import ENTRY
from .place import CRATE, ENTRIES, MEASUREMENTS, files, image_path
from .place import find as find_catalogue
from .tables import measurements, table

_VERSION = "1.2"
_NGFF = "https://ngff.openmicroscopy.org/0.5/"
_ZARR = "https://zarr.dev/"
_SPDX = "https://spdx.org/licenses/"


def crate(
    folder: str | os.PathLike[str],
    *,
    name: str = "A catalogue of correlative tomography",
    description: str = "Images as OME-Zarr, their alignments, segmentations and measurements.",
    licence: str | None = None,
) -> Path:
    """Write ``ro-crate-metadata.json``, which says in a standard what the catalogue holds.

    RO-Crate (version 1.2) is schema.org in one JSON file: a repository that takes the folder finds samples,
    instruments, people, licences and numbers in it without corrtomo.

    Parameters
    ----------
    folder : str or path
        The catalogue.
    name, description : str
        Of the catalogue as a whole.
    licence : str, optional
        Of the catalogue as a whole: an SPDX name or an address. Images keep their own.

    Returns
    -------
    pathlib.Path
        The file. One that was there is replaced.

    Raises
    ------
    FileNotFoundError
        If there is no catalogue.
    TypeError
        If `name` or `description` is empty.

    Notes
    -----
    It is a picture of the catalogue as it is now: write it again after images were added. Images are
    directories that conform to OME-NGFF, the Parquet files hold the table. DOI 10.3233/DS-210053.
    """
    check_text("name", name)
    check_text("description", description)
    root = find_catalogue(folder)
    rows, numbers = table(root), measurements(root)
    made = ROCrate(version=_VERSION)
    made.name, made.description = name, description
    if licence is not None:
        made.root_dataset["license"] = _licence(made, licence)
    else:  # the specification asks for one, in words where there is none
        made.root_dataset["license"] = "No licence is stated for the catalogue as a whole."
    made.add(ContextEntity(made, _NGFF, {"@type": "CreativeWork", "name": "OME-Zarr 0.5 (OME-NGFF)"}))
    software = _software(made, rows)
    stated: list[dict[str, Any]] = rows.reset_index().to_dict("records")  # type: ignore[assignment]
    for row in stated:
        own = numbers[numbers["entry"] == row["id"]]
        _add_image(made, row, own, software)
    _add_tables(made, root)
    target = root / CRATE
    with replacing(target, overwrite=True) as part:
        text = json.dumps(made.metadata.generate(), indent=1, ensure_ascii=False, sort_keys=True)
        part.write_text(text + "\n", encoding="utf-8")
        settle_file(part)
    return target


def _add_image(made: ROCrate, row: dict[str, Any], numbers: pd.DataFrame, software: dict[str, Any]) -> None:
    """Describe one image as a dataset, and how it was made as an action."""
    entry = row["id"]
    where = f"images/{image_path(Path(), entry).name}/"
    stated = {key: value for key, value in row.items() if key in ENTRY and not _is_missing(value)}
    properties: dict[str, Any] = {
        "name": stated.get("name", f"{stated['kind']} of {stated['sample']}"),
        "identifier": entry,
        "description": stated["how"],
        "additionalType": stated["kind"],
        "conformsTo": {"@id": _NGFF},
        "encodingFormat": ["application/vnd+zarr", {"@id": _format(made)}],
        "dateCreated": row["time_utc"].replace(tzinfo=UTC).isoformat(),
        "contentSize": f"{row['megabytes']:.6g} MB",
        "sha256": stated["sha256"],
    }
    data = made.add_dataset(dest_path=where, properties=properties)
    sample = _named(made, "sample", stated["sample"], "Thing")
    instrument = _named(made, "instrument", stated["instrument"], "Thing")
    person = _named(made, "person", stated["who"], "Person")
    data["about"], data["author"] = sample, person
    if "licence" in stated:
        data["license"] = _licence(made, stated["licence"])
    for column in ("derived_from", "aligned_onto"):
        if column in stated:
            key = "isBasedOn" if column == "derived_from" else "mentions"
            data[key] = {"@id": f"images/{image_path(Path(), stated[column]).name}/"}
    scale = {k: v for k, v in stated.items() if k.startswith("voxel_") or k == "alignment_error_um"}
    measured: list[tuple[str, str, float, dict[str, Any]]] = [(entry, k, v, {}) for k, v in scale.items()]
    columns = (numbers[column].tolist() for column in ("name", "value", "how"))
    for i, (name, number, how) in enumerate(zip(*columns, strict=True)):
        measured.append((f"{entry}-{i}", name, number, {"measurementMethod": how}))
    data["variableMeasured"] = [_value(made, *each) for each in measured]
    made.add_action(
        [instrument, software[row["corrtomo_version"]]],
        identifier=f"#made-{entry}",
        object=[{"@id": data.id}] if "derived_from" not in stated else [data["isBasedOn"], sample],
        result=[data],
        properties={
            "name": f"How {entry} was made",
            "description": stated["how"],
            "agent": {"@id": person.id},
        },
    )


def _value(made: ROCrate, entry: str, name: str, number: float, also: dict[str, Any]) -> ContextEntity:
    """Describe a number; its unit stands at the end of its name."""
    stated = {"@type": "PropertyValue", "name": name, "value": number} | also
    if name.endswith("_um"):
        stated |= {"unitCode": "4H", "unitText": "µm"}  # of UN/CEFACT: micrometre
    return made.add(ContextEntity(made, f"#{entry}-{name}", stated))


def _named(made: ROCrate, what: str, name: str, kind: str) -> ContextEntity:
    """Describe a person, a sample or an instrument once, by its name."""
    identifier = f"#{what}-{quote(name, safe='')}"
    known = made.get(identifier)
    if known is not None:
        return known
    if kind == "Person":
        return made.add(Person(made, identifier, {"name": name}))
    return made.add(ContextEntity(made, identifier, {"@type": kind, "name": name}))


def _licence(made: ROCrate, licence: str) -> ContextEntity:
    """Describe a licence by its address; a name is taken for one of SPDX."""
    address = licence if "://" in licence else f"{_SPDX}{quote(licence)}"
    known = made.get(address)
    return known or made.add(ContextEntity(made, address, {"@type": "CreativeWork", "name": licence}))


def _format(made: ROCrate) -> str:
    if made.get(_ZARR) is None:
        made.add(ContextEntity(made, _ZARR, {"@type": "WebPage", "name": "Zarr"}))
    return _ZARR


def _software(made: ROCrate, rows: pd.DataFrame) -> dict[str, Any]:
    """Describe every version of corrtomo that wrote an entry."""
    return {
        str(version): made.add(
            SoftwareApplication(
                made, f"#corrtomo-{version}", {"name": "corrtomo", "softwareVersion": str(version)}
            )
        )
        for version in sorted(set(rows["corrtomo_version"]))
    }


def _add_tables(made: ROCrate, root: Path) -> None:
    """Describe the folders of Parquet files."""
    about = {ENTRIES: "The table of all entries", MEASUREMENTS: "Numbers that were added to entries later"}
    for room, what in about.items():
        properties = {
            "name": what,
            "description": f"{len(files(root, room))} Parquet files, one row each: to be read together.",
            "encodingFormat": "application/vnd.apache.parquet",
        }
        made.add_dataset(dest_path=f"{room}/", properties=properties)


def _is_missing(value: Any) -> bool:
    return value is None or bool(pd.isna(value))
