"""Jelly rolls against closed forms: pitch, lengths, volumes and shares."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.transform import Rotation

import corrtomo as ct
from corrtomo.simulate.cell.layers import LAYERS, OUTGROWTH, RollModel
from corrtomo.simulate.cell.shares import shares
from corrtomo.simulate.cell.winding import radius_um

ROUND = RollModel(out_of_round_um=0.0, tab_um=75.0)
"""Round, and with a tab that lifts nothing."""
DEEP_UM = 2000.0


@pytest.fixture(scope="module")
def roll():
    return ct.simulate.jelly_roll(seed=3)


@pytest.fixture(scope="module")
def even():
    return ct.simulate.jelly_roll(outgrowths=0, model=ROUND)


def codes_at(roll, z_um, y_um, x_um):
    """The layer at single points."""
    points = np.column_stack([p.ravel() for p in np.broadcast_arrays(z_um, y_um, x_um)])
    return np.array([roll.layers(0.01, shape=(1, 1, 1), origin=point).item() for point in points])


def test_a_turn_further_out_is_a_pitch_further_out(even):
    assert ROUND.pitch_um == pytest.approx(2 * 85.2 + 2 * 75.6 + 12 + 16 + 2 * 12)
    for layer in ("copper", "aluminium"):
        radius = even.spiral(layer, step_deg=1.0)["radius_um"].to_numpy()
        assert np.abs(radius[360:] - radius[:-360] - ROUND.pitch_um).max() < 1e-6


def test_the_last_turn_fits_into_the_can(roll, even):
    for each in (roll, even):
        of = each.winding
        assert (
            radius_um(of, np.array([of.turns]), of.pitch).item() <= of.can[0] - each.model.clearance_um + 1e-6
        )


def test_foils_are_as_thick_as_stated(even):
    """Along the x axis, at 0.5 µm: each foil has 24 or 32 voxels, and a turn of each kind after the other."""
    line = even.layers(0.5, shape=(1, 1, 17000), origin=(DEEP_UM, 0.0, 2500.0)).values.ravel()
    for name, voxels in (("copper", 24), ("aluminium", 32), ("separator", 24)):
        runs = np.diff(np.flatnonzero(np.diff(np.r_[0, line == LAYERS[name], 0])))[::2]
        assert len(runs) >= 13
        # Radial cuts of a spiral with a slope of pitch / 2πr: as thick within a voxel.
        assert np.abs(runs[1:-1] - voxels).max() <= 1, name


def test_the_spiral_runs_in_its_foil(roll):
    table = roll.spiral("copper", step_deg=90.0)
    angle = np.arctan2(table["y_um"], table["x_um"]).to_numpy()
    half = table["thickness_um"].to_numpy() / 2
    for step, same in ((0.0, True), (0.49, True), (-0.49, True), (1.05, False), (-1.05, False)):
        at = table["radius_um"].to_numpy() + 2 * half * (step if abs(step) < 1 else np.sign(step) * 0.54)
        found = codes_at(roll, DEEP_UM, at * np.sin(angle), at * np.cos(angle))
        assert ((found == LAYERS["copper"]) == same).all(), step


def test_unrolled_length_is_that_of_an_archimedean_spiral():
    """The arc of r = a + b θ is [s √(s² + b²) + b² asinh(s / b)] / 2b between radii s (Kepler's integral)."""
    table = pd.DataFrame(
        {"turn": [3.0, 10.0], "z_um": 900.0, "height_um": 30.0, "radius_um": 30.0, "outward": True}
    )
    roll = ct.simulate.jelly_roll(outgrowths=table, model=ROUND)
    b = ROUND.pitch_um / (2 * np.pi)
    start = ROUND.mandrel_um / 2 + ROUND.anode_um + ROUND.copper_um / 2

    def arc(s):
        return (s * np.hypot(s, b) + b**2 * np.arcsinh(s / b)) / (2 * b)

    expected = [arc(start + ROUND.pitch_um * t) - arc(start) for t in (3.0, 10.0)]
    assert roll.outgrowths["length_um"].to_numpy() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("outward", [True, False])
def test_outgrowths_have_their_volume_and_place(outward):
    table = pd.DataFrame(
        {"turn": [8.3], "z_um": 1000.0, "height_um": 60.0, "radius_um": 45.0, "outward": outward}
    )
    roll = ct.simulate.jelly_roll(outgrowths=table, seed=2)
    row = roll.outgrowths.iloc[0]
    assert row.volume_um3 == pytest.approx(2 / 3 * np.pi * 45**2 * 60)
    box = roll.layers(1.0, shape=(101, 181, 181), origin=(950.0, row.y_um - 90, row.x_um - 90))
    grown = box == OUTGROWTH
    # The foil bends away from the tangent by b² / 4r on average, less than a µm.
    assert float(grown.sum()) == pytest.approx(row.volume_um3, rel=0.02)
    z, y, x = (grown[d].values[i] for d, i in zip("zyx", np.nonzero(grown.values), strict=True))
    away = np.hypot(y, x).mean() - np.hypot(row.y_um, row.x_um)
    # The middle of half a spheroid lies 3/8 of its height above the base.
    assert away == pytest.approx((1 if outward else -1) * 3 / 8 * 60, abs=1.5)
    assert z.mean() == pytest.approx(1000.0, abs=0.3)


def test_the_drawn_outgrowths_are_apart_on_cathode_and_in_range(roll):
    table = roll.outgrowths
    assert len(table) == 24
    assert table["height_um"].between(10, 95).all()
    assert (table["z_um"] - table["radius_um"] > roll.model.anode_below_um).all()
    places = table[["z_um", "y_um", "x_um"]].to_numpy()
    gaps = np.linalg.norm(places[:, None] - places, axis=-1) + 1e9 * np.eye(len(places))
    assert gaps.min() > 400
    inside = codes_at(roll, *(places + 0.3 * roll.bumps[:, 7:8] * roll.bumps[:, 3:6]).T)
    assert (inside == OUTGROWTH).all()
    assert (table["winding_deg"] == 360 * table["turn"]).all()


def test_the_anode_overhangs_the_cathode(roll):
    tops = roll.model
    seen = [
        set(np.unique(roll.layers(10.0, shape=(1, 1500, 1), origin=(z, -7500.0, 0.0))).tolist())
        for z in (-10.0, 100.0, 450.0, 900.0)
    ]
    named = [{name for name, code in LAYERS.items() if code in codes} for codes in seen]
    assert tops.anode_below_um < 450 < tops.cathode_below_um
    assert named[0] <= {"open", "tab"}
    assert named[1] <= {"open", "tab", "separator"}
    assert {"anode", "copper"} <= named[2]
    assert "cathode" not in named[2]
    assert {"cathode", "aluminium"} <= named[3]


def test_the_tab_lifts_what_lies_on_it(even):
    bent = ct.simulate.jelly_roll(outgrowths=0, model=RollModel(out_of_round_um=0.0, tab_um=100.0))
    of = bent.winding
    lifted = [float(radius_um(of, np.array([of.tab[0] + k]), 100.0)[0]) for k in (-1, 0, 1, 1.5)]
    flat = [of.inner + of.pitch * (of.tab[0] + k) + 100.0 for k in (-1, 0, 1, 1.5)]
    # 100 µm of tab in a gap of 75.6 µm: 24.4 µm, on the turns outside it alone, and not on the other side.
    assert np.subtract(lifted, flat) == pytest.approx([0, 0, 24.4, 0])
    angle = of.start + 2 * np.pi * of.tab[0]
    radius = of.tab[1] + np.array([-1.0, 1.0, 50.0, 99.0, 101.0])
    found = codes_at(bent, DEEP_UM, radius * np.sin(angle), radius * np.cos(angle))
    names = ["aluminium", "tab", "tab", "tab", "separator"]
    assert found.tolist() == [LAYERS[name] for name in names]
    above = codes_at(bent, -500.0, radius * np.sin(angle), radius * np.cos(angle))
    assert above.tolist() == [0, LAYERS["tab"], LAYERS["tab"], LAYERS["tab"], 0]


def test_a_window_is_a_part_of_the_whole(roll):
    row = roll.outgrowths.iloc[2]
    start = np.array([row.z_um - 20, row.y_um - 40, row.x_um - 40])
    whole = roll.phases(1.0, shape=(40, 80, 80), origin=start)
    part = roll.phases(1.0, shape=(10, 30, 20), origin=start + np.array([5, 10, 15]))
    assert (part.values == whole.values[5:15, 10:40, 15:35]).all()
    turn = Rotation.from_euler("X", 90, degrees=True).as_matrix()
    pose = np.eye(4)
    pose[:3, :3] = turn
    down = (turn @ [0, 0, 1])[1] < 0
    corner = turn @ (start + np.array([0, 0, 79] if down else [0, 79, 0]))
    turned = roll.phases(1.0, shape=(40, 80, 80), origin=corner, pose=pose)
    quarter = 1 if down else -1
    same = np.rot90(whole.values, quarter, axes=(1, 2)) == turned.values
    assert same.mean() > 0.999  # at faces, rounding decides


def test_shares_keep_the_mass_of_foils(even):
    """Copper in a whole slice: its length times its thickness, though a voxel is thrice as wide."""
    found = shares(even, (34.0, 34.0), shape=(4, 540, 540), origin=(1000.0, -9163.0, -9163.0))
    tables = {name: even.spiral(name, step_deg=0.5) for name in ("copper", "aluminium")}
    for name, thick in (("copper", 12.0), ("aluminium", 16.0)):
        y, x = (tables[name][d].to_numpy() for d in ("y_um", "x_um"))
        area = np.hypot(np.diff(y), np.diff(x)).sum() * thick
        got = found.plane[LAYERS[name]].sum(dtype=float) * 34.0**2
        assert got == pytest.approx(area, rel=2e-3), name
    can = np.pi * (9150.0**2 - 8900.0**2)
    assert found.plane[LAYERS["can"]].sum(dtype=float) * 34.0**2 == pytest.approx(can, rel=2e-3)
    assert found.plane.sum(axis=0) == pytest.approx(1.0, abs=1e-4)
    # The slice around the top of the anode, 200 µm, is filled as far as it lies below.
    cut = shares(even, (34.0, 34.0), shape=(2, 4, 4), origin=(190.0, 4000.0, 0.0))
    assert cut.heights[LAYERS["anode"]] == pytest.approx([7.0 / 34.0, 1.0])


def test_shares_are_what_a_fine_raster_counts(roll):
    row = roll.outgrowths.sort_values("height_um").iloc[-1]
    edge, n = 32.0, (9, 9, 9)
    start = np.array([row.z_um, row.y_um, row.x_um]) - 4 * edge
    found = shares(roll, (edge, edge), shape=n, origin=tuple(start))
    fine = roll.layers(1.0, shape=(9 * 32,) * 3, origin=start - edge / 2 + 0.5).values
    for code in range(1, len(LAYERS)):
        counted = (fine == code).reshape(9, 32, 9, 32, 9, 32).mean(axis=(1, 3, 5))
        by_code = np.zeros(len(LAYERS))
        by_code[code] = 1.0
        got = found.weighted(by_code)
        # Of 8 samples along an edge, half of one at a face.
        assert np.abs(got - counted).max() <= 1 / 16 + 1e-6, code
        assert got.mean() == pytest.approx(counted.mean(), abs=2e-3), code
    assert counted.sum() * edge**3 == pytest.approx(row.volume_um3, rel=0.03)


def test_seeds():
    one, again, other = (ct.simulate.jelly_roll(seed=seed) for seed in (4, 4, 5))
    assert one.outgrowths.equals(again.outgrowths)
    assert not one.outgrowths.equals(other.outgrowths)
    assert one.winding.start != other.winding.start
    assert "17.51 turns" in repr(one)


TABLE = pd.DataFrame({"turn": [5.0], "z_um": 900.0, "height_um": 30.0, "radius_um": 30.0, "outward": True})


@pytest.mark.parametrize(
    ("args", "match"),
    [
        ({"diameter_um": None}, "a number above zero"),
        ({"diameter_um": np.nan}, "a number above zero"),
        ({"diameter_um": 18.3}, "0.00 turns"),
        ({"diameter_um": 5000}, "two turns of cathode are the least"),
        ({"diameter_um": 9e5}, "1000 are the most"),
        ({"outgrowths": -1}, "whole number from 0"),
        ({"outgrowths": 1.5}, "whole number from 0"),
        ({"outgrowths": np.nan}, "whole number from 0"),
        ({"outgrowths": 2000}, "found room"),
        ({"outgrowths": TABLE.assign(turn=40.0)}, r"rows \[0\]"),
        ({"outgrowths": TABLE.assign(height_um=200.0)}, "up to 97.2 µm"),
        ({"outgrowths": TABLE.assign(z_um=np.nan)}, "gaps or text"),
        ({"outgrowths": TABLE.assign(turn="five")}, "gaps or text"),
        ({"outgrowth_um": (50, 10)}, "a least and a greatest"),
        ({"outgrowth_um": None}, "a least and a greatest"),
        ({"outgrowth_depth_um": 0}, "outgrowth_depth_um 0"),
        ({"seed": -1}, "whole number from 0"),
        ({"model": RollModel(tab_turn=0.0, tab_width_um=9000, tab_bare_um=9000)}, "Cannot weld a tab"),
    ],
)
def test_rolls_that_cannot_be(args, match):
    with pytest.raises(ValueError, match=match):
        ct.simulate.jelly_roll(**args)


def test_what_is_no_table_or_model():
    for given in ("many", None, TABLE.drop(columns="turn"), [1, 2]):
        with pytest.raises(TypeError, match="with columns turn, z_um"):
            ct.simulate.jelly_roll(outgrowths=given)
    with pytest.raises(TypeError, match="a RollModel is needed"):
        ct.simulate.jelly_roll(model={"copper_um": 9})
    for wrong in ({"copper_um": 0}, {"anode_um": np.inf}, {"clearance_um": -1}, {"tab_turn": "half"}):
        with pytest.raises(ValueError, match="Cannot use RollModel"):
            RollModel(**wrong)
    with pytest.raises(ValueError, match="out of round by up to a tenth"):
        RollModel(out_of_round_um=900.0)
    with pytest.raises(ValueError, match="no deeper"):
        RollModel(anode_below_um=900.0)


def test_windows_that_cannot_be(even):
    with pytest.raises(ValueError, match="above zero"):
        even.layers(0.0, shape=(1, 1, 1), origin=0.0)
    with pytest.raises(ValueError, match="fit into memory"):
        even.layers(1.0, shape=(9000, 9000, 9000), origin=0.0)
    with pytest.raises(ValueError, match="collectors are copper"):
        even.spiral("separator")
    with pytest.raises(ValueError, match="0.01 to 90"):
        even.spiral(step_deg=0)
    lean = np.eye(4)
    lean[:3, :3] = Rotation.from_euler("Z", 1, degrees=True).as_matrix()
    with pytest.raises(ValueError, match="leans against the cell"):
        shares(even, (34.0, 34.0), shape=(2, 2, 2), origin=(0.0, 0.0, 0.0), pose=lean)
    with pytest.raises(ValueError, match="Give larger voxels"):
        shares(even, (34.0, 34.0), shape=(1, 9000, 9000), origin=(0.0, 0.0, 0.0))
    grown = ct.simulate.jelly_roll(outgrowths=TABLE)
    at = tuple(grown.outgrowths.loc[0, ["z_um", "y_um", "x_um"]] - 30)
    with pytest.raises(ValueError, match="too many samples"):
        shares(grown, (0.5, 0.5), shape=(120, 120, 120), origin=at)
