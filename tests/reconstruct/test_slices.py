"""Slices to a volume: closed forms, drift and tilt undone, chunks, borders, refusals."""

import tracemalloc

import dask.array as da
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corrtomo as ct

from .conftest import PIXEL, STEP, TILT, record

COSINE = np.cos(np.deg2rad(TILT))


def plane_of_greys(slices=6, shape=(12, 10), edges=(0.05, 0.025, 0.025), slope=(4.0, 3.0, 2.0)):
    """Grey values that are linear in z, y, x: any linear interpolation is exact."""
    z, y, x = np.indices((slices, *shape))
    return ct.volume(10 + slope[0] * z + slope[1] * y + slope[2] * x, edges)


def table(z=None, y=None, x=None, slices=6):
    zero = np.zeros(slices)
    return pd.DataFrame(
        {
            "slice": np.arange(slices),
            "z_um": np.arange(slices) * 0.05 if z is None else z,
            "y_um": zero if y is None else y,
            "x_um": zero if x is None else x,
        }
    )


def test_nothing_to_correct_changes_nothing():
    raw = plane_of_greys().astype(np.uint8)
    out = ct.reconstruct.slices(raw, tilt_deg=0, voxel_um="recorded")
    assert out.equals(raw)
    assert out.dtype == np.uint8
    assert ct.voxel_size(out) == ct.voxel_size(raw)


def test_by_default_voxels_are_cubes_of_the_finest_edge():
    raw = plane_of_greys().astype(float)
    out = ct.reconstruct.slices(raw, tilt_deg=TILT)
    assert ct.voxel_size(out) == (0.025,) * 3
    assert out.sizes["z"] == 11
    assert out.sizes["y"] == int(11 / COSINE) + 1
    wide = ct.reconstruct.slices(plane_of_greys(edges=(0.02, 0.025, 0.025)).astype(float), tilt_deg=TILT)
    assert ct.voxel_size(wide) == (0.02,) * 3


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    tilt=st.floats(0, 70),
    shift=st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=6, max_size=6),
    thick=st.lists(st.floats(0.3, 2.0), min_size=5, max_size=5),
    start=st.tuples(*[st.floats(-2, 2)] * 3),
    voxel=st.tuples(*[st.floats(0.02, 0.06)] * 3),
)
def test_a_linear_field_is_found_exactly_whatever_tilt_drift_and_thickness(tilt, shift, thick, start, voxel):
    """True grey = 50 + 40 z + 30 y + 20 x in µm of the first image's frame."""
    drift = np.array([(0, 0), *shift[1:]]) * 0.025
    depth = np.concatenate([[0], np.cumsum(thick)]) * 0.05
    cosine = np.cos(np.deg2rad(tilt))
    _, y, x = (
        s + n * e for s, n, e in zip(start, np.indices((6, 14, 13)), (0.05, 0.025, 0.025), strict=True)
    )
    true_y = (y - drift[:, 0][:, None, None]) / cosine
    grey = 50 + 40 * (start[0] + depth)[:, None, None] + 30 * true_y + 20 * (x - drift[:, 1][:, None, None])
    raw = ct.volume(grey, (0.05, 0.025, 0.025), origin=start)
    positions = table(depth, drift[:, 0], drift[:, 1])
    for border in ("crop", "nan"):
        out = ct.reconstruct.slices(raw, tilt_deg=tilt, positions=positions, voxel_um=voxel, border=border)
        wanted = 50 + 40 * out.z + 30 * out.y + 20 * out.x
        known = np.isfinite(out)
        assert known.all() == (border == "crop") or border == "nan"
        assert known.any()
        np.testing.assert_allclose(out.where(known, 0), wanted.where(known, 0), rtol=1e-9, atol=1e-7)


def test_crop_is_what_all_slices_saw_and_nan_is_what_any_saw():
    raw = plane_of_greys(slices=2)
    drifting = table(y=[0.0, -0.05], x=[0.0, 0.025], slices=2)  # two pixels up, one to the right
    both = ct.reconstruct.slices(raw, tilt_deg=0, positions=drifting, voxel_um="recorded")
    np.testing.assert_allclose(both.y.values, 0.025 * np.arange(2, 12))
    np.testing.assert_allclose(both.x.values, 0.025 * np.arange(0, 9))
    any_of = ct.reconstruct.slices(raw, tilt_deg=0, positions=drifting, voxel_um="recorded", border="nan")
    np.testing.assert_allclose(any_of.y.values, 0.025 * np.arange(0, 14))
    np.testing.assert_allclose(any_of.x.values, 0.025 * np.arange(-1, 10))
    assert np.isfinite(any_of[0, :12, 1:]).all()
    assert np.isnan(any_of[0, 12:]).all()
    assert np.isnan(any_of[1, :2]).all()
    assert np.isnan(any_of[0, :, 0]).all()
    np.testing.assert_array_equal(any_of.sel(y=both.y, x=both.x, method="nearest").values, both.values)


def test_labels_are_never_mixed_and_never_seen_is_left_out():
    codes = np.zeros((2, 4, 6), np.uint8)
    codes[:, :, 3:] = 2
    labels = ct.phases.as_labels(ct.volume(codes, (0.1, 0.05, 0.05)))
    drifting = table(x=[0.0, 0.07], z=[0.0, 0.1], slices=2)
    out = ct.reconstruct.slices(labels, tilt_deg=30, positions=drifting, border="nan")
    assert set(np.unique(out)) == {0, 2, 255}
    assert out.dtype == np.uint8
    assert out.attrs["phases"] == labels.attrs["phases"]
    mask = labels == 2
    found = ct.reconstruct.slices(mask, tilt_deg=30, positions=drifting)
    assert found.dtype == bool
    assert 0 < int(found.sum()) < found.size


def test_integers_are_rounded_not_cut():
    raw = ct.volume(np.array([[[10, 11]], [[13, 14]]], np.uint8), (1.0, 1.0, 1.0))
    out = ct.reconstruct.slices(raw, tilt_deg=0, voxel_um=(0.5, 1.0, 1.0))
    assert out.values[:, 0].tolist() == [[10, 11], [12, 13], [13, 14]]
    cold = ct.reconstruct.slices(raw.astype(int) - 20, tilt_deg=0, voxel_um=(0.5, 1.0, 1.0))
    assert cold.values[:, 0].tolist() == [[-10, -9], [-8, -7], [-7, -6]]


def test_the_texture_comes_back_upright(clean):
    """Reconstructed from marks, the volume equals the one that was recorded without drift or tilt."""
    out = ct.reconstruct.slices(clean.stack, tilt_deg=TILT, marks=clean.marks, progress=False)
    still = record(30, (300, 240), drift=np.zeros((30, 2)), depth=np.arange(30) * 0.999)
    wanted = ct.reconstruct.slices(still.stack, tilt_deg=TILT, progress=False)
    y = slice(2.0, float(out.y[-1]))
    both = [image.sel(y=y).values[: min(len(out), len(wanted))] for image in (out, wanted)]
    shift = clean.stack.sizes["x"] - out.sizes["x"]
    first = round(float(out.x[0]) / PIXEL)
    both[1] = both[1][:, :, first : first + out.sizes["x"]]
    assert shift >= first
    gap = both[0].astype(float) - both[1]
    assert np.sqrt((gap**2).mean()) < 2.5
    blind = ct.reconstruct.slices(clean.stack, tilt_deg=TILT, progress=False)
    off = blind.sel(y=y).values[: len(both[0]), :, first : first + out.sizes["x"]].astype(float) - both[1]
    assert np.sqrt((off**2).mean()) > 10


@pytest.mark.parametrize(
    "chunks", [(1, -1, -1), (4, 50, 60), (7, -1, -1), (30, -1, -1), ((13, 1, 16), -1, -1)]
)
def test_lazy_equals_eager(noisy, chunks):
    positions = ct.reconstruct.drift_from_marks(noisy.stack, noisy.marks)
    eager = ct.reconstruct.slices(noisy.stack, tilt_deg=TILT, positions=positions)
    lazy_stack = noisy.stack.copy(data=da.from_array(noisy.stack.values, chunks=chunks))
    assert ct.reconstruct.drift_from_marks(lazy_stack, noisy.marks).equals(positions)
    lazy = ct.reconstruct.slices(lazy_stack, tilt_deg=TILT, marks=noisy.marks)
    assert isinstance(lazy.data, da.Array)
    assert lazy.compute().identical(eager)
    part = lazy.isel(z=slice(20, 23), y=slice(5, 9)).compute()
    assert part.identical(eager.isel(z=slice(20, 23), y=slice(5, 9)))


class Nowhere:
    """What is written here is forgotten, but for how much it was."""

    def __init__(self, like):
        self.shape, self.dtype, self.written = like.shape, like.dtype, 0

    def __setitem__(self, where, part):
        self.written += part.nbytes


def test_a_long_lazy_stack_needs_memory_for_a_few_slices():
    def image(block_info=None):
        k = block_info[None]["chunk-location"][0]
        return np.random.default_rng(k).integers(0, 255, (1, 400, 500)).astype(np.uint8)

    meta = np.empty((0, 0, 0), np.uint8)
    data = da.map_blocks(image, chunks=((1,) * 200, (400,), (500,)), dtype=np.uint8, meta=meta)
    volume = ct.reconstruct.slices(ct.volume(data, (0.05, 0.025, 0.025)), tilt_deg=TILT)
    sink = Nowhere(volume)
    tracemalloc.start()
    da.store(volume.data, sink, lock=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sink.written == volume.nbytes > 95e6
    assert peak < 25e6


def test_a_bar_is_shown_unless_it_is_left_out(monkeypatch, capsys):
    monkeypatch.setattr("corrtomo.reconstruct.planes._DELAY", 0)
    raw = plane_of_greys()
    quiet = ct.reconstruct.slices(raw, tilt_deg=0, progress=False)
    assert capsys.readouterr().err == ""
    assert ct.reconstruct.slices(raw, tilt_deg=0).equals(quiet)
    assert "reconstruct a volume" in capsys.readouterr().err


def uneven(raw):
    return raw.isel(z=[0, 1, 3, 4, 5])


def with_nan(raw):
    raw = raw.astype(float)
    raw[3, 2, 1] = np.nan
    return raw


def repeated(raw):
    raw = raw.copy(deep=True)
    raw[4] = raw[3]
    return raw


RAW = [
    (lambda raw: raw.values, TypeError, "ct.volume"),
    (lambda raw: None, TypeError, "Cannot use a NoneType"),
    (lambda raw: raw[0], ValueError, "z, y, x are needed"),
    (lambda raw: raw.drop_vars("z"), ValueError, "without z coordinates"),
    (lambda raw: raw.transpose("x", "y", "z"), ValueError, "in this order"),
    (lambda raw: raw[:0], ValueError, "holds no voxel"),
    (lambda raw: raw[:1], ValueError, "1 slice, but 2 or more"),
    (lambda raw: raw.expand_dims(channel=["SE"]), ValueError, "channels"),
    (uneven, ValueError, "between slices 1 and 2 z goes on by 0.1"),
    (lambda raw: raw[::-1], ValueError, "out of order"),
    (lambda raw: raw.isel(z=[0, 1, 1, 2, 3]), ValueError, "doubled or out of order"),
    (with_nan, ValueError, "slice 3 holds NaN"),
    (repeated, ValueError, "slices 3 and 4 are the same image"),
]


@pytest.mark.parametrize(("change", "error", "match"), RAW)
def test_what_is_no_stack_is_refused(change, error, match):
    raw = change(plane_of_greys())
    for call in (
        lambda: ct.reconstruct.slices(raw, tilt_deg=36),
        lambda: ct.reconstruct.drift_from_neighbours(raw),
        lambda: ct.reconstruct.drift_from_marks(
            raw, pd.DataFrame({"y_um": [0.1], "x_um": [0.1], "slope": [0]}), mark_um=0.1
        ),
    ):
        with pytest.raises(error) as caught:
            call()
        if "no dark spot" not in str(caught.value) and "are not alike" not in str(caught.value):
            assert caught.match(match)
    with pytest.raises(error, match=match):
        ct.reconstruct.slices(raw, tilt_deg=36)


def test_repeats_are_kept_where_they_are_allowed():
    raw = repeated(plane_of_greys())
    out = ct.reconstruct.slices(raw, tilt_deg=0, voxel_um="recorded", repeats=True)
    assert out.equals(raw)
    lazy = raw.copy(data=da.from_array(raw.values, chunks=(2, -1, -1)))
    with pytest.raises(ValueError, match="slices 3 and 4 are the same"):
        ct.reconstruct.slices(lazy, tilt_deg=0).compute()


POSITIONS = [
    ([[0, 0, 0]], TypeError, "a list, but a pandas.DataFrame"),
    (table().drop(columns="x_um"), ValueError, "no column x_um"),
    (table().assign(y_um="a"), ValueError, "y_um of the table holds no finite"),
    (table().assign(y_um=np.nan), ValueError, "holds no finite number"),
    (table()[:5], ValueError, "missing are 5, doubled none"),
    (table().assign(slice=[0, 1, 2, 2, 4, 5]), ValueError, "missing are 3, doubled 2"),
    (table().assign(slice=range(1, 7)), ValueError, "missing are 0, doubled none, unknown 6"),
    (table()[:0], ValueError, "0 rows for 6 slices; missing are 0, 1, 2, 3, 4, …"),
    (table(z=[0, 1, 2, 2, 3, 4]), ValueError, "slice 3 lies at 2 µm, not behind slice 2"),
    (table(z=[0, 1, 2, 1.5, 3, 4]), ValueError, "Nothing was milled between them"),
    (table().set_axis(["slice", "z_um", "y_um", "y_um"], axis=1), ValueError, "no column x_um"),
    (pd.concat([table(), table()[["z_um"]]], axis=1), ValueError, "more than one column z_um"),
    (table(z=[0, 1, 2, 3, 4, 1e9]), ValueError, "column z_um of the positions spreads it over 4e"),
    (table(z=[0, 1, 2, 3, 4, 1e6]), ValueError, "wrong row in z_um"),
    (table(z=[0, 1, 2, 3, 4, 1e300]), ValueError, "column z_um"),
    (table(y=np.arange(6) * 0.06), ValueError, "no voxel was in view in all slices"),
]


@pytest.mark.parametrize(("positions", "error", "match"), POSITIONS)
def test_a_table_that_does_not_place_each_slice_is_refused(positions, error, match):
    with pytest.raises(error, match=match):
        ct.reconstruct.slices(plane_of_greys(), tilt_deg=36, positions=positions)


def test_a_table_in_any_order_is_read_by_slice_number():
    raw, where = plane_of_greys(), table(x=[0, 0.01, 0.02, 0.01, 0.0, 0.03])
    out = ct.reconstruct.slices(raw, tilt_deg=36, positions=where)
    assert ct.reconstruct.slices(raw, tilt_deg=36, positions=where[::-1]).identical(out)


OPTIONS = [
    ({"tilt_deg": 90}, ValueError, "edge-on"),
    ({"tilt_deg": -1}, ValueError, "0 to 80 degrees"),
    ({"tilt_deg": np.nan}, ValueError, "0 to 80 degrees"),
    ({"tilt_deg": 10**400}, ValueError, "0 to 80 degrees"),
    ({"voxel_um": 10**400}, ValueError, "finite edges"),
    ({"tilt_deg": "36"}, TypeError, "a number of degrees"),
    ({"tilt_deg": True}, TypeError, "a number of degrees"),
    ({"voxel_um": 0.0}, ValueError, "from 0.00625 µm on"),
    ({"voxel_um": 1e-9}, ValueError, "quarter of the finest"),
    ({"voxel_um": np.inf}, ValueError, "finite edges"),
    ({"voxel_um": np.nan}, ValueError, "finite edges"),
    ({"voxel_um": (0.1, 0.1)}, TypeError, "three"),
    ({"voxel_um": (0.05, (1, 2), 0.05)}, TypeError, "three"),
    ({"voxel_um": "fine"}, TypeError, "recorded"),
    ({"border": "wrap"}, ValueError, "crop"),
    ({"marks": pd.DataFrame(), "positions": table()}, ValueError, "Pass one of them"),
]


@pytest.mark.parametrize(("options", "error", "match"), OPTIONS)
def test_options_that_cannot_be_are_refused(options, error, match):
    with pytest.raises(error, match=match):
        ct.reconstruct.slices(plane_of_greys(), **({"tilt_deg": 36} | options))


def test_a_mask_has_no_value_for_what_was_never_seen():
    with pytest.raises(ValueError, match='border="crop"'):
        ct.reconstruct.slices(plane_of_greys() > 30, tilt_deg=36, border="nan")


def test_one_row_or_one_column_is_a_stack_too():
    raw = plane_of_greys(shape=(1, 5), slices=3)
    out = ct.reconstruct.slices(raw, tilt_deg=36, voxel_um="recorded")
    np.testing.assert_array_equal(out, raw)
    assert ct.voxel_size(out)[1] == pytest.approx(PIXEL / COSINE)
    assert ct.voxel_size(out)[0] == STEP


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("dim", ["y", "x"])
def test_a_wrong_row_does_not_lay_out_a_huge_volume(dim, lazy):
    raw = plane_of_greys()
    raw = raw.copy(data=da.from_array(raw.values, chunks=(2, -1, -1))) if lazy else raw
    wrong = table(**{dim: [0, 0, 0, 0, 0, 1e6]})
    with pytest.raises(ValueError, match=f"column {dim}_um of the positions spreads it over"):
        ct.reconstruct.slices(raw, tilt_deg=36, positions=wrong, border="nan")


@pytest.mark.parametrize(("dtype", "native"), [(">u2", "u2"), (">f4", "f4"), ("f2", "f4"), (">f2", "f4")])
@pytest.mark.parametrize("lazy", [False, True])
def test_grey_values_of_any_byte_order_and_half_floats_are_read(dtype, native, lazy):
    wanted = ct.reconstruct.slices(plane_of_greys().astype(native), tilt_deg=36)
    raw = plane_of_greys().astype(dtype)
    raw = raw.copy(data=da.from_array(raw.values, chunks=(2, -1, -1))) if lazy else raw
    out = ct.reconstruct.slices(raw, tilt_deg=36).compute()
    assert out.dtype == np.dtype(native)
    assert out.identical(wanted)
    seen = ct.reconstruct.slices(raw, tilt_deg=36, border="nan").compute()
    assert seen.dtype == np.float32


def test_labels_of_any_byte_order_are_read_and_int8_has_no_code_for_left_out():
    codes = np.zeros((2, 4, 6), np.uint8)
    codes[:, :, 3:] = 2
    labels = ct.phases.as_labels(ct.volume(codes, (0.1, 0.05, 0.05)))
    drifting = table(x=[0.0, 0.07], z=[0.0, 0.1], slices=2)
    wanted = ct.reconstruct.slices(labels, tilt_deg=30, positions=drifting, border="nan")
    for dtype in (">i2", "i2"):
        out = ct.reconstruct.slices(labels.astype(dtype), tilt_deg=30, positions=drifting, border="nan")
        np.testing.assert_array_equal(out, wanted)
    small = labels.astype("int8")
    with pytest.raises(ValueError, match="left out"):
        ct.reconstruct.slices(small, tilt_deg=30, positions=drifting, border="nan")
    assert ct.reconstruct.slices(small, tilt_deg=30, positions=drifting).dtype == np.int8


def test_the_shear_of_a_face_that_recedes_is_taken_out_by_the_positions_of_the_notes():
    """Grey is linear in true y; a section at depth z is seen z sin(tilt) higher on the screen."""
    z, y, x = np.indices((6, 14, 5)) * np.array([0.05, 0.025, 0.025])[:, None, None, None]
    sine = np.sin(np.deg2rad(TILT))
    raw = ct.volume(50 + 30 * (y + z * sine) / COSINE + x, (0.05, 0.025, 0.025))
    depth = 0.05 * np.arange(6)
    out = ct.reconstruct.slices(raw, tilt_deg=TILT, positions=table(depth, -depth * sine))
    np.testing.assert_allclose(out, (50 + 30 * out.y + out.x).broadcast_like(out).transpose("z", "y", "x"))
    assert abs(np.ptp(out.values[:, 0, 0])) < 1e-9
    sheared = ct.reconstruct.slices(raw, tilt_deg=TILT)
    assert np.ptp(sheared.values[:, 0, 0]) > 1
