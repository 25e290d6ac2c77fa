"""The chapters on cycling and contact run on a reader's files, without truth."""

from pathlib import Path

import pytest

import corrtomo as ct
from chapters import run

BOOK = Path(__file__).resolve().parents[1] / "book" / "cycling-contact"


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    """Two volumes of labels as a reader would have them."""
    folder = tmp_path_factory.mktemp("labels")
    fresh = ct.simulate.calendered((18.0, 20.0, 20.0), seed=5)
    for name, cathode in {"fresh": fresh, "aged": ct.simulate.cycled(fresh, 0.4)}.items():
        ct.write(cathode.labels(0.125, shape=(120, 120, 120)), folder / f"{name}.tif")
    return folder


@pytest.mark.parametrize("chapter", ["contact", "particles", "conduction"])
def test_labels_of_a_reader_go_through_the_chapters_that_count(chapter, labels, tmp_path):
    run(BOOK / f"{chapter}.ipynb", tmp_path, data_set=str(labels / "fresh.tif"))


@pytest.mark.parametrize("chapter", ["cycling", "difference"])
def test_and_two_by_name_through_those_that_compare(chapter, labels, tmp_path):
    files = {name: str(labels / f"{name}.tif") for name in ("fresh", "aged")}
    run(BOOK / f"{chapter}.ipynb", tmp_path, files=files, block_um=4.0)


@pytest.mark.parametrize("chapter", ["slices", "segmentation"])
def test_a_stack_of_a_reader_goes_through_the_first_chapters(chapter, tmp_path):
    stack = ct.datasets.load_stack("nmc")
    folder = tmp_path / "mine"
    folder.mkdir()
    part = {"z": slice(50), "y": slice(240)}
    ct.write(stack.image.isel(part), folder / "stack.tif")
    stack.marks.to_csv(folder / "marks.csv", index=False)
    mine = {"data_set": str(folder)}
    if chapter == "segmentation":
        ct.write(stack.labelled([5, 15, 25, 35]).isel(part), tmp_path / "hand.tif")
        mine["labels_file"] = str(tmp_path / "hand.tif")
    run(BOOK / f"{chapter}.ipynb", tmp_path, **mine)
