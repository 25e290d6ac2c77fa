"""Fractions, surface and particles."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from scipy.spatial.transform import Rotation
from skimage.measure import marching_cubes, mesh_surface_area

import corrtomo as ct

repeatable = settings(deadline=None, derandomize=True, max_examples=40)


def image(values, size=0.5, **kwargs):
    return ct.volume(np.asarray(values), size, **kwargs)


def grid(half, sizes):
    return np.meshgrid(*(np.arange(-half, half, s) + s / 2 for s in sizes), indexing="ij")


def ball(radius_um, sizes):
    half = radius_um + 2 * max(sizes)
    return image(sum(c**2 for c in grid(half, sizes)) < radius_um**2, sizes)


def test_fractions_by_phase():
    labels = image([[0, 0, 1], [2, 2, 2], [255, 255, 3]], (0.5, 0.25))
    table = ct.measure.volume_fractions(labels)
    assert table.index.tolist() == [0, 1, 2, 3]
    assert table.fraction.tolist() == pytest.approx([2 / 7, 1 / 7, 3 / 7, 1 / 7])
    assert table.area_um2.sum() == pytest.approx(7 * 0.125)
    assert table.phase[ct.Phase.AM] == "active material"
    assert table.attrs["left_out_voxels"] == 2


@repeatable
@given(hnp.arrays(np.uint8, hnp.array_shapes(max_dims=3, max_side=6), elements=st.integers(0, 3)))
def test_fractions_add_to_one_lazily_too(values):
    table = ct.measure.volume_fractions(image(values))
    assert table.fraction.sum() == pytest.approx(1)
    lazy = ct.volume(da.from_array(values, chunks=2), 0.5)
    assert ct.measure.volume_fractions(lazy).equals(table)


@pytest.mark.parametrize(
    ("labels", "error", "match"),
    [
        (np.zeros(3, int), TypeError, "Cannot use a ndarray"),
        (image([0, 7]), ValueError, "Cannot find phase 7: not a known phase code"),
        (image([0, -1]), ValueError, "codes from -1 to 0"),
        (image([True, False]), TypeError, "of a mask of booleans"),
        (image([0.0, 1.0]), TypeError, "its dtype is float64"),
        (image([255, 255]), ValueError, "all 2 voxels are left out"),
        (image([[0, 1]])[:0], ValueError, "holds no voxel"),
        (image([[0, 1]], dims=("channel", "x")), ValueError, "has 1 channels"),
    ],
)
def test_fractions_refuse(labels, error, match):
    with pytest.raises(error, match=match):
        ct.measure.volume_fractions(labels)


@pytest.mark.parametrize("radius", [6, 10, 16, 25])
def test_surface_of_a_ball(radius):
    area = ct.measure.surface_area(ball(radius, (1, 1, 1)))
    assert area == pytest.approx(4 * np.pi * radius**2, rel=0.01)


@pytest.mark.parametrize("sizes", [(2, 1, 1), (1, 1, 2), (0.5, 1, 1), (0.7, 1.0, 1.4)])
def test_surface_of_a_ball_of_voxels_that_are_no_cubes(sizes):
    area = ct.measure.surface_area(ball(20, sizes))
    assert area == pytest.approx(4 * np.pi * 20**2, rel=0.02)


def test_surface_scales_with_the_square_of_the_voxel_size():
    one = ball(10, (1, 1, 1))
    assert ct.measure.surface_area(image(one.values, 0.1)) == pytest.approx(
        0.01 * ct.measure.surface_area(one)
    )


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_surface_of_a_slab_along_an_axis_is_within_what_the_notes_say(axis):
    values = np.zeros((40, 40, 40), bool)
    values[(slice(None),) * axis + (slice(10, 30),)] = True
    inner = 2 * 40.0**2
    assert ct.measure.surface_area_faces(image(values, 1.0)) == inner
    assert ct.measure.surface_area(image(values, 1.0)) / inner == pytest.approx(0.93, abs=0.01)


def test_surface_hardly_depends_on_the_direction():
    sizes = (1, 1, 1)
    points = np.stack(grid(24, sizes), axis=-1)
    areas = []
    for turn in Rotation.random(12, random_state=0):
        z, y, x = np.moveaxis(turn.apply(points.reshape(-1, 3)).reshape(points.shape), -1, 0)
        areas.append(ct.measure.surface_area(image((abs(z) < 8) & (abs(y) < 12) & (abs(x) < 10), sizes)))
    true = 2 * (16 * 24 + 24 * 20 + 16 * 20)
    # Edges and corners of so small a block are rounded by its voxels: a little is missing on average.
    assert np.std(areas) < 0.02 * true
    assert np.mean(areas) == pytest.approx(true, rel=0.04)


def test_surface_agrees_with_marching_cubes_on_a_smooth_random_shape():
    rng = np.random.default_rng(0)
    field = ndimage.gaussian_filter(rng.normal(size=(60, 60, 60)), 5, mode="wrap")
    vertices, faces, *_ = marching_cubes(field, 0.0)
    # The mesh ends at the outer voxel centres, half a voxel inside the volume.
    expected = mesh_surface_area(vertices, faces) * (60 / 59) ** 3
    assert ct.measure.surface_area(image(field > 0, 1.0)) == pytest.approx(expected, rel=0.03)
    assert ct.measure.surface_area_faces(image(field > 0, 1.0)) / expected == pytest.approx(1.5, abs=0.1)


def test_surface_is_the_same_for_the_mask_and_the_rest():
    values = np.random.default_rng(1).random((9, 10, 11)) < 0.3
    assert ct.measure.surface_area(image(values)) == ct.measure.surface_area(image(~values))
    assert ct.measure.surface_area(image(values)) == pytest.approx(
        ct.measure.surface_area(image(values.transpose(2, 0, 1)))
    )


def test_outline_of_a_disc_and_a_square():
    y, x = np.mgrid[-40:40, -40:40] + 0.5
    disc = image(y**2 + x**2 < 30**2, 0.1)
    assert ct.measure.surface_area(disc) == pytest.approx(2 * np.pi * 3, rel=0.01)
    assert ct.measure.surface_area_faces(disc) == pytest.approx(8 * 3, rel=0.01)


@pytest.mark.parametrize("thick", [1, 2, 24])
def test_surface_of_a_thin_volume_is_in_proportion(thick):
    y, x = np.mgrid[-40:40, -40:40] + 0.5
    rod = image(np.broadcast_to(y**2 + x**2 < 30**2, (thick, 80, 80)), 1.0)
    assert ct.measure.surface_area(rod) == pytest.approx(2 * np.pi * 30 * thick, rel=0.02)


def test_surface_of_nothing_is_nothing():
    for values in (np.zeros((3, 3, 3), bool), np.ones((3, 3, 3), bool), np.ones((1, 1, 1), bool)):
        assert ct.measure.surface_area(image(values)) == 0
        assert ct.measure.surface_area_faces(image(values)) == 0


def test_surface_of_masks_whose_bytes_are_not_one():
    values = np.array([[0, 255, 255, 0]] * 4, np.uint8).view(bool)
    clean = np.array([[0, 1, 1, 0]] * 4, bool)
    assert ct.measure.surface_area(image(values)) == ct.measure.surface_area(image(clean))


MASK = image(np.eye(3, dtype=bool))


@pytest.mark.parametrize("function", [ct.measure.surface_area, ct.measure.particles])
def test_what_is_no_mask_is_refused(function):
    with pytest.raises(TypeError, match="Cannot use a ndarray"):
        function(MASK.values)
    with pytest.raises(TypeError, match=r"dtype int64, but booleans are needed.*ct\.Phase\.AM"):
        function(MASK.astype(int))
    with pytest.raises(ValueError, match="1D image .* 2D or 3D is needed"):
        function(MASK[0])
    with pytest.raises(ValueError, match="has 1 channels"):
        function(image(np.ones((1, 2, 2), bool), dims=("channel", "y", "x")))


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 5, 1), (7, 1, 1), (1, 3), (5, 1), (1, 1)])
def test_particles_on_a_line(shape):
    gaps = (np.arange(np.prod(shape)) % 2 == 0).reshape(shape)
    assert len(ct.measure.particles(ct.volume(gaps, 1.0))) == gaps.sum()


@repeatable
@given(hnp.arrays(bool, st.tuples(*[st.integers(1, 7)] * 3)))
def test_particles_are_those_of_scipy(values):
    for connectivity, rank in ((6, 1), (18, 2), (26, 3)):
        numbers, count = ndimage.label(values, ndimage.generate_binary_structure(3, rank))
        found = ct.measure.particles(image(values), connectivity=connectivity)
        assert len(found) == count
        assert sorted(found.voxels) == sorted(np.bincount(numbers.ravel())[1:])


def test_particles_have_size_place_and_border():
    values = np.zeros((8, 9, 10), bool)
    values[2:4, 2:5, 2:6] = True
    values[6:, 7:, 0] = True
    found = ct.measure.particles(image(values, (1.0, 0.5, 0.25), origin=(10, 0, 0)))
    assert found.volume_um3.tolist() == pytest.approx([24 * 0.125, 4 * 0.125])
    assert found.loc[1, ["z_um", "y_um", "x_um"]].tolist() == pytest.approx([12.5, 1.5, 0.875])
    assert found.touches_border.tolist() == [False, True]
    assert found.diameter_um[1] == pytest.approx((6 * 3 / np.pi) ** (1 / 3))
    labels = ct.measure.label_particles(image(values))
    assert np.array_equal(np.bincount(labels.values.ravel())[1:], found.voxels)


def test_no_particles_is_an_empty_table():
    found = ct.measure.particles(image(np.zeros((2, 2, 2), bool)))
    assert len(found) == 0
    assert "volume_um3" in found.columns
    assert found.touches_border.dtype == bool


def test_particles_refuse_other_connectivities():
    with pytest.raises(ValueError, match="connectivity 26: in 2D it is one of 8, 4"):
        ct.measure.particles(MASK, connectivity=26)
