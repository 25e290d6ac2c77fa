"""Particles parted, sorted by volume, and corrected for the border."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

import corrtomo as ct

repeatable = settings(deadline=None, derandomize=True, max_examples=40)


def image(values, size=1.0):
    return ct.volume(np.asarray(values), size)


def balls(shape, centres, radii, periodic=False):
    """Return which of some balls each voxel lies in, 0 for none."""
    out = np.zeros(shape, int)
    for number, (centre, radius) in enumerate(zip(centres, radii, strict=True), 1):
        far = [np.arange(n) - c for n, c in zip(shape, centre, strict=True)]
        if periodic:
            far = [(f + n / 2) % n - n / 2 for f, n in zip(far, shape, strict=True)]
        grid = np.meshgrid(*far, indexing="ij", sparse=True)
        out[sum(g**2 for g in grid) < radius**2] = number
    return out


def two_balls(apart, radius=10.0):
    middle = [14, 14, 14]
    centres = [middle, [14, 14, 14 + apart]]
    return balls((29, 29, int(29 + apart)), centres, [radius] * 2) > 0


def count(mask, depth, size=1.0):
    return int(ct.measure.separate_particles(image(mask, size), depth_um=depth).max())


@pytest.mark.parametrize("apart", [12, 16, 18])
def test_two_balls_part_where_the_distance_dips_by_what_geometry_says(apart):
    neck = np.sqrt(100 - (apart / 2) ** 2)  # half of the width of the neck
    dip = 10 - neck
    mask = two_balls(apart)
    assert count(mask, dip - 1.2) == 2
    assert count(mask, dip + 1.2) == 1
    assert count(mask, (dip - 1.2) * 0.1, 0.1) == 2
    assert ct.measure.label_particles(image(mask)).max() == 1


def test_parted_particles_have_the_volume_of_half():
    table = ct.measure.particles(image(two_balls(16)), depth_um=1.0)
    assert len(table) == 2
    cap = np.pi * 2**2 / 3 * (3 * 10 - 2)
    assert table.volume_um3.tolist() == pytest.approx([4 / 3 * np.pi * 1000 - cap] * 2, rel=0.03)
    assert abs(table.x_um[1] - table.x_um[2]) == pytest.approx(16, abs=1)


def test_voxels_that_are_no_cubes():
    sizes = (2.0, 1.0, 0.5)
    z, y, x = np.meshgrid(
        *(np.arange(-n, n, s) for n, s in zip((14, 14, 22), sizes, strict=True)), indexing="ij"
    )
    mask = (z**2 + y**2 + (x - 8) ** 2 < 100) | (z**2 + y**2 + (x + 8) ** 2 < 100)
    assert count(mask, 2.0, sizes) == 2
    assert count(mask, 6.0, sizes) == 1


masks = st.integers(2, 3).flatmap(lambda n: hnp.arrays(bool, st.tuples(*[st.integers(1, 7)] * n)))


@repeatable
@given(masks, st.sampled_from([0.3, 0.5, 1.0, 2.0]))
def test_the_count_does_not_depend_on_the_order_of_axes(values, depth):
    found = count(values, depth)
    for order in permutations(range(values.ndim)):
        assert count(np.ascontiguousarray(values.transpose(order)), depth) == found
    assert count(values[::-1], depth) == found


@repeatable
@given(masks, st.sampled_from([0.3, 1.0, 50.0]))
def test_parting_only_ever_parts(values, depth):
    parted = ct.measure.separate_particles(image(values), depth_um=depth)
    assert parted.dtype == np.uint32
    assert np.array_equal(parted.values > 0, values)
    assert np.array_equal(np.unique(parted.values[values]), np.arange(1, parted.max() + 1))
    whole = ndimage.label(values, np.ones((3,) * values.ndim))
    assert int(parted.max()) >= whole[1]
    for number in range(1, int(parted.max()) + 1):  # none spans two that do not touch
        assert len(np.unique(whole[0][parted.values == number])) == 1
    if depth == 50:
        assert int(parted.max()) == whole[1]
    table = ct.measure.particles(image(values), depth_um=depth)
    assert table.voxels.tolist() == np.bincount(parted.values.ravel(), minlength=1)[1:].tolist()


def test_a_mask_that_fills_everything_is_one_particle():
    assert count(np.ones((4, 5, 6), bool), 0.5) == 1
    assert count(np.zeros((4, 5, 6), bool), 0.5) == 0


def test_the_effect_of_parting_in_one_table():
    mask = image(two_balls(16), 0.1)
    found = ct.measure.particle_separation(mask, [0.1, 0.2, 2.0])
    assert found.depth_um.tolist() == [0.1, 0.2, 2.0, np.inf]
    assert found.particles.tolist() == [2, 2, 1, 1]
    whole = ct.measure.particles(mask).volume_um3[1]
    np.testing.assert_allclose(found.median_um3, [whole / 2, whole / 2, whole, whole], rtol=0.01)
    np.testing.assert_allclose(found.largest_share, [0.5, 0.5, 1, 1], rtol=0.02)
    assert "median_um2" in ct.measure.particle_separation(mask[14], [0.2])


def test_bins_hold_their_lower_edge():
    table = pd.DataFrame(
        {"volume_um3": [0.5, 1.0, 1.0 - 1e-12, 9.9, 10.0, 1e5], "touches_border": False, "inclusion": 0.5}
    )
    found = ct.measure.particle_bins(table, (1, 10, 100))
    assert found["count"].tolist() == [1, 3, 1, 1]
    assert found.corrected.tolist() == [2, 6, 2, 2]
    assert found[["from_um3", "to_um3"]].values.tolist() == [[0, 1], [1, 10], [10, 100], [100, np.inf]]
    assert found["share"].sum() == found.corrected_share.sum() == pytest.approx(1)
    assert found.cut.tolist() == [0, 0, 0, 0]


def test_inclusion_is_the_share_of_places_at_which_a_box_is_whole():
    values = np.zeros((6, 7, 9), bool)
    values[2:4, 3:4, 2:5] = True
    table = ct.measure.particles(image(values))
    whole = 0
    for z in range(6):
        for y in range(7):
            for x in range(9):
                whole += 0 < z < 6 - 2 and 0 < y < 7 - 1 and 0 < x < 9 - 3
    assert table.inclusion[1] == pytest.approx(whole / (6 * 7 * 9))


@pytest.mark.parametrize(
    ("whole_at", "starts", "expected"),
    [
        ((), range(10), 10),  # the electrode goes on at both sides
        (("y first",), range(10), 10),  # it ends at the first side, and goes on beyond the last
        (("y last",), range(-3, 7), 10),
        (("y first", "y last"), range(7), 7),  # all of it is seen
    ],
)
def test_a_side_where_the_electrode_ends_cuts_no_particle(whole_at, starts, expected):
    """A rod of 4 voxels once at each place of its electrode: the sum is the number of places."""
    corrected, cut, plain = 0.0, 0, 0.0
    for start in starts:
        values = np.zeros((5, 10, 5), bool)
        values[2, max(start, 0) : start + 4, 2] = True
        table = ct.measure.particles(image(values), whole_at=whole_at)
        across = ((5 - 1 - 1) / 5) ** 2
        corrected += ct.measure.particle_bins(table, (1,)).corrected.sum() * across
        cut += int(table.touches_border[1])
        plain += ct.measure.particle_bins(ct.measure.particles(image(values)), (1,)).corrected.sum() * across
    assert corrected == pytest.approx(expected)
    assert cut == {0: 5, 1: 4, 2: 0}[len(whole_at)]
    if len(whole_at) == 2:  # to correct for sides that cut nothing counts too many
        assert plain == pytest.approx(10)


def test_corrected_counts_are_exact_over_all_places_of_a_window():
    """In a periodic box each particle has each place: the mean over all windows is what is there."""
    box = np.zeros((8, 7, 8), bool)
    box[1:4, 1:3, 1:3] = True  # 12 voxels
    box[6, 1, 1:5] = box[3, 4, 3:7] = True  # rods of 4
    box[0, 4, 1] = box[6, 4, 2] = True
    window, edges = (6, 5, 7), (2.0, 10.0)
    naive, corrected = np.zeros(3), np.zeros(3)
    places = list(np.ndindex(box.shape))
    for place in places:
        part = np.roll(box, [-n for n in place], axis=(0, 1, 2))[tuple(map(slice, window))]
        found = ct.measure.particle_bins(ct.measure.particles(image(part)), edges)
        naive += found["count"]
        corrected += found.corrected
    expected = np.array([2, 2, 1]) * np.prod(window) / box.size
    np.testing.assert_allclose(corrected / len(places), expected)
    # What is cut counts, and counts as smaller than it is.
    assert naive[0] / len(places) > 1.2 * expected[0]


def test_corrected_counts_are_unbiased_on_balls_at_random_places():
    """Random sequential addition in a periodic box, seen through windows: the number density is known."""
    rng = np.random.default_rng(0)
    edge, radii = 64, np.array([6.0] * 12 + [4.0] * 16 + [2.0] * 30)
    centres = []
    for radius in radii:  # the largest first
        while True:
            at = rng.uniform(0, edge, 3)
            gap = np.abs((np.array(centres).reshape(-1, 3) - at + edge / 2) % edge - edge / 2)
            if (np.linalg.norm(gap, axis=1) > radii[: len(centres)] + radius + 2.5).all():
                break
        centres.append(at)
    filled = balls((edge,) * 3, centres, radii, periodic=True) > 0
    window = np.array([30, 34, 38])
    naive, corrected = [], []
    for start in rng.integers(0, edge, (150, 3)):
        part = np.roll(filled, -start, axis=(0, 1, 2))[tuple(map(slice, window))]
        found = ct.measure.particle_bins(ct.measure.particles(image(part)), (100.0, 500.0))
        naive.append(found["count"])
        corrected.append(found.corrected)
    expected = np.array([30, 16, 12]) * np.prod(window) / edge**3
    error = np.std(corrected, axis=0) / np.sqrt(len(corrected))
    assert (error < 0.12 * expected).all()
    assert (np.abs(np.mean(corrected, axis=0) - expected) < 3.5 * error).all()
    # Pieces of large balls swell the bin of the small ones.
    assert np.mean(naive, axis=0)[0] > 1.4 * expected[0]


BALL = image(two_balls(16))
TABLE = ct.measure.particles(BALL)


def bins_with(**columns):
    return ct.measure.particle_bins(TABLE.assign(**columns), (1, 10))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: ct.measure.separate_particles(BALL.values, depth_um=1.0), TypeError, "Cannot use a ndarray"),
        (
            lambda: ct.measure.separate_particles(BALL.astype(int), depth_um=1.0),
            TypeError,
            "booleans are needed",
        ),
        (lambda: ct.measure.separate_particles(BALL, depth_um=0.0), ValueError, "with depth_um 0.0 µm"),
        (lambda: ct.measure.separate_particles(BALL, depth_um=None), TypeError, "with depth_um None"),
        (lambda: ct.measure.separate_particles(BALL[0, 0], depth_um=1.0), ValueError, "2D or 3D is needed"),
        (lambda: ct.measure.particles(BALL, depth_um=-1.0), ValueError, "with depth_um -1.0"),
        (
            lambda: ct.measure.particles(BALL, depth_um=1.0, connectivity=6),
            ValueError,
            "with connectivity=6 and depth_um=1.0.*Leave connectivity out",
        ),
        (lambda: ct.measure.particles(BALL, whole_at="y first"), TypeError, "a sequence of sides is needed"),
        (
            lambda: ct.measure.particles(BALL, whole_at=("y",)),
            ValueError,
            "'y' is no side.*z first, z last",
        ),
        (lambda: ct.measure.particles(BALL[14], whole_at=["z last"]), ValueError, "'z last' is no side"),
        (lambda: ct.measure.particle_separation(BALL, 1.0), TypeError, "depths_um 1.0: a sequence"),
        (lambda: ct.measure.particle_separation(BALL, [0.0]), ValueError, "with depth 0.0"),
        (lambda: ct.measure.particle_separation(BALL & False, [1.0]), ValueError, "none of the 37845 voxels"),
        (lambda: ct.measure.particle_bins([1], (1,)), TypeError, "and a list was given"),
        (lambda: ct.measure.particle_bins(TABLE.drop(columns="inclusion"), (1,)), TypeError, "with columns"),
        (
            lambda: ct.measure.particle_bins(ct.measure.particles(BALL[14]), (1,)),
            TypeError,
            "a table of particles in 3D is needed",
        ),
        (lambda: ct.measure.particle_bins(TABLE, 1.0), TypeError, "edges_um3 1.0: a sequence"),
        (lambda: ct.measure.particle_bins(TABLE, ["a"]), TypeError, "numbers in µm³"),
        (lambda: ct.measure.particle_bins(TABLE, (10, 1)), ValueError, "above zero and ascending"),
        (lambda: ct.measure.particle_bins(TABLE, (0, 1)), ValueError, "above zero"),
        (lambda: ct.measure.particle_bins(TABLE, (1, np.inf)), ValueError, "must be finite"),
        (lambda: ct.measure.particle_bins(TABLE, (1, (2, 3))), TypeError, "edges_um3 .*: a sequence"),
        (lambda: ct.measure.particle_separation(BALL, [1, [2]]), TypeError, "depths_um .*: a sequence"),
        (lambda: bins_with(volume_um3=np.nan), ValueError, "volume_um3 .*nan.* a finite volume above zero"),
        (lambda: bins_with(volume_um3=-5.0), ValueError, "volume_um3 .*-5.0"),
        (lambda: bins_with(volume_um3="5"), TypeError, "two columns volume_um3, or"),
        (lambda: bins_with(touches_border="False"), TypeError, "two columns touches_border, or"),
        (lambda: bins_with(touches_border=np.nan), ValueError, "touches_border .* True or False is needed"),
        (lambda: bins_with(touches_border=False, inclusion=0.0), ValueError, "inclusion .* above 0"),
        (lambda: bins_with(touches_border=False, inclusion=np.nan), ValueError, "inclusion .* above 0"),
        (lambda: bins_with(touches_border=False, inclusion=-1.0), ValueError, "inclusion .* above 0"),
    ],
)
def test_refusals(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_no_particles_have_no_shares():
    empty = ct.measure.particles(image(np.zeros((3, 3, 3), bool)))
    found = ct.measure.particle_bins(empty, (1, 10))
    assert found["count"].tolist() == [0, 0, 0]
    assert found["share"].isna().all()
    assert found.corrected_share.isna().all()
