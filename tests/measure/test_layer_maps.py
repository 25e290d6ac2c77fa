"""Thickness and gaps: by hand on layers made up, with their intervals."""

import numpy as np
import pytest
import xarray as xr

import corrtomo as ct


def made(turns=3, count=64, *, pitch=100.0, width=40.0, error=1.0, noise=0.0, layers=1, slices=None):
    """Return a spiral of known radii; a second layer lies 50 µm further out."""
    shape = (layers, turns, count) if slices is None else (slices, layers, turns, count)
    turn = np.arange(turns)[:, None] + (np.arange(count) + 0.5) / count
    middle = 1000 + pitch * turn + 50.0 * np.arange(layers)[:, None, None] + np.zeros(shape)
    rng = np.random.default_rng(0)
    dims = ("layer", "turn", "angle") if slices is None else ("z", "layer", "turn", "angle")
    data = {"radius_um": middle, "inner_um": middle - width / 2, "outer_um": middle + width / 2}
    for name in ("inner_um", "outer_um"):
        data[name] = data[name] + noise * rng.standard_normal(shape)
    errors = {f"{name[:-3]}_se_um": np.full(shape, error) for name in data}
    attrs = {"pitch_um": pitch}
    return xr.Dataset({name: (dims, values) for name, values in {**data, **errors}.items()}, attrs=attrs)


def test_thickness_is_across_the_layer_and_its_interval_that_of_two_edges():
    found = ct.measure.layer_thickness(made())
    slope = 100 / (2 * np.pi) / 1150
    assert float(found.thickness_um.median()) == pytest.approx(40 / np.hypot(1, slope), rel=1e-4)
    half = (found.high_um - found.low_um) / 2
    assert float(half.median()) == pytest.approx(1.95996 * np.sqrt(2), rel=1e-3)
    narrow = ct.measure.layer_thickness(made(), level=0.5)
    assert float((narrow.high_um - narrow.low_um).median() / 2) == pytest.approx(
        0.6745 * np.sqrt(2), rel=1e-3
    )


def test_a_steep_layer_is_thinner_across_than_along_the_radius():
    steep = made(pitch=100.0)
    angle = np.arange(64) * 2 * np.pi / 64
    wave = 300 * np.sin(angle)
    for name in ("radius_um", "inner_um", "outer_um"):
        steep[name] = steep[name] + wave
    found = ct.measure.layer_thickness(steep).thickness_um[0, 1]
    slope = (300 * np.cos(angle) + 100 / (2 * np.pi)) / steep.radius_um.values[0, 1]
    assert found.values == pytest.approx(40 / np.hypot(1, slope), rel=2e-3)


def test_intervals_hold_the_truth_as_often_as_they_say():
    found = ct.measure.layer_thickness(made(40, 200, error=2.0, noise=2.0))
    assert float(((found.low_um < 40) & (found.high_um > 40)).mean()) == pytest.approx(0.95, abs=0.02)


def test_gaps_go_to_the_next_turn_or_the_nearest_other_layer():
    gaps = ct.measure.layer_gaps(made())
    assert gaps.gap_um.dims == ("layer", "turn", "angle")
    assert float(gaps.gap_um[0, 0].median()) == pytest.approx(60, abs=0.1)
    assert np.isnan(gaps.gap_um[0, -1]).all()
    two = made(layers=2, width=20.0, slices=2)
    for pair in ((0, 1), (1, 0)):
        between = ct.measure.layer_gaps(two, between=pair).gap_um
        assert between.dims == ("z", "turn", "angle")
        assert float(between.median()) == pytest.approx(30, abs=0.1)
    assert np.isnan(ct.measure.layer_gaps(two, between=(1, 0)).gap_um[:, -1]).all()


@pytest.mark.parametrize("by", [-1, 1, 2])
def test_turns_of_two_layers_may_be_counted_from_elsewhere(by):
    """Two layers need not begin in the same turn: what is nearest is asked for, not what has its number."""
    two = made(layers=2, width=20.0)
    other = two.isel(layer=[1]).shift(turn=by)
    between = ct.measure.layer_gaps(xr.concat([two.isel(layer=[0]), other], "layer"), between=(0, 1)).gap_um
    assert float(between.median()) == pytest.approx(30, abs=0.1)
    assert int(between.notnull().sum()) >= between.size * (1 - 2 / two.sizes["turn"]) - 1


def test_missing_edges_are_missing_and_nothing_else():
    holed = made()
    holed["inner_um"][0, 1, 5] = np.nan
    found = ct.measure.layer_thickness(holed)
    assert int(found.thickness_um.isnull().sum()) == 1
    assert int(ct.measure.layer_gaps(holed).gap_um.isnull().sum()) == 64 + 1


@pytest.mark.parametrize("measure", [ct.measure.layer_thickness, ct.measure.layer_gaps])
def test_what_is_no_layers_is_refused(measure):
    for none in (None, "layers", np.zeros(3), made().radius_um):
        with pytest.raises(TypeError, match="a Dataset of traced layers is needed"):
            measure(none)
    with pytest.raises(ValueError, match="lacks inner_um"):
        measure(made().drop_vars("inner_um"))
    with pytest.raises(ValueError, match="lacks dims"):
        measure(made().isel(turn=0))
    for level in (0.0, 1.0, np.nan):
        with pytest.raises(ValueError, match="level"):
            measure(made(), level=level)
    for pair in ((0, 1), (0,), "01", (0, True)):
        with pytest.raises(ValueError, match="two numbers of layers"):
            ct.measure.layer_gaps(made(), between=pair)


def test_parts_of_layers_that_make_no_turns_are_refused():
    whole = made().assign_coords(turn=np.arange(3), angle=(np.arange(64) + 0.5) * 2 * np.pi / 64)
    assert ct.measure.layer_gaps(whole.isel(angle=slice(0, None, 2), turn=slice(1, 3))).gap_um.size == 64
    for part in ({"turn": [0, 2]}, {"turn": [2, 1, 0]}):
        with pytest.raises(ValueError, match="each must follow the one before"):
            ct.measure.layer_gaps(whole.isel(part))
    with pytest.raises(ValueError, match="those of full turns"):
        ct.measure.layer_thickness(whole.isel(angle=slice(0, 20)))
    for part in ({"turn": []}, {"layer": []}):
        with pytest.raises(ValueError, match="Some places, numbers, and a pitch"):
            ct.measure.layer_thickness(whole.isel(part))
    for spoilt in (whole.assign_attrs(pitch_um=np.nan), whole.assign(inner_um=whole.inner_um.astype(str))):
        with pytest.raises(ValueError, match="Some places, numbers, and a pitch"):
            ct.measure.layer_thickness(spoilt)
    with pytest.raises(ValueError, match="lacks dims"):
        ct.measure.layer_thickness(made(slices=2).transpose("layer", "turn", "angle", "z"))
    with pytest.raises(ValueError, match="at 192 places the outer edge is nearer"):
        ct.measure.layer_thickness(whole.assign(inner_um=whole.outer_um, outer_um=whole.inner_um))
