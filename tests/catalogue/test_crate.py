"""The RO-Crate of a catalogue: whole, valid JSON-LD by the rules of the standard, and read by its library."""

import json
import re

import pytest
from rocrate.rocrate import ROCrate

from corrtomo import catalogue

from .catalogued import FACTS, drawn


def entities(folder) -> dict:
    graph = json.loads((folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))["@graph"]
    assert len({e["@id"] for e in graph}) == len(graph), "each thing is described once"
    return {e["@id"]: e for e in graph}


def references(value):
    if isinstance(value, dict):
        yield from ([value["@id"]] if set(value) == {"@id"} else ())
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


@pytest.fixture
def made(filled):
    numbers = {"kappa": 0.75, "d50_um": 3.0}
    catalogue.add_measurements(filled.folder, filled.labels, numbers, who="B & C", how="anew")
    assert catalogue.crate(filled.folder, licence="CC0-1.0").name == "ro-crate-metadata.json"
    return entities(filled.folder)


def test_everything_that_is_named_is_there(made, filled) -> None:
    outside = {"https://w3id.org/ro/crate/1.2"}
    named = {reference for e in made.values() for reference in references(e)} - outside
    assert named <= set(made)
    assert not [i for i in made if re.search(r"[\s<>\"{}|\\^`]", i)], "addresses hold no blanks"
    for address in made:
        if address.endswith("/") and "://" not in address:
            assert (filled.folder / address).is_dir()
    assert catalogue.check(filled.folder).empty


def test_the_root_says_what_the_standard_asks_for(made) -> None:
    assert made["ro-crate-metadata.json"]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.2"}
    assert {"name", "description", "datePublished", "license", "hasPart"} <= set(made["./"])
    assert made["./"]["license"] == {"@id": "https://spdx.org/licenses/CC0-1.0"}


def test_an_image_is_described(made, filled) -> None:
    first, labels, moved = (f"images/{i}.ome.zarr/" for i in (filled.first, filled.labels, filled.moved))
    assert made[first]["conformsTo"] == {"@id": "https://ngff.openmicroscopy.org/0.5/"}
    assert made[first]["license"] == {"@id": "https://spdx.org/licenses/CC-BY-4.0"}
    assert made[made[first]["about"]["@id"]]["name"] == "LCO 1"
    assert made[made[first]["author"]["@id"]]["name"] == "A. Reader"
    assert made[labels]["isBasedOn"] == {"@id": first}
    assert made[moved]["mentions"] == {"@id": first}
    values = [made[v["@id"]] for v in made[labels]["variableMeasured"]]
    assert [v["value"] for v in values if v["name"] == "kappa"] == [0.5, 0.75]
    (diameter,) = [v for v in values if v["name"] == "d50_um"]
    assert (diameter["value"], diameter["unitText"], diameter["measurementMethod"]) == (3.0, "µm", "anew")
    action = made[f"#made-{filled.labels}"]
    assert action["@type"] == "CreateAction"
    assert {"@id": first} in action["object"]
    assert action["result"] in ({"@id": labels}, [{"@id": labels}])


def test_its_library_reads_it_back(made, filled) -> None:
    back = ROCrate(filled.folder)
    assert {e.id for e in back.get_entities()} == set(made)


def test_it_is_replaced_and_an_empty_name_refused(made, filled) -> None:
    entry = catalogue.add(filled.folder, drawn(3), **FACTS | {"who": "Änne Ö", "sample": "a b/c#d"})
    catalogue.crate(filled.folder)
    now = entities(filled.folder)
    assert f"images/{entry}.ome.zarr/" in now
    assert "#person-%C3%84nne%20%C3%96" in now
    with pytest.raises(TypeError, match="with name=''"):
        catalogue.crate(filled.folder, name="")
