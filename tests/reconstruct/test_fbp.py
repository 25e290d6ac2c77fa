"""Filtered back-projection: bodies with known line integrals, any angles, cones, drift, iradon, refusals."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import iradon

import corrtomo as ct
from corrtomo.reconstruct import fbp as fbp_function
from corrtomo.reconstruct.angular_steps import angular_steps

from .known_shapes import PIXEL, ball, centroid, disc, distance, ellipse, places, scan

X = places(120)
HALF = np.arange(180) * 1.0
MU = 0.8


def fbp(projections, angles_deg=HALF, **options):
    return ct.reconstruct.fbp(projections, angles_deg, progress=False, **options)


def wire(angles_deg=HALF, x=X, y0=0.5, x0=1.2):
    return scan(MU * disc(angles_deg, x, y0, x0, 0.9), x)


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


@pytest.mark.parametrize("filter", ["ramp", "shepp-logan", "cosine", "hamming", "hann"])
def test_a_disc_has_its_value_at_its_place_and_its_size(filter):
    found = fbp(wire(), filter=filter)
    assert found.dims == ("z", "y", "x")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.y, X, atol=1e-9)
    np.testing.assert_allclose(found.x, X, atol=1e-9)
    away = distance(found, 0.5, 1.2)[0]
    inside, outside = found.values[0][away < 0.7], found.values[0][(away > 1.1)]
    assert inside.mean() == pytest.approx(MU, rel=0.01)
    assert abs(outside.mean()) < 0.01 * MU
    np.testing.assert_allclose(centroid(found)[1:], (0.5, 1.2), atol=0.1 * PIXEL)
    area = (found.values > MU / 2).sum() * PIXEL**2
    assert area == pytest.approx(np.pi * 0.9**2, rel=0.01)


@settings(deadline=None, derandomize=True, max_examples=15)
@given(
    y0=st.floats(-1.2, 1.2),
    x0=st.floats(-1.2, 1.2),
    axes=st.tuples(st.floats(0.4, 1.2), st.floats(0.4, 1.2)),
    turned=st.floats(0, 180),
)
def test_an_ellipse_anywhere_is_neither_mirrored_nor_turned(y0, x0, axes, turned):
    found = fbp(scan(ellipse(HALF, X, y0, x0, axes, turned), X))
    y, x = found.y.values[:, None] - y0, found.x.values - x0
    t = np.deg2rad(turned)
    level = ((x * np.cos(t) + y * np.sin(t)) / axes[0]) ** 2 + (
        (y * np.cos(t) - x * np.sin(t)) / axes[1]
    ) ** 2
    assert found.values[0][level < 0.6**2].mean() == pytest.approx(1.0, abs=0.015)
    assert np.mean((found.values[0] > 0.5) == (level < 1)) > 0.99


def test_half_a_turn_a_full_one_and_doubled_angles_agree():
    half = fbp(wire()).values
    full = np.arange(360) * 1.0
    assert np.abs(fbp(wire(full), full).values - half).max() < 0.02 * MU
    most = np.concatenate([HALF, HALF[:50], HALF[:20] + 180])
    assert np.abs(fbp(wire(most), most).values - half).max() < 0.02 * MU
    with_end = np.append(HALF, 180.0)
    assert np.abs(fbp(wire(with_end), with_end).values - half).max() < 0.02 * MU
    for order in (HALF[::-1], np.random.default_rng(0).permutation(HALF), HALF - 1000):
        assert np.abs(fbp(wire(order), order).values - half).max() < 1e-3


def test_uneven_angles_are_weighed_by_their_steps():
    uneven = np.concatenate([np.arange(0, 60, 0.5), np.arange(60, 180, 2.0)])
    found = fbp(wire(uneven), uneven)
    assert found.values[0][distance(found, 0.5, 1.2)[0] < 0.7].mean() == pytest.approx(MU, rel=0.01)
    assert found.gap_deg == 0.0


def test_a_missing_wedge_is_said_and_not_made_up():
    wedge = np.arange(-60, 61) * 1.0
    found = fbp(wire(wedge), wedge)
    assert found.gap_deg == pytest.approx(60.0)
    steps, gap = angular_steps(wedge, 180.0)
    np.testing.assert_allclose(np.rad2deg(steps), 1.0)
    assert gap == pytest.approx(60.0)
    assert fbp(wire()).gap_deg == 0.0
    assert fbp(wire(HALF[[0, 90]]), HALF[[0, 90]]).gap_deg == 0.0
    assert fbp(wire(HALF[[0, 1]]), HALF[[0, 1]]).gap_deg == pytest.approx(179.0)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(st.floats(-720, 720), min_size=2, max_size=40), st.sampled_from([180.0, 360.0]))
def test_steps_fill_the_turn_but_for_gaps(angles, turn):
    steps, gap = angular_steps(np.array(angles), turn)
    assert (steps >= 0).all()
    assert steps.sum() <= np.deg2rad(turn) + 1e-6
    if gap == 0:
        assert steps.sum() == pytest.approx(np.deg2rad(turn))


def test_it_is_linear():
    one, other = wire(), wire(y0=-0.7, x0=-0.4)
    both = fbp(2 * one + 3 * other).values
    np.testing.assert_allclose(both, 2 * fbp(one).values + 3 * fbp(other).values, atol=1e-4)


def test_scikit_image_finds_the_same():
    projections = wire()
    theirs = iradon(projections.values[:, 0].T / PIXEL, theta=HALF, filter_name="ramp", circle=True)
    # Its axis is at pixel 60 of 120, where ours is between 59 and 60; and its rows go against y.
    same = fbp(projections, centre_um=float(X[60]))
    assert same.shape == (1, 119, 119)
    inner = distance(same, 0, 0)[0] < 2.8
    assert rms((same.values[0] - theirs[1:, 1:][::-1])[inner]) < 1e-4 * MU


def test_the_axis_is_where_it_is_said_to_be():
    moved = wire(x=X + 0.23)
    assert moved.x.values[0] == pytest.approx(X[0] + 0.23)
    np.testing.assert_allclose(centroid(fbp(moved, centre_um=0.0))[1:], (0.5, 1.2), atol=0.1 * PIXEL)
    assert rms(fbp(moved, centre_um=0.0).values[0] > 0.4) > rms(fbp(moved).values[0] > 0.4)


def test_width_and_voxels_are_as_asked():
    found = fbp(wire(), width_um=5.0, voxel_um=0.1)
    assert found.shape == (1, 50, 50)
    assert ct.voxel_size(found)[1:] == (0.1, 0.1)
    np.testing.assert_allclose(centroid(found)[1:], (0.5, 1.2), atol=0.01)
    assert fbp(wire(), voxel_um=0.07).shape == (1, 86, 86)
    assert (fbp(wire()).values[0, :5, :5] == 0).all()  # beyond the circle that all projections see


Z = places(40)
FULL = np.arange(240) * 1.5


@pytest.mark.parametrize("source_um", [None, 400.0, 20.0])
def test_a_ball_in_a_cone_has_its_value_and_its_place(source_um):
    centre = (0.3, 0.5, 1.0)
    projections = scan(MU * ball(FULL, Z, X, centre, 0.6, source_um), X, Z)
    found = fbp(projections, FULL, source_um=source_um)
    away = distance(found, centre[1], centre[2], centre[0])
    assert found.values[away < 0.45].mean() == pytest.approx(MU, rel=0.01)
    np.testing.assert_allclose(centroid(found), centre, atol=0.15 * PIXEL)
    volume = (found.values > MU / 2).sum() * PIXEL**3
    assert volume == pytest.approx(4 / 3 * np.pi * 0.6**3, rel=0.03)


def off(projections, centre, **options):
    """Error of a ball of radius 0.6 µm."""
    found = fbp(projections, FULL, **options)
    return rms(found.values - MU * (distance(found, centre[1], centre[2], centre[0]) < 0.6))


def test_a_cone_taken_for_a_parallel_beam_is_wrong():
    centre = (0.3, 0.5, 1.0)
    projections = scan(MU * ball(FULL, Z, X, centre, 0.6, 20.0), X, Z)
    assert off(projections, centre, source_um=20.0) < 0.8 * off(projections, centre)


def test_the_height_of_the_source_matters():
    centre = (0.2, 0.4, 1.0)
    projections = scan(MU * ball(FULL, Z, X, centre, 0.6, 20.0, source_z_um=-3.0), X, Z)
    found = centroid(fbp(projections, FULL, source_um=20.0, source_z_um=-3.0))
    np.testing.assert_allclose(found, centre, atol=0.4 * PIXEL)
    right = off(projections, centre, source_um=20.0, source_z_um=-3.0)
    assert right < 0.8 * off(projections, centre, source_um=20.0)
    assert right < 0.8 * off(projections, centre, source_um=20.0, source_z_um=3.0)


def test_drift_is_taken_into_the_geometry():
    rng = np.random.default_rng(3)
    shift_x, shift_z = np.cumsum(rng.normal(0, 0.02, (2, len(FULL))), axis=1)
    centre, still, moved = (0.1, 0.5, 1.0), [], []
    for angle, dx, dz in zip(FULL, shift_x, shift_z, strict=True):
        still.append(MU * ball([angle], Z, X, centre, 0.6)[0])
        moved.append(MU * ball([angle], Z - dz, X - dx, centre, 0.6)[0])
    table = pd.DataFrame({"angle_deg": FULL, "z_um": shift_z, "x_um": shift_x})
    width = 4.5
    true = fbp(scan(still, X, Z), FULL, width_um=width).values
    left = fbp(scan(moved, X, Z), FULL, width_um=width).values
    right = fbp(scan(moved, X, Z), FULL, width_um=width, drift=table).values
    assert rms(right - true) < 0.3 * rms(left - true)
    wrong = fbp(
        scan(moved, X, Z), FULL, width_um=width, drift=table.assign(x_um=-shift_x, z_um=-shift_z)
    ).values
    assert rms(wrong - true) > rms(left - true)


def many_rows():
    factors = 1 + np.arange(40)[:, None] / 40
    return scan(wire().values * factors, X, Z)


def test_a_part_of_the_rows_is_that_part():
    whole = fbp(many_rows())
    np.testing.assert_allclose(fbp(many_rows()[:, 7:23]), whole[7:23], rtol=0, atol=1e-6)
    assert fbp(many_rows()[:, 7:8]).z.values.tolist() == [whole.z.values[7]]


@pytest.mark.parametrize("source_um", [None, 20.0])
def test_blocks_of_rows_and_groups_of_angles_leave_no_seam(monkeypatch, source_um):
    whole = fbp(many_rows(), np.arange(180) * 2.0, source_um=source_um)
    module = __import__("sys").modules[fbp_function.__module__]
    monkeypatch.setattr(module, "_HELD", 1)
    monkeypatch.setattr(module, "_TOGETHER", 1 << 18)
    monkeypatch.setattr(module, "_TILES", 1)
    parts = fbp(many_rows(), np.arange(180) * 2.0, source_um=source_um)
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("source_um", [None, 20.0])
@pytest.mark.parametrize("chunks", [(-1, 10, -1), (50, 40, 30)])
def test_lazy_projections_give_the_same(chunks, source_um):
    angles = np.arange(180) * 2.0
    lazy = many_rows().copy(data=da.from_array(many_rows().values, chunks=chunks))
    np.testing.assert_array_equal(
        fbp(lazy, angles, source_um=source_um), fbp(many_rows(), angles, source_um=source_um)
    )


@settings(deadline=None, derandomize=True, max_examples=25)
@given(
    shape=st.tuples(st.integers(2, 9), st.integers(1, 5), st.integers(2, 12)),
    seed=st.integers(0, 99),
    source=st.sampled_from([None, 1.0, 50.0]),
)
def test_any_shape_gives_finite_values_and_zero_gives_zero(shape, seed, source):
    values = np.random.default_rng(seed).normal(size=shape)
    angles = np.arange(shape[0]) * (360 / shape[0])
    projections = scan(values, places(shape[2]), places(shape[1]))
    found = fbp(projections, angles, source_um=source)
    assert np.isfinite(found.values).all()
    assert found.sizes["z"] == shape[1]
    assert (fbp(0 * projections, angles, source_um=source).values == 0).all()


def with_value(value):
    projections = many_rows()
    projections[70, 3, 9] = value
    return projections


def table(**columns):
    return pd.DataFrame({"z_um": np.zeros(180), "x_um": np.zeros(180)} | columns)


FULL_180 = np.arange(180) * 2.0
REFUSED = [
    (lambda: fbp(wire().values), TypeError, "Cannot reconstruct: .*ndarray.*ct.volume"),
    (lambda: fbp(None), TypeError, "NoneType"),
    (lambda: fbp(wire().transpose("z", "angle", "x")), ValueError, "dims"),
    (lambda: fbp((100 * wire()).astype(np.uint16)), TypeError, "counts.*attenuation"),
    (lambda: fbp(wire(), HALF[:-1]), ValueError, "179 angles for 180 projections"),
    (lambda: fbp(wire(), "0"), TypeError, "angles_deg"),
    (lambda: fbp(wire(), np.full(180, np.nan)), ValueError, "NaN"),
    (lambda: fbp(with_value(np.nan)), ValueError, "projection 70 holds NaN"),
    (lambda: fbp(with_value(np.inf)), ValueError, "projection 70 holds NaN or infinite"),
    (lambda: fbp(many_rows().chunk({"z": 10}).where(lambda p: p.z < 0)), ValueError, "NaN"),
    (lambda: fbp(wire()[:, :, :1]), ValueError, "1 pixel wide"),
    (lambda: fbp(wire(), centre_um=3.1), ValueError, "centre_um=3.1: the axis must be in view"),
    (lambda: fbp(wire(), centre_um=np.nan), ValueError, "centre_um=nan"),
    (lambda: fbp(wire(), centre_um="middle"), TypeError, "centre_um 'middle'.*centre_of_rotation"),
    (lambda: fbp(wire(), source_um=2.9), ValueError, "source_um=2.9.*would lie in the sample"),
    (lambda: fbp(wire(), source_um=-5.0), ValueError, "source_um"),
    (lambda: fbp(wire(), source_um=20.0), ValueError, r"gap of 181 degrees.*ct.reconstruct.sart"),
    (lambda: fbp(wire(), source_z_um=1.0), ValueError, "no source_um"),
    (lambda: fbp(wire(FULL_180), FULL_180, source_um=20.0, source_z_um="top"), TypeError, "source_z_um"),
    (
        lambda: fbp(wire(FULL_180), FULL_180, source_um=9.0, source_z_um=9.1),
        ValueError,
        "more than 45 degrees",
    ),
    (lambda: fbp(with_value(1e12)), ValueError, "projection 70 holds a line integral of 1e.12"),
    (lambda: fbp(wire(), voxel_um=1e-300), ValueError, "GB at most"),
    (lambda: fbp(wire(), voxel_um=10**400), ValueError, "voxel_um 1000"),
    (lambda: fbp(wire(), centre_um=10**400), ValueError, "the axis must be in view"),
    (lambda: fbp(wire(), voxel_um=7.0), ValueError, "over 6 µm with voxels of 7 µm: not one fits"),
    (lambda: fbp(wire(), filter="sharp"), ValueError, "filter 'sharp': there are ramp"),
    (lambda: fbp(wire(), filter=["ramp"]), ValueError, "filter"),
    (lambda: fbp(wire(), width_um=7.0), ValueError, "over 7 µm: all projections see 6 µm"),
    (lambda: fbp(wire(), width_um=-1.0), ValueError, "width_um"),
    (lambda: fbp(wire(), voxel_um="fine"), TypeError, "voxel_um"),
    (lambda: fbp(wire(), voxel_um=1e-5), ValueError, "GB at most"),
    (lambda: fbp(wire(), drift=[0.0] * 180), TypeError, "drift of type list"),
    (lambda: fbp(wire(), drift=table()[:-1]), ValueError, "179 rows for 180 projections"),
    (lambda: fbp(wire(), drift=table().drop(columns="z_um")), ValueError, "no column z_um"),
    (lambda: fbp(wire(), drift=table(x_um=np.nan)), ValueError, "finite"),
    (lambda: fbp(wire(), drift=table(x_um=4.0)), ValueError, "lead out of projections"),
    (lambda: fbp(wire(), drift=table(angle_deg="0")), ValueError, "angle_deg of the table holds no finite"),
    (lambda: fbp(wire(), drift=table(angle_deg=HALF[::-1])), ValueError, "differs from angles_deg"),
]


@pytest.mark.parametrize(("call", "error", "match"), REFUSED)
def test_what_cannot_be_reconstructed_is_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_projections_in_half_precision_are_reconstructed():
    scan = wire()
    assert np.abs(fbp(scan.astype(np.float16)) - fbp(scan)).max() < 5e-3


RADIANS = "angles cover (3.1|6.2).* degrees, .* in radians.*np.rad2deg"


@pytest.mark.parametrize("method", [ct.reconstruct.fbp, ct.reconstruct.sart])
@pytest.mark.parametrize("turn", [HALF, FULL_180, np.linspace(0, 180, 60), np.linspace(-90, 270, 61)])
def test_angles_in_radians_are_refused(method, turn):
    with pytest.raises(ValueError, match=RADIANS):
        method(wire(turn), np.deg2rad(turn), progress=False)


@pytest.mark.parametrize("method", [ct.reconstruct.fbp, ct.reconstruct.sart])
def test_a_wedge_of_less_than_60_degrees_is_told(method):
    kept = HALF[HALF < 50]
    with pytest.warns(UserWarning, match="a gap of 131 degrees is in the angles, of 180"):
        found = method(wire(kept), kept, progress=False)
    assert np.isfinite(found).all()
    for some in (HALF[HALF < 70], HALF[::60], HALF[[0, 90]], HALF[::90]):  # few, or a wedge: no warning
        assert method(wire(some), some, progress=False).sizes["z"] == 1


@pytest.mark.parametrize("method", [ct.reconstruct.fbp, ct.reconstruct.sart])
@pytest.mark.parametrize("turned", [lambda p: np.exp(-p), lambda p: 1000 * np.exp(-p), lambda p: -p])
def test_what_is_no_line_integrals_is_told(method, turned):
    with pytest.warns(UserWarning, match="more at the left and right border than .* counts, or their share"):
        method(turned(wire()), HALF, progress=False)


@pytest.mark.parametrize("method", [ct.reconstruct.fbp, ct.reconstruct.sart])
def test_air_that_is_brighter_than_the_flat_is_told(method):
    with pytest.warns(UserWarning, match="mean of -1.* attenuation is not negative"):
        method(wire() - 2.0, HALF, progress=False)


def test_a_part_of_a_sample_and_one_at_the_border_give_no_warning():
    ct.reconstruct.fbp(wire()[..., 40:80], HALF, progress=False)
    tube = scan(disc(HALF, X, 0.0, 0.0, 2.9) - disc(HALF, X, 0.0, 0.0, 2.6), X)
    ct.reconstruct.fbp(tube, HALF, progress=False)
    ct.reconstruct.fbp(tube.isel(x=slice(0, 80)), HALF, progress=False)
    noise = np.random.default_rng(0).normal(0, 1, wire().shape)
    ct.reconstruct.fbp(wire() * 0 + noise, HALF, progress=False)
