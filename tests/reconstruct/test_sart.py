"""Algebraic reconstruction: known bodies, residuals, total variation, iradon_sart, what is kept, refusals."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.restoration import denoise_tv_chambolle
from skimage.transform import iradon_sart

import corrtomo as ct
from corrtomo.reconstruct.sart import _subsets
from corrtomo.reconstruct.total_variation import smooth

from .known_shapes import PIXEL, ball, centroid, disc, distance, places, scan

X, Z = places(80), places(24)
HALF = np.arange(120) * 1.5
FULL = np.arange(160) * 2.25
MU = 0.8
PLACE = (0.4, 0.7)


def sart(projections, angles_deg=HALF, **options):
    return ct.reconstruct.sart(projections, angles_deg, progress=False, **options)


def wire(angles_deg=HALF, counts=None):
    """A disc of radius 0.8 µm, with the noise of some counts."""
    seen = MU * disc(angles_deg, X, *PLACE, 0.8)
    if counts:
        rng = np.random.default_rng(5)
        seen = -np.log(np.maximum(rng.poisson(counts * np.exp(-seen)), 0.5) / counts)
    return scan(seen, X)


def inside(found, radius=0.6):
    return found.values[distance(found, *PLACE) < radius]


def error(found):
    return rms(found.values - MU * (distance(found, *PLACE) < 0.8))


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


def test_a_disc_has_its_value_at_its_place_and_what_is_unexplained_falls():
    found = sart(wire(), iterations=8)
    assert found.dims == ("z", "y", "x")
    assert found.dtype == np.float32
    assert inside(found).mean() == pytest.approx(MU, rel=0.01)
    np.testing.assert_allclose(centroid(found)[1:], PLACE, atol=0.2 * PIXEL)
    assert len(found.residual) == 8
    assert (np.diff(found.residual) < 0).all()
    assert found.residual[-1] < 0.05
    assert (found.values >= 0).all()


@pytest.mark.parametrize("source_um", [None, 400.0, 12.0])
def test_a_ball_agrees_with_filtered_back_projection(source_um):
    centre = (0.1, 0.4, 0.7)
    projections = scan(MU * ball(FULL, Z, X, centre, 0.45, source_um), X, Z)
    found = sart(projections, FULL, source_um=source_um, iterations=6, nonnegative=False)
    other = ct.reconstruct.fbp(projections, FULL, source_um=source_um, progress=False)
    assert found.shape == other.shape
    away = distance(found, 0.4, 0.7, 0.1)
    assert found.values[away < 0.3].mean() == pytest.approx(MU, rel=0.02)
    np.testing.assert_allclose(centroid(found), centroid(other), atol=0.2 * PIXEL)
    assert rms(found - other) < 0.03 * MU


def test_what_is_reconstructed_explains_its_projections():
    centre = (0.1, 0.4, 0.7)
    projections = scan(MU * ball(FULL, Z, X, centre, 0.45, 12.0), X, Z)
    found = sart(projections, FULL, source_um=12.0, iterations=8)
    again = ct.reconstruct.project(found, FULL, like=projections, source_um=12.0, progress=False)
    assert rms(again - projections) < 0.07 * rms(projections)
    assert rms(again - projections) < found.residual[-1] * rms(projections) * 1.1


def test_from_few_projections_and_with_a_missing_wedge_it_is_better_than_back_projection():
    few = np.arange(12) * 15.0
    wedge = np.arange(-60, 60, 1.5)
    for angles in (few, wedge):
        plain = ct.reconstruct.fbp(wire(angles), angles, progress=False)
        assert error(sart(wire(angles), angles, iterations=20, tv_weight=0.02)) < 0.6 * error(plain)


def test_total_variation_lowers_noise_and_keeps_mean_and_edges():
    noisy = wire(counts=400)
    rough, smoothed = sart(noisy), sart(noisy, tv_weight=0.03)
    assert inside(smoothed).std() < 0.6 * inside(rough).std()
    assert inside(smoothed).mean() == pytest.approx(MU, rel=0.02)
    assert error(smoothed) < error(rough)
    edge = np.abs(distance(smoothed, *PLACE) - 0.8) < 1.5 * PIXEL
    steep = [np.hypot(*np.gradient(found.values[0]))[edge[0]].mean() for found in (rough, smoothed)]
    assert steep[1] > 0.9 * steep[0]


def test_its_weight_does_not_depend_on_the_unit():
    noisy = wire(counts=400)
    one, other = sart(noisy, tv_weight=0.03), sart(1000 * noisy, tv_weight=0.03)
    np.testing.assert_allclose(other / 1000, one, atol=1e-4)
    coarse = ct.volume(noisy.values, 10 * PIXEL, origin=(0, 10 * X[0]), dims=("angle", "z", "x"))
    np.testing.assert_allclose(10 * sart(coarse, tv_weight=0.03).values, one, atol=1e-4)


@pytest.mark.parametrize(("axes", "share"), [(3, 3.0), (2, 2.0), (1, 2.0)])
def test_a_ball_a_disc_and_a_wall_lose_what_is_said(axes, share):
    """Share of the contrast: weight × surface / volume, for weights small against the radius."""
    shape, radius, weight = [1, 1, 1], 8.0, 0.5
    shape[:axes] = (28,) * axes
    grid = np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in shape], indexing="ij")
    away = np.sqrt(sum(g**2 for g in grid))
    values = np.clip(radius + 0.5 - away, 0, 1).astype(np.float32)
    width = 2 * radius if axes == 1 else radius
    smooth(values, weight, passes=200)
    assert values[away < radius - 3].mean() == pytest.approx(1 - share * weight / width, abs=0.012)


def test_scikit_image_smooths_alike():
    rng = np.random.default_rng(0)
    rough = (np.arange(24) > 11)[:, None, None] + rng.normal(0, 0.2, (24, 20, 16))
    ours = rough.astype(np.float32)
    smooth(ours, 0.3, passes=300)
    theirs = denoise_tv_chambolle(rough, 0.3, eps=1e-9, max_num_iter=600)
    assert rms(ours - theirs) < 0.01
    assert rms(ours - rough) > 0.1
    assert ours.mean() == pytest.approx(rough.mean(), abs=1e-5)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(shape=st.tuples(*[st.integers(1, 6)] * 3), seed=st.integers(0, 99), weight=st.floats(0.01, 5))
def test_smoothing_keeps_the_mean_and_lowers_the_variation_of_any_shape(shape, seed, weight):
    rough = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    values = rough.copy()
    smooth(values, weight)
    assert values.mean() == pytest.approx(rough.mean(), abs=1e-4)
    assert np.isfinite(values).all()
    assert np.ptp(values) <= np.ptp(rough) * 1.001
    assert (values.astype(float) ** 2).sum() <= (rough.astype(float) ** 2).sum() * 1.001


def test_scikit_image_finds_the_same():
    projections = wire()
    theirs = None
    for _ in range(4):
        theirs = iradon_sart(projections.values[:, 0].T.astype(float) / PIXEL, theta=HALF, image=theirs)
    same = sart(projections, iterations=6, nonnegative=False, centre_um=float(X[40]))
    assert same.shape == (1, 79, 79)
    inner = distance(same, 0, 0)[0] < 1.8
    assert rms((same.values[0] - theirs[1:, 1:][::-1])[inner]) < 0.06 * MU


def test_it_goes_on_from_a_start():
    begun = sart(wire(), iterations=3)
    once = sart(wire(), iterations=5)
    again = sart(wire(), iterations=2, start=begun)
    np.testing.assert_allclose(again, once, atol=1e-5)
    assert again.residual == pytest.approx(once.residual[3:], rel=1e-4)
    kept = begun.copy(deep=True)
    sart(wire(), iterations=1, start=begun)
    assert begun.identical(kept)


def test_drift_is_taken_into_the_geometry():
    rng = np.random.default_rng(3)
    shift_z, shift_x = np.cumsum(rng.normal(0, 0.02, (2, len(FULL))), axis=1)
    centre = (0.05, 0.4, 0.5)
    moved = [
        MU * ball([angle], Z - dz, X - dx, centre, 0.4)[0]
        for angle, dx, dz in zip(FULL, shift_x, shift_z, strict=True)
    ]
    table = pd.DataFrame({"z_um": shift_z, "x_um": shift_x})
    plain = sart(scan(moved, X, Z), FULL, width_um=2.6)
    right = sart(scan(moved, X, Z), FULL, width_um=2.6, drift=table)
    truth = MU * (distance(right, 0.4, 0.5, 0.05) < 0.4)
    assert rms(right.values - truth) < 0.6 * rms(plain.values - truth)
    assert right.residual[-1] < 0.5 * plain.residual[-1]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(st.floats(-720, 720), min_size=1, max_size=60), st.data())
def test_each_projection_is_in_one_subset(angles, data):
    number = data.draw(st.integers(1, len(angles)))
    parts = _subsets(np.array(angles), number)
    assert len(parts) == number
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(angles)))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@settings(deadline=None, derandomize=True, max_examples=20)
@given(
    shape=st.tuples(st.integers(2, 9), st.integers(1, 4), st.integers(2, 12)),
    seed=st.integers(0, 99),
    source=st.sampled_from([None, 0.35, 50.0]),
    weight=st.sampled_from([0.0, 0.1]),
)
def test_any_shape_gives_finite_values(shape, seed, source, weight):
    values = np.random.default_rng(seed).normal(size=shape)
    projections = scan(values, places(shape[2]), places(shape[1]))
    angles = np.linspace(0, 350, shape[0])
    found = sart(projections, angles, source_um=source, tv_weight=weight, iterations=2)
    assert np.isfinite(found.values).all()
    assert (found.values >= 0).all()
    nothing = sart(0 * projections, angles, source_um=source, tv_weight=weight, iterations=2)
    assert (nothing.values == 0).all()
    assert nothing.residual == [0.0, 0.0]


def test_chunks_and_other_dtypes_give_the_same():
    plain = sart(wire(), iterations=1)
    lazy = wire().copy(data=da.from_array(wire().values, chunks=(50, 1, 40)))
    np.testing.assert_array_equal(sart(lazy, iterations=1), plain)
    np.testing.assert_array_equal(sart(wire().astype(float), iterations=1), plain)


def with_nan():
    projections = wire()
    projections[70, 0, 9] = np.nan
    return projections


def a_start():
    return ct.reconstruct.fbp(wire(), HALF, progress=False)


REFUSED = [
    (lambda: sart(wire().values), TypeError, "ndarray.*ct.volume"),
    (lambda: sart((100 * wire()).astype(np.uint16)), TypeError, "counts.*attenuation"),
    (lambda: sart(wire(), HALF[:-1]), ValueError, "119 angles for 120"),
    (lambda: sart(with_nan()), ValueError, "projection 70 holds NaN"),
    (lambda: sart(with_nan().chunk({"angle": 50})), ValueError, "projection 70 holds NaN"),
    (lambda: sart(wire(), centre_um=3.1), ValueError, "in view"),
    (lambda: sart(wire(), source_um=1.9), ValueError, "would lie in the sample"),
    (lambda: sart(wire(), voxel_um=1e-5), ValueError, "GB at most"),
    (lambda: sart(wire() * 1e30), ValueError, "holds a line integral of"),
    (lambda: sart(wire() * np.float64(1e200)), ValueError, "holds a line integral of"),
    (lambda: sart(wire(), iterations=0), ValueError, "iterations=0: a whole number from 1"),
    (lambda: sart(wire(), iterations=2.0), ValueError, "iterations=2.0"),
    (lambda: sart(wire(), subsets=121), ValueError, "subsets=121: a whole number from 1 to 120"),
    (lambda: sart(wire(), subsets=True), ValueError, "subsets=True"),
    (lambda: sart(wire(), relaxation=2.0), ValueError, "relaxation=2.0: a number above 0 and below 2"),
    (lambda: sart(wire(), relaxation="slow"), ValueError, "relaxation='slow'"),
    (lambda: sart(wire(), tv_weight=-0.1), ValueError, "tv_weight=-0.1"),
    (lambda: sart(wire(), tv_weight=np.nan), ValueError, "tv_weight=nan"),
    (lambda: sart(wire(), nonnegative="no"), TypeError, "nonnegative='no': True or False"),
    (lambda: sart(wire(), start=a_start().values), TypeError, "ct.volume"),
    (lambda: sart(wire(), start=a_start()[:, 1:]), ValueError, "Cannot start a reconstruction.*sizes"),
    (lambda: sart(wire(), start=a_start() * np.nan), ValueError, "Cannot start a reconstruction.*NaN"),
]


@pytest.mark.parametrize(("call", "error", "match"), REFUSED)
def test_what_cannot_be_reconstructed_is_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()
