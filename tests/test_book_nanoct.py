"""The chapters on nanoCT and SIMS run on a reader's files: a scan, a volume, a section and its maps."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import corrtomo as ct
from chapters import run

PART = Path(__file__).resolve().parents[1] / "book" / "nanoct-sims"


@pytest.fixture(scope="module")
def section(tmp_path_factory):
    """The twin's section as a reader would save it, with nothing that is true of it."""
    folder = tmp_path_factory.mktemp("mine")
    twin = ct.datasets.load_pillar()
    for name in ("se", "eds", "sims"):
        ct.write(getattr(twin, name), folder / f"{name}.ome.tif")
    return folder


@pytest.fixture(scope="module")
def scanned(section):
    """The same with the volume, and a few radiographs."""
    twin = ct.datasets.load_pillar()
    ct.write(twin.volume, section / "volume.ome.tif")
    few = twin.counts.isel(angle=slice(None, None, 4))
    for name, image in (("counts", few), ("flat", twin.flat)):
        stack = ct.volume(image.data, (1.0, 0.05, 0.05))
        ct.write(stack, section / f"{name}.tif")
    pd.DataFrame({"angle_deg": np.arange(90) * 4.0}).to_csv(section / "angles.csv", index=False)
    return section


@pytest.mark.parametrize("chapter", ["blend", "chemistry"])
def test_maps_of_a_reader(chapter, section, tmp_path):
    said = run(PART / f"{chapter}.ipynb", tmp_path, data_set=str(section))
    assert "per_pixel" in said or "LCO" in said


@pytest.mark.parametrize("chapter", ["reconstruct", "resolution", "regions", "locate"])
def test_a_scan_of_a_reader(chapter, scanned, tmp_path):
    assert run(PART / f"{chapter}.ipynb", tmp_path, data_set=str(scanned))
