"""Defects of drawn particles: which are found, how large, how deep, in which order."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

import corrtomo as ct

repeatable = settings(deadline=None, derandomize=True, max_examples=15)
VOXEL = 0.1
SHAPE = (64, 72, 72)
Z, Y, X = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]


def ball(centre, radius, shape=SHAPE):
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    return (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 < radius**2


def particle():
    labels = np.zeros(SHAPE, np.uint8)
    labels[ball((34, 36, 36), 26)] = 2
    return labels


def find(labels, *, widest_um=0.5, smallest_um=None, voxel=VOXEL, **options):
    image = ct.volume(labels, voxel)
    particles = ct.measure.whole_particles(image, widest_um=widest_um)
    numbers = ct.measure.defect_labels(image, particles, smallest_um=smallest_um)
    return ct.measure.defects(numbers, particles, **options), numbers, particles


def test_a_spherical_pore():
    labels = particle()
    labels[ball((30, 40, 33), 5.3)] = 0
    table, numbers, particles = find(labels)
    (row,) = table.itertuples()
    assert (row.kind, row.open, row.touches_border, row.particle, row.rank) == ("pore", False, False, 1, 1)
    assert row.volume_um3 == pytest.approx(ball((30, 40, 33), 5.3).sum() * VOXEL**3)
    assert row.equivalent_diameter_um == pytest.approx(1.06, rel=0.03)
    assert row.thickness_um == pytest.approx(1.06, abs=VOXEL)
    assert row.extent_um == pytest.approx(1.06, abs=VOXEL)
    assert row.flatness == pytest.approx(1.5, rel=0.05)
    assert (row.z_um, row.y_um, row.x_um) == pytest.approx((3.0, 4.0, 3.3), abs=1e-6)
    # Straight above, the ball's surface is at 34 - sqrt(26² - 4² - 3²).
    assert row.depth_um == pytest.approx(3.0 - VOXEL * (34 - np.sqrt(26**2 - 25)), abs=VOXEL)
    side = VOXEL * (np.sqrt(26**2 - 4**2) - 5)
    assert row.side_um == pytest.approx(side, abs=1.5 * VOXEL)
    assert particles.values[labels == 2].all()
    assert int(particles.max()) == int(numbers.max()) == 1


def test_the_pit_and_the_score():
    labels = particle()
    labels[ball((30, 40, 33), 5.3)] = 0
    (row,) = find(labels)[0].itertuples()
    t = np.linspace(0, row.depth_um, 20_001)
    pit = np.trapezoid((row.extent_um + 2 * t) ** 2, t)
    assert row.milled_um3 == pytest.approx(pit, rel=1e-6)
    assert row.score == pytest.approx(row.volume_um3 / pit)


@pytest.mark.parametrize("normal", [(1, 0, 0), (0, 0, 1), (1, 2, 2), (3, -1, 1)])
def test_a_closed_crack_in_any_direction(normal):
    normal = np.array(normal) / np.linalg.norm(normal)
    height = (Z - 34) * normal[0] + (Y - 36) * normal[1] + (X - 36) * normal[2]
    labels = particle()
    labels[(np.abs(height) < 1.5) & ball((34, 36, 36), 14)] = 1
    (row,) = find(labels)[0].itertuples()
    assert (row.kind, row.open) == ("crack", False)
    assert row.extent_um == pytest.approx(2.8, abs=2 * VOXEL)
    assert row.breadth_um == pytest.approx(2.8, abs=2 * VOXEL)
    assert row.thickness_um == pytest.approx(0.3, abs=1.01 * VOXEL)
    assert row.flatness > 7


def test_a_crack_that_bends_round_a_grain_is_thin():
    shell = ball((34, 36, 36), 12) & ~ball((34, 36, 36), 9.5) & (Z < 34)
    labels = particle()
    labels[shell] = 0
    (row,) = find(labels)[0].itertuples()
    assert row.kind == "crack"
    assert row.thickness_um < 0.5
    assert row.breadth_um == pytest.approx(2.3, abs=2 * VOXEL)


def test_a_needle_is_a_pore():
    labels = particle()
    labels[33:37, 34:38, 22:50] = 0
    (row,) = find(labels)[0].itertuples()
    assert (row.kind, row.extent_um, row.breadth_um) == (
        "pore",
        pytest.approx(2.8),
        pytest.approx(0.5, abs=0.1),
    )


def test_what_opens_to_the_outside():
    labels = particle()
    labels[34:36, 20:50, 36:] = 0  # a crack from the middle to the surface
    (row,) = find(labels)[0].itertuples()
    assert (row.kind, row.open) == ("crack", True)
    labels = particle()
    labels[ball((34, 36, 44), 7)] = 0
    labels[33:36, 35:38, 44:] = 0  # by a neck
    (row,) = find(labels)[0].itertuples()
    assert (row.kind, row.open) == ("pore", True)
    assert row.volume_um3 > ball((0, 36, 36), 1).sum() * VOXEL**3
    # Through a neck too wide to be one, it is the outside.
    assert len(find(labels, widest_um=0.2)[0]) == 0


@pytest.mark.parametrize("seed", range(3))
def test_dents_and_a_rough_surface_are_no_defects(seed):
    rough = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), 2)
    far = np.sqrt((Z - 34) ** 2 + (Y - 36) ** 2 + (X - 36) ** 2)
    labels = np.where(far + rough / rough.std() < 26, 2, 0).astype(np.uint8)
    labels[ball((8, 36, 36), 4)] = 0
    assert len(find(labels)[0]) == 0
    labels[34:37, 15:45, 38:] = 0  # a crack that opens there does not take the film along
    (row,) = find(labels)[0].itertuples()
    assert (row.kind, row.open) == ("crack", True)
    assert row.volume_um3 == pytest.approx(VOXEL**3 * 3 * 30 * 20, rel=0.15)


@pytest.mark.parametrize("gap", [-2, 0, 2, 4])
@pytest.mark.parametrize("radius", [14, 20])
def test_the_gap_between_two_particles_is_none(gap, radius):
    shape = (44, 44, 96)
    labels = np.where(ball((22, 22, 22), 20, shape) | ball((22, 22, 42 + gap + radius), radius, shape), 2, 0)
    table, _, particles = find(labels.astype(np.uint8))
    assert len(table) == 0
    assert int(particles.max()) == 2
    between = particles.values[22, :, 42 : 42 + max(gap, 0)]
    assert not between[labels[22, :, 42 : 42 + max(gap, 0)] == 0].any()


@pytest.mark.parametrize(("deep", "count"), [(5, 0), (6, 0), (14, 1)])
def test_a_groove_must_be_twice_as_deep_as_wide(deep, count):
    labels = np.zeros((40, 60, 60), np.uint8)
    labels[10:, 5:55, 5:55] = 2
    labels[10 : 10 + deep, 28:32, 10:50] = 0
    assert len(find(labels)[0]) == count


def test_the_space_between_packed_particles_is_none():
    shape = (70, 70, 70)
    labels = np.zeros(shape, np.uint8)
    for z in (13, 35, 57):
        for y in (13, 35, 57):
            for x in (13, 35, 57):
                labels[ball((z, y, x), 12, shape)] = 2  # they touch at necks
    labels[ball((35, 35, 35), 4, shape)] = 0
    table, _, particles = find(labels, widest_um=0.3)
    assert int(particles.max()) == 27
    assert table.kind.tolist() == ["pore"]
    assert (table.z_um.item(), table.y_um.item()) == pytest.approx((3.5, 3.5))


def test_what_is_shallow_ranks_before_what_is_deep_and_large_before_small():
    labels = particle()
    for centre, radius in (((18, 36, 36), 4), ((48, 36, 36), 4), ((34, 28, 44), 3), ((34, 44, 28), 5)):
        labels[ball(centre, radius)] = 0
    table = find(labels)[0]
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert table.score.is_monotonic_decreasing
    depth = dict(zip(table.z_um.round(1), table["rank"], strict=True))
    assert depth[1.8] == 1 < depth[4.8]
    large, small = table[table.y_um > 4.2]["rank"].item(), table[table.y_um < 3.0]["rank"].item()
    assert large < small
    upside_down = find(labels, top="last")[0]
    assert upside_down.z_um.iloc[0] == pytest.approx(4.8)
    # Above and below it: all of the particle along the line through both.
    both = table.depth_um.sort_index() + upside_down.depth_um.sort_index()
    assert both.max() == pytest.approx(5.2, abs=2 * VOXEL)


def test_numbers_stay_when_rows_are_sorted():
    labels = particle()
    labels[ball((48, 36, 36), 4)] = labels[ball((18, 36, 36), 5)] = 0
    table, numbers, _ = find(labels)
    for number, row in table.iterrows():
        at = np.argwhere(numbers.values == number).mean(axis=0) * VOXEL
        assert (row.z_um, row.y_um, row.x_um) == pytest.approx(tuple(at))
    some = table.index[0]
    kept = numbers.where(numbers == some, 0)
    again = ct.measure.defects(kept, find(labels)[2])
    assert again.index.tolist() == [some]
    assert again.volume_um3[some] == table.volume_um3[some]


def test_positions_are_those_of_the_image_and_voxels_need_not_be_cubes():
    labels = particle()[::2]
    labels[ball((30, 40, 33), 5.3)[::2]] = 0
    image = ct.volume(labels, (0.2, 0.1, 0.1), origin=(7.0, -2.0, 1.0))
    particles = ct.measure.whole_particles(image, widest_um=0.5)
    (row,) = ct.measure.defects(ct.measure.defect_labels(image, particles), particles).itertuples()
    assert (row.z_um, row.y_um, row.x_um) == pytest.approx((10.0, 2.0, 4.3), abs=0.03)
    assert row.extent_um == pytest.approx(1.06, abs=0.2)
    assert row.depth_um == pytest.approx(3.0 - VOXEL * (34 - np.sqrt(26**2 - 25)), abs=0.2)


def test_what_the_image_cuts_is_marked():
    labels = np.full((30, 40, 40), 2, np.uint8)
    labels[26:, 16:24, 16:24] = 0
    (row,) = find(labels)[0].itertuples()
    assert row.touches_border
    assert row.volume_um3 == pytest.approx(4 * 64 * VOXEL**3)
    # In a corner it may as well be the outside.
    labels[:4, :4, :4] = 0
    assert len(find(labels)[0]) == 1


def test_a_mask_is_as_good_as_labels_and_dask_as_numpy():
    labels = particle()
    labels[ball((30, 40, 33), 5.3)] = 1
    first = find(labels)[0]
    assert find(labels == 2)[0].equals(first)
    image = ct.volume(da.from_array(labels, chunks=24), VOXEL)
    particles = ct.measure.whole_particles(image, widest_um=0.5)
    assert ct.measure.defects(ct.measure.defect_labels(image, particles), particles).equals(first)


def test_only_pore_and_binder_are_defects():
    labels = particle()
    labels[ball((30, 40, 33), 5.3)] = 255
    assert len(find(labels)[0]) == 0
    labels[ball((30, 40, 33), 5.3)] = 3
    assert len(find(labels)[0]) == 0


def test_the_smallest_is_as_stated():
    labels = particle()
    labels[30:32, 30:32, 30:32] = 0  # 8 voxels: a ball of 2.48 across
    assert len(find(labels)[0]) == 0  # three voxels by default
    assert len(find(labels, smallest_um=0.24)[0]) == 1
    assert len(find(labels, smallest_um=0.25)[0]) == 0


def test_sections_have_whole_particles_too():
    labels = particle()[34]
    labels[30:36, 30:36] = 0
    image = ct.volume(labels, VOXEL)
    particles = ct.measure.whole_particles(image, widest_um=0.5)
    numbers = ct.measure.defect_labels(image, particles)
    assert int((numbers > 0).sum()) == 36
    with pytest.raises(ValueError, match="3D is needed"):
        ct.measure.defects(numbers, particles)


@repeatable
@given(
    hnp.arrays(
        np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=7), elements=st.sampled_from([0, 2])
    ),
    st.sampled_from([1.0, 2.0]),
)
def test_any_labels_give_defects_within_their_particles(labels, widest):
    image = ct.volume(labels, 1.0)
    if not (labels == 2).any() or widest > max(1.0, max(labels.shape) / 2):
        return
    particles = ct.measure.whole_particles(image, widest_um=widest)
    numbers = ct.measure.defect_labels(image, particles, smallest_um=1.0)
    assert (particles.values[labels == 2] > 0).all()
    assert (labels[numbers.values > 0] == 0).all()
    assert set(range(1, int(particles.max()) + 1)) == set(particles.values.ravel()) - {0}
    table = ct.measure.defects(numbers, particles)
    assert sorted(table.index) == list(range(1, int(numbers.max()) + 1))
    assert table.volume_um3.sum() == pytest.approx(float((numbers > 0).sum()))
    assert np.isfinite(table.drop(columns=["kind", "side_um"]).astype(float)).all().all()
    assert (table.thickness_um <= table.extent_um + 1e-6).all()
