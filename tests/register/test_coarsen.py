"""Majority coarsening: brute force, closed forms, any ratio, any pose."""

from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial.transform import Rotation

import corrtomo as ct
from corrtomo.volume import origin


def random_codes(shape, seed=0, smooth=1.0):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), smooth)
    return np.digitize(field, np.quantile(field, (0.3, 0.6))).astype(np.uint8)


def grid(shape, size, origin=0.0):
    return ct.volume(np.broadcast_to(np.uint8(0), shape), size, origin=origin)


def brute_force(codes, ratio, start, shape):
    """Shares by overlap of intervals, as a product of one dense matrix an axis; ends in fine voxels."""
    shares = []
    for axis in range(3):
        low = start[axis] + ratio * np.arange(shape[axis])
        fine = np.arange(codes.shape[axis])
        both = np.minimum(low[:, None] + ratio, fine + 1) - np.maximum(low[:, None], fine)
        shares.append(both.clip(0))
    kinds = np.stack([codes == c for c in range(3)]).astype(float)
    volume = np.zeros((256, *shape))
    volume[:3] = np.einsum("ka,jb,ic,mabc->mkji", *shares, kinds, optimize=True)
    volume[255] = ratio**3 - volume.sum(axis=0)
    return volume


def test_a_whole_ratio_equals_counting():
    fine = random_codes((6, 9, 12))
    blocks = fine.reshape(2, 3, 3, 3, 4, 3).transpose(0, 2, 4, 1, 3, 5).reshape(2, 3, 4, 27)
    wanted = np.stack([(blocks == c).sum(-1) for c in range(3)]).argmax(0)
    out = ct.register.coarsen(ct.volume(fine, 0.1), grid((2, 3, 4), 0.3, origin=0.1))
    np.testing.assert_array_equal(out.data, wanted)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    ratio=st.floats(1.0, 4.5),
    start=st.tuples(*[st.floats(-2.0, 3.0)] * 3),
    seed=st.integers(0, 99),
)
def test_any_ratio_and_place_equals_brute_force(ratio, start, seed):
    codes = random_codes((7, 8, 9), seed)
    shape = (3, 2, 3)
    volume = brute_force(codes, ratio, start, shape)
    best = volume.max(axis=0)
    origin = [s + ratio / 2 - 0.5 for s in start]  # centres of the first coarse voxel, fine voxel 1 µm
    out = ct.register.coarsen(ct.volume(codes, 1.0), grid(shape, ratio, origin=origin)).data
    chosen = np.take_along_axis(volume, out[None].astype(int), axis=0)[0]
    np.testing.assert_allclose(chosen, best, atol=1e-6)


def test_thirteen_point_oh_four_the_ratio_of_the_paper():
    codes = random_codes((60, 55, 70), seed=3, smooth=4)
    ratio = 0.438 / 0.0336
    shape = tuple(int(n / ratio) for n in codes.shape)
    middle = (0.438 - 0.0336) / 2
    out = ct.register.coarsen(ct.volume(codes, 0.0336), grid(shape, 0.438, origin=middle))
    wanted = brute_force(codes, ratio, (0, 0, 0), shape).argmax(axis=0)
    assert (out.data != wanted).mean() <= 1e-9
    assert ct.voxel_size(out) == (0.438,) * 3


@pytest.mark.parametrize(("codes", "wins"), [([0, 1], 0), ([2, 1], 1), ([2, 255], 2), ([1, 1, 2, 2, 0], 1)])
def test_at_a_draw_the_lower_code_wins(codes, wins):
    n = len(codes)
    fine = ct.volume(np.array(codes, np.uint8).reshape(1, 1, n), (1.0, 1.0, 0.1))
    out = ct.register.coarsen(fine, grid((1, 1, 1), (1.0, 1.0, 0.1 * n), origin=(0, 0, 0.05 * (n - 1))))
    assert out.item() == wins


def test_the_same_grid_changes_nothing():
    labels = ct.volume(random_codes((4, 5, 6)), 0.438, origin=(1.0, -2.0, 0.3))
    np.testing.assert_array_equal(ct.register.coarsen(labels, labels).data, labels.data)


def test_what_is_less_than_half_covered_is_left_out():
    fine = ct.volume(np.full((10, 10, 10), 2, np.uint8), 0.1)  # from -0.05 to 0.95 µm
    out = ct.register.coarsen(fine, grid((1, 1, 3), 1.0, origin=(0.45, 0.45, 0.0)))
    assert out.values.ravel().tolist() == [2, 255, 255]
    nearly = ct.register.coarsen(fine, grid((1, 1, 1), 1.0, origin=(0.45, 0.45, 0.9)))
    assert nearly.item() == 2  # from 0.40 µm on: 0.55 of it is covered


def test_attributes_and_name_come_from_the_labels_and_the_grid_from_onto():
    labels = ct.volume(random_codes((4, 4, 4)), 0.5, name="truth").assign_attrs(phases={"PORE": 0})
    target = grid((2, 2, 2), 1.0, origin=0.25).assign_attrs(other=1)
    out = ct.register.coarsen(labels, target)
    assert (out.name, out.attrs, out.dtype) == ("truth", {"phases": {"PORE": 0}}, np.uint8)
    assert out.x.equals(target.x)


def test_dask_and_wide_integers_and_slices_give_the_same(monkeypatch):
    codes = random_codes((12, 15, 18))
    target = grid((5, 6, 8), 0.23, origin=0.065)
    wanted = ct.register.coarsen(ct.volume(codes, 0.1), target).data
    monkeypatch.setattr("corrtomo.register.majority._SLAB", 500)
    lazy = ct.volume(da.from_array(codes, chunks=(5, 4, 18)), 0.1)
    np.testing.assert_array_equal(ct.register.coarsen(lazy, target).data, wanted)
    np.testing.assert_array_equal(ct.register.coarsen(ct.volume(codes.astype(int), 0.1), target).data, wanted)


def test_a_flat_image_is_coarsened_too():
    codes = random_codes((12, 15))
    out = ct.register.coarsen(ct.volume(codes, 0.1), grid((4, 5), 0.3, origin=0.1))
    deep = np.repeat(codes[None], 3, axis=0)
    wanted = ct.register.coarsen(ct.volume(deep, 0.1), grid((1, 4, 5), 0.3, origin=0.1))
    np.testing.assert_array_equal(out.data, wanted.data[0])


def test_an_alignment_that_moves_nothing_gives_the_exact_result_at_a_whole_ratio():
    codes = random_codes((16, 16, 16), seed=2)
    target = grid((2, 2, 2), 0.8, origin=0.35)
    still = SimpleNamespace(matrix=np.eye(4))
    exact = ct.register.coarsen(ct.volume(codes, 0.1), target)
    np.testing.assert_array_equal(
        ct.register.coarsen(ct.volume(codes, 0.1), target, alignment=still).data, exact.data
    )


def test_an_alignment_that_swaps_axes_equals_coarsening_the_transposed_labels():
    """The points of a coarse voxel follow the fine voxels along each of its own axes: here 20, 1 and 1."""
    codes = random_codes((4, 80, 5), smooth=0.7)
    swap = np.eye(4)[[1, 0, 2, 3]]
    target = grid((4, 4, 5), 1.0, origin=(0.475, 0.0, 0.0))
    wanted = ct.register.coarsen(ct.volume(codes.transpose(1, 0, 2), (0.05, 1.0, 1.0)), target)
    labels = ct.volume(codes, (1.0, 0.05, 1.0))
    found = ct.register.coarsen(labels, target, alignment=SimpleNamespace(matrix=swap))
    np.testing.assert_array_equal(found.data, wanted.data)


def densely(codes, edge, matrix, target, points):
    """Shares of the codes in each coarse voxel, from `points`³ even points; outside counts as code 3."""
    size, shape = ct.voxel_size(target), target.shape
    steps = [(np.arange(n * points) + 0.5) / points - 0.5 for n in shape]
    where = np.stack(np.meshgrid(*[s * e for s, e in zip(steps, size, strict=True)], indexing="ij"), -1)
    where += origin(target)
    index = np.rint((where - matrix[:3, 3]) @ np.linalg.inv(matrix[:3, :3]).T / edge).astype(int)
    inside = ((index >= 0) & (index < codes.shape)).all(axis=-1)
    seen = np.where(inside, codes[tuple(np.where(inside[..., None], index, 0).transpose(3, 0, 1, 2))], 3)
    cells = [part for n in shape for part in (n, points)]
    return np.stack([(seen == c).reshape(cells).mean(axis=(1, 3, 5)) for c in range(4)])


def test_a_turned_random_field_equals_dense_sampling():
    """At 3.27 fine voxels a side; only where two codes share a voxel to a tenth may the winner differ."""
    codes, edge = random_codes((36, 40, 44), seed=4, smooth=2.0), 0.134
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", (9, -6, 11), degrees=True).as_matrix()
    matrix[:3, 3] = (0.3, -0.2, 0.4)
    target = grid((9, 10, 11), 0.438, origin=0.2)
    shares = densely(codes, edge, matrix, target, points=20)
    wanted = np.array([0, 1, 2, 255])[shares.argmax(axis=0)]
    found = ct.register.coarsen(ct.volume(codes, edge), target, alignment=SimpleNamespace(matrix=matrix))
    order = np.sort(shares, axis=0)
    clear = order[-1] - order[-2] > 0.1
    assert clear.mean() > 0.8
    assert set(np.unique(wanted[clear])) == {0, 1, 2, 255}
    np.testing.assert_array_equal(found.data[clear], wanted[clear])
    assert (found.data == wanted).mean() > 0.98


def test_a_bar_is_shown_where_many_slabs_are_read_and_can_be_left_out(monkeypatch, capsys):
    monkeypatch.setattr("corrtomo.register.majority._SLAB", 100)
    labels, target = ct.volume(random_codes((12, 15, 18)), 0.1), grid((5, 6, 8), 0.23, origin=0.065)
    quiet = ct.register.coarsen(labels, target, progress=False)
    assert capsys.readouterr().err == ""
    np.testing.assert_array_equal(ct.register.coarsen(labels, target), quiet)
    assert "coarsen labels" in capsys.readouterr().err


def scaled(factor):
    return SimpleNamespace(matrix=np.diag([factor, factor, factor, 1.0]))


def test_a_grid_finer_than_the_labels_is_refused_with_the_scale_of_the_alignment():
    labels, fine, same = grid((9, 9, 9), 0.2), grid((4, 4, 4), 0.15), grid((4, 4, 4), 0.2)
    for onto, alignment in ((fine, scaled(1.0)), (same, scaled(1.5))):
        with pytest.raises(ValueError, match="as coarse or coarser"):
            ct.register.coarsen(labels, onto, alignment=alignment)
    for onto, alignment in ((fine, scaled(0.75)), (same, scaled(1.003))):  # a scale is fitted, not exact
        assert (ct.register.coarsen(labels, onto, alignment=alignment) == 0).all()


def test_a_turned_half_space_is_found_where_it_lies(monkeypatch):
    """A plane through a turned volume: the coarse voxels on each side of it, but for those that it cuts."""
    monkeypatch.setattr("corrtomo.register.majority._SLAB", 20_000)  # several slabs, each with its own box
    n, fine = 60, 0.1
    codes = np.zeros((n, n, n), np.uint8)
    codes[:, :, n // 2 :] = 2
    labels = ct.volume(codes, fine)
    turn = Rotation.from_euler("xyz", (7, -5, 9), degrees=True).as_matrix()
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, (0.5, -0.3, 0.7)
    target = grid((8, 8, 8), 0.4, origin=1.6)
    out = ct.register.coarsen(labels, target, alignment=SimpleNamespace(matrix=matrix))
    where = np.stack(np.meshgrid(*[target[d].values for d in "zyx"], indexing="ij"), axis=-1)
    depth = ((where - matrix[:3, 3]) @ turn)[..., 2] - (n / 2 - 0.5) * fine
    far = np.abs(depth) > 0.4
    assert far.mean() > 0.5
    np.testing.assert_array_equal(out.data[far], np.where(depth > 0, 2, 0)[far])


REFUSED = [
    (lambda: ct.volume(np.zeros((2, 2, 2)), 0.1), lambda: grid((1, 1, 1), 0.2), TypeError, "integer codes"),
    (lambda: ct.volume(np.zeros((2, 2, 2), bool), 0.1), lambda: grid((1, 1, 1), 0.2), TypeError, "booleans"),
    (lambda: grid((2, 2, 2), 0.1), lambda: grid((2, 2), 0.2), ValueError, "dims"),
    (lambda: grid((2, 2, 2), 0.2), lambda: grid((4, 4, 4), 0.1), ValueError, "as coarse or coarser"),
    (lambda: grid((2, 2, 2), 0.1), lambda: grid((2, 2, 2), 0.2, origin=9.0), ValueError, "nothing overlaps"),
    (lambda: ct.volume(np.full((2, 2, 2), 300), 0.1), lambda: grid((1, 1, 1), 0.2), ValueError, "0 to 255"),
    (lambda: ct.volume(np.full((2, 2, 2), -1), 0.1), lambda: grid((1, 1, 1), 0.2), ValueError, "0 to 255"),
]


@pytest.mark.parametrize(("labels", "onto", "error", "match"), REFUSED)
def test_what_cannot_be_coarsened_is_refused(labels, onto, error, match):
    with pytest.raises(error, match=match):
        ct.register.coarsen(labels(), onto())


def test_a_plain_array_is_refused():
    with pytest.raises(TypeError, match="ct.volume"):
        ct.register.coarsen(np.zeros((2, 2, 2), np.uint8), grid((1, 1, 1), 1.0))
