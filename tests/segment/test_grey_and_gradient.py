"""Three phases from grey values and the grooves of milling: by hand, on a shaded face, in chunks."""

import re

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter

import corrtomo as ct
from corrtomo.phases import as_labels

LEVELS = {"cbd_threshold": 67, "am_threshold": 130}
WINDOW = (0.3, 0.5)  # 3 × 5 pixels of 0.1 µm


def chunked(image, chunks):
    return image.copy(data=da.from_array(image.data, chunks=chunks))


def face(seed, *, end=0.5, shape=(384, 512), slices=None, walls=True):
    """A milled face, at its lower end `end` times as bright, with walls behind some pores; and its labels."""
    rng = np.random.default_rng(seed)
    solid, filled = (gaussian_filter(rng.normal(size=shape), s, mode="wrap") for s in (28, 9))
    am = solid > np.quantile(solid, 0.31)
    pore = ~am & (filled < np.quantile(filled[~am], 0.25))
    labels = np.where(am, 2, np.where(pore, 0, 1)).astype(np.uint8)
    grooves = gaussian_filter(rng.normal(size=shape), (40, 0.8), mode="wrap")
    grey = np.choose(labels, [40.0, 95.0, 165.0]) + am * 7.0 * grooves / grooves.std()
    behind = gaussian_filter(rng.normal(size=shape), 6, mode="wrap")
    if walls:
        grey[pore & (behind > np.quantile(behind, 0.7))] = 140.0  # bright, and without grooves
    grey *= np.linspace(1, end, shape[0])[:, None]
    grey += rng.normal(size=shape) * 7.0
    grey = grey.clip(0, 255).round().astype(np.uint8)
    if slices is not None:
        grey, labels = np.tile(grey, (slices, 1, 1)), np.tile(labels, (slices, 1, 1))
    size = 0.025 if slices is None else (0.05, 0.025, 0.025)
    return ct.volume(grey, size), ct.phases.as_labels(ct.volume(labels, size))


def by_hand(grey, along, across, step):
    """The formula, pixel by pixel."""
    out = np.zeros(grey.shape)
    for j, i in np.ndindex(grey.shape):
        rows = grey[max(0, j - along // 2) : j + along // 2 + 1].astype(float).mean(axis=0)
        climbs = np.diff(rows[max(0, i - across // 2) : i + across // 2 + 1]) / step
        out[j, i] = np.abs(climbs).mean() - abs(climbs.mean())
    return out


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16, np.float32, np.float64, ">u2"])
def test_grooves_of_period_two_have_the_gradient_of_their_steps(dtype):
    image = ct.volume(np.tile([150, 160], (5, 6)).astype(dtype), 0.1)
    found = ct.segment.groove_gradient(image, window_um=WINDOW)
    assert found.values[:, 2:-2] == pytest.approx(100.0)  # 10 grey values on 0.1 µm
    assert found.attrs["units"] == "grey values/µm"


@pytest.mark.parametrize("turn", [False, True])
def test_an_edge_or_a_shading_is_no_groove(turn):
    ramp = np.cumsum(np.random.default_rng(0).integers(0, 40, 30)) * np.ones((12, 1))
    image = ct.volume(ramp.T if turn else ramp, 0.1)
    assert ct.segment.groove_gradient(image, window_um=WINDOW).values == pytest.approx(0.0, abs=1e-3)


def test_grooves_count_across_and_not_along():
    lying = np.tile([[150], [160]], (6, 12))
    image = ct.volume(lying, 0.1)
    assert ct.segment.groove_gradient(image, window_um=WINDOW).values.max() == 0.0
    assert ct.segment.groove_gradient(image, window_um=WINDOW, across="y").values.min() > 0.0


@given(
    grey=arrays(
        st.sampled_from([np.uint8, np.float64]),
        st.tuples(st.integers(5, 9), st.integers(5, 9)),
        elements=st.integers(0, 255),
    ),
    along=st.sampled_from([1, 3, 5]),
    across=st.sampled_from([3, 5]),
)
@settings(deadline=None, derandomize=True, max_examples=40)
def test_the_gradient_is_its_formula(grey, along, across):
    image = ct.volume(grey, (0.2, 0.1))
    found = ct.segment.groove_gradient(image, window_um=(along * 0.2, across * 0.1))
    assert found.values == pytest.approx(by_hand(grey, along, across, 0.1), abs=2e-2)


@given(grey=arrays(np.uint8, (2, 7, 8)), weight=st.floats(0, 2))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_labels_are_thresholds_on_grey_and_score(grey, weight):
    image = ct.volume(grey, 0.1)
    labels = ct.segment.grey_and_gradient(image, **LEVELS, gradient_weight_um=weight, window_um=WINDOW)
    score = grey + weight * ct.segment.groove_gradient(image, window_um=WINDOW).values
    sure = np.abs(score - 130) > 1e-3  # the score is rounded in another order
    wanted = np.where(grey <= 67, 0, np.where(score > 130, 2, 1))
    assert np.array_equal(labels.values[sure], wanted[sure])
    assert labels.dtype == np.uint8
    assert labels.attrs["phases"]["AM"] == 2


@given(grey=arrays(np.uint8, (6, 7)))
@settings(deadline=None, derandomize=True, max_examples=30)
def test_without_weight_the_thresholds_alone_decide(grey):
    image = ct.volume(grey, 0.1)
    labels = ct.segment.grey_and_gradient(image, **LEVELS, gradient_weight_um=0, window_um=WINDOW)
    assert labels.identical(ct.segment.by_thresholds(image, 67, 130))


def test_turning_the_image_and_the_axis_turns_the_labels():
    image, _ = face(1, shape=(60, 80))
    options = {**LEVELS, "gradient_weight_um": 0.3, "window_um": (0.3, 0.2)}
    turned = ct.volume(image.values.T, 0.025)
    found = ct.segment.grey_and_gradient(turned, across="y", **options)
    assert np.array_equal(found.values.T, ct.segment.grey_and_gradient(image, **options))


@pytest.mark.parametrize("chunks", [(1, 30, 40), (2, 60, 17)])
@pytest.mark.parametrize("diameter_um", [None, 0.1])
def test_chunks_stay_lazy_and_give_the_same(chunks, diameter_um):
    image, _ = face(2, shape=(60, 80), slices=3)
    options = {**LEVELS, "gradient_weight_um": 0.3, "diameter_um": diameter_um}
    lazy = ct.segment.grey_and_gradient(chunked(image, chunks), **options)
    assert isinstance(lazy.data, da.Array)
    assert lazy.identical(ct.segment.grey_and_gradient(image, **options))
    gradient = ct.segment.groove_gradient(chunked(image, chunks))
    assert isinstance(gradient.data, da.Array)
    assert gradient.identical(ct.segment.groove_gradient(image))


def test_slices_know_nothing_of_one_another():
    image, _ = face(3, shape=(60, 80), slices=3)
    image.values[0] = 200
    options = {**LEVELS, "gradient_weight_um": 0.3}
    one = ct.segment.grey_and_gradient(image.isel(z=2), **options)
    assert np.array_equal(ct.segment.grey_and_gradient(image, **options).isel(z=2), one)


def test_the_gradient_finds_active_material_that_shading_made_grey():
    image, truth = face(0)
    trained, fresh = slice(0, 256), slice(256, None)  # one half to choose, the other to judge
    table = ct.segment.fit_grey_and_gradient(image.isel(x=trained), truth.isel(x=trained))
    agreement = {}
    for row in (table.iloc[0], table.loc[table.right.idxmax()]):
        values = row[["cbd_threshold", "am_threshold", "gradient_weight_um"]].to_dict()
        labels = ct.segment.grey_and_gradient(image.isel(x=fresh), **values)
        agreement[row.gradient_weight_um] = ct.measure.cohen_kappa(labels, truth.isel(x=fresh))
    thresholds, both = agreement.values()
    assert 0.0 in agreement
    assert both > thresholds + 0.05


def test_without_shading_the_composition_is_within_two_percent():
    image, truth = face(4, end=1.0, walls=False)
    table = ct.segment.fit_grey_and_gradient(image, truth)
    best = table.loc[table.right.idxmax()]
    assert abs(best[["pore_error", "cbd_error", "am_error"]]).max() < 0.02


def test_walls_behind_pores_become_binder_and_not_active_material():
    image, truth = face(4, end=1.0)
    walls = (truth == ct.Phase.PORE) & (image > 110)
    options = {"cbd_threshold": 67, "window_um": (0.3, 0.2)}
    thresholds = ct.segment.grey_and_gradient(image, am_threshold=130, gradient_weight_um=0, **options)
    weighed = ct.segment.grey_and_gradient(image, am_threshold=190, gradient_weight_um=0.3, **options)
    share = {k: float((v == ct.Phase.AM).where(walls).mean()) for k, v in {0: thresholds, 1: weighed}.items()}
    assert share[0] > 0.8
    assert share[1] < 0.5 * share[0]
    assert not (weighed == ct.Phase.PORE).where(walls, False).any()  # what no score can mend


def test_rims_of_blur_around_active_material_go_and_binder_stays():
    labels = np.zeros((40, 60), np.uint8)
    labels[:, 20:40], labels[:, 50:] = 2, 1
    grey = gaussian_filter(np.choose(labels, [40.0, 95.0, 165.0]), 1.0)
    options = {**LEVELS, "gradient_weight_um": 0, "window_um": WINDOW}
    image = ct.volume(grey, 0.1)
    raw = ct.segment.grey_and_gradient(image, **options)
    clean = ct.segment.grey_and_gradient(image, **options, diameter_um=0.4)
    assert (raw.values == 1).sum() > (labels == 1).sum()
    assert (clean.values != labels).mean() < 0.02
    assert set(np.unique(clean.values[:, 10:45])) == {0, 2}


def test_thresholds_lie_in_the_middle_of_what_parts_the_phases():
    truth = ct.volume(np.repeat([[0, 1, 2, 255]], 8, axis=1) * np.ones((9, 1), int), 0.1)
    grey = np.repeat([[40, 95, 165, 250]], 8, axis=1) * np.ones((9, 1), int)
    options = {"gradient_weights_um": [0], "window_um": WINDOW}
    whole = ct.segment.fit_grey_and_gradient(ct.volume(grey, 0.1), truth, **options).iloc[0]
    assert (whole.cbd_threshold, whole.am_threshold, whole.right) == (67, 130, 1)
    scaled = ct.segment.fit_grey_and_gradient(ct.volume(grey / 255, 0.1), truth, **options).iloc[0]
    assert scaled.cbd_threshold * 255 == pytest.approx(67, abs=1)
    assert scaled.am_threshold * 255 == pytest.approx(130, abs=1)


@given(
    grey=arrays(np.uint8, (6, 8), elements=st.integers(0, 12)),
    codes=arrays(np.uint8, (6, 8), elements=st.sampled_from([0, 1, 2, 255])),
)
@settings(deadline=None, derandomize=True, max_examples=25)
def test_no_pair_of_thresholds_is_right_more_often(grey, codes):
    codes[0, :3] = 0, 1, 2
    grey[0, :3] = 0, 6, 12
    image, truth = ct.volume(grey, 0.1), ct.volume(codes, 0.1)
    row = ct.segment.fit_grey_and_gradient(image, truth, gradient_weights_um=[0], window_um=WINDOW).iloc[0]
    known = codes != 255

    def share(low, high):
        return (np.digitize(grey, [low, high], right=True) == codes)[known].mean()

    tried = [share(low, high) for low in range(13) for high in range(low + 1, 14)]
    assert row.right == pytest.approx(max(tried))
    assert share(row.cbd_threshold, row.am_threshold) == pytest.approx(row.right)


def test_the_table_says_how_far_fractions_are_off():
    image, truth = face(5, shape=(120, 160))
    row = ct.segment.fit_grey_and_gradient(image, truth, gradient_weights_um=[0.3]).iloc[0]
    values = row[["cbd_threshold", "am_threshold", "gradient_weight_um"]].to_dict()
    labels = ct.segment.grey_and_gradient(image, **values)
    for code, name in enumerate(["pore_error", "cbd_error", "am_error"]):
        off = float((labels == code).mean() - (truth == code).mean())
        assert row[name] == pytest.approx(off, abs=1e-3)
    assert row.right == pytest.approx(float((labels == truth).mean()), abs=1e-3)


def test_chunks_do_not_move_the_fit():
    image, truth = face(6, shape=(60, 80), slices=2)
    lazy = ct.segment.fit_grey_and_gradient(chunked(image, (1, 30, 80)), truth)
    assert lazy.equals(ct.segment.fit_grey_and_gradient(image, truth))


IMAGE = ct.volume(np.arange(100, dtype=np.uint8).reshape(10, 10), 0.1)
GOOD = {**LEVELS, "gradient_weight_um": 0.3, "window_um": WINDOW}


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"cbd_threshold": 130, "am_threshold": 67}, ValueError, "the first must be below the second"),
        ({"cbd_threshold": 130}, ValueError, "the first must be below the second"),
        ({"am_threshold": "67"}, TypeError, "am_threshold '67': a number is needed"),
        ({"am_threshold": True}, TypeError, "am_threshold True: a number is needed"),
        ({"cbd_threshold": float("nan")}, ValueError, "cbd_threshold nan: it must be finite"),
        ({"gradient_weight_um": -0.1}, ValueError, "so 0 or more is needed"),
        ({"gradient_weight_um": None}, TypeError, "a number is needed"),
        ({"window_um": (5.1, 0.5)}, ValueError, "51 pixels of 0.1 µm, and 1 to 10 are possible"),
        ({"window_um": (0.3, 0.1)}, ValueError, "1 pixels of 0.1 µm, and 3 to 10 are possible"),
        ({"window_um": 0.3}, ValueError, "two lengths in µm are needed"),
        ({"window_um": "ab"}, ValueError, "two lengths in µm are needed"),
        ({"window_um": (0.3, None)}, TypeError, "a number in µm is needed"),
        ({"window_um": (-0.3, 0.5)}, ValueError, "finite and above zero"),
        ({"window_um": (1e30, 0.5)}, ValueError, "1 to 10 are possible"),
        ({"across": "z"}, ValueError, "across 'z': allowed are 'x' and 'y'"),
        ({"across": ["x"]}, ValueError, "allowed are 'x' and 'y'"),
        ({"diameter_um": 0}, ValueError, "finite and above zero"),
        ({"diameter_um": 1e3}, ValueError, "at most 255 are possible"),
    ],
)
def test_options_that_cannot_be_are_refused(options, error, said):
    with pytest.raises(error, match=re.escape(said)):
        ct.segment.grey_and_gradient(IMAGE, **{**GOOD, **options})


@pytest.mark.parametrize(
    ("image", "error", "said"),
    [
        (np.zeros((10, 10), np.uint8), TypeError, "Make one with ct.volume"),
        (None, TypeError, "Make one with ct.volume"),
        (IMAGE > 3, TypeError, "a mask of booleans"),
        (IMAGE.astype(float).where(IMAGE > 3), ValueError, "4 of 100 grey values are NaN or infinite"),
        (IMAGE.isel(x=0, drop=True), ValueError, "2D or 3D is needed"),
        (IMAGE.expand_dims(channel=["a", "b"]), ValueError, "the image has 2 channels"),
        (ct.volume(np.zeros((10, 10)), 0.1, dims=("z", "x")), ValueError, "a section face is y, x"),
        (ct.volume(np.zeros((1, 1)), 0.1), ValueError, "1 to 1 are possible"),
        (as_labels(IMAGE % 3), TypeError, "of labels: grey values are needed"),
    ],
)
@pytest.mark.parametrize("work", ["grey_and_gradient", "groove_gradient", "fit_grey_and_gradient"])
def test_images_that_cannot_be_are_refused(work, image, error, said):
    call = {
        "grey_and_gradient": lambda: ct.segment.grey_and_gradient(image, **GOOD),
        "groove_gradient": lambda: ct.segment.groove_gradient(image, window_um=WINDOW),
        "fit_grey_and_gradient": lambda: ct.segment.fit_grey_and_gradient(
            image, ct.volume(np.arange(100).reshape(10, 10) % 3, 0.1), window_um=WINDOW
        ),
    }[work]
    with pytest.raises(error, match=re.escape(said)):
        call()


def test_a_grey_value_that_is_no_number_in_a_chunk_is_refused_when_computed():
    bad = chunked(IMAGE.astype(float).where(IMAGE > 3), (5, 10))
    lazy = ct.segment.grey_and_gradient(bad, **GOOD)
    with pytest.raises(ValueError, match="4 of 100 grey values are NaN"):
        lazy.compute()


@pytest.mark.parametrize(
    ("truth", "options", "error", "said"),
    [
        (IMAGE * 0, {}, ValueError, "with labels of pore: pore, carbon binder domain, active material must"),
        (IMAGE % 4, {}, ValueError, "must all be labelled, and nothing else"),
        (IMAGE * 0 + 255, {}, ValueError, "with labels of nothing"),
        (IMAGE > 3, {}, ValueError, "must all be labelled"),
        (IMAGE % 3 + 5, {}, ValueError, "Cannot find phase 5"),
        ((IMAGE % 3).isel(x=slice(5)), {}, ValueError, "sizes (10, 10) and (10, 5) differ"),
        (IMAGE % 3, {"gradient_weights_um": []}, ValueError, "one or more are needed"),
        (IMAGE % 3, {"gradient_weights_um": 0.3}, TypeError, "several numbers in µm are needed"),
        (IMAGE % 3, {"gradient_weights_um": "0.3"}, TypeError, "several numbers in µm are needed"),
        (IMAGE % 3, {"gradient_weights_um": [-1]}, ValueError, "so 0 or more is needed"),
        (IMAGE % 3, {"gradient_weights_um": ["a"]}, TypeError, "a number is needed"),
        (IMAGE % 3, {"gradient_weights_um": np.array(1.0)}, TypeError, "several numbers in µm are needed"),
    ],
)
def test_areas_that_teach_nothing_are_refused(truth, options, error, said):
    with pytest.raises(error, match=re.escape(said)):
        ct.segment.fit_grey_and_gradient(IMAGE, truth, window_um=WINDOW, **options)


def test_weights_beyond_what_a_float_holds_are_refused():
    image, truth = face(6, shape=(60, 80))
    with pytest.raises(ValueError, match="gradient weight 1e.308 µm: the strongest gradient is .* finite"):
        ct.segment.fit_grey_and_gradient(image, truth, gradient_weights_um=[0, 1e308])


def test_labels_on_one_grey_value_are_refused():
    with pytest.raises(ValueError, match="from 7 to 7, a range that cannot be parted"):
        ct.segment.fit_grey_and_gradient(IMAGE * 0 + 7, IMAGE % 3, window_um=WINDOW)
