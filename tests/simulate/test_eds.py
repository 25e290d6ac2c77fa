"""X-ray count maps: where each element is, and how many."""

import numpy as np
import pytest

import corrtomo as ct
from corrtomo.simulate.eds import FIELD_PIXELS, FIELD_STEP_UM


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
        ({"step_um": -1}, "voxel size"),
        ({"centre_um": (500, 500)}, "beyond the section"),
        ({"turn_deg": 400}, "Cannot turn"),
        ({"seed": 1.5}, "seed"),
        ({"model": ct.simulate.EdsModel(counts=0)}, "X-ray counts"),
    ],
)
def test_maps_out_of_range(filled, options, match):
    given = {"shape": (10, 10), "centre_um": (15, 10)} | options
    with pytest.raises(ValueError, match=match):
        ct.simulate.eds_maps(filled, **given)
