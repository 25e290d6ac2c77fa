"""Learning across samples, on a folder of a reader: with truth, with own paint, and with neither."""

from pathlib import Path

import numpy as np

import corrtomo as ct
from chapters import run

CHAPTER = Path(__file__).resolve().parents[1] / "book" / "cell-to-particle" / "learn.ipynb"
FAST = {"ladder": [1, 2], "operators": 1, "trees": 10, "alike": "voxel_x_um < 1", "who": "A. Reader"}


def test_it_learns_from_a_readers_samples_and_segments_one_that_nobody_painted(tmp_path) -> None:
    days = ct.datasets.load_days()
    for name, day in days.items():
        folder = tmp_path / "mine" / name
        folder.mkdir(parents=True)
        ct.write(day.image, folder / "image.tif")
        if name != "D":
            ct.write(day.truth, folder / "truth.tif")
    stroke = days["B"].truth.where(np.arange(256)[:, None] < 40, 255).astype("uint8")
    ct.write(stroke, tmp_path / "mine" / "B" / "scribbles.tif")  # the codes of the phases are those classes
    kept = tmp_path / "catalogue"
    said = run(CHAPTER, tmp_path, data_set=str(tmp_path / "mine"), catalogue_at=str(kept), **FAST)
    assert "nothing to compare" in said
    assert "The measured image is not here" in said
    table = ct.catalogue.find(kept, kind="labels").set_index("sample")
    assert table.loc[["A", "B", "C"], "kappa"].between(0.7, 1).all()
    assert np.isnan(table.kappa["D"])
    assert table.how["D"] == "learnt from A, B, C"
    assert table.how["A"] == "learnt from B, C"
    assert (table.source == "measured").all()
    entry = ct.catalogue.find(kept, kind="scribbles", sample="B").index[0]
    assert (ct.catalogue.open(kept, entry).compute() == stroke).all()
    assert ct.catalogue.check(kept).empty
