"""The catalogue explorer in Python: what it holds, what it leaves, what it refuses."""

import base64
import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import corrtomo as ct
import corrtomo.explore
from corrtomo import Phase
from corrtomo.explore.catalogue.catalogued import label, thumbnail
from corrtomo.phases import as_labels

WORDS: dict[str, Any] = {"caption": "A test", "source": "digital twin"}
FACTS: dict[str, Any] = {"instrument": "nanoCT", "who": "A. Reader", "how": "drawn"}


def table(many: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    columns = {
        "sample": [f"Sample {i % 7}" for i in range(many)],
        "kind": [("image", "labels")[i % 2] for i in range(many)],
        "kappa": np.where(rng.random(many) < 0.3, np.nan, rng.random(many)),
        "d50_um": rng.integers(1, 9, many).astype(float),
        "who": [None if i % 5 == 0 else "b. Other" if i % 3 else "A. Reader" for i in range(many)],
    }
    return pd.DataFrame(columns, index=[f"{i:016x}" for i in range(many)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("catalogue") / "c"
    grey = ct.volume(
        np.arange(8 * 40 * 60).reshape(8, 40, 60).astype(np.uint16), (0.2, 0.1, 0.1), name="grey"
    )
    first = ct.catalogue.add(where, grey, sample="LCO 1", **FACTS)
    codes = as_labels(grey.copy(data=(grey.values % 3).astype(np.uint8)))
    numbers = {"kappa": 0.5, "d50_um": 3.0}
    labels = ct.catalogue.add(where, codes, sample="LCO 1", of=first, measurements=numbers, **FACTS)
    ct.catalogue.add_measurements(where, labels, {"kappa": 0.75}, who="B", how="anew")
    return where


def painted(about: dict[str, Any]) -> np.ndarray:
    with Image.open(io.BytesIO(base64.b64decode(about["src"].split(",")[1]))) as image:
        return np.asarray(image.convert("RGB"))


def test_it_holds_the_catalogue(folder) -> None:
    explorer = ct.explore.catalogue(folder, address="../data/c/", **WORDS)
    stored = ct.catalogue.table(folder)
    assert explorer.ids == list(stored.index)
    assert explorer.columns[0]["name"] == "sample"
    assert {c["name"] for c in explorer.columns} >= {"kappa", "d50_um", "who", "voxel_x_um", "sha256"}
    first, labels = explorer.about
    assert labels["derived_from"] == explorer.ids[0]
    assert labels["link"] == f"../data/c/images/{explorer.ids[1]}.ome.zarr"
    kappas = [h[:4] for h in labels["history"] if h[0] == "kappa"]
    assert kappas == [["kappa", 0.5, "A. Reader", "drawn"], ["kappa", 0.75, "B", "anew"]]
    assert (first["width_um"], first["height_um"]) == (pytest.approx(6.0), pytest.approx(4.0))
    assert painted(first).shape == (160, 240, 3)
    assert (explorer.x, explorer.y, explorer.colour) == ("d50_um", "kappa", "sample")


def test_labels_have_the_colours_of_their_phases() -> None:
    codes = as_labels(ct.volume(np.repeat(np.array([[[0, 1, 2]]], np.uint8), 3, axis=1), 1.0))
    colours = painted(thumbnail(codes, 90))[45, [15, 45, 75]]
    names = [Phase(i).colour for i in range(3)]
    assert ["#" + "".join(f"{v:02x}" for v in colour) for colour in colours] == names


@pytest.mark.parametrize("image", [np.full((3, 4, 5), np.nan), np.ones((1, 1, 1)), np.arange(50.0)])
def test_pictures_of_odd_images(image) -> None:
    about = thumbnail(ct.volume(image, 0.5), 64)
    assert max(painted(about).shape) == 64


def test_a_picture_reads_a_coarse_scale_only(tmp_path, monkeypatch) -> None:
    image = ct.volume(np.zeros((2, 1100, 1100), np.uint8), 0.1)
    ct.catalogue.add(tmp_path / "c", image, sample="a", measurements={"x": 1.0, "y": 2.0}, **FACTS)
    levels = []
    original = ct.catalogue.open
    monkeypatch.setattr(
        "corrtomo.catalogue.open", lambda *a, **k: levels.append(k.get("level", 0)) or original(*a, **k)
    )
    explorer = ct.explore.catalogue(tmp_path / "c", picture_px=64, **WORDS)
    assert max(levels) == 3
    assert explorer.about[0]["width_um"] == pytest.approx(110, rel=0.02)


def test_an_entry_whose_image_is_gone_is_shown_and_said(folder, tmp_path) -> None:
    shutil.copytree(folder, tmp_path / "c")
    shutil.rmtree(next((tmp_path / "c" / "images").iterdir()))
    explorer = ct.explore.catalogue(tmp_path / "c", address="c", **WORDS)
    (gone,) = [about for about in explorer.about if "problem" in about]
    assert "is gone" in gone["problem"]
    assert gone["link"] is None
    assert len(explorer.rows) == 2


def test_what_the_filters_leave(folder) -> None:
    entries = table()
    explorer = ct.explore.catalogue(entries, **WORDS)
    assert explorer.selected.equals(entries)
    explorer.filters = {"kind": {"text": "LABEL"}, "kappa": {"low": 0.2, "high": 0.8}}
    left = entries[(entries["kind"] == "labels") & entries["kappa"].between(0.2, 0.8)]
    assert explorer.selected.equals(left)
    explorer.filters = {"who": {"text": "other"}}
    assert explorer.selected.equals(entries[entries["who"] == "b. Other"])


def test_sorting_puts_what_is_not_stated_last() -> None:
    entries = table()
    explorer = ct.explore.catalogue(entries, **WORDS)
    for descending in (False, True):
        explorer.sort = ["kappa", descending]
        expected = entries.sort_values("kappa", ascending=not descending, na_position="last", kind="stable")
        assert list(explorer.selected.index) == list(expected.index)
    explorer.sort = ["who", False]
    who = [w or "~" for w in explorer.selected["who"].fillna("~")]
    assert who == sorted(who, key=str.lower)


def test_words_for_columns() -> None:
    names = ["voxel_x_um", "surface_per_volume_per_um", "volume_um3", "pore_percent", "kappa"]
    words = ["voxel x (µm)", "surface per volume (1/µm)", "volume (µm³)", "pore (%)", "kappa"]
    assert [label(name) for name in names] == words


def test_the_picture_stands_in(folder) -> None:
    figure = ct.explore.catalogue(folder, **WORDS).picture()
    assert figure.alt.startswith("kappa against d50 (µm) of 2 of 2 entries")
    assert figure.caption == "A test. Digital twin."
    assert len(figure.png(50)) > 2000


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"x": "kind"}, KeyError, "Cannot plot 'kind': it is no column of numbers"),
        ({"colour": "kappa"}, KeyError, "it is no column of texts"),
        ({"columns": ["nothing"]}, KeyError, "Cannot show the column 'nothing'"),
        ({"picture_px": 5}, ValueError, "Cannot paint pictures of 5 pixels"),
        ({"source": "real"}, ValueError, "source 'real'"),
        ({"caption": ""}, ValueError, "caption=''"),
    ],
)
def test_refusals(given, error, words) -> None:
    with pytest.raises(error, match=words):
        ct.explore.catalogue(table(), **WORDS | given)


def test_tables_that_are_none(tmp_path) -> None:
    for entries in (table().iloc[:0], table().drop(columns="sample"), pd.concat([table(), table()])):
        with pytest.raises(ValueError, match="1 to 5000 entries"):
            ct.explore.catalogue(entries, **WORDS)
    with pytest.raises(ValueError, match="with 0 columns of numbers: two are needed"):
        ct.explore.catalogue(table()[["sample", "kind"]], **WORDS)
    with pytest.raises(FileNotFoundError, match="Cannot find a catalogue"):
        ct.explore.catalogue(tmp_path / "none", **WORDS)
    with pytest.raises(TypeError, match="a path is needed"):
        ct.explore.catalogue(None, **WORDS)


def test_texts_of_a_stranger_stay_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORRTOMO_STATIC", "1")
    table = pd.DataFrame({"sample": ["$x^$", "_a", "<!--<script>"], "k": [1.0, 2, 3], "m": [3, 2, 1]})
    explorer = corrtomo.explore.catalogue(table, caption="A table.", source="schematic")
    html = explorer._repr_mimebundle_()["text/html"]
    assert "<!--" not in html
    assert r"\u003c!--\u003cscript>" in html
