"""Scenes: chains of alignments, their errors, and loops that do not close."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

import corrtomo as ct
from corrtomo.register import Grid, Scene, SceneError, SectionAlignment, stated
from corrtomo.register.scene.chain import ChainedAlignment, ChainedSection
from corrtomo.register.scene.grid import common_points
from corrtomo.register.scene.paths import chain_error


def posed(rng, *, turn=0.3, shift=50.0, scale=0.0, n=3):
    """A random similarity over (z, y, x, 1) or (y, x, 1)."""
    out = np.eye(n + 1)
    if n == 3:
        out[:3, :3] = Rotation.from_rotvec(turn * rng.normal(size=3)).as_matrix()
    else:
        a = turn * rng.normal()
        out[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
    out[:n, :n] *= np.exp(scale * rng.normal())
    out[:n, n] = shift * rng.normal(size=n)
    return out


def cube(size_um=100.0, voxel_um=5.0, origin=0.0):
    return Grid.of(ct.volume(np.zeros((round(size_um / voxel_um),) * 3), voxel_um, origin=origin))


def plane(size_um=60.0, voxel_um=1.0, origin=0.0):
    return Grid.of(ct.volume(np.zeros((round(size_um / voxel_um),) * 2), voxel_um, origin=origin))


def shift(*by):
    out = np.eye(len(by) + 1)
    out[:-1, -1] = by
    return out


def corner_errors(found, true, grid):
    """How far a found matrix takes the outer corners of a grid from where the true one takes them."""
    ends = np.column_stack([grid.corners(), np.ones(8)])
    return np.linalg.norm(ends @ (found - true).T[:, :3], axis=1)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 8))
def test_exact_graphs_lead_the_same_way_on_every_path(seed, number):
    rng = np.random.default_rng(seed)
    names = [f"i{k}" for k in range(number)]
    to_world = [posed(rng, scale=0.1) for _ in names]
    scene = Scene()
    for name in names:
        scene.add(name, cube())
    pairs = {(int(rng.integers(k)), k) for k in range(1, number)}
    pairs |= {tuple(sorted(map(int, rng.choice(number, 2, replace=False)))) for _ in range(number)}
    for k, (a, b) in enumerate(sorted(pairs)):
        a, b = (b, a) if k % 2 else (a, b)
        exact = np.linalg.inv(to_world[b]) @ to_world[a]
        scene.align(names[a], names[b], stated(exact, error_um=float(rng.uniform(0.1, 2.0))))
    assert len(scene.loops()) == len(pairs) - number + 1
    assert not scene.loops()["contradicts"].any()
    for a in range(number):
        for b in range(number):
            found = scene.between(names[a], names[b])
            wanted = np.linalg.inv(to_world[b]) @ to_world[a]
            np.testing.assert_allclose(found.matrix, wanted, atol=1e-9)
            back = scene.between(names[b], names[a])
            np.testing.assert_allclose(back.matrix @ found.matrix, np.eye(4), atol=1e-9)
            np.testing.assert_allclose(found.inverse().matrix, back.matrix, atol=1e-9)
            assert (found.path[0], found.path[-1]) == (names[a], names[b])


def chain_of(rng, number, noise, true=None):
    """A chain of cubes; each alignment is off by a turn and a shift of a known expected size."""
    true = true or [posed(rng, turn=0.2, shift=5.0) for _ in range(number)]
    turn_sd, shift_sd = noise
    reach = np.sqrt(3) * 50.0
    error = np.sqrt(3 * shift_sd**2 + 2 * (turn_sd * reach) ** 2)  # root mean square at a corner
    scene = Scene()
    scene.add("0", cube(origin=-47.5))
    for k, exact in enumerate(true):
        off = posed(rng, turn=turn_sd, shift=shift_sd)
        scene.add(str(k + 1), cube(origin=-47.5))
        scene.align(str(k), str(k + 1), stated(off @ exact, error_um=error))
    whole = np.eye(4)
    for exact in true:
        whole = exact @ whole
    return scene, whole


def test_the_stated_error_covers_chains_of_four_noisy_alignments():
    """The size of a vector of three equal parts lies below its expected size in 61 %, of one part in 68 %."""
    rng = np.random.default_rng(7)
    inside, squares = [], []
    for _ in range(250):
        scene, true = chain_of(rng, 4, (0.01, 0.5), [posed(rng, turn=0.05, shift=2.0) for _ in range(4)])
        found = scene.between("0", "4")
        errors = corner_errors(found.matrix, true, scene.grids["0"])
        inside.append(errors[0] < found.error_um)
        squares.append((errors[0] / found.error_um) ** 2)
    assert 0.56 < np.mean(inside) < 0.74, "250 draws: a standard deviation is 3 %"
    assert np.sqrt(np.mean(squares)) == pytest.approx(1.0, abs=0.12)


def test_honest_loops_do_not_contradict_themselves_and_wrong_ones_do():
    """Rings of four noisy alignments, as stated; and with one of them off by 16 times its error."""
    rng = np.random.default_rng(11)
    honest, wrong = [], []
    for _ in range(60):
        true = [posed(rng, turn=0.05, shift=2.0) for _ in range(3)]
        scene, whole = chain_of(rng, 3, (0.01, 0.5), true)
        error = scene.alignments()["error_um"][0]
        scene.align("0", "3", stated(posed(rng, turn=0.01, shift=0.5) @ whole, error_um=error))
        honest.append(scene.loops()["z"].item())
        scene.drop("0", "3")
        scene.align("0", "3", stated(shift(0.0, 16 * error, 0.0) @ whole, error_um=error))
        wrong.append(scene.loops()["contradicts"].item())
    assert max(honest) < 4.0, "contradicts"
    assert 0.4 < np.median(honest) < 1.5, "z is in units of what is expected"
    assert np.mean(wrong) > 0.95, "16 errors of one alignment are eight of the loop"


def test_errors_add_up_in_the_micrometres_of_the_last_frame():
    scene = Scene()
    for name in "abc":
        scene.add(name, plane())
    scene.align("a", "b", stated(np.diag([2.0, 2.0, 1.0]), error_um=3.0))
    scene.align("c", "b", stated(np.diag([0.5, 0.5, 1.0]), error_um=2.0))
    found = scene.between("a", "c")
    assert found.error_um == pytest.approx(np.hypot(2 * 3.0, 2 * 2.0)), "a µm of b is 2 of c"
    assert found.scale == pytest.approx(4.0)
    back = scene.between("c", "a")
    assert back.error_um == pytest.approx(found.inverse().error_um)
    assert back.path == found.inverse().path == ("c", "b", "a")


def test_beyond_the_overlap_the_error_grows_with_the_distance():
    """Two details of a large overview, far from each other: a turn of one throws the other off."""
    scene = Scene()
    scene.add("overview", plane(10_000.0, 100.0))
    for name, at in (("left", 1000.0), ("right", 9000.0)):
        scene.add(name, plane(100.0))
        scene.align(name, "overview", stated(shift(5000.0, at), error_um=2.0))
    near = scene.between("left", "overview").error_um
    assert near == pytest.approx(2.0)
    far = scene.between("left", "right").error_um
    middle_to_corner = np.hypot(50, 50)
    assert far == pytest.approx(np.hypot(2.0, 2.0 * np.hypot(8050, 50) / middle_to_corner), rel=1e-6)
    rng = np.random.default_rng(0)
    turns = 2.0 / middle_to_corner * rng.normal(size=2000)  # of `right`, about its middle
    thrown = 8000.0 * np.sqrt(np.mean(turns**2))
    assert thrown < far < 1.1 * thrown


def test_the_chain_with_the_least_error_is_taken():
    scene = Scene()
    for name in "abcd":
        scene.add(name, plane())
    for a, b, error in [("a", "d", 9.0), ("a", "b", 2.0), ("b", "c", 2.0), ("c", "d", 2.0)]:
        scene.align(
            a, b, stated(shift(1.0, 0.0) if a != "a" or b != "d" else shift(3.0, 0.0), error_um=error)
        )
    found = scene.between("a", "d")
    assert found.path == ("a", "b", "c", "d")
    assert found.error_um == pytest.approx(2 * np.sqrt(3))
    scene.drop("d", "a")
    scene.align("a", "d", stated(shift(3.0, 0.0), error_um=3.0))
    assert scene.between("a", "d").path == ("a", "d")


@pytest.mark.parametrize("seed", range(8))
def test_no_other_chain_has_less_error(seed):
    """All chains by hand, of images that lie far apart, so that the error grows on the way."""
    rng = np.random.default_rng(seed)
    poses = [posed(rng, turn=1.0, shift=150.0, scale=0.2) for _ in range(5)]
    scene = Scene()
    for k in range(5):
        scene.add(str(k), cube())
    for a, b in [(0, 1), (2, 0), (1, 2), (3, 1), (2, 3), (3, 4), (4, 2)]:
        exact = np.linalg.inv(poses[b]) @ poses[a]
        scene.align(str(a), str(b), stated(exact, error_um=float(rng.uniform(0.5, 1.5))))
    steps = list(scene._steps.values()) + [step.reversed() for step in scene._steps.values()]
    points = common_points(scene.grids["0"], scene.grids["4"], np.linalg.inv(poses[4]) @ poses[0])

    def chains(at, seen):
        if at == "4":
            yield []
        for step in steps:
            if step.source == at != "4" and step.target not in seen:
                yield from ([step, *rest] for rest in chains(step.target, {*seen, step.target}))

    errors = [chain_error(chain, points) for chain in chains("0", {"0"})]
    assert len(errors) > 4
    assert scene.between("0", "4").error_um == pytest.approx(min(errors), rel=1e-6)


def contradicting(off_um=0.0, number=4, errors=None):
    """All pairs of a few planes side by side, exact but for one alignment."""
    scene = Scene()
    for k in range(number):
        scene.add(f"i{k}", plane())
    for a in range(number):
        for b in range(a + 1, number):
            by = 2.0 * (b - a) + (off_um if (a, b) == (1, 2) else 0.0)
            error = (errors or {}).get((a, b), 0.5)
            scene.align(f"i{a}", f"i{b}", stated(shift(0.0, by), error_um=error))
    return scene


def test_a_contradiction_names_the_alignment_that_is_wrong():
    assert not contradicting(1.0).loops()["contradicts"].any()
    scene = contradicting(30.0)
    loops = scene.loops()
    assert loops["contradicts"].any()
    assert len(loops) == 3
    suspects = {
        frozenset(pair) for pair in scene.alignments().query("contradicts")[["moving", "fixed"]].values
    }
    assert frozenset(("i1", "i2")) in suspects
    bad = loops[loops["contradicts"]].iloc[0]
    assert bad["closure_um"] == pytest.approx(30.0)
    assert bad["expected_um"] == pytest.approx(0.5 * np.sqrt(bad["alignments"]), rel=0.2)
    assert bad["z"] == pytest.approx(bad["closure_um"] / bad["expected_um"])
    with pytest.raises(SceneError, match="Check the alignment of 'i1' with 'i2' first: without it all loops"):
        scene.between("i1", "i2")
    assert scene.between("i1", "i2", allow=True).path == ("i1", "i2")
    scene.drop("i1", "i2")
    assert scene.between("i1", "i2").points([0.0, 0.0])[1] == pytest.approx(2.0)


def test_of_one_loop_the_weakest_has_the_largest_stated_error():
    scene = contradicting(40.0, number=3, errors={(0, 2): 2.0})
    with pytest.raises(SceneError, match="'i0' with 'i2' first: it has the largest stated error"):
        scene.between("i0", "i1")


def test_a_contradiction_elsewhere_does_not_matter():
    scene = contradicting(40.0, number=3)
    for name in ("far", "away"):
        scene.add(name, plane())
    scene.align("far", "away", stated(shift(1.0, 1.0), error_um=0.1))
    scene.align("away", "i0", stated(shift(1.0, 1.0), error_um=0.1))
    assert scene.between("far", "i0").error_um == pytest.approx(np.hypot(0.1, 0.1), rel=0.1)
    with pytest.raises(SceneError, match="from closing"):
        scene.between("far", "i1")


def test_from_18_mm_to_50_nm_nothing_is_lost_to_rounding():
    """A cell of 18 mm, and three images down to 50 nm, each turned, at a far corner: below a nanometre."""
    rng = np.random.default_rng(3)
    sizes = [(18_000.0, 25.0), (1_000.0, 0.5), (60.0, 0.06), (12.0, 0.05)]
    scene, true, at = Scene(), np.eye(4), [17_000.0, 900.0, 50.0]
    for k, (size, voxel) in enumerate(sizes):
        scene.add(str(k), cube(size, voxel if size < 1000 else size / 400))
    for k, far in enumerate(at):
        step = posed(rng, turn=0.2, shift=0.0)
        step[:3, 3] = far * rng.uniform(0.9, 1.0, 3)
        scene.align(str(k + 1), str(k), stated(step, error_um=0.0))
        true = true @ step
    back = scene.between("0", "3").matrix @ true
    assert corner_errors(back, np.eye(4), scene.grids["3"]).max() < 1e-6, "µm: a thousandth of a nanometre"
    assert corner_errors(scene.between("3", "0").matrix, true, scene.grids["3"]).max() < 1e-6
    scene.align("0", "3", stated(np.linalg.inv(true), error_um=0.0))
    assert scene.loops()["z"].max() < 1.0, "exact alignments, and rounding only"


def section_scene():
    """A volume, a section that cuts it obliquely, and a finer section in that one's plane."""
    z, y, x = np.indices((30, 40, 50)) * 0.5
    values = (10 * z + 100 * y + 3 * x).astype(np.float32)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec([0.0, 0.1, -0.05]).as_matrix()
    matrix[:3, 3] = [6.0, 3.0, 4.0]
    found = SectionAlignment(
        matrix, 0.2, 1.0, True, 9, "", "rigid", 0.0, (0.0,) * 3, 1.0, 6.0, 0.1, (5.7, -2.9), 0.2, 0.9, 0.1
    )
    scene = Scene()
    scene.add("CT", ct.volume(values, 0.5))
    scene.add("SE", ct.volume(np.full((48, 48), 7, np.uint8), 0.25))
    scene.add("SIMS", ct.volume(np.arange(400.0).reshape(20, 20), 0.2))
    scene.align("SE", "CT", found)
    scene.align("SIMS", "SE", stated(shift(2.0, 3.0), error_um=0.1))
    return scene, matrix


def test_a_section_of_a_section_cuts_the_volume():
    scene, matrix = section_scene()
    found = scene.between("SIMS", "CT")
    assert isinstance(found, ChainedSection)
    assert found.path == ("SIMS", "SE", "CT")
    assert found.error_um == pytest.approx(np.hypot(0.2, 0.1), rel=0.01)
    cut = scene.resample("CT", onto="SIMS")
    assert cut.dims == ("y", "x")
    assert cut.shape == (20, 20)
    places = np.stack(
        [np.zeros((20, 20)), *(np.indices((20, 20)) * 0.2 + np.array([2.0, 3.0])[:, None, None])]
    )
    z, y, x = np.einsum("ij,jkl->ikl", matrix[:3, :3], places) + matrix[:3, 3, None, None]
    np.testing.assert_allclose(cut, 10 * z + 100 * y + 3 * x, rtol=1e-4)
    assert scene.between("CT", "SIMS").depth_um == pytest.approx(found.depth_um)
    laid = scene.resample("SIMS", onto="CT")
    assert laid.shape == (30, 40, 50)
    assert np.isfinite(laid).sum() == pytest.approx(4.0 * 4.0 / 0.25, rel=0.2)
    assert scene.resample("SE", onto="SIMS").mean().item() == 7.0
    assert isinstance(scene.between("SIMS", "SE"), ChainedAlignment)
    assert scene.between("SIMS", "SE").matrix.shape == (3, 3)


@pytest.mark.parametrize("scale", [1.0, 0.5, 3.0])
def test_depth_and_tilt_of_a_section_are_in_the_volume_whichever_way_it_is_asked(scale):
    lean = np.radians(20.0)
    matrix = shift(40.0, 50.0, 50.0)
    matrix[:3, :3] = scale * Rotation.from_rotvec([0.0, lean, 0.0]).as_matrix()
    scene, section = Scene(), plane(30.0, 1.0, origin=-14.5)
    for name, grid in [("CT", cube()), ("SE", section), ("fine", section)]:
        scene.add(name, grid)
    scene.align("SE", "CT", stated(matrix, error_um=0.3))
    scene.align("fine", "SE", stated(shift(0.0, 0.0), error_um=0.0))
    there, back = scene.between("fine", "CT"), scene.between("CT", "fine")
    for found in (there, back, there.inverse()):
        assert found.depth_um == pytest.approx(40.0)
        assert found.depth_error_um == pytest.approx(0.3, rel=1e-3), "µm of the volume"
        assert np.abs(found.tilt_deg).max() == pytest.approx(20.0)
        half_um = scale * np.hypot(30.0, 30.0) / 2
        assert found.tilt_error_deg == pytest.approx(np.degrees(np.arctan(0.3 / half_um)), rel=1e-3)
    assert (there.error_um, back.error_um) == pytest.approx((0.3, 0.3 / scale), rel=1e-3)
    assert (there.from_section, back.from_section, there.inverse().from_section) == (True, False, False)


def test_sections_of_one_volume_share_a_plane_or_are_refused():
    rng = np.random.default_rng(0)
    scene = Scene()
    scene.add("CT", ct.volume(rng.normal(size=(20, 20, 20)), 1.0))
    image = ct.volume(rng.normal(size=(8, 8)), 1.0)
    for name, depth, error in [("A", 5.0, 0.1), ("B", 5.2, 0.1), ("C", 9.0, 0.1)]:
        scene.add(name, image)
        scene.align(name, "CT", stated(shift(depth, 2.0, 3.0 + depth - 5.0), error_um=error))
    assert scene.between("A", "B").matrix.shape == (4, 4)
    near = scene.resample("A", onto="B")
    np.testing.assert_allclose(near[:, 0], 0.8 * image[:, 0] + 0.2 * image[:, 1], atol=1e-5)
    with pytest.raises(SceneError, match="lie up to 4 µm apart, and 0.5 µm"):
        scene.resample("A", onto="C")


def test_what_the_matrix_of_a_section_says_of_depth_does_not_matter():
    volume, section, other = cube(), plane(), plane()
    found = []
    for depth in (1.0, 3.0):
        matrix = shift(20.0, 5.0, 5.0)
        matrix[:3, 0] *= depth
        scene = Scene()
        for name, grid in [("CT", volume), ("A", section), ("B", other)]:
            scene.add(name, grid)
        scene.align("A", "CT", stated(matrix, error_um=0.1))
        scene.align("B", "CT", stated(shift(30.0, 5.0, 5.0), error_um=0.1))
        found.append(scene.between("B", "A").matrix)
    np.testing.assert_allclose(found[0], found[1])
    assert found[0][0, 3] == pytest.approx(10.0), "µm deeper"


def test_tables():
    scene, _ = section_scene()
    scene.add("alone", plane())
    table = scene.table(onto="CT").set_index("image")
    assert table.loc["CT", ["z_um", "y_um", "x_um"]].tolist() == [7.25, 9.75, 12.25]
    assert np.isnan(table.loc["alone", "error_um"])
    assert table.loc["CT", "error_um"] == 0.0
    assert table.loc["SE", "voxels"] == "48 × 48"
    joined = scene.alignments()
    assert joined["moving"].tolist() == ["SE", "SIMS"]
    assert joined["error_um"].tolist() == [0.2, 0.1]
    assert joined["contradicts"].tolist() == [False, False]
    assert scene.loops().empty
    assert "contradicts" in scene.loops()
    assert list(scene.table()["image"]) == ["CT", "SE", "SIMS", "alone"]
    assert "SE → CT" in repr(scene)
    assert "SIMS → SE → CT" in repr(scene.between("SIMS", "CT"))
    assert "SIMS → SE; rigid" in repr(scene.between("SIMS", "SE"))


def test_an_image_is_itself():
    scene, _ = section_scene()
    found = scene.between("CT", "CT")
    np.testing.assert_array_equal(found.matrix, np.eye(4))
    assert found.error_um == 0.0
    assert found.path == ("CT",)


def test_a_lazy_image_is_not_read_until_it_is_needed():
    def never(*_, **__):
        raise AssertionError("read")

    lazy = da.from_array(np.zeros((4, 4, 4)), chunks=2).map_blocks(
        never, dtype=float, meta=np.zeros((0, 0, 0))
    )
    scene = Scene()
    scene.add("lazy", ct.volume(lazy, 1.0))
    scene.add("other", cube(4.0, 1.0))
    scene.align("lazy", "other", stated(np.eye(4), error_um=0.1))
    assert scene.between("lazy", "other").error_um == 0.1
    with pytest.raises(AssertionError, match="read"):
        scene.resample("lazy", onto="other")


def test_a_large_graph_is_quick():
    """60 images, 150 alignments."""
    rng = np.random.default_rng(0)
    poses = [posed(rng, turn=0.1) for _ in range(60)]
    scene = Scene()
    for k in range(60):
        scene.add(str(k), cube())
    pairs = {(int(rng.integers(k)), k) for k in range(1, 60)}
    while len(pairs) < 150:
        a, b = sorted(map(int, rng.choice(60, 2, replace=False)))
        pairs.add((a, b))
    for a, b in sorted(pairs):
        scene.align(str(a), str(b), stated(np.linalg.inv(poses[b]) @ poses[a], error_um=1.0))
    assert len(scene.loops()) == 91
    assert scene.between("0", "59").error_um < 10
