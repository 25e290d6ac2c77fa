"""The axis of rotation: closed forms, full and half turns, cones, noise, real data, refusals."""

import dask.array as da
import numpy as np
import pytest
from benchmarks.projection_repairs import pillar, stripes
from hypothesis import given, settings
from hypothesis import strategies as st

import corrtomo as ct
from corrtomo.reconstruct.mirrored import half_turn, opposite_rays, unwound

DIMS = ("angle", "z", "x")
PIXEL = 0.1
SHAPE = (16, 220)
AXIS = 0.37


def find(projections, angles, **options):
    return ct.reconstruct.centre_of_rotation(projections, angles, progress=False, **options)


def turn(count, degrees=360.0, start=0.0):
    return start + degrees * np.arange(count) / count


def scan(angles, **options):
    return pillar(angles, SHAPE, PIXEL, centre_um=options.pop("centre_um", AXIS), **options)


CASES = {
    "full": (turn(180), None),
    "full, odd number": (turn(121), None),
    "full, few": (turn(36), None),
    "cone": (turn(180), 400.0),
    "wide cone": (turn(180), 60.0),
    "half": (turn(180, 180), None),
    "half, few": (turn(45, 180), None),
    "half, both ends": (np.linspace(0, 180, 181), None),
    "half, backwards from 200": (turn(90, -180, 200.0), None),
    "three quarters": (turn(135, 270), None),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("centre_um", [AXIS, -1.614])
def test_it_is_found_to_a_tenth_of_a_pixel(case, centre_um):
    angles, source = CASES[case]
    found = find(scan(angles, centre_um=centre_um, source_um=source), angles, source_um=source)
    assert abs(found.x_um - centre_um) < 0.1 * PIXEL
    assert found.error_um < 0.1 * PIXEL
    assert found.score > 0.95
    assert found.method == ("opposite rays" if case.startswith(("full", "cone", "wide")) else "half turn")


@pytest.mark.parametrize("case", ["full", "cone", "half"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_costs_less_than_a_third_of_a_pixel_and_the_error_tells(case, seed):
    angles, source = CASES[case]
    noise = 0.1 * np.random.default_rng(seed).normal(size=(len(angles), *SHAPE))
    found = find(scan(angles, source_um=source) + noise + stripes(SHAPE, seed), angles, source_um=source)
    off = abs(found.x_um - AXIS)
    assert off < 0.3 * PIXEL
    assert off < 5 * found.error_um < 0.5
    assert len(found.blocks) == 8


def test_a_cone_taken_as_parallel_is_worse():
    angles, source = CASES["wide cone"]
    projections = scan(angles, source_um=source)
    assert find(projections, angles).score < find(projections, angles, source_um=source).score - 0.01


def spots(angles, at=3.2, away=2.0):
    """A rod that is small against its distance from the axis: a sinusoid."""
    x = np.arange(64) * PIXEL
    place = at + away * np.cos(np.deg2rad(angles))
    return ct.volume(np.exp(-((x - place[:, None]) ** 2) / 0.1)[:, None], PIXEL, dims=DIMS)


def test_the_order_of_projections_and_whole_turns_are_of_no_matter():
    angles = turn(60)
    mixed = np.random.default_rng(0).permutation(60)
    wanted = find(spots(angles), angles)
    assert wanted.x_um == pytest.approx(3.2, abs=0.005)
    for other in (angles[mixed], angles[mixed] - 720.0):
        assert find(spots(other), other).x_um == pytest.approx(wanted.x_um, abs=1e-6)
    half = turn(60, 180)
    assert find(spots(half[mixed]), half[mixed]).x_um == pytest.approx(find(spots(half), half).x_um, abs=1e-6)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(
    at=st.floats(2.4, 4.0),
    away=st.floats(0.8, 2.0),
    start=st.floats(-400, 400),
    count=st.integers(12, 60),
    full=st.booleans(),
)
def test_a_rod_anywhere_gives_its_axis(at, away, start, count, full):
    angles = turn(2 * count, 360 if full else 180, start)  # an even number: each ray has its opposite
    assert find(spots(angles, at, away), angles).x_um == pytest.approx(at, abs=0.2 * PIXEL)


def test_it_moves_with_the_coordinates():
    angles = turn(40)
    projections = spots(angles)
    there = projections.assign_coords(x=projections.x + 100.0)
    assert find(there, angles).x_um == pytest.approx(find(projections, angles).x_um + 100.0, abs=1e-6)


def test_curves_against_a_direct_sum():
    rng = np.random.default_rng(0)
    sinogram = rng.normal(size=(6, 9))
    found = opposite_rays(sinogram, turn(6), None, 4.0, slice(None))
    wanted = []
    for s in range(17):
        i = np.array([i for i in range(9) if 0 <= s - i < 9])
        wanted.append(np.mean((sinogram[:, i] - np.roll(sinogram, -3, axis=0)[:, s - i]) ** 2))
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    some = slice(0, 2)  # and their opposite rays, of 3 and 4
    assert not np.allclose(opposite_rays(sinogram, turn(6), None, 4.0, some), wanted)


def test_leaked_power_against_the_transform_of_both_halves_put_together():
    rng = np.random.default_rng(0)
    sinogram = np.zeros((8, 16))
    sinogram[:, 5:12] = rng.normal(size=(8, 7))
    found = half_turn(sinogram, turn(8, 180))
    for column in (7.0, 8.0, 8.5):
        mirror = np.zeros((8, 32))
        mirror[:, (2 * column - np.arange(16)).astype(int) % 32] = sinogram
        both = np.concatenate([np.pad(sinogram, ((0, 0), (0, 16))), mirror])
        power = np.abs(np.fft.fft2(both)) ** 2
        outside = np.abs(np.fft.fftfreq(16, 1 / 16))[:, None] > np.pi * 16 * np.abs(np.fft.fftfreq(32)) + 1
        outside[:, [0]] = False
        halves = [np.abs(np.fft.fft(np.fft.fft(np.pad(h, ((0, 0), (0, 32 - h.shape[1])))), 16, axis=0)) ** 2
                  for h in (sinogram, mirror)]  # fmt: skip
        wanted = power[outside].sum() / sum(half[outside].sum() for half in halves)
        assert found[int(2 * column)] == pytest.approx(wanted, rel=1e-6)


def test_angles_are_unwound_from_their_widest_gap():
    turned, order = unwound(np.array([350.0, 10.0, -20.0, 380.0]))
    assert turned.tolist() == [340.0, 350.0, 370.0, 380.0]
    assert order.tolist() == [2, 0, 1, 3]


def test_real_projections_of_a_tooth():
    if not ct.datasets.reachable("tooth-projections"):
        pytest.skip("CORRTOMO_DATA names no folder with the published data, and there is no connection")
    file = ct.datasets.fetch("tooth-projections") / "tooth.h5"
    counts, flat, dark = (
        ct.volume(ct.read(file, 1.0, dataset=f"exchange/{name}").data, 1.0, dims=DIMS)
        for name in ("data", "data_white", "data_dark")
    )
    angles = ct.read(file, 1.0, dataset="exchange/theta").values
    projections = ct.reconstruct.attenuation(counts, flat, dark, progress=False)
    found = find(projections, angles)
    assert abs(found.x_um - 295.5) < 1.0
    assert found.error_um < 0.3
    assert len(found.blocks) == 4


def test_lazy_projections_give_the_same():
    angles = turn(40, 180)
    projections = scan(angles)
    lazy = projections.copy(data=da.from_array(projections.values, chunks=(7, 5, 100)))
    assert find(lazy, angles) == find(projections, angles)


def test_it_says_what_it_found():
    angles = turn(60)
    found = find(scan(angles), angles)
    assert repr(found).startswith(
        f"Centre(x = {found.x_um:.4g} ± {found.error_um:.2g} µm, from opposite rays"
    )
    assert repr(found).endswith(" in 8 blocks; score 1.00 of 1)")


def test_air_above_the_pillar_counts_little():
    angles = turn(60)
    projections = scan(angles) + 0.01 * np.random.default_rng(0).normal(size=(60, *SHAPE))
    projections[:, :8] = 0.01 * np.random.default_rng(1).normal(size=(60, 8, 220))
    found = find(projections, angles)
    assert abs(found.x_um - AXIS) < 0.1 * PIXEL
    assert found.error_um < 0.2 * PIXEL
    far = np.abs(np.array(found.blocks) - AXIS) > PIXEL
    assert far[:4].any()  # they are noise
    assert not far[4:].any()


def test_angles_that_cover_too_little_are_refused():
    with pytest.raises(ValueError, match="angles cover 150 degrees, but half a turn.*radians"):
        find(spots(turn(60, 150)), turn(60, 150))
    with pytest.raises(ValueError, match="angles cover 3.142 degrees"):
        find(spots(turn(60, 180)), np.deg2rad(turn(60, 180)))
    with pytest.raises(ValueError, match="angles cover 180 degrees, but for a cone, a full turn"):
        find(spots(turn(60, 180)), turn(60, 180), source_um=400.0)
    two = np.concatenate([turn(30, 90), turn(30, 90, 150.0)])
    with pytest.raises(ValueError, match="leave gaps of up to 63 degrees, and up to 30 are allowed"):
        find(spots(two), two)
    with pytest.raises(ValueError, match="59 angles for 60 projections"):
        find(spots(turn(60)), turn(59))


@pytest.mark.parametrize("degrees", [180, 360])
@pytest.mark.parametrize("rows", [1, 12])
def test_constant_projections_and_noise_tell_nothing(degrees, rows):
    angles = turn(90, degrees)
    noise = np.random.default_rng(0).normal(size=(90, rows, 200))
    with pytest.raises(ValueError, match="no place is clearly better than others .score 0.0"):
        find(ct.volume(noise, PIXEL, dims=DIMS), angles)
    with pytest.raises(ValueError, match="the projections are constant, 0.3 everywhere"):
        find(ct.volume(np.full((90, rows, 200), 0.3), PIXEL, dims=DIMS), angles)


def test_blocks_that_disagree_are_refused():
    angles = turn(60)
    apart = [spots(angles, at) for at in (2.0, 2.8, 3.6, 4.4)]
    rows = ct.volume(np.concatenate([part.values for part in apart], axis=1), PIXEL, dims=DIMS)
    with pytest.raises(ValueError, match="blocks of rows disagree by"):
        find(rows, angles)


def test_a_best_place_at_the_border_of_the_search_is_refused():
    angles = turn(60)
    with pytest.raises(ValueError, match="at the border of the search range.*Widen search_um"):
        find(spots(angles), angles, search_um=(3.4, 4.2))
    assert find(spots(angles), angles, search_um=(2.9, 3.5)).x_um == pytest.approx(3.2, abs=0.01)


@pytest.mark.parametrize(
    ("search", "error", "message"),
    [
        ("wide", TypeError, "two numbers in µm"),
        (1.0, TypeError, "two numbers in µm"),
        ((1.0, None), TypeError, "two numbers in µm"),
        ((1.0, 2.0, 3.0), TypeError, "two numbers in µm"),
        ((3.0, 1.0), ValueError, "between 0 and 6.3 µm"),
        ((3.0, np.nan), ValueError, "between 0 and 6.3 µm"),
        ((3.0, 9.0), ValueError, "between 0 and 6.3 µm"),
        ((3.0, 3.2), ValueError, "0.4 µm or more apart"),
    ],
)
def test_a_search_range_is_two_places_in_view(search, error, message):
    with pytest.raises(error, match=message):
        find(spots(turn(60)), turn(60), search_um=search)


def test_other_input_is_refused():
    with pytest.raises(TypeError, match="find the centre of rotation: projections are of type ndarray"):
        find(np.zeros((60, 1, 64)), turn(60))
    with pytest.raises(ValueError, match="7 columns wide, but 8 or more"):
        find(spots(turn(60))[..., :7], turn(60))
    with pytest.raises(ValueError, match="source_um=3.0: projections are 6.4 µm wide"):
        find(spots(turn(60)), turn(60), source_um=3.0)
    spoilt = spots(turn(60)).copy()
    spoilt[5, 0, 3] = np.inf
    with pytest.raises(ValueError, match="projection 5 holds NaN or infinite"):
        find(spoilt, turn(60))
