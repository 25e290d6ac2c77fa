"""Scribbles of a simulated operator."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corrtomo as ct

rng = np.random.default_rng(0)
TRUTH = ct.volume(np.repeat(np.repeat(rng.integers(0, 3, (4, 5)), 20, 0), 20, 1), 0.1)


def test_strokes_lie_in_their_class():
    painted = ct.simulate.scribbles(TRUTH, 5, seed=1)
    where = painted != 255
    assert (painted.values[where.values] == TRUTH.values[where.values]).all()
    assert set(np.unique(painted)) == {0, 1, 2, 255}


def test_a_margin_keeps_away_from_borders():
    from scipy import ndimage

    painted = ct.simulate.scribbles(TRUTH, 5, margin_um=0.3, width_um=0.1).values
    for code in range(3):
        inside = ndimage.distance_transform_edt(np.pad(TRUTH.values == code, 1))[1:-1, 1:-1] * 0.1
        assert inside[painted == code].min() > 0.2


def test_more_strokes_paint_more_and_other_seeds_elsewhere():
    few, many = (int((ct.simulate.scribbles(TRUTH, n) != 255).sum()) for n in (1, 8))
    assert many > 3 * few
    assert not ct.simulate.scribbles(TRUTH, 3, seed=1).equals(ct.simulate.scribbles(TRUTH, 3, seed=2))
    assert ct.simulate.scribbles(TRUTH, 3, seed=1).equals(ct.simulate.scribbles(TRUTH, 3, seed=1))


def test_mistakes_have_another_code():
    painted = ct.simulate.scribbles(TRUTH, 200, mistakes=0.3, length_um=0.3).values
    wrong = (painted != TRUTH.values)[painted != 255].mean()
    assert 0.15 < wrong < 0.45


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 50), st.integers(1, 4), st.floats(0.05, 3.0), st.floats(0.05, 1.0))
def test_whatever_the_brush_every_class_is_painted(seed, strokes, length, width):
    painted = ct.simulate.scribbles(TRUTH, strokes, length_um=length, width_um=width, seed=seed)
    assert set(np.unique(painted)) == {0, 1, 2, 255}


@pytest.mark.parametrize(
    "options",
    [
        {"strokes": 0},
        {"strokes": 1.5},
        {"length_um": 0},
        {"width_um": -1},
        {"margin_um": np.nan},
        {"mistakes": 1.0},
        {"seed": -1},
    ],
)
def test_brushes_out_of_range(options):
    with pytest.raises(ValueError, match=r"Cannot (paint|simulate)"):
        ct.simulate.scribbles(TRUTH, **options)


def test_what_has_no_classes_is_refused():
    with pytest.raises(ValueError, match="two or more"):
        ct.simulate.scribbles(TRUTH * 0)
    with pytest.raises(TypeError, match="integer codes"):
        ct.simulate.scribbles(TRUTH.astype(float))
    with pytest.raises(ValueError, match="2D"):
        ct.simulate.scribbles(ct.volume(np.zeros((3, 3, 3), int), 1.0))
