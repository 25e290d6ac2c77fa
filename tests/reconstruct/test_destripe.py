"""Destriping: known stripes removed, all else kept, wavelets' filter beaten, chunks, refusals."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import corrtomo as ct
from corrtomo.reconstruct.destripe import _average_steps

EDGE = 0.05


def phases(seed=0, shape=(240, 260)):
    """Two phases with curved edges, and a little texture."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=shape), 12)
    return np.where(field > 0, 170.0, 80.0)


def curtains(seed=1, shape=(240, 260), strength=0.08, length=60):
    """Factors that are smooth over two columns, and come and go along y."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=shape), (length, 1.2), mode="wrap")
    field -= ndimage.gaussian_filter1d(field, 5, axis=1, mode="wrap")
    return 1 + strength * field / field.std()


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


def noise(seed=2, shape=(240, 260)):
    return 5 * np.random.default_rng(seed).normal(size=shape)


def removed(grey, **options):
    return ct.reconstruct.destripe(ct.volume(grey, EDGE), progress=False, **options).values


def test_curtains_are_more_than_halved_and_without_them_little_changes():
    plain = phases() + noise()
    striped = phases() * curtains() + noise()
    left, harm = rms(removed(striped) - plain), rms(removed(plain) - plain)
    assert left < 0.5 * rms(striped - plain)
    assert harm < 0.25 * rms(striped - plain)
    again = removed(striped, width_um=0.15)
    assert rms(again - striped) < rms(removed(striped) - striped)


def damped_in_fourier_space(grey, length=40, width=6):
    """The common filter: what is long along y and narrow along x, edges included."""
    along = ndimage.gaussian_filter1d(grey, length, axis=0, mode="nearest")
    return grey - (along - ndimage.gaussian_filter1d(along, width, axis=1, mode="nearest"))


def test_edges_do_not_become_stripes_as_in_fourier_space():
    plain = phases() + noise()
    striped = phases() * curtains() + noise()
    assert rms(removed(striped) - plain) < 0.7 * rms(damped_in_fourier_space(striped) - plain)
    assert rms(removed(plain) - plain) < 0.7 * rms(damped_in_fourier_space(plain) - plain)


def test_a_stripe_of_a_known_factor_is_divided_out():
    grey = np.full((100, 80), 100.0) + 0.01 * noise()[:100, :80]
    grey[:, 40:42] *= 1.05
    even = removed(grey, length_um=1e6, width_um=1.0)
    assert rms(even[:, 40:42] - 100) < 0.6
    assert rms(even[:, :30] - 100) < 0.6
    steep = np.where(np.arange(80) == 40, 200.0, grey)
    assert removed(steep)[:, 40].min() > 190  # much more than noise: an upright edge, not a stripe


@settings(deadline=None, derandomize=True, max_examples=30)
@given(
    factor=st.floats(0.1, 30),
    seed=st.integers(0, 99),
    shape=st.tuples(st.integers(1, 20), st.integers(1, 20)),
)
def test_brightness_is_only_a_factor_and_mirroring_changes_nothing(factor, seed, shape):
    grey = np.random.default_rng(seed).uniform(10, 200, shape)
    even = removed(grey)
    assert np.isfinite(even).all()
    np.testing.assert_allclose(removed(grey * factor), even * factor, rtol=2e-3)
    np.testing.assert_allclose(removed(grey[::-1])[::-1], even, rtol=2e-3)


def test_an_image_without_steps_along_x_stays():
    grey = np.repeat(np.linspace(50, 200, 60)[:, None], 40, axis=1)
    np.testing.assert_allclose(removed(grey), grey, rtol=1e-5)
    assert (removed(np.zeros((5, 6))) == 0).all()
    assert removed(np.full((5, 6), 7, np.uint8)).tolist() == [[7] * 6] * 5


def test_steps_are_averaged_as_a_direct_sum_does():
    rng = np.random.default_rng(0)
    step = rng.normal(size=(9, 4)).astype(np.float32)
    edge, keep = np.float32(1.0), np.float32(0.7)
    apart = np.abs(np.arange(9)[:, None] - np.arange(9))
    weight = 0.7**apart
    inside = np.abs(step) <= 1.0
    wanted = weight @ (step * inside) / np.maximum(weight @ inside, 1.5)
    found = _average_steps(step, edge, keep, np.float32(1.5))
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


def stack():
    grey = np.array([phases(k, (60, 70)) * curtains(k + 9, (60, 70)) for k in range(5)])
    return ct.volume(grey.clip(0, 255).astype(np.uint8), EDGE)


@pytest.mark.parametrize("chunks", [(1, -1, -1), (2, 30, 20), (5, 60, 70)])
def test_a_lazy_stack_equals_each_image_alone(chunks):
    eager = ct.reconstruct.destripe(stack())
    assert eager.dtype == np.uint8
    for k in range(5):
        np.testing.assert_array_equal(ct.reconstruct.destripe(stack()[k]), eager[k])
    lazy = stack().copy(data=da.from_array(stack().values, chunks=chunks))
    found = ct.reconstruct.destripe(lazy)
    assert isinstance(found.data, da.Array)
    assert found.compute().identical(eager)
    np.testing.assert_array_equal(ct.reconstruct.destripe(lazy[2]).compute(), eager[2])


def with_value(value):
    image = stack().astype(float)
    image[3, 4, 5] = value
    return image


REFUSED = [
    (lambda: stack().values, TypeError, "ct.volume"),
    (lambda: stack()[:, 0], ValueError, "y, x or z, y, x are needed"),
    (lambda: stack()[0, 0], ValueError, "1D image"),
    (lambda: stack() > 3, TypeError, "labels or a mask"),
    (lambda: stack().assign_attrs(phases={}), TypeError, "labels or a mask"),
    (lambda: stack()[0].expand_dims(channel=["a"]), ValueError, "channels"),
    (lambda: with_value(np.nan), ValueError, "slice 3"),
    (lambda: with_value(np.inf), ValueError, "slice 3"),
    (lambda: with_value(-1.0), ValueError, "below 0"),
]


@pytest.mark.parametrize(("make", "error", "match"), REFUSED)
def test_what_has_no_stripes_is_refused(make, error, match):
    with pytest.raises(error, match=match):
        ct.reconstruct.destripe(make())


def test_a_lazy_image_names_the_slice_that_is_bad():
    bad = with_value(np.nan)
    lazy = bad.copy(data=da.from_array(bad.values, chunks=(2, -1, -1)))
    with pytest.raises(ValueError, match="slice 3"):
        ct.reconstruct.destripe(lazy).compute()


@pytest.mark.parametrize("name", ["length_um", "width_um"])
def test_lengths_that_cannot_be_are_refused(name):
    with pytest.raises(ValueError, match=name):
        ct.reconstruct.destripe(stack(), **{name: 0.0})
    with pytest.raises(TypeError, match=name):
        ct.reconstruct.destripe(stack(), **{name: "2"})
    with pytest.raises(ValueError, match=f"{name} 1e-300 µm: .* or more is allowed"):
        ct.reconstruct.destripe(stack(), **{name: 1e-300})


def test_a_width_far_beyond_the_image_is_refused_and_one_up_to_it_is_not():
    for image in (stack(), stack().chunk({"z": 2})):
        with pytest.raises(ValueError, match=r"width_um 1000000.0 µm: up to 50 µm is allowed"):
            ct.reconstruct.destripe(image, width_um=1e6)
    assert ct.reconstruct.destripe(stack(), width_um=3.5, length_um=1e6).shape == stack().shape
