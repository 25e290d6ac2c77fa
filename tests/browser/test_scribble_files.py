"""Scribbles as files of the static page: Python reads what the page writes, and the reverse."""
# ruff: noqa: F811 - fixtures are imported, and then named again by the tests that take them

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from test_scribble_explorer import (  # noqa: F401 - fixtures
    CLASSES,
    COLUMNS,
    ROWS,
    choose,
    differing,
    draw,
    explorer,
    found,
    image,
    painted_counts,
    saved,
    section,
    truth,
)

import corrtomo as ct
import corrtomo.explore


def test_saved_scribbles_are_those_of_the_whole_image(show, tmp_path: Path) -> None:
    image, classes = section((120, 150))
    given = np.full(classes.shape, 255, np.uint8)
    given[2, :], given[60, ::3] = classes[2, :], classes[60, ::3]
    scribbles = ct.volume(given, 0.02, origin=3.0)
    crop = {"y": (3.8, 4.6), "x": (3.5, 5.2)}
    explorer = ct.explore.scribble(
        image, CLASSES, scribbles=scribbles, crop=crop, caption="Crop", source="schematic"
    )
    page = show(explorer)
    rows, columns = explorer.shape[1:]
    read = saved(page, tmp_path)
    np.testing.assert_array_equal(read, scribbles)
    assert ct.voxel_size(read) == (0.02, 0.02)
    assert read.x.equals(image.x)
    assert read.attrs["classes"] == {name: code for code, name in enumerate(CLASSES)}
    choose(page, "binder")
    draw(page, (5, 5), (20, 30), rows=rows, columns=columns)
    changed = saved(page, tmp_path)
    outside = np.ones(changed.shape, bool)
    outside[explorer._rows, explorer._columns] = False
    np.testing.assert_array_equal(changed.values[outside], given[outside])
    assert (changed.values == 2).sum() > (given == 2).sum() + 50
    again = ct.explore.scribble(
        image, CLASSES, path=tmp_path / "scribbles.png", crop=crop, caption="Crop", source="schematic"
    )
    np.testing.assert_array_equal(again.scribbles, changed)


@pytest.fixture
def file(tmp_path: Path, image: xr.DataArray) -> Path:
    """Scribbles as Python saves them."""
    codes = np.full(image.shape[1:], 255, np.uint8)
    codes[8:20:2], codes[35:50] = section()[1][8:20:2], np.random.default_rng(0).integers(0, 5, (15, COLUMNS))
    ct.write(ct.volume(codes, 0.02, origin=3.0), tmp_path / "given.png")
    return tmp_path / "given.png"


def test_loads_what_python_saved(show, explorer, image, file: Path, tmp_path: Path) -> None:
    page = show(explorer)
    draw(page, (5, 5), (9, 9))
    page.locator("input[type=file]").set_input_files(file)
    page.wait_for_function("document.querySelector('.ct-x-kappa').textContent.length > 1")
    given = ct.read(file)
    np.testing.assert_array_equal(saved(page, tmp_path), given)
    assert differing(found(page, explorer), image, given) == 0
    page.get_by_role("button", name="Undo").click()
    assert (saved(page, tmp_path) == 0).sum() == painted_counts(page)[0] > 0


def filtered(codes: np.ndarray) -> bytes:
    """Write a PNG by hand, its rows through each of the five filters in turn."""
    before = np.pad(codes.astype(int), ((1, 0), (1, 0)))
    left, up, corner = before[1:, :-1], before[:-1, 1:], before[:-1, :-1]
    distances = np.abs(left + up - corner - np.stack([left, up, corner]))
    paeth = np.choose(distances.argmin(axis=0), [left, up, corner])
    predicted = [0 * left, left, up, (left + up) // 2, paeth]
    rows = [bytes([r % 5, *((row - predicted[r % 5][r]) % 256).tolist()]) for r, row in enumerate(codes)]
    head = struct.pack(">IIBBBBB", COLUMNS, ROWS, 8, 0, 0, 0, 0)
    chunks = {b"IHDR": head, b"IDAT": zlib.compress(b"".join(rows)), b"IEND": b""}
    parts = [
        struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks.items()
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_loads_what_any_program_saved(show, explorer, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    codes = rng.choice(np.array([0, 1, 2, 3, 4, 255], np.uint8), (ROWS, COLUMNS))
    (tmp_path / "other.png").write_bytes(filtered(codes))
    np.testing.assert_array_equal(ct.read(tmp_path / "other.png", 0.02), codes)
    page = show(explorer)
    page.locator("input[type=file]").set_input_files(tmp_path / "other.png")
    page.wait_for_function("document.querySelector('.ct-x-kappa').textContent.length > 1")
    np.testing.assert_array_equal(saved(page, tmp_path), codes)


def test_refuses_files_that_do_not_fit(show, explorer, file: Path, tmp_path: Path) -> None:
    page = show(explorer)
    text = tmp_path / "notes.png"
    text.write_text("not a picture, but long enough to look at")
    ct.write(ct.volume(np.zeros((5, 7), np.uint8), 0.02), tmp_path / "small.png")
    ct.write(ct.volume(np.full((ROWS, COLUMNS), 5, np.uint8), 0.02), tmp_path / "codes.png")
    ct.write(ct.volume(np.zeros((ROWS, COLUMNS), np.uint16), 0.02), tmp_path / "deep.png")
    (tmp_path / "cut.png").write_bytes(file.read_bytes()[:-60])
    cases = {
        "notes.png": "it is not a PNG",
        "small.png": "7 × 5 pixels, and the image has 80 × 60",
        "codes.png": "it has code 5",
        "deep.png": "not plain 8-bit grey",
        "cut.png": "truncated or damaged",
    }
    for name, words in cases.items():
        page.locator("input[type=file]").set_input_files(tmp_path / name)
        hint = page.locator(".ct-x-hint")
        page.wait_for_function(f"document.querySelector('.ct-x-hint').textContent.includes('{name}')")
        assert words in hint.text_content()
        assert hint.text_content().startswith(f"Cannot load {name}: ")
    assert painted_counts(page) == [0] * 5


def test_reset_brings_back_the_start(show, image, file: Path, tmp_path: Path) -> None:
    explorer = ct.explore.scribble(image, CLASSES, path=file, caption="A test", source="schematic")
    page = show(explorer)
    labels = found(page, explorer)
    choose(page, "platinum edge")
    draw(page, (10, 10), (50, 70))
    page.get_by_role("radio", name="Image").check()
    page.get_by_role("radio", name="TLD").check()
    page.get_by_role("slider", name="Brush").fill("21")
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function("document.querySelector('.ct-x-choice input').checked")
    np.testing.assert_array_equal(saved(page, tmp_path), explorer.scribbles)
    assert page.get_by_role("radio", name="CBS").is_checked()
    assert page.get_by_role("slider", name="Brush").input_value() == "9"
    np.testing.assert_array_equal(found(page, explorer), labels)
    page.get_by_role("button", name="Undo").click()
    assert painted_counts(page)[3] > (explorer.scribbles == 3).sum(), "a reset can be taken back"
