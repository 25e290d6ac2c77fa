"""X-ray count maps: where each element is, and how many."""

import numpy as np
import pytest
from scipy.special import ndtr

import corrtomo as ct
from corrtomo.simulate.eds import FIELD_PIXELS, FIELD_STEP_UM
from corrtomo.simulate.materials import ALUMINIUM


@pytest.fixture(scope="module")
def filled():
    coating = ct.simulate.electrode(
        (24.0, 24.0, 24.0), am_fraction=0.5, cbd_fraction=0.15, diameter_um=7.0, aspect=0.9, film=True, seed=3
    )
    section = ct.simulate.cross_section(coating, 0.06, shape=(300, 350), origin_um=(0, 8, 0), seed=3)
    return ct.simulate.platinum(section)


@pytest.fixture(scope="module")
def maps(filled):
    """On the grid of every second pixel of the section, and many counts."""
    model = ct.simulate.EdsModel(counts=1e9)
    middle = [o + 0.06 * (n - 1) / 2 for o, n in zip(filled.origin_um, filled.phases.shape, strict=True)]
    return ct.simulate.eds_maps(filled, 0.12, shape=(150, 175), centre_um=middle, model=model)


def of(filled, code):
    """Pixels of the maps whose four pixels of the section are all of a phase, and flat."""
    same = (filled.seen == code) & (filled.depth_um == 0)
    return same.reshape(150, 2, 175, 2).all(axis=(1, 3))


@pytest.mark.parametrize(("element", "code"), [("Ni", 2), ("Al", 3), ("Pt", 4), ("C", 1), ("F", 1)])
def test_each_element_is_brightest_in_its_phase(filled, maps, element, code):
    counts = maps.sel(channel=element).values
    means = {c: counts[of(filled, c)].mean() for c in (1, 2, 3, 4)}
    assert max(means, key=means.get) == code


def test_unfilled_pores_send_little(filled, maps):
    total = maps.sum("channel").values
    deep = (filled.depth_um > 2.0).reshape(150, 2, 175, 2).all(axis=(1, 3))
    assert total[deep].mean() < 0.5 * total[of(filled, 4)].mean()


def test_fluorine_over_carbon_rises_towards_the_collector(filled, maps):
    y = filled.origin_um[0] + 0.06 * (2 * np.arange(150) + 0.5)
    binder = of(filled, 1)
    near = binder & (y[:, None] > filled.collector_um - 1.0)
    far = binder & (y[:, None] < filled.collector_um - 8.0)
    fluorine, carbon = (maps.sel(channel=e).values.astype(float) for e in ("F", "C"))
    assert fluorine[near].sum() / carbon[near].sum() > 1.3 * fluorine[far].sum() / carbon[far].sum()


def test_the_total_is_that_of_the_paper(filled):
    middle = [o + 0.06 * (n - 1) / 2 for o, n in zip(filled.origin_um, filled.phases.shape, strict=True)]
    maps = ct.simulate.eds_maps(filled, shape=(200, 200), centre_um=middle, seed=1)
    expected = 3_425_962 * 200 * 200 / FIELD_PIXELS
    assert float(maps.sum()) == pytest.approx(expected, abs=5 * np.sqrt(expected))
    assert ct.voxel_size(maps) == (FIELD_STEP_UM, FIELD_STEP_UM)


def test_the_pose_takes_the_middle_to_the_middle():
    pose = ct.simulate.eds_pose((11, 21), 0.1, (5.0, 7.0), 30.0)
    np.testing.assert_allclose(pose @ [5.0, 7.0, 1.0], [0.5, 1.0, 1.0], atol=1e-12)
    np.testing.assert_allclose(pose[:2, :2] @ pose[:2, :2].T, np.eye(2), atol=1e-12)


def test_a_turned_map_shows_the_same_place(filled):
    model = ct.simulate.EdsModel(counts=1e9)
    middle = (18.0, 10.0)
    turned = ct.simulate.eds_maps(filled, 0.12, shape=(60, 60), centre_um=middle, turn_deg=90.0, model=model)
    plain = ct.simulate.eds_maps(filled, 0.12, shape=(60, 60), centre_um=middle, model=model)
    ours, back = turned.sel(channel="Ni").values, np.rot90(plain.sel(channel="Ni").values)
    assert np.corrcoef(ours.ravel(), back.ravel())[0, 1] > 0.98


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"shape": (4,)}, "two whole numbers"),
        ({"step_um": -1}, "step_um -1: it must be above zero"),
        ({"step_um": (0.2, 0.2, 0.2)}, "step_um"),
        ({"step_um": "a"}, "step_um 'a'"),
        ({"centre_um": ("a", "b")}, "Cannot place maps"),
        ({"centre_um": [[1], [1, 2]]}, "Cannot place maps"),
        ({"centre_um": {"y": 1}}, "Cannot place maps"),
        ({"centre_um": (np.nan, 1)}, "Cannot place maps"),
        ({"centre_um": (500, 500)}, "beyond the section"),
        ({"turn_deg": 400}, "Cannot turn"),
        ({"seed": 1.5}, "seed"),
        ({"shape": (400, 400)}, "or partly"),
    ],
)
def test_maps_out_of_range(filled, options, match):
    given = {"shape": (10, 10), "centre_um": (15, 10)} | options
    with pytest.raises(ValueError, match=match):
        ct.simulate.eds_maps(filled, **given)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"counts": 0}, "counts"),
        ({"energy_kev": np.nan}, "energy_kev"),
        ({"spread": -1}, "spread"),
        ({"sensitivity": {}}, "sensitivity"),
        ({"takeoff_deg": 90}, "takeoff_deg"),
        ({"pvdf": (0.4, 1.2)}, "pvdf"),
    ],
)
def test_models_out_of_range(options, match):
    with pytest.raises(ValueError, match=match):
        ct.simulate.EdsModel(**options)


def test_the_spread_of_xrays_is_that_of_the_electrons():
    """A straight border of aluminium: aluminium X-rays fall over the width that the model states."""
    n = 200
    seen = np.repeat(np.repeat([[2, 3]], n, axis=1), n, axis=0).astype(np.uint8)
    flat = np.zeros(seen.shape, np.float32)
    plane = ct.simulate.CrossSection(
        seen, seen, flat, flat, flat, np.zeros_like(seen), 1e3, 0.02, (0.0, 0.0), 1.0, 0
    )
    model = ct.simulate.EdsModel(counts=1e10, background=0.0)
    maps = ct.simulate.eds_maps(
        plane, 0.02, shape=(n, 2 * n), centre_um=((n - 1) * 0.01, (2 * n - 1) * 0.01), model=model
    )
    across = maps.sel(channel="Al").mean("y").values
    width = model.spread * ALUMINIUM.range_um(10.0)
    x = (np.arange(n, 2 * n) - n + 0.5) * 0.02
    expected = across[-20:].mean() * ndtr(x / width)
    np.testing.assert_allclose(across[n + 5 : -20], expected[5:-20], rtol=0.02)


def test_the_side_away_from_the_detector_is_in_the_dark():
    """A pit 2 µm deep and 2 µm wide: the detector, along x and 35° high, sees what is far from that wall."""
    seen = np.full((60, 300), 3, np.uint8)
    depth = np.zeros(seen.shape, np.float32)
    depth[:, 100:200] = 2.0
    phases = np.where(depth > 0, 0, 3).astype(np.uint8)
    plane = ct.simulate.CrossSection(
        phases, seen, depth, depth * 0, depth * 0, np.zeros_like(seen), 1e3, 0.05, (0.0, 0.0), 3.0, 0
    )
    model = ct.simulate.EdsModel(counts=1e9, spread=0.0)
    maps = ct.simulate.eds_maps(plane, 0.05, shape=(40, 280), centre_um=(1.475, 7.475), model=model)
    across = maps.sel(channel="Al").mean("y").values[90:190]
    reach = round((5.0 - 2.0 / np.tan(np.radians(35.0))) / 0.05)  # from the far wall, 100 pixels of 0.05 µm
    assert across[: reach - 8].min() > 0.5 * maps.sel(channel="Al").values[:, :80].mean()
    assert across[reach + 8 : -2].max() < 0.05 * maps.sel(channel="Al").values[:, :80].mean()
