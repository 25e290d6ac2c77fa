"""Random fields: moments and correlation in closed form, and the same field through every window."""

import numpy as np
import pytest

from corrtomo.simulate import noise

KEY = noise.stream(3, "test")


def test_white_noise_has_mean_0_and_variance_1():
    field = noise.white(KEY, (0, 0, 0), (64, 64, 64))
    count = field.size
    assert abs(field.mean()) < 4 / np.sqrt(count)
    assert abs(field.var() - 1) < 4 * np.sqrt(2 / count)


def test_neighbours_are_independent():
    field = noise.white(KEY, (0, 0, 0), (64, 64, 64)).astype(float)
    for axis in range(3):
        a, b = np.delete(field, 0, axis), np.delete(field, -1, axis)
        assert abs((a * b).mean()) < 4 / np.sqrt(a.size)


def test_a_window_shows_the_same_field():
    whole = noise.smooth(KEY, (-5, 0, 3), (20, 20, 20), (1.0, 1.5, 2.0))
    part = noise.smooth(KEY, (0, 4, 10), (6, 7, 8), (1.0, 1.5, 2.0))
    np.testing.assert_allclose(part, whole[5:11, 4:11, 7:15], atol=1e-5)


def test_a_periodic_field_repeats():
    field = noise.white(KEY, (-4, -2, 0), (12, 8, 4), (6, 4, 0))
    np.testing.assert_array_equal(field[:6], field[6:])
    np.testing.assert_array_equal(field[:, :4], field[:, 4:])
    assert (noise.white(KEY, (0, 0, 0), (1, 1, 8))[..., :4] != noise.white(KEY, (0, 0, 4), (1, 1, 4))).any()


@pytest.mark.parametrize("sigma", [1.0, 2.5])
def test_smooth_noise_has_the_correlation_of_two_gaussians(sigma):
    field = noise.smooth(KEY, (0, 0, 0), (8, 300, 300), (0.5, sigma, sigma)).astype(float)
    assert field.var() == pytest.approx(1.0, abs=0.05)
    for lag in (1, 3):
        found = (field[..., lag:] * field[..., :-lag]).mean() / field.var()
        assert found == pytest.approx(np.exp(-(lag**2) / (4 * sigma**2)), abs=0.03)


def test_topics_and_seeds_are_independent_streams():
    fields = [
        noise.white(noise.stream(seed, topic), (0, 0, 0), (32, 32, 32)).ravel()
        for seed, topic in ((1, "a"), (1, "b"), (2, "a"))
    ]
    correlation = np.corrcoef(fields) - np.eye(3)
    assert np.abs(correlation).max() < 4 / np.sqrt(32**3)
