"""Horizons in closed form: slots, pits and flat ground."""

import numpy as np
import pytest

from corrtomo.simulate.visibility import horizons, seen_share


def slot(depth, half_width, pixel=0.05, size=201):
    surface = np.zeros((size, size), np.float32)
    middle = size // 2
    half = round(half_width / pixel)
    surface[:, middle - half : middle + half + 1] = depth
    row = middle - half + np.arange(2 * half + 1)
    return (
        surface,
        (np.flatnonzero(surface > 0) % size == middle) & (np.flatnonzero(surface > 0) // size == middle),
        row,
    )


def test_flat_ground_has_no_horizon():
    assert horizons(np.zeros((5, 5), np.float32), 0.1).shape == (16, 0)


def test_a_slot_seen_from_its_middle():
    surface, middle, _ = slot(1.0, 1.0)
    tangents = horizons(surface, 0.05, directions=4)[:, middle][:, 0]
    np.testing.assert_allclose(tangents, [1.0, 0.0, 1.0, 0.0], atol=0.15)  # along x the walls, along y none


def test_the_deeper_the_steeper():
    shallow, middle, _ = slot(0.5, 1.0)
    deep, _, _ = slot(2.0, 1.0)
    ratio = horizons(deep, 0.05, 2)[:, middle] / horizons(shallow, 0.05, 2)[:, middle]
    np.testing.assert_allclose(ratio, 4.0, rtol=0.1)


@pytest.mark.parametrize(("tangent", "share"), [(0.0, 1.0), (1.0, 0.5), (np.inf, 0.0)])
def test_what_leaves_under_an_even_horizon(tangent, share):
    """Of all that leaves by the cosine law, sin² of the open angle: a half at 45°."""
    tangents = np.full((16, 3), tangent, np.float32)
    np.testing.assert_allclose(seen_share(tangents, 0.0, 90.0), share, atol=1e-6)


def test_a_detector_near_the_beam_sees_deeper():
    tangents = np.full((16, 1), 4.0, np.float32)  # the horizon is 14° from the normal
    assert seen_share(tangents, 0.0, 5.0)[0] == 1.0
    assert 0.1 < seen_share(tangents, 8.0, 28.0)[0] < 0.3
    assert seen_share(tangents, 20.0, 40.0)[0] == 0.0
