"""What is too narrow is left out: an opening of each phase."""

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

import corrtomo as ct


def random_codes(shape, seed=0, smooth=1.0):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), smooth)
    return np.digitize(field, np.quantile(field, (0.3, 0.6))).astype(np.uint8)


@pytest.mark.parametrize("n", [2, 3])
def test_it_equals_an_opening_of_each_phase(n):
    codes = random_codes((12, 14, 16), seed=1)
    centre = np.indices((n,) * 3) - (n - 1) / 2
    ball = (centre**2).sum(axis=0) <= (n / 2) ** 2
    wide = np.pad(codes, 2 * n, mode="edge")
    kept = np.zeros(wide.shape, bool)
    for code in range(3):
        kept |= ndimage.binary_opening(wide == code, ball)
    wanted = np.where(kept, wide, 255)[(slice(2 * n, -2 * n),) * 3]
    out = ct.segment.remove_small_features(ct.volume(codes, 1.0), float(n)).data
    np.testing.assert_array_equal(out, wanted)
    assert 0.01 < (out == 255).mean() < 0.9


@pytest.mark.parametrize(("width", "left"), [(1, 255), (2, 2), (3, 2)])
def test_a_film_stays_from_two_voxels_on(width, left):
    codes = np.zeros((8, 8, 8), int)
    codes[:, 3 : 3 + width] = 2
    out = ct.segment.remove_small_features(ct.volume(codes, 0.438), 0.876)
    assert np.unique(out.data[:, 3 : 3 + width]).tolist() == [left]
    assert (out.data[:, :3] == 0).all()


def test_what_the_border_cuts_is_kept():
    codes = np.zeros((4, 4, 4), int)
    codes[0] = 2
    assert (ct.segment.remove_small_features(ct.volume(codes, 1.0), 2.0).data[0] == 2).all()


def test_what_is_left_out_stays_so_and_attributes_stay():
    labels = ct.volume(np.full((4, 4, 4), 255, np.uint8), 1.0).assign_attrs(phases={"PORE": 0})
    out = ct.segment.remove_small_features(labels, 2.0)
    assert out.identical(labels)
    labels[:, :2] = 1
    out = ct.segment.remove_small_features(labels, 2.0)
    assert (out.data[:, 0].min(), out.data[:, 2].max(), out.attrs) == (1, 255, labels.attrs)


def test_chunks_change_nothing():
    codes = random_codes((12, 14, 16))
    lazy = ct.segment.remove_small_features(ct.volume(da.from_array(codes, chunks=(5, 4, 7)), 1.0), 3.0)
    assert isinstance(lazy.data, da.Array)
    np.testing.assert_array_equal(lazy, ct.segment.remove_small_features(ct.volume(codes, 1.0), 3.0))


@pytest.mark.parametrize(
    ("codes", "match"),
    [(np.zeros((2, 2, 2)), "labels are integer codes"), (np.ones((2, 2), bool), "Open a mask with")],
)
def test_what_is_no_label_is_refused(codes, match):
    with pytest.raises(TypeError, match=match):
        ct.segment.remove_small_features(ct.volume(codes, 1.0), 2.0)


@pytest.mark.parametrize("code", [300, -1])
def test_codes_that_do_not_fit_are_refused(code):
    with pytest.raises(ValueError, match=rf"codes \[{code}\]: codes from 0 to 255"):
        ct.segment.remove_small_features(ct.volume(np.full((2, 2), code), 1.0), 2.0)


def test_a_diameter_of_zero_is_refused():
    with pytest.raises(ValueError, match="Cannot remove small features with diameter 0"):
        ct.segment.remove_small_features(ct.volume(np.zeros((2, 2), int), 1.0), 0)
