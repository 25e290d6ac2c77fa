"""An alignment that cannot be trusted is refused: each way in which it can go wrong."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

import corrtomo as ct
from corrtomo.register import AlignmentError, align
from corrtomo.register.search import Range
from corrtomo.register.subvolumes import Agreement
from corrtomo.register.trust import SECTION, agreed, check_agreement, check_range


def blobs(seed, shape=(50, 60, 70), sigma=3.0):
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), sigma).astype(np.float32)


CHANCE = r"random poses have .* No pose stands out"
BEYOND = r"best pose, shifted by .* lies beyond ±10 µm or ±12°"


@pytest.mark.parametrize(("seed", "match"), [(0, CHANCE), (1, CHANCE), (2, BEYOND), (3, BEYOND)])
def test_two_different_specimens(seed, match):
    """A weak maximum is no better than chance, or it drifts out of the range as it is refined."""
    with pytest.raises(AlignmentError, match=match):
        align(ct.volume(blobs(seed), 0.4), ct.volume(blobs(seed + 100), 0.4))


@pytest.mark.parametrize("seed", range(4))
def test_pure_noise(seed):
    rng = np.random.default_rng(seed)
    first, second = (ct.volume(rng.normal(size=(40, 45, 50)), 0.4) for _ in range(2))
    with pytest.raises(AlignmentError, match=CHANCE):
        align(first, second)


def test_two_different_digital_twins():
    first = ct.datasets.load("xt-fibsem").fibsem.sel(channel="SESI", drop=True)
    other = ct.datasets.load("xt-fibsem", seed=2).xray
    with pytest.raises(AlignmentError, match=CHANCE):
        align(first, other)


def test_a_turn_far_out_of_the_range():
    grey = blobs(0, (80, 80, 80), 4.0)
    turn = Rotation.from_rotvec([40.0, 0.0, 0.0], degrees=True).as_matrix()
    middle = np.full(3, 39.5)
    turned = ndimage.affine_transform(grey, turn, middle - turn @ middle, order=1)[20:60, 20:60, 20:60]
    with pytest.raises(AlignmentError, match=r"turned by z .40.*°, lies beyond ±10 µm or ±12°"):
        align(ct.volume(turned, 0.4), ct.volume(grey, 0.4))


def test_a_shift_out_of_the_range():
    grey = blobs(0, (50, 60, 120))
    with pytest.raises(AlignmentError, match=CHANCE):
        align(ct.volume(grey[:, :, 50:], 0.4), ct.volume(grey[:, :, :70], 0.4), max_shift_um=4.0)


@pytest.mark.parametrize(
    ("least", "match"),
    [(1.0, "at no pose within ±20 µm do they share 100%"), (0.95, "slid out of their overlap")],
)
def test_less_overlap_than_is_asked_for(least, match):
    """Three quarters are shared."""
    grey = blobs(0, (50, 60, 120))
    with pytest.raises(AlignmentError, match=match):
        align(
            ct.volume(grey[:, :, 30:], 0.4),
            ct.volume(grey[:, :, :90], 0.4),
            min_overlap=least,
            max_shift_um=20.0,
        )


def test_a_structure_that_repeats():
    z, y, x = np.meshgrid(*[np.arange(n) * 0.4 for n in (50, 60, 70)], indexing="ij")
    grey = np.cos(2 * np.pi * z / 5) + np.cos(2 * np.pi * y / 5) + np.cos(2 * np.pi * x / 5)
    with pytest.raises(
        AlignmentError, match="another pose, .* explains them as well. A structure that repeats"
    ):
        align(ct.volume(grey[10:40, 10:50, 10:60], 0.4), ct.volume(grey, 0.4))


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_voxel_twice_or_half_as_large_as_stated(factor):
    grey = blobs(0, (60, 70, 80))
    with pytest.raises(AlignmentError, match=rf"{CHANCE}.* stated voxel sizes are right"):
        align(ct.volume(grey[10:50, 10:50, 10:60], 0.4 * factor), ct.volume(grey, 0.4))


def seen(**changes):
    good = Agreement(0.1, 0.1, 1.0, 0.001, free=29, parts=12, lost=1, edge_um=0.4, radius_um=20.0)
    return replace(good, **changes)


@pytest.mark.parametrize(
    ("what", "match"),
    [
        (seen(scale=1.03), r"rigidly: sub-volumes ask for another voxel size, by 3.00% \(± 0.10%\), 0.60 µm"),
        (seen(lost=5), "only 7 of 12 sub-volumes find a match"),
        (seen(parts=4, lost=1, error_um=np.inf, spread_um=np.inf), "only 3 of 4 sub-volumes find a match"),
        (seen(spread_um=0.41), "disagree with each other by 0.41 µm, more than 0.40 µm"),
        (seen(spread_um=0.4003), r"by 0\.4003 µm, more than 0\.4000 µm"),
    ],
)
def test_sub_volumes_that_contradict_the_pose(what, match):
    check_agreement(seen(), "rigid", 0.3)
    with pytest.raises(AlignmentError, match=match):
        check_agreement(what, "rigid", 0.3)


def test_few_sub_volumes_are_surer_of_a_scale_than_they_may_be():
    off = seen(scale=1.012, scale_sd=0.002)
    with pytest.raises(AlignmentError, match="another voxel size"):
        check_agreement(off, "rigid", 0.3)
    check_agreement(replace(off, free=4), "rigid", 0.3)


def test_of_a_section_sub_areas_are_spoken_of():
    for change in ({"scale": 1.03}, {"lost": 5}, {"spread_um": 0.41}):
        with pytest.raises(AlignmentError, match=r"Cannot locate the section.* sub-areas of it") as caught:
            agreed(lambda _, change=change: seen(**change), "rigid", 0.3, SECTION)
        assert "align" not in str(caught.value)
        assert "affine" not in str(caught.value)


def test_messages_name_the_axes_of_what_they_print():
    where = Range(np.zeros(3), np.zeros(3), 10.0, 12.0, 0.3)
    matrix = np.eye(4)
    matrix[:3, 3] = 1.0, -12.345, 0.0
    with pytest.raises(
        AlignmentError, match=r"shifted by z \+1\.00, y -12\.35, x \+0\.00 µm and turned by z "
    ):
        check_range(matrix, where)
    grey = blobs(0)
    far = ct.volume(grey, 0.4, origin=(0.0, 500.0, 0.0))
    with pytest.raises(AlignmentError, match=r"between z -\d+\.\d\d, y \+\d+\.\d\d, x -\d+\.\d\d and z "):
        align(far, ct.volume(grey, 0.4), start="coordinates")


def test_sub_volumes_may_ask_for_a_scale_where_it_was_fitted_and_differ_by_what_is_blurred():
    check_agreement(seen(scale=1.03), "similarity", 0.3)
    check_agreement(seen(spread_um=0.41), "rigid", 0.5)


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
