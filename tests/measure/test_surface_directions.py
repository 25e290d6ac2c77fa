"""What 13 directions give exactly: the published weights, and their error on flat faces."""

import numpy as np
import pytest

import corrtomo as ct
from corrtomo.measure.surface import direction_weights, half_of_steps

# Share of the sphere of one of the 26 directions along edges, face diagonals and space diagonals of a cube
# (Legland, Kiêu and Devaux 2007, doi:10.5566/ias.v26.p83-92).
PUBLISHED = {1: 0.04577789120476, 2: 0.03698062787608, 3: 0.03519563978232}


def test_weights_of_cubes_are_the_published_ones():
    steps = half_of_steps(3)
    assert len(steps) == 13
    for step, weight in zip(steps, direction_weights(steps.astype(float)), strict=True):
        assert weight == pytest.approx(2 * PUBLISHED[int(abs(step).sum())], abs=1e-10)


@pytest.mark.parametrize("sizes", [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0), (0.7, 1.0, 1.4)])
def test_weights_add_to_one_and_follow_the_shape_of_a_voxel(sizes):
    steps = half_of_steps(3)
    weights = direction_weights(steps * np.array(sizes))
    assert weights.sum() == pytest.approx(1)
    # Directions that differ in signs alone are alike.
    for pattern in np.unique(abs(steps), axis=0):
        alike = weights[(abs(steps) == pattern).all(axis=1)]
        assert alike == pytest.approx(alike[0])


def test_weights_in_a_plane_are_the_angles_between_directions():
    assert direction_weights(half_of_steps(2).astype(float)) == pytest.approx([0.25] * 4)
    # Voxels twice as long along y: directions at 0, atan 2 and 90 degrees.
    steep = np.arctan(2) / np.pi
    by_step = {(0, 1): steep, (1, 0): 0.5 - steep, (1, -1): 0.25, (1, 1): 0.25}
    steps = half_of_steps(2)
    found = direction_weights(steps * np.array([2.0, 1.0]))
    assert found == pytest.approx([by_step[tuple(step)] for step in steps.tolist()])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_flat_face_along_an_axis_is_seven_percent_too_small(axis):
    # The mean of |cos| over the 13 directions in place of one half.
    cosines = 2 * (PUBLISHED[1] + 4 * PUBLISHED[2] / np.sqrt(2) + 4 * PUBLISHED[3] / np.sqrt(3))
    expected = 2 * cosines
    assert expected == pytest.approx(0.927, abs=5e-4)
    values = np.zeros((30, 30, 30), bool)
    np.moveaxis(values, axis, 0)[10:20] = True
    area = ct.measure.surface_area(ct.volume(values, 0.5))
    assert area == pytest.approx(expected * 2 * 15.0**2, rel=1e-9)


def test_particles_at_each_side_of_the_volume_touch_its_border():
    for axis in range(3):
        for end in (0, -1):
            values = np.zeros((5, 6, 7), bool)
            values[2, 2, 3] = True
            np.moveaxis(values, axis, 0)[end].flat[8] = True
            found = ct.measure.particles(ct.volume(values, 1.0), connectivity=6)
            assert found.touches_border.sum() == 1
            assert not found.touches_border[found.index[(found.z_um == 2) & (found.y_um == 2)][0]]
