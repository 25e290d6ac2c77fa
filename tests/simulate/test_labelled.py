"""A labelled volume as specimen: surfaces in closed form, the electrode it came from, and a measured one."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial.transform import Rotation

import corrtomo as ct
from corrtomo.simulate.raster import View

PORE, CBD, AM = int(ct.Phase.PORE), int(ct.Phase.CBD), int(ct.Phase.AM)


def volume(codes, voxel_size=1.0, origin=0.0):
    return ct.volume(np.asarray(codes, np.uint8), voxel_size, origin=origin)


def turned(degrees, about, shift=(0.0, 0.0, 0.0)):
    """Return a pose that turns about a point of the specimen and then shifts."""
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    pose[:3, 3] = np.array(about) - pose[:3, :3] @ np.array(about) + np.array(shift)
    return pose


@pytest.fixture(scope="module")
def twin(cathode):
    """Return an electrode, its labels at 0.1 µm and the specimen made of them."""
    labels = cathode.labels(0.1)
    return labels, ct.simulate.labelled(labels, seed=1)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.tuples(*[st.integers(1, 6)] * 3),
    st.tuples(*[st.floats(0.01, 50.0)] * 3),
    st.tuples(*[st.floats(-300.0, 300.0)] * 3),
    st.integers(0, 2**32 - 1),
)
def test_on_their_own_grid_labels_come_back(shape, edge, start, seed):
    labels = volume(np.random.default_rng(seed).integers(0, 3, shape), edge, start)
    specimen = ct.simulate.labelled(labels)
    for again in (specimen.labels(edge, origin=start, shape=shape), specimen.labels(edge)):
        np.testing.assert_array_equal(again.data, labels.data)
        for dim in "zyx":
            np.testing.assert_allclose(again[dim].values, labels[dim].values, atol=1e-6 * max(edge))


def test_the_largest_trilinear_weight_decides():
    codes = np.random.default_rng(3).integers(0, 3, (9, 10, 11)).astype(np.uint8)
    got = ct.simulate.labelled(volume(codes, (1.0, 0.5, 2.0), (4.0, -2.0, 7.0))).labels(
        (0.37, 0.11, 0.53), origin=(5.1, -1.4, 8.3), shape=(19, 33, 30)
    )
    at = np.stack(np.meshgrid(got.z - 4.0, (got.y + 2.0) / 0.5, (got.x - 7.0) / 2.0, indexing="ij"))
    shares = [ndimage.map_coordinates((codes == p).astype(float), at, order=1) for p in range(3)]
    np.testing.assert_array_equal(got.data, np.argmax(shares, axis=0))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_half_space_ends_halfway_between_its_voxel_centres(axis):
    codes = np.zeros((6, 7, 8), np.uint8)
    codes[(slice(None),) * axis + (slice(3, None),)] = AM
    edge, start = np.array([0.4, 0.6, 0.5]), np.array([3.0, -1.0, 10.0])
    fine = ct.simulate.labelled(volume(codes, edge, start)).labels(edge / 7)
    where = fine["zyx"[axis]].values[np.unique(np.argmax(fine.data == AM, axis=axis))]
    surface = start[axis] + 2.5 * edge[axis]
    assert where == pytest.approx([surface + edge[axis] / 14])  # one plane: the first voxel behind it


@pytest.mark.parametrize("turn", [(0, 0, 0), (20, -35, 50)])
def test_a_ball_has_its_surface_where_it_should_seen_finer_and_from_any_side(turn):
    radius, edge, middle = 4.3, 0.5, (0.13, 0.21, -0.18)
    z, y, x = (edge * axis - m for axis, m in zip(np.ogrid[-20:21, -20:21, -20:21], middle, strict=True))
    specimen = ct.simulate.labelled(volume(AM * (z**2 + y**2 + x**2 <= radius**2), edge, -10.0))
    fine = specimen.labels(0.1, origin=-5.0, shape=(101, 101, 101), pose=turned(turn, middle))
    z, y, x = np.meshgrid(*(fine[d].values - m for d, m in zip("zyx", middle, strict=True)), indexing="ij")
    distance = np.sqrt(z**2 + y**2 + x**2) - radius
    wrong = (fine.data == AM) != (distance <= 0)
    # Stairs of the labels would be up to 0.87 of their voxels off.
    assert np.abs(distance[wrong]).max() < 0.5 * edge
    assert np.sqrt((distance[wrong] ** 2).mean()) < 0.15 * edge
    assert float((fine == AM).sum()) * 0.1**3 == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.015)


@pytest.mark.parametrize(
    ("thin", "wanted"),
    [
        (1, 1.0),  # a film keeps its thickness
        (2, 2 * (1 - np.log(2))),  # a wire: where (1 - |y|) (1 - |x|) > 1/2
        (3, 8 * (1 - (1 + np.log(2) + np.log(2) ** 2 / 2) / 2)),  # a single voxel
    ],
)
def test_what_is_one_voxel_thin_keeps_the_stated_share(thin, wanted):
    codes = np.zeros((5, 5, 5), np.uint8)
    codes[(slice(None),) * (3 - thin) + (2,) * thin] = CBD
    fine = ct.simulate.labelled(volume(codes)).labels(1 / 31)
    assert float((fine == CBD).sum()) / 31**3 / 5 ** (3 - thin) == pytest.approx(wanted, rel=0.01)


def test_ties_go_to_the_lower_code():
    specimen = ct.simulate.labelled(volume([[[2, 1, 0, 2]]], 0.1))
    between = specimen.labels(0.1, origin=(0.0, 0.0, 0.05), shape=(1, 1, 3))
    assert between.values.ravel().tolist() == [1, 0, 0]


def test_beyond_the_border_lies_the_mirror_image():
    codes = np.random.default_rng(5).integers(0, 3, (4, 5, 1))
    edge = (0.2, 0.3, 0.4)
    wide = ct.simulate.labelled(volume(codes, edge, 1.0)).labels(
        edge, origin=(1.0 - 5 * 0.2, 1.0 - 7 * 0.3, 1.0 - 2 * 0.4), shape=(15, 20, 6)
    )
    around = np.pad(codes, ((5, 6), (7, 8), (2, 3)), mode="symmetric")
    np.testing.assert_array_equal(wide.data, around)


@pytest.mark.parametrize("voxel", [0.1, 0.2, 0.4])
def test_fractions_are_kept_at_finer_voxels(cathode, voxel):
    labels = cathode.labels(voxel)
    fine = ct.simulate.labelled(labels).labels(0.08)
    for phase in (PORE, CBD, AM):
        assert float((fine == phase).mean()) == pytest.approx(float((labels == phase).mean()), abs=0.01)


def test_pose_and_drift_are_those_of_the_electrode(cathode, twin):
    pose = turned((8.0, -5.0, 12.0), (10.0, 10.0, 10.0), (0.7, -1.1, 0.4))
    view = View(np.full(3, 0.1), np.full(3, 7.0), (40, 60, 50), pose)
    drift = np.linspace((0.0, 0.0), (9.0, -6.0), 40)
    wanted, got = cathode.codes(view, drift), twin[1].codes(view, drift)
    agree = (wanted == got).mean()
    assert agree > 0.97
    # What does not agree lies at surfaces; without pose or without drift far more would not.
    near = ndimage.maximum_filter(wanted, 3) != ndimage.minimum_filter(wanted, 3)
    assert (wanted == got)[~near].mean() > 0.998
    for other in (View(view.voxel_um, view.origin_um, view.shape), view.part(0, 40)):
        assert (wanted == twin[1].codes(other)).mean() < 0.9


def test_nanopores_are_those_of_the_electrode(cathode, twin):
    view = View(np.full(3, 0.04), np.full(3, 5.0), (60, 80, 70), turned((3.0, 2.0, -4.0), (5.0, 5.0, 5.0)))
    first, second = cathode.codes(view), twin[1].codes(view)
    both = (first == CBD) & (second == CBD)
    for specimen, codes in ((cathode, first), (twin[1], second)):
        specimen.carve_nanopores(codes, view, 3)
    np.testing.assert_array_equal(first[both], second[both])
    assert (second == 3).sum() / np.isin(second, (CBD, 3)).sum() == pytest.approx(0.627, abs=0.02)


def test_nanopores_by_parts_are_those_of_the_whole(monkeypatch, twin):
    view = View(np.full(3, 0.1), np.full(3, 5.0), (31, 40, 50), turned((3.0, 2.0, -4.0), (5.0, 5.0, 5.0)))
    drift = np.linspace((0.0, 0.0), (3.0, -2.0), 31)
    whole, parts = twin[1].codes(view, drift), twin[1].codes(view, drift)
    twin[1].carve_nanopores(whole, view, 3, drift)
    monkeypatch.setattr("corrtomo.simulate.specimen._MOST_NODES", 20_000)
    twin[1].carve_nanopores(parts, view, 3, drift)
    assert (whole == 3).any()
    assert (whole != parts).mean() < 1e-5  # where the field equals its level to the last digits


def test_a_solid_domain_has_no_nanopores():
    specimen = ct.simulate.labelled(volume(np.full((4, 4, 4), CBD)), cbd_porosity=0.0)
    view = View(np.full(3, 0.05), np.zeros(3), (40, 40, 40))
    codes = specimen.codes(view)
    specimen.carve_nanopores(codes, view, 3)
    assert (codes == CBD).all()


def test_the_x_ray_image_is_nearly_that_of_the_electrode(cathode, twin):
    window = {"shape": (12, 16, 16), "origin": (7.5, 6.5, 6.5), "seed": 4}
    wanted = ct.simulate.xray_tomography(cathode, **window).data.astype(float)
    got = ct.simulate.xray_tomography(twin[1], **window).data.astype(float)
    # Labels of 0.1 µm; the margin is mirrored in the one and goes on in the other.
    assert np.corrcoef(wanted.ravel(), got.ravel())[0, 1] > 0.999
    assert np.sqrt(((wanted - got) ** 2).mean()) < 2.0
    assert wanted.std() > 25


def test_the_fib_sem_image_is_nearly_that_of_the_electrode(cathode, twin):
    pose = turned((4.0, -3.0, 2.0), (10.0, 10.0, 10.0), (-6.0, -5.0, -5.0))
    window = {"voxel_size": 0.1, "shape": (30, 90, 80), "pose": pose, "seed": 2}
    wanted = ct.simulate.fibsem_tomography(cathode, **window).data.astype(float)
    got = ct.simulate.fibsem_tomography(twin[1], **window).data.astype(float)
    for channel in range(2):
        assert np.corrcoef(wanted[channel].ravel(), got[channel].ravel())[0, 1] > 0.97


def test_labels_are_copied():
    labels = volume(np.full((2, 2, 2), AM))
    specimen = ct.simulate.labelled(labels)
    labels.data[:] = PORE
    assert (specimen.labels(1.0).data == AM).all()


@pytest.mark.parametrize(
    "change", [lambda a: a.astype(np.int64), lambda a: a.T.copy().T, lambda a: np.repeat(a, 2, 2)[..., ::2]]
)
def test_other_integers_and_memory_orders_are_the_same_specimen(change):
    codes = np.random.default_rng(1).integers(0, 3, (4, 5, 6)).astype(np.uint8)
    plain = ct.simulate.labelled(volume(codes, 0.5))
    other = ct.simulate.labelled(ct.volume(change(codes), 0.5))
    np.testing.assert_array_equal(other.labels(0.2).data, plain.labels(0.2).data)


GOOD = volume(np.zeros((3, 3, 3)))


@pytest.mark.parametrize(
    ("labels", "error", "match"),
    [
        (np.zeros((3, 3, 3), np.uint8), TypeError, "Cannot use a ndarray.*ct.volume"),
        (ct.volume(np.zeros((3, 3), np.uint8), 1.0), ValueError, "3D is needed"),
        (
            ct.volume(np.zeros((2, 3, 3, 3), np.uint8), 1.0, dims=("channel", "z", "y", "x")),
            ValueError,
            "channels",
        ),
        (GOOD.chunk(), TypeError, "Cannot make Dask labels.*compute"),
        (GOOD == 0, TypeError, "mask of booleans a specimen.*xarray.where"),
        (GOOD.astype(float), TypeError, "dtype is float64, but labels are integer codes"),
        (GOOD + np.uint8(255), ValueError, "255 LEFT_OUT a specimen.*0 PORE, 1 CBD and 2 AM"),
        (GOOD + np.uint8(3), ValueError, "3 COLLECTOR a specimen"),
        (GOOD + np.uint8(7), ValueError, "not a known phase code"),
    ],
)
def test_what_is_no_volume_of_the_three_phases_is_refused(labels, error, match):
    with pytest.raises(error, match=match):
        ct.simulate.labelled(labels)


@pytest.mark.parametrize("porosity", [-0.1, 1.0, 62.7, np.nan, True, "0.6", None])
def test_a_porosity_that_is_no_share_is_refused(porosity):
    with pytest.raises(ValueError, match="cbd_porosity of .*: a share from 0"):
        ct.simulate.labelled(GOOD, cbd_porosity=porosity)


def test_a_seed_that_is_none_is_refused():
    with pytest.raises(ValueError, match="a whole number from 0"):
        ct.simulate.labelled(GOOD, seed=-1)


def test_a_window_beside_the_labels_is_refused():
    specimen = ct.simulate.labelled(volume(np.zeros((10, 10, 10)), 1.0, 100.0))
    match = "z 0 to 9, y 0 to 9, x 0 to 9 µm of a specimen labelled at z 99.5 to 109.5.*mirror image.*origin="
    with pytest.raises(ValueError, match=match):
        specimen.labels(1.0, origin=0.0, shape=(10, 10, 10))
    with pytest.raises(ValueError, match="mirror image"):
        ct.simulate.xray_tomography(specimen, 1.0, shape=(4, 4, 4))
    with pytest.raises(ValueError, match="mirror image"):
        ct.simulate.fibsem_tomography(specimen, 1.0, shape=(4, 4, 4))
    # One voxel is enough; a part of the slices counts as the whole.
    assert specimen.labels(1.0, origin=90.0, shape=(11, 11, 11)).shape == (11, 11, 11)
    pose = turned((0, 0, 0), (0, 0, 0), (-100.0, -100.0, -100.0))
    behind = ct.simulate.fibsem_tomography(specimen, 1.0, shape=(30, 4, 4), slices=(20, 22), pose=pose)
    assert behind.sizes["z"] == 2


@settings(deadline=None, derandomize=True, max_examples=80)
@given(st.integers(0, 2**32 - 1))
def test_windows_are_refused_where_no_voxel_lies_in_the_labels(seed):
    rng = np.random.default_rng(seed)
    specimen = ct.simulate.labelled(volume(np.zeros((4, 6, 8)), 0.5))
    edge, shape = rng.uniform(0.02, 0.1, 3), (12, 15, 18)
    pose = turned(rng.uniform(-180, 180, 3), (1.0, 1.5, 2.0), rng.uniform(-3, 3, 3))
    view = View(edge, rng.uniform(0, 2, 3), shape, pose)
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1) * edge + view.origin_um
    inside = (grid - pose[:3, 3]) @ pose[:3, :3]
    # Distance of the nearest voxel centre from the box: 0 where one lies inside.
    away = np.linalg.norm(
        np.maximum(0, np.maximum(-0.25 - inside, inside - [1.75, 2.75, 3.75])), axis=-1
    ).min()
    if away == 0:
        specimen.check_view(view)
    elif away > 0.1:  # a voxel: between two centres the view may still touch the box
        with pytest.raises(ValueError, match="mirror image"):
            specimen.check_view(view)


@pytest.mark.parametrize(("gap", "beside"), [(0.1, True), (-0.1, False)])
def test_a_rod_that_passes_an_edge_of_the_labels_is_seen_as_such(gap, beside):
    specimen = ct.simulate.labelled(volume(np.zeros((4, 4, 4)), 0.5, -0.75))  # a cube from -1 to 1
    along, out = np.array([0.5, -0.5, np.sqrt(0.5)]), np.array([1.0, 1.0, 0.0]) / np.sqrt(2)
    third = np.cross(along, out)
    pose = np.eye(4)
    pose[:3, :3] = [along, (out + third) / np.sqrt(2), (third - out) / np.sqrt(2)]
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1.0)
    # A line of voxels, skew to the edge at z = y = 1 and `gap` outside it: no face lies between them.
    pose[:3, 3] = -pose[:3, :3] @ (out * (np.sqrt(2) + gap))
    view = View(np.full(3, 0.01), np.array([-3.0, 0.0, 0.0]), (601, 1, 1), pose)
    if beside:
        with pytest.raises(ValueError, match="mirror image"):
            specimen.check_view(view)
    else:
        specimen.check_view(view)


@pytest.mark.parametrize("what", [GOOD, GOOD.data, None, "electrode"])
def test_instruments_refuse_what_is_no_specimen(what):
    for image in (ct.simulate.xray_tomography, ct.simulate.fibsem_tomography):
        with pytest.raises(TypeError, match=f"Cannot image a {type(what).__name__}.*ct.simulate.labelled"):
            image(what, 0.5, shape=(4, 4, 4))


@pytest.mark.parametrize("origin", [(0.0, 0.0), (0.0, np.nan, 0.0), "000", None, np.inf])
def test_a_window_at_no_place_is_refused(origin):
    with pytest.raises(ValueError, match="Cannot place a window at origin"):
        ct.simulate.xray_tomography(ct.simulate.labelled(GOOD), 0.5, shape=(4, 4, 4), origin=origin)


@pytest.mark.parametrize(
    "options",
    [{"size_um": 20_000.0}, {"size_um": 20.0, "diameter_um": 0.01}, {"size_um": 1e200}],
)
def test_an_electrode_of_too_many_particles_is_refused(options):
    with pytest.raises(ValueError, match=r"would fill it, and 1e\+07 at most are drawn. Give a box"):
        ct.simulate.electrode(**options)


@pytest.mark.parametrize("spread", [1.3, 1.8, 2.6])
def test_the_number_of_particles_is_foreseen(monkeypatch, spread):
    count = len(ct.simulate.electrode(40.0, am_fraction=0.3, geometric_sd=spread, seed=1).particles)
    for most, fits in ((0.6 * count, False), (1.7 * count, True)):
        monkeypatch.setattr("corrtomo.simulate.composition._MOST_PARTICLES", most)
        if fits:
            ct.simulate.electrode(40.0, am_fraction=0.3, geometric_sd=spread, seed=1)
        else:
            with pytest.raises(ValueError, match="particles would fill it"):
                ct.simulate.electrode(40.0, am_fraction=0.3, geometric_sd=spread, seed=1)


@pytest.mark.skipif(
    not os.environ.get("CORRTOMO_DATA"), reason="CORRTOMO_DATA names no folder with the published data"
)
def test_a_measured_volume_becomes_an_x_ray_and_a_fib_sem_volume():
    codes = ct.read(ct.datasets.fetch("nmc-xct-labels") / "nmc-1-cal_generatedCBD_bridge.tif", 0.398)
    part = codes.isel(z=slice(60, 160), y=slice(60, 160), x=slice(60, 160))
    labels = part.copy(data=np.array([PORE, AM, CBD], np.uint8)[part.data])
    specimen = ct.simulate.labelled(labels)
    start = labels.z.values[0] + 16.0
    image = ct.simulate.xray_tomography(specimen, shape=(16, 20, 20), origin=[start] * 3)
    truth = specimen.labels(0.438, origin=[start] * 3, shape=(16, 20, 20)).data
    assert image.data[truth == AM].mean() > image.data[truth != AM].mean() + 40
    pose = turned((4.0, -6.0, 3.0), [start] * 3, [-start] * 3)
    cut = ct.simulate.fibsem_tomography(specimen, 0.2, shape=(20, 40, 40), pose=pose)
    phases = specimen.labels(0.2, origin=0.0, shape=(20, 40, 40), pose=pose).data
    assert len(np.unique(phases)) == 3
    greys = [float(cut.sel(channel="SESI").data[phases == p].mean()) for p in (PORE, CBD, AM)]
    assert greys[0] < greys[1] < greys[2]
