"""An alignment that cannot be trusted is refused: each way in which it can go wrong."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

import corrtomo as ct
from corrtomo.register import AlignmentError, align


def blobs(seed, shape=(50, 60, 70), sigma=3.0):
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), sigma).astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_two_different_specimens(seed):
    with pytest.raises(AlignmentError, match="Cannot align the images"):
        align(ct.volume(blobs(seed), 0.4), ct.volume(blobs(seed + 100), 0.4))


@pytest.mark.parametrize("seed", range(4))
def test_pure_noise(seed):
    rng = np.random.default_rng(seed)
    first, second = (ct.volume(rng.normal(size=(40, 45, 50)), 0.4) for _ in range(2))
    with pytest.raises(AlignmentError, match="Cannot align the images"):
        align(first, second)


def test_two_different_digital_twins():
    first = ct.datasets.load("xt-fibsem").fibsem.sel(channel="SESI", drop=True)
    other = ct.datasets.load("xt-fibsem", seed=2).xray
    with pytest.raises(AlignmentError, match="Cannot align the images"):
        align(first, other)


def test_a_turn_far_out_of_the_range():
    grey = blobs(0, (80, 80, 80), 4.0)
    turn = Rotation.from_rotvec([40.0, 0.0, 0.0], degrees=True).as_matrix()
    middle = np.full(3, 39.5)
    turned = ndimage.affine_transform(grey, turn, middle - turn @ middle, order=1)[20:60, 20:60, 20:60]
    with pytest.raises(AlignmentError, match="Cannot align the images"):
        align(ct.volume(turned, 0.4), ct.volume(grey, 0.4))


def test_a_shift_out_of_the_range():
    grey = blobs(0, (50, 60, 120))
    with pytest.raises(AlignmentError, match="Cannot align the images"):
        align(ct.volume(grey[:, :, 50:], 0.4), ct.volume(grey[:, :, :70], 0.4), max_shift_um=4.0)


def test_a_structure_that_repeats():
    z, y, x = np.meshgrid(*[np.arange(n) * 0.4 for n in (50, 60, 70)], indexing="ij")
    grey = np.cos(2 * np.pi * z / 5) + np.cos(2 * np.pi * y / 5) + np.cos(2 * np.pi * x / 5)
    with pytest.raises(AlignmentError, match="repeats"):
        align(ct.volume(grey[10:40, 10:50, 10:60], 0.4), ct.volume(grey, 0.4))


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_voxel_twice_or_half_as_large_as_stated(factor):
    grey = blobs(0, (60, 70, 80))
    with pytest.raises(AlignmentError, match="voxel size|do not overlap"):
        align(ct.volume(grey[10:50, 10:50, 10:60], 0.4 * factor), ct.volume(grey, 0.4))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda i: i * 0, "constant"),
        (lambda i: i.where(i < i.max()), "NaN or infinite"),
        (lambda i: i.where(i < i.max(), np.inf), "NaN or infinite"),
        (lambda i: i.isel(z=0), "dims"),
        (lambda i: i.isel(z=slice(0, 3)), "8 or more"),
        (lambda i: i.expand_dims(channel=2), "channels"),
    ],
)
def test_images_that_cannot_be_aligned(change, match):
    good = ct.volume(blobs(0), 0.4)
    for pair in ((change(good), good), (good, change(good))):
        with pytest.raises(ValueError, match=match):
            align(*pair)


def test_a_plain_array():
    with pytest.raises(TypeError, match=r"ct\.volume"):
        align(blobs(0), blobs(0))


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"transform": "rigidly"}, ValueError, "allowed are rigid, similarity, affine"),
        ({"start": "corner"}, ValueError, "allowed are centres, coordinates"),
        ({"max_shift_um": 0.0}, ValueError, "max_shift_um"),
        ({"max_turn_deg": "10"}, TypeError, "max_turn_deg"),
        ({"min_overlap": 0.0}, ValueError, "min_overlap"),
        ({"min_overlap": True}, ValueError, "min_overlap"),
        ({"seed": -1}, ValueError, "seed"),
        ({"seed": 0.5}, ValueError, "seed"),
    ],
)
def test_options_out_of_range(options, error, match):
    image = ct.volume(blobs(0), 0.4)
    with pytest.raises(error, match=match):
        align(image, image, **options)
