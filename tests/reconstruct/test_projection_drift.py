"""Drift from projections: closed forms, made-up pillars, against a model, a reconstruction it mends, "
"refusals."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
from benchmarks.projection_repairs import pillar, rms
from hypothesis import given, settings
from hypothesis import strategies as st

import corrtomo as ct
from corrtomo.reconstruct.drift_trust import without_turn
from corrtomo.reconstruct.projection_drift import _jumps, _shift

DIMS = ("angle", "z", "x")
PIXEL = 0.1
SHAPE = (64, 120)
ANGLES = np.arange(0, 360, 4.0)
TIME = np.linspace(0, 1, len(ANGLES))
DRIFT = np.column_stack(
    [0.3 * TIME - 0.2 * np.sin(5 * TIME), 0.2 * np.sin(9 * TIME) + 0.1 * np.cos(17 * TIME)]
)


def drift(projections, angles=ANGLES, **options):
    return ct.reconstruct.drift_from_projections(projections, angles, progress=False, **options)


def scan(drift_um=DRIFT, **options):
    return pillar(ANGLES, SHAPE, PIXEL, drift_um=drift_um, top=True, **options)


def off(table, truth=DRIFT):
    """Error along z and x in pixels, but for what moves the reconstruction as a whole."""
    z = table.z_um - truth[:, 0]
    x = without_turn(table.x_um.to_numpy() - truth[:, 1], ANGLES)
    return rms(z - z.mean()) / PIXEL, rms(x) / PIXEL


def ball(z, x, radius2=0.5):
    """A soft ball that moves in the projections."""
    row, column = np.arange(60)[:, None] * PIXEL, np.arange(80) * PIXEL
    grey = [np.exp(-((row - b) ** 2 + (column - a) ** 2) / radius2) for b, a in zip(z, x, strict=True)]
    return ct.volume(np.array(grey), PIXEL, dims=DIMS)


def test_a_ball_that_goes_around_and_drifts():
    turn = np.deg2rad(ANGLES)
    x = 4 + 0.5 * np.cos(turn) - 0.3 * np.sin(turn)
    wobble = 0.1 * np.cos(3 * turn)
    found = drift(ball(3 + DRIFT[:, 0], x + wobble))
    assert list(found) == ["angle_deg", "z_um", "x_um", "z_error_um", "x_error_um"]
    np.testing.assert_allclose(found.z_um, DRIFT[:, 0] - DRIFT[:, 0].mean(), atol=0.02 * PIXEL)
    np.testing.assert_allclose(found.x_um, wobble, atol=0.01 * PIXEL)
    assert found.angle_deg.tolist() == ANGLES.tolist()


def test_a_sample_that_does_not_drift_has_none():
    found = drift(scan(np.zeros((90, 2))))
    assert found[["z_um", "x_um"]].abs().max().max() < 0.02 * PIXEL


def test_a_pillar_in_a_parallel_beam():
    along_z, along_x = off(drift(scan()))
    assert along_z < 0.1
    assert along_x < 0.05


def test_noise_is_in_the_errors():
    plain = scan()
    noisy = plain + 0.05 * np.random.default_rng(0).normal(size=plain.shape)
    found = drift(noisy)
    random = (found - drift(plain))[["z_um", "x_um"]]
    for way, said in (("z_um", found.z_error_um[0]), ("x_um", found.x_error_um[0])):
        assert 0.6 < said / rms(random[way] - random[way].mean()) < 1.6
    assert max(off(found)) < 1.0


def test_brightness_that_changes_is_no_drift():
    plain = scan()
    faded = plain + 0.02 * np.cos(4 * np.pi * np.arange(90) / 90)[:, None, None]
    change = drift(faded) - drift(plain)
    assert change.abs().max().max() < 0.05 * PIXEL


def test_in_a_cone_a_model_is_needed():
    still, moved = scan(np.zeros((90, 2)), source_um=60.0), scan(source_um=60.0)
    with_model = off(drift(moved, model=still))
    assert max(with_model) < 0.1
    assert off(drift(moved))[1] > 2 * with_model[1]
    paler = drift(moved, model=0.8 * still + 0.05)
    np.testing.assert_allclose(
        paler[["z_um", "x_um"]], drift(moved, model=still)[["z_um", "x_um"]], atol=1e-3
    )


def test_against_a_model_there_is_all_of_it():
    found = drift(scan(), model=scan(np.zeros((90, 2))))
    np.testing.assert_allclose(found[["z_um", "x_um"]], DRIFT, atol=0.2 * PIXEL)


def error(volume, truth):
    """Root mean square difference in the rows that drift brought no other into."""
    return rms((volume - truth).values[8:-8])


def test_a_reconstruction_is_mended_by_more_than_half():
    options = {"centre_um": 0.0, "width_um": 8.0, "progress": False}
    jumpy = np.column_stack([DRIFT[:, 0], 0.3 * np.sin(40 * TIME)])
    still, moved = scan(np.zeros((90, 2))), scan(jumpy)
    truth = ct.reconstruct.fbp(still, ANGLES, **options)
    found = drift(moved)
    before = error(ct.reconstruct.fbp(moved, ANGLES, **options), truth)
    first = ct.reconstruct.fbp(moved, ANGLES, drift=found, **options)
    in_place = found.assign(z_um=found.z_um + jumpy[:, 0].mean())
    after = error(ct.reconstruct.fbp(moved, ANGLES, drift=in_place, **options), truth)
    assert after < 0.5 * before
    model = ct.reconstruct.project(first, ANGLES, like=moved, centre_um=0.0, progress=False)
    again = drift(moved, model=model)
    assert max(off(again, jumpy)) < 0.1


def test_lazy_projections_give_the_same():
    plain = scan()
    lazy = plain.copy(data=da.from_array(plain.values, chunks=(13, 20, 50)))
    pd.testing.assert_frame_equal(drift(lazy), drift(plain))
    still = scan(np.zeros((90, 2)))
    pd.testing.assert_frame_equal(drift(lazy, model=still.chunk()), drift(plain, model=still))


@settings(deadline=None, derandomize=True, max_examples=30)
@given(by=st.tuples(*[st.floats(-6, 6)] * 2), scale=st.floats(0.1, 10), more=st.floats(-3, 3))
def test_any_shift_of_an_image_is_found(by, scale, more):
    rows, columns = np.indices((60, 70))

    def draw(z, x):
        return np.exp(-(((rows - 30 - z) / 6) ** 2) - ((columns - 33 - x) / 9) ** 2) + 0.003 * columns

    found = _shift(scale * draw(*by) + more, draw(0, 0), (7, 7))
    np.testing.assert_allclose(found, by, atol=0.08)


def test_a_projection_that_is_not_like_its_model_is_named():
    still = scan(np.zeros((90, 2)))
    spoilt = still.copy()
    spoilt[11] = 0.5 - still[11]
    with pytest.raises(ValueError, match=r"projection 11 is not like what it is compared with, and 1 in all"):
        drift(spoilt, model=still)


def test_jumps_tell_noise_and_not_what_is_straight():
    rng = np.random.default_rng(0)
    assert _jumps(np.linspace(0, 5, 50)) == pytest.approx(0, abs=1e-12)
    assert _jumps(np.linspace(0, 5, 4000) + rng.normal(0, 0.3, 4000)) == pytest.approx(0.3, rel=0.1)
    assert np.isnan(_jumps(np.arange(7.0)))


def test_a_sample_that_leaves_the_view_needs_a_model():
    narrow = scan().isel(x=slice(30, 90))
    with pytest.raises(ValueError, match="left or right border is .* of the mean, and up to 0.03 is allowed"):
        drift(narrow)
    still = scan(np.zeros((90, 2))).isel(x=slice(30, 90))
    assert max(off(drift(narrow, model=still))) < 0.2


def test_what_shows_nothing_to_follow_is_refused():
    column = ct.volume(np.tile(ball([3.0], [4.0]).values[:, 30:31], (20, 60, 1)), PIXEL, dims=DIMS)
    with pytest.raises(ValueError, match="the projections are even along z"):
        drift(column, np.arange(20))
    layers = column.copy(data=np.tile(np.sin(np.arange(60) / 5)[:, None], (20, 1, 80)))
    with pytest.raises(ValueError, match="the projections are even along x"):
        drift(layers, np.arange(20), model=layers)
    with pytest.raises(ValueError, match="even along z"):
        drift(column * 0 + 1.0, np.arange(20), model=column * 0 + 1.0)
    with pytest.raises(ValueError, match="border is"):
        drift(-ball([3.0] * 20, [4.0] * 20), np.arange(20))


def test_a_shift_beyond_the_search_is_refused():
    jump = np.zeros((90, 2))
    jump[17] = 0.0, 0.4
    with pytest.raises(ValueError, match=r"projection 17 seems.*beyond search_um=0.2.*drop_isel\(angle=17\)"):
        drift(scan(jump), search_um=0.2)
    assert drift(scan(jump)).x_um[17] == pytest.approx(0.4, abs=0.02)


def test_too_few_projections_rows_and_columns_are_refused():
    plain = scan()
    with pytest.raises(ValueError, match="without a model: 7 projections, and 8 or more"):
        drift(plain[:7], ANGLES[:7])
    with pytest.raises(ValueError, match="5 pixels of 17 on each side along z, and 8 or more"):
        drift(plain[:, :17])
    with pytest.raises(ValueError, match="6 pixels of 19 on each side along x"):
        drift(plain[..., :19], model=plain[..., :19], search_um=0.6)
    with pytest.raises(ValueError, match=r"1e\+09 pixels of 64"):
        drift(plain, search_um=1e8)


def test_other_input_is_refused():
    plain = scan()
    with pytest.raises(TypeError, match="find drift from projections: projections are of type NoneType"):
        drift(None)
    with pytest.raises(ValueError, match="90 projections"):
        drift(plain, ANGLES[1:])
    with pytest.raises(TypeError, match="search_um 'far'"):
        drift(plain, search_um="far")
    with pytest.raises(ValueError, match="search_um -1 µm"):
        drift(plain, search_um=-1)
    with pytest.raises(TypeError, match="and a model: projections are of type ndarray"):
        drift(plain, model=plain.values)
    with pytest.raises(ValueError, match=r"model has shape \(90, 63, 120\), the projections \(90, 64, 120\)"):
        drift(plain, model=plain[:, 1:])
    with pytest.raises(ValueError, match="compare projections with a model: their x coordinates differ"):
        drift(plain, model=plain.assign_coords(x=plain.x + 1))
    spoilt = plain.copy()
    spoilt[4, 0, 0] = np.nan
    with pytest.raises(ValueError, match="projection 4 holds NaN"):
        drift(spoilt)
    with pytest.raises(ValueError, match="and a model: 1 of 691200 grey values are NaN"):
        drift(plain, model=spoilt)


def test_noise_is_refused():
    noise = np.random.default_rng(0).normal(size=(180, 24, 120))
    with pytest.raises(ValueError, match=r"(not like what it is compared with|border is|even along)"):
        drift(ct.volume(noise, PIXEL, dims=DIMS), np.arange(180) * 2.0, search_um=0.2)


WRONG = [
    lambda still: still[::-1].copy(data=still.values[::-1]),
    lambda still: still.copy(data=np.random.default_rng(0).permutation(still.values)),
    lambda still: still.copy(data=np.roll(still.values, 22, axis=0)),
]


@pytest.mark.parametrize("model", WRONG, ids=["backwards", "shuffled", "quarter turn off"])
def test_a_model_of_other_projections_is_told(model):
    with pytest.warns(UserWarning, match=r"model is no more like its own projection.*of 9"):
        drift(scan(), model=model(scan(np.zeros((90, 2)))), search_um=2.0)


def test_a_round_sample_and_a_noisy_model_give_no_warning():
    rng = np.random.default_rng(0)
    still = scan(np.zeros((90, 2)))
    noise = 0.1 * rng.normal(size=(2, *still.shape))
    drift(scan() + noise[0], model=still + noise[1], search_um=0.8)
    column = ball([3.0] * 90, [4.0] * 90)
    drift(column, model=column)


def off_centre():
    """A ball that goes around the axis, and drifts less than that."""
    turn = np.deg2rad(ANGLES)
    return ball(3 + 0.2 * DRIFT[:, 0], 4 + 0.9 * np.cos(turn) + 0.2 * DRIFT[:, 1])


ORDERS = [ANGLES / 2, 2 * ANGLES, np.random.default_rng(0).permutation(ANGLES), np.tile(ANGLES[:45], 2)]


@pytest.mark.parametrize("angles", ORDERS, ids=["halved", "doubled", "shuffled", "twice the same"])
def test_angles_that_are_not_those_of_the_projections_are_told(angles):
    with pytest.warns(UserWarning, match=r"as if .* evenly over 360 degrees"):
        drift(off_centre(), angles, search_um=1.2)


def test_angles_in_radians_are_refused():
    with pytest.raises(ValueError, match=r"angles cover 6.21\d* degrees.*radians"):
        drift(off_centre(), np.deg2rad(ANGLES))
    still = scan(np.zeros((90, 2)))
    drift(scan(), np.deg2rad(ANGLES), model=still)  # against a model, angles tell nothing


def test_any_true_order_and_a_large_drift_give_no_warning():
    order = np.random.default_rng(0).permutation(90)
    golden = np.arange(90) * 222.4922
    turn = np.deg2rad(golden)
    drift(off_centre()[order], ANGLES[order])
    drift(ball(3 + DRIFT[:, 0], 4 + 0.5 * np.cos(turn) + DRIFT[:, 1]), golden)
    for way in (0.8 * TIME, 0.8 * TIME**2, 0.5 * np.sqrt(TIME), DRIFT[:, 1], 0.4 * (TIME > 0.5)):
        drift(ball(3 + DRIFT[:, 0], 4 + way), search_um=0.6)
        drift(ball(3 + DRIFT[:, 0], 4 + way), ANGLES / 2, search_um=0.6)
