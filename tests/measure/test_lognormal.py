"""Log-normal laws: exact curves, samples, closed forms, refusals."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import lognorm

import corrtomo as ct

repeatable = settings(deadline=None, derandomize=True, max_examples=40)


def curve(values, at=None):
    at = np.linspace(0, 10, len(values)) if at is None else at
    return xr.DataArray(np.asarray(values, float), dims="diameter_um", coords={"diameter_um": at})


@repeatable
@given(st.floats(-0.5, 2.0), st.floats(0.05, 1.2), st.sampled_from([1e-3, 1.0, 1e3]))
def test_a_law_is_found_again_in_any_unit(location, scale, unit):
    law = ct.measure.LognormalFit(location + np.log(unit), scale, 1.0)
    fit = ct.measure.fit_lognormal(law.density(unit * np.linspace(0, 40, 4000)))
    assert (fit.location, fit.scale) == pytest.approx((location + np.log(unit), scale), abs=1e-4)
    assert fit.r2 == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("scale", [0.3, 0.5, 0.86])
def test_a_law_is_found_from_samples(scale):
    values = np.random.default_rng(2).lognormal(1.22, scale, 400_000).astype(np.float32)
    fit = ct.measure.fit_lognormal(ct.measure.size_density(ct.volume(values, 0.5), 0.1))
    assert (fit.location, fit.scale) == pytest.approx((1.22, scale), abs=0.02)
    assert fit.r2 > 0.99
    assert fit.mean_um == pytest.approx(np.exp(1.22 + scale**2 / 2), rel=0.03)


def test_the_paper_s_law_has_another_mean_than_it_prints():
    law = ct.measure.LognormalFit(1.22, 0.86, 0.97)
    assert law.mean_um == pytest.approx(4.90, abs=5e-3)
    assert law.mean_below_um(15.0) == pytest.approx(4.13, abs=5e-3)


@repeatable
@given(st.floats(-1, 2), st.floats(0.1, 1.2), st.floats(0.05, 1.95))
def test_the_mean_up_to_a_limit_is_an_integral(location, scale, z):
    limit = float(np.exp(location + (z - 1) * scale))
    pdf = lognorm(s=scale, scale=np.exp(location)).pdf
    part = quad(lambda d: d * pdf(d), 0, limit, epsabs=1e-12)[0] / quad(pdf, 0, limit, epsabs=1e-12)[0]
    law = ct.measure.LognormalFit(location, scale, 1.0)
    assert law.mean_below_um(limit) == pytest.approx(part, rel=1e-6)
    assert law.mean_below_um(1e9) == pytest.approx(law.mean_um)
    assert 0 < law.mean_below_um(1e-6) <= 1e-6


def test_the_density_of_a_law_is_that_of_scipy():
    at = np.array([0.0, 0.5, 3.0, 20.0])
    found = ct.measure.LognormalFit(1.0, 0.5, 1.0).density(at)
    np.testing.assert_allclose(found, lognorm.pdf(at, 0.5, scale=np.e))
    xr.testing.assert_identical(found, ct.measure.LognormalFit(1.0, 0.5, 1.0).density(found.diameter_um))
    assert found.dims == ("diameter_um",)


def test_r2_is_the_share_of_the_variance_of_the_curve():
    rng = np.random.default_rng(0)
    at = np.linspace(0.05, 20, 400)
    exact = lognorm.pdf(at, 0.6, scale=4)
    noisy = np.maximum(exact + rng.normal(0, 0.01, at.size), 0)
    fit = ct.measure.fit_lognormal(curve(noisy, at))
    rest = noisy - fit.density(at).values
    assert fit.r2 == pytest.approx(1 - (rest**2).sum() / ((noisy - noisy.mean()) ** 2).sum())
    assert 0.95 < fit.r2 < 0.999


def test_no_law_near_by_is_nearer():
    at = np.linspace(0.05, 20, 400)
    bumpy = lognorm.pdf(at, 0.6, scale=4) * (1 + 0.3 * np.sin(3 * at))
    fit = ct.measure.fit_lognormal(curve(bumpy, at))

    def misfit(location, scale):
        return ((lognorm.pdf(at, scale, scale=np.exp(location)) - bumpy) ** 2).sum()

    best = misfit(fit.location, fit.scale)
    for step in (-0.01, 0.01):
        assert misfit(fit.location + step, fit.scale) > best
        assert misfit(fit.location, fit.scale + step) > best


def test_two_heaps_are_no_log_normal():
    values = np.concatenate([np.full(100, 2.0), np.full(100, 9.0)])
    density = ct.measure.size_density(ct.volume(values, 0.5), 0.5)
    assert ct.measure.fit_lognormal(density).r2 < 0.7


AT = np.linspace(0, 10, 400)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: ct.measure.fit_lognormal(curve(np.zeros(9))), "Cannot fit a log-normal law.*not all zero"),
        (lambda: ct.measure.fit_lognormal([1, 2]), "of list: a density"),
        (lambda: ct.measure.fit_lognormal(curve(np.full(400, 0.1))), "better than a constant"),
        (lambda: ct.measure.fit_lognormal(curve(np.eye(400)[0])), "better than a constant"),
        (lambda: ct.measure.fit_lognormal(curve(1000 * np.exp(-AT))), "the area under the curve is 1e\\+03"),
        (lambda: ct.measure.LognormalFit(1.0, 0.0, 1.0), "scale 0.0"),
        (lambda: ct.measure.LognormalFit(np.nan, 1.0, 1.0), "location nan"),
        (lambda: ct.measure.LognormalFit(1.0, 1.0, 1.0).density([[1.0]]), "shape \\(1, 1\\)"),
        (lambda: ct.measure.LognormalFit(1.0, 1.0, 1.0).density([-1.0]), "not below 0 µm"),
        (lambda: ct.measure.LognormalFit(1.0, 1.0, 1.0).mean_below_um(0), "limit_um 0 µm"),
    ],
)
def test_what_has_no_answer_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()
