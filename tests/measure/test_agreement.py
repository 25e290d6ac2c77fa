"""Cohen's κ: worked by hand, against scikit-learn, under every symmetry it has; and its interval."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score
from sklearn.metrics import confusion_matrix as sklearn_confusion

import corrtomo as ct

QUICK = settings(deadline=None, derandomize=True, max_examples=60)
KINDS = st.sampled_from([np.uint8, np.int64, np.uint16])


def labels(values, size=1.0):
    return ct.volume(np.asarray(values), size)


@st.composite
def two_labellings(draw):
    """Two labellings with some agreement, which together hold two classes or more."""
    shape = draw(st.sampled_from([(12,), (4, 5), (2, 3, 4)]))
    kind = draw(KINDS)
    a = draw(arrays(kind, shape, elements=st.integers(0, 4)))
    b = np.where(draw(arrays(bool, shape)), a, draw(arrays(kind, shape, elements=st.integers(0, 4))))
    assume(np.unique([a, b]).size > 1)
    return labels(a), labels(b)


def test_kappa_worked_by_hand():
    # 20 + 15 of 50 agree; by chance 25 · 30 + 25 · 20 of 2500 do: (0.7 − 0.5) / (1 − 0.5).
    a = labels([1] * 25 + [0] * 25)
    b = labels([1] * 20 + [0] * 5 + [1] * 10 + [0] * 15)
    assert ct.measure.cohen_kappa(a, b) == pytest.approx(0.4, abs=1e-15)
    assert ct.measure.confusion_matrix(a, b).loc[1].tolist() == [5, 20]


def test_kappa_of_three_classes_worked_by_hand():
    # Agree 2 + 1 + 1 of 6; by chance (3 · 2 + 2 · 2 + 1 · 2) / 36: (2/3 − 1/3) / (1 − 1/3).
    a, b = labels([0, 0, 0, 1, 1, 2]), labels([0, 0, 1, 1, 2, 2])
    assert ct.measure.cohen_kappa(a, b) == pytest.approx(0.5, abs=1e-15)


def test_ends_of_the_scale():
    a = labels([[0, 1], [0, 1]])
    assert ct.measure.cohen_kappa(a, a) == 1.0
    assert ct.measure.cohen_kappa(a, 1 - a) == -1.0
    assert ct.measure.cohen_kappa(a, labels([[0, 0], [1, 1]])) == 0.0
    assert ct.measure.cohen_kappa(a, labels([[1, 1], [1, 1]])) == 0.0


@given(two_labellings())
@QUICK
def test_kappa_and_confusion_are_those_of_scikit_learn(pair):
    a, b = pair
    flat = a.values.ravel(), b.values.ravel()
    assert ct.measure.cohen_kappa(a, b) == pytest.approx(cohen_kappa_score(*flat), abs=1e-12)
    found = ct.measure.confusion_matrix(a, b)
    assert np.array_equal(found, sklearn_confusion(*flat))
    assert found.index.tolist() == found.columns.tolist() == np.union1d(*flat).tolist()


@given(two_labellings(), st.permutations(range(5)))
@QUICK
def test_kappa_does_not_depend_on_order_names_or_axes(pair, names):
    a, b = pair
    kappa = ct.measure.cohen_kappa(a, b)
    renamed = [image.copy(data=np.array(names, np.uint8)[image.values]) for image in pair]
    flipped = [image.copy(data=image.values[::-1]) for image in pair]
    turned = [labels(image.values.T) for image in pair]
    for other in ((b, a), renamed, flipped, turned):
        assert ct.measure.cohen_kappa(*other) == pytest.approx(kappa, abs=1e-14)


@given(two_labellings(), arrays(bool, 24))
@QUICK
def test_what_is_left_out_does_not_count(pair, out):
    a, b = (image.values.ravel().astype(np.uint8) for image in pair)
    out = np.resize(out, a.shape)
    assume(np.unique([a[~out], b[~out]]).size > 1)
    kept = cohen_kappa_score(a[~out], b[~out])
    marked = np.where(out, np.uint8(255), a)
    assert ct.measure.cohen_kappa(labels(marked), labels(b), ignore=255) == pytest.approx(kept, abs=1e-12)
    assert ct.measure.cohen_kappa(labels(b), labels(marked), ignore=255) == pytest.approx(kept, abs=1e-12)


def test_masks_labels_and_chunks_compare_alike():
    rng = np.random.default_rng(0)
    a, b = rng.random((5, 6, 7)) < 0.4, rng.random((5, 6, 7)) < 0.5
    kappa = ct.measure.cohen_kappa(labels(a), labels(b))
    assert ct.measure.cohen_kappa(labels(a), labels(b.astype(np.int32))) == kappa
    lazy = labels(a).copy(data=da.from_array(a, chunks=(2, 3, 7)))
    assert ct.measure.cohen_kappa(lazy, labels(b)) == kappa
    assert ct.measure.cohen_kappa(labels(b), lazy) == kappa


def test_a_view_of_a_larger_volume_compares_like_its_copy():
    rng = np.random.default_rng(1)
    whole = labels(rng.integers(0, 3, (8, 9, 10), dtype=np.uint8))
    other = labels(rng.integers(0, 3, (8, 9, 10), dtype=np.uint8))
    crop = {"z": slice(1, 7), "y": slice(2, 9, 2), "x": slice(3, 8)}
    a, b = whole.isel(crop), other.isel(crop)
    flat = a.values.ravel(), b.values.ravel()
    assert ct.measure.cohen_kappa(a, b) == pytest.approx(cohen_kappa_score(*flat), abs=1e-12)


def test_one_class_has_no_kappa():
    ones = labels(np.ones((2, 3), bool))
    with pytest.raises(ValueError, match="one and the same class only.* kappa is undefined"):
        ct.measure.cohen_kappa(ones, ones)
    mostly = labels([1, 1, 255])
    with pytest.raises(ValueError, match="kappa is undefined"):
        ct.measure.cohen_kappa(mostly, mostly, ignore=255)


def test_left_out_voxels_never_count_unasked():
    a, b = labels([0, 1, 255]), labels([0, 1, 1])
    for pair in ((a, b), (b, a)):
        with pytest.raises(ValueError, match=r"1 voxels have code 255.*Pass ignore=255"):
            ct.measure.cohen_kappa(*pair)
    nothing = labels([255, 255])
    with pytest.raises(ValueError, match="every voxel has code 255, which is ignored"):
        ct.measure.cohen_kappa(nothing, labels([0, 1]), ignore=255)


@pytest.mark.parametrize("compare", [ct.measure.cohen_kappa, ct.measure.confusion_matrix])
def test_what_does_not_lie_on_one_grid_is_refused(compare):
    a = labels(np.zeros((4, 4), np.uint8))
    with pytest.raises(
        ValueError, match=r"Cannot compare labels: sizes \(4, 4\) and \(2, 4\) differ. Coarsen the finer"
    ):
        compare(a, a[:2])
    with pytest.raises(ValueError, match=r"their y coordinates differ by up to 1 µm"):
        compare(a[:2], a[1:3])
    with pytest.raises(ValueError, match=r"dims \('y', 'x'\) and \('z', 'y'\) differ"):
        compare(a, ct.volume(a.values, 1.0, dims=("z", "y")))


@pytest.mark.parametrize("compare", [ct.measure.cohen_kappa, ct.measure.confusion_matrix])
def test_what_is_no_labelling_is_refused(compare):
    a = labels([0, 1])
    for pair in ((a, a.values), (a.values, a)):
        with pytest.raises(TypeError, match="Cannot use a ndarray.*ct.volume"):
            compare(*pair)
    with pytest.raises(TypeError, match="Cannot compare labels: its dtype is float64"):
        compare(a, a.astype(float))
    for bad in (-1, 256):
        with pytest.raises(ValueError, match=r"codes are 0 to 255. Number the classes anew"):
            compare(a, a.copy(data=[0, bad]))
    with pytest.raises(ValueError, match="it holds no voxel"):
        compare(a[:0], a[:0])


def test_kappa_from_counts_refuses_what_is_no_confusion_matrix():
    for bad in ([[1, 2]], [1, 2], [[0, 0], [0, 0]]):
        with pytest.raises(ValueError, match="Cannot compute kappa from counts of shape .*: a square matrix"):
            ct.measure.kappa_from_confusion(bad)
    with pytest.raises(ValueError, match="kappa is undefined"):
        ct.measure.kappa_from_confusion([[5, 0], [0, 0]])


@pytest.mark.parametrize(
    ("kappa", "word"),
    [
        (-1, "poor"),
        (-1e-9, "poor"),
        (0.0, "slight"),
        (0.2, "slight"),
        (0.21, "fair"),
        (0.57, "moderate"),
        (0.79, "substantial"),
        (0.8, "substantial"),
        (0.81, "almost perfect"),
        (1, "almost perfect"),
    ],
)
def test_landis_and_koch(kappa, word):
    assert ct.measure.landis_koch(kappa) == word


@pytest.mark.parametrize("bad", [1.01, -1.01, np.nan, np.inf])
def test_no_word_for_what_is_no_kappa(bad):
    with pytest.raises(ValueError, match="it lies between -1 and 1"):
        ct.measure.landis_koch(bad)


def blocky(rng, blocks=64, block=8, width=8, spread=1.0):
    """Two labellings along a line, whose blocks are independent and differ in how well they agree.

    With a share e of wrong voxels, uniform in a block over 0.2 ± 0.2 `spread`, and both classes equally
    frequent, the true κ is 1 - 2 · 0.2 = 0.6.
    """
    wrong = rng.uniform(0.2 - 0.2 * spread, 0.2 + 0.2 * spread, blocks).repeat(block * width)
    a = rng.random(wrong.size) < 0.5
    b = a ^ (rng.random(wrong.size) < wrong)
    return labels(a.reshape(-1, width)), labels(b.reshape(-1, width))


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(2026)
    trials = 200
    held = 0
    for trial in range(trials):
        a, b = blocky(rng)
        found = ct.measure.kappa_interval(a, b, 8.0, resamples=300, seed=trial)
        assert found.blocks == 64
        held += found.low <= 0.6 <= found.high
    # Binomial, 200 trials: at a coverage of 95 % these bounds are missed 2 times in 10 000, at 85 % 94 times
    # in 100. (A percentile bootstrap of 64 blocks covers a little less than it says.)
    assert 178 <= held <= 199


def test_blocks_that_err_together_widen_the_interval():
    a, b = blocky(np.random.default_rng(3), blocks=128)
    by_block = ct.measure.kappa_interval(a, b, 8.0)
    by_row = ct.measure.kappa_interval(a, b, 1.0)
    assert by_block.high - by_block.low > 1.5 * (by_row.high - by_row.low)


def test_the_interval_holds_kappa_and_grows_with_the_level():
    a, b = blocky(np.random.default_rng(4))
    kappa = ct.measure.cohen_kappa(a, b)
    narrow, wide = (ct.measure.kappa_interval(a, b, 8.0, level=level) for level in (0.5, 0.99))
    assert wide.low < narrow.low < kappa < narrow.high < wide.high
    assert ct.measure.kappa_interval(a, b, 8.0, seed=0) == ct.measure.kappa_interval(a, b, 8.0)
    assert ct.measure.kappa_interval(a, b, 8.0, seed=1) != ct.measure.kappa_interval(a, b, 8.0)


def test_blocks_are_as_wide_as_stated_on_every_axis():
    rng = np.random.default_rng(5)
    a = ct.volume(rng.integers(0, 2, (8, 12, 20)), (0.5, 0.25, 0.1))
    b = ct.volume(rng.integers(0, 2, (8, 12, 20)), (0.5, 0.25, 0.1))
    # 1 µm is 2 × 4 × 10 voxels: 4 × 3 × 2 blocks.
    assert ct.measure.kappa_interval(a, b, 1.0).blocks == 24
    assert ct.measure.kappa_interval(a, b, 0.5).blocks == 8 * 6 * 4


def test_blocks_that_are_all_left_out_are_none():
    a, b = blocky(np.random.default_rng(6), blocks=20)
    marked = a.astype(np.uint8)
    marked[:40] = 255
    found = ct.measure.kappa_interval(marked, b.astype(np.uint8), 8.0, ignore=255)
    assert found.blocks == 15
    crop = ct.measure.kappa_interval(a[40:], b[40:], 8.0)
    assert found == pytest.approx(crop, abs=1e-12)


def test_an_interval_needs_blocks_and_two_classes():
    a, b = blocky(np.random.default_rng(7), blocks=7)
    with pytest.raises(ValueError, match=r"from 7 blocks of 8 µm: 8 or more are needed. Lower block_um"):
        ct.measure.kappa_interval(a, b, 8.0)
    rare = np.zeros(64, bool)
    rare[0] = True
    with pytest.raises(ValueError, match=r"of 1000 draws hold one class only"):
        ct.measure.kappa_interval(labels(rare), labels(rare), 4.0)
    with pytest.raises(ValueError, match="kappa is undefined"):
        ct.measure.kappa_interval(labels(rare[1:]), labels(rare[1:]), 4.0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"block_um": 0.0}, "Cannot cut blocks of 0.0 µm: the edge length must be finite and above zero"),
        ({"block_um": np.nan}, "finite and above zero"),
        ({"level": 95}, "at level 95: a share between 0 and 1"),
        ({"level": 0.0}, "a share between 0 and 1"),
        ({"resamples": 10}, "from 10 draws: 100 or more"),
    ],
)
def test_options_out_of_range_are_refused(options, said):
    a, b = blocky(np.random.default_rng(8))
    with pytest.raises(ValueError, match=said):
        ct.measure.kappa_interval(a, b, **{"block_um": 8.0, **options})


def test_codes_that_occur_only_where_the_other_is_left_out_have_no_row():
    a, b = labels([0, 1, 255]), labels([0, 1, 2])
    for pair in ((a, b), (b, a)):
        found = ct.measure.confusion_matrix(*pair, ignore=255)
        assert found.index.tolist() == found.columns.tolist() == [0, 1]
        assert found.to_numpy().tolist() == [[1, 0], [0, 1]]


def test_blocks_of_many_classes_are_refused_before_they_fill_the_memory():
    labels = ct.volume(np.arange(2**15) % 200, 1.0)
    with pytest.raises(ValueError, match="32768 blocks of 1 µm with 200 classes each"):
        ct.measure.kappa_interval(labels, labels, 1.0)


@pytest.mark.parametrize(
    "wrong", [{"block_um": "2"}, {"level": None}, {"resamples": 100.5}, {"seed": -1}, {"seed": 1.5}]
)
def test_options_that_are_no_numbers_are_refused(wrong):
    labels = ct.volume(np.arange(100) % 2, 1.0)
    with pytest.raises(TypeError, match="numbers are needed"):
        ct.measure.kappa_interval(labels, labels, **{"block_um": 5.0, **wrong})


def test_kappa_is_exact_where_one_class_is_nearly_all():
    assert ct.measure.kappa_from_confusion([[10**15, 0], [0, 1]]) == 1.0


@pytest.mark.parametrize("kappa", ["0.5", None, True])
def test_a_word_needs_a_number(kappa):
    with pytest.raises(ValueError, match="Cannot name kappa"):
        ct.measure.landis_koch(kappa)
