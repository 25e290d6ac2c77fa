"""The built book: every chapter checks the ledger, and runs on real data as on the digital twin."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import corrtomo as ct
from chapters import run
from corrtomo.phases import as_labels
from corrtomo.published import read_checks

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
CHECKS = BOOK / "_build" / "corrtomo-checks"
NOTEBOOKS = sorted(p for p in BOOK.rglob("*.ipynb") if "_build" not in p.parts)
CHAPTERS = [p for p in NOTEBOOKS if p.name != "index.ipynb"]
SECTIONS = [
    "What the paper did",
    "The data",
    "Published beside ours",
    "How sure are we?",
    "Exercises",
    "On your own data",
    "References",
]


def name_of(path):
    return path.relative_to(BOOK).with_suffix("").as_posix()


def keys_named(path):
    """The ledger keys that a notebook's code names."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    return set(re.findall(r"[\"']([a-z-]+\.[a-z0-9_]+)[\"']", code)) & set(ct.published.rows())


def test_every_row_of_a_written_chapter_is_checked():
    assert ct.published.unchecked({name_of(p): keys_named(p) for p in CHAPTERS}) == []


def test_the_build_left_what_the_chapters_checked():
    named = set().union(*(keys_named(p) for p in CHAPTERS))
    assert named
    assert set(read_checks(CHECKS)) == {k for k in named if ct.published.row(k).kind != "arithmetic"}


def test_every_row_of_the_first_paper_that_can_be_checked_has_its_chapter():
    rows = [row for row in ct.published.rows().values() if row.paper == "xt-fibsem"]
    assert [row.key for row in rows if row.kind != "not checkable" and not row.chapter] == []


def test_every_page_of_the_book_was_built():
    pages = re.findall(r"(?:file|root): (\S+)", (BOOK / "_toc.yml").read_text("utf-8"))
    assert [p for p in pages if not (BOOK / "_build" / "html" / f"{p}.html").is_file()] == []


@pytest.mark.parametrize("path", CHAPTERS, ids=name_of)
def test_a_chapter_has_all_its_parts_in_order(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    found = [h for h in re.findall(r"^## (.*)$", text, re.M) if h in SECTIONS]
    assert found == SECTIONS
    assert re.search(r"\d+ minutes", text)


def test_no_number_of_ours_is_typed_into_the_prose():
    """Decimals in prose are the papers' or settings: kappas and thresholds of ours are computed in cells."""
    for path in CHAPTERS:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        text = " ".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        assert not re.search(r"κ\s*(=|of|is)\s*0\.\d", text), path


@pytest.mark.parametrize("data_set", ["nmc-xt-slice", "nmc-nanoct"])
def test_the_first_chapter_runs_on_measured_slices(data_set, tmp_path):
    if not ct.datasets.reachable(data_set):
        pytest.skip("CORRTOMO_DATA names no folder with the published data, and there is no connection")
    said = run(BOOK / "xt-fibsem" / "binary.ipynb", tmp_path, data_set=data_set)
    assert "Measured" in said
    assert "nothing to compare" in said


def test_the_first_chapter_runs_on_the_readers_files(tmp_path):
    sample = ct.datasets.load("xt-fibsem", seed=1)
    ct.write(sample.xray, tmp_path / "xray.tif")
    ct.write(sample.truth, tmp_path / "truth.nrrd")
    said = run(BOOK / "xt-fibsem" / "binary.ipynb", tmp_path, data_set=str(tmp_path))
    truth = ct.segment.one_phase(sample.truth, ct.Phase.AM)
    best = ct.measure.kappa_by_threshold(sample.xray, truth, ignore=255).max().item()
    assert f"κ = {best:.3f}" in said


@pytest.fixture(scope="module")
def own_section(tmp_path_factory):
    """The files that a reader would have of a cross-section: no classes, so none of platinum."""
    section = ct.datasets.load_section("kintsugi")
    folder = tmp_path_factory.mktemp("section")
    part = {"y": slice(600, 954), "x": slice(624, 1024)}
    for name in ("image", "bare", "truth"):
        ct.write(getattr(section, name).isel(part), folder / f"{name}.tif")
    return folder


CLOSE = {"window_um": {"y": [77.0, 80.0], "x": [46.0, 50.0]}}
FEW = {
    "platinum": {"strokes": 2, "seeds": [0, 1], **CLOSE},
    "thresholds": CLOSE,
    "train": {"strokes": 2, "paint_seeds": [0, 1], **CLOSE},
    "channels": {"strokes": [1, 2, 4], "operators": 2, "trees": 10, **CLOSE},
    "cracks": {"strokes": 4},
}


@pytest.mark.parametrize("chapter", FEW)
def test_the_chapters_on_kintsugi_run_on_the_readers_section(chapter, own_section, tmp_path):
    said = run(BOOK / "kintsugi" / f"{chapter}.ipynb", tmp_path, data_set=str(own_section), **FEW[chapter])
    assert "Other data than the paper's: nothing to compare." in said


def test_without_a_truth_the_lines_on_own_data_do(own_section, tmp_path, monkeypatch):
    text = (BOOK / "own-data.md").read_text("utf-8")
    (lines,) = [c for c in re.findall(r"```python\n(.*?)```", text, re.S) if "PixelClassifier" in c]
    section = ct.datasets.load_section(own_section)
    names = ("active material", "carbon binder domain", "pore")
    codes = {name: code for code, name in enumerate(names)}
    table = np.full(256, 255, np.uint8)
    for name, code in section.classes.attrs["classes"].items():
        table[code] = codes.get(name, 255)
    known = section.classes.copy(data=table[section.classes.data]).assign_attrs(classes=codes)
    ct.write(section.image, tmp_path / "image.tif")
    ct.write(ct.simulate.scribbles(known, 4), tmp_path / "strokes.tif")
    monkeypatch.chdir(tmp_path)
    exec(lines, {})
    labels = ct.read("my-labels.ome.tif")
    assert (
        ct.measure.cohen_kappa(labels, section.truth.where(known != 255, 255).astype("uint8"), ignore=255)
        > 0.7
    )


@pytest.fixture(scope="module")
def real_electrode(tmp_path_factory):
    """The files that a reader would have: a real segmented volume, imaged by the simulated instruments."""
    if not ct.datasets.reachable("nmc-xct-labels"):
        pytest.skip("CORRTOMO_DATA names no folder with the published data, and there is no connection")
    folder = tmp_path_factory.mktemp("mine")
    codes = ct.read(ct.datasets.fetch("nmc-xct-labels") / "nmc-1-cal_generatedCBD_bridge.tif", 0.398)
    recode = np.array([ct.Phase.PORE, ct.Phase.AM, ct.Phase.CBD], np.uint8)  # the file's 0, 1, 2
    specimen = ct.simulate.labelled(ct.volume(recode[codes.data], 0.398, origin=-35.0), seed=7)
    xray = ct.simulate.xray_tomography(specimen, 0.438, shape=(60, 110, 110), seed=7)
    pose, shape = np.eye(4), (90, 120, 125)
    pose[:3, :3] = Rotation.from_euler("xyz", (3.0, -4.0, 5.0), degrees=True).as_matrix()
    middle = 0.438 * (np.array(xray.shape) - 1) / 2
    pose[:3, 3] = 0.2 * (np.array(shape) - 1) / 2 - pose[:3, :3] @ middle
    fibsem = ct.simulate.fibsem_tomography(specimen, 0.2, shape=shape, pose=pose, seed=7)
    fine = specimen.labels(0.2, origin=0.0, shape=shape, pose=pose)
    images = {"xray.tif": xray, "fibsem.ome.tif": fibsem, "fibsem-truth.tif": fine}
    for name, image in images.items():
        ct.write(image, folder / name)
    return folder


@pytest.mark.parametrize("chapter", ["register", "truth"])
def test_a_real_segmented_volume_goes_through_the_first_chapters(chapter, real_electrode, tmp_path):
    said = run(BOOK / "xt-fibsem" / f"{chapter}.ipynb", tmp_path, data_set=str(real_electrode))
    assert "Measured: xray.tif" in said
    if chapter == "truth":
        assert "nothing to compare" in said


@pytest.mark.parametrize("chapter", ["ternary", "equalised", "sizes", "large-volume", "uncertainty"])
def test_and_with_its_truth_through_all_others(chapter, real_electrode, tmp_path):
    truth = real_electrode / "truth.tif"
    if not truth.exists():
        sample = ct.datasets.load(real_electrode)
        found = ct.register.align(sample.fibsem.sel(channel="in-lens", drop=True), sample.xray)
        coarse = ct.register.coarsen(sample.fibsem_truth, onto=sample.xray, alignment=found)
        known = coarse.where(coarse != ct.Phase.LEFT_OUT, drop=True).fillna(ct.Phase.LEFT_OUT)
        ct.write(as_labels(known.astype("uint8")), truth)
    parameters = {"data_set": str(real_electrode)}
    if chapter in ("sizes", "large-volume", "uncertainty"):
        image = ct.read(real_electrode / "xray.tif")
        parameters["am_threshold"] = int(ct.segment.threshold_otsu(image))
    if chapter == "large-volume":  # another electrode than the paper's: heavier
        parameters["loading_mg_per_cm2"] = 26.0
    if chapter == "uncertainty":
        parameters["edges_um"] = [5.0, 10.0, 20.0]
    said = run(BOOK / "xt-fibsem" / f"{chapter}.ipynb", tmp_path, **parameters)
    assert "Measured: xray.tif" in said
