"""The chapters on a closer look, the zoom and the catalogue run on a reader's files."""

from pathlib import Path

import pytest

import corrtomo as ct
from chapters import run

PART = Path(__file__).resolve().parents[1] / "book" / "cell-to-particle"
PLACE = {"z_um": 900.0, "y_um": 2300.0, "x_um": 1600.0}


@pytest.fixture(scope="module")
def cell(tmp_path_factory):
    """An overview and a detail as a reader would save them, with nothing that is true of them."""
    folder, twin = tmp_path_factory.mktemp("cell"), ct.datasets.load_cell()
    ct.write(twin.overview[10:40], folder / "overview.tif")
    ct.write(twin.detail[60:140], folder / "detail.tif")
    return folder


@pytest.fixture(scope="module")
def pillar(tmp_path_factory):
    """A volume, a section and its ion maps; no map of elements."""
    folder, twin = tmp_path_factory.mktemp("pillar"), ct.datasets.load_pillar()
    for name in ("volume", "se", "sims"):
        ct.write(getattr(twin, name), folder / f"{name}.ome.tif")
    return folder


def test_the_closer_look_of_a_reader(tmp_path):
    """A detail alone, of which nothing is known: the list and the map, and no rates."""
    twin = ct.datasets.load_cell().detail.coarsen(z=4, y=4, x=4).mean().astype("float32")
    ct.write(twin, tmp_path / "detail.tif")
    said = run(PART / "closer.ipynb", tmp_path, data_set=str(tmp_path))
    assert "foil of 11.94 µm, 4 outgrowths, 1 allowed where none is" in said
    assert "How much copper stands on the foil" in said
    assert "Other data than the paper's: nothing to compare." in said
    assert "How many outgrowths" not in said, "rates need a truth"


def test_the_zoom_of_a_reader(cell, pillar, tmp_path):
    own = {"data_set": str(cell), "pillar_set": str(pillar), "stage_at_um": [*PLACE.values()]}
    said = run(PART / "zoom.ipynb", tmp_path, **own)
    assert "expected error at the corners of the detail" in said
    assert "ZoomExplorer(overview, detail, nanoCT, SE, SIMS" in said
    assert "Other data than the paper's: nothing to compare." in said
    assert "by X-rays they make" not in said, "there is no map of elements"


def test_the_catalogue_of_a_reader(cell, tmp_path):
    folder = tmp_path / "kept"
    said = run(PART / "catalogue.ipynb", tmp_path, data_set=str(cell), catalogue_at=str(folder))
    assert "17 entries of digital twins" in said
    own = ct.catalogue.find(folder, who="a reader")
    assert sorted(own["sample"]) == ["detail", "overview"]
    assert own["otsu"].notna().all(), "each with a number"
    assert ct.catalogue.check(folder)["problem"].tolist() == ["unfinished"], "of the writer that was killed"
