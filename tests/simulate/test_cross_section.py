"""Polished cross-sections: geometry that must hold, and images that must show it."""

import numpy as np
import pytest

import corrtomo as ct
from corrtomo.simulate.cross_section import AM, CBD, COLLECTOR, PLATINUM, PORE
from corrtomo.simulate.grains import EMPTY, FILLED

SIZE = (24.0, 24.0, 24.0)


@pytest.fixture(scope="module")
def coating():
    return ct.simulate.electrode(
        SIZE,
        am_fraction=0.5,
        cbd_fraction=0.15,
        cbd_porosity=0.4,
        diameter_um=7.0,
        aspect=0.9,
        film=True,
        seed=3,
    )


@pytest.fixture(scope="module")
def section(coating):
    return ct.simulate.cross_section(coating, 0.06, shape=(300, 350), origin_um=(0, 8, 0), seed=3)


@pytest.fixture(scope="module")
def filled(section):
    return ct.simulate.platinum(section)


def test_no_particle_of_a_film_crosses_its_faces(coating):
    table = coating.particles
    matrices = ct.simulate.packing.quadrics(table)
    half = np.sqrt(np.linalg.inv(matrices)[:, 1, 1])
    swollen = 0.05 * SIZE[1]  # particles grow a little after they are placed
    assert (table["y_um"] - half).min() > -swollen
    assert (table["y_um"] + half).max() < SIZE[1] + swollen


def test_above_a_film_there_is_nothing(coating):
    labels = coating.labels(0.5, origin=(0, -6, 0), shape=(4, 8, 40))
    assert not (labels == AM).any()


def test_the_plane_is_the_specimen_but_for_foil_and_cracks(coating, section):
    labels = coating.labels(0.06, origin=(0.0, 8.0, 0.0), shape=(1, 300, 350))[0].values
    y = 8.0 + 0.06 * np.arange(300)
    high = y < SIZE[1] - 3.0
    same = section.cracks == 0
    np.testing.assert_array_equal(section.phases[high][same[high]], labels[high][same[high]])


def test_the_collector_lies_at_the_end_under_a_layer_of_binder(section):
    y = section.origin_um[0] + 0.06 * np.arange(300)
    assert (section.phases[y > section.collector_um + 1.0] == COLLECTOR).all()
    assert not (section.phases[y < section.collector_um - 1.0] == COLLECTOR).any()
    above = section.phases[np.searchsorted(y, section.collector_um) - 4]
    assert np.isin(above, (CBD, AM, COLLECTOR)).mean() > 0.6


def test_solids_have_no_depth_and_pores_have(section):
    pore = section.phases == PORE
    assert (section.depth_um[~pore] == 0).all()
    assert (section.depth_um[pore] > 0).all()
    np.testing.assert_array_equal(section.seen[~pore], section.phases[~pore])


def test_cracks_are_pores_or_binder_inside_particles(coating, section):
    assert (section.phases[section.cracks == EMPTY] == PORE).all()
    assert (section.phases[section.cracks == FILLED] == CBD).all()
    labels = coating.labels(0.06, origin=(0.0, 8.0, 0.0), shape=(1, 300, 350))[0].values
    assert (labels[section.cracks > 0] == AM).all()
    assert (section.cracks > 0).any()


def test_a_window_shows_the_same_particles_and_cracks(coating, section):
    part = ct.simulate.cross_section(
        coating, 0.06, shape=(120, 90), origin_um=(0, 8 + 0.06 * 60, 0.06 * 150), seed=3
    )
    np.testing.assert_array_equal(part.phases, section.phases[60:180, 150:240])
    np.testing.assert_array_equal(part.cracks, section.cracks[60:180, 150:240])
    np.testing.assert_allclose(part.shade, section.shade[60:180, 150:240])


def test_platinum_is_flush_at_the_edge_and_two_micrometres_thick_below(section, filled):
    pore = section.phases == PORE
    np.testing.assert_array_equal(filled.phases, section.phases)
    from scipy import ndimage

    away = ndimage.distance_transform_edt(pore) * 0.06
    edge = pore & (away <= 0.4)
    assert (filled.depth_um[edge] == 0).all()
    assert (filled.seen[edge] == PLATINUM).all()
    deep = pore & (away > 0.4) & (section.seen != PORE)
    np.testing.assert_allclose(filled.depth_um[deep], np.maximum(section.depth_um[deep] - 2.0, 0), atol=1e-5)


def test_enough_platinum_fills_every_pore_that_ends(section):
    full = ct.simulate.platinum(section, 10.0)
    ends = (section.phases == PORE) & (section.seen != PORE)
    assert (full.depth_um[ends] == 0).all()


def test_classes_split_the_pores_and_nothing_else(filled):
    classes, labels = filled.classes(), filled.labels()
    np.testing.assert_array_equal(np.isin(classes, (3, 4)), labels == ct.Phase.PORE)
    np.testing.assert_array_equal(classes == 1, labels == ct.Phase.AM)
    assert (classes == 4).any()


def test_images_have_the_order_of_the_paper(filled):
    image = ct.simulate.electron_images(filled)
    cbs = image.sel(channel="CBS").values
    flat = filled.depth_um == 0
    means = [cbs[(filled.seen == code) & flat].mean() for code in (PLATINUM, AM, COLLECTOR, CBD)]
    assert means == sorted(means, reverse=True)


def test_the_through_lens_detector_is_noisier_and_sees_deeper(filled):
    image = ct.simulate.electron_images(filled).values.astype(float)
    metal = (filled.phases == COLLECTOR) & (filled.depth_um == 0)
    relative = [one[metal].std() / one[metal].mean() for one in image]
    assert relative[1] > 3 * relative[0]
    deep = (filled.seen == PLATINUM) & (filled.depth_um > 1.0)
    flush = (filled.seen == PLATINUM) & (filled.depth_um == 0)
    darker = [one[deep].mean() / one[flush].mean() for one in image]
    assert darker[1] > darker[0] + 0.1


def test_noise_is_that_of_counting(filled):
    """A flat surface: variance by mean of counts is 1, whatever the window."""
    from corrtomo.simulate.electron_images import ElectronModel

    optics = ElectronModel()
    image = ct.simulate.electron_images(filled, model=optics).values.astype(float)
    inside = filled.phases == COLLECTOR
    inside[: np.flatnonzero(inside.all(axis=1))[0] + 5] = False
    low, high = np.radians(optics.angles_deg[1])
    black, white = optics.window[1]
    share = image[1][inside] / 255 * (white - black) + black
    full = optics.electrons * (np.sin(high) ** 2 - np.sin(low) ** 2)
    assert share.var() * full / share.mean() == pytest.approx(1.0, rel=0.1)


def test_without_platinum_pores_show_their_backs(section):
    image = ct.simulate.electron_images(section).sel(channel="CBS").values.astype(float)
    backs = (section.phases == PORE) & (section.seen == AM)
    binder = section.phases == CBD
    assert np.percentile(image[backs], 90) > np.percentile(image[binder], 90)


def test_the_same_seed_gives_the_same_images(filled):
    first, again = (ct.simulate.electron_images(filled, seed=4) for _ in range(2))
    assert first.identical(again)
    assert not first.equals(ct.simulate.electron_images(filled, seed=5))


@pytest.mark.parametrize("given", ["electrode", None, 3])
def test_what_is_no_film_is_refused(given):
    specimen = ct.simulate.electrode(21.0, diameter_um=7.0) if given == "electrode" else given
    with pytest.raises(TypeError, match="film=True"):
        ct.simulate.cross_section(specimen, shape=(4, 4))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"shape": (3, 4, 5)}, "two whole numbers"),
        ({"shape": "ab"}, "two whole numbers"),
        ({"shape": (0, 4)}, "three whole numbers"),
        ({"shape": (4, 4), "pixel_um": 0}, "voxel size"),
        ({"shape": (4, 4), "origin_um": (0, np.nan, 0)}, "origin"),
        ({"shape": (4, 4), "seed": -1}, "seed"),
        ({"shape": (4, 4), "grain_um": 0}, "grain_um"),
        ({"shape": (4, 4), "layer_um": -1}, "layer_um"),
        ({"shape": (4, 4), "look_um": np.inf}, "look_um"),
    ],
)
def test_sections_out_of_range(coating, options, match):
    with pytest.raises(ValueError, match=match):
        ct.simulate.cross_section(coating, **options)


@pytest.mark.parametrize("options", [{"thickness_um": 0}, {"coverage": 1.5}, {"thickness_um": True}])
def test_platinum_out_of_range(section, options):
    with pytest.raises(ValueError, match="Cannot deposit platinum"):
        ct.simulate.platinum(section, **options)


def test_a_bare_section_has_no_classes_of_platinum(section):
    with pytest.raises(ValueError, match="Fill its pores first"):
        section.classes()


def test_models_out_of_range():
    with pytest.raises(ValueError, match="window"):
        ct.simulate.ElectronModel(window=((0.5, 0.5), (0, 1)))
    with pytest.raises(ValueError, match="dwell_us"):
        ct.simulate.ElectronModel(dwell_us=0)
    with pytest.raises(ValueError, match="angles_deg"):
        ct.simulate.ElectronModel(angles_deg=((10, 5), (0, 5)))
