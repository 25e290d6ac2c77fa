"""Blocks of contact: their sums, how sure they are, whether contact fell, and what a voxel does to it."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

import corrtomo as ct
from corrtomo.measure.contact.bias import grown, shrunk

repeatable = settings(deadline=None, derandomize=True, max_examples=25)
PORE, CBD, AM, LEFT_OUT = 0, 1, 2, 255
SIZES = {3: (0.5, 0.25, 0.2), 2: (0.5, 0.25)}
volumes = st.integers(2, 3).flatmap(
    lambda dims: hnp.arrays(
        np.uint8,
        st.tuples(*[st.integers(1, 7)] * dims),
        elements=st.sampled_from([PORE, CBD, AM, LEFT_OUT]),
    )
)


def labels(values, size=1.0):
    return ct.volume(np.asarray(values, np.uint8), size)


def table(contact, every, **columns):
    n = len(contact)
    return pd.DataFrame(
        {"x_um": np.arange(n) * 1.0, "contact_um": contact, "outline_um": every, "area_um2": 1.0} | columns
    )


def drawn(rng, blocks, share=0.5, places=1, between=0.0):
    """Draw blocks of unequal surface, the share of each place its own."""
    parts = []
    for place in range(places):
        every = rng.uniform(5, 15, blocks)
        here = share * (1 + rng.normal(0, between))
        parts.append(table(every * np.clip(here + rng.normal(0, 0.1, blocks), 0, 1), every, place=place))
    return pd.concat(parts, ignore_index=True) if places > 1 else parts[0].drop(columns="place")


@repeatable
@given(volumes, st.sampled_from([0.5, 1.0, 1.3, 9.0]), st.integers(1, 4))
def test_blocks_add_up_to_the_volume_in_chunks_too(values, block, chunk):
    dims, sizes = tuple("zyx"[-values.ndim :]), SIZES[values.ndim]
    image = labels(values, sizes)
    try:
        share = ct.measure.contact_fraction(image, axes=dims)
    except ValueError:
        assume(False)
    found = ct.measure.contact_blocks(image, block_um=block, axes=dims)
    contact, every = ("contact_um2", "surface_um2") if values.ndim == 3 else ("contact_um", "outline_um")
    assert found[contact].sum() / found[every].sum() == pytest.approx(share)
    extent = found["volume_um3" if values.ndim == 3 else "area_um2"]
    assert extent.sum() == pytest.approx(values.size * np.prod(sizes))
    lazy = ct.volume(da.from_array(values, chunks=chunk), sizes)
    assert ct.measure.contact_blocks(lazy, block_um=block, axes=dims).equals(found)


def test_each_block_counts_its_own_faces():
    values = np.random.default_rng(0).integers(0, 3, (6, 8, 10))
    found = ct.measure.contact_blocks(labels(values, 0.5), block_um=2.0, axes=("y", "x"))
    assert len(found) == 2 * 2 * 3
    for row in found.itertuples():
        z, y, x = (int(v / 0.5) for v in (row.z_um, row.y_um, row.x_um))
        # One voxel beyond: the face to the next block is in this one.
        contact = every = 0
        part = values[z : z + 4, y : y + 5, x : x + 5]
        for first, second in ((part[:, :-1, :4], part[:, 1:, :4]), (part[:, :4, :-1], part[:, :4, 1:])):
            face = (first == AM) != (second == AM)
            every += face.sum()
            contact += (face & ((first == CBD) | (second == CBD))).sum()
        assert (row.contact_um2, row.surface_um2) == (contact * 0.25, every * 0.25)
    # Cut at the far border: 4 × 4 × 4, 2 × 4 × 4, 4 × 4 × 2 and 2 × 4 × 2 voxels.
    assert sorted(found.volume_um3.unique()) == [2.0, 4.0, 8.0]


def test_blocks_say_where_they_are():
    values = np.zeros((4, 6), int)
    values[:, ::2], values[:, 1::2] = AM, CBD
    image = ct.volume(values.astype(np.uint8), (0.5, 0.25), origin=(10.0, 20.0))
    found = ct.measure.contact_blocks(image, block_um=1.0)
    assert found[["y_um", "x_um"]].values.tolist() == [[10, 20], [10, 21], [11, 20], [11, 21]]
    assert found.area_um2.tolist() == [1.0, 0.5, 1.0, 0.5]


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"block_um": 0.1}, ValueError, "of 0.1 µm: that is less than the longest edge of a voxel, 1 µm"),
        ({"block_um": "1"}, TypeError, "with block_um '1'"),
        ({"block_um": np.nan}, ValueError, "block_um nan"),
        ({"block_um": 1.0, "axes": "z"}, ValueError, "along axes 'z'"),
        ({"block_um": 1.0, "touching": 3}, ValueError, "no voxel is current collector"),
    ],
)
def test_blocks_refuse(options, error, match):
    with pytest.raises(error, match=match):
        ct.measure.contact_blocks(labels([[AM, CBD]] * 2), **options)


def test_the_interval_is_that_of_the_ratio_estimator():
    blocks = drawn(np.random.default_rng(0), 400)
    found = ct.measure.contact_interval(blocks, resamples=20_000)
    contact, every = blocks.contact_um, blocks.outline_um
    share = contact.sum() / every.sum()
    error = np.std(contact - share * every, ddof=1) / np.sqrt(400) / every.mean()
    assert (found.low + found.high) / 2 == pytest.approx(share)
    assert (found.high - found.low) / 2 == pytest.approx(1.966 * error, rel=0.02)
    assert found[2:] == (0.95, 400)


def test_of_few_blocks_of_one_surface_it_is_the_interval_of_a_mean():
    shares = np.array([0.3, 0.5, 0.4, 0.7, 0.45, 0.6, 0.35, 0.55])
    found = ct.measure.contact_interval(table(2 * shares, np.full(8, 2.0)), resamples=20_000)
    half = 2.364624 * shares.std(ddof=1) / np.sqrt(8)  # Student's t of 7
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.02)


def test_an_interval_of_95_percent_holds_the_truth_about_95_times_of_100():
    """Of 400 intervals 380 hold it on average; outside of 366 to 392 a fair one is once in a thousand."""
    for options in ({"blocks": 20}, {"blocks": 15, "places": 3, "between": 0.1}):
        rng = np.random.default_rng(1)
        hits = 0
        for k in range(400):
            low, high, *_ = ct.measure.contact_interval(drawn(rng, **options), seed=k, resamples=200)
            hits += low <= 0.5 <= high
        assert 366 <= hits <= 392


def test_the_interval_covers_on_volumes_of_labels():
    """Grains of coated and bare faces, independent: their true share is known, 0.4."""
    rng = np.random.default_rng(2)
    hits = 0
    for k in range(100):
        values = np.zeros((24, 24, 24), np.uint8)
        values[1::3, 1::3, 1::3] = AM
        for shift in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            coated = (np.roll(values, shift, axis=(1, 2)) == AM) & (rng.random(values.shape) < 0.4)
            values[coated] = CBD
        blocks = ct.measure.contact_blocks(labels(values), block_um=6.0)
        low, high, _, count = ct.measure.contact_interval(blocks, seed=k, resamples=200)
        assert count == 64
        hits += low <= 0.4 <= high
    assert 88 <= hits <= 100  # of 100 fair ones, 88 or more but once in 700


def test_more_level_more_width_and_the_seed_decides():
    blocks = drawn(np.random.default_rng(3), 50)
    narrow, wide = (ct.measure.contact_interval(blocks, level=level) for level in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high
    assert ct.measure.contact_interval(blocks, seed=1) == ct.measure.contact_interval(blocks, seed=1)
    assert ct.measure.contact_interval(blocks, seed=1) != ct.measure.contact_interval(blocks, seed=2)


def test_three_places_that_differ_are_less_sure_than_their_blocks():
    blocks = drawn(np.random.default_rng(4), 100, places=3, between=0.2)
    by_place = ct.measure.contact_interval(blocks)
    nowhere = blocks.drop(columns=["place", *(c for c in ("z_um", "y_um", "x_um") if c in blocks)])
    by_block = ct.measure.contact_interval(nowhere)
    assert (by_place.blocks, by_block.blocks) == (3, 300)
    assert by_place.high - by_place.low > 5 * (by_block.high - by_block.low)


def test_the_drop_of_the_paper_is_found_with_its_interval():
    rng = np.random.default_rng(5)
    before, after = (drawn(rng, 400, share) for share in (0.54, 0.43))
    drop = ct.measure.contact_drop(before, after)
    shares = [t.contact_um.sum() / t.outline_um.sum() for t in (before, after)]
    assert drop.percent == pytest.approx(100 * (1 - shares[1] / shares[0]))
    assert drop.difference == pytest.approx(shares[0] - shares[1])
    assert drop.percent_interval.low < 100 * (1 - 0.43 / 0.54) < drop.percent_interval.high
    assert 0 < drop.difference_interval.low < drop.difference_interval.high < 0.2
    grown = ct.measure.contact_drop(after, before)
    assert grown.percent < 0
    assert grown.difference == pytest.approx(-drop.difference)


@pytest.mark.parametrize("places", [1, 3])
def test_the_interval_of_the_drop_covers(places):
    rng = np.random.default_rng(6)
    hits = np.zeros(2)
    for k in range(400):
        parts = [drawn(rng, 15, share, places, 0.05 * (places > 1)) for share in (0.6, 0.46)]
        drop = ct.measure.contact_drop(*parts, seed=k, resamples=200)
        for i, (truth, found) in enumerate(
            ((100 * (1 - 0.46 / 0.6), drop.percent_interval), (0.14, drop.difference_interval))
        ):
            hits[i] += found.low <= truth <= found.high
    # Welch's degrees of freedom are a little cautious with three places.
    assert (hits >= 366).all()
    assert (hits <= (392 if places == 1 else 399)).all()


@pytest.mark.parametrize(
    ("blocks", "options", "error", "match"),
    [
        ([1, 2], {}, TypeError, "of a list: a table of blocks is needed"),
        (pd.DataFrame({"a": [1]}), {}, TypeError, "contact_um2, surface_um2"),
        (table([1.0] * 7, [2.0] * 7), {}, ValueError, "from 7 blocks with a face: 8 or more"),
        (table([1.0] * 9, [2.0] * 9, place=1), {}, ValueError, "from 1 places with a face: 2 or more"),
        (table([1.0] * 9, [2.0] * 9, place=[None, *"abcdefgh"]), {}, ValueError, "1 blocks have no place"),
        (table([3.0] * 9, [2.0] * 9), {}, ValueError, "9 of 9 blocks have no finite areas, or more"),
        (table([0.0] * 9, [0.0] * 9), {}, ValueError, "0 have a face"),
        (table([0.0] * 9, [np.nan] * 9), {}, ValueError, "9 of 9 blocks have no finite areas"),
        (table([1.0] * 9, [2.0] * 9), {"level": 1.0}, ValueError, "at level 1.0"),
        (table([1.0] * 9, [2.0] * 9), {"seed": -1}, ValueError, "seed=-1: a whole number from 0"),
        (table([1.0] * 9, [2.0] * 9), {"seed": 0.5}, ValueError, "seed=0.5"),
        (table([1.0] * 9, [2.0] * 9), {"resamples": 10}, ValueError, "resamples=10: a whole number from 100"),
        (table([1.0] * 9, [2.0] * 9), {"resamples": 10**11}, ValueError, "from 100 to 1000000 is needed"),
        (pd.concat([table([1.0] * 9, [2.0] * 9)] * 2), {}, ValueError, "two blocks are at one place"),
        (table([1.0] * 9, [2.0] * 9, x_um=np.nan), {}, ValueError, "9 of 9 have no finite x_um"),
        (
            pd.concat([table([1.0] * 9, [2.0] * 9, place=name) for name in "aab"]),
            {},
            ValueError,
            "two blocks are at one place",
        ),
    ],
)
def test_intervals_refuse(blocks, options, error, match):
    with pytest.raises(error, match=match):
        ct.measure.contact_interval(blocks, **options)
    with pytest.raises(error, match=match):
        ct.measure.contact_drop(blocks, blocks, **options)


def test_a_drop_from_nothing_or_between_dimensions_is_refused():
    blocks = table([1.0] * 9, [2.0] * 9)
    with pytest.raises(ValueError, match="the share before is 0, and 2000 of 2000 draws have no contact"):
        ct.measure.contact_drop(blocks.assign(contact_um=0.0), blocks)
    solid = blocks.rename(
        columns={"contact_um": "contact_um2", "outline_um": "surface_um2", "area_um2": "volume_um3"}
    )
    with pytest.raises(ValueError, match="one table is of a volume, the other of a section"):
        ct.measure.contact_drop(solid, blocks)


BAND = labels([[PORE] * 5 + [AM] * 5 + [CBD] * 5] * 4)


def test_moved_borders_of_a_slab():
    found = ct.measure.contact_bias(BAND, by_um=1.0, axes="x").set_index(["phase", "moved_um", "becomes"])
    assert found.fraction.tolist() == [0.5, 0.5, 0.5, 0.5, 0.5, 1.0, 0.0]
    assert found.loc[("active material", -1.0, "carbon binder domain")].change_percent.item() == 100
    assert found.loc[("carbon binder domain", -1.0, "pore")].change.item() == -0.5
    assert not found.isna().any(axis=None)


def test_moved_borders_cross_gaps_and_eat_rims():
    row = labels([[CBD] * 4 + [PORE] + [AM] * 6 + [CBD] + [PORE] * 3] * 3)
    found = ct.measure.contact_bias(row, by_um=1.0, axes="x")
    # Active material touches a rim of binder on one side; grown, it eats the rim and meets the other.
    assert found.fraction[:3].tolist() == [0.5, 0.5, 0.5]
    assert found.phase[3] == "carbon binder domain"
    assert found.fraction[3] == 1.0  # binder grown closes the gap
    assert found.fraction[4] == 0.0  # shrunk, the rim is gone


def test_where_a_move_leaves_no_face_it_is_unknown():
    tiny = labels([[AM, CBD, CBD]] * 3)
    found = ct.measure.contact_bias(tiny, by_um=1.0, axes="x")
    assert found.fraction.isna().tolist() == [False, False, True, True, False, True, False]


def test_what_is_left_out_keeps_its_voxels_and_moves_no_border():
    values = [[LEFT_OUT, AM, AM, AM, CBD, CBD, PORE, AM]] * 3
    image = labels(values)
    assert shrunk(image, AM, 1.0).values[0].tolist() == [255, 2, 2, 1, 1, 1, 0, 0]
    assert shrunk(image, AM, 1.0, to=PORE).values[0].tolist() == [255, 2, 2, 0, 1, 1, 0, 0]
    assert grown(image, AM, 1.0).values[0].tolist() == [255, 2, 2, 2, 2, 1, 2, 2]
    assert grown(image, AM, 2.0).values[0].tolist() == [255, 2, 2, 2, 2, 2, 2, 2]


def test_bias_grows_with_the_voxel_on_a_rough_structure():
    field = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(48,) * 3), 4, mode="wrap")
    image = labels(np.digitize(field, np.quantile(field, [0.3, 0.5])) % 3, 0.1)
    image = image.where((ndimage.gaussian_filter(field, 2) < 0.02) | (image != CBD), PORE).astype(np.uint8)
    one, two = (ct.measure.contact_bias(image, by_um=by) for by in (0.1, 0.2))
    assert one.fraction[0] == two.fraction[0] == ct.measure.contact_fraction(image)
    lazy = ct.volume(da.from_array(image.values, chunks=20), 0.1)
    assert ct.measure.contact_bias(lazy, by_um=0.1).equals(one)
    assert one.fraction[5] > one.fraction[0] > one.fraction[6]


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"by_um": 0.5}, ValueError, r"by 0.5 µm: that is less than a voxel of \(1.0, 1.0\) µm"),
        ({"by_um": None}, TypeError, "with by_um None"),
        ({"by_um": 1.0, "of": 3}, ValueError, "no voxel is current collector"),
        ({"by_um": 1.0, "axes": "z"}, ValueError, "along axes 'z'"),
    ],
)
def test_bias_refuses(options, error, match):
    with pytest.raises(error, match=match):
        ct.measure.contact_bias(BAND, **options)
