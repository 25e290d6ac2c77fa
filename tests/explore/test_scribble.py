"""The scribble explorer as Python sees it."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

import corrtomo as ct
import corrtomo.explore
import corrtomo.measure
from corrtomo.explore import ScribbleExplorer
from corrtomo.explore.explorer import bundle, pack
from corrtomo.explore.scribble.discriminant import MARGIN, expand, fit_discriminant, page_features
from corrtomo.explore.scribble.scribbling import pack_features, unpack_features

CLASSES = ("current collector", "active material", "binder", "platinum edge", "platinum depth")
MERGE = {"platinum edge": "pore", "platinum depth": "pore"}
CODES = np.array([3, 2, 1, 0, 0], np.uint8)  # of ct.Phase, for each class
WORDS = {"caption": "A test", "source": "digital twin"}


def section(shape: tuple[int, int] = (60, 70), origin: float = 0.0) -> tuple[xr.DataArray, np.ndarray]:
    """Draw patches of five classes, told apart by two channels together."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 5, (-(-shape[0] // 10), -(-shape[1] // 10)))
    classes = np.kron(coarse, np.ones((10, 10), int))[: shape[0], : shape[1]]
    grey = np.array([[60, 150, 60, 220, 100], [120, 150, 50, 200, 60]])[:, classes]
    noisy = np.clip(grey + rng.normal(0, 8, grey.shape), 0, 255).astype(np.uint8)
    image = ct.volume(noisy, 0.02, origin=origin, dims=("channel", "y", "x"))
    return image.assign_coords(channel=["CBS", "TLD"]), classes


def strokes(classes: np.ndarray, image: xr.DataArray) -> xr.DataArray:
    codes = np.full(classes.shape, 255, np.uint8)
    codes[3::11] = classes[3::11]
    return ct.volume(codes, 0.02, origin=float(image.x[0]))


@pytest.fixture
def image() -> xr.DataArray:
    return section()[0]


@pytest.fixture
def scribbles(image: xr.DataArray) -> xr.DataArray:
    return strokes(section()[1], image)


@pytest.fixture
def truth() -> xr.DataArray:
    return ct.volume(CODES[section()[1]], 0.02)


@pytest.fixture
def explorer(image: xr.DataArray, scribbles: xr.DataArray, truth: xr.DataArray) -> ScribbleExplorer:
    return ct.explore.scribble(image, CLASSES, merge=MERGE, scribbles=scribbles, truth=truth, **WORDS)


def test_features_of_a_flat_image_are_its_grey_value_and_no_spread() -> None:
    features = page_features(np.full((2, 20, 20), 77, np.uint8))
    assert features.shape == (16, 20, 20)
    assert (features.reshape(2, 8, -1)[:, :5] == 77).all()
    assert (features.reshape(2, 8, -1)[:, 5:] == 0).all()


def test_features_are_gaussians_and_deviations() -> None:
    grey = np.random.default_rng(1).integers(0, 256, (1, 40, 50)).astype(np.uint8)
    features = page_features(grey)
    np.testing.assert_array_equal(features[0], grey[0])
    x = grey[0].astype(float)
    np.testing.assert_array_equal(features[3], np.rint(gaussian_filter(x, 4.0)))
    spread = np.sqrt(gaussian_filter(x * x, 2.0) - gaussian_filter(x, 2.0) ** 2)
    np.testing.assert_array_equal(features[6], np.minimum(np.rint(2 * spread), 255))


def test_features_of_a_crop_are_those_of_the_whole_image() -> None:
    image = section((150, 160))[0]
    crop = {"y": (1.0, 1.9), "x": (0.8, 2.0)}
    explorer = ct.explore.scribble(image, CLASSES, crop=crop, **WORDS)
    rows, columns = explorer._rows, explorer._columns
    assert (rows, columns) == (slice(50, 96), slice(40, 101))
    assert columns.start > MARGIN
    np.testing.assert_array_equal(explorer._features(), page_features(image.values)[:, rows, columns])


def test_packed_features_come_back() -> None:
    features = np.random.default_rng(0).integers(0, 256, (3, 5, 7)).astype(np.uint8)
    np.testing.assert_array_equal(unpack_features(pack_features(features), features.shape), features)


def test_two_classes_on_one_value_are_cut_in_the_middle() -> None:
    """One value and its square, equal spread: worked by hand, the cut lies half way between the means."""
    values = np.array([[[40, 44, 60, 64, 51, 53]]], np.uint8)
    painted = np.array([[0, 0, 1, 1, 255, 255]], np.uint8)
    linear = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=1e-3, priors=[0.5, 0.5])
    linear.fit(values[0].T[:4].astype(float), painted[0, :4])
    assert -linear.intercept_[0] / linear.coef_[0, 0] == pytest.approx(52)
    model = fit_discriminant(values, painted, 2)
    assert model.predict(expand(values))[4:].tolist() == [0, 1]


def test_labels_are_those_of_scikit_learn(explorer, image, scribbles) -> None:
    rows = expand(page_features(image.values))
    painted = scribbles.values.ravel()
    chosen = painted != 255
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=1e-3, priors=np.full(5, 0.2))
    found = model.fit(rows[chosen], painted[chosen]).predict(rows).reshape(60, 70)
    labels = explorer.labels(merged=False)
    np.testing.assert_array_equal(labels, found)
    assert labels.attrs["classes"] == {name: code for code, name in enumerate(CLASSES)}
    merged = explorer.labels()
    np.testing.assert_array_equal(merged, CODES[found])
    assert merged.attrs["classes"] == {"current collector": 3, "active material": 2, "binder": 1, "pore": 0}
    assert merged.attrs["phases"]["PORE"] == 0
    assert merged.y.equals(image.y)


def test_painted_area_does_not_decide(image: xr.DataArray) -> None:
    """All classes are equally likely: a tenfold painted class takes no more than its own pixels."""
    grey = np.random.default_rng(0).integers(90, 111, (1, 30, 30)).astype(np.uint8)
    painted = np.full((30, 30), 255, np.uint8)
    painted[:20], painted[28:] = 0, 1
    grey[0, 20:] += 60
    model = fit_discriminant(page_features(grey), painted, 2)
    np.testing.assert_array_equal(model.priors_, [0.5, 0.5])


def test_kappa_leaves_painted_and_left_out_pixels_out(explorer, scribbles, truth) -> None:
    masked = truth.copy(data=np.where(scribbles.values != 255, 255, truth.values).astype(np.uint8))
    kappa = ct.measure.cohen_kappa(masked, explorer.labels(), ignore=255)
    assert explorer.kappa == pytest.approx(kappa, abs=1e-12)
    assert 0.8 < explorer.kappa < 1
    masked[:30] = 255
    half = ct.explore.scribble(section()[0], CLASSES, merge=MERGE, scribbles=scribbles, truth=masked, **WORDS)
    assert half.kappa == pytest.approx(ct.measure.cohen_kappa(masked, half.labels(), ignore=255), abs=1e-12)


def test_kappa_without_a_truth_is_refused(image, scribbles) -> None:
    explorer = ct.explore.scribble(image, CLASSES, scribbles=scribbles, **WORDS)
    with pytest.raises(ValueError, match="Pass truth="):
        _ = explorer.kappa


def test_scribbles_come_back_also_beyond_the_crop() -> None:
    image, classes = section((150, 160), origin=5.0)
    given = strokes(classes, image)
    explorer = ct.explore.scribble(
        image, CLASSES, scribbles=given, crop={"y": (6.0, 6.9), "x": (5.8, 7.0)}, **WORDS
    )
    np.testing.assert_array_equal(explorer.scribbles, given)
    assert explorer.scribbles.x.equals(image.x)
    assert explorer.labels().shape == (46, 61)
    assert explorer.note == "A crop of 61 × 46 of 160 × 150 pixels."
    changed = given.copy()
    changed[0, 0], changed[60, 60] = 2, 3
    explorer.scribbles = changed
    np.testing.assert_array_equal(explorer.scribbles, changed)
    np.testing.assert_array_equal(given[0, 0], 255)


@pytest.mark.parametrize("name", ["scribbles.png", "scribbles.tif", "scribbles.ome.zarr"])
def test_scribbles_are_saved_and_go_on_in_another_session(tmp_path: Path, name: str) -> None:
    image, classes = section(origin=5.0)
    path = tmp_path / name
    first = ct.explore.scribble(image, CLASSES, path=path, **WORDS)
    assert (first.scribbles == 255).all(), "no file yet: nothing is painted"
    first.scribbles = strokes(classes, image)
    assert first.save(path) == path
    again = ct.explore.scribble(image, CLASSES, path=path, **WORDS)
    np.testing.assert_array_equal(again.scribbles, first.scribbles)
    np.testing.assert_array_equal(again.labels(), first.labels())
    with pytest.raises(FileExistsError):
        first.save(path)
    first.save(path, overwrite=True)
    with pytest.raises(ValueError, match="the same classes in the same order"):
        ct.explore.scribble(image, CLASSES[::-1], path=path, **WORDS)


def test_a_page_hears_what_python_paints_and_the_reverse(explorer, scribbles) -> None:
    heard: list[Any] = []
    explorer.observe(lambda change: heard.append(change.name), ["painted", "chosen"])
    explorer.scribbles = scribbles.where(scribbles != 2, 255).astype(np.uint8)
    explorer.set_state({"chosen": 3})  # what the front end sends
    assert heard == ["painted", "chosen"]
    sent = memoryview(pack(np.where(scribbles.values == 2, 255, scribbles.values)))
    explorer.set_state({"painted": memoryview(pack(scribbles.values))})  # bytes come as a view
    np.testing.assert_array_equal(explorer.scribbles, scribbles)
    explorer.set_state({"painted": sent})
    assert 2 not in explorer.labels(merged=False).values, "a class that is not painted is not found"


def test_default_crop_is_the_middle() -> None:
    image = section((300, 310))[0]
    explorer = ct.explore.scribble(image, CLASSES, **WORDS)
    assert (explorer.shape, explorer.window) == ((2, 200, 256), (50, 27))
    many = image.isel(channel=[0, 1] * 3).drop_vars("channel")
    assert np.prod(ct.explore.scribble(many, CLASSES, **WORDS).shape) * 8 <= 1_000_000


def test_one_channel_may_do_without_its_dim(image, scribbles) -> None:
    one = ct.explore.scribble(image.isel(channel=0, drop=True), CLASSES, scribbles=scribbles, **WORDS)
    same = ct.explore.scribble(image.isel(channel=[0]), CLASSES, scribbles=scribbles, **WORDS)
    np.testing.assert_array_equal(one.labels(), same.labels())
    assert (one.channels, same.channels) == (["channel 1"], ["CBS"])


def test_lazy_images_are_the_same(image, scribbles, truth, explorer) -> None:
    pieces = {"y": 25}
    lazy = ct.explore.scribble(
        image.chunk(pieces),
        CLASSES,
        merge=MERGE,
        scribbles=scribbles.chunk(pieces),
        truth=truth.chunk(pieces),
        **WORDS,
    )
    assert lazy.state() == explorer.state()


def test_colours_are_those_of_phases_and_their_tints(explorer: ScribbleExplorer) -> None:
    colours = [c["colour"] for c in explorer.classes]
    assert colours[:3] == [p.colour for p in (ct.Phase.COLLECTOR, ct.Phase.AM, ct.Phase.CBD)]
    assert colours[4] == ct.Phase.PORE.colour != colours[3]
    assert [c["result"] for c in explorer.classes] == [0, 1, 2, 3, 3]
    assert [p["name"] for p in explorer.phases] == ["current collector", "active material", "binder", "pore"]
    phases = ct.explore.scribble(section()[0], (ct.Phase.PORE, ct.Phase.AM, "salt"), **WORDS).classes
    assert [c["name"] for c in phases] == ["pore", "active material", "salt"]
    assert len({c["colour"] for c in phases}) == 3


def test_static_page_gets_everything_and_no_kernel(explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert explorer.state()["live"] is True
    monkeypatch.setenv("CORRTOMO_STATIC", "1")
    page = explorer._repr_mimebundle_()["text/html"]
    state = json.loads(re.search(r'<script type="application/json">(.*)</script>', page)[1])
    assert state["live"] is False
    assert state["caption"] == "A test. Digital twin, voxel size 0.02 µm."
    assert not {"grid", "known", "_esm"} & set(state)
    assert page == explorer._repr_mimebundle_()["text/html"]


def test_page_of_two_channels_stays_below_a_megabyte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORRTOMO_STATIC", "1")
    image, classes = section((200, 256))
    explorer = ct.explore.scribble(image, CLASSES, scribbles=strokes(classes, image), **WORDS)
    assert len(explorer._repr_mimebundle_()["text/html"]) < 1_000_000


def test_picture_says_what_it_shows(explorer, image) -> None:
    alt = explorer.picture().alt
    assert f"kappa with the truth is {explorer.kappa:.4f}" in alt
    assert "platinum edge 57" in alt or re.search(r"platinum edge \d+", alt)
    share = 100 * float((explorer.labels() == ct.Phase.PORE).mean())
    assert f"pore {share:.2f} %" in alt
    assert "Nothing is painted yet" in ct.explore.scribble(image, CLASSES, **WORDS).picture().alt


def test_repr(explorer, image) -> None:
    assert repr(explorer) == f"ScribbleExplorer(5 classes, 420 pixels painted, kappa={explorer.kappa:.4f})"
    assert (
        repr(ct.explore.scribble(image, CLASSES, **WORDS)) == "ScribbleExplorer(5 classes, 0 pixels painted)"
    )


def test_nothing_to_learn_from_is_refused(image, scribbles) -> None:
    explorer = ct.explore.scribble(image, CLASSES, **WORDS)
    with pytest.raises(ValueError, match=r"scribbles of 0 class\(es\)"):
        explorer.labels()
    explorer.scribbles = scribbles.where(scribbles == 1, 255).astype(np.uint8)
    with pytest.raises(ValueError, match=r"scribbles of 1 class\(es\)"):
        explorer.labels()
    flat = ct.volume(np.kron([[10, 200]], np.ones((200, 100), int)).astype(np.uint8), 0.02)
    codes = np.full(flat.shape, 255, np.uint8)
    codes[80:120, 20], codes[80:120, 180] = 0, 1
    with pytest.raises(ValueError, match="all alike within each class"):
        ct.explore.scribble(flat, ("a", "b"), scribbles=ct.volume(codes, 0.02), **WORDS).labels()


def test_joined_module_has_no_import_left() -> None:
    module = bundle("scribble")
    assert not re.search(r"^(import|export (?!default))", module, re.MULTILINE)
    names = re.findall(r"^(?:async )?(?:function|class|const|let) (\w+)", module, re.MULTILINE)
    assert len(names) == len(set(names)), "modules are joined into one scope"


def test_forest_is_that_of_segment() -> None:
    image, classes = section((150, 160))
    scribbles = strokes(classes, image)
    explorer = ct.explore.scribble(image, CLASSES, merge=MERGE, scribbles=scribbles, **WORDS)
    explorer.set_state({"request": 1})  # what the button sends
    assert (explorer.training, explorer.trouble, explorer.classifier) == (False, "", "forest")
    model = ct.segment.PixelClassifier(CLASSES, merge=MERGE, seed=0).fit(image, scribbles)
    np.testing.assert_array_equal(explorer.labels(), model.predict(image))
    np.testing.assert_array_equal(explorer.labels(merged=False), model.predict(image, merged=False))
    explorer.classifier = "discriminant"
    assert (explorer.labels() != model.predict(image)).any()


def test_forest_on_a_crop_of_phases_is_that_of_the_whole_image() -> None:
    image, classes = section((150, 160))
    names = (ct.Phase.AM, ct.Phase.PORE, ct.Phase.CBD)
    given = strokes(classes, image)
    given = given.where(given < 3, 255).astype(np.uint8)
    crop = {"y": (1.0, 1.9), "x": (0.8, 2.0)}
    explorer = ct.explore.scribble(image, names, scribbles=given, crop=crop, seed=3, **WORDS)
    explorer.train_forest()
    model = ct.segment.PixelClassifier(names, seed=3).fit(image, given)
    whole = model.predict(image, merged=False)[explorer._rows, explorer._columns]
    np.testing.assert_array_equal(explorer.labels(merged=False), whole)


def test_what_the_forest_refuses_is_said_on_the_page() -> None:
    image, classes = section((150, 160))
    scribbles = strokes(classes, image)
    without = scribbles.where(scribbles != 2, 255).astype(np.uint8)
    explorer = ct.explore.scribble(image, CLASSES, scribbles=without, **WORDS)
    explorer.set_state({"request": 1})
    assert "binder" in explorer.trouble
    assert (explorer.training, explorer.forest) == (False, b"")
    with pytest.raises(ValueError, match="binder"):
        explorer.train_forest()


REFUSED = {
    "plain array": ({"image": np.zeros((60, 70), np.uint8)}, TypeError, "voxel size is not known"),
    "empty image": ({"image": section()[0][:, :0]}, ValueError, "holds no voxel"),
    "float image": ({"image": section()[0].astype(float)}, TypeError, "astype\\('uint8'\\)"),
    "16-bit image": ({"image": section()[0].astype(np.uint16)}, TypeError, "dtype uint16"),
    "3D image": ({"image": ct.volume(np.zeros((3, 60, 70), np.uint8), 1.0)}, ValueError, "isel\\(z=0\\)"),
    "tiny image": ({"image": section()[0][:, :12]}, ValueError, "70 × 12 pixels: 16 or more"),
    "one class": ({"classes": ("pore",)}, ValueError, "2 to 254 different names"),
    "no classes": ({"classes": ()}, ValueError, "different names"),
    "a text": ({"classes": "pore"}, TypeError, "a sequence of names"),
    "twice": ({"classes": ("pore", "binder", "pore")}, ValueError, "'pore' stands there twice"),
    "too many": ({"classes": tuple("abcdefghi")}, ValueError, "9 classes: each needs a key"),
    "unnamed": ({"classes": ("pore", " ")}, TypeError, "name of a class"),
    "one result": (
        {"merge": dict.fromkeys(CLASSES, "solid")},
        ValueError,
        "all merged into 'solid': two results",
    ),
    "merge": ({"merge": {"salt": "pore"}}, ValueError, "none of the classes"),
    "scribbles' grid": ({"scribbles": ct.volume(np.zeros((5, 7), np.uint8), 0.02)}, ValueError, "sizes"),
    "scribbles' place": (
        {"scribbles": ct.volume(np.zeros((60, 70), np.uint8), 0.02, origin=1.0)},
        ValueError,
        "coordinates differ",
    ),
    "scribbles' codes": (
        {"scribbles": ct.volume(np.full((60, 70), 5, np.uint8), 0.02)},
        ValueError,
        r"codes \[5\]: 5 classes have codes 0 to 4",
    ),
    "float scribbles": ({"scribbles": ct.volume(np.zeros((60, 70)), 0.02)}, TypeError, "dtype is float64"),
    "truth's grid": ({"truth": ct.volume(np.zeros((5, 7), np.uint8), 0.02)}, ValueError, "sizes"),
    "truth's codes": (
        {"truth": ct.volume(np.full((60, 70), 7, np.uint8), 0.02)},
        ValueError,
        r"truth of codes \[7\]",
    ),
    "crop outside": ({"crop": {"y": (9.0, 10.0)}}, ValueError, "it reaches from 0 to 1.18 µm"),
    "crop of one number": ({"crop": {"y": 1.0}}, ValueError, r"Pass \(low, high\)"),
    "crop of texts": ({"crop": {"y": "ab"}}, ValueError, r"Pass \(low, high\)"),
    "crop of slices": ({"crop": (slice(0, 9), slice(0, 9))}, TypeError, "ranges in µm"),
    "crop too large": (
        {"image": section((400, 400))[0], "crop": {"y": (0, 8), "x": (0, 8)}},
        ValueError,
        "a page holds 62500 pixels",
    ),
    "source": ({"source": "real"}, ValueError, "'measured', 'digital twin', 'schematic'"),
    "caption": ({"caption": " "}, ValueError, "caption"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str) -> None:
    wrong, error, words = REFUSED[case]
    given = {"image": section()[0], "classes": CLASSES, **WORDS} | wrong
    with pytest.raises(error, match=words):
        ct.explore.scribble(given.pop("image"), given.pop("classes"), **given)
