"""Images of wound cells: attenuation against tables, beam hardening, counts, and grey values of details."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import corrtomo as ct
from corrtomo.simulate.cell import attenuation
from corrtomo.simulate.cell.layers import LAYERS
from corrtomo.simulate.pillar import spectrum

QUIET = ct.simulate.DetailModel(noise_per_um=0.0, ring_per_um=0.0, rise=0.0, blur_um=0.0)


@pytest.fixture(scope="module")
def roll():
    table = pd.DataFrame(
        {"turn": [8.3], "z_um": 1000.0, "height_um": 20.0, "radius_um": 18.0, "outward": True}
    )
    return ct.simulate.jelly_roll(outgrowths=table, seed=2)


def around(roll, n, edge):
    """A window around the outgrowth: shape and origin."""
    place = roll.outgrowths.loc[0, ["z_um", "y_um", "x_um"]].to_numpy(float)
    return {"shape": n, "origin": place - (np.array(n) - 1) / 2 * edge}


def grey_per_um(image):
    low, high = image.attrs["grey_0_per_um"], image.attrs["grey_65535_per_um"]
    return low + image.values / 65535.0 * (high - low)


def test_attenuation_meets_the_table_of_lower_energies():
    """Both tables hold 30 keV: they must be one."""
    for name, material in (("LCO", spectrum.LCO), ("NCA", spectrum.NCA)):
        here = attenuation.attenuation_per_um(material, 30.0)
        there = spectrum.attenuation_per_um(material, 30.0)
        assert here == pytest.approx(there, rel=5e-3), name
    # By hand: copper at 60 keV has 1.593 cm²/g and 8.96 g/cm³.
    assert attenuation.of_layers(60.0)[LAYERS["copper"]] == pytest.approx(1.593 * 8.96e-4)


def test_two_parts_stand_for_every_energy():
    known = attenuation.of_layers(attenuation.ENERGIES_KEV)
    fitted = attenuation.parts_of_layers().T @ attenuation.parts(attenuation.ENERGIES_KEV)
    solid = known[:, 0] > 0
    assert np.abs(fitted[solid] / known[solid] - 1).max() < 0.025
    assert not fitted[~solid].any()
    # Klein and Nishina: 6.652e-25 cm² an electron where the energy is low (Thomson).
    assert attenuation._klein_nishina(0.5) == pytest.approx(4 / 3, rel=0.005)


def test_coatings_hold_what_their_layer_is_taken_as(roll):
    """Particles, binder and pores have the mean of their layer: overview and detail agree."""
    table, layers = attenuation.of_contents(60.0), attenuation.of_layers(60.0)
    for code, texture in zip((LAYERS["anode"], LAYERS["cathode"]), roll.coatings.textures, strict=True):
        assert table[code + 16 * texture.astype(int)].mean() == pytest.approx(layers[code], rel=0.02)
    porosity = [(t == 0).mean() + 0.5 * (t == 2).mean() for t in roll.coatings.textures]
    assert porosity == pytest.approx([0.25, 0.335], abs=0.01)


def wedge(micrometres, name):
    """Line integrals through some thicknesses of a layer."""
    part = attenuation.parts_of_layers()[:, LAYERS[name]]
    through = np.tile(np.asarray(micrometres, float), (200, 1, 1))
    return [ct.volume((p * through).astype(np.float32), 30.0, dims=("angle", "z", "x")) for p in part]


def test_separator_and_iron_by_hand():
    """Tables of NIST at 60 keV: H 0.3260, C 0.1753, O 0.1907, Fe 1.205 cm²/g."""
    plastic = 0.95 * (0.8563 * 0.1753 + 0.1437 * 0.3260)
    solvent = 1.15 * (0.4375 * 0.1753 + 0.0629 * 0.3260 + 0.4995 * 0.1907)  # C7H12O6
    found = attenuation.of_layers(60.0)
    assert found[LAYERS["separator"]] == pytest.approx(1e-4 * (0.53 * plastic + 0.47 * solvent), rel=2e-3)
    assert found[LAYERS["can"]] == pytest.approx(1e-4 * 7.87 * 1.205)


def test_the_spectrum_is_that_of_kramers_behind_copper():
    energy, bare = ct.simulate.CellScanModel(filter_um=0.0).spectrum()
    assert (energy[0], energy[-1]) == (32.5, 157.5)
    assert bare * energy / (160 - energy) == pytest.approx(bare[0] * 32.5 / 127.5)
    _, share = ct.simulate.CellScanModel(filter_um=500.0).spectrum()
    passed = np.exp(-500.0 * attenuation.of_layers(energy)[LAYERS["copper"]])
    assert share / bare == pytest.approx(passed / (bare @ passed))


def test_a_beam_hardens():
    model = ct.simulate.CellScanModel(spot_um=0.0, gain_sd=0.0, gain_change=0.0)
    counts, flat = ct.simulate.count_photons(*wedge([0, 250, 1000, 4000], "can"), model=model)
    assert counts.shape == (200, 1, 4)
    assert flat.shape == (20, 1, 4)
    mean = counts.values.mean(axis=(0, 1))
    energy, share = model.spectrum()
    assert share.sum() == pytest.approx(1.0)
    law = share @ np.exp(-np.outer(attenuation.of_layers(energy)[LAYERS["can"]], [0, 250, 1000, 4000]))
    assert mean == pytest.approx(20_000 * law, rel=0.02)
    per_um = -np.log(mean[1:] / mean[0]) / [250, 1000, 4000]
    assert per_um[0] > 1.05 * per_um[1] > 1.1 * per_um[2]
    # Poisson: the variance is the mean.
    spread = counts.values.var(axis=(0, 1)) / mean
    assert np.abs(spread - 1).max() < 0.45


def test_gains_change_after_the_flats():
    model = ct.simulate.CellScanModel(spot_um=0.0, gain_sd=0.1, gain_change=0.02, photons=30_000.0)
    nothing = wedge(np.zeros(400), "open")
    counts, flat = ct.simulate.count_photons(*nothing, model=model, seed=3)
    ratio = counts.values.mean(axis=(0, 1)) / flat.values.mean(axis=(0, 1))
    assert flat.values.mean(axis=(0, 1)).std() == pytest.approx(3000, rel=0.15)
    assert ratio.std() == pytest.approx(0.02, rel=0.15)
    again, other = (ct.simulate.count_photons(*nothing, model=model, seed=s)[0] for s in (3, 4))
    assert again.equals(counts)
    assert not other.equals(counts)


def test_the_focal_spot_blurs_an_edge():
    model = ct.simulate.CellScanModel(spot_um=70.65, gain_sd=0.0, gain_change=0.0)
    step = np.where(np.arange(40) < 20, 0.0, 4000.0)
    counts, _ = ct.simulate.count_photons(*wedge(step, "can"), model=model)
    mean = counts.values.mean(axis=(0, 1))
    share = (mean - mean[-1]) / (mean[0] - mean[-1])
    # A full width of 70.65 µm is a standard deviation of one pixel: the error function at half a pixel.
    assert share[[19, 20]] == pytest.approx([0.6915, 0.3085], abs=0.01)


def test_a_detail_shows_the_attenuation_of_what_is_there(roll):
    window = around(roll, (24, 100, 100), 0.5)
    grey = grey_per_um(ct.simulate.cell_detail(roll, 0.5, model=QUIET, **window))
    layers = roll.layers(0.5, **window).values
    per_um = attenuation.of_contents(60.0)
    for name in ("copper", "outgrowth"):
        assert np.abs(grey[layers == LAYERS[name]] - per_um[LAYERS[name]]).max() < 1e-7
    phases = roll.phases(0.5, **window).values
    inside = (phases == ct.Phase.AM) & (layers == LAYERS["anode"])
    assert inside.any()
    assert np.abs(grey[inside] - per_um[LAYERS["anode"] + 16]).max() < 1e-7


def test_noise_rings_and_rise_are_what_was_asked_for(roll):
    window = around(roll, (40, 60, 60), 0.5)
    quiet = grey_per_um(ct.simulate.cell_detail(roll, 0.5, model=QUIET, **window))

    def added(**settings):
        model = ct.simulate.DetailModel(
            **{"noise_per_um": 0.0, "ring_per_um": 0.0, "rise": 0.0, "blur_um": 0.0} | settings
        )
        return grey_per_um(ct.simulate.cell_detail(roll, 0.5, model=model, seed=5, **window)) - quiet

    noise = added(noise_per_um=1e-4, noise_blur_um=0.0)
    assert noise.std() == pytest.approx(1e-4, rel=0.02)
    assert abs(noise.mean()) < 2e-6
    rings = added(ring_per_um=1e-4)
    assert np.ptp(rings, axis=0).max() < 1e-7
    assert rings.std() == pytest.approx(1e-4, rel=0.4)
    away = np.rint(np.hypot(*np.meshgrid(np.arange(60) - 29.5, np.arange(60) - 29.5))).astype(int)
    assert max(np.ptp(rings[0][away == r]) for r in range(1, 40)) < 1e-7
    rise = added(rise=0.2) / quiet
    assert rise[:, 0, 0] == pytest.approx(0.2, rel=5e-3)  # grey is rounded
    assert np.abs(rise[:, 29:31, 29:31]).max() < 1e-3


def test_slabs_join_without_a_seam(roll):
    """40 slices are drawn in two slabs; the second begins with the slices that it has alone."""
    model = ct.simulate.DetailModel(ring_per_um=0.0, rise=0.0, noise_per_um=0.0, blur_um=1.0)
    window = around(roll, (40, 40, 40), 0.5)
    whole = ct.simulate.cell_detail(roll, 0.5, model=model, **window)
    start = np.array(window["origin"]) + np.array([14.0, 0, 0])
    part = ct.simulate.cell_detail(roll, 0.5, shape=(8, 40, 40), origin=start, model=model)
    assert np.array_equal(whole.values[28:36], part.values)


def test_a_cell_through_reconstruction():
    """A small cell: its can and its copper come back where they are, and grey falls inwards (cupping)."""
    model = ct.simulate.RollModel(mandrel_um=600, out_of_round_um=0, tab_width_um=300, tab_bare_um=300,
                                  tab_flank_um=50)  # fmt: skip
    small = ct.simulate.jelly_roll(4000.0, outgrowths=0, model=model)
    n, edge = 210, 20.0
    start = -(n - 1) / 2 * edge
    parts = ct.simulate.two_parts(small, (40.0, edge), shape=(2, n, n), origin=(2000.0, start, start))
    angles = np.arange(0, 180, 1.0)
    like = ct.volume(np.zeros((180, 2, 150), np.float32), (40.0, 30.0),
                     origin=(2000.0, -149 / 2 * 30), dims=("angle", "z", "x"))  # fmt: skip
    lines = [ct.reconstruct.project(p, angles, like=like, progress=False) for p in parts]
    counts, flat = ct.simulate.count_photons(*lines)
    found = ct.reconstruct.fbp(
        ct.reconstruct.attenuation(counts, flat, progress=False), angles, progress=False
    ).isel(z=0)
    truth = small.layers([40.0, 30.0, 30.0], shape=(1, *found.shape),
                         origin=(2000.0, float(found.y[0]), float(found.x[0]))).values[0]  # fmt: skip
    mean = {
        name: float(found.values[truth == LAYERS[name]].mean())
        for name in ("can", "cathode", "anode", "open")
    }
    # What a beam meets first lowers it by the mean attenuation of its spectrum; what comes later by less.
    energy, share = ct.simulate.CellScanModel().spectrum()
    soft = dict(zip(LAYERS, attenuation.of_layers(energy) @ share, strict=True))
    for name in ("can", "cathode"):
        assert 0.6 * soft[name] < mean[name] < 0.9 * soft[name], name
    assert mean["cathode"] > 1.5 * mean["anode"] > 4 * abs(mean["open"])


@pytest.mark.parametrize(
    ("kind", "wrong", "match"),
    [
        ("CellScanModel", {"voltage_kv": 400}, "40 to 160 kV"),
        ("CellScanModel", {"photons": 1e6}, "16-bit"),
        ("CellScanModel", {"photons": np.nan}, "above zero"),
        ("CellScanModel", {"flats": 2.5}, "a whole number"),
        ("CellScanModel", {"gain_sd": 0.5}, "spread by less than 0.3"),
        ("DetailModel", {"energy_kev": 10}, "30 to 150 keV"),
        ("DetailModel", {"window_per_um": (1e-3, 0)}, "the lower one first"),
        ("DetailModel", {"window_per_um": 3}, "the lower one first"),
        ("DetailModel", {"noise_per_um": -1}, "from 0"),
    ],
)
def test_models_that_cannot_be(kind, wrong, match):
    with pytest.raises(ValueError, match=match):
        getattr(ct.simulate, kind)(**wrong)


def test_one_edge_stands_for_both_and_one_number_for_an_origin(roll):
    small = {"shape": (2, 3, 4), "origin": (900.0, 900.0, 900.0)}
    for one, both in zip(
        ct.simulate.two_parts(roll, 40, shape=(2, 3, 4), origin=900),
        ct.simulate.two_parts(roll, (40.0, 40.0), **small),
        strict=True,
    ):
        xr.testing.assert_identical(one, both)


@pytest.mark.parametrize("voxel_um", ["34", None, -1.0, (30.0, 0.0), (30.0, 30.0, 30.0), np.nan, [], {}])
def test_edges_that_cannot_be(roll, voxel_um):
    with pytest.raises(ValueError, match="Cannot image with voxel_um"):
        ct.simulate.two_parts(roll, voxel_um, shape=(2, 3, 4), origin=0.0)


def test_images_that_cannot_be(roll):
    first, second = wedge([0, 1], "can")
    with pytest.raises(ValueError, match="line integrals of both parts"):
        ct.simulate.count_photons(first, second.isel(x=slice(0, 1)))
    with pytest.raises(ValueError, match="line integrals of both parts"):
        ct.simulate.count_photons(first, None)
    with pytest.raises(ValueError, match="hold NaN"):
        ct.simulate.count_photons(first, second * np.nan)
    for image, more in ((ct.simulate.two_parts, {"voxel_um": (30.0, 30.0)}), (ct.simulate.cell_detail, {})):
        with pytest.raises(TypeError, match=r"Draw one with ct\.simulate\.jelly_roll"):
            image(np.zeros(3), shape=(2, 2, 2), origin=(0, 0, 0), **more)
    window = around(roll, (2, 4, 4), 0.5)
    with pytest.raises(ValueError, match="one edge is needed"):
        ct.simulate.cell_detail(roll, [0.5, 0.5, 1.0], **window)
    with pytest.raises(ValueError, match="fit into memory"):
        ct.simulate.cell_detail(roll, 0.5, shape=(3000, 3000, 3000), origin=0.0)
    with pytest.raises(TypeError, match="DetailModel"):
        ct.simulate.cell_detail(roll, 0.5, model="sharp", **window)
    with pytest.raises(ValueError, match="whole number from 0"):
        ct.simulate.cell_detail(roll, 0.5, seed="one", **window)
