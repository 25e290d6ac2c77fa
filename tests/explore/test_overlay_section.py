"""A section in a volume: poses, what it cuts, and mutual information, by numbers worked by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corrtomo.explore.overlay.section import (
    POSE,
    Plane,
    Stack,
    block_greys,
    cut_plane,
    information,
    matrix_of,
    pose_of,
)
from corrtomo.register.frames import move

FLAT = dict.fromkeys(POSE, 0.0)
ANGLES = st.floats(-40, 40)
LENGTHS = st.floats(-20, 20)


def plane(centre=(0.0, 0.0), scale=1.0, step=1.0) -> Plane:
    return Plane(np.zeros(2), np.full(2, step), np.array(centre), scale)


def stack(values) -> Stack:
    return Stack(np.asarray(values, np.uint8), np.zeros(3), np.ones(3))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.tuples(LENGTHS, ANGLES, ANGLES, ANGLES, LENGTHS, LENGTHS), st.floats(0.8, 1.2))
def test_a_pose_comes_back_from_its_matrix(numbers, scale: float) -> None:
    pose = dict(zip(POSE, numbers, strict=True))
    here = plane((5.0, -3.0), scale)
    back, found = pose_of(matrix_of(pose, here), here.centre)
    np.testing.assert_allclose([back[name] for name in POSE], numbers, atol=1e-7)
    assert found == pytest.approx(scale)


def test_the_middle_of_the_section_is_what_a_pose_places() -> None:
    pose = dict(zip(POSE, (1.5, 10.0, -20.0, 30.0, 0.25, -0.5), strict=True))
    here = plane((5.0, 7.0), 1.1)
    middle = move(matrix_of(pose, here), np.array([0.0, 5.0, 7.0]))
    np.testing.assert_allclose(middle, [1.5, 5.25, 6.5])


@pytest.mark.parametrize(
    ("changes", "point", "place"),
    [
        ({"turn_deg": 90.0}, (0, 0, 1), (0, -1, 0)),
        ({"tilt_y_deg": 90.0}, (0, 0, 1), (1, 0, 0)),
        ({"tilt_x_deg": 90.0}, (0, 1, 0), (-1, 0, 0)),
        ({"tilt_y_deg": 90.0, "turn_deg": 90.0}, (0, 1, 0), (1, 0, 0)),
        ({"depth_um": 2.0, "shift_y_um": 3.0, "shift_x_um": 4.0}, (0, 1, 1), (2, 4, 5)),
    ],
)
def test_turns_and_tilts_by_hand(changes, point, place) -> None:
    """A positive tilt about y lies deeper at larger x, one about x deeper at smaller y; the turn is first."""
    np.testing.assert_allclose(
        move(matrix_of(FLAT | changes, plane()), np.array(point, float)), place, atol=1e-12
    )


def test_a_flat_section_is_a_slice_and_between_two_their_mean() -> None:
    values = np.random.default_rng(0).integers(0, 256, (3, 4, 5))
    here = Plane(np.zeros(2), np.ones(2), np.array([1.5, 2.0]), 1.0)
    for depth, expected in (
        (1.0, values[1]),
        (0.5, np.floor((values[0] + values[1]) / 2 + 0.5)),
        (2.0, values[2]),
    ):
        found, known = cut_plane(stack(values), here, (4, 5), FLAT | {"depth_um": depth})
        np.testing.assert_array_equal(found, expected)
        assert known.all()


def test_an_oblique_section_through_a_ramp_is_that_ramp() -> None:
    """Linear interpolation of a linear volume is exact, up to the rounding to whole grey values."""
    z, y, x = np.indices((21, 21, 21))
    ramp = Stack((2 * z + 3 * y + 4 * x).astype(np.uint8), np.array([5.0, 0.0, 0.0]), np.full(3, 0.1))
    here = Plane(np.array([0.5, 0.5]), np.full(2, 0.05), np.array([1.0, 1.0]), 1.0)
    pose = dict(zip(POSE, (6.0, 8.0, -5.0, 12.0, 0.03, -0.02), strict=True))
    found, known = cut_plane(ramp, here, (21, 21), pose)
    rows, columns = np.meshgrid(*[0.5 + 0.05 * np.arange(21)] * 2, indexing="ij")
    places = move(matrix_of(pose, here), np.stack([0 * rows, rows, columns], -1)) - np.array([5.0, 0.0, 0.0])
    assert known.all()
    assert np.abs(found - 10 * places @ np.array([2.0, 3.0, 4.0])).max() <= 0.5 + 1e-5


def test_beside_the_volume_nothing_is_known() -> None:
    here = plane((0.0, 0.0))
    found, known = cut_plane(
        stack(np.full((2, 3, 3), 9)), here, (3, 3), FLAT | {"shift_x_um": 1.0, "depth_um": 1.0}
    )
    np.testing.assert_array_equal(known, [[True, True, False]] * 3)
    np.testing.assert_array_equal(found, np.where(known, 9, 0))
    assert not cut_plane(stack(np.zeros((2, 3, 3))), here, (3, 3), FLAT | {"depth_um": 1.01})[1].any()
    assert not cut_plane(stack(np.zeros((2, 3, 3))), here, (3, 3), FLAT | {"depth_um": np.nan})[1].any()


def test_a_stack_of_one_slice() -> None:
    values = np.arange(9).reshape(1, 3, 3)
    found, known = cut_plane(stack(values), plane(), (3, 3), FLAT)
    np.testing.assert_array_equal(found, values[0])
    assert known.all()


def test_blocks_are_means_and_known_if_all_is() -> None:
    values = np.array([[1, 2, 9, 9, 7], [3, 4, 9, 10, 7], [5, 5, 5, 5, 7]], np.uint8)
    known = np.ones(values.shape, bool)
    known[0, 2] = False
    means, whole = block_greys(values, known, 2)
    np.testing.assert_array_equal(means, [[3, 9]])  # 2.5 and 9.25, what is not a block is left out
    np.testing.assert_array_equal(whole, [[True, False]])
    same, _ = block_greys(values, known, 1)
    np.testing.assert_array_equal(same, values)


def test_information_in_closed_form() -> None:
    """Two classes that tell each other: ln 2, less the chance of (2 - 2 - 2 + 1) / 2n; of one class: 0."""
    first = np.repeat(np.array([10, 200], np.uint8), 500)
    all_ = np.ones(1000, bool)
    assert information(first, 255 - first, all_) == pytest.approx(np.log(2) + 1 / 2000, abs=1e-12)
    assert information(first, np.full(1000, 77, np.uint8), all_) == pytest.approx(0.0, abs=1e-12)
    crossed = np.tile(np.array([10, 200], np.uint8), 500)
    assert information(first, crossed, all_) == pytest.approx(-1 / 2000, abs=1e-12)  # 4 - 2 - 2 + 1 cells


def test_unrelated_noise_tells_nothing_on_average() -> None:
    rng = np.random.default_rng(0)
    found = [
        information(*rng.integers(0, 256, (2, 20_000), np.uint8), np.ones(20_000, bool)) for _ in range(20)
    ]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(20) + 2e-4


def test_information_counts_what_both_know() -> None:
    rng = np.random.default_rng(1)
    first = rng.integers(0, 256, 1000).astype(np.uint8)
    other, known = first.copy(), np.arange(1000) < 400
    other[400:] = rng.integers(0, 256, 600)
    alone = information(first[:400], first[:400], known[:400])
    assert information(first, other, known) == pytest.approx(alone)
    assert np.isnan(information(first, other, np.arange(1000) < 99)), "a tenth is needed"
