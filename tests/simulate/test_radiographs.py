"""The scan of a pillar: lengths in closed form, photons by the spectrum, noise by Poisson's law."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

import corrtomo as ct
from corrtomo.simulate.pillar.blend import LCO, PORE
from corrtomo.simulate.pillar.radiographs import source_height, spot_drift
from corrtomo.simulate.pillar.spectrum import LCO as LCO_MATERIAL
from corrtomo.simulate.pillar.spectrum import attenuation_per_um, tungsten

PIXEL = 0.2
STILL = ct.simulate.ScanModel(drift_um=0, gain_sd=0, gain_change=0, dead_columns=0, axis_um=0, spot_um=1e-3)


@dataclass(frozen=True, eq=False)
class Rod(ct.simulate.Pillar):
    """Round rods of LCO along z, at y, x, in a pillar that is otherwise empty."""

    rods: tuple = ((0.0, 0.0, 3.0),)

    def codes(self, view):
        last = view.origin_um + view.voxel_um * (np.array(view.shape) - 1)
        z, y, x = (np.linspace(a, b, n) for a, b, n in zip(view.origin_um, last, view.shape, strict=True))
        y, x = y - view.pose[1, 3], x - view.pose[2, 3]
        out = np.full(view.shape, PORE, np.uint8)
        for row, column, radius in self.rods:
            disc = np.hypot(y[:, None] - row, x[None] - column) <= radius
            out[(z >= 0)[:, None, None] & disc] = LCO
        return out


@pytest.fixture(scope="module")
def rod():
    base = ct.simulate.pillar(8.0, particle_um=4.0, seed=3)
    return Rod(**{name: getattr(base, name) for name in base.__dataclass_fields__})


def scan(specimen, angles=(0.0,), shape=(40, 80), model=STILL, **more):
    return ct.simulate.radiographs(specimen, angles, PIXEL, shape=shape, model=model, **more)


def through(length_um, model=STILL):
    seen = model.spectrum(PIXEL)
    return float(
        (seen.photons * np.exp(-attenuation_per_um(LCO_MATERIAL, seen.energies_kev) * length_um)).sum()
    )


def test_counts_are_those_of_the_chord(rod):
    """2 √(r² − d²) through a rod: within the noise of many rows, and the raster's step."""
    seen = scan(rod, np.zeros(8)).counts
    expected = [through(2 * np.sqrt(max(9.0 - x**2, 0))) for x in seen.x.values]
    mean = seen.values[:, 10:].mean(axis=(0, 1))
    clear = np.abs(np.abs(seen.x.values) - 3.0) > 0.4
    assert mean[clear] == pytest.approx(np.array(expected)[clear], rel=0.02)
    assert seen.values[:, :3].mean() == pytest.approx(through(0.0), rel=0.01)


def test_a_rod_off_the_axis_goes_round(rod):
    """u = x cos θ + y sin θ, larger by source / (source − w) nearer to the source."""
    near = replace(STILL, source_um=40.0, current_na=4.0)
    off = replace(rod, rods=((2.0, 1.0, 1.0),))
    angles = np.array([0.0, 40.0, 90.0, 200.0, 270.0])
    seen = scan(off, angles, model=near)
    lost = 1 - seen.counts.values[:, 12:28].mean(axis=1) / seen.flat.values.mean()
    centre = (lost.clip(0.05) - 0.05) @ seen.counts.x.values / (lost.clip(0.05) - 0.05).sum(axis=1)
    turn = np.radians(angles)
    across, towards = np.cos(turn) + 2 * np.sin(turn), 2 * np.cos(turn) - np.sin(turn)
    assert centre == pytest.approx(across * 40 / (40 - towards), abs=0.05)


def test_the_cone_spreads_rows_as_well(rod):
    """The top of the rod, at z = 0, is seen higher the nearer it is to the source."""
    near = replace(STILL, source_um=40.0, current_na=4.0)
    off = replace(rod, rods=((2.5, 0.0, 1.0),))
    tops = []
    for turn in (0.0, 180.0):  # towards the source, and away from it
        counts = scan(off, [turn] * 4, shape=(60, 80), model=near).counts
        column = counts.values[:, :, 38:42].mean(axis=(0, 2))
        half = (column[:3].mean() + column[-20:].mean()) / 2
        tops.append(float(np.interp(-half, -column[:25], counts.z.values[:25])))
    height = source_height(60, PIXEL)
    for top, towards in zip(tops, (2.5, -2.5), strict=True):
        assert top == pytest.approx(height - height * 40 / (40 - towards), abs=0.12)


def test_axis_and_drift_move_the_image(rod):
    moved = replace(STILL, axis_um=1.0, drift_um=0.4)
    angles = np.linspace(0, 350, 36)
    seen = scan(rod, angles, model=moved)
    lost = 1 - seen.counts.values[:, 12:].mean(axis=1) / seen.flat.values.mean()
    centre = lost @ seen.counts.x.values / lost.sum(axis=1)
    assert centre == pytest.approx(1.0 + seen.drift["x_um"].to_numpy(), abs=0.08)
    assert seen.centre_um == 1.0


def test_noise_is_poissons(rod):
    seen = scan(rod, np.zeros(60), shape=(12, 80)).counts.values[:, 8:].astype(float)
    index = seen.var(axis=0, ddof=1) / seen.mean(axis=0)
    assert index.mean() == pytest.approx(1.0, abs=0.02)


def test_the_spot_blurs_an_edge_by_its_width(rod):
    wide = replace(STILL, spot_um=1.0)
    edge = replace(rod, rods=((0.0, 30.0, 30.0),))  # a face at x = 0, all but flat
    # Heavy noise does not matter: rows and projections are averaged.
    seen = scan(edge, np.zeros(20), shape=(60, 60), model=wide, pose=None).counts
    profile = seen.values[:, 15:].mean(axis=(0, 1))
    assert profile[:10].mean() > profile[-10:].mean()
    sharp = scan(edge, np.zeros(20), shape=(60, 60)).counts.values[:, 15:].mean(axis=(0, 1))
    assert np.abs(np.diff(profile)).max() < np.abs(np.diff(sharp)).max()


def test_dead_columns_count_nothing_and_gains_show_in_the_flat(rod):
    model = replace(STILL, dead_columns=3, gain_sd=0.05, flats=200)
    seen = scan(rod, [0.0, 90.0], model=model)
    dead = (seen.flat.values == 0).all(axis=(0, 1))
    assert dead.sum() == 3
    assert (seen.counts.values[:, :, dead] == 0).all()
    gains = seen.flat.values.mean(axis=0)[:, ~dead]
    assert gains.std() / gains.mean() == pytest.approx(0.05, rel=0.1)


def test_the_same_seed_gives_the_same_counts(rod):
    first, again, other = (scan(rod, [0, 30], seed=s).counts.values for s in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_drift_has_the_spread_asked_for():
    table = spot_drift(np.arange(500.0), 0.15, seed=1)
    assert table["z_um"].std(ddof=0) == pytest.approx(0.15)
    assert np.abs(np.diff(table["x_um"])).max() < 0.02  # smooth
    turn = np.radians(table["angle_deg"])
    for taken in (np.ones(500), np.cos(turn), np.sin(turn)):
        assert table["x_um"] @ taken == pytest.approx(0, abs=1e-6)
    assert table["z_um"].mean() == pytest.approx(0, abs=1e-9)


def test_photons_grow_with_the_solid_angle_and_lines_take_their_share():
    one = tungsten(30, 400, 90, 1e-8, line_share=0.3, sensor_um=300)
    two = tungsten(30, 400, 90, 2e-8, line_share=0.3, sensor_um=300)
    assert two.photons == pytest.approx(2 * one.photons)
    assert one.photons[-4:].sum() / one.photons.sum() == pytest.approx(0.3)
    assert one.energies_kev.max() < 30


def test_attenuation_steps_up_at_the_k_edge_and_mixes_by_mass():
    below, above = attenuation_per_um(LCO_MATERIAL, [7.70, 7.72])
    assert above > 4 * below
    # LiCoO2 at 10 keV: 0.602 · 184 + 0.327 · 5.95 + 0.071 · 0.34 cm²/g, 5.05 g/cm³.
    assert attenuation_per_um(LCO_MATERIAL, 10.0) == pytest.approx(0.0569, rel=0.01)


@pytest.mark.parametrize(
    ("angles", "more", "match"),
    [
        ([], {}, "shape"),
        ([np.nan], {}, "finite numbers"),
        ([[0.0]], {}, "a row"),
        ([0.0], {"shape": (0, 4)}, "whole numbers"),
        ([0.0], {"model": replace(STILL, source_um=10.0)}, "would hit it"),
        ([0.0], {"model": replace(STILL, exposure_s=1e5)}, "16-bit"),
        ([0.0], {"pose": np.eye(3)}, "4 × 4"),
        ([0.0], {"progress": 3}, "progress"),
        ("a", {}, "dtype <U1"),
        ([True, False], {}, "dtype bool"),
        ([0.0], {"shape": (10**9, 1)}, r"1 radiographs and 20 flats of 1000000000 × 1 pixels"),
        ([0.0], {"shape": (10**6, 4)}, "would hit it"),
        ([0.0], {"shape": (4, 2), "model": replace(STILL, dead_columns=1)}, "1 dead columns out of 2"),
        (np.arange(50.0), {"model": replace(STILL, drift_um=3.0)}, "wanders by .* along z.*drift_um"),
        ([0.0], {"model": replace(STILL, gain_sd=0.29, exposure_s=800.0)}, "16-bit"),
        ([0.0], {"pose": ct.simulate.section_pose(0.0, tilt_deg=(18.0, 0.0))}, "leans by less than 3°"),
        ([0.0], {"pose": ct.simulate.section_pose(150.0)}, "moves little along z"),
    ],
)
def test_scans_that_cannot_be(rod, angles, more, match):
    with pytest.raises((TypeError, ValueError), match=match):
        scan(rod, angles, **more)


def test_what_is_no_pillar_is_not_scanned():
    with pytest.raises(TypeError, match="a pillar is needed"):
        ct.simulate.radiographs(ct.simulate.electrode(15.0, seed=1), [0.0], shape=(4, 4))


@pytest.mark.parametrize(
    "more",
    [
        {"voltage_kv": 100},
        {"line_share": 1.0},
        {"axis_um": np.inf},
        {"spot_um": 0},
        {"spot_um": 1e6},
        {"flats": 2.5},
        {"dead_columns": 0.5},
    ],
)
def test_instruments_that_cannot_be(more):
    with pytest.raises(ValueError, match="ScanModel"):
        ct.simulate.ScanModel(**more)


@pytest.mark.parametrize("pixel", [1e-9, 1e9, (0.1, 0.1, 0.1), "a", True])
def test_pixels_that_cannot_be(rod, pixel):
    with pytest.raises((TypeError, ValueError), match="Cannot (image|raster|cast|hold|scan)"):
        ct.simulate.radiographs(rod, [0.0], pixel, shape=(4, 30))


def test_numbers_of_other_types_give_the_same_counts(rod):
    """A float32 edge would have the rays compiled anew, and rounded otherwise."""
    short = replace(STILL, exposure_s=10.0)
    half = ct.simulate.radiographs(rod, [0.0], 0.5, shape=(4, 30), model=short)
    other = ct.simulate.radiographs(rod, np.int64(0), np.float32(0.5), shape=np.array([4, 30]), model=short)
    assert (half.counts.values == other.counts.values).all()
    assert (half.counts.x.values == other.counts.x.values).all()
