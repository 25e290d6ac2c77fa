"""Counts by class: intervals, detection, upper limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

import corrtomo as ct

COUNTS = ct.measure.phase_counts
CLASSES = {"pore": 0, "carbon binder domain": 1, "LCO": 2, "NCA": 3}


def maps(values, size=0.03, names=("7Li", "27Al")):
    counts = ct.volume(np.asarray(values), size, dims=("channel", "y", "x"))
    return counts.assign_coords(channel=list(names[: counts.sizes["channel"]]))


def classes(codes, size=0.03):
    image = ct.volume(np.asarray(codes, np.uint8), size)
    image.attrs["classes"] = CLASSES
    return image


def row(table, name, channel):
    return table[(table["class"] == name) & (table.channel == channel)].iloc[0]


@pytest.fixture(scope="module")
def section():
    """Lithium in LCO and NCA, aluminium in NCA and a little in the binder."""
    rng = np.random.default_rng(3)
    codes = np.kron(rng.integers(0, 4, (8, 8)), np.ones((16, 16), int))
    lithium, aluminium = np.array([0.02, 0.02, 20.0, 15.0]), np.array([0.02, 0.3, 0.02, 3.0])
    return maps(rng.poisson([lithium[codes], aluminium[codes]])), classes(codes)


def test_no_lithium_in_the_binder_is_a_number(section):
    # At 5 % for each of six rows, one section in four would have a false alarm.
    table = COUNTS(*section, alpha=0.001)
    binder = row(table, "carbon binder domain", "7Li")
    assert not binder.detected
    assert 0 <= binder.limit_per_pixel < 0.015
    assert row(table, "carbon binder domain", "27Al").detected
    assert not row(table, "LCO", "27Al").detected
    assert row(table, "NCA", "27Al").detected
    lco = row(table, "LCO", "7Li")
    assert lco.low < 20 < lco.high
    assert lco.net_per_pixel == pytest.approx(20, abs=0.2)
    assert table[table["class"] == "pore"].detected.isna().all()
    assert not table.overdispersed.any()
    assert table.dispersion.between(0.8, 1.25).all()


def test_by_hand():
    table = COUNTS(maps([[[0, 1, 3, 4, 0, 0]]]), classes([[0, 0, 2, 2, 1, 1]]))
    assert table.counts.tolist() == [1, 0, 7]
    assert table.pixels.tolist() == [2, 2, 2]
    assert table.per_pixel.tolist() == [0.5, 0.0, 3.5]
    lco = row(table, "LCO", "7Li")
    assert lco.dispersion == pytest.approx(0.5 / 3.5)
    assert lco.low == pytest.approx(stats.chi2.ppf(0.025, 14) / 2 / 2)
    assert lco.high == pytest.approx(stats.chi2.ppf(0.975, 16) / 2 / 2)
    # Of c + 1 counts, c or more in the class by chance: (c + 2) / 2^(c + 1), 5 % at most from 7 on.
    assert lco.critical_per_pixel == 7 / 2
    assert lco.detected  # from the critical count on
    half = np.sqrt(0.95)
    binder = row(table, "carbon binder domain", "7Li")
    expected = stats.chi2.ppf(half, 2) / 2 / 2 - stats.chi2.ppf(1 - half, 2) / 2 / 2
    assert binder.limit_per_pixel == pytest.approx(expected)
    assert binder.net_per_pixel == -0.5
    assert np.isnan(binder.dispersion)


def test_detection_agrees_with_the_detection_limit(section):
    counts, labels = section
    table = COUNTS(counts, labels, alpha=0.01)
    for channel in ("7Li", "27Al"):
        for name, code in CLASSES.items():
            if name != "pore":
                found = row(table, name, channel)
                blank, pixels = counts.sel(channel=channel, drop=True), int((labels == code).sum())
                limit = ct.measure.detection_limit(blank, mask=labels == 0, pixels=pixels, alpha=0.01)
                assert found.critical_per_pixel == limit.critical_counts / limit.pixels
                assert found.detected == (found.counts >= limit.critical_counts)


def test_upper_limits_hold_as_often_as_they_say():
    rng = np.random.default_rng(5)
    labels = classes([[0] * 40 + [1] * 30])
    hits = 0
    for _ in range(200):
        counts = np.concatenate([rng.poisson(0.1, 40), rng.poisson(0.2, 30)])
        hits += COUNTS(maps(counts[None, None]), labels).limit_per_pixel[1] >= 0.1
    assert hits >= 0.95 * 200


def test_grains_that_differ_are_overdispersed():
    counts = maps([[[5, 0] * 100, [2, 2] * 100]])
    table = COUNTS(counts, classes(np.repeat([[2], [3]], 200, axis=1)), blank=None)
    assert table.overdispersed.tolist() == [True, False]
    assert table.dispersion[0] == pytest.approx(2.5 * 200 / 199)
    assert table.detected.isna().all()
    assert table.limit_per_pixel.isna().all()


def test_a_margin_leaves_out_what_is_near_another_class():
    labels = classes([[0] * 10 + [2] * 10 + [255] * 10])
    counts = maps([[list(range(30))]])
    assert COUNTS(counts, labels).pixels.tolist() == [10, 10]
    table = COUNTS(counts, labels, margin_um=0.09)  # three pixels: those at one and two are nearer
    assert table.pixels.tolist() == [8, 6]
    assert table.counts.tolist() == [sum(range(8)), sum(range(12, 18))]
    assert table.attrs["left_out_pixels"] == 16
    with pytest.raises(ValueError, match="no pixel is so far"):
        COUNTS(counts, labels, margin_um=1.0)
    assert labels.values[0, 9] == 0  # the labels given are as they were


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    hnp.arrays(
        np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=st.sampled_from([0, 1, 2, 3, 255])
    ),
    st.data(),
)
def test_counts_of_any_labels(codes, data):
    codes[0, 0] = 0
    counts = data.draw(hnp.arrays(np.uint16, (2, *codes.shape), elements=st.integers(0, 50)))
    table = COUNTS(maps(counts), classes(codes))
    for found in table.itertuples():
        values = counts[["7Li", "27Al"].index(found.channel)][codes == CLASSES[found[1]]].astype(float)
        assert found.counts == values.sum()
        assert found.pixels == values.size
        if values.size > 1 and values.sum():
            assert found.dispersion == pytest.approx(values.var(ddof=1) / values.mean())
        if found[1] != "pore":
            assert found.detected == (found.per_pixel >= found.critical_per_pixel)
            assert found.limit_per_pixel >= max(found.net_per_pixel, 0) - 1e-12


def test_phases_and_given_names_work_too():
    counts = maps([[[0, 0, 7]]])
    table = COUNTS(counts, ct.volume([[0, 1, 2]], 0.03))
    assert table["class"].tolist() == ["pore", "carbon binder domain", "active material"]
    table = COUNTS(counts, ct.volume([[5, 5, 6]], 0.03), names={5: "resin", 6: "grain"}, blank="resin")
    assert table["class"].tolist() == ["resin", "grain"]
    assert table.attrs == {"left_out_pixels": 0, "blank": "resin"}


@pytest.mark.parametrize(
    ("counts", "labels", "options", "error", "match"),
    [
        (maps([[[0.5]]]), classes([[0]]), {}, TypeError, "dtype is float64"),
        (maps([[[-1]]]), classes([[0]]), {}, ValueError, "Cannot count by class: a count is -1"),
        (maps([[[1, 2]]]), classes([[0]]), {}, ValueError, "sizes"),
        (np.ones((1, 1, 1), int), classes([[0]]), {}, TypeError, "ndarray"),
        (maps([[[1]]]), classes([[2]]), {}, ValueError, "blank 'pore': the classes are LCO"),
        (maps([[[1]]]), classes([[7]]), {"blank": None}, ValueError, r"codes \[7\]"),
        (maps([[[1]]]), classes([[255]]), {}, ValueError, "left out"),
        (maps([[[1]]]), classes([[0]]), {"margin_um": 0}, ValueError, "margin_um 0"),
        (maps([[[1]]]), classes([[0]]), {"margin_um": "wide"}, TypeError, "margin_um 'wide'"),
        (maps([[[1]]]), classes([[0]]), {"alpha": 1}, ValueError, "alpha 1"),
        (maps([[[1]]]), classes([[0]]), {"level": 0}, ValueError, "level 0"),
        (maps([[[1]]]), classes([[0]]), {"alpha": 0.95}, ValueError, "alpha 0.95"),
        (maps([[[2**62] * 8]]), classes([[0] * 8]), {}, ValueError, "above 2⁵³"),
        (
            maps([[[1, 9]]]),
            ct.volume([[False, True]], 0.03),
            {},
            ValueError,
            "of a mask: what True and False",
        ),
        (maps([[[1, 9]]]), classes([[0, 1]]), {"names": {0: "pore", 1: "pore"}}, ValueError, "'pore' twice"),
    ],
)
def test_it_refuses(counts, labels, options, error, match):
    with pytest.raises(error, match=match):
        COUNTS(counts, labels, **options)


def test_a_mask_that_is_named_is_counted():
    mask = ct.volume([[False, False, True]], 0.03)
    table = COUNTS(maps([[[0, 0, 7]]]), mask, names={0: "rest", 1: "grains"}, blank="rest")
    assert table[["class", "counts"]].values.tolist() == [["rest", 0], ["grains", 7]]
