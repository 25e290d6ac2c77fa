"""A section found in a volume: known poses, with honest errors, from a stated range."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial.transform import Rotation

import corrtomo as ct
from corrtomo.register import locate_section
from corrtomo.register.section_pair import tilt_and_turn

VOXEL, PIXEL = 0.1, 0.05
SHAPE, SIZE = (70, 130, 140), (180, 190)
MIDDLE = (np.array(SHAPE) - 1) / 2 * VOXEL
CENTRE = np.array([0.0, *((np.array(SIZE) - 1) / 2 * PIXEL)])
RANGE = {"depth_range_um": (0.7, 6.2), "max_shift_um": 2.0}
NEAR = {"depth_range_um": (0.7, 6.2), "max_shift_um": 4.0}


def rotation(tilt, turn):
    """Turn in the plane, then tilt about y and x."""
    tilted = Rotation.from_rotvec([0.0, *tilt], degrees=True)
    return (tilted * Rotation.from_rotvec([turn, 0.0, 0.0], degrees=True)).as_matrix()


def pose(depth, tilt=(0.0, 0.0), turn=0.0, shift=(0.0, 0.0)):
    """Return the matrix from the frame of the section to that of the volume."""
    out = np.eye(4)
    out[:3, :3] = rotation(tilt, turn)
    out[:3, 3] = [depth, *(MIDDLE[1:] + shift)] - out[:3, :3] @ CENTRE
    return out


def specimen(seed):
    return ct.simulate.electrode(18.0, diameter_um=3.0, geometric_sd=1.4, seed=seed)


def tomogram(cathode, seed=0, noise=0.15):
    """Active material bright, binder nearly as dark as pores, blurred by 0.1 µm, noisy."""
    labels = cathode.labels(VOXEL, origin=(0.0, 0.0, 0.0), shape=SHAPE)
    grey = ndimage.gaussian_filter(np.choose(labels.values, [0.0, 0.06, 1.0]), 1.0)
    grey += noise * np.random.default_rng(seed).normal(size=SHAPE)
    return ct.volume(grey.astype(np.float32), VOXEL)


def exposed(cathode, matrix, seed=0):
    """Other grey values, grains inside particles that the tomogram does not show, sharper, noisy."""
    back = np.linalg.inv(matrix)
    labels = cathode.labels(PIXEL, origin=(0.0, 0.0, 0.0), shape=(1, *SIZE), pose=back).values[0]
    rng = np.random.default_rng(seed)
    grains = ndimage.gaussian_filter(rng.normal(size=SIZE), 3.0)
    grey = np.choose(labels, [30.0, 70.0, 150.0]) + 18.0 * (labels == 2) * grains / grains.std()
    grey = ndimage.gaussian_filter(grey, 0.5) + 24.0 * rng.normal(size=SIZE)
    return ct.volume(np.clip(grey, 0, 255).astype(np.uint8), PIXEL)


def drawn(seed):
    """Return a section and a volume of one specimen, and a random pose."""
    rng = np.random.default_rng(seed)
    matrix = pose(
        rng.uniform(1.5, 5.4), rng.uniform(-3, 3, 2), float(rng.uniform(-10, 10)), rng.uniform(-1.5, 1.5, 2)
    )
    cathode = specimen(seed)
    return exposed(cathode, matrix, seed), tomogram(cathode, seed), matrix


def in_air(image, pose_of=None, radius=3.8):
    """Mill all away but a pillar around the middle of the volume."""
    y, x = np.meshgrid(image.y, image.x, indexing="ij")
    points = np.stack([0 * y, y, x], -1)
    points = points if pose_of is None else points @ pose_of[:3, :3].T + pose_of[:3, 3]
    air = np.linalg.norm(points[..., 1:] - MIDDLE[1:], axis=-1) > radius
    noise = np.random.default_rng(0).uniform(0, 25 if pose_of is not None else 0.3, image.shape)
    return image.copy(data=np.where(air, noise, image).astype(image.dtype))


def ends_of(section):
    sides = [(float(section[d][0]), float(section[d][-1])) for d in ("y", "x")]
    return np.array([[0.0, y, x] for y in sides[0] for x in sides[1]])


def off(found, matrix, section):
    """Return by how much depth (µm), tilt (°) and the farthest corner (µm) are off."""
    ends = ends_of(section)
    there = np.column_stack([ends, np.ones(4)]) @ matrix[:3].T
    middle = np.array([*CENTRE, 1.0])
    turned = Rotation.from_matrix(found.matrix[:3, :3] @ matrix[:3, :3].T).as_rotvec(degrees=True)
    depth = float(found.points(CENTRE)[0] - (matrix[:3] @ middle)[0])
    return (
        depth,
        float(np.abs(turned[1:]).max()),
        float(np.linalg.norm(found.points(ends) - there, axis=1).max()),
    )


@pytest.fixture(scope="module")
def one():
    section, volume, matrix = drawn(3)
    return section, volume, matrix, locate_section(section, volume, **RANGE)


def test_random_poses_are_found_and_the_stated_errors_are_of_their_size(one):
    """Depths within 100 nm; what grains and noise of so small a section hide of its tilt is stated."""
    cases = [one] + [(*case, locate_section(*case[:2], **RANGE)) for case in map(drawn, (4, 5))]
    errors = np.array([off(found, matrix, section) for section, _, matrix, found in cases])
    stated = np.array([(f.depth_error_um, f.tilt_error_deg, f.error_um) for *_, f in cases])
    assert np.abs(errors[:, 0]).max() < 0.1
    assert np.median(errors[:, 1]) < 0.5
    ratio = np.sqrt((stated**2).mean(axis=0) / (errors**2).mean(axis=0))
    assert (ratio > 0.6).all()
    assert (ratio < 2.5).all()


def test_what_is_reported_is_what_was_found(one):
    _, _, matrix, found = one
    assert found.depth_um == pytest.approx(found.points(CENTRE)[0])
    assert found.depth_um == pytest.approx((matrix[:3] @ [*CENTRE, 1.0])[0], abs=0.1)
    wanted, _ = tilt_and_turn(matrix)
    np.testing.assert_allclose(found.tilt_deg, wanted, atol=0.5)
    np.testing.assert_allclose(found.shift_um[1:], (matrix[:3] @ [*CENTRE, 1.0])[1:] - MIDDLE[1:], atol=0.05)
    assert found.correlation > 1.3 * found.chance
    text = repr(found)
    assert text.startswith("SectionAlignment(rigid: turned by")
    assert f"section at z {found.depth_um:.3f} ± {found.depth_error_um:.3f} µm, tilted about y" in text


def test_two_runs_give_the_same_bytes_and_another_seed_the_same_pose(one):
    section, volume, matrix, found = one
    again = locate_section(section, volume, **RANGE)
    assert again.matrix.tobytes() == found.matrix.tobytes()
    assert again.error_um == found.error_um
    other = locate_section(section, volume, seed=5, **RANGE)
    assert off(other, matrix, section)[2] < 0.1


def test_chunks_and_contrast_change_nothing(one):
    section, volume, matrix, found = one
    lazy = volume.copy(data=da.from_array(volume.data, chunks=(33, 60, 47)))
    np.testing.assert_allclose(locate_section(section, lazy, **RANGE).matrix, found.matrix, atol=1e-5)
    assert off(locate_section(255 - section, volume, **RANGE), matrix, section)[2] < 0.1


def test_frames_may_have_any_origin_and_coordinates_may_be_trusted(one):
    section, volume, matrix, _ = one
    away = ct.volume(volume.data, VOXEL, origin=(50.0, -30.0, 7.0))
    here = ct.volume(section.data, PIXEL, origin=(-29.0, 9.0))
    found = locate_section(here, away, start="coordinates", depth_range_um=(50.7, 56.2), max_shift_um=4.0)
    corner = found.points([0.0, -29.0, 9.0]) - [50.0, -30.0, 7.0]
    np.testing.assert_allclose(corner, matrix[:3, 3], atol=0.1)


def test_a_pixel_size_that_is_not_as_stated_can_be_fitted():
    section, volume, matrix = drawn(3)
    wide = ct.volume(section.data, PIXEL * 1.03)
    with pytest.raises(ct.register.AlignmentError, match="transform='similarity'"):
        locate_section(wide, volume, **RANGE)
    found = locate_section(wide, volume, transform="similarity", **RANGE)
    assert found.scale == pytest.approx(1 / 1.03, abs=0.004)
    ends = ends_of(section)
    there = np.column_stack([ends, np.ones(4)]) @ matrix[:3].T
    assert np.linalg.norm(found.points(ends * 1.03) - there, axis=1).max() < 0.12


def test_a_pillar_in_air_is_found_by_what_is_inside(one):
    """Its wall, the same at all depths, tells no depth; the section shows more around it than the volume."""
    section, volume, matrix, _ = one
    section, volume = in_air(section, pose_of=matrix), in_air(volume)
    wide = ct.volume(np.pad(section.data, 40, constant_values=12), PIXEL, origin=-40 * PIXEL)
    found = locate_section(wide, volume.isel(y=slice(15, 115), x=slice(15, 125)), start="coordinates", **NEAR)
    depth, tilt, _ = off(found, matrix, section)
    assert abs(depth) < 0.1
    assert tilt < 2.0 * found.tilt_error_deg


angle = st.floats(-40, 40)


@given(angle, angle, st.floats(-170, 170))
def test_any_tilt_and_turn_are_told_apart(about_y, about_x, turn):
    matrix = np.eye(4)
    matrix[:3, :3] = 1.2 * rotation((about_y, about_x), turn)
    tilt, flat = tilt_and_turn(matrix)
    np.testing.assert_allclose((*tilt, flat), (about_y, about_x, turn), atol=1e-5)
