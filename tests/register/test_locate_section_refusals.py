"""A section that cannot be located with trust is refused: each way in which it can go wrong."""

import re

import numpy as np
import pytest
from scipy import ndimage
from test_locate_section import RANGE, drawn, exposed, in_air, pose, specimen, tomogram

import corrtomo as ct
from corrtomo.register import AlignmentError, locate_section


def blobs(seed, shape=(40, 80, 90), sigma=4.0):
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), sigma).astype(np.float32)


@pytest.fixture(scope="module")
def good():
    """A section of blobs at z = 2 µm of a volume of them."""
    grey = blobs(0)
    return ct.volume(-grey[20, 10:70, 15:75], 0.1, origin=(1.0, 1.5)), ct.volume(grey, 0.1)


def test_the_good_pair_is_found(good):
    found = locate_section(*good, start="coordinates", max_shift_um=1.0)
    np.testing.assert_allclose(found.points([0.0, 1.0, 1.5]), [2.0, 1.0, 1.5], atol=0.05)


NO_POSE = r"mirror images, which lie nowhere in it, by up to 0\.\d\d\. No pose stands out"


@pytest.mark.parametrize("seed", range(3))
def test_a_section_of_another_specimen(seed):
    section = exposed(specimen(seed + 50), pose(3.0, (1.0, -1.0), 3.0), seed)
    with pytest.raises(AlignmentError, match=NO_POSE):
        locate_section(section, tomogram(specimen(seed), seed), **RANGE)


@pytest.mark.parametrize("seed", range(2))
def test_pillars_of_one_outline_and_other_insides(seed):
    """The round wall fits at every depth and in a mirror: it is no reason to trust a pose."""
    matrix = pose(3.0)
    volume = in_air(tomogram(specimen(seed), seed))
    section = in_air(exposed(specimen(seed + 50), matrix, seed), pose_of=matrix)
    with pytest.raises(AlignmentError, match=NO_POSE):
        locate_section(section, volume, **RANGE)


def test_pure_noise():
    rng = np.random.default_rng(0)
    with pytest.raises(AlignmentError, match=NO_POSE):
        locate_section(
            ct.volume(rng.normal(size=(50, 60)), 0.1),
            ct.volume(rng.normal(size=(30, 60, 70)), 0.1),
            max_shift_um=1.0,
        )


def test_a_section_seen_from_the_other_side():
    section, volume, _ = drawn(3)
    with pytest.raises(AlignmentError, match=r"recorded from the other side. Mirror the section.*::-1"):
        locate_section(section.copy(data=section.data[:, ::-1]), volume, **RANGE)


@pytest.mark.parametrize(("mirrored", "quarters"), [(False, 1), (False, 2), (False, 3), (True, 1), (True, 2)])
def test_a_section_turned_by_quarters_is_told_how_to_turn_it_back(mirrored, quarters):
    """In this specimen a mirror image fits by chance: what was said of it was wrong."""
    section, volume, _ = drawn(0)
    data = np.rot90(section.data, -quarters)
    turned = ct.volume(np.ascontiguousarray(data[::-1] if mirrored else data), ct.voxel_size(section))
    with pytest.raises(AlignmentError) as caught:
        locate_section(turned, volume, **RANGE)
    said = str(caught.value)
    assert ("other side. Mirror the section and turn it" in said) == mirrored
    assert ("Turn it first" in said) == (not mirrored)
    # What it says to do is done, and leads to the section as it was.
    advice = re.search(r"for instance with (ct\.volume\(.*\))[.,]", said)[1]
    back = eval(advice, {"np": np, "ct": ct, "section": turned})
    np.testing.assert_array_equal(back.data, section.data)


def test_a_structure_that_is_the_same_at_all_depths():
    grey = np.repeat(blobs(1, (1, 80, 90))[:1], 40, axis=0)
    with pytest.raises(AlignmentError, match="another pose, .* explains it as well"):
        locate_section(ct.volume(grey[0, 10:70, 15:75], 0.1), ct.volume(grey, 0.1), max_shift_um=1.0)


def test_a_depth_out_of_the_range(good):
    with pytest.raises(AlignmentError, match="lies beyond z 0.5 to 1.9 µm|No pose stands out"):
        locate_section(*good, start="coordinates", depth_range_um=(0.5, 1.9))


def test_a_shift_out_of_the_range(good):
    section, volume = good
    with pytest.raises(AlignmentError, match=r"lies beyond .* ±0\.3 µm|No pose stands out"):
        locate_section(
            section.assign_coords(y=section.y + 0.5), volume, start="coordinates", max_shift_um=0.3
        )


def test_a_tilt_and_a_turn_out_of_the_range():
    cathode = specimen(3)
    volume = tomogram(cathode)
    with pytest.raises(AlignmentError, match="lies beyond .* ±2°|No pose stands out"):
        locate_section(exposed(cathode, pose(3.3, (4.0, 0.0))), volume, max_tilt_deg=2.0, **RANGE)
    with pytest.raises(AlignmentError, match="turned by .* lies beyond .* or ±3°|No pose stands out"):
        locate_section(exposed(cathode, pose(3.3, turn=5.0)), volume, max_turn_deg=3.0, **RANGE)


def test_a_section_outside_the_volume(good):
    section, volume = good
    far = section.assign_coords(y=section.y + 100.0)
    with pytest.raises(AlignmentError, match="it lies outside the volume. .* start='centres'"):
        locate_section(far, volume, start="coordinates")
    with pytest.raises(AlignmentError, match=r"at z 10 to 12 µm, and the volume reaches from 0 to 3.9 µm"):
        locate_section(*good, depth_range_um=(10.0, 12.0))


def test_less_overlap_than_is_asked_for(good):
    section, volume = good
    half = volume.isel(x=slice(0, 45))
    with pytest.raises(AlignmentError, match="share 100% with the volume|below min_overlap 100%|slid out"):
        locate_section(section, half, start="coordinates", max_shift_um=1.0, min_overlap=1.0)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (lambda s, v: (s.data, v), TypeError, r"ct\.volume"),
        (lambda s, v: (s, v.data), TypeError, r"ct\.volume"),
        (lambda s, v: (None, v), TypeError, "NoneType"),
        (lambda s, v: (s, "volume.tif"), TypeError, "Cannot use a str"),
        (lambda s, v: (v, s), ValueError, r"section of dims \('z', 'y', 'x'\): dims y, x are needed"),
        (lambda s, v: (s, s), ValueError, r"volume of dims \('y', 'x'\): dims z, y, x are needed"),
        (lambda s, v: (s.rename(y="z"), v), ValueError, "dims y, x are needed"),
        (lambda s, v: (s.expand_dims(channel=2), v), ValueError, "has 2 channels"),
        (lambda s, v: (s, v.expand_dims(channel=3)), ValueError, "has 3 channels"),
        (lambda s, v: (s[:5], v), ValueError, "8 or more are needed"),
        (lambda s, v: (s, v[:5]), ValueError, "8 or more are needed"),
        (lambda s, v: (s * 0, v), ValueError, "section image is constant"),
        (lambda s, v: (s, v * 0), ValueError, "volume image is constant"),
        (lambda s, v: (s.where(s < s.max()), v), ValueError, "NaN or infinite grey values in the section"),
        (lambda s, v: (s, v.where(v < v.max(), np.inf)), ValueError, "grey values in the volume"),
        (lambda s, v: (s.drop_vars("y"), v), ValueError, "without y coordinates"),
    ],
)
def test_images_that_cannot_be_located(good, change, error, match):
    with pytest.raises(error, match=match):
        locate_section(*change(*good))


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"transform": "affine"}, ValueError, "allowed are rigid, similarity"),
        ({"start": "corner"}, ValueError, "allowed are centres, coordinates"),
        ({"max_shift_um": 0.0}, ValueError, "max_shift_um"),
        ({"max_shift_um": "5"}, TypeError, "max_shift_um"),
        ({"max_tilt_deg": -1.0}, ValueError, "max_tilt_deg"),
        ({"max_tilt_deg": 61.0}, ValueError, "up to 60 are needed. A section across another axis"),
        ({"max_turn_deg": 181.0}, ValueError, "up to 180"),
        ({"min_overlap": 1.5}, ValueError, "min_overlap"),
        ({"seed": -1}, ValueError, "seed"),
        ({"depth_range_um": 3.0}, TypeError, r"for instance \(0.5, 3.0\)"),
        ({"depth_range_um": "12"}, TypeError, "lowest and highest z"),
        ({"depth_range_um": (1.0, 2.0, 3.0)}, TypeError, "lowest and highest z"),
        ({"depth_range_um": (2.0, 1.0)}, ValueError, "the lower first"),
        ({"depth_range_um": (1.0, 1.0)}, ValueError, "the lower first"),
        ({"depth_range_um": (np.nan, 1.0)}, ValueError, "two finite numbers"),
        ({"depth_range_um": (0.0, np.inf)}, ValueError, "two finite numbers"),
        ({"depth_range_um": ("0", "1")}, ValueError, "two finite numbers"),
        ({"depth_range_um": (False, True)}, ValueError, "two finite numbers"),
    ],
)
def test_options_out_of_range(good, options, error, match):
    with pytest.raises(error, match=match):
        locate_section(*good, **options)
