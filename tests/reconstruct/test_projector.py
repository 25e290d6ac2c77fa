"""Line integrals: bodies in closed form, cones, tiles, drift, the back-projector transposed, refusals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import radon

import corrtomo as ct
from corrtomo.reconstruct import project as project_function
from corrtomo.reconstruct.geometry import Grid, geometry_of
from corrtomo.reconstruct.project import line_integrals
from corrtomo.reconstruct.ray_kernels import add_rows, cast, correct, tile_edge

from .known_shapes import PIXEL, ball, distance, places, scan

ANGLES = np.arange(60) * 6.0
Z, X = places(24), places(90)


def project(volume, angles_deg=ANGLES, **options):
    return ct.reconstruct.project(volume, angles_deg, progress=False, **options)


def empty(shape=(24, 90, 90)):
    origin = [places(n)[0] for n in shape]
    return ct.volume(np.zeros(shape, np.float32), PIXEL, origin=origin)


def soft_ball(centre=(0.1, 0.3, 0.8), radius=0.5, shape=(24, 90, 90)):
    """A ball whose border voxels hold their share of it."""
    volume = empty(shape)
    away = distance(volume, centre[1], centre[2], centre[0])
    return volume + np.clip((radius - away) / PIXEL + 0.5, 0, 1).astype(np.float32)


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


def test_a_block_is_as_long_as_it_is():
    block = ct.volume(np.full((2, 4, 6), 0.5), 0.5, origin=(3, -0.75, -1.25))
    seen = project(block, [0, 90, 180, 270])
    assert seen.dims == ("angle", "z", "x")
    assert seen.z.values.tolist() == [3.0, 3.5]
    np.testing.assert_allclose(seen.x, block.x)
    for k in (0, 2):
        np.testing.assert_allclose(seen[k], 1.0, atol=1e-6)
    for k in (1, 3):
        np.testing.assert_allclose(seen[k], [[0, 1.5, 1.5, 1.5, 1.5, 0]] * 2, atol=1e-6)


def middle(seen, dim):
    return (seen * seen[dim]).sum(["z", "x"]) / seen.sum(["z", "x"])


def test_a_grain_goes_round_as_the_geometry_says():
    z0, y0, x0 = 0.1, 0.4, 1.6
    seen = project(soft_ball((z0, y0, x0), 0.2))
    turn = np.deg2rad(ANGLES)
    np.testing.assert_allclose(middle(seen, "x"), x0 * np.cos(turn) + y0 * np.sin(turn), atol=0.05 * PIXEL)
    np.testing.assert_allclose(middle(seen, "z"), z0, atol=0.05 * PIXEL)


def test_a_grain_in_a_cone_is_magnified_and_raised():
    (z0, y0, x0), source = (0.15, 0.4, 1.3), 8.0
    seen = project(soft_ball((z0, y0, x0), 0.2), source_um=source)
    turn = np.deg2rad(ANGLES)
    larger = source / (source - (y0 * np.cos(turn) - x0 * np.sin(turn)))
    across = (x0 * np.cos(turn) + y0 * np.sin(turn)) * larger
    np.testing.assert_allclose(middle(seen, "x"), across, atol=0.1 * PIXEL)
    np.testing.assert_allclose(middle(seen, "z"), z0 * larger, atol=0.1 * PIXEL)
    assert np.ptp(larger) > 0.3


@pytest.mark.parametrize("source_um", [None, 400.0, 8.0])
def test_a_ball_has_chords_of_a_ball(source_um):
    centre = (0.05, 0.3, 0.8)
    seen = project(soft_ball(centre, 0.4), source_um=source_um)
    true = ball(ANGLES, Z, X, centre, 0.4, source_um)
    assert rms(seen - true) < 0.02 * true.max()
    assert np.abs(seen.sum(["z", "x"]) / true.sum(axis=(1, 2)) - 1).max() < 0.02


def test_the_height_of_the_source_and_drift_move_the_image():
    centre, source = (0.1, 0.3, 0.8), 8.0
    high = project(soft_ball(centre), source_um=source, source_z_um=2.0)
    assert rms(high - ball(ANGLES, Z, X, centre, 0.5, source, 2.0)) < 0.02
    table = pd.DataFrame({"z_um": np.full(60, 0.07), "x_um": np.full(60, -0.11)})
    moved = project(soft_ball(centre), drift=table)
    assert rms(moved - ball(ANGLES, Z - 0.07, X + 0.11, centre, 0.5)) < 0.02


def test_like_gives_the_detector():
    like = scan(np.zeros((60, 10, 50)), places(50) + 0.4, Z[5:15])
    seen = project(soft_ball(), like=like, centre_um=0.3)
    assert seen.shape == like.shape
    np.testing.assert_allclose(seen.x, like.x)
    np.testing.assert_allclose(seen.z, like.z)
    true = ball(ANGLES, Z[5:15], like.x.values - 0.3, (0.1, 0.3, 0.8), 0.5)
    assert rms(seen - true) < 0.02


def test_scikit_image_finds_the_same():
    slice_ = soft_ball(shape=(1, 91, 91), centre=(0, 0.3, 0.8))
    theirs = radon(slice_.values[0][::-1], theta=ANGLES, circle=True) * PIXEL
    assert rms(project(slice_)[:, 0].values - theirs.T) < 0.02 * theirs.max()


def test_it_is_linear_and_does_not_depend_on_tiles():
    volume = empty((7, 40, 50)) + np.random.default_rng(0).normal(size=(7, 40, 50)).astype(np.float32)
    like = scan(np.zeros((60, 7, 70)), places(70), places(7))
    for source in (None, 5.0):
        one = project(volume, like=like, source_um=source)
        np.testing.assert_allclose(project(3 * volume, like=like, source_um=source), 3 * one, atol=1e-5)
        geometry = geometry_of(like, ANGLES, None, source, None, None, doing="test")
        grid = Grid(float(volume.y[0]), float(volume.x[0]), PIXEL, 10.0, 0.0)
        columns = np.ascontiguousarray(volume.values.transpose(1, 2, 0))
        for edge, together in ((1, 1), (7, 3), (64, 60)):
            sums = np.empty((60, 70, 7), np.float32)
            cast(columns, geometry.beam, grid, edge, together, sums)
            np.testing.assert_allclose(sums.transpose(0, 2, 1), one, atol=1e-5)


@pytest.mark.parametrize("source_um", [None, 8.0])
def test_the_pair_is_transposed_within_a_percent_for_smooth_volumes(source_um):
    like = scan(np.zeros((60, 24, 90)), X, Z)
    geometry = geometry_of(like, ANGLES, None, source_um, None, None, doing="test")
    grid = Grid(float(X[0]), float(X[0]), PIXEL, geometry.radius_um, 0.0)
    volume = soft_ball((0.1, 0.3, 0.6), 0.5).values.transpose(1, 2, 0).copy()
    detector = np.exp(-((X[:, None] - 0.3) ** 2) - Z**2).astype(np.float32)
    images = np.ascontiguousarray(np.broadcast_to(detector, (60, 90, 24)))
    forward = line_integrals(volume, geometry.beam, grid, 90, 24)
    back = np.zeros_like(volume)
    correct(images, geometry.beam, grid, tile_edge(24), np.float32(PIXEL), False, back)
    if source_um is None:
        assert np.vdot(forward, images) == pytest.approx(np.vdot(volume, back), rel=0.01)
    else:  # rays diverge: the same volume is met by fewer where they are far apart
        assert np.vdot(forward, images) == pytest.approx(np.vdot(volume, back), rel=0.05)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    count=st.integers(1, 30),
    size=st.integers(1, 30),
    start=st.floats(-40, 40),
    step=st.floats(0.1, 3.0),
    exact=st.booleans(),
)
def test_rows_are_interpolated_between_and_go_on_beyond(count, size, start, step, exact):
    if exact:
        start, step = 0.0, 1.0
    rng = np.random.default_rng(count)
    left, right = rng.normal(size=(2, size)).astype(np.float32)
    rows = np.ones(count, np.float32)
    add_rows(rows, left, right, np.float32(0.3), np.float32(0.7), start, step)
    wanted = np.interp(start + step * np.arange(count), np.arange(size), 0.3 * left + 0.7 * right)
    np.testing.assert_allclose(rows, 1 + wanted, atol=2e-4)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(
    shape=st.tuples(st.integers(1, 6), st.integers(2, 12), st.integers(2, 12)),
    seed=st.integers(0, 99),
    source=st.sampled_from([None, 1.2, 50.0]),
)
def test_any_shape_gives_finite_sums(shape, seed, source):
    volume = empty(shape) + np.random.default_rng(seed).uniform(size=shape).astype(np.float32)
    seen = project(volume, np.linspace(0, 350, 7), source_um=source)
    assert np.isfinite(seen.values).all()
    assert (seen.values >= 0).all()
    assert seen.values.max() < 1.2 * PIXEL * np.hypot(*shape[1:]) * (1 if source is None else 2)


def test_groups_of_angles_leave_no_seam(monkeypatch):
    whole = project(soft_ball())
    module = __import__("sys").modules[project_function.__module__]
    monkeypatch.setattr(module, "_TOGETHER", 1)
    np.testing.assert_array_equal(project(soft_ball()), whole)


def test_whole_numbers_and_chunks_are_taken_as_they_are():
    codes = (soft_ball() > 0.5).astype(np.uint8)
    plain = project(codes.astype(float))
    np.testing.assert_array_equal(project(codes), plain)
    np.testing.assert_array_equal(project(codes.chunk({"z": 5})), plain)


def with_nan():
    volume = soft_ball()
    volume[3, 4, 5] = np.nan
    return volume


OBLONG = ct.volume(np.ones((2, 4, 4)), (0.05, 0.05, 0.06), origin=-0.1)
REFUSED = [
    (lambda: project(soft_ball().values), TypeError, "ct.volume"),
    (lambda: project(None), TypeError, "NoneType"),
    (lambda: project(soft_ball()[3]), ValueError, "a volume with dims z, y, x is needed"),
    (lambda: project(soft_ball().expand_dims(channel=["a"])), ValueError, "channels"),
    (lambda: project(soft_ball() > 0), TypeError, "dtype bool"),
    (lambda: project(with_nan()), ValueError, "1 of .* grey values are NaN"),
    (lambda: project(OBLONG), ValueError, "0.05 × 0.06 µm along y and x: they must be square"),
    (lambda: project(soft_ball(), []), ValueError, "with no angles: one number in degrees for each"),
    (lambda: project(soft_ball(), [3.0]), ValueError, "Two or more"),
    (lambda: project(soft_ball(), ["0", "1"]), TypeError, "angles_deg"),
    (lambda: project(soft_ball(), [1, [2]]), TypeError, "angles_deg of type list"),
    (lambda: project(soft_ball(), like=soft_ball()), ValueError, "dims"),
    (lambda: project(soft_ball(), like=scan(np.zeros((9, 24, 90)), X, Z)), ValueError, "60 angles for 9"),
    (lambda: project(soft_ball(), source_um=3.0), ValueError, "the source would lie in it"),
    (lambda: project(soft_ball(), centre_um=9.0), ValueError, "in view"),
    (lambda: project(soft_ball(), np.arange(2_000_000) * 1e-3), ValueError, "GB at most"),
]


@pytest.mark.parametrize(("call", "error", "match"), REFUSED)
def test_what_cannot_be_projected_is_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_slices_that_are_not_as_far_apart_as_rows_are_refused():
    like = scan(np.zeros((60, 24, 90)), X, Z)
    with pytest.raises(ValueError, match=r"slices 0.1 µm apart onto rows 0.05 µm apart"):
        project(soft_ball()[::2], like=like)


def test_rows_that_see_nothing_of_the_volume_are_refused():
    like = scan(np.zeros((60, 24, 90)), X, Z)
    for away in (1000.0, -2.5, 1.3):
        with pytest.raises(ValueError, match=r"slices from -0.575 to 0.575 µm onto rows from .*move like="):
            project(soft_ball(), like=like.assign_coords(z=like.z + away))
    assert float(project(soft_ball(), like=like.assign_coords(z=like.z + 0.9)).max()) > 0
    low = pd.DataFrame({"z_um": np.full(60, 1.3), "x_um": 0.0})
    assert float(project(soft_ball(), like=like.assign_coords(z=like.z + 1.3), drift=low).max()) > 0
