"""Ground truth: majority against a brute force, small features against a morphological opening."""

import numpy as np
import pytest
from scipy import ndimage

import corrtomo as ct
from corrtomo.simulate import leave_out_small_features


def random_codes(shape, seed=0, smooth=1.0):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), smooth)
    return np.digitize(field, np.quantile(field, (0.3, 0.6))).astype(np.uint8)


def test_small_features_equal_an_opening_by_two_voxels():
    codes = random_codes((12, 14, 16), seed=1)
    wide = np.pad(codes, 3, mode="edge")
    kept = np.zeros(wide.shape, bool)
    for code in range(3):
        kept |= ndimage.binary_opening(wide == code, np.ones((2, 2, 2)))
    wanted = np.where(kept, wide, 255)[3:-3, 3:-3, 3:-3]
    out = leave_out_small_features(ct.volume(codes, 1.0)).data
    np.testing.assert_array_equal(out[1:-1, 1:-1, 1:-1], wanted[1:-1, 1:-1, 1:-1])
    assert 0.01 < (out == 255).mean() < 0.5


@pytest.mark.parametrize(("width", "left"), [(1, 255), (2, 2), (3, 2)])
def test_a_film_stays_from_two_voxels_on(width, left):
    codes = np.zeros((8, 8, 8), int)
    codes[:, 3 : 3 + width] = 2
    out = leave_out_small_features(ct.volume(codes, 1.0))
    assert np.unique(out.data[:, 3 : 3 + width]).tolist() == [left]
    assert (out.data[:, :3] == 0).all()


def test_what_the_border_cuts_is_kept():
    codes = np.zeros((4, 4, 4), int)
    codes[0] = 2
    assert (leave_out_small_features(ct.volume(codes, 1.0)).data[0] == 2).all()


def test_grey_values_are_refused():
    with pytest.raises(TypeError, match="labels are integer codes"):
        leave_out_small_features(ct.volume(np.zeros((2, 2, 2)), 1.0))
