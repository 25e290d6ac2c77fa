"""Line integrals from counts: closed forms, dead pixels, starved ones, refusals."""

import tracemalloc

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corrtomo as ct

DIMS = ("angle", "z", "x")
PIXEL = 0.05


def image(values, pixel=PIXEL, origin=0.0):
    values = np.asarray(values)
    return ct.volume(values, pixel, origin=origin, dims=DIMS[-values.ndim :])


def attenuation(counts, flat, dark=None, **options):
    dark = None if dark is None else image(dark)
    return ct.reconstruct.attenuation(image(counts), image(flat), dark, progress=False, **options)


def wedge():
    """Line integrals that grow along x and angle, and the gain of each pixel."""
    lines = 0.1 * np.arange(6)[:, None, None] + 0.02 * np.arange(40) + np.zeros((6, 12, 40))
    gain = 1 + 0.03 * np.random.default_rng(0).normal(size=(12, 40))
    return lines, gain


def test_line_integrals_are_found_whatever_gain_beam_and_dark():
    lines, gain = wedge()
    beam = 2000 * np.exp(-((np.arange(40) - 15) ** 2) / 900)
    dark = 100 + 5 * gain
    for flats in (beam * gain + dark, np.array([0.9, 1.1])[:, None, None] * beam * gain + dark):
        found = attenuation(beam * gain * np.exp(-lines) + dark, flats, dark)
        np.testing.assert_allclose(found, lines, atol=1e-5)
        assert found.dims == DIMS
        assert found.dtype == np.float32
        assert ct.reconstruct.projections.check_projections(found, doing="test") == (PIXEL, PIXEL)
        assert found.attrs == {"starved_pixels": 0, "repaired_pixels": []}


def test_air_that_is_brighter_than_the_flat_stays_negative():
    found = attenuation(np.full((2, 3, 9), 110, np.uint16), np.full((3, 9), 100, np.uint16))
    np.testing.assert_allclose(found, -np.log(1.1), rtol=1e-6)


def test_a_pixel_without_a_count_holds_half_of_one_and_is_counted():
    counts = np.full((3, 4, 9), 50, np.uint16)
    counts[1, 2, 5] = counts[2, 0, 0] = 0
    found = attenuation(counts, np.full((4, 9), 100))
    assert found.attrs["starved_pixels"] == 2
    np.testing.assert_allclose(found.values[counts == 0], np.log(200), rtol=1e-6)
    np.testing.assert_allclose(found.values[counts > 0], np.log(2), rtol=1e-6)
    assert attenuation(counts, np.full((4, 9), 103), np.full((4, 9), 3)).attrs["starved_pixels"] == 2


def dead(kind):
    """Counts and flat of a wedge in which pixel (3, 20) and column 30 and 31 do not work."""
    lines, gain = wedge()
    flat, counts = 1000 * gain, 1000 * gain * np.exp(-lines)
    for row, column in ((3, 20), (slice(None), slice(30, 32))):
        if kind == "no flat":
            flat[row, column] = 0
        elif kind == "no counts":
            counts[:, row, column] = 0
        elif kind == "hot":
            flat[row, column], counts[:, row, column] = 5000, 5000
        elif kind == "glows":
            counts[:, row, column] = 3000
    return counts, flat, lines


@pytest.mark.parametrize("kind", ["no flat", "no counts", "hot", "glows"])
def test_dead_and_hot_pixels_are_refused_or_filled(kind):
    counts, flat, lines = dead(kind)
    with pytest.raises(
        ValueError, match="25 of 480 pixels are dead or hot: column 30, column 31, row 3 column 20. Every"
    ):
        attenuation(counts, flat)
    found = attenuation(counts, flat, repair=True)
    np.testing.assert_allclose(found, lines, atol=1e-5)  # a wedge is linear along x: filled exactly
    assert len(found.attrs["repaired_pixels"]) == 25
    assert [3, 20] in found.attrs["repaired_pixels"]
    assert found.attrs["starved_pixels"] == 0


def test_at_the_border_the_nearest_live_pixel_is_taken():
    lines, gain = wedge()
    flat = 1000 * gain
    flat[:, :2] = 0
    found = attenuation(1000 * gain * np.exp(-lines), flat, repair=True)
    np.testing.assert_allclose(found[..., 0], lines[..., 2], atol=1e-5)


def test_a_dark_that_glows_in_one_pixel_is_hot():
    dark = np.full((12, 40), 10.0)
    dark[4, 7] = 400
    with pytest.raises(ValueError, match="1 of 480 pixels are dead or hot: row 4 column 7"):
        attenuation(np.full((3, 12, 40), 600.0), np.full((12, 40), 1000.0), dark)


def test_noise_of_few_counts_is_not_taken_for_dead_pixels():
    rng = np.random.default_rng(0)
    flats = rng.poisson(60, (20, 100, 200))
    found = attenuation(rng.poisson(30, (4, 100, 200)), flats)
    assert abs(float(np.exp(-found).mean()) - 0.5) < 0.01


def test_gaps_that_are_too_wide_are_not_filled():
    lines, gain = wedge()
    flat = 1000 * gain
    flat[2, 5:22] = 0
    with pytest.raises(ValueError, match="in row 2, 17 of 40 pixels are dead or hot, up to 17 side by side"):
        attenuation(1000 * gain * np.exp(-lines), flat, repair=True)
    flat = 1000 * gain
    flat[2, ::3] = flat[2, 1::3] = 0
    with pytest.raises(ValueError, match="in row 2, 27 of 40 pixels"):
        attenuation(1000 * gain * np.exp(-lines), flat, repair=True)


@pytest.mark.parametrize("chunks", [(1, -1, -1), (4, 5, 7)])
def test_lazy_counts_give_the_same(chunks):
    counts, flat, _ = dead("no counts")
    lazy = image(counts).copy(data=da.from_array(counts, chunks=chunks))
    found = ct.reconstruct.attenuation(lazy, image(flat).chunk(), repair=True, progress=False)
    assert isinstance(found.data, np.ndarray)
    assert found.identical(attenuation(counts, flat, repair=True))


def test_memory_is_that_of_the_result():
    counts = image(np.resize(np.arange(400, 600, dtype=np.uint16), (120, 256, 512)))
    flat = image(np.full((256, 512), 900, np.uint16))
    tracemalloc.start()
    found = ct.reconstruct.attenuation(counts, flat, progress=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.6 * found.nbytes


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    seed=st.integers(0, 99),
    shape=st.tuples(*[st.integers(1, 6)] * 3),
    mean=st.floats(0.5, 1000),
    dtype=st.sampled_from(["u2", "i4", "f4", "f8"]),
)
def test_what_comes_out_is_finite_and_falls_with_counts(seed, shape, mean, dtype):
    counts = np.random.default_rng(seed).poisson(mean, shape).astype(dtype) + 1  # none is dead
    found = attenuation(counts, np.full(shape[1:], 2 * mean + 5))
    assert np.isfinite(found).all()
    order = np.argsort(counts.ravel(), kind="stable")
    assert (np.diff(found.values.ravel()[order]) <= 1e-6).all()


def test_a_missing_flat_and_plain_arrays_are_refused():
    counts, flat = np.full((2, 3, 4), 9), image(np.full((3, 4), 20))
    call = ct.reconstruct.attenuation
    with pytest.raises(TypeError, match="without a flat: how bright"):
        call(image(counts), None)
    with pytest.raises(TypeError, match="projections are of type ndarray"):
        call(counts, flat)
    with pytest.raises(TypeError, match="the flat is of type ndarray"):
        call(image(counts), flat.values)
    with pytest.raises(TypeError, match="the dark is of type str"):
        call(image(counts), flat, "none")


def test_a_flat_on_another_grid_is_refused():
    counts = image(np.full((2, 3, 4), 9))
    call = ct.reconstruct.attenuation
    with pytest.raises(ValueError, match=r"the flat has \(3, 5\) rows and columns, the projections \(3, 4\)"):
        call(counts, image(np.full((3, 5), 20)))
    with pytest.raises(ValueError, match="divide by the flat: their z coordinates differ"):
        call(counts, image(np.full((3, 4), 20), pixel=0.06))
    with pytest.raises(ValueError, match="divide by the dark: their x coordinates differ"):
        call(counts, image(np.full((3, 4), 20)), image(np.full((3, 4), 2), origin=(0, 1)))
    with pytest.raises(ValueError, match="use the flat: projections have dims"):
        call(counts, ct.volume(np.full((3, 4), 20), PIXEL))


def test_values_that_are_no_counts_are_refused():
    good, flat = np.full((2, 3, 4), 9.0), np.full((3, 4), 20.0)
    with pytest.raises(ValueError, match="median of 1, but counts are needed"):
        attenuation(good / 20, flat / 20)
    with pytest.raises(ValueError, match="if flat and dark are swapped"):
        attenuation(good, np.full((3, 4), 2.0), flat)
    with pytest.raises(ValueError, match="hold values down to -1"):
        attenuation(good - 10, flat)
    with pytest.raises(ValueError, match="projection 1 holds NaN"):
        attenuation(np.where(np.arange(2)[:, None, None], np.nan, good), flat)
    with pytest.raises(ValueError, match="use the flat: 12 of 12 grey values are NaN"):
        attenuation(good, flat * np.nan)


def recorded(seed=0, *, shape=(40, 12, 60), bright=2000, lines=1.0):
    """Counts of a rod that turns about the axis, with noise, and five flats."""
    rng = np.random.default_rng(seed)
    x, turn = np.arange(shape[2]) - shape[2] / 2, 2 * np.pi * np.arange(shape[0]) / shape[0]
    away = x - 5 * np.cos(turn)[:, None, None]
    lines = 0.08 * lines * np.sqrt(np.maximum(18.0**2 - away**2, 0)) + np.zeros(shape)
    return rng.poisson(bright * np.exp(-lines)), rng.poisson(bright, (5, *shape[1:]))


def test_a_usual_scan_gives_no_warning():
    counts, flat = recorded()
    assert attenuation(counts, flat).attrs["repaired_pixels"] == []


@pytest.mark.parametrize(("times", "level"), [(10, "2.3"), (0.6, "-0.51")])
def test_a_flat_of_another_exposure_is_told(times, level):
    counts, flat = recorded()
    with pytest.warns(UserWarning, match=f"at the left and right border is {level}, and air has 0.*expos"):
        attenuation(counts, (times * flat).round())


def test_counts_that_are_divided_by_the_flat_already_are_refused():
    counts, flat = recorded()
    with pytest.raises(ValueError, match=r"counts are 1\.\d* at most.*divided by a flat already.*-np.log"):
        attenuation(counts / 2000, flat)


def test_a_projection_without_a_beam_is_named():
    counts, flat = recorded()
    counts[20:] = 0
    with pytest.raises(ValueError, match=r"projection 20 holds 0 counts a pixel.* 20 of 40.*drop_isel"):
        attenuation(counts, flat)
    noise = np.random.default_rng(1).poisson(100, counts.shape)
    with pytest.raises(ValueError, match="projection 20 holds"):
        attenuation(counts + noise, flat + 100.0, np.full(flat.shape, 100.0))


def test_counts_at_the_end_of_the_scale_are_told():
    counts, flat = recorded()
    with pytest.warns(UserWarning, match=r"saturated: \d+ % of the counts are exactly 1500"):
        attenuation(counts.clip(max=1500), flat.clip(max=1500))


def test_many_starved_pixels_are_told():
    counts, flat = recorded(bright=8, lines=1.6)
    with pytest.warns(UserWarning, match=r"\d\d % of the pixels of single projections hold no count"):
        attenuation(counts, flat)


@pytest.mark.parametrize("part", [np.s_[:, 20], np.s_[3, 20]])
def test_a_pixel_that_is_stuck_is_dead(part):
    counts, flat = recorded()
    counts[(slice(None), *part)] = flat[(slice(None), *part)] = 1900
    with pytest.raises(ValueError, match="dead or hot: .*column 20"):
        attenuation(counts, flat)
    found = attenuation(counts, flat, repair=True)
    assert [3, 20] in found.attrs["repaired_pixels"]
    whole = attenuation(*recorded())
    assert abs(float((found - whole)[:, 3, 20].mean())) < 0.05


def test_repair_is_true_or_false():
    counts, flat = recorded()
    with pytest.raises(TypeError, match="repair='yes': True or False"):
        attenuation(counts, flat, repair="yes")
