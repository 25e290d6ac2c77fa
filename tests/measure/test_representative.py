"""Growing volumes: what they cover, what they leave out, how far they scatter."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corrtomo as ct

repeatable = settings(deadline=None, derandomize=True, max_examples=40)
NOISE = ct.volume(np.random.default_rng(0).integers(0, 2, (20, 30, 40)), 0.5)
IMAGE = ct.volume(np.zeros((8, 8, 8), np.float32), 1.0)


def mean(part):
    return float(part.mean())


def test_growing_volumes_cover_what_they_say():
    table = ct.measure.growing_volumes(NOISE, mean, [2.0, 5.0, 10.0], most=20)
    assert table.groupby("edge_um").size().to_dict() == {2.0: 20, 5.0: 20, 10.0: 2}
    for _, row in table.iterrows():
        n = int(row.edge_um / 0.5)
        corner = [round(row[f"{d}_um"] / 0.5) for d in "zyx"]
        part = NOISE.values[tuple(slice(c, c + n) for c in corner)]
        assert part.shape == (n, n, n)
        assert row.value == pytest.approx(part.mean())
        assert row.volume_um3 == pytest.approx(row.edge_um**3)
    assert not table.cut.any()
    assert (table.refused == "").all()


@repeatable
@given(st.tuples(*[st.integers(2, 14)] * 3), st.integers(2, 14), st.integers(1, 40), st.integers(0, 9))
def test_cubes_apart_share_no_voxel_and_reach_both_ends(shape, edge, most, seed):
    if edge > max(shape):
        return
    seen = np.zeros(shape, int)

    def mark(part):
        seen[tuple(slice(int(part[d][0]), int(part[d][-1]) + 1) for d in "zyx")] += 1
        return 1.0

    table = ct.measure.growing_volumes(ct.volume(np.zeros(shape), 1.0), mark, [edge], most=most, seed=seed)
    assert seen.max() == 1
    assert seen.sum() == table.volume_um3.sum()
    places = np.prod([max(n // edge, 1) for n in shape])
    assert len(table) == min(most, places)
    assert (table.cut == (edge > min(shape))).all()
    if len(table) == places:
        for axis, n in enumerate(shape):
            along = seen.any(axis=tuple(a for a in range(3) if a != axis))
            if n >= 2 * edge:
                assert along[0]
                assert along[-1]
            else:  # one cube, in the middle
                assert abs(int(along.argmax()) - int(along[::-1].argmax())) <= 1


def test_the_places_are_those_of_the_seed():
    image = ct.volume(np.random.default_rng(0).random((32, 32, 32)), 1.0)
    for positions in ("apart", "anywhere"):
        tables = [
            ct.measure.growing_volumes(image, mean, [4.0], most=9, seed=seed, positions=positions)
            for seed in (0, 0, 1)
        ]
        assert tables[0].equals(tables[1])
        assert not tables[0].equals(tables[2])
        assert [len(table) for table in tables] == [9, 9, 9]


def test_anywhere_gives_many_large_cubes_but_no_cube_twice():
    table = ct.measure.growing_volumes(NOISE, mean, [8.0], positions="anywhere", most=25)
    assert len(table) == 25
    assert not table.duplicated(["z_um", "y_um", "x_um"]).any()
    whole = ct.measure.growing_volumes(IMAGE, mean, [8.0], positions="anywhere", most=25)
    assert len(whole) == 1


def test_the_scatter_of_noise_falls_with_the_root_of_the_volume():
    image = ct.volume(np.random.default_rng(1).normal(3.0, 1.0, (64, 64, 64)), 0.25)
    table = ct.measure.growing_volumes(image, mean, [1.0, 2.0, 4.0], most=10_000)
    spread = ct.measure.volume_spread(table)
    assert spread.cubes.tolist() == [4096, 512, 64]
    np.testing.assert_allclose(spread.sd, [1 / 8, 1 / 8**1.5, 1 / 64], rtol=0.3)
    np.testing.assert_allclose(spread["mean"], image.mean())
    np.testing.assert_allclose(spread.relative_sd_percent, 100 * spread.sd / spread["mean"])


def test_a_volume_thinner_than_the_edge_cuts_the_cubes_and_says_so():
    slab = ct.volume(np.arange(2 * 30 * 30.0).reshape(2, 30, 30), (0.5, 1.0, 1.0))
    table = ct.measure.growing_volumes(slab, mean, [10.0])
    assert table.cut.all()
    assert table.volume_um3.tolist() == [100.0] * 9
    sheet = ct.measure.growing_volumes(slab[0], mean, [10.0])
    assert sheet.area_um2.tolist() == [100.0] * 9
    assert not sheet.cut.any()


def test_dask_gives_the_same_table():
    lazy = ct.volume(da.from_array(NOISE.values, chunks=7), 0.5)
    first, second = (ct.measure.growing_volumes(image, mean, [3.0, 5.0]) for image in (NOISE, lazy))
    assert first.equals(second)


def test_what_a_measure_refuses_is_kept_with_its_reason():
    values = np.zeros((8, 8, 16), bool)
    values[2:4, 2:4, 2:4] = True
    mask = ct.volume(values, 1.0)

    def widest(part):
        return float(ct.measure.local_thickness(part, progress=False).max())

    with pytest.raises(ValueError, match="cube of .8, 8, 8. voxels from z 0, y 0, x 8 µm.*0 of 512 vox"):
        ct.measure.growing_volumes(mask, widest, [8.0])
    table = ct.measure.growing_volumes(mask, widest, [8.0], refused="keep")
    assert table.value.notna().tolist() == [True, False]
    assert table.refused[0] == ""
    assert table.refused[1].startswith("Cannot measure local thickness: 0 of 512 voxels")
    spread = ct.measure.volume_spread(table)
    assert spread[["cubes", "refused"]].to_numpy().tolist() == [[1, 1]]
    assert np.isnan(spread.sd[8.0])


def test_no_finite_number_is_kept_as_nan():
    table = ct.measure.growing_volumes(IMAGE, lambda part: np.inf, [8.0], refused="keep")
    assert table.value.isna().all()
    assert table.refused[0] == "measure() gives inf, and a finite number is needed."


def test_other_errors_of_a_measure_are_not_caught():
    with pytest.raises(ZeroDivisionError):
        ct.measure.growing_volumes(IMAGE, lambda part: 1 / 0, [4.0], refused="keep")


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"edges_um": [1.0]}, ValueError, "edge 1 µm: 2 voxels or more"),
        ({"edges_um": [9.0]}, ValueError, "the longest edge of the volume, 8 µm"),
        ({"edges_um": [1e300]}, ValueError, "the longest edge of the volume, 8 µm"),
        ({"edges_um": [4.0, np.nan]}, ValueError, "edge nan µm"),
        ({"edges_um": [True]}, TypeError, "edge True"),
        ({"edges_um": 4.0}, TypeError, "edges_um 4.0: a sequence"),
        ({"edges_um": "4"}, TypeError, "edges_um '4': a sequence"),
        ({"edges_um": []}, TypeError, r"edges_um \[\]: a sequence"),
        ({"measure": lambda part: np.nan}, ValueError, "gives nan.*pass refused='keep'"),
        ({"measure": lambda part: part.values}, TypeError, r"gives a ndarray of \(4, 4, 4\)"),
        ({"measure": lambda part: "4"}, TypeError, "gives a str"),
        ({"measure": 3}, TypeError, "with measure 3: a function"),
        ({"most": 0}, ValueError, "most=0"),
        ({"most": True}, ValueError, "most=True"),
        ({"most": 2.0}, ValueError, "most=2.0"),
        ({"positions": "random"}, ValueError, "positions 'random': allowed are 'apart' and 'anywhere'"),
        ({"refused": "drop"}, ValueError, "refused 'drop': allowed are 'raise' and 'keep'"),
        ({"image": np.zeros((4, 4))}, TypeError, r"ct\.volume"),
    ],
)
def test_what_cannot_grow_is_refused(change, error, match):
    with pytest.raises(error, match=match):
        ct.measure.growing_volumes(**{"image": IMAGE, "measure": mean, "edges_um": [4.0]} | change)


def test_a_summary_needs_a_table_of_growing_volumes():
    table = ct.measure.growing_volumes(IMAGE, mean, [4.0])
    assert np.isnan(ct.measure.volume_spread(table).relative_sd_percent[4.0])  # the mean is 0
    for bad in (table[:0], table.drop(columns="refused"), [1, 2]):
        with pytest.raises(ValueError, match="Cannot summarise growing volumes"):
            ct.measure.volume_spread(bad)


@pytest.mark.parametrize("seed", [-1, 1.5, "a", None, True])
def test_a_seed_is_a_whole_number_from_0(seed):
    image = ct.volume(np.zeros((4, 4)), 1.0)
    with pytest.raises(ValueError, match="a whole number from 0 is needed"):
        ct.measure.growing_volumes(image, lambda part: 1.0, [2.0], seed=seed)


def test_edges_of_as_many_voxels_are_refused():
    image = ct.volume(np.zeros((8, 8)), 0.5)
    for edges in ([2.0, 2.0], [2.0, 2.04]):
        with pytest.raises(ValueError, match="both are 4 voxels"):
            ct.measure.growing_volumes(image, lambda part: 1.0, edges)


def test_a_table_read_back_has_the_same_refusals(tmp_path):
    table = ct.measure.growing_volumes(ct.volume(np.eye(8), 0.5), lambda part: float(part.mean()), [2.0])
    table.to_csv(tmp_path / "t.csv", index=False)
    assert ct.measure.volume_spread(pd.read_csv(tmp_path / "t.csv")).refused.tolist() == [0]
