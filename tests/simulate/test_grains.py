"""Grains and cracks on a section: closed forms of widths, ends and fillings."""

import numpy as np
import pytest

import corrtomo as ct
from corrtomo.simulate.grains import EMPTY, FILLED, CrackModel, draw_cracks, mark

PIXEL, RADIUS = 0.01, 4.0
OWNER = np.zeros((900, 900), np.int32)
START = np.array([0.0, -4.495, -4.495])


def one_crack(width=0.1, reach=-1.0, filled=0.0, direction=(0.0, 0.0, 1.0)):
    """A crack whose grains are parted by the plane y = 0, in a particle of radius 4 µm about the middle."""
    crack = np.array([[0, 0.0, 1.0, 0.0, 0.0, *direction, width, reach, filled]])
    particles = (np.zeros((1, 3)), np.array([RADIUS]), np.array([5]))
    shade, found = mark(OWNER, particles, crack, PIXEL, START, 0.8, 1)
    return shade, found


def opening(found):
    """Return the mean opening along y at each x, in µm."""
    return (found > 0).sum(axis=0) * PIXEL


def test_a_closed_crack_is_widest_in_the_middle_and_ends_inside():
    x = START[2] + PIXEL * np.arange(900)
    wide = opening(one_crack()[1])
    assert wide[x < -0.3].max() == 0.0  # confined to one side
    assert 0.09 < wide[(x > 0.2) & (x < 1.0)].mean() < 0.3
    assert wide[(x > 2.2) & (x < 3.0)].mean() < wide[(x > 0.2) & (x < 1.0)].mean()
    assert wide[x > 0.8 * RADIUS].max() == 0.0


def test_an_open_crack_widens_to_the_surface():
    x = START[2] + PIXEL * np.arange(900)
    wide = opening(one_crack(reach=0.25)[1])
    assert wide[(x > 0) & (x < 0.9)].max() == 0.0
    assert wide[(x > 3.0) & (x < 4.0)].mean() > wide[(x > 1.2) & (x < 2.0)].mean() + 0.03


def test_the_opening_grows_in_proportion():
    """The crack is as wide as it says along the normal of grain faces, which are steep: never narrower."""
    x = START[2] + PIXEL * np.arange(900)
    middle = (x > 0.2) & (x < 1.0)
    narrow, wide = (opening(one_crack(width=w)[1])[middle].mean() for w in (0.06, 0.12))
    assert narrow > 0.055
    assert wide / narrow == pytest.approx(2.0, rel=0.15)


def test_a_filled_end_is_filled_and_the_rest_empty():
    found = one_crack(filled=0.4)[1]
    x = START[2] + PIXEL * np.arange(900)
    assert (found[:, x < 0.35 * RADIUS] != EMPTY).all()
    assert (found[:, x > 0.6 * RADIUS] != FILLED).all()
    assert {EMPTY, FILLED} <= set(np.unique(found))


def test_shades_are_even_over_grains_and_vary_between_them():
    shade = one_crack()[0]
    assert abs(shade.mean()) < 0.3
    assert shade.std() == pytest.approx(1.0, abs=0.25)
    assert (np.diff(shade, axis=1) == 0).mean() > 0.95


def test_counts_and_kinds_are_drawn_as_stated():
    model = CrackModel(mean=2.0, filled_share=0.3, partly_share=0.2, open_share=0.6, width_sd=1.0)
    cracks = draw_cracks(np.full(3000, 5.0), np.arange(3000), model, 0)
    assert len(cracks) / 3000 == pytest.approx(2.0, abs=0.1)
    assert (cracks[:, 10] == 2.0).mean() == pytest.approx(0.3, abs=0.03)
    assert ((cracks[:, 10] > 0) & (cracks[:, 10] < 1)).mean() == pytest.approx(0.2, abs=0.03)
    assert (cracks[:, 9] >= 0).mean() == pytest.approx(0.6, abs=0.03)
    np.testing.assert_allclose(cracks[:, 8], model.width_um)
    np.testing.assert_allclose(np.linalg.norm(cracks[:, 1:4], axis=1), 1.0)
    np.testing.assert_allclose((cracks[:, 1:4] * cracks[:, 5:8]).sum(axis=1), 0.0, atol=1e-12)


def test_small_particles_do_not_crack():
    assert len(draw_cracks(np.full(50, 1.0), np.arange(50), CrackModel(), 0)) == 0


@pytest.mark.parametrize(
    "options", [{"mean": -1}, {"width_um": 0}, {"filled_share": 0.8, "partly_share": 0.4}, {"width_sd": 0.5}]
)
def test_models_out_of_range(options):
    with pytest.raises(ValueError, match="Cannot use CrackModel"):
        ct.simulate.CrackModel(**options)
