"""A section of a pillar: the plane itself, its image, and what elements and ions are counted."""

import numpy as np
import pytest

import corrtomo as ct
from corrtomo.simulate.pillar.blend import MATERIALS
from corrtomo.simulate.pillar.electrons import _sent
from corrtomo.simulate.pillar.sims import CHANNELS
from corrtomo.simulate.pillar.spectrum import BINDER

PORE, CBD, LCO, NCA = MATERIALS.values()
SHAPE = (180, 180)


@pytest.fixture(scope="module")
def pillar():
    return ct.simulate.pillar(8.0, particle_um=4.0, seed=3)


@pytest.fixture(scope="module")
def plane(pillar):
    pose = ct.simulate.section_pose(1.5, tilt_deg=(1.0, -1.5), turn_deg=5.0, centre_um=(0.2, -0.1))
    return ct.simulate.mill(pillar, 0.05, shape=SHAPE, pose=pose)


def test_the_plane_shows_what_lies_there(pillar, plane):
    there = np.linalg.inv(plane.pose)
    seen = plane.materials()
    rng = np.random.default_rng(1)
    for j, i in rng.integers(0, 180, (60, 2)):
        at = there @ [0.0, float(seen.y[j]), float(seen.x[i]), 1.0]
        assert pillar.materials(0.05, shape=(1, 1, 1), origin=at[:3]).item() == seen.values[j, i]


def test_a_pose_has_its_depth_tilt_and_turn():
    pose = ct.simulate.section_pose(1.5, tilt_deg=(2.0, 0.0), turn_deg=0.0, centre_um=(0.3, 0.1))
    assert (pose @ [1.5, 0.3, 0.1, 1.0])[:3] == pytest.approx([0, 0, 0])
    normal = np.linalg.inv(pose)[:3, 0]
    assert np.degrees(np.arccos(normal[0])) == pytest.approx(2.0)
    turned = ct.simulate.section_pose(0.0, turn_deg=90.0)
    assert np.abs(turned[1:3, 1:3]) == pytest.approx(np.array([[0, 1], [1, 0]]))


def test_pores_are_seen_into_and_solids_are_not(plane):
    solid = plane.codes != PORE
    assert (plane.depth_um[solid] == 0).all()
    assert (plane.seen[solid] == plane.codes[solid]).all()
    assert (plane.depth_um[~solid] > 0).all()


def test_what_is_seen_in_a_pore_lies_behind_it(pillar, plane):
    """The first plane of look behind the section, in the section's own frame, closes some pores."""
    wide = 3 * plane.pixel_um  # pixels behind the plane
    start = (wide, *(first + plane.pixel_um for first in plane.origin_um))
    behind = pillar.materials(wide, shape=(1, 60, 60), origin=start, pose=plane.pose).values[0]
    behind = behind.repeat(3, axis=0).repeat(3, axis=1)
    closed = (plane.codes == PORE) & (behind != PORE)
    assert closed.sum() > 50
    assert (plane.seen[closed] == behind[closed]).all()


def test_boundaries_are_in_nca_alone(plane):
    lines = plane.grain_boundaries()
    assert lines.dtype == bool
    assert (plane.codes[lines.values] == NCA).all()
    assert 0.02 < lines.values[plane.codes == NCA].mean() < 0.5


def test_levels_of_the_electron_image(plane):
    quiet = ct.simulate.SecondaryModel(shot=0.0, grain_contrast=0.0, boundary_dark=0.0, spot_um=1e-4)
    image = ct.simulate.se_image(plane, model=quiet)
    for name, level in quiet.levels.items():
        assert set(np.unique(image.values[plane.codes == MATERIALS[name]])) == {round(level)}
    assert image.values[plane.codes == PORE].max() <= 150


def test_noise_of_the_electron_image_grows_with_its_grey(plane):
    model = ct.simulate.SecondaryModel(grain_contrast=0.0, boundary_dark=0.0)
    image = ct.simulate.se_image(plane, model=model).values.astype(float)
    inner = plane.codes == LCO
    assert image[inner].var() == pytest.approx(0.8 * 150, rel=0.15)


def test_ions_are_counted_as_the_formula_says(plane):
    """N · sputtered · c · useful + dark: within four standard errors, away from borders."""
    beam = ct.simulate.SimsModel(spot_um=1e-3)
    maps = ct.simulate.sims_maps(plane, 5.0, pixels=100, model=beam)
    here = plane.materials().interp(y=maps.y + _start(maps), x=maps.x + _start(maps), method="nearest")
    expected = {
        ("LCO", "7Li"): 1 / 4 * 0.924 * 5e-5, ("LCO", "59Co"): 1 / 4 * 2e-5, ("LCO", "27Al"): 0.0,
        ("NCA", "7Li"): 1 / 4 * 0.924 * 5e-5, ("NCA", "58Ni"): 0.8 / 4 * 0.681 * 2e-5,
        ("NCA", "59Co"): 0.15 / 4 * 2e-5, ("carbon binder domain", "7Li"): 0.0,
        ("pore", "7Li"): 0.0, ("pore", "27Al"): 0.0,
    }  # fmt: skip
    assert beam.ions == pytest.approx(50e-12 * 0.8e-3 / 1.602e-19, rel=1e-3)
    checked = 0
    for (name, isotope), share in expected.items():
        inner = _inside(here.values == MATERIALS[name])
        if inner.sum() < 50:
            continue
        counts = maps.sel(channel=isotope).values[inner]
        mean = beam.ions * 7.0 * share + beam.dark
        assert abs(counts.mean() - mean) < 4 * np.sqrt(mean / inner.sum())
        checked += 1
    assert checked >= 6


def _start(maps):
    """The middle of the maps lies on the middle of the section."""
    return -(maps.sizes["x"] - 1) / 2 * float(maps.x[1] - maps.x[0])


def _inside(mask):
    from scipy import ndimage

    return ndimage.binary_erosion(mask, iterations=4)


def test_aluminium_is_at_boundaries_and_fades_into_the_binder(plane):
    beam = ct.simulate.SimsModel(dwell_ms=50.0)
    maps = ct.simulate.sims_maps(plane, 7.0, pixels=140, model=beam).sel(channel="27Al").values
    step = 7.0 / 140
    at = np.rint(((np.arange(140) - 69.5) * step - plane.origin_um[0]) / plane.pixel_um).astype(int)
    codes, edge = plane.codes[np.ix_(at, at)], plane.edge_um[np.ix_(at, at)]
    nca = codes == NCA
    assert maps[nca & (edge < 0.03)].mean() > 2 * maps[nca & (edge > 0.12)].mean()
    from scipy import ndimage

    away = ndimage.distance_transform_edt(~nca) * step
    binder = codes == CBD
    near, far = binder & (away < 0.6) & (away > 0.15), binder & (away > 1.5)
    assert maps[near].mean() > 1.5 * maps[far].mean()


def test_x_rays_tell_nickel_from_cobalt_and_come_from_below(plane):
    maps = ct.simulate.element_maps(plane, 0.1, shape=(70, 70))
    at = np.rint(((np.arange(70) - 34.5) * 0.1 - plane.origin_um[0]) / plane.pixel_um).astype(int)
    codes = plane.codes[np.ix_(at, at)]
    share = maps.sel(channel="Ni") / maps.sum("channel")
    assert share.values[codes == NCA].mean() > 2 * share.values[codes == LCO].mean()
    deeper = ct.simulate.ElementModel(depth=2.0)
    other = ct.simulate.element_maps(plane, 0.1, shape=(70, 70), model=deeper)
    assert (maps.values != other.values).any()
    assert float(maps.sum("channel").mean()) == pytest.approx(40.0, rel=0.02)


def test_the_same_seed_gives_the_same_maps(plane):
    for make in (
        lambda s: ct.simulate.se_image(plane, seed=s),
        lambda s: ct.simulate.sims_maps(plane, 5.0, pixels=40, seed=s),
        lambda s: ct.simulate.element_maps(plane, 0.2, shape=(30, 30), seed=s),
    ):
        assert (make(1).values == make(1).values).all()
        assert (make(1).values != make(2).values).any()


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda p: ct.simulate.mill("x", shape=SHAPE), "a pillar is needed"),
        (lambda p: ct.simulate.mill(p.pillar, 0.0, shape=SHAPE), "above zero"),
        (lambda p: ct.simulate.mill(p.pillar, shape=SHAPE, look_um=-1), "look_um"),
        (lambda p: ct.simulate.section_pose(np.nan), "Cannot place a section"),
        (lambda p: ct.simulate.section_pose(tilt_deg=(30, 0)), "up to 20°"),
        (lambda p: ct.simulate.sims_maps(p, 30.0), "beyond the section"),
        (lambda p: ct.simulate.sims_maps(p, 5.0, pixels=0), "whole numbers"),
        (lambda p: ct.simulate.sims_maps(p, 5.0, model=ct.simulate.SimsModel(dwell_ms=1e6)), "16-bit"),
        (lambda p: ct.simulate.element_maps(p, shape=(4,)), "two whole numbers"),
        (lambda p: ct.simulate.SimsModel(useful={"7Li": 1}), "SimsModel"),
        (lambda p: ct.simulate.ElementModel(sensitivity={}), "ElementModel"),
        (lambda p: ct.simulate.SecondaryModel(levels={}), "SecondaryModel"),
        (lambda p: ct.simulate.se_image(p, seed=-1), "seed"),
        (lambda p: ct.simulate.se_image(p, model=3), "SecondaryModel is needed"),
        (lambda p: ct.simulate.se_image(None), "image of a NoneType: a milled section is needed"),
        (lambda p: ct.simulate.sims_maps(p.pillar), "map ions of a Pillar: a milled section"),
        (lambda p: ct.simulate.element_maps("x", shape=(3, 3)), "map elements of a str: a milled section"),
        (lambda p: ct.simulate.mill(p.pillar, shape=SHAPE, progress=3), "progress"),
        (lambda p: ct.simulate.mill(p.pillar, (0.1, 0.1, 0.1), shape=(4, 4)), "pixel_um"),
        (lambda p: ct.simulate.mill(p.pillar, 1e9, shape=(4, 4)), "smaller voxels"),
        (lambda p: ct.simulate.mill(p.pillar, 1e300, shape=(4, 4)), "pixel_um 1e.300: .* to 1e.12 µm"),
        (lambda p: ct.simulate.mill(p.pillar, shape=np.array(4)), "two whole numbers"),
        (lambda p: ct.simulate.mill(p.pillar, shape=(10**400, 1)), "at most fit into memory"),
        (lambda p: ct.simulate.mill(p.pillar, shape=SHAPE, look_um=10**400), "look_um 1000"),
        (lambda p: ct.simulate.mill(p.pillar, shape=SHAPE, look_um=1e9), r"Lower look_um, or give coarser"),
        (
            lambda p: ct.simulate.mill(p.pillar, shape=SHAPE, pose="upright"),
            r"pose of shape \(\) and dtype <U7",
        ),
        (
            lambda p: ct.simulate.mill(p.pillar, shape=SHAPE, pose={"z": 1}),
            r"pose of shape \(\) and dtype obj",
        ),
        (lambda p: ct.simulate.mill(p.pillar, shape=SHAPE, pose=[[1], [1, 2]]), "Cannot use pose"),
        (lambda p: ct.simulate.mill(p.pillar, shape=SHAPE, pose=np.eye(4) * 1e200), "Cannot use pose"),
        (lambda p: ct.simulate.mill(p.pillar, shape=SHAPE, pose=np.full((4, 4), np.nan)), "Cannot use"),
        (lambda p: ct.simulate.section_pose(1e300), "Cannot place a section"),
        (lambda p: ct.simulate.section_pose(10**400), "Cannot place a section"),
        (lambda p: ct.simulate.SimsModel(dwell_ms=10**400), "SimsModel with dwell_ms 1000"),
        (lambda p: ct.simulate.sims_maps(p, 5.0, centre_um=("a", "b")), "Cannot place maps"),
        (lambda p: p.pillar.materials(1e300, shape=(4, 4, 4), origin=0.0), "voxel size 1e.300"),
        (lambda p: p.pillar.materials(0.1, shape=(4, 4, 4), origin=1e300), "origin 1e.300"),
        (lambda p: ct.simulate.mill(p.pillar, 1e-9, shape=(9, 9)), "Cannot look 2 µm deep"),
        (lambda p: ct.simulate.mill(p.pillar, shape=(10**9, 1)), "1000000000 × 1 pixels: 1e.08 at most"),
        (lambda p: ct.simulate.section_pose(tilt_deg=3.0), "Cannot place a section"),
        (lambda p: ct.simulate.section_pose(tilt_deg=(1.0, 2.0, 3.0), centre_um=(0.0,)), "Cannot place"),
        (lambda p: ct.simulate.section_pose(centre_um=None), "Cannot place a section"),
        (lambda p: ct.simulate.section_pose(turn_deg=True), "Cannot place a section"),
        (lambda p: ct.simulate.sims_maps(p, (5.0, 5.0, 5.0)), "field_um"),
        (lambda p: ct.simulate.sims_maps(p, 5.0, pixels=10**4), "10000 × 10000 pixels"),
        (lambda p: ct.simulate.sims_maps(p, 5.0, model=ct.simulate.SimsModel(dwell_ms=1e300)), "16-bit"),
        (lambda p: ct.simulate.element_maps(p, 1e9, shape=(4, 4)), "voxels below the section"),
        (lambda p: ct.simulate.element_maps(p, 1e-9, shape=(4, 4)), "voxels below the section"),
        (lambda p: ct.simulate.element_maps(p, shape=(10**9, 1)), "1000000000 × 1 pixels"),
        (lambda p: ct.simulate.SimsModel(useful=None), "SimsModel with useful None"),
        (lambda p: ct.simulate.SimsModel(useful=dict.fromkeys(CHANNELS, "a")), "SimsModel"),
        (lambda p: ct.simulate.SimsModel(spot_um=1e6), "spot_um"),
        (lambda p: ct.simulate.ElementModel(sensitivity={"nickel": 1.0}), "out of H, Li, C"),
        (lambda p: ct.simulate.ElementModel(sensitivity=3), "ElementModel with sensitivity 3"),
        (lambda p: ct.simulate.ElementModel(energy_kev=5.0), "above 8.333 keV"),
        (lambda p: ct.simulate.SecondaryModel(levels=None), "levels None"),
        (lambda p: ct.simulate.SecondaryModel(boundary_dark=2.0), "boundary_dark 2.0"),
    ],
)
def test_what_cannot_be_imaged(plane, call, match):
    with pytest.raises((TypeError, ValueError), match=match):
        call(plane)


def test_binder_sends_x_rays_by_what_nanopores_leave_of_it():
    """Half as dense, half as much; and a pillar of denser binder shows more carbon."""
    held = BINDER.density * 0.25 * BINDER.mass_fractions["C"]
    assert _sent("carbon binder domain", "C", 0.25, 0.0, 0.3) == pytest.approx(0.3 * held)
    assert _sent("NCA", "C", 0.25, 0.0, 0.3) == 0.0
    maps = []
    for porosity in (0.2, 0.8):
        made = ct.simulate.pillar(8.0, particle_um=4.0, cbd_porosity=porosity, seed=3)
        here = ct.simulate.mill(made, 0.1, shape=(60, 60))
        maps.append(ct.simulate.element_maps(here, 0.1, shape=(50, 50)))
    carbon = [float(m.sel(channel="C").sum() / m.sum()) for m in maps]
    assert carbon[0] > 2 * carbon[1]


def test_one_pixel_is_a_section(pillar):
    here = ct.simulate.mill(pillar, np.float32(0.5), shape=(1, 1))
    assert here.materials().shape == ct.simulate.se_image(here).shape == (1, 1)
    assert ct.simulate.sims_maps(here, 0.4, pixels=1).shape == (4, 1, 1)
    assert ct.simulate.element_maps(here, 0.5, shape=(1, 1)).shape == (3, 1, 1)
