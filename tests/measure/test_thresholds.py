"""The joint histogram, and kappa at every threshold."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import cohen_kappa_score

import corrtomo as ct

repeatable = settings(deadline=None, derandomize=True, max_examples=40)


def image(values, **kwargs):
    return ct.volume(np.asarray(values), 0.5, **kwargs)


@pytest.fixture(scope="module")
def grey_and_truth():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, (9, 10, 11), dtype=np.uint8)
    grey = np.clip(rng.normal(60 + 60 * truth.astype(float), 40), 0, 255).astype(np.uint8)
    return grey, truth


def test_joint_histogram_counts_each_pair(grey_and_truth):
    grey, truth = grey_and_truth
    counts = ct.measure.joint_histogram(image(grey), image(truth))
    assert counts.dims == ("phase", "grey")
    assert counts.sum() == grey.size
    for code in range(3):
        assert np.array_equal(counts.sel(phase=code), np.bincount(grey[truth == code], minlength=256))


def test_dask_crops_and_other_dtypes_count_the_same(grey_and_truth):
    grey, truth = grey_and_truth
    counts = ct.measure.joint_histogram(image(grey), image(truth))
    lazy = [ct.volume(da.from_array(v, chunks=(4, 3, 5)), 0.5) for v in (grey, truth)]
    assert counts.equals(ct.measure.joint_histogram(*lazy))
    assert counts.equals(ct.measure.joint_histogram(image(grey), image(truth.astype(np.int64))))
    cut = np.s_[::2, 1:, :-3]
    part = ct.measure.joint_histogram(image(grey)[cut], image(truth)[cut])
    assert part.equals(ct.measure.joint_histogram(image(grey[cut].copy()), image(truth[cut].copy())))


def test_16_bit_grey_values_have_a_bin_each(grey_and_truth):
    grey, truth = grey_and_truth
    wide = image(grey.astype(np.uint16) * 257)
    counts = ct.measure.joint_histogram(wide, image(truth))
    assert counts.sizes["grey"] == 65536
    assert np.array_equal(counts[:, ::257], ct.measure.joint_histogram(image(grey), image(truth)))
    kappa = ct.measure.kappa_by_threshold(wide, image(truth == 2))
    narrow = ct.measure.kappa_by_threshold(image(grey), image(truth == 2))
    assert np.allclose(kappa.sel(threshold=narrow.threshold * 257), narrow)


@repeatable
@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(2, 6), st.integers(1, 5))),
    st.randoms(use_true_random=False),
)
def test_kappa_at_every_threshold_is_that_of_scikit_learn(grey, random):
    truth = np.array([random.random() < 0.4 for _ in range(grey.size)]).reshape(grey.shape)
    truth.flat[:2] = False, True
    kappa = ct.measure.kappa_by_threshold(image(grey), image(truth))
    assert kappa.dims == ("threshold",)
    assert kappa.sizes["threshold"] == 256
    for threshold in {0, 127, 254, 255, *grey.ravel().tolist()}:
        expected = cohen_kappa_score(truth.ravel(), (grey > threshold).ravel())
        assert kappa.sel(threshold=threshold).item() == pytest.approx(expected, abs=1e-12)


def test_kappa_at_pairs_is_that_of_segmenting_and_comparing(grey_and_truth):
    grey, truth = grey_and_truth
    kappa = ct.measure.kappa_by_threshold_pair(image(grey), image(truth))
    assert kappa.dims == ("lower", "upper")
    assert kappa.shape == (256, 256)
    rng = np.random.default_rng(1)
    for lower, upper in [(0, 255), (0, 1), (254, 255), *np.sort(rng.choice(256, (40, 2)), axis=1).tolist()]:
        if lower == upper:
            continue
        found = ct.segment.by_thresholds(image(grey), lower, upper)
        expected = ct.measure.cohen_kappa(found, image(truth))
        assert kappa.sel(lower=lower, upper=upper).item() == pytest.approx(expected, abs=1e-12)
    assert np.isnan(kappa.values[np.tril_indices(256)]).all()
    assert np.isfinite(kappa.values[np.triu_indices(256, 1)]).all()


def test_a_pair_with_an_empty_middle_phase_comes_to_the_binary_kappa(grey_and_truth):
    grey, truth = grey_and_truth
    even = (grey // 2 * 2).astype(np.uint8)
    pairs = ct.measure.kappa_by_threshold_pair(image(even), image(truth // 2 * 2))
    single = ct.measure.kappa_by_threshold(image(even), image(truth == 2))
    assert pairs.sel(lower=100, upper=101).item() == pytest.approx(single.sel(threshold=100).item())


def test_left_out_voxels_never_count(grey_and_truth):
    grey, truth = grey_and_truth
    out = np.random.default_rng(2).random(truth.shape) < 0.3
    marked = image(np.where(out, 255, truth).astype(np.uint8))
    with pytest.raises(ValueError, match="ignore=255"):
        ct.measure.kappa_by_threshold_pair(image(grey), marked)
    kept = image(grey[~out]), image(truth[~out])
    assert np.allclose(
        ct.measure.kappa_by_threshold_pair(image(grey), marked, ignore=255),
        ct.measure.kappa_by_threshold_pair(*kept),
        equal_nan=True,
    )


GREY = image(np.array([1, 2, 3], np.uint8))


@pytest.mark.parametrize(
    ("grey", "truth", "error", "match"),
    [
        (np.zeros(3, np.uint8), image([0, 1, 1]), TypeError, "Cannot use a ndarray"),
        (GREY, np.array([0, 1, 1]), TypeError, "Cannot use a ndarray"),
        (image([1.0, 2.0, 3.0]), image([0, 1, 1]), TypeError, "dtype float64: uint8 or uint16 are needed"),
        (image([1, 2, 3]), image([0, 1, 1]), TypeError, "dtype int64"),
        (image([1.0, np.nan, 3.0]), image([0, 1, 1]), ValueError, "1 of 3 grey values are NaN"),
        (GREY, image([0.0, 1, 1]), TypeError, "its dtype is float64"),
        (GREY, image([0, 1]), ValueError, r"sizes \(3,\) and \(2,\) differ"),
        (GREY, image([0, 1, 1], origin=1.0), ValueError, "coordinates differ"),
        (GREY, image([True] * 3), ValueError, "the truth has one class only, code 1"),
        (GREY, image([0, 1, 3]), ValueError, "codes .0, 1, 3."),
        (GREY, image([0, -1, 1]), ValueError, "codes from -1 to 1"),
    ],
)
@pytest.mark.parametrize("function", [ct.measure.kappa_by_threshold, ct.measure.kappa_by_threshold_pair])
def test_what_has_no_kappa_is_refused(function, grey, truth, error, match):
    with pytest.raises(error, match=match):
        function(grey, truth)


def test_binary_kappa_wants_one_phase_of_ternary_labels():
    with pytest.raises(ValueError, match=r"codes \[0, 1, 2\]: allowed are \[0, 1\]. Select one phase"):
        ct.measure.kappa_by_threshold(GREY, image([0, 1, 2]))


def test_pairs_of_16_bit_grey_values_are_too_many():
    with pytest.raises(TypeError, match="every pair of thresholds of uint16"):
        ct.measure.kappa_by_threshold_pair(image(np.array([1, 2], np.uint16)), image([0, 1]))
