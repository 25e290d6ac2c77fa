"""Cracks on drawn shapes: what is one, what is a gap, how large, how filled."""

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

import corrtomo as ct
from corrtomo.measure.bodies import cuts_between, split_at_necks
from corrtomo.measure.geodesic import geodesic_length

PIXEL = 0.05
SHAPE = (240, 400)


def disc(centre, radius, shape=SHAPE):
    y, x = np.ogrid[: shape[0], : shape[1]]
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2


def particle():
    labels = np.zeros(SHAPE, np.uint8)
    labels[disc((120, 120), 80)] = 2
    return labels


def cut(labels, rows, columns, code):
    """Draw a slot into what is a particle there."""
    part = labels[rows, columns]
    part[part == 2] = code
    return labels


def find(labels, widest_um=0.5, size=PIXEL, **options):
    image = ct.volume(labels, size)
    numbers = ct.measure.crack_labels(image, widest_um=widest_um, **options)
    return ct.measure.cracks(image, numbers)


def test_a_closed_crack():
    table = find(cut(particle(), slice(117, 123), slice(100, 150), 1))
    (crack,) = table.itertuples()
    assert crack.area_um2 == pytest.approx(300 * PIXEL**2)
    assert crack.length_um == pytest.approx(50 * PIXEL, rel=0.04)
    assert crack.width_um == pytest.approx(6 * PIXEL, rel=0.04)
    assert (crack.y_um, crack.x_um) == pytest.approx((119.5 * PIXEL, 124.5 * PIXEL))
    assert (crack.kind, crack.cbd, crack.pore) == ("filled", 1, 0)
    assert not crack.open
    assert not crack.touches_border
    assert table.index.tolist() == [1]


def test_a_crack_that_opens_to_the_surface():
    (crack,) = find(cut(particle(), slice(117, 123), slice(120, 400), 0)).itertuples()
    assert (crack.kind, crack.open) == ("empty", True)
    # The ball that fills it dips into the mouth.
    assert 80 * PIXEL - 0.25 < crack.length_um < 80 * PIXEL * 1.02
    assert crack.elongation == crack.length_um / crack.width_um > 12


@pytest.mark.parametrize(
    ("binder", "kind"), [(0, "empty"), (8, "empty"), (12, "partly"), (38, "partly"), (42, "filled")]
)
def test_a_partly_filled_crack(binder, kind):
    labels = cut(particle(), slice(117, 123), slice(100, 150), 0)
    labels[117:123, 100 : 100 + binder][labels[117:123, 100 : 100 + binder] == 0] = 1
    (crack,) = find(labels).itertuples()
    assert crack.kind == kind
    assert (crack.cbd, crack.pore) == pytest.approx((binder / 50, 1 - binder / 50))


def test_a_crack_right_through_a_particle():
    (crack,) = find(cut(particle(), slice(117, 123), slice(None), 0)).itertuples()
    assert crack.open
    assert crack.length_um == pytest.approx(160 * PIXEL, abs=0.25)


@pytest.mark.parametrize("gap", [-2, 0, 3, 6, 9])
@pytest.mark.parametrize(("other", "widest_um"), [(80, 0.5), (40, 0.5), (30, 0.25)])
@pytest.mark.parametrize("filling", [0, 1])
def test_the_gap_between_two_particles_is_no_crack(gap, other, widest_um, filling):
    labels = particle()
    labels[disc((120, 120 + 80 + gap + other), other)] = 2
    labels[labels == 0] = filling
    assert len(find(labels, widest_um)) == 0


def test_a_crack_beside_a_gap_is_found_and_ends_there():
    labels = cut(particle(), slice(117, 123), slice(120, 400), 0)
    labels[disc((120, 120 + 80 + 4 + 60), 60)] = 2
    image = ct.volume(labels, PIXEL)
    numbers = ct.measure.crack_labels(image, widest_um=0.5)
    (crack,) = ct.measure.cracks(image, numbers).itertuples()
    assert crack.open
    assert 80 * PIXEL - 0.75 < crack.length_um < 80 * PIXEL
    assert not numbers.values[:, 200:].any()


def test_what_is_round_wide_short_or_on_the_surface_is_no_crack():
    labels = particle()
    labels[disc((90, 90), 5)] = 0  # round
    labels[150:166, 80:160] = 0  # wide
    labels[100:102, 150:157] = 1  # short
    labels[disc((120, 40), 12) & disc((120, 120), 80)] = 0  # a dent
    assert len(find(labels)) == 0
    assert len(find(labels, shortest_um=0.3)) == 1
    assert len(find(labels, widest_um=0.9)) == 1
    assert len(find(labels, slimmest=1.0, shortest_um=0.4)) == 1


def test_a_rough_surface_has_no_cracks():
    labels = np.zeros(SHAPE, np.uint8)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    angle = np.arctan2(y - 120, x - 200)
    labels[np.hypot(y - 120, x - 200) < 90 + 4 * np.sin(40 * angle)] = 2
    assert len(find(labels)) == 0


def test_several_in_order_and_numbered_without_gaps():
    labels = particle()
    for row in (80, 110, 140):
        cut(labels, slice(row, row + 4), slice(100, 140), row % 2)
    labels[125:127, 100:103] = 0  # too short: takes no number
    image = ct.volume(labels, PIXEL)
    numbers = ct.measure.crack_labels(image, widest_um=0.5)
    assert np.unique(numbers).tolist() == [0, 1, 2, 3]
    assert numbers.dtype == np.uint32
    table = ct.measure.cracks(image, numbers)
    assert table.y_um.tolist() == pytest.approx([81.5 * PIXEL, 111.5 * PIXEL, 141.5 * PIXEL])
    kept = ct.measure.cracks(image, numbers.where(numbers != 2, 0))
    assert kept.index.tolist() == [1, 3]
    assert kept.equals(table.loc[[1, 3]])


@pytest.mark.parametrize("degrees", [0, 10, 22.5, 30, 45, 70])
@pytest.mark.parametrize(("length", "width"), [(24, 8), (40, 4), (90, 3)])
def test_slots_in_any_direction_have_the_stated_size(degrees, length, width):
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    turn = np.deg2rad(degrees)
    along = (x - 120.3) * np.cos(turn) + (y - 119.8) * np.sin(turn)
    across = (y - 119.8) * np.cos(turn) - (x - 120.3) * np.sin(turn)
    labels = particle()
    labels[(np.abs(along) < length / 2) & (np.abs(across) < width / 2)] = 1
    (crack,) = find(labels, slimmest=2.0).itertuples()
    assert 0.95 < crack.length_um / (length * PIXEL) < 1.09
    assert 0.88 < crack.width_um / (width * PIXEL) < 1.09


def test_a_bent_crack_is_as_long_as_its_way():
    ring = disc((120, 120), 40) & ~disc((120, 120), 36)
    labels = particle()
    labels[ring & (np.arange(SHAPE[0])[:, None] < 120)] = 1
    (crack,) = find(labels).itertuples()
    # The shortest way keeps to the inner side of the bend.
    assert np.pi * 36 * PIXEL * 0.97 < crack.length_um < np.pi * 40 * PIXEL


def test_pixels_that_are_no_squares():
    labels = cut(particle(), slice(117, 123), slice(100, 150), 1)[::2]
    (crack,) = find(labels, size=(2 * PIXEL, PIXEL)).itertuples()
    assert crack.length_um == pytest.approx(50 * PIXEL, rel=0.06)
    assert crack.area_um2 == pytest.approx(300 * PIXEL**2)


def test_in_space_a_crack_is_a_sheet():
    z, y, x = np.ogrid[-24:25, -24:25, -24:25]
    labels = np.where(z**2 + y**2 + x**2 < 22.0**2, 2, 0)
    labels[24 - 9 : 24 + 10, 23:26, 24 - 9 : 24 + 10] = 1
    (crack,) = find(labels, widest_um=0.25).itertuples()
    assert crack.volume_um3 == pytest.approx(19 * 19 * 3 * PIXEL**3)
    assert crack.length_um == pytest.approx(19 * np.sqrt(2) * PIXEL, rel=0.05)
    # Twice the volume over the surface; Crofton's formula misses some of faces along the axes.
    assert crack.width_um == pytest.approx(2 * 19 * 19 * 3 / (2 * 19 * 19 + 4 * 19 * 3) * PIXEL, rel=0.15)
    assert (crack.kind, crack.open) == ("filled", False)
    other = np.where((z - 0) ** 2 + y**2 + x**2 < 11.0**2, 2, 0)
    pair = np.concatenate([other, other[14:]], axis=0)
    assert len(find(pair, widest_um=0.25)) == 0


def test_the_border_is_no_wall_and_no_opening():
    labels = np.full((60, 100), 2, np.uint8)
    labels[30:34, :40] = 1
    (crack,) = find(labels).itertuples()
    assert crack.touches_border
    assert not crack.open
    beside = np.full((60, 100), 2, np.uint8)
    beside[56:] = 0  # how wide it is, nobody knows
    assert len(find(beside)) == 0


def test_left_out_and_collector_are_no_cracks():
    for code in (3, 255):
        assert len(find(cut(particle(), slice(117, 123), slice(100, 150), code))) == 0


def test_it_does_not_matter_where_or_how_it_is_held():
    labels = cut(particle(), slice(117, 123), slice(100, 150), 1)
    image = ct.volume(labels, PIXEL)
    numbers = ct.measure.crack_labels(image, widest_um=0.5)
    lazy = ct.volume(da.from_array(labels, (100, 90)), PIXEL)
    assert numbers.equals(ct.measure.crack_labels(lazy, widest_um=0.5))
    turned = ct.measure.crack_labels(image.transpose().rename(x="y", y="x"), widest_um=0.5)
    assert np.array_equal(turned.values.T, numbers.values)
    moved = ct.volume(labels, PIXEL, origin=(3.0, -2.0))
    there = ct.measure.cracks(moved, numbers.assign_coords(y=moved.y, x=moved.x))
    here = ct.measure.cracks(image, numbers)
    assert (there.y_um - here.y_um).tolist() == pytest.approx([3.0])
    assert (there.x_um - here.x_um).tolist() == pytest.approx([-2.0])


def test_a_table_without_cracks_has_its_columns():
    image = ct.volume(particle(), PIXEL)
    table = ct.measure.cracks(image, ct.measure.crack_labels(image, widest_um=0.5))
    assert len(table) == 0
    assert {"area_um2", "kind", "open", "touches_border"} <= set(table.columns)
    assert table["open"].dtype == np.bool_


def test_matches_by_hand():
    found = ct.volume([[1, 1, 1, 1, 0, 2, 2, 0, 3]], 0.1)
    true = ct.volume([[0, 0, 0, 9, 9, 4, 5, 0, 0]], 0.1)
    table = ct.measure.matches(found, true)
    assert table.match.tolist() == [9, 4, 0]
    assert table.overlap.tolist() == [0.25, 0.5, 0.0]
    assert table.index.tolist() == [1, 2, 3]
    assert len(ct.measure.matches(found * 0, true)) == 0


@pytest.mark.parametrize(
    ("ratio", "bodies"),
    [(0.6, 1), (0.8, 2)],
)
def test_bodies_are_parted_where_the_neck_is_narrow(ratio, bodies):
    """Two discs that overlap: their neck is 0.7 of their width."""
    half = 30 * np.sqrt(1 - 0.7**2)
    mask = disc((50, 50), 30, (100, 160)) | disc((50, 50 + 2 * half), 30, (100, 160))
    depth = ndimage.distance_transform_edt(mask).astype(np.float32)
    numbers = split_at_necks(depth, ratio)
    assert len(np.unique(numbers)) == bodies + 1
    assert (numbers > 0).sum() == mask.sum()
    columns = cuts_between(numbers).nonzero()[1]
    assert (bodies == 1) == (columns.size == 0)
    assert (np.abs(columns - (50 + half)) < 3).all()


@pytest.mark.parametrize("step", [(0, 1), (1, 0), (1, 1), (1, 2), (2, 1), (1, 3), (2, 5)])
def test_straight_lines_are_at_most_3_percent_too_long(step):
    y, x = np.mgrid[:80, :80]
    length = np.hypot(*step)
    across = np.abs(step[0] * x - step[1] * y) / length
    along = (step[0] * y + step[1] * x) / length
    mask = (across < 1.5) & (along < 60)
    assert 0.97 * 60 < geodesic_length(mask, (1.0, 1.0)) < 1.03 * 60 + 3


def test_a_way_leaps_no_wall():
    mask = np.ones((9, 9), bool)
    mask[4, :8] = False  # round the end of the wall
    assert geodesic_length(mask, (1.0, 1.0)) > 16


@pytest.mark.parametrize(
    ("labels", "options", "error", "match"),
    [
        (np.zeros((4, 4), int), {}, ValueError, "no voxel is active material. Phases that occur: pore"),
        (np.full((4, 4), 2), {"widest_um": 0.01}, ValueError, "at most 0.01 µm: the voxel size is"),
        (np.full((4, 4), 2), {"widest_um": -1}, ValueError, "widest_um -1 µm: it must be finite"),
        (np.full((4, 4), 2), {"shortest_um": "1"}, TypeError, "shortest_um '1': a number in µm"),
        (np.full((4, 4), 2), {"slimmest": 0.5}, ValueError, "slimmest 0.5: a number from 1"),
        (np.full((4, 4), 2), {"neck": 1.5}, ValueError, "neck 1.5: a number from 0 to 1"),
        (np.full((4, 4), 2), {"of": 77}, ValueError, "Cannot find phase 77"),
        (np.full((4, 4), 2.0), {}, TypeError, "dtype is float64"),
        (np.full(4, 2), {}, ValueError, "Cannot use a 1D image"),
    ],
)
def test_refusals(labels, options, error, match):
    with pytest.raises(error, match=match):
        ct.measure.crack_labels(ct.volume(labels, PIXEL), **{"widest_um": 0.5, **options})


def test_measuring_refuses():
    image = ct.volume(cut(particle(), slice(117, 123), slice(100, 150), 1), PIXEL)
    numbers = ct.measure.crack_labels(image, widest_um=0.5)
    with pytest.raises(ValueError, match="a share above 0.5 and up to 1 is needed"):
        ct.measure.cracks(image, numbers, pure=0.5)
    with pytest.raises(ValueError, match="number 1 holds neither pore nor binder, but codes \\[2\\]"):
        ct.measure.cracks(ct.volume(np.full(SHAPE, 2), PIXEL), numbers)
    with pytest.raises(ValueError, match="sizes"):
        ct.measure.cracks(image, numbers[:100])
    with pytest.raises(ValueError, match="sizes"):
        ct.measure.matches(numbers, numbers[:100])
    with pytest.raises(ValueError, match="a number is -1"):
        ct.measure.matches(numbers.astype(int) - 1, numbers)


def test_numbers_of_a_larger_image_are_kept():
    labels = np.full((5, 9), 2)
    labels[2, 2:7] = 0
    image = ct.volume(labels, 0.1)
    numbers = ct.measure.crack_labels(image, widest_um=0.1)
    plain = ct.measure.cracks(image, numbers)
    other = ct.measure.cracks(image, numbers.astype("int64") * 2**33)
    assert other.index.tolist() == [2**33]
    np.testing.assert_array_equal(other.area_um2, plain.area_um2)
    with pytest.raises(ValueError, match="the number -1"):
        ct.measure.cracks(image, numbers.astype("int64") - 1)
