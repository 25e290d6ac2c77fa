"""The X-ray model against closed forms: edge, fringe, halo, noise spectrum; and one image in every window."""

import numpy as np
import pytest
from scipy.special import erf
from skimage.transform import iradon

from corrtomo.simulate import XrayModel, electrode, fibsem_tomography, xray, xray_tomography

VOXEL = 0.4
CLEAN = {"halo": 0.0, "noise": 0.0}


def slab(n=128, first=32, last=96):
    """Return shares of active material that fill x from `first` to `last`, and no binder."""
    am = np.zeros((4, 4, n), np.float32)
    am[..., first:last] = 1.0
    return am, np.zeros_like(am)


def edge_profile(position_um, blur_um):
    """Return a step under a Gaussian, at a distance from the step."""
    return 0.5 * (1 + erf(position_um / (np.sqrt(2.0) * blur_um)))


@pytest.mark.parametrize("blur", [0.5, 1.0])
def test_a_slab_without_fringes_has_the_edges_of_the_blur(blur):
    model = XrayModel(blur_um=blur, distance_um=0.0, **CLEAN)
    image = xray.form_image(*slab(), VOXEL, model)[1, 2]
    x = (np.arange(128) - 31.5) * VOXEL
    wanted = edge_profile(x, blur) - edge_profile(x - 64 * VOXEL, blur)
    # Voxels are a midpoint rule: its error is below VOXEL² / 24 times the steepest slope of the Gaussian.
    np.testing.assert_allclose(image, wanted, atol=1.1 * VOXEL**2 / 24 * 0.242 / blur**2)


def test_fringes_are_the_second_derivative_of_the_blurred_edge():
    blur = 0.9
    model = XrayModel(blur_um=blur, retrieval=0.0, distance_um=2000.0, **CLEAN)
    image = xray.form_image(*slab(), VOXEL, model)[1, 2, :64]
    x = (np.arange(64) - 31.5) * VOXEL
    # -d²/dx² of the blurred edge is x / blur³ times a Gaussian.
    fringe = model.fringe_um2 * x / blur**3 / np.sqrt(2 * np.pi) * np.exp(-0.5 * (x / blur) ** 2)
    np.testing.assert_allclose(image, edge_profile(x, blur) + fringe, atol=0.01)
    assert image.min() < -0.1
    assert image.max() > 1.1


def test_fringes_shrink_as_retrieval_grows():
    over = [
        xray.form_image(*slab(), VOXEL, XrayModel(retrieval=r, **CLEAN)).max() - 1.0
        for r in (0.4, 0.7, 0.9, 1.0)
    ]
    assert over == sorted(over, reverse=True)
    # Retrieval undoes the transport of intensity; what waves do beyond it stays: a few tenths of a per cent.
    assert over[-1] == pytest.approx(0.0, abs=5e-3)


def test_the_point_spread_sums_to_one():
    model = XrayModel(retrieval=1.0, halo=0.3, noise=0.0)
    point = np.zeros((64, 64, 64), np.float32)
    point[32, 32, 32] = 1.0
    image = xray.form_image(point, np.zeros_like(point), VOXEL, model)
    assert image.sum() == pytest.approx(1.0, abs=1e-4)
    assert float(model.psf(np.array(0.0))) == 1.0
    # The variance of the spread is the mix of its two parts, plus none of the retrieval's.
    x = (np.arange(64) - 32) * VOXEL
    spread = (image.sum(axis=(0, 1)) * x**2).sum()
    assert spread == pytest.approx(0.7 * model.blur_um**2 + 0.3 * model.halo_um**2, rel=0.03)


def test_large_uniform_regions_have_the_attenuation_of_their_phase():
    model = XrayModel(noise=0.0)
    am, cbd = model.transfer(np.array(0.0))
    assert float(am) == 1.0
    assert float(cbd) == pytest.approx(model.mu_cbd_per_um / model.mu_am_per_um)


def test_a_pore_is_brighter_in_a_bright_neighbourhood():
    crowded, lonely = np.zeros((2, 48, 48, 48), np.float32)
    crowded[:] = 1.0
    crowded[18:30, 18:30, 18:30] = 0.0
    halo, none = XrayModel(retrieval=1.0, noise=0.0), XrayModel(retrieval=1.0, **CLEAN)
    greys = {
        (name, m): xray.form_image(a, np.zeros_like(a), VOXEL, m)[24, 24, 24]
        for name, a in (("crowded", crowded), ("lonely", lonely))
        for m in (halo, none)
    }
    assert greys["crowded", halo] > greys["lonely", halo] + 0.05
    assert greys["crowded", none] == pytest.approx(greys["lonely", none], abs=1e-3)


def test_binder_contrast_fades_with_its_extent():
    model, contrast = XrayModel(**CLEAN), []
    for width in (4, 16, 60):
        cbd = np.zeros((4, 4, 128), np.float32)
        cbd[..., 64 - width // 2 : 64 + width // 2] = 1.0
        image = xray.form_image(np.zeros_like(cbd), cbd, VOXEL, model)[0, 0]
        contrast.append(image[64] - image[0])
    assert contrast[1] > 2 * contrast[2]
    assert contrast[0] > contrast[1]


def test_noise_has_its_strength_and_its_spectrum():
    model = XrayModel(noise=0.2)
    empty = np.zeros((96, 96, 96), np.float32)
    image = xray.form_image(empty, empty, VOXEL, model, seed=4)
    assert image.std() == pytest.approx(0.2, rel=0.02)
    power = np.abs(np.fft.fftn(image)) ** 2
    k = 2 * np.pi * np.fft.fftfreq(96, VOXEL)
    yx = np.broadcast_to(k[:, None] ** 2 + k**2, power.shape)
    k2 = yx + k[:, None, None] ** 2
    shape = model.noise_shape(k2, yx) ** 2
    ratios = [power[band].mean() / shape[band].mean() for band in bands(k2)]
    assert np.ptp(ratios) / np.mean(ratios) < 0.1
    # Back-projection about z: no noise power where the frequency along y and x is zero.
    assert power[:, 0, 0].max() < 1e-6 * power.max()


def bands(k2):
    for low, high in ((0.5, 2.0), (2.0, 8.0), (8.0, 20.0), (20.0, 40.0)):
        yield (k2 >= low) & (k2 < high)


def test_every_window_shows_the_same_image(cathode):
    whole = xray_tomography(cathode, 0.5, shape=(14, 20, 24), origin=(1.0, 2.0, 3.0), seed=2)
    part = xray_tomography(cathode, 0.5, shape=(8, 10, 12), origin=(2.0, 4.5, 4.0), seed=2)
    cut = whole.data[2:10, 5:15, 2:14].astype(int)
    # The far tails of halo, retrieval and noise end at a margin, and rounding does the rest.
    assert np.abs(cut - part.data).max() <= 2
    assert part.x.values[0] == 4.0


def test_the_image_shows_the_specimen(cathode):
    image = xray_tomography(cathode, 0.5, shape=(20, 20, 20), origin=(1.0, 1.0, 1.0))
    labels = cathode.labels(0.5, origin=1.0, shape=(20, 20, 20))
    means = [float(image.data[labels.data == phase].mean()) for phase in range(3)]
    assert means[0] < means[1] < means[2]


def test_the_seed_draws_the_noise_only(cathode):
    images = [xray_tomography(cathode, 0.5, shape=(8, 8, 8), seed=s).data.astype(int) for s in (1, 1, 2)]
    np.testing.assert_array_equal(images[0], images[1])
    assert (images[0] != images[2]).mean() > 0.5


def test_grey_values_are_rounded_and_cut_at_the_window():
    image = np.array([-1.0, 0.0, 0.1, 0.5, 1.0, 2.0], np.float32)
    assert xray.to_grey(image, (0.0, 1.0)).tolist() == [0, 0, 26, 128, 255, 255]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"blur_um": 0.0}, "blur_um 0.0: it must be finite and above zero"),
        ({"mu_am_per_um": np.nan}, "mu_am_per_um nan"),
        ({"retrieval": 1.5}, "retrieval 1.5: allowed is 0 to 1"),
        ({"halo": -0.1}, "halo -0.1: allowed is 0 to 1"),
        ({"noise": -0.1}, "noise -0.1: allowed is 0 to inf"),
        ({"window": (1.0, 1.0)}, r"window \(1.0, 1.0\).*Swap them"),
    ],
)
def test_a_model_that_cannot_be_is_refused(options, match):
    with pytest.raises(ValueError, match=match):
        XrayModel(**options)


@pytest.mark.parametrize(
    ("voxel", "shape"), [(0.0, (4, 4, 4)), (np.inf, (4, 4, 4)), (0.4, (4, 4)), (0.4, (4, 0, 4))]
)
def test_an_image_that_cannot_be_is_refused(cathode, voxel, shape):
    with pytest.raises(ValueError, match="a size above zero and three|three whole numbers"):
        xray_tomography(cathode, voxel, shape=shape)


def slope(power, k, low, high):
    """The exponent of a power law between two frequencies."""
    inside = (k > low) & (k < high) & (power > 0)
    return np.polyfit(np.log(k[inside]), np.log(power[inside]), 1)[0]


def test_noise_of_filtered_back_projection_grows_as_the_frequency():
    """White noise in every projection, reconstructed by scikit-image, has the exponent of the model."""
    rng, n = np.random.default_rng(0), 256
    power = np.zeros((n // 2, n // 2))
    angles = np.linspace(0, 180, 600, endpoint=False)
    window = np.outer(np.hanning(n // 2), np.hanning(n // 2))
    for _ in range(2):  # cubic, for linear interpolation between detector pixels is a low-pass of its own
        slice_ = iradon(rng.normal(size=(n, 600)), angles, filter_name="ramp", interpolation="cubic")
        power += np.abs(np.fft.fft2(slice_[n // 4 : -n // 4, n // 4 : -n // 4] * window)) ** 2
    ky = np.fft.fftfreq(n // 2)
    k = np.hypot(ky[:, None], ky[None, :])
    reconstructed = slope(power.ravel(), k.ravel(), 0.05, 0.25)
    model = XrayModel(retrieval=0.0, noise_blur_um=1e-6)
    ours = slope(model.noise_shape(k**2, k**2).ravel() ** 2, k.ravel(), 0.05, 0.25)
    assert ours == pytest.approx(1.0)
    assert reconstructed == pytest.approx(1.0, abs=0.2)


def test_propagation_is_that_of_intensity_at_low_and_of_waves_at_high_frequency():
    model = XrayModel(retrieval=0.0, blur_um=1e-6, halo=0.0)
    chi = model.distance_um * (1.2398e-3 / model.energy_kev) / (4 * np.pi)
    low, zero = np.array([1e-4, 1e-3]), np.array([np.pi / chi])
    assert model.transfer(low)[0] == pytest.approx(1 + model.fringe_um2 * low, rel=1e-6)
    # Where χ is π, refraction gives no contrast and attenuation is inverted.
    assert model.transfer(zero)[0] == pytest.approx(-1.0, abs=1e-9)


@pytest.mark.parametrize("seed", [-1, 1.5, None, True, "1"])
def test_seeds_that_are_no_whole_numbers_are_refused(seed, cathode):
    for simulate in (
        lambda: electrode(20.0, seed=seed),
        lambda: xray_tomography(cathode, shape=(4, 4, 4), seed=seed),
        lambda: fibsem_tomography(cathode, 0.5, shape=(4, 4, 4), seed=seed),
    ):
        with pytest.raises(ValueError, match="a whole number from 0 is needed"):
            simulate()


@pytest.mark.parametrize("shape", [8, (8.5, 8, 8), (8, 8), (0, 8, 8), "888", (10**5, 10**5, 10**5)])
def test_shapes_that_are_no_volume_or_too_large_are_refused(shape, cathode):
    for simulate in (xray_tomography, fibsem_tomography):
        with pytest.raises(ValueError, match="three whole numbers|at most fit into"):
            simulate(cathode, 0.5, shape=shape)
