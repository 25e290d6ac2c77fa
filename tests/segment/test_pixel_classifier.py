"""Segmentation from scribbles: known truth, merged classes, any number of cores, tiles, chunks."""

import subprocess
import sys

import dask.array as da
import numba
import numpy as np
import pytest
import xarray as xr
from scribbled import CLASSES, MERGE, PIXEL, scribbled, section
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import corrtomo as ct
from corrtomo.segment.trained import prediction, training
from corrtomo.segment.trained.pixel_tiles import tile_edge

SCALES = (0.02, 0.04)


def classifier(**options):
    return ct.segment.PixelClassifier(CLASSES, **{"scales_um": SCALES, "trees": 20, **options})


@pytest.fixture(scope="module")
def trained():
    image, truth = section()
    model = classifier(merge=MERGE)
    assert model.fit(image, scribbled(truth)) is model
    return model, image, truth


def test_two_phases_of_constant_grey_are_told_exactly():
    grey = np.zeros((20, 30), np.uint8)
    grey[:, 13:] = 200
    scribbles = ct.volume(np.full((20, 30), 255, np.uint8), 1.0)
    scribbles[4:6, 3:11], scribbles[4:6, 15:27] = 1, 0
    model = ct.segment.PixelClassifier(("AM", "pore"), scales_um=0.3, features="intensity", trees=10)
    labels = model.fit(ct.volume(grey, 1.0), scribbles).predict(ct.volume(grey, 1.0))
    np.testing.assert_array_equal(labels, np.where(grey > 0, ct.Phase.AM, ct.Phase.PORE))
    assert labels.dtype == np.uint8
    assert labels.attrs["classes"] == {"AM": 2, "pore": 0}


def test_the_truth_of_a_noisy_section_is_found(trained):
    model, image, truth = trained
    assert (model.predict(image, merged=False) == truth).mean() > 0.9
    other, other_truth = section(seed=7)
    assert (model.predict(other, merged=False) == other_truth).mean() > 0.88


def test_five_classes_become_four_phases(trained):
    model, image, _ = trained
    five, four = model.predict(image, merged=False), model.predict(image)
    assert five.dims == four.dims == ("y", "x")
    codes = np.array([ct.Phase.COLLECTOR, ct.Phase.AM, ct.Phase.CBD, ct.Phase.PORE, ct.Phase.PORE])
    np.testing.assert_array_equal(four, codes[five.values])
    assert four.attrs["phases"] == ct.phases.as_labels(four).attrs["phases"]
    assert four.attrs["classes"] == {"current collector": 3, "active material": 2, "binder": 1, "pore": 0}
    assert five.attrs["phases"] == {}
    assert five.attrs["classes"] == {name: k for k, name in enumerate(CLASSES)}
    assert five.attrs["classes"]["platinum depth"] == 4


def test_names_that_are_no_phases_count_in_order_of_appearance():
    image, truth = section((60, 60))
    model = classifier(merge={"active material": "x", "platinum depth": "current collector"}, trees=2)
    out = model.fit(image, scribbled(truth)).predict(image)
    assert out.attrs == {
        "phases": {},
        "classes": {"current collector": 0, "x": 1, "binder": 2, "platinum edge": 3},
    }
    assert set(np.unique(out)) == {0, 1, 2, 3}


def test_shares_add_up_and_merge(trained):
    model, image, _ = trained
    five, four = model.predict_proba(image, merged=False), model.predict_proba(image)
    assert five.dims == ("channel", "y", "x")
    assert five.dtype == np.float32
    assert five.channel.values.tolist() == list(CLASSES)
    assert four.channel.values.tolist() == ["current collector", "active material", "binder", "pore"]
    np.testing.assert_allclose(five.sum("channel"), 1, atol=1e-6)
    np.testing.assert_allclose(four.sel(channel="pore"), five[3] + five[4], atol=1e-6)
    np.testing.assert_array_equal(five.argmax("channel"), model.predict(image, merged=False))
    assert ct.voxel_size(four) == ct.voxel_size(image)


def test_it_is_scikit_learns_forest_on_the_same_features(trained):
    """Every pixel painted with itself gives the features of all; its forest says the same of them."""
    model, image, truth = trained
    everywhere = training.Scribbles.of(truth, image, model._settings.classes)
    bank = model._model.bank
    matrix = training.feature_matrix(image, everywhere, bank, (PIXEL, PIXEL), progress=False)
    shares = model.classifier.predict_proba(matrix).reshape(*truth.shape, -1)
    np.testing.assert_array_equal(
        model.predict_proba(image, merged=False), np.moveaxis(shares, -1, 0).astype(np.float32)
    )
    peer = RandomForestClassifier(20, class_weight="balanced", random_state=0)
    painted = scribbled(truth).values.ravel()
    peer.fit(matrix[painted != 255], painted[painted != 255])
    labels = peer.predict(matrix).reshape(truth.shape)
    np.testing.assert_array_equal(model.predict(image, merged=False), labels)


def both(model, image):
    return model.predict(image).values, model.predict_proba(image, merged=False).values


def test_any_number_of_threads_gives_the_same(trained):
    model, image, truth = trained
    try:
        numba.set_num_threads(1)
        alone = classifier(merge=MERGE).fit(image, scribbled(truth))
        single = both(alone, image)
    finally:
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    for one, other in zip(single, both(model, image), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (alone.importances() == model.importances()).all(axis=None)


@pytest.mark.parametrize("edge", [32, 128, 1000])
def test_any_tile_gives_the_same(trained, edge, monkeypatch):
    model, image, truth = trained
    want = both(model, image)
    for module in (training, prediction):
        monkeypatch.setattr(module, "tile_edge", lambda bank: edge)
    again = classifier(merge=MERGE).fit(image, scribbled(truth))
    for one, other in zip(both(again, image), want, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("chunks", [(2, 150, 170), (1, 37, 50), (2, 9, 170), (1, 150, 3)])
def test_a_dask_image_stays_lazy_and_gives_the_same(trained, chunks):
    model, image, truth = trained
    lazy = image.copy(data=da.from_array(image.values, chunks=chunks))
    labels, shares = model.predict(lazy), model.predict_proba(lazy, merged=False)
    assert isinstance(labels.data, da.Array)
    assert labels.dtype == np.uint8
    assert shares.dtype == np.float32
    for one, other in zip((labels.values, shares.values), both(model, image), strict=True):
        np.testing.assert_array_equal(one, other)
    if chunks[1] > 9 and chunks[2] > 3:
        painted = scribbled(truth)
        painted = painted.copy(data=da.from_array(painted.values, chunks=(40, 33)))
        again = classifier(merge=MERGE).fit(lazy, painted)
        np.testing.assert_array_equal(again.predict(image), labels)


def test_volumes_whole_and_in_chunks():
    image, truth = section((30, 34, 41), noise=6.0)
    model = classifier(merge=MERGE, scales_um=(0.02,))
    labels = model.fit(image, scribbled(truth, count=100)).predict(image)
    assert labels.dims == ("z", "y", "x")
    assert (model.predict(image, merged=False) == truth).mean() > 0.85
    assert "hessian middle" in set(model.importances()["feature"])
    lazy = image.copy(data=da.from_array(image.values, chunks=(2, 7, 34, 20)))
    np.testing.assert_array_equal(model.predict(lazy), labels)


@pytest.mark.parametrize(
    "own",
    [
        ExtraTreesClassifier(10),
        DecisionTreeClassifier(),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=lambda c: type(c).__name__,
)
def test_other_classifiers(own):
    image, truth = section((70, 80))
    model = classifier(classifier=own, seed=3).fit(image, scribbled(truth))
    labels = model.predict(image)
    assert (labels == truth).mean() > 0.75
    assert not hasattr(own, "classes_")  # a copy was fitted
    again = classifier(classifier=own, seed=3).fit(image, scribbled(truth))
    np.testing.assert_array_equal(again.predict(image), labels)
    shares = model.predict_proba(image, merged=False)
    np.testing.assert_array_equal(shares.argmax("channel"), labels)


def test_the_seed_changes_the_forest(trained):
    model, image, truth = trained
    other = classifier(merge=MERGE, seed=1).fit(image, scribbled(truth))
    assert (other.predict_proba(image) != model.predict_proba(image)).any()


def test_the_painted_area_gives_no_class_more_weight():
    """Two classes that overlap: where one is painted a hundred times as much it takes no more."""
    rng = np.random.default_rng(0)
    image = ct.volume(rng.normal(size=(200, 200)).astype(np.float32), 1.0)
    image[:, 100:] += 1.0
    painted = ct.volume(np.full((200, 200), 255, np.uint8), 1.0)
    painted[:, :100], painted[::10, 100::10] = 0, 1
    options = {"scales_um": 0.1, "features": "intensity"}
    shallow = RandomForestClassifier(50, max_depth=2, class_weight="balanced", random_state=0)
    model = ct.segment.PixelClassifier(("a", "b"), classifier=shallow, **options).fit(image, painted)
    taken = (model.predict(image) == 0).mean()
    assert 0.35 < taken < 0.65
    assert model.classifier.class_weight == "balanced"
    assert (
        ct.segment.PixelClassifier(("a", "b"), trees=2, **options).fit(image, painted).classifier.class_weight
        == "balanced"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda i: 257 * i.astype(np.uint16),
        lambda i: i.astype(np.float64) / 255 - 0.3,
        lambda i: -i.astype(int),
    ],
    ids=["16 bits", "float", "negative"],
)
def test_other_grey_values_give_nearly_the_same_labels(trained, change):
    model, image, truth = trained
    other = change(image)
    other = image.copy(data=other.data)
    labels = classifier(merge=MERGE).fit(other, scribbled(truth)).predict(other)
    assert (labels == model.predict(image)).mean() > 0.95


def test_two_channels_tell_more_than_one(trained):
    model, image, truth = trained
    one = classifier(merge=MERGE).fit(image.sel(channel="TLD", drop=True), scribbled(truth))
    worse = one.predict(image.sel(channel="TLD", drop=True), merged=False)
    assert (worse == truth).mean() < (model.predict(image, merged=False) == truth).mean() - 0.05


def test_importances_in_words(trained):
    model, _, _ = trained
    table = model.importances()
    assert list(table.columns) == ["channel", "feature", "scale_um", "importance", "in_words"]
    assert len(table) == 2 * 2 * 5
    assert table["importance"].sum() == pytest.approx(1)
    assert table["importance"].is_monotonic_decreasing
    assert "brightness smoothed over 0.04 µm, CBS" in set(table["in_words"])
    by_column = [
        table.query(
            "channel == @c.channel and feature == @c.kind and scale_um == @c.scale_um"
        ).importance.item()
        for c in model._model.bank.columns
    ]
    np.testing.assert_array_equal(by_column, model.classifier.feature_importances_)


def test_the_channel_that_tells_is_the_one_that_counts():
    image, truth = section((100, 100))
    image[1] = np.random.default_rng(0).integers(0, 256, (100, 100))
    table = classifier().fit(image, scribbled(truth)).importances()
    assert table.groupby("channel")["importance"].sum()["CBS"] > 0.7


def test_scales_are_by_default_voxels_of_the_training_image():
    image, truth = section((140, 140))
    model = ct.segment.PixelClassifier(CLASSES, trees=2, features="intensity").fit(image, scribbled(truth))
    assert sorted(set(model.importances()["scale_um"])) == pytest.approx([0.02, 0.04, 0.08, 0.16, 0.32])


def test_a_slightly_different_pixel_size_keeps_the_lengths(trained):
    model, image, _ = trained
    close = ct.volume(image.values, PIXEL * 1.04, dims=image.dims).assign_coords(channel=image.channel)
    assert (model.predict(close) == model.predict(image).values).mean() > 0.97
    assert (model.predict_proba(close).values != model.predict_proba(image).values).any()


def test_crops_have_the_labels_of_the_whole_away_from_their_border(trained):
    model, image, _ = trained
    whole, crop = model.predict(image), model.predict(image[:, 20:90, 31:120])
    np.testing.assert_array_equal(crop[12:-12, 12:-12], whole[32:78, 43:108])
    xr.testing.assert_equal(crop.x, whole.x[31:120])


def test_the_scribbles_are_kept(trained):
    model, image, truth = trained
    np.testing.assert_array_equal(model.scribbles(image), scribbled(truth))
    assert model.scribbles(image).attrs["classes"]["binder"] == 2


MEASURE = """
import resource, sys
sys.path.insert(0, "tests/segment")
import numpy as np
import corrtomo as ct
from scribbled import CLASSES, scribbled, section
image, truth = section((256, 256))
model = ct.segment.PixelClassifier(CLASSES, trees=10).fit(image, scribbled(truth))
model.predict(image)
large = np.tile(image.values, (1, 6, 6))
large = ct.volume(large, 0.02, dims=image.dims).assign_coords(channel=image.channel)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
labels = model.predict(large)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has another unit elsewhere")
def test_memory_does_not_grow_with_the_image():
    """2.4 Mpixel with 50 features would be 470 MB at once."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], capture_output=True, text=True, timeout=300, check=True
    )
    assert float(done.stdout) < 300


def test_tiles_stay_small_whatever_the_number_of_channels():
    image, truth = section((60, 60), channels=("CBS", "TLD") * 20)
    image = image.assign_coords(channel=[f"channel {k}" for k in range(40)])
    model = classifier(trees=2, features=("texture", "edges")).fit(image, scribbled(truth))
    bank = model._model.bank
    assert 4 * 40 * 2 * 2 * tile_edge(bank) ** 2 < 2**28
    assert tile_edge(bank) % 8 == 0
