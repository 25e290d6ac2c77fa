"""The specimen: volumes in closed form, one structure at every resolution, fractions, refusals."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

import corrtomo as ct
from corrtomo.simulate import electrode, packing
from corrtomo.simulate.raster import View

AM, CBD = int(ct.Phase.AM), int(ct.Phase.CBD)


def fraction(labels, phase):
    return float((labels == phase).mean())


def turn_about(axis, degrees):
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_rotvec(np.radians(degrees) * np.eye(3)[axis]).as_matrix()
    return pose


@pytest.mark.parametrize("centre", [(8.0, 8.0, 8.0), (0.3, 16.9, 9.0)])
def test_a_ball_has_its_volume_also_across_the_border(make_solids, centre):
    labels = make_solids(centre, (3.0, 3.0, 3.0)).labels(0.1)
    volume_um3 = float((labels == AM).sum()) * 0.1**3
    assert volume_um3 == pytest.approx(4 / 3 * np.pi * 27, rel=2e-3)


def test_raster_of_a_turned_ellipsoid_in_a_turned_view_equals_the_formula(make_solids):
    turn, axes = Rotation.from_euler("xyz", (0.4, -0.8, 1.1)), np.array([3.0, 2.0, 1.5])
    specimen = make_solids((8.0, 8.0, 8.0), axes, turn.as_quat())
    pose = turn_about(1, 17.0) @ turn_about(2, -5.0)
    pose[:3, 3] = (1.0, -2.0, 3.0)
    voxel, origin, shape = np.array([0.3, 0.2, 0.25]), np.array([2.0, 3.0, 4.0]), (40, 50, 45)
    labels = specimen.labels(voxel, origin=origin, shape=shape, pose=pose)
    grid = np.stack(
        np.meshgrid(
            *(o + v * np.arange(n) for o, v, n in zip(origin, voxel, shape, strict=True)), indexing="ij"
        ),
        -1,
    )
    inside = (grid - pose[:3, 3]) @ pose[:3, :3]
    local = (inside - 8.0) @ turn.as_matrix()
    np.testing.assert_array_equal(labels.data == AM, ((local / axes) ** 2).sum(-1) <= 1.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_fractions_are_met(seed):
    labels = electrode(20.0, seed=seed).labels(0.2)
    assert fraction(labels, AM) == pytest.approx(0.356, abs=0.002)
    assert fraction(labels, CBD) == pytest.approx(0.112 / 0.373, abs=0.005)


def test_fractions_of_a_large_box_are_met_by_blocks():
    labels = electrode((60.0, 110.0, 110.0), seed=5).labels(0.55)
    assert fraction(labels, AM) == pytest.approx(0.356, abs=0.002)
    assert fraction(labels, CBD) == pytest.approx(0.112 / 0.373, abs=0.01)


def test_other_fractions_are_met():
    labels = electrode(16.0, am_fraction=0.25, cbd_fraction=0.1, seed=4).labels(0.2)
    assert fraction(labels, AM) == pytest.approx(0.25, abs=0.002)
    assert fraction(labels, CBD) == pytest.approx(0.1, abs=0.005)


def test_nanopores_take_their_share_of_the_domain(cathode):
    view = View(np.full(3, 0.04), np.full(3, 5.0), (150, 150, 150))
    codes = cathode.codes(view)
    domain = (codes == CBD).sum()
    cathode.carve_nanopores(codes, view, 3)
    assert (codes == 3).sum() / domain == pytest.approx(0.627, abs=0.02)
    assert (codes == CBD).sum() + (codes == 3).sum() == domain


def test_binder_lies_at_and_between_particles(cathode):
    labels = cathode.labels(0.2).data
    away = 0.2 * ndimage.distance_transform_edt(labels != AM)
    near, far = (away > 0) & (away < 0.4), away > 1.5
    assert (labels[near] == CBD).mean() > 2 * (labels[far] == CBD).mean()
    # Between two particles more than beside one: necks have much active material around them.
    crowd = ndimage.gaussian_filter((labels == AM).astype(float), 6, mode="wrap")
    middle = np.median(crowd[near])
    assert (labels[near & (crowd > middle)] == CBD).mean() > (
        labels[near & (crowd < middle)] == CBD
    ).mean() + 0.1


def test_coarse_labels_are_the_majority_of_fine_ones(cathode):
    fine = cathode.labels(0.08, origin=3.04, shape=(80, 80, 80))
    coarse = cathode.labels(0.4, origin=3.2, shape=(16, 16, 16))
    voted = ct.register.coarsen(fine, coarse)
    assert float((voted.data == coarse.data).mean()) > 0.93


def test_a_window_shows_the_same_specimen(cathode):
    whole = cathode.labels(0.2).data
    part = cathode.labels(0.2, origin=(2.1, 4.1, 6.1), shape=(20, 30, 40)).data
    np.testing.assert_array_equal(part, whole[10:30, 20:50, 30:70])


def test_the_specimen_is_periodic(cathode):
    here = cathode.labels(0.25, origin=0.1, shape=(20, 20, 20)).data
    there = cathode.labels(0.25, origin=(20.1, -19.9, 0.1), shape=(20, 20, 20)).data
    assert (here != there).mean() < 1e-3


def test_a_quarter_turn_of_the_view_turns_the_picture(cathode):
    straight = cathode.labels(0.25, origin=5.0, shape=(12, 12, 12)).data
    pose = np.eye(4)
    pose[1:3, 1:3] = [[0, -1], [1, 0]]  # y' = -x, x' = y
    pose[1, 3] = 2 * 5.0 + 11 * 0.25
    turned = cathode.labels(0.25, origin=5.0, shape=(12, 12, 12), pose=pose).data
    np.testing.assert_array_equal(turned, np.transpose(straight, (0, 2, 1))[:, ::-1, :])


def test_drift_moves_all_phases_of_a_slice(cathode):
    view = View(np.full(3, 0.1), np.full(3, 4.0), (4, 60, 60))
    still, moved = cathode.codes(view), cathode.codes(view, np.tile([2.0, -3.0], (4, 1)))
    # Away from where a voxel's centre lies on a surface to the last digit.
    assert (moved[:, 2:, :-3] != still[:, :-2, 3:]).mean() < 1e-3
    one = cathode.codes(view, np.array([[0.0, 0.0], [2.0, -3.0], [0.0, 0.0], [0.0, 0.0]]))
    np.testing.assert_array_equal(one[[0, 2, 3]], still[[0, 2, 3]])
    np.testing.assert_array_equal(one[1], moved[1])


def test_the_seed_decides(cathode):
    again, other = electrode(20.0, seed=1), electrode(20.0, seed=2)
    np.testing.assert_array_equal(again.labels(0.4).data, cathode.labels(0.4).data)
    assert (other.labels(0.4).data != cathode.labels(0.4).data).mean() > 0.3


def test_sizes_are_log_normal_by_volume():
    table = packing.draw_particles(2e6, 5.0, 1.6, np.random.default_rng(0))
    diameter = 2 * np.cbrt(table[packing.AXES].prod(axis=1).to_numpy())
    weight = diameter**3 / (diameter**3).sum()
    assert np.pi / 6 * (diameter**3).sum() == pytest.approx(2e6, rel=1e-3)
    logs = np.log(diameter)
    mean = (weight * logs).sum()
    # The cut at a tenth of and three times the median takes the farthest tail: a few per cent of the spread.
    assert np.exp(mean) == pytest.approx(5.0, rel=0.03)
    assert np.exp(np.sqrt((weight * (logs - mean) ** 2).sum())) == pytest.approx(1.6, rel=0.04)


@pytest.mark.parametrize("overlap", [0.0, 0.2])
def test_particles_overlap_no_more_than_they_may(overlap):
    size = (18.0, 19.0, 20.0)
    table = packing.draw_particles(0.3 * np.prod(size), 5.0, 1.8, np.random.default_rng(1))
    centres = packing.pack(table, size, overlap, 1)
    matrices = packing.quadrics(table)
    gap = centres[:, None] - centres
    gap -= np.array(size) * np.round(gap / np.array(size))
    radius = 1 / np.sqrt(np.einsum("pqi,pij,pqj->pq", gap, matrices, gap) + 1e-12)
    slack = 1.0 - (1.0 - overlap) * (radius + radius.T)  # in units of the distance of the centres
    assert slack[~np.eye(len(table), dtype=bool)].min() > -1e-4
    assert ((centres >= 0) & (centres <= size)).all()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"am_fraction": 0.0}, "am_fraction 0.0: a share between 0 and 1"),
        ({"cbd_fraction": 1.2}, "cbd_fraction 1.2: a share between 0 and 1"),
        ({"cbd_porosity": np.nan}, "cbd_porosity nan: a share"),
        ({"am_fraction": 0.6, "cbd_fraction": 0.5}, "together they must stay below 1"),
        ({"diameter_um": -5.0}, "diameter_um -5.0: it must be finite and above zero"),
        ({"geometric_sd": 1.0}, "geometric_sd 1.0: a ratio above 1"),
        ({"overlap": 1.0}, "overlap 1.0: a share from 0"),
        ({"size_um": 10.0}, "at least the largest particle diameter, 15 µm"),
        ({"size_um": (20.0, 20.0)}, "one number is needed, or three"),
        ({"size_um": -20.0}, "size -20.0 µm"),
        ({"am_fraction": 0.75, "cbd_fraction": 0.1, "overlap": 0.0}, "found no place.*Lower am_fraction"),
    ],
)
def test_a_specimen_that_cannot_be_is_refused(options, match):
    with pytest.raises(ValueError, match=match):
        electrode(**options)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"voxel_size": 0.0}, "voxel size 0.0 µm: it must be above zero"),
        ({"voxel_size": (0.1, np.inf, 0.1)}, "finite on every axis"),
        ({"voxel_size": 0.1, "shape": (4, 0, 4)}, "three whole numbers of voxels above zero"),
        ({"voxel_size": 0.1, "pose": np.eye(3)}, r"pose of shape \(3, 3\)"),
        ({"voxel_size": 0.1, "pose": np.diag([2.0, 1, 1, 1])}, "Scaling, shear and mirroring"),
        ({"voxel_size": 0.1, "pose": np.diag([-1.0, 1, 1, 1])}, "Scaling, shear and mirroring"),
    ],
)
def test_a_window_that_cannot_be_is_refused(cathode, options, match):
    with pytest.raises(ValueError, match=match):
        cathode.labels(**options)
