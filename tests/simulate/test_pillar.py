"""A pillar of blended cathode: the same at any point from any side, and what its particles hold inside."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import corrtomo as ct
from corrtomo.simulate.pillar.blend import MATERIALS, draw_pores
from corrtomo.simulate.raster import View

PORE, CBD, LCO, NCA = MATERIALS.values()


@pytest.fixture(scope="module")
def pillar():
    return ct.simulate.pillar(8.0, particle_um=4.0, seed=3)


def cut(pillar, shape=(20, 50, 50), origin=(1.0, -4.9, -4.9), edge=0.2, **more):
    return pillar.materials(edge, shape=shape, origin=origin, **more)


def test_a_window_is_the_same_in_any_larger_window(pillar):
    whole = cut(pillar)
    part = cut(pillar, shape=(4, 10, 12), origin=(1.8, -2.9, -0.9))
    assert (part.values == whole.values[4:8, 10:20, 20:32]).all()
    assert whole.attrs["classes"] == {"pore": 0, "carbon binder domain": 1, "LCO": 2, "NCA": 3}


def test_a_turned_view_shows_the_same_points(pillar):
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("XYZ", [30, 10, -7], degrees=True).as_matrix()
    pose[:3, 3] = (0.3, 1.0, -2.0)
    seen = cut(pillar, pose=pose)
    places = np.stack(np.meshgrid(*(seen[d].values for d in "zyx"), indexing="ij"), -1).reshape(-1, 3)
    there = (places - pose[:3, 3]) @ pose[:3, :3]
    rng = np.random.default_rng(1)
    for k in rng.integers(0, len(there), 60):
        one = pillar.materials(0.2, shape=(1, 1, 1), origin=there[k])
        assert one.item() == seen.values.ravel()[k]


def test_nothing_is_above_the_top_beyond_the_wall_or_below_the_foot(pillar):
    bare = replace(pillar, roughness_um=0.0, height_um=4.0)
    seen = cut(bare, shape=(40, 60, 60), origin=(-1.9, -5.9, -5.9))
    wall = 4.0 + seen.z * np.tan(np.radians(pillar.taper_deg))
    outside = (seen.z < 0) | (seen.z > 4.0) | (np.hypot(seen.y, seen.x) > wall)
    assert (seen.where(outside, 0) == PORE).all()
    assert (seen.where(~outside) != PORE).any()


def test_fractions_are_those_asked_for():
    """Of the whole box: pores and cracks inside particles are taken off afterwards."""
    made = ct.simulate.pillar(12.0, am_fraction=0.5, cbd_fraction=0.3, particle_um=5.0, seed=1)
    box = made.cathode.labels(0.2)
    assert float((box == ct.Phase.AM).mean()) == pytest.approx(0.5, abs=0.01)
    assert float((box == ct.Phase.CBD).mean()) == pytest.approx(0.3, abs=0.01)


def test_all_of_a_blend_is_either():
    for share, absent in ((0.0, LCO), (1.0, NCA)):
        model = ct.simulate.BlendModel(lco_share=share)
        assert absent not in cut(ct.simulate.pillar(8.0, particle_um=4.0, model=model, seed=3))


def test_lco_is_dense_and_nca_has_the_share_of_pores_it_is_given():
    model = ct.simulate.BlendModel(lco_share=0.0, pore_share=0.05, cracks=0.0)
    radii = np.full(200, 3.0)
    pores = draw_pores(radii, np.ones(200, bool), model, seed=1)
    share = (pores[:, 4] ** 3).sum() / (radii**3).sum()
    assert share == pytest.approx(0.05, rel=0.06)
    assert len(draw_pores(radii, np.zeros(200, bool), model, seed=1)) == 0
    reach = np.linalg.norm(pores[:, 1:4], axis=1) + pores[:, 4]
    assert reach.max() < 0.9 * 3.0 + 1e-9


def test_cracks_take_something_away_and_add_nothing():
    sound = cut(ct.simulate.pillar(8.0, particle_um=4.0, model=ct.simulate.BlendModel(cracks=0.0), seed=3))
    cracked = cut(ct.simulate.pillar(8.0, particle_um=4.0, model=ct.simulate.BlendModel(cracks=5.0), seed=3))
    differ = sound.values != cracked.values
    assert differ.any()
    assert (cracked.values[differ] == PORE).all()
    assert (sound.values[differ] >= LCO).all()


def test_grains_have_boundaries_half_way_between_their_middles(pillar):
    """The distance from the boundary to the next grain changes by at most a step while that grain lasts."""
    view = View(np.full(3, 0.02), np.array([2.0, 0.0, -3.0]), (1, 1, 300), np.eye(4))
    codes, shade, edge, particle = pillar.look(view, grains_too=True)
    nca = codes[0, 0] == NCA
    assert nca.sum() > 20
    inside = nca[1:] & nca[:-1] & (particle[0, 0, 1:] == particle[0, 0, :-1])
    steps = np.abs(np.diff(edge[0, 0]))[inside]
    assert np.quantile(steps, 0.9) <= 0.02 + 1e-6
    assert (edge[0, 0][nca] >= -1e-6).all()
    change = np.diff(shade[0, 0])[inside] != 0
    assert (np.minimum(edge[0, 0][1:], edge[0, 0][:-1])[inside][change] <= 0.02).all()


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"diameter_um": 0}, "diameter_um"),
        ({"height_um": np.nan}, "height_um"),
        ({"taper_deg": 20}, "taper_deg"),
        ({"roughness_um": 3.0}, "roughness_um"),
        ({"model": ct.simulate.BlendModel}, "BlendModel is needed"),
        ({"am_fraction": 0.9}, "Cannot"),
        ({"seed": -1}, "seed"),
        ({"taper_deg": "1"}, "taper_deg '1'"),
        ({"taper_deg": True}, "taper_deg True"),
        ({"roughness_um": None}, "roughness_um None"),
        ({"model": ct.simulate.BlendModel(pore_um=0.01)}, "pores: 1e.05 are the most"),
    ],
)
def test_pillars_that_cannot_be(more, match):
    with pytest.raises((TypeError, ValueError), match=match):
        ct.simulate.pillar(**({"diameter_um": 6.0} | more))


@pytest.mark.parametrize(
    "more",
    [
        {"lco_share": 2},
        {"pore_share": 0.5},
        {"pore_sd": 0.5},
        {"pore_sd": None},
        {"crack_sd": True},
        {"nca_grain_um": 0},
        {"lco_grain_um": 1e-9},
        {"cracks": 1e9},
    ],
)
def test_blends_that_cannot_be(more):
    with pytest.raises(ValueError, match="BlendModel"):
        ct.simulate.BlendModel(**more)


def test_a_window_that_is_no_part_of_a_pillar_is_refused(pillar):
    """Else the cathode would be repeated through 3e9 µm: without end."""
    with pytest.raises(ValueError, match=r"a window of 1e\+09 × 2e\+09 × 3e\+09 µm .*smaller voxels"):
        pillar.materials(1e9, shape=(2, 3, 4), origin=0.0)
    far = pillar.materials(0.2, shape=(2, 2, 2), origin=(1e6, 0, 0))
    assert (far == PORE).all(), "far below the foot"
