"""The AHE-based segmentation: its steps by their definition, chunks, files, refusals."""

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

import corrtomo as ct

KNOBS = {"am_threshold": 130, "cbd_threshold": 110, "window_um": 6.0}


def electrode(shape=(40, 44, 48), seed=0):
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=shape), 2.0)
    codes = np.digitize(field, np.quantile(field, (0.35, 0.6)))
    grey = ndimage.gaussian_filter(np.array([40.0, 80.0, 190.0])[codes], 0.7) + 6 * rng.normal(size=shape)
    return ct.volume(grey.clip(0, 255).astype(np.uint8), 0.438), ct.volume(codes.astype(np.uint8), 0.438)


def test_each_step_is_its_definition():
    image, _ = electrode()
    steps = ct.segment.equalised_steps(image, diameter_um=1.3, **KNOBS)
    assert list(steps) == ["image", "am", "equalised", "cbd_thresholded", "cbd", "labels"]
    am = image > 130
    rank = ct.segment.equalise(image, 6.0)
    thresholded = (rank > 110) & ~am
    union = ct.segment.closing(ct.segment.opening(thresholded, 1.3) | am, 1.3)
    np.testing.assert_array_equal(steps["am"], am)
    np.testing.assert_array_equal(steps["equalised"], rank)
    np.testing.assert_array_equal(steps["cbd_thresholded"], thresholded)
    np.testing.assert_array_equal(steps["cbd"], union & ~am)
    np.testing.assert_array_equal(steps["labels"], np.where(am, 2, np.where(union, 1, 0)))
    assert steps["labels"].attrs["phases"]["CBD"] == 1
    np.testing.assert_array_equal(
        ct.segment.equalised_ternary(image, diameter_um=1.3, **KNOBS), steps["labels"]
    )


def test_the_ball_is_two_voxels_wide_where_nothing_is_said():
    image, _ = electrode()
    two = ct.segment.equalised_ternary(image, diameter_um=0.876, **KNOBS)
    assert ct.segment.equalised_ternary(image, **KNOBS).identical(two)


def test_it_beats_two_thresholds_where_the_background_varies():
    """Its reason to be: a shade over the image moves every grey value, and no rank."""
    image, truth = electrode((40, 60, 120), seed=3)
    shade = 50 * np.cos(np.linspace(0, 4 * np.pi, 120))
    grey = image.copy(data=(0.6 * image.values + 45 + 0.6 * shade).clip(0, 255).astype(np.uint8))
    best = ct.measure.kappa_by_threshold_pair(grey, truth).max().item()
    am = ct.measure.kappa_by_threshold(grey, truth == 2)
    found = max(
        ct.measure.cohen_kappa(
            ct.segment.equalised_ternary(
                grey, am_threshold=int(am.idxmax()), cbd_threshold=t, window_um=10.0
            ),
            truth,
        )
        for t in range(60, 160, 20)
    )
    assert found > best


@pytest.mark.parametrize("chunks", [(13, 44, 17), (40, 9, 48), (20, 20, 20)])
@pytest.mark.parametrize("options", [{}, {"diameter_um": 1.8, "clip_limit": 0.02}, {"exact": True}])
def test_chunks_that_cut_features_change_no_label(chunks, options):
    image, _ = electrode()
    labels = ct.segment.equalised_ternary(image, **KNOBS, **options)
    chunked = ct.volume(da.from_array(image.data, chunks=chunks), 0.438)
    lazy = ct.segment.equalised_ternary(chunked, **KNOBS, **options)
    assert isinstance(lazy.data, da.Array)
    np.testing.assert_array_equal(lazy, labels)
    assert lazy.attrs == labels.attrs


def test_from_ome_zarr_to_ome_zarr_and_on_after_an_interruption(tmp_path, monkeypatch):
    image, _ = electrode()
    ct.write(image.chunk({"z": 20, "y": 44, "x": 24}), tmp_path / "image.ome.zarr")
    stored = ct.read(tmp_path / "image.ome.zarr")
    lazy = ct.segment.equalised_ternary(stored, **KNOBS)
    calls = []
    blend = ct.segment.equalise.__globals__["blend_tiles"]

    def stopping(*arguments):
        calls.append(1)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return blend(*arguments)

    monkeypatch.setitem(ct.segment.equalise.__globals__, "blend_tiles", stopping)
    with pytest.raises(KeyboardInterrupt):
        ct.write(lazy, tmp_path / "labels.ome.zarr", resume=True)
    monkeypatch.undo()
    ct.write(lazy, tmp_path / "labels.ome.zarr", resume=True)
    labels = ct.read(tmp_path / "labels.ome.zarr")
    np.testing.assert_array_equal(labels, ct.segment.equalised_ternary(image, **KNOBS))
    assert labels.attrs["phases"]["AM"] == 2


@pytest.mark.parametrize(
    ("knobs", "match"),
    [
        ({"am_threshold": 255}, "am_threshold 255: a grey value from 0 to 254"),
        ({"cbd_threshold": -1}, "cbd_threshold -1"),
        ({"cbd_threshold": np.nan}, "cbd_threshold nan"),
        ({"am_threshold": "130"}, "am_threshold '130'"),
        ({"am_threshold": True}, "am_threshold True"),
        ({"window_um": 60.0}, "at most the longest edge"),
        ({"diameter_um": -1.0}, "Cannot open a mask with diameter -1.0 µm"),
    ],
)
def test_knobs_that_are_none_are_refused(knobs, match):
    image, _ = electrode((10, 12, 14))
    with pytest.raises(ValueError, match=match):
        ct.segment.equalised_ternary(image, **{**KNOBS, **knobs})


def test_other_images_are_refused():
    image, _ = electrode((10, 12, 14))
    with pytest.raises(TypeError, match="8 bits are needed"):
        ct.segment.equalised_ternary(image.astype(float), **KNOBS)
    with pytest.raises(TypeError, match=r"ct\.volume"):
        ct.segment.equalised_ternary(image.values, **KNOBS)


@pytest.mark.parametrize("exact", [False, True])
def test_a_volume_thinner_than_window_and_ball_is_the_same_in_chunks(exact):
    grey = np.random.default_rng(0).integers(0, 256, (3, 30, 32), np.uint8)
    knobs = {"am_threshold": 180, "cbd_threshold": 90, "window_um": 9.0, "diameter_um": 5.0, "exact": exact}
    image = ct.volume(grey, 1.0)
    lazy = ct.segment.equalised_ternary(image.chunk({"z": 1, "y": 11, "x": 32}), **knobs)
    np.testing.assert_array_equal(lazy.compute(), ct.segment.equalised_ternary(image, **knobs))
