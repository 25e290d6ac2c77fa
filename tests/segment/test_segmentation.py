"""Thresholds found and applied: by hand, against independent libraries, in chunks."""

import dask.array as da
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (the name of its own documentation)
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.filters import threshold_otsu as skimage_otsu

import corrtomo as ct

FINDERS = [ct.segment.threshold_otsu, ct.segment.threshold_max_entropy]


def two_peaks(shape, seed, *, bright=0.3, dtype=np.uint8):
    """Grey values of two blurred classes with their noise."""
    rng = np.random.default_rng(seed)
    mean = np.where(rng.random(shape) < bright, 150.0, 90.0)
    top = np.iinfo(dtype).max
    return (rng.normal(mean, 15.0) * ((top + 1) / 256)).round().clip(0, top).astype(dtype)


def chunked(image, chunks):
    return image.copy(data=da.from_array(image.data, chunks=chunks))


def by_hand(grey, score):
    """The threshold of the highest score, tried one by one; the lowest of equals."""
    values = np.arange(int(grey.min()), int(grey.max()))
    scores = [score(grey[grey <= t], grey[grey > t]) for t in values]
    return values, np.array(scores)


def between_class_variance(dark, bright):
    return dark.size * bright.size * (bright.mean() - dark.mean()) ** 2


def entropy(values):
    share = np.unique(values, return_counts=True)[1] / values.size
    return -(share * np.log(share)).sum()


def sum_of_entropies(dark, bright):
    return entropy(dark) + entropy(bright)


@pytest.mark.parametrize("find", FINDERS)
def test_two_grey_values_are_parted_at_the_darker_one(find):
    image = ct.volume(np.array([[7, 7, 200]], np.uint8), 0.5)
    assert find(image) == 7.0
    assert ct.segment.by_thresholds(image, find(image)).values.tolist() == [[0, 0, 1]]


@pytest.mark.parametrize(
    ("find", "score"),
    [
        (ct.segment.threshold_otsu, between_class_variance),
        (ct.segment.threshold_max_entropy, sum_of_entropies),
    ],
)
@given(grey=arrays(np.uint8, st.integers(2, 60), elements=st.integers(0, 40)))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_no_threshold_scores_higher(find, score, grey):
    assume(grey.min() < grey.max())
    values, scores = by_hand(grey.astype(float), score)
    found = find(ct.volume(grey, 1.0))
    assert scores[int(found) - values[0]] == pytest.approx(scores.max(), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_otsu_is_that_of_scikit_image_and_within_one_grey_value_of_simpleitk(seed):
    grey = two_peaks((20, 30, 40), seed)
    found = ct.segment.threshold_otsu(ct.volume(grey, 0.438))
    assert found == skimage_otsu(grey)
    itk = sitk.OtsuThresholdImageFilter()
    itk.SetNumberOfHistogramBins(256)
    itk.Execute(sitk.GetImageFromArray(grey))
    assert abs(found - itk.GetThreshold()) <= 1


@pytest.mark.parametrize("seed", range(4))
def test_maximum_entropy_is_within_one_grey_value_of_simpleitk(seed):
    grey = two_peaks((20, 30, 40), seed, bright=0.15)
    grey.flat[:2] = 0, 255  # both libraries then have one bin a grey value
    itk = sitk.MaximumEntropyThresholdImageFilter()
    itk.SetNumberOfHistogramBins(256)
    itk.Execute(sitk.GetImageFromArray(grey))
    assert abs(ct.segment.threshold_max_entropy(ct.volume(grey, 0.438)) - itk.GetThreshold()) <= 1


@pytest.mark.parametrize("find", FINDERS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_a_shift_of_grey_values_shifts_the_threshold(find, dtype):
    grey = two_peaks((10, 20, 30), 0).astype(dtype)
    shifted = (grey - grey.min()).astype(dtype)
    moved = find(ct.volume(grey, 1.0)) - find(ct.volume(shifted, 1.0))
    assert moved == pytest.approx(float(grey.min()), abs=1e-4)


@pytest.mark.parametrize("find", FINDERS)
def test_sixteen_bits_have_a_bin_for_each_grey_value(find):
    grey = two_peaks((10, 20, 30), 1)
    wide = find(ct.volume(grey.astype(np.uint16) * 257, 1.0))
    assert wide == 257 * find(ct.volume(grey, 1.0))


def test_floats_are_parted_within_half_a_bin_of_scikit_image():
    grey = two_peaks((10, 20, 30), 2) / 255
    assert ct.segment.threshold_otsu(ct.volume(grey, 1.0)) == pytest.approx(skimage_otsu(grey), rel=1e-12)


@pytest.mark.parametrize("find", FINDERS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_chunks_do_not_move_the_threshold(find, dtype):
    image = ct.volume(two_peaks((9, 14, 21), 3).astype(dtype), 0.438)
    assert find(chunked(image, (4, 14, 5))) == find(image)


def test_turning_the_volume_does_not_move_the_threshold():
    grey = two_peaks((8, 9, 10), 4)
    turned = np.rot90(grey, axes=(0, 2))
    for find in FINDERS:
        assert find(ct.volume(turned, 1.0)) == find(ct.volume(grey, 1.0))


def test_a_grey_value_on_the_threshold_is_dark():
    image = ct.volume(np.array([73, 74, 110, 111], np.uint8), 0.438)
    assert ct.segment.by_thresholds(image, 110).values.tolist() == [0, 0, 0, 1]
    assert ct.segment.by_thresholds(image, 73, 110).values.tolist() == [0, 1, 1, 2]


@given(
    grey=arrays(st.sampled_from([np.uint8, np.int16, np.float64]), (3, 4), elements=st.integers(0, 100)),
    levels=st.lists(st.floats(-5, 300), min_size=1, max_size=5, unique=True).map(sorted),
)
@settings(deadline=None, derandomize=True, max_examples=60)
def test_the_class_is_the_number_of_thresholds_below_the_grey_value(grey, levels):
    found = ct.segment.by_thresholds(ct.volume(grey, 1.0), *levels)
    assert found.dtype == np.uint8
    assert np.array_equal(found, np.searchsorted(levels, grey, side="left"))


def test_two_thresholds_make_labels_one_does_not():
    image = ct.volume(two_peaks((4, 5, 6), 5), (0.4, 0.3, 0.2), origin=7.0)
    ternary = ct.segment.by_thresholds(image, 100, 140)
    assert ternary.attrs["phases"]["AM"] == 2
    assert ct.segment.by_thresholds(image, 100).attrs["phases"] == {}
    assert ct.voxel_size(ternary) == (0.4, 0.3, 0.2)
    assert float(ternary.x[0]) == 7.0


@pytest.mark.parametrize("levels", [(110,), (90, 110)])
def test_a_volume_in_chunks_stays_unread_until_it_is_asked_for(levels):
    read = []

    def note(block):
        read.append(block.shape)
        return block

    image = ct.volume(two_peaks((4, 6, 8), 6), 0.438)
    lazy = image.copy(data=chunked(image, 4).data.map_blocks(note, meta=np.empty((0, 0, 0), np.uint8)))
    found = ct.segment.by_thresholds(lazy, *levels)
    assert not read
    assert found.compute().identical(ct.segment.by_thresholds(image, *levels))
    assert read


def test_one_phase_keeps_what_is_left_out():
    labels = ct.volume(np.array([[0, 1, 2, 255], [2, 2, 3, 0]], np.uint8), 0.438)
    assert ct.segment.one_phase(labels, ct.Phase.AM).values.tolist() == [[0, 0, 1, 255], [1, 1, 0, 0]]
    assert ct.segment.one_phase(chunked(labels, 2), 2).values.tolist() == [[0, 0, 1, 255], [1, 1, 0, 0]]
    assert ct.voxel_size(ct.segment.one_phase(labels, 2)) == (0.438, 0.438)


def test_one_phase_refuses_what_is_no_phase():
    labels = ct.volume(np.array([0, 1, 9], np.uint8), 0.438)
    with pytest.raises(ValueError, match="Cannot find phase 9: not a known phase code"):
        ct.segment.one_phase(labels, ct.Phase.AM)
    with pytest.raises(ValueError, match="Cannot find phase 7"):
        ct.segment.one_phase(labels[:2], 7)
    with pytest.raises(ValueError, match="Cannot select phase 255: it marks what is left out"):
        ct.segment.one_phase(labels[:2], ct.Phase.LEFT_OUT)


@pytest.mark.parametrize("find", [*FINDERS, lambda image: ct.segment.by_thresholds(image, 1)])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_grey_values_that_are_not_finite_are_refused(find, bad):
    with pytest.raises(ValueError, match=r"Cannot .*: 1 (of 3 )?grey values are NaN or infinite"):
        find(ct.volume(np.array([0.0, bad, 2.0]), 1.0))


@pytest.mark.parametrize("find", [*FINDERS, lambda image: ct.segment.by_thresholds(image, 1)])
def test_what_has_no_voxel_size_or_no_voxel_is_refused(find):
    with pytest.raises(TypeError, match=r"Cannot use a ndarray.*Make one with ct.volume"):
        find(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="it holds no voxel"):
        find(ct.volume(np.arange(3), 1.0)[:0])


def test_a_lazy_volume_with_nan_is_refused_when_it_is_read():
    lazy = chunked(ct.volume(np.array([0.0, np.nan, 2.0]), 1.0), 2)
    with pytest.raises(ValueError, match="NaN or infinite"):
        ct.segment.by_thresholds(lazy, 1).compute()
    for find in FINDERS:
        with pytest.raises(ValueError, match="1 of 3 grey values are NaN"):
            find(lazy)


@pytest.mark.parametrize("find", FINDERS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_constant_image_is_refused(find, dtype):
    with pytest.raises(ValueError, match=r"all 8 grey values are 5\. Two or more are needed"):
        find(ct.volume(np.full((2, 4), 5, dtype), 1.0))


@pytest.mark.parametrize("find", FINDERS)
def test_masks_and_very_wide_integers_are_refused(find):
    with pytest.raises(TypeError, match=r"of dtype bool .*Pass grey values, not a mask"):
        find(ct.volume(np.array([False, True]), 1.0))
    with pytest.raises(TypeError, match=r"of dtype int64 from 0 to 70000.*span 65536 or fewer"):
        find(ct.volume(np.array([0, 70000]), 1.0))


@pytest.mark.parametrize(
    ("levels", "error", "said"),
    [
        ((), ValueError, "by 0 thresholds: 1 to 254 are needed"),
        (tuple(range(255)), ValueError, "by 255 thresholds: 1 to 254"),
        ((110, 73), ValueError, r"thresholds \(110, 73\): they must ascend"),
        ((73, 73), ValueError, "they must ascend, each above the one before"),
        ((73, np.nan), ValueError, "must be finite"),
        ((np.inf,), ValueError, "must be finite"),
        (([73, 110],), TypeError, r"threshold \[73, 110\]: a number is needed. Pass them one by one"),
        ((True,), TypeError, "threshold True: a number is needed"),
    ],
)
def test_thresholds_out_of_order_or_range_are_refused(levels, error, said):
    with pytest.raises(error, match=said):
        ct.segment.by_thresholds(ct.volume(np.arange(3, dtype=np.uint8), 1.0), *levels)


def test_classes_can_be_named_as_phases():
    image = ct.volume(np.array([1, 5, 9], np.uint8), 0.5)
    labels = ct.segment.by_thresholds(image, 5, phases=(ct.Phase.PORE, ct.Phase.AM))
    assert labels.values.tolist() == [0, 0, 2]
    assert ct.measure.volume_fractions(labels).phase.tolist() == ["pore", "active material"]
    for phases in ((ct.Phase.AM,), (ct.Phase.AM, ct.Phase.AM), (ct.Phase.PORE, ct.Phase.LEFT_OUT)):
        with pytest.raises(ValueError, match="2 different phases are needed"):
            ct.segment.by_thresholds(image, 5, phases=phases)


def test_classes_that_are_not_named_are_never_taken_for_phases():
    image = ct.volume(np.array([1, 5, 9], np.uint8), 0.5)
    for labels in (
        ct.segment.by_thresholds(image, 5),
        ct.segment.one_phase(ct.volume([0, 1, 2], 0.5), ct.Phase.AM),
    ):
        with pytest.raises(ValueError, match=r"are not named as phases.*phases=\(ct\.Phase\.PORE"):
            ct.measure.volume_fractions(labels)


def test_one_phase_keeps_the_stated_voxel_size_of_a_thin_image():
    labels = ct.volume(np.zeros((1, 2), int), (3.0, 0.5))
    assert ct.voxel_size(ct.segment.one_phase(labels, ct.Phase.AM)) == (3.0, 0.5)


@pytest.mark.parametrize(
    "grey",
    [
        np.array([60000, -60000, 1], np.float16),
        (1e8 + np.arange(100)).astype(np.float32),
        np.array([2**63, 2**63 + 5, 2**63 + 5], np.uint64),
        np.array([-128, 127, 127], np.int8),
    ],
)
def test_every_dtype_of_grey_values_has_a_threshold(grey):
    image = ct.volume(grey, 0.5)
    for finder in (ct.segment.threshold_otsu, ct.segment.threshold_max_entropy):
        assert float(grey.min()) <= finder(image) <= float(grey.max())


def test_floats_that_cannot_be_told_apart_are_refused():
    for grey in (np.array([1.0, np.nextafter(1.0, 2)]), np.array([-1.7e308, 1.7e308])):
        with pytest.raises(ValueError, match="cannot be told apart in 256 bins"):
            ct.segment.threshold_otsu(ct.volume(grey, 0.5))


def test_a_threshold_beyond_the_dtype_parts_nothing():
    image = ct.volume(np.array([1, 2], np.float16), 0.5)
    assert ct.segment.by_thresholds(image, -1e9, 1e9).values.tolist() == [1, 1]
