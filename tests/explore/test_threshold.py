"""The threshold explorer as Python sees it."""

import base64
import json
import re
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import corrtomo as ct
import corrtomo.explore
import corrtomo.measure
from corrtomo.explore import explorer as shared
from corrtomo.phases import as_labels

WORDS = {"caption": "A test", "source": "digital twin"}


def pair(seed: int = 0, shape: tuple[int, ...] = (4, 9, 11)) -> tuple[xr.DataArray, xr.DataArray]:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, shape).astype(np.uint8)
    grey = np.clip(60 + 60 * codes + rng.normal(0, 30, shape), 0, 255).astype(np.uint8)
    return ct.volume(grey, 0.438), as_labels(ct.volume(codes, 0.438))


@pytest.fixture
def image() -> xr.DataArray:
    return pair()[0]


@pytest.fixture
def truth() -> xr.DataArray:
    return pair()[1]


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.integers(0, 99), st.lists(st.integers(0, 255), min_size=1, max_size=2, unique=True).map(sorted))
def test_numbers_are_those_of_measure(seed: int, thresholds: list[int]) -> None:
    image, truth = pair(seed)
    truth = truth if len(thresholds) == 2 else (truth == ct.Phase.AM)
    explorer = ct.explore.threshold(image, truth, thresholds=thresholds, **WORDS)
    found = sum((image > t).astype(np.uint8) for t in thresholds)
    assert explorer.kappa == pytest.approx(ct.measure.cohen_kappa(truth.astype(np.uint8), found), abs=1e-12)
    assert explorer.confusion.to_numpy().sum() == image.size
    np.testing.assert_array_equal(
        explorer.confusion.sum(axis=0), np.bincount(found.values.ravel(), minlength=len(thresholds) + 1)
    )
    np.testing.assert_allclose(
        explorer.fractions.truth_percent,
        100 * np.bincount(truth.values.ravel().astype(int), minlength=len(thresholds) + 1) / image.size,
    )


def test_left_out_voxels_do_not_count(image: xr.DataArray, truth: xr.DataArray) -> None:
    masked = truth.copy()
    masked[:, :3] = 255
    explorer = ct.explore.threshold(image, masked, thresholds=(90, 150), ignore=255, **WORDS)
    cropped = ct.explore.threshold(image[:, 3:], truth[:, 3:], thresholds=(90, 150), **WORDS)
    assert explorer.confusion.equals(cropped.confusion)
    assert explorer.has_left_out
    assert not cropped.has_left_out


def test_python_moves_and_hears_the_thresholds(image: xr.DataArray, truth: xr.DataArray) -> None:
    explorer = ct.explore.threshold(image, truth, thresholds=(90, 150), **WORDS)
    heard: list[Any] = []
    explorer.observe(lambda change: heard.append(change.new), "thresholds")
    explorer.thresholds = (80, 150)
    explorer.set_state({"thresholds": [70, 140]})  # what the front end sends
    assert heard == [(80, 150), (70, 140)]
    assert explorer.kappa == ct.explore.threshold(image, truth, thresholds=(70, 140), **WORDS).kappa
    assert explorer.start["thresholds"] == (90, 150)


@pytest.mark.parametrize("wrong", [(150, 90), (90, 90), (90,), (90, 256), (-1, 90), (90.5, 150), (True, 150)])
def test_python_cannot_move_them_where_there_is_nothing(
    image: xr.DataArray, truth: xr.DataArray, wrong: Any
) -> None:
    explorer = ct.explore.threshold(image, truth, thresholds=(90, 150), **WORDS)
    with pytest.raises(ValueError, match=r"Cannot move the explorer to thresholds .*2 whole grey value"):
        explorer.thresholds = wrong
    assert explorer.thresholds == (90, 150)


def test_static_page_gets_everything_and_no_widget(
    image: xr.DataArray, truth: xr.DataArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORRTOMO_STATIC", "1")
    explorer = ct.explore.threshold(image, truth, thresholds=(90, 150), **WORDS)
    bundle = explorer._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"] == f"ThresholdExplorer(thresholds=(90, 150), kappa={explorer.kappa:.4f})"
    page = bundle["text/html"]
    assert (
        page
        == ct.explore.threshold(image, truth, thresholds=(90, 150), **WORDS)._repr_mimebundle_()["text/html"]
    )
    state = json.loads(re.search(r'<script type="application/json">(.*)</script>', page)[1])
    np.testing.assert_array_equal(
        shared.unpack(base64.b64decode(state["image"]["base64"])).reshape(image.shape), image
    )
    np.testing.assert_array_equal(
        shared.unpack(base64.b64decode(state["truth"]["base64"])).reshape(image.shape), truth
    )
    assert state["caption"] == "A test. Digital twin, voxel size 0.438 µm."
    assert not {"_esm", "_css", "layout", "tabbable"} & set(state)
    assert "http" not in page


def test_text_cannot_break_out_of_the_page(
    image: xr.DataArray, truth: xr.DataArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORRTOMO_STATIC", "1")
    evil = '</script><b>"x'
    words = {**WORDS, "caption": evil}
    page = ct.explore.threshold(image, truth, thresholds=(9, 99), **words)._repr_mimebundle_()["text/html"]
    assert page.count("</script>") == 1
    assert "<b>" not in page.split("<script")[0]


def test_with_a_kernel_it_is_a_widget(
    image: xr.DataArray, truth: xr.DataArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CORRTOMO_STATIC", raising=False)
    data = ct.explore.threshold(image, truth, thresholds=(90, 150), **WORDS)._repr_mimebundle_()
    data = data[0] if isinstance(data, tuple) else data
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"].startswith("ThresholdExplorer(thresholds=(90, 150), kappa=0.")


def test_large_volumes_are_shown_in_part_and_counted_whole() -> None:
    image, truth = pair(shape=(30, 40, 50))
    arrays, numbers, note = shared.excerpt([image, truth], most_bytes=3 * 2 * 2000)
    assert numbers == [5, 15, 25]
    np.testing.assert_array_equal(arrays[0], image.values[[5, 15, 25]])
    assert note == "The picture holds 3 of 30 slices; all numbers are those of the whole volume."
    arrays, numbers, note = shared.excerpt([image, truth], most_bytes=1000)
    assert [a.shape for a in arrays] == [(1, 20, 25)] * 2
    assert numbers == [15]
    np.testing.assert_array_equal(arrays[1][0], truth.values[15, 10:30, 12:37])
    assert "one of 30 slices, the middle 25 × 20 of 50 × 40 pixels" in note


def test_small_volumes_are_shown_whole(image: xr.DataArray, truth: xr.DataArray) -> None:
    explorer = ct.explore.threshold(image, truth, thresholds=(90, 150), **WORDS)
    assert explorer.slices == [0, 1, 2, 3]
    assert explorer.note == ""
    assert explorer.positions_um == pytest.approx([0, 0.438, 0.876, 1.314])


def test_lazy_volumes_are_the_same(image: xr.DataArray, truth: xr.DataArray) -> None:
    lazy = ct.explore.threshold(image.chunk(z=2), truth.chunk(z=2), thresholds=(90, 150), **WORDS)
    assert lazy.state() == ct.explore.threshold(image, truth, thresholds=(90, 150), **WORDS).state()


def test_words_are_those_of_measure(image: xr.DataArray, truth: xr.DataArray) -> None:
    words = ct.explore.threshold(image, truth, thresholds=(90, 150), **WORDS).words
    for kappa in [*np.linspace(-1, 1, 401), 0.2, 0.4, 0.6, 0.8, -0.0, 5e-324, -5e-324]:
        said = next(word for bound, word in words if bound is None or kappa <= bound)
        assert said == ct.measure.landis_koch(float(kappa)), kappa


def test_phases_have_their_names_and_colours(image: xr.DataArray, truth: xr.DataArray) -> None:
    three = ct.explore.threshold(image, truth, thresholds=(90, 150), **WORDS)
    assert [p["colour"] for p in three.phases] == [ct.Phase(i).colour for i in range(3)]
    assert [p["short"] for p in three.phases] == ["pore", "CBD", "AM"]
    mask = (truth == ct.Phase.AM).rename("particles")
    two = ct.explore.threshold(image, mask, thresholds=(150,), **WORDS)
    assert [p["name"] for p in two.phases] == ["the rest", "particles"]


def test_picture_says_what_it_shows(image: xr.DataArray, truth: xr.DataArray) -> None:
    explorer = ct.explore.threshold(image, truth, thresholds=(90, 150), **WORDS)
    alt = explorer.picture().alt
    assert f"kappa is {explorer.kappa:.4f}" in alt
    assert all(phase.label in alt for phase in (ct.Phase.PORE, ct.Phase.CBD, ct.Phase.AM))


def test_joined_module_has_no_import_left() -> None:
    module = shared.bundle("threshold")
    assert not re.search(r"^(import|export (?!default))", module, re.MULTILINE)
    assert module.count("export default") == 1


REFUSED = {
    "plain array": ({"image": np.zeros((4, 9, 11), np.uint8)}, TypeError, "voxel size is not known"),
    "float image": ({"image": pair()[0].astype(float)}, TypeError, "8-bit grey values"),
    "grids differ": ({"image": pair()[0][1:]}, ValueError, "differ"),
    "one class": ({"truth": pair()[1] * 0}, ValueError, "one class"),
    "left out": ({"truth": pair()[1].where(pair()[1] > 0, 255).astype(np.uint8)}, ValueError, "ignore=255"),
    "three codes, one threshold": ({"thresholds": (90,)}, ValueError, r"truth == ct\.Phase\.AM"),
    "no threshold": ({"thresholds": ()}, ValueError, "one or two"),
    "three thresholds": ({"thresholds": (1, 2, 3)}, ValueError, "one or two"),
    "a number": ({"thresholds": 118}, ValueError, r"Pass \(118,\)"),
    "descending": ({"thresholds": (150, 90)}, ValueError, "each above the one before"),
    "phases": ({"phases": ("a", "b")}, ValueError, "3 are needed"),
    "source": ({"source": "real"}, ValueError, "'measured', 'digital twin', 'schematic'"),
    "caption": ({"caption": " "}, ValueError, "caption"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str) -> None:
    wrong, error, words = REFUSED[case]
    image, truth = pair()
    given_ = {"image": image, "truth": truth, "thresholds": (90, 150), **WORDS} | wrong
    with pytest.raises(error, match=words):
        ct.explore.threshold(given_.pop("image"), given_.pop("truth"), **given_)
