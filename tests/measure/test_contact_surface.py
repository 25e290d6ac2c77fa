"""Contact by true surface, beside neighbour counting, on shapes whose answer is known."""

import dask.array as da
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import corrtomo as ct

PORE, CBD, AM = 0, 1, 2
ALL = ("z", "y", "x")


def labels(values, size=1.0):
    return ct.volume(np.asarray(values, np.uint8), size)


def capped_ball(axis, angle, radius=20.0, sizes=(1.0, 1.0, 1.0)):
    """Return a ball whose surroundings are binder within an angle of an axis, pore elsewhere."""
    half = radius + 3
    grid = np.meshgrid(*(np.arange(-half, half, s) + s / 2 for s in sizes), indexing="ij")
    far = np.sqrt(sum(c**2 for c in grid))
    near = sum(c * n for c, n in zip(grid, axis, strict=True)) > np.cos(angle) * far
    return labels(np.where(far < radius, AM, np.where(near, CBD, PORE)), sizes)


ANGLE = np.pi / 3
LENS = ANGLE - np.sin(ANGLE) * np.cos(ANGLE)
TURNED = [*np.eye(3), *Rotation.random(8, random_state=0).apply([1.0, 0, 0])]


@pytest.mark.parametrize("axis", TURNED)
def test_a_cap_is_a_quarter_whatever_its_direction(axis):
    ball = capped_ball(axis, ANGLE)
    assert ct.measure.contact_surface(ball) == pytest.approx((1 - np.cos(ANGLE)) / 2, abs=0.005)


@pytest.mark.parametrize("axis", TURNED[3:])
def test_voxels_that_are_no_cubes_do_not_matter(axis):
    ball = capped_ball(axis, ANGLE, sizes=(2.0, 1.0, 1.0))
    assert ct.measure.contact_surface(ball) == pytest.approx(0.25, abs=0.01)


def test_counting_neighbours_depends_on_the_direction_of_a_cap():
    """A face counts by the cosine to each axis: integrated over the cap in closed form."""
    along_z, along_x = capped_ball((1, 0, 0), ANGLE, 60), capped_ball((0, 0, 1), ANGLE, 60)
    left_out = LENS / np.pi
    counted = (np.pi * np.sin(ANGLE) ** 2 + 2 * LENS) / (4 * np.pi)
    all_axes = (np.pi * np.sin(ANGLE) ** 2 + 4 * LENS) / (6 * np.pi)
    assert (round(left_out, 3), round(counted, 3)) == (0.196, 0.285)  # as the Notes say
    assert ct.measure.contact_fraction(along_z) == pytest.approx(left_out, abs=0.003)
    assert ct.measure.contact_fraction(along_x) == pytest.approx(counted, abs=0.003)
    for ball in (along_z, along_x):
        assert ct.measure.contact_fraction(ball, axes=ALL) == pytest.approx(all_axes, abs=0.003)
        assert ct.measure.contact_surface(ball) == pytest.approx(0.25, abs=0.003)


@pytest.mark.parametrize("axis", TURNED)
def test_a_half_coated_ball_is_a_half_for_each_way_of_counting(axis):
    ball = capped_ball(axis, np.pi / 2, 12)
    for found in (
        ct.measure.contact_surface(ball),
        ct.measure.contact_fraction(ball),
        ct.measure.contact_fraction(ball, axes="z"),
    ):
        assert found == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slab_coated_on_one_side(axis):
    values = np.zeros((12, 13, 14), int)
    where = np.moveaxis(values, axis, 0)
    where[4:8], where[8:] = AM, CBD
    slab = labels(values, (2.0, 1.0, 0.5))
    assert ct.measure.contact_surface(slab) == pytest.approx(0.5)
    assert ct.measure.contact_fraction(slab, axes=ALL[axis]) == 0.5
    with pytest.raises(ValueError, match="has no face along"):
        ct.measure.contact_fraction(slab, axes=[name for name in ALL if name != ALL[axis]])


def test_a_cylinder_with_a_coated_mantle():
    height, radius = 40, 16.0
    z, y, x = np.mgrid[:50, :40, :40]
    inside = (y - 19.5) ** 2 + (x - 19.5) ** 2 < radius**2
    between = (z >= 5) & (z < 5 + height)
    cylinder = labels(np.where(between, np.where(inside, AM, CBD), PORE))
    true = height / (height + radius)
    assert ct.measure.contact_surface(cylinder) == pytest.approx(true, abs=0.025)
    assert ct.measure.contact_fraction(cylinder) == 1.0  # the ends are not seen
    assert ct.measure.contact_fraction(cylinder, axes="z") == 0.0
    stairs = 8 * height / (8 * height + 2 * np.pi * radius)
    assert ct.measure.contact_fraction(cylinder, axes=ALL) == pytest.approx(stairs, abs=0.01)


def test_a_disc_with_a_coated_arc():
    y, x = np.mgrid[-40:40, -40:40] + 0.5
    for turn in np.linspace(0, np.pi / 2, 7):
        arc = np.cos(turn) * y + np.sin(turn) * x > np.cos(ANGLE) * np.hypot(y, x)
        disc = labels(np.where(np.hypot(y, x) < 30, AM, arc * CBD), 0.1)
        assert ct.measure.contact_surface(disc) == pytest.approx(ANGLE / np.pi, abs=0.012)


def test_one_phase_around_is_all_or_nothing_and_what_is_ignored_is_gone():
    ball = capped_ball((1, 0, 0), ANGLE, 8)
    assert ct.measure.contact_surface(ball, ignore=PORE) == 1
    both = ct.measure.contact_surface(ball) + ct.measure.contact_surface(ball, touching=PORE)
    assert both == pytest.approx(1)
    hidden = ball.where(ball != PORE, 255).astype(np.uint8)
    assert ct.measure.contact_surface(hidden) == 1


def test_thin_volumes_and_dask_and_swapped_axes():
    ball = capped_ball((0.6, 0.8, 0.0), ANGLE, 8)
    found = ct.measure.contact_surface(ball)
    lazy = ct.volume(da.from_array(ball.values, chunks=7), 1.0)
    assert ct.measure.contact_surface(lazy) == found
    assert ct.measure.contact_surface(labels(ball.values.transpose(2, 0, 1))) == pytest.approx(found)
    sheet = labels(np.repeat(ball.values[11:12], 1, axis=0))
    thick = labels(np.repeat(ball.values[11:12], 5, axis=0))
    assert ct.measure.contact_surface(sheet) == pytest.approx(ct.measure.contact_surface(thick))


@pytest.mark.parametrize(
    ("image", "error", "match"),
    [
        (np.zeros((3, 3)), TypeError, "Cannot use a ndarray"),
        (labels([[0, 7]] * 2), ValueError, "Cannot find phase 7"),
        (labels([[AM, AM]] * 2), ValueError, r"no voxel is carbon binder domain \(1\)"),
        (labels([[AM, 255, CBD]] * 2), ValueError, "has no surface that counts"),
        (labels([[AM, CBD]] * 2, (2000.0, 1.0)), ValueError, "no edge may be more than 1000 times"),
        (labels([[True, False]]) == 1, TypeError, "of a mask of booleans"),
    ],
)
def test_refusals(image, error, match):
    with pytest.raises(error, match=match):
        ct.measure.contact_surface(image)
