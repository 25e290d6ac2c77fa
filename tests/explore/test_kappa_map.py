"""The explorer of the kappa map as Python sees it."""

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
PAIRS = st.lists(st.integers(0, 255), min_size=2, max_size=2, unique=True).map(sorted)


def pair(seed: int = 0, shape: tuple[int, ...] = (4, 9, 11)) -> tuple[xr.DataArray, xr.DataArray]:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, shape).astype(np.uint8)
    grey = np.clip(60 + 60 * codes + rng.normal(0, 30, shape), 0, 255).astype(np.uint8)
    codes[..., :2] = 255
    return ct.volume(grey, 0.438), as_labels(ct.volume(codes, 0.438))


@pytest.fixture
def image() -> xr.DataArray:
    return pair()[0]


@pytest.fixture
def truth() -> xr.DataArray:
    return pair()[1]


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.integers(0, 99), PAIRS)
def test_numbers_are_those_of_measure(seed: int, start: list[int]) -> None:
    image, truth = pair(seed)
    explorer = ct.explore.kappa_map(image, truth, start=start, **WORDS)
    found = (image > start[0]).astype(np.uint8) + (image > start[1]).astype(np.uint8)
    assert explorer.kappa == pytest.approx(ct.measure.cohen_kappa(truth, found, ignore=255), abs=1e-12)
    assert explorer.kappa == pytest.approx(
        float(explorer.kappas.sel(lower=start[0], upper=start[1])), abs=1e-12
    )
    assert explorer.confusion.to_numpy().sum() == (truth != 255).sum()


def test_best_is_the_highest_of_all_pairs_and_the_start(image: xr.DataArray, truth: xr.DataArray) -> None:
    explorer = ct.explore.kappa_map(image, truth, **WORDS)
    kappas = ct.measure.kappa_by_threshold_pair(image, truth, ignore=255)
    xr.testing.assert_identical(explorer.kappas, kappas)
    assert explorer.thresholds == explorer.best == explorer.start["thresholds"]
    assert float(kappas.sel(lower=explorer.best[0], upper=explorer.best[1])) == np.nanmax(kappas)
    assert explorer.highest == pytest.approx(explorer.kappa, abs=1e-12)


def test_best_of_grey_values_that_part_perfectly() -> None:
    image = ct.volume(np.array([[10, 10, 100, 200]], np.uint8), 0.5)
    truth = as_labels(ct.volume(np.array([[0, 0, 1, 2]], np.uint8), 0.5))
    explorer = ct.explore.kappa_map(image, truth, **WORDS)
    assert (explorer.best, explorer.kappa) == ((10, 100), 1.0)
    explorer.thresholds = (100, 200)
    assert explorer.confusion.to_numpy().tolist() == [[2, 0, 0], [1, 0, 0], [0, 1, 0]]


def test_python_moves_and_hears_the_pair(image: xr.DataArray, truth: xr.DataArray) -> None:
    explorer = ct.explore.kappa_map(image, truth, start=(90, 150), **WORDS)
    heard: list[Any] = []
    explorer.observe(lambda change: heard.append(change.new), "thresholds")
    explorer.thresholds = (80, 150)
    explorer.set_state({"thresholds": [70, 140]})  # what the front end sends
    explorer.thresholds = explorer.best
    assert heard == [(80, 150), (70, 140), explorer.best]


@pytest.mark.parametrize("wrong", [(150, 90), (90, 90), (90,), (90, 256), (-1, 90), (90.5, 150), (True, 150)])
def test_python_cannot_move_to_no_pair(image: xr.DataArray, truth: xr.DataArray, wrong: Any) -> None:
    explorer = ct.explore.kappa_map(image, truth, start=(90, 150), **WORDS)
    with pytest.raises(ValueError, match=r"Cannot move the explorer to thresholds .*2 whole grey value"):
        explorer.thresholds = wrong
    assert explorer.thresholds == (90, 150)


def test_slices_beyond_the_volume_are_refused(image: xr.DataArray, truth: xr.DataArray) -> None:
    explorer = ct.explore.kappa_map(image, truth, **WORDS)
    explorer.slice = 3
    for wrong in (4, -1):
        with pytest.raises(ValueError, match="it holds 4, numbered from 0 to 3"):
            explorer.slice = wrong
    assert explorer.slice == 3


def test_static_page_gets_everything(
    image: xr.DataArray, truth: xr.DataArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORRTOMO_STATIC", "1")
    explorer = ct.explore.kappa_map(image, truth, marks={"published": (73, 110)}, **WORDS)
    data = explorer._repr_mimebundle_()
    assert data["text/plain"] == repr(explorer)
    page = data["text/html"]
    state = json.loads(re.search(r'<script type="application/json">(.*)</script>', page)[1])
    kept = shared.unpack(base64.b64decode(state["truth"]["base64"])).reshape(image.shape)
    np.testing.assert_array_equal(kept, np.minimum(truth, 3))
    assert state["marks"] == {"published": [73.0, 110.0]}
    assert state["best"] == list(explorer.best)
    assert "kappas" not in state, "the page computes the map from the joint histogram"
    assert "http" not in page


def test_joined_module_has_no_import_left() -> None:
    module = shared.bundle("kappa_map")
    assert not re.search(r"^(import|export (?!default))", module, re.MULTILINE)
    assert module.count("export default") == 1
    names = re.findall(r"^(?:async )?(?:function|const|let) (\w+)", module, re.MULTILINE)
    assert len(names) == len(set(names)), "two modules that are joined use one name"


def test_picture_says_what_it_shows(image: xr.DataArray, truth: xr.DataArray) -> None:
    explorer = ct.explore.kappa_map(image, truth, start=(90, 150), marks={"published": (73, 110)}, **WORDS)
    alt = explorer.picture().alt
    assert f"kappa is {explorer.kappa:.4f}" in alt
    assert f"highest at {explorer.best[0]} and {explorer.best[1]} ({explorer.highest:.4f})" in alt
    assert explorer.picture().png(50)[:4] == b"\x89PNG"


def test_images_of_two_dimensions_and_lazy_ones(image: xr.DataArray, truth: xr.DataArray) -> None:
    flat = ct.explore.kappa_map(image[0], truth[0], **WORDS)
    assert (flat.slices, flat.shape) == ([0], (1, 9, 11))
    lazy = ct.explore.kappa_map(image.chunk(z=2), truth.chunk(z=2), **WORDS)
    assert lazy.state() == ct.explore.kappa_map(image, truth, **WORDS).state()


REFUSED = {
    "plain array": ({"image": np.zeros((4, 9, 11), np.uint8)}, TypeError, "voxel size is not known"),
    "16 bits": ({"image": pair()[0].astype(np.uint16)}, TypeError, "8-bit grey values"),
    "grids differ": ({"image": pair()[0][1:]}, ValueError, "differ"),
    "one class": ({"truth": pair()[1] * 0}, ValueError, "one class"),
    "left out, not said": ({"ignore": None}, ValueError, "ignore=255"),
    "a code more": (
        {"truth": pair()[1].where(pair()[1] > 0, 3)},
        ValueError,
        r"truth\.where\(truth < 3, 255\)",
    ),
    "one threshold": ({"start": (90,)}, ValueError, "leave start out for the best pair"),
    "a number": ({"start": 90}, ValueError, "lower and an upper"),
    "a text": ({"start": "ab"}, ValueError, "lower and an upper"),
    "descending": ({"start": (150, 90)}, ValueError, "the lower first"),
    "NaN": ({"start": (90, np.nan)}, ValueError, "whole grey values"),
    "mark": ({"marks": {"paper": (110, 73)}}, ValueError, "Cannot mark 'paper'"),
    "mark of one": ({"marks": {"paper": 110}}, ValueError, "{'published'"),
    "mark of NaN": ({"marks": {"paper": (np.nan, 73)}}, ValueError, "Cannot mark 'paper'"),
    "source": ({"source": "real"}, ValueError, "'measured', 'digital twin', 'schematic'"),
    "caption": ({"caption": " "}, ValueError, "caption"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str) -> None:
    wrong, error, words = REFUSED[case]
    image, truth = pair()
    given_ = {"image": image, "truth": truth, **WORDS} | wrong
    with pytest.raises(error, match=words):
        ct.explore.kappa_map(given_.pop("image"), given_.pop("truth"), **given_)
