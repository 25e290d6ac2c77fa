"""The interface of two phases, and what every pair of thresholds does to it."""

import numpy as np
import pytest

import corrtomo as ct

PLATINUM = (ct.Phase.CBD, ct.Phase.AM, ct.Phase.PORE)


def halves(n=20, shape=(10, 40)):
    labels = np.zeros(shape, np.uint8)
    labels[:, n:] = 1
    return labels


@pytest.mark.parametrize("layers", [1, 2, 5])
@pytest.mark.parametrize("size", [0.02, (0.5, 0.02)])
def test_half_planes_have_that_many_layers_on_either_side(layers, size):
    found = ct.measure.interface(ct.volume(halves(), size), between=(0, 1), within_um=layers * 0.02)
    expected = np.zeros(40, bool)
    expected[20 - layers : 20 + layers] = True
    assert (found.values == expected).all()


def test_half_spaces_too_with_voxels_that_are_no_cubes():
    labels = np.broadcast_to(halves()[:, None], (10, 6, 40)).transpose(2, 0, 1)
    found = ct.measure.interface(ct.volume(labels, (0.1, 1.0, 3.0)), between=(1, 0), within_um=0.3)
    assert found.values.any(axis=(1, 2)).nonzero()[0].tolist() == list(range(17, 23))


def test_a_disc_has_a_ring():
    y, x = np.ogrid[-60:61, -60:61]
    radius = np.hypot(y, x)
    labels = np.where(radius < 40, 1, 0)
    found = ct.measure.interface(ct.volume(labels, 0.1), between=(0, 1), within_um=0.5)
    # The nearest voxel of the other side is up to one diagonal farther than the circle.
    assert found.values[np.abs(radius - 40) < 5 - np.sqrt(2)].all()
    assert not found.values[np.abs(radius - 40) > 5].any()
    assert found.sum() == pytest.approx(2 * np.pi * 40 * 10, rel=0.03)  # 5 layers on either side


@pytest.mark.parametrize("third", [2, 255])
def test_a_third_phase_keeps_its_distance(third):
    labels = halves()
    labels[0] = third
    found = ct.measure.interface(ct.volume(labels, 0.1), between=(0, 1), within_um=0.3)
    assert found.values[:, 19].nonzero()[0].tolist() == list(range(4, 10))
    assert not found.values[0].any()


@pytest.mark.parametrize(
    ("labels", "between", "within", "match"),
    [
        (halves(), (0, 0), 0.1, "between \\[0, 0\\]: two different phases that occur"),
        (halves(), (0, 2), 0.1, "Those that occur are pore \\(0\\), carbon binder domain \\(1\\)"),
        (halves(), (0, 1, 2), 0.1, "two different phases"),
        (halves(), (0, 1), 0.05, "within 0.05 µm: no other voxel is so near"),
        (halves(), (0, 1), 0, "it must be finite and above zero"),
        (np.full((2, 2), 9), (0, 1), 0.1, "Cannot find phase 9"),
        (np.arange(2), (0, 1), 0.1, "Cannot use a 1D image"),
    ],
)
def test_interfaces_refuse(labels, between, within, match):
    with pytest.raises(ValueError, match=match):
        ct.measure.interface(ct.volume(labels, 0.1), between=between, within_um=within)


@pytest.fixture(scope="module")
def blurred():
    """Stripes of binder, particle and platinum, dark to bright, with an edge that the beam blurs."""
    rng = np.random.default_rng(1)
    grey = {1: 60, 2: 130, 0: 240}
    stripes = np.repeat([1, 0, 2, 1, 2, 0, 1], 12)
    line = np.array([grey[code] for code in stripes], float)
    line = np.convolve(np.pad(line, 2, mode="edge"), [0.1, 0.2, 0.4, 0.2, 0.1], "valid")
    image = np.clip(rng.normal(line, 8, (50, line.size)).round(), 0, 255).astype(np.uint8)
    truth = np.broadcast_to(stripes, image.shape).astype(np.uint8)
    return ct.volume(image, 0.02), ct.volume(truth, 0.02)


def test_every_pair_counts_as_one_by_one(blurred):
    image, truth = blurred
    mask = ct.measure.interface(truth, between=(0, 1), within_um=0.04)
    share = ct.measure.middle_by_threshold_pair(image, mask)
    for low, high in [(0, 255), (60, 130), (95, 185), (254, 255), (10, 11)]:
        middle = (image > low) & (image <= high)
        assert float(share.sel(lower=low, upper=high)) == middle.values[mask.values].mean()
    assert int(share.isnull().sum()) == 256 * 257 // 2


def test_blur_puts_interface_pixels_into_the_middle_under_any_good_pair(blurred):
    image, truth = blurred
    kappa = ct.measure.kappa_by_threshold_pair(image, truth, phases=PLATINUM)
    mask = ct.measure.interface(truth, between=(0, 1), within_um=0.02)
    share = ct.measure.middle_by_threshold_pair(image, mask)
    best = ct.measure.least_to_middle(share, kappa)
    loose = ct.measure.least_to_middle(share, kappa, within=0.02)
    assert best.kappa == float(kappa.max())
    assert best.share >= loose.share > 0.1
    assert float(share.sel(lower=loose.lower, upper=loose.upper)) == loose.share
    assert loose.kappa >= best.kappa - 0.02
    # With κ of no matter, two thresholds that fall together leave no middle.
    assert ct.measure.least_to_middle(share, kappa, within=2).share == 0


def test_the_order_of_grey_is_not_the_order_of_codes(blurred):
    image, truth = blurred
    kappa = ct.measure.kappa_by_threshold_pair(image, truth, phases=PLATINUM)
    rank = np.array([2, 0, 1], np.uint8)
    assert kappa.equals(ct.measure.kappa_by_threshold_pair(image, truth.copy(data=rank[truth.values])))
    low, high = np.unravel_index(np.nanargmax(kappa.values), kappa.shape)
    found = ct.segment.by_thresholds(image, int(low), int(high), phases=PLATINUM)
    assert ct.measure.cohen_kappa(found, truth) == pytest.approx(float(kappa.max()))
    assert float(kappa.max()) > 0.8 > float(ct.measure.kappa_by_threshold_pair(image, truth).max())


def test_an_absent_phase_or_a_wrong_list(blurred):
    image, truth = blurred
    two = truth.copy(data=np.where(truth.values == 2, 1, truth.values))
    assert np.isfinite(ct.measure.kappa_by_threshold_pair(image, two, phases=PLATINUM).max())
    for phases in [(0, 1), (0, 1, 1), (0, 1, 2, 3)]:
        with pytest.raises(ValueError, match="three different codes are needed, from dark to bright"):
            ct.measure.kappa_by_threshold_pair(image, truth, phases=phases)
    with pytest.raises(ValueError, match=r"a truth of codes \[0, 1, 2\]: allowed are \[0, 1, 3\]"):
        ct.measure.kappa_by_threshold_pair(image, truth, phases=(1, 3, 0))


def test_shares_refuse(blurred):
    image, truth = blurred
    with pytest.raises(ValueError, match=r"no voxel is in the mask.*Lower within_um"):
        ct.measure.middle_by_threshold_pair(image, truth == 9)
    with pytest.raises(TypeError, match="the mask has dtype uint8"):
        ct.measure.middle_by_threshold_pair(image, truth)
    with pytest.raises(TypeError, match="grey values of dtype uint16: uint8 is needed"):
        ct.measure.middle_by_threshold_pair(image.astype(np.uint16), truth == 0)
    with pytest.raises(ValueError, match="sizes"):
        ct.measure.middle_by_threshold_pair(image, (truth == 0)[:5])


def test_least_shares_refuse(blurred):
    image, truth = blurred
    share = ct.measure.middle_by_threshold_pair(image, truth == 0)
    kappa = ct.measure.kappa_by_threshold_pair(image, truth, phases=PLATINUM)
    with pytest.raises(ValueError, match=r"dims \('lower', 'upper'\) and \('threshold',\)"):
        ct.measure.least_to_middle(share, ct.measure.kappa_by_threshold(image, truth == 0))
    for within in (-0.1, 3, np.nan):
        with pytest.raises(ValueError, match="a number from 0 to 2 is needed"):
            ct.measure.least_to_middle(share, kappa, within=within)
