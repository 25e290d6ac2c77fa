"""Neighbour counting: by hand, by brute force, in chunks, along a depth."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import corrtomo as ct
from corrtomo.measure.contact import faces as faces_module

repeatable = settings(deadline=None, derandomize=True, max_examples=60)
PORE, CBD, AM, COLLECTOR, LEFT_OUT = 0, 1, 2, 3, 255
SIZES = {3: (0.05, 0.025, 0.02), 2: (0.05, 0.025)}


def labels(values, size=1.0):
    return ct.volume(np.asarray(values, np.uint8), size)


def codes(dims, side=6):
    phases = st.sampled_from([PORE, CBD, AM, COLLECTOR, LEFT_OUT])
    return hnp.arrays(np.uint8, st.tuples(*[st.integers(1, side)] * dims), elements=phases)


volumes = st.integers(2, 3).flatmap(codes)


def brute(values, axes, sizes, of=AM, touching=CBD, ignore=()):
    """Return the area in contact and of all faces, face by face."""
    contact = every = 0.0
    for axis in axes:
        area = float(np.prod(sizes) / sizes[axis])
        ahead = np.moveaxis(values, axis, 0)
        for here, other in ((ahead[:-1], ahead[1:]), (ahead[1:], ahead[:-1])):
            face = (here == of) & (other != of) & ~np.isin(other, [LEFT_OUT, *ignore])
            every += area * face.sum()
            contact += area * (face & (other == touching)).sum()
    return contact, every


def test_faces_of_a_cube_by_hand():
    values = np.zeros((5, 5, 5), int)
    values[1:4, 1:4, 1:4] = AM
    values[0] = CBD  # one of six sides
    cube = labels(values)
    assert ct.measure.contact_fraction(cube, axes="z") == pytest.approx(1 / 2)
    assert ct.measure.contact_fraction(cube, axes=("z", "y", "x")) == pytest.approx(1 / 6)
    assert ct.measure.contact_fraction(cube) == 0


def test_faces_weigh_by_their_area():
    values = np.zeros((3, 3, 3), int)
    values[1, 1, 1], values[0, 1, 1] = AM, CBD
    grain = labels(values, (2.0, 1.0, 0.5))
    areas = {"z": 0.5, "y": 1.0, "x": 2.0}
    expected = areas["z"] / (2 * sum(areas.values()))
    assert ct.measure.contact_fraction(grain, axes=("z", "y", "x")) == pytest.approx(expected)


def test_rows_of_a_section_as_in_the_paper():
    section = labels([[AM, CBD, AM, PORE], [AM, AM, PORE, PORE]])
    assert ct.measure.contact_fraction(section, axes="x") == pytest.approx(2 / 4)
    assert ct.measure.contact_profile(section, depth="y").values.tolist() == pytest.approx([2 / 3, 0.0])


def test_what_is_left_out_or_ignored_does_not_count():
    row = labels([[COLLECTOR, AM, LEFT_OUT, AM, CBD]])
    assert ct.measure.contact_fraction(row) == pytest.approx(1 / 2)
    for ignore in (ct.Phase.COLLECTOR, COLLECTOR, [ct.Phase.COLLECTOR, PORE], (LEFT_OUT, 3)):
        assert ct.measure.contact_fraction(row, ignore=ignore) == 1


@repeatable
@given(volumes, st.data())
def test_counting_is_that_of_brute_force(values, data):
    dims = "zyx"[-values.ndim :]
    axes = data.draw(st.lists(st.sampled_from(dims), min_size=1, unique=True))
    ignore = data.draw(st.sampled_from([(), (COLLECTOR,), (COLLECTOR, PORE)]))
    sizes = SIZES[values.ndim]
    contact, every = brute(values, [dims.index(a) for a in axes], sizes, ignore=ignore)
    image = labels(values, sizes)
    if every == 0 or not (values == CBD).any():
        with pytest.raises(ValueError, match="Cannot count contact: "):
            ct.measure.contact_fraction(image, axes=axes, ignore=ignore)
        return
    found = ct.measure.contact_fraction(image, axes=axes, ignore=ignore)
    assert found == pytest.approx(contact / every)


@settings(repeatable, max_examples=25)
@given(volumes, st.integers(1, 4))
def test_chunks_count_the_same_to_the_last_digit(values, chunk):
    assume({AM, CBD} <= set(values.ravel()))
    dims, sizes = tuple("zyx"[-values.ndim :]), SIZES[values.ndim]
    assume(brute(values, range(values.ndim), sizes)[1] > 0)
    lazy = ct.volume(da.from_array(values, chunks=chunk), sizes)
    eager = labels(values, sizes)
    assert ct.measure.contact_fraction(lazy, axes=dims) == ct.measure.contact_fraction(eager, axes=dims)
    for depth in dims:
        rest = [k for k, d in enumerate(dims) if d != depth]
        if brute(values, rest, sizes)[1] > 0:
            first, second = (ct.measure.contact_profile(i, depth=depth) for i in (lazy, eager))
            assert first.identical(second)


@repeatable
@given(volumes)
def test_the_weighted_mean_of_a_profile_is_the_fraction(values):
    dims, sizes = "zyx"[-values.ndim :], SIZES[values.ndim]
    assume((values == CBD).any())
    for depth in dims:
        rest = [d for d in dims if d != depth]
        if brute(values, [dims.index(d) for d in rest], sizes)[1] == 0:
            continue
        profile = ct.measure.contact_profile(labels(values, sizes), depth=depth)
        weight = profile["surface_um2" if values.ndim == 3 else "outline_um"].values
        assert np.array_equal(np.isnan(profile.values), weight == 0)
        mean = np.nansum(profile.values * weight) / weight.sum()
        assert mean == pytest.approx(ct.measure.contact_fraction(labels(values, sizes), axes=rest))


@repeatable
@given(codes(3))
def test_swapping_axes_changes_nothing_but_their_names(values):
    assume((values == CBD).any())
    assume(brute(values, [1, 2], SIZES[3])[1] > 0)
    found = ct.measure.contact_fraction(labels(values, SIZES[3]), axes=("y", "x"))
    turned = labels(values.transpose(2, 1, 0), SIZES[3][::-1])
    assert ct.measure.contact_fraction(turned, axes=("y", "z")) == pytest.approx(found)


def test_a_profile_has_the_coordinate_of_its_depth():
    values = np.zeros((4, 3, 5), int)
    values[:, :, 2], values[:, 1, 3], values[3] = AM, CBD, PORE
    image = ct.volume(values.astype(np.uint8), (0.05, 0.025, 0.025), origin=(3.0, 0.0, 0.0))
    profile = ct.measure.contact_profile(image, depth="z")
    assert profile.dims == ("z",)
    assert profile.z.values.tolist() == image.z.values.tolist()
    assert ct.voxel_size(profile) == (0.05,)
    np.testing.assert_allclose(profile, [1 / 6, 1 / 6, 1 / 6, np.nan])
    np.testing.assert_allclose(profile.surface_um2, [6 * 0.05 * 0.025] * 3 + [0])


def test_a_large_volume_in_pieces_counts_as_in_one(monkeypatch):
    values = np.random.default_rng(0).integers(0, 3, (23, 11, 13)).astype(np.uint8)
    whole = ct.measure.contact_fraction(labels(values), axes=("z", "y", "x"))
    monkeypatch.setattr(faces_module, "_PIECE", 500)
    monkeypatch.setattr(faces_module, "_TOGETHER", 300)
    assert ct.measure.contact_fraction(labels(values), axes=("z", "y", "x")) == whole
    lazy = ct.volume(da.from_array(values, chunks=(5, 4, 13)), 1.0)
    assert ct.measure.contact_fraction(lazy, axes=("z", "y", "x")) == whole
    contact, every = brute(values, range(3), (1, 1, 1))
    assert whole == pytest.approx(contact / every)


def test_each_chunk_is_computed_once():
    values = np.random.default_rng(1).integers(0, 3, (8, 8, 8)).astype(np.uint8)
    met = []

    def seen(block):
        met.append(block.shape)
        return block

    lazy = da.from_array(values, chunks=4).map_blocks(seen, dtype=np.uint8, meta=np.empty((0,) * 3, np.uint8))
    ct.measure.contact_profile(ct.volume(lazy, 1.0), depth="y")
    assert met == [(4, 4, 4)] * 8


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, np.int8])
def test_codes_of_any_integer_type_and_layout(dtype):
    values = np.random.default_rng(2).integers(0, 3, (6, 7, 8))
    plain = ct.measure.contact_fraction(labels(values))
    assert ct.measure.contact_fraction(ct.volume(values.astype(dtype), 1.0)) == plain
    assert ct.measure.contact_fraction(ct.volume(np.asfortranarray(values), 1.0)) == plain
    frozen = values.astype(np.uint8)
    frozen.setflags(write=False)
    assert ct.measure.contact_fraction(ct.volume(frozen, 1.0)) == plain
    assert ct.measure.contact_fraction(ct.volume(values[::-1], 1.0)) == plain


GOOD = labels([[PORE, AM, CBD], [PORE, AM, CBD]])


@pytest.mark.parametrize("count", [ct.measure.contact_fraction, ct.measure.contact_profile])
@pytest.mark.parametrize(
    ("image", "error", "match"),
    [
        (GOOD.values, TypeError, r"Cannot use a ndarray.*ct\.volume"),
        (None, TypeError, "Cannot use a NoneType"),
        ("labels", TypeError, "Cannot use a str"),
        (GOOD[0], ValueError, "1D image .* 2D or 3D is needed"),
        (GOOD[:0], ValueError, "holds no voxel"),
        (GOOD.astype(float), TypeError, "its dtype is float64"),
        (GOOD == AM, TypeError, "Cannot count contact of a mask of booleans"),
        (GOOD.assign_attrs(phases={}), TypeError, "of classes that are not named as phases"),
        (GOOD + np.uint8(7), ValueError, "Cannot find phase 7: not a known phase code"),
        (GOOD.astype(int) - 1, ValueError, "codes from -1 to 1"),
        (labels([[PORE, CBD]] * 2), ValueError, r"no voxel is active material \(2\).*pore \(0\), carbon"),
        (labels([[PORE, AM]] * 2), ValueError, r"no voxel is carbon binder domain \(1\).*of= and touching="),
        (labels([[AM, LEFT_OUT, CBD]] * 2), ValueError, r"active material \(2\) has no face along .*x"),
        (labels([[AM]]), ValueError, "no voxel is carbon binder domain"),
        (ct.volume(np.ones((1, 2, 2), int), 1.0, dims=("channel", "y", "x")), ValueError, "has 1 channels"),
    ],
)
def test_what_are_no_labels_is_refused(count, image, error, match):
    options = {"depth": "y"} if count is ct.measure.contact_profile else {}
    with pytest.raises(error, match=match):
        count(image, **options)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"axes": "z"}, ValueError, r"along axes 'z': one or more of y, x are needed.*axes=\('y', 'x'\)"),
        ({"axes": ()}, ValueError, "along axes"),
        ({"axes": "yx"}, ValueError, "along axes 'yx'"),
        ({"axes": ("x", "x")}, ValueError, "each once"),
        ({"axes": None}, ValueError, "along axes None"),
        ({"axes": 1}, ValueError, "along axes 1"),
        ({"axes": [["y"], ["x"]]}, ValueError, "along axes"),
        ({"of": 1}, ValueError, "two different phases"),
        ({"touching": 255}, ValueError, "neither of them left out"),
        ({"ignore": ct.Phase.AM}, ValueError, r"ignoring \[2\]"),
        ({"ignore": [0, 1]}, ValueError, r"ignoring \[0, 1\]"),
        ({"ignore": 9}, ValueError, "Cannot find phase 9"),
        ({"of": 2.0}, TypeError, "with phase 2.0: codes of phases are whole numbers"),
        ({"of": None}, TypeError, "with phase None"),
        ({"touching": True}, TypeError, "with phase True"),
        ({"ignore": "pore"}, TypeError, "with phase 'pore'"),
    ],
)
def test_what_is_no_question_is_refused(options, error, match):
    with pytest.raises(error, match=match):
        ct.measure.contact_fraction(GOOD, **options)


def test_a_profile_needs_one_depth_that_is_there():
    with pytest.raises(ValueError, match="along axes 'z': one or more of y, x"):
        ct.measure.contact_profile(GOOD)
    with pytest.raises(ValueError, match=r"at each depth \('y', 'x'\): one axis is needed"):
        ct.measure.contact_profile(GOOD, depth=("y", "x"))
    with pytest.raises(ValueError, match="no face along y that counts"):
        ct.measure.contact_profile(GOOD, depth="x")
