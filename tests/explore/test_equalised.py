"""The explorer of the AHE-based segmentation as Python sees it: every combination is that of segment."""

import importlib
import json
import re
from itertools import product
from typing import Any

import numba
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import corrtomo as ct
import corrtomo.explore
import corrtomo.measure
import corrtomo.segment
from corrtomo.explore import EqualisedExplorer
from corrtomo.explore import explorer as shared
from corrtomo.explore.grey.sweep import kappas, pack_masks, unpack_masks
from corrtomo.phases import as_labels
from corrtomo.show.style import HIT, TOO_BRIGHT, TOO_DARK, rgb

MODULE = importlib.import_module("corrtomo.explore.grey.equalised")  # the room has a function of that name
AM, WINDOWS, THRESHOLDS, DIAMETERS = 150, (2.0, 3.5), (90, 120, 150), (0.438, 0.876)
SWEEP: dict[str, Any] = {
    "am_threshold": AM,
    "windows_um": WINDOWS,
    "thresholds": THRESHOLDS,
    "diameters_um": DIAMETERS,
    "caption": "A test",
    "source": "digital twin",
}


def pair(seed: int = 0, shape: tuple[int, ...] = (5, 13, 17)) -> tuple[xr.DataArray, xr.DataArray]:
    """Draw grains, binder and pores in patches of some voxels, with noise and a slope of grey."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 3, tuple(-(-n // 3) for n in shape))
    codes = np.kron(coarse, np.ones((3,) * len(shape), int))[tuple(slice(n) for n in shape)].astype(np.uint8)
    slope = np.linspace(-15, 15, shape[-1])
    grey = np.clip(60 + 60 * codes + slope + rng.normal(0, 18, shape), 0, 255).astype(np.uint8)
    codes[..., :2] = 255
    return ct.volume(grey, 0.438), as_labels(ct.volume(codes, 0.438))


@pytest.fixture(scope="module")
def image() -> xr.DataArray:
    return pair()[0]


@pytest.fixture(scope="module")
def truth() -> xr.DataArray:
    return pair()[1]


@pytest.fixture
def explorer(image: xr.DataArray, truth: xr.DataArray) -> EqualisedExplorer:
    return ct.explore.equalised(image, truth, **SWEEP)


def steps_at(image: xr.DataArray, window: float, threshold: int, diameter: float) -> dict[str, xr.DataArray]:
    return ct.segment.equalised_steps(
        image, am_threshold=AM, cbd_threshold=threshold, window_um=window, diameter_um=diameter
    )


def move(explorer: EqualisedExplorer, window: float, threshold: int, diameter: float) -> None:
    explorer.window_um, explorer.cbd_threshold, explorer.diameter_um = window, threshold, diameter


def test_every_combination_has_the_numbers_of_segment_and_measure(explorer, image, truth) -> None:
    for combination in product(WINDOWS, THRESHOLDS, DIAMETERS):
        move(explorer, *combination)
        found = steps_at(image, *combination)["labels"]
        kappa = ct.measure.cohen_kappa(truth, found, ignore=255)
        assert explorer.kappa == pytest.approx(kappa, abs=1e-12)
        assert float(explorer.kappas.sel(dict(zip(explorer.kappas.dims, combination, strict=True)))) == (
            pytest.approx(kappa, abs=1e-12)
        )
        counts = ct.measure.confusion_matrix(truth, found, ignore=255)
        np.testing.assert_array_equal(explorer.confusion, counts)
    spread = explorer.kappas.max(["cbd_threshold", "diameter_um"])
    assert len(set(spread.values.round(6))) == 2, "the windows differ, or nothing is tested"


def test_every_panel_is_that_step(explorer, image, truth) -> None:
    colours = {0: ct.Phase.PORE, 1: ct.Phase.CBD, 2: ct.Phase.AM, 255: ct.Phase.LEFT_OUT}
    table = np.array([rgb(colours[c].colour) if c in colours else (0, 0, 0) for c in range(256)], np.uint8)
    explorer.opacity = 1.0
    for number, combination in product((1, 4), product(WINDOWS, THRESHOLDS, DIAMETERS)):
        explorer.slice = number
        move(explorer, *combination)
        steps = {name: step.values[number] for name, step in steps_at(image, *combination).items()}
        true, labels, grey = truth.values[number], steps["labels"], steps["image"]
        plain = np.repeat(grey[..., None], 3, axis=-1)
        wanted = {"image": plain, "equalised": np.repeat(steps["equalised"][..., None], 3, axis=-1)}
        for name, code in {"am": 2, "cbd_thresholded": 1, "cbd": 1}.items():
            wanted[name] = np.where(steps[name][..., None], table[code], plain)
        wanted["truth"] = table[true]
        wanted["segmentation"] = table[np.where(true == 255, 255, labels)]
        cases = [true == 255, labels == true, labels < true]
        codes = [rgb(c) for c in (ct.Phase.LEFT_OUT.colour, HIT, TOO_DARK, TOO_BRIGHT)]
        wanted["agreement"] = np.array(codes, np.uint8)[np.select(cases, [0, 1, 2], 3)]
        assert wanted.keys() == MODULE.PANELS.keys()
        for name, pixels in wanted.items():
            np.testing.assert_array_equal(explorer._paint(name), pixels, err_msg=f"{name} at {combination}")


def test_starts_at_the_best_of_the_sweep(explorer) -> None:
    assert explorer.kappa == float(explorer.kappas.max())
    assert explorer.best == {name: getattr(explorer, name) for name in explorer.kappas.dims}
    assert {name: explorer.start[name] for name in explorer.best} == explorer.best


def test_threads_are_as_before_also_after_a_refusal(image: xr.DataArray, truth: xr.DataArray) -> None:
    before = numba.get_num_threads()
    ct.explore.equalised(image, truth, **SWEEP)
    with pytest.raises(ValueError, match="longest edge"):
        ct.explore.equalised(image, truth, **{**SWEEP, "windows_um": (2.0, 99.0)})
    assert numba.get_num_threads() == before


def test_starts_where_it_is_told(image: xr.DataArray, truth: xr.DataArray) -> None:
    explorer = ct.explore.equalised(image, truth, start=(3.5, 120, 0.876), **SWEEP)
    assert (explorer.window_um, explorer.cbd_threshold, explorer.diameter_um) == (3.5, 120, 0.876)
    assert "window_um=3.5, cbd_threshold=120, diameter_um=0.876, kappa=" in repr(explorer)


def test_python_moves_and_hears_the_sliders(explorer) -> None:
    heard: list[Any] = []
    explorer.observe(lambda change: heard.append((change.name, change.new)), list(explorer.best))
    before = explorer.best["window_um"], explorer.best["cbd_threshold"]
    window = next(w for w in WINDOWS if w != before[0])
    threshold = next(t for t in THRESHOLDS if t != before[1])
    explorer.window_um = window
    explorer.set_state({"cbd_threshold": threshold})  # what the front end sends
    assert heard == [("window_um", window), ("cbd_threshold", threshold)]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("window_um", 3.0), ("cbd_threshold", 91), ("diameter_um", -1.0), ("window_um", np.nan)],
)
def test_python_cannot_move_beyond_the_sweep(explorer, name: str, wrong: Any) -> None:
    before = getattr(explorer, name)
    with pytest.raises(ValueError, match=f"Cannot show the segmentation at {name} .*the sweep holds"):
        setattr(explorer, name, wrong)
    assert getattr(explorer, name) == before


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 5), st.integers(1, 7), st.integers(0, 9))
def test_masks_come_back_from_their_pack(t: int, w: int, rows: int, columns: int, seed: int) -> None:
    masks = np.random.default_rng(seed).random((t, w, rows, columns)) < 0.4
    np.testing.assert_array_equal(unpack_masks(pack_masks(masks), masks.shape), masks)


def test_kappa_of_a_table_worked_by_hand() -> None:
    np.testing.assert_allclose(kappas(np.array([[[[2, 0], [1, 1]], [[2, 0], [0, 2]]]])), [[0.5, 1.0]])


def test_a_page_of_288_combinations_is_below_a_megabyte(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the size of the small twin, on patches that are rougher than it."""
    monkeypatch.setenv("CORRTOMO_STATIC", "1")
    image, truth = pair(1, (24, 55, 65))
    sweep = {**SWEEP, "windows_um": (2, 3, 4, 6, 9, 12), "thresholds": range(60, 180, 10)}
    explorer = ct.explore.equalised(image, truth, **{**sweep, "diameters_um": None})
    assert explorer.kappas.shape == (6, 12, 4)
    assert explorer.diameters_um == pytest.approx([0.438, 0.876, 1.314, 1.752])
    assert explorer.note == "The picture holds 6 of 24 slices; all numbers are those of the whole volume."
    page = explorer._repr_mimebundle_()["text/html"]
    assert len(page) < 1_000_000
    state = json.loads(re.search(r'<script type="application/json">(.*)</script>', page)[1])
    assert state["slices"] == [2, 6, 10, 14, 18, 22]
    assert "http" not in page


def test_large_slices_are_shown_in_part(image, truth, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ct.explore.equalised(image, truth, **SWEEP)
    monkeypatch.setattr(MODULE, "PICTURE_BYTES", 700)
    part = ct.explore.equalised(image, truth, **SWEEP)
    assert part.shape[0] == 1
    assert part.shape[1] < 13
    assert "one of 5 slices, the middle" in part.note
    assert part.counts == whole.counts
    assert part.picture().png(50)[:4] == b"\x89PNG"


def test_two_dimensions_one_of_each_and_lazy_images(image, truth) -> None:
    one = {**SWEEP, "windows_um": (3.0,), "thresholds": (120,), "diameters_um": (0.876,)}
    flat = ct.explore.equalised(image[0], truth[0], **one)
    found = steps_at(image[0], 3.0, 120, 0.876)["labels"]
    assert flat.kappa == pytest.approx(ct.measure.cohen_kappa(truth[0], found, ignore=255), abs=1e-12)
    assert flat.shape == (1, 13, 17)
    lazy = ct.explore.equalised(image.chunk(z=2), truth.chunk(z=2), **one)
    assert lazy.state() == ct.explore.equalised(image, truth, **one).state()


def test_picture_says_what_it_shows(explorer) -> None:
    alt = explorer.picture().alt
    assert f"kappa is {explorer.kappa:.4f}" in alt
    assert f"a window of {explorer.window_um:g} µm" in alt
    assert explorer.picture().png(50)[:4] == b"\x89PNG"


def test_joined_module_has_no_import_left() -> None:
    module = shared.bundle("equalised")
    assert not re.search(r"^(import|export (?!default))", module, re.MULTILINE)
    names = re.findall(r"^(?:async )?(?:function|const|let) (\w+)", module, re.MULTILINE)
    assert len(names) == len(set(names)), "two modules that are joined use one name"


REFUSED = {
    "plain array": ({"image": np.zeros((5, 13, 17), np.uint8)}, TypeError, "voxel size is not known"),
    "float image": ({"image": pair()[0].astype(float)}, TypeError, "8-bit grey values"),
    "grids differ": ({"image": pair()[0][1:]}, ValueError, "differ"),
    "one class": ({"truth": pair()[1] * 0}, ValueError, "one class"),
    "left out, not said": ({"ignore": None}, ValueError, "ignore=255"),
    "a code more": ({"truth": pair()[1].where(pair()[1] > 0, 3)}, ValueError, r"where\(truth < 3, 255\)"),
    "no window": ({"windows_um": ()}, ValueError, "one value or more"),
    "a number": ({"windows_um": 8.0}, ValueError, "in a sequence"),
    "a text": ({"diameters_um": "0.4"}, ValueError, "in a sequence"),
    "a window of text": ({"windows_um": ("a", "b")}, TypeError, "a number in µm"),
    "no length": ({"diameters_um": (0.0, 1.0)}, ValueError, "above zero"),
    "NaN": ({"windows_um": (np.nan,)}, ValueError, "finite"),
    "descending": ({"thresholds": (120, 90)}, ValueError, "they must ascend"),
    "twice": ({"windows_um": (2.0, 2.0)}, ValueError, "none twice"),
    "window too large": ({"windows_um": (2.0, 99.0)}, ValueError, "at most the longest edge"),
    "ball too large": ({"diameters_um": (500.0,)}, ValueError, "at most 255 are possible"),
    "threshold 255": ({"thresholds": (90, 255)}, ValueError, "from 0 to 254"),
    "threshold 90.5": ({"thresholds": (90.5, 100)}, ValueError, "whole grey values"),
    "AM threshold": ({"am_threshold": 255}, ValueError, "with am_threshold 255"),
    "AM threshold of text": ({"am_threshold": "otsu"}, ValueError, "threshold_otsu"),
    "too many": ({"thresholds": range(255), "diameters_um": range(1, 9)}, ValueError, "2000 at most"),
    "start": ({"start": (2.0, 91, 0.438)}, ValueError, "Leave start out for the best"),
    "start of two": ({"start": (2.0, 90)}, ValueError, "a window, a threshold and a diameter"),
    "source": ({"source": "real"}, ValueError, "'measured', 'digital twin', 'schematic'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str) -> None:
    wrong, error, words = REFUSED[case]
    image, truth = pair()
    given_ = {"image": image, "truth": truth, **SWEEP} | wrong
    with pytest.raises(error, match=words):
        ct.explore.equalised(given_.pop("image"), given_.pop("truth"), **given_)
