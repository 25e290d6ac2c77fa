"""Maps of counts on the image of a section: found where counts are few or blurred, refused elsewhere."""

import numpy as np
import pytest
import tifffile
from scipy import ndimage

import corrtomo as ct
from corrtomo.register import AlignmentError, align
from corrtomo.register.subvolumes import Agreement, agreement
from corrtomo.register.trust import agreed

FINE, SE_UM, SE_SIZE = 0.05, 0.025, 560
TURN_DEG, SHIFT_UM = 3.0, (0.6, -0.8)


def structure(seed):
    """Particles and pores on a grid of 50 nm, 18 µm wide: what all instruments map."""
    grey = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(360, 360)), 13.0)
    return ndimage.gaussian_filter((grey > 0.3 * grey.std()).astype(np.float32), 0.7)


def seen(solid, matrix, pixel, size):
    """Sample the structure on a grid; `matrix` leads from there to the section, which begins at (2, 2) µm."""
    linear, start = matrix[:2, :2] * pixel / FINE, (matrix[:2, 2] + 2.0) / FINE
    return np.clip(ndimage.affine_transform(solid, linear, start, (size, size), order=1), 0, 1)


def se_image(seed):
    """Grains inside particles that no map shows, and noise."""
    rng = np.random.default_rng(seed)
    grey = 30.0 + 110.0 * seen(structure(seed), np.eye(3), SE_UM, SE_SIZE)
    grains = ndimage.gaussian_filter(rng.normal(size=grey.shape), 6.0)
    grey += 15.0 * grains / grains.std() + 15.0 * rng.normal(size=grey.shape)
    return ct.volume(np.clip(grey, 0, 255).astype(np.uint8), SE_UM)


def counts(seed, most, field_um, size, blur_um=0.05):
    """Return Poisson counts over a turned and shifted field, and the matrix from there to the section."""
    pixel, turn = field_um / size, np.deg2rad(TURN_DEG)
    matrix = np.eye(3)
    matrix[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    middles = (size - 1) / 2 * pixel, (SE_SIZE - 1) / 2 * SE_UM
    matrix[:2, 2] = middles[1] + np.array(SHIFT_UM) - matrix[:2, :2] @ np.full(2, middles[0])
    rate = ndimage.gaussian_filter(most * seen(structure(seed), matrix, pixel, size), blur_um / pixel)
    return ct.volume(np.random.default_rng(seed).poisson(rate + 0.02).astype(np.uint16), pixel), matrix


def farthest(found, matrix, image):
    far = float(image.x[-1])
    ends = np.array([[0.0, 0.0], [0.0, far], [far, 0.0], [far, far]])
    return float(np.linalg.norm(found.points(ends) - (ends @ matrix[:2, :2].T + matrix[:2, 2]), axis=1).max())


@pytest.mark.parametrize("seed", range(10))
def test_ion_maps_of_two_or_three_counts_a_pixel(seed):
    """512 × 512 pixels over 11.8 µm, as in the paper: found to within a pixel, in each of ten specimens."""
    image, matrix = counts(seed, 2.5, 11.8, 512)
    found = align(image, se_image(seed), max_shift_um=3.0)
    assert farthest(found, matrix, image) < 0.023
    assert found.error_um < 0.05


@pytest.mark.parametrize("seed", range(10))
def test_ion_maps_of_another_specimen(seed):
    image, _ = counts(seed, 2.5, 11.8, 512)
    with pytest.raises(AlignmentError, match="No pose stands out|lies beyond|another pose|sub-volumes"):
        align(image, se_image(seed + 40), max_shift_um=3.0)


def test_element_maps_blurred_over_many_pixels_state_an_error_that_holds():
    """X-rays from 0.6 µm around, on pixels of 60 nm: sub-areas scatter by more than a pixel, and may."""
    errors = []
    for seed in range(4):
        image, matrix = counts(seed, 8.0, 13.0, 216, blur_um=0.6)
        found = align(image, se_image(seed), max_shift_um=3.0)
        errors.append((farthest(found, matrix, image), found.error_um))
    true, stated = np.sqrt(np.mean(np.square(errors), axis=0))
    assert true < 0.2
    assert 0.7 < stated / true < 4.0


@pytest.mark.parametrize("seed", range(6))
def test_element_maps_of_another_specimen(seed):
    image, _ = counts(seed, 8.0, 13.0, 216, blur_um=0.6)
    with pytest.raises(AlignmentError, match="No pose stands out|lies beyond|another pose|sub-volumes"):
        align(image, se_image(seed + 40), max_shift_um=3.0)


def said(spread_um, edge_um, sheared=0.5, lost=0):
    return Agreement(0.1, spread_um, 1.0, 0.001, 29, 12, lost, edge_um, 10.0, sheared)


def test_sub_areas_that_noise_scatters_are_asked_again_at_coarser_pixels():
    asked = []

    def see(count):
        asked.append(count)
        return said({1: 0.15, 2: 0.25, 3: 0.2, 4: 0.1}[count], 0.1 * count)

    assert agreed(see, "rigid", 0.25).spread_um == 0.2
    assert asked == [1, 2, 3]


@pytest.mark.parametrize(
    ("sheared", "search_um", "most"), [(1e-4, 1.0, 1), (0.5, 1.0, 4), (0.5, 0.13, 1), (0.5, 0.2, 3)]
)
def test_a_distortion_and_a_wrong_place_contradict_at_any_pixel(sheared, search_um, most):
    """Not asked again where scale and shear explain the scatter, nor beyond the pixel of the search."""
    asked = []

    def see(count):
        asked.append(count)
        return said(0.3 * count, 0.1 * count, sheared)

    with pytest.raises(AlignmentError, match="sub-volumes disagree with each other by 0.30 µm"):
        agreed(see, "rigid", search_um)
    assert asked == list(range(1, most + 1))


def test_a_shear_is_told_from_scatter():
    """By the probability that scale and shear explain by chance what a rigid motion leaves."""
    first = ct.volume(structure(0)[60:260, 60:260] + 0, 1.0)
    rng = np.random.default_rng(0)
    for shear, low, high in ((0.03, 0.0, 1e-3), (0.0, 1e-3, 1.0)):
        linear = np.array([[1.0, shear], [0.0, 1.0]])
        start = np.array([100.0, 100.0]) - linear @ [100.0, 100.0]
        image = ndimage.affine_transform(first.data, linear, start, order=1, mode="nearest")
        image += 0.3 * rng.normal(size=image.shape).astype(np.float32)
        seen_there = agreement(first, ct.volume(image, 1.0), np.eye(3), "rigid")
        assert low <= seen_there.sheared <= high


@pytest.mark.parametrize("kind", ["similarity", "affine"])
def test_a_distorted_map_is_refused_and_can_be_fitted(kind):
    image, _ = counts(0, 2.5, 11.8, 512)
    skew = np.array([[1.0, 0.04], [0.0, 1.0]])
    bent = image.copy(data=ndimage.affine_transform(image.data, skew, [-10.0, 0.0], order=0, mode="nearest"))
    if kind == "affine":
        assert align(bent, se_image(0), max_shift_um=3.0, transform=kind).error_um < 0.1
        return
    with pytest.raises(
        AlignmentError, match="transform='affine'|No pose stands out|sub-volumes find a match"
    ):
        align(bent, se_image(0), max_shift_um=3.0, transform=kind)


def phase_maps():
    """X-ray fluorescence of a real electrode, 150 nm pixels, and its phases: row i of these is row i + 5."""
    if not ct.datasets.reachable("xrf-maps"):
        pytest.skip("not here, and not online")
    folder = ct.datasets.fetch("xrf-maps")
    elements = {k: tifffile.imread(folder / f"SUM_maps_XRF_{k}_K.tiff") for k in ("Fe", "P", "S")}
    phases = tifffile.imread(folder / "chemical_map.tiff")
    iron = {"Fe": phases.sum(axis=0), "P": phases[0], "S": phases[1]}  # LFP and pyrite hold P and S
    return {k: (ct.volume(iron[k], 0.15), ct.volume(elements[k], 0.15)) for k in elements}


@pytest.mark.parametrize(("element", "rows"), [("Fe", 0.1), ("P", 0.5), ("S", 0.5)])
def test_the_offset_of_real_maps_is_found_blind(element, rows):
    moving, fixed = phase_maps()[element]
    found = align(moving, fixed)
    middle = np.array([77.0, 79.5]) * 0.15
    offset = (found.points(middle) - middle) / 0.15
    np.testing.assert_allclose(offset, [5.0, 0.0], atol=rows)
    assert found.turn_deg < 0.3


def test_maps_of_elements_that_lie_elsewhere_are_refused():
    """Phosphorus and sulphur share no phase, and iron lies in all."""
    maps = phase_maps()
    with pytest.raises(AlignmentError):
        align(maps["P"][0], maps["S"][1])
