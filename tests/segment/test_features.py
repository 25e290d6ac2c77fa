"""The filter bank: closed forms, SciPy, scikit-image, voxels that are no cubes, any tile."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.feature import hessian_matrix_eigvals, multiscale_basic_features
from skimage.filters import sobel

from corrtomo.segment.trained.derived import MARGIN
from corrtomo.segment.trained.features import FilterBank
from corrtomo.segment.trained.gaussian import reach, smooth
from corrtomo.segment.trained.pixel_tiles import in_order, make_tile, tiles, wide


def features(image, scales, kinds=("intensity", "edges", "texture", "hessian"), voxel=None, edge=999):
    """Every feature of an image, dims column, (z,) y, x, put together from tiles."""
    voxel = voxel or (1.0,) * image.ndim
    bank = FilterBank(image.ndim, ("",), scales, kinds, (float(image.mean()),))
    margin = bank.margin(voxel)
    out = np.full((len(bank.columns), *image.shape), np.nan, np.float32)
    for inner in tiles(image.shape, edge):
        grey = image[wide(inner, margin, image.shape)][np.newaxis]
        tile = make_tile(grey, inner, margin, image.shape)
        part = out[(slice(None), *inner)]
        for row, cells in bank.rows(tile.block, voxel):
            size = 8 if image.ndim == 2 else 4
            into = part[(slice(None), *(slice(k * size, (k + 1) * size) for k in row))]
            into[...] = in_order(cells, image.ndim)[tuple(slice(n) for n in into.shape)]
    assert not np.isnan(out).any()
    return dict(zip([(c.kind, c.scale_um) for c in bank.columns], out, strict=True))


def inner_part(image, scale):
    return image[(slice(reach(scale) + MARGIN + 1, -reach(scale) - MARGIN - 1),) * image.ndim]


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.7, 16.0])
def test_smoothing_is_scipys(sigma):
    image = np.random.default_rng(0).uniform(0, 255, (40, 150)).astype(np.float32)
    wide_image = np.pad(image, reach(sigma), mode="symmetric")
    gap = smooth(wide_image, (sigma, sigma)) - ndimage.gaussian_filter(image.astype(float), sigma)
    assert np.abs(gap).max() < 1e-6 * 255 * 4


def test_a_slope_has_its_steepness_and_no_curvature():
    y, x = np.mgrid[:60, :70]
    found = features((3.0 * x + 4.0 * y).astype(np.float32), (2.0,))
    # Sobel's differences reach over two pixels: √(6² + 8²), and √2 for the mean over the axes.
    np.testing.assert_allclose(inner_part(found["edges", 2.0], 2.0), 10 / np.sqrt(2), rtol=1e-4)
    for kind in ("hessian largest", "hessian smallest"):
        np.testing.assert_allclose(inner_part(found[kind, 2.0], 2.0), 0, atol=1e-3)
    # The standard deviation of a slope of 5 under a Gaussian is 5 times its own (slightly cut off).
    np.testing.assert_allclose(inner_part(found["texture", 2.0], 2.0), 10, rtol=2e-3)


def test_a_parabola_has_its_curvature():
    y, x = np.mgrid[:60, :70] - 30.0
    found = features((0.5 * x**2 - 0.25 * y**2).astype(np.float32), (1.0,))
    np.testing.assert_allclose(inner_part(found["hessian largest", 1.0], 1.0), 1.0, atol=2e-3)
    np.testing.assert_allclose(inner_part(found["hessian smallest", 1.0], 1.0), -0.5, atol=2e-3)


def test_three_curvatures_in_three_dimensions():
    z, y, x = np.mgrid[:24, :24, :24] - 12.0
    turned = (x + y) / np.sqrt(2), (x - y) / np.sqrt(2)
    image = 1.5 * turned[0] ** 2 + 0.5 * z**2 - 1.0 * turned[1] ** 2
    found = features(image.astype(np.float32), (0.5,), ("hessian",))
    for kind, value in (("largest", 3.0), ("middle", 1.0), ("smallest", -2.0)):
        np.testing.assert_allclose(inner_part(found[f"hessian {kind}", 0.5], 0.5), value, atol=5e-3)


def test_a_constant_image_has_a_brightness_alone():
    found = features(np.full((40, 40), 7, np.uint16), (1.0, 4.0))
    for (kind, _), values in found.items():
        np.testing.assert_allclose(values, 7 if kind == "intensity" else 0, atol=1e-3)


def test_texture_is_the_standard_deviation_under_the_gaussian():
    image = np.random.default_rng(1).integers(0, 65536, (50, 60)).astype(np.uint16)
    found = features(image, (3.0,), ("texture",))
    exact = image.astype(float)
    square = ndimage.gaussian_filter(exact**2, 3.0) - ndimage.gaussian_filter(exact, 3.0) ** 2
    np.testing.assert_allclose(found["texture", 3.0], np.sqrt(square), atol=1e-3 * 65535)
    np.testing.assert_allclose(found["texture", 3.0], np.sqrt(square), rtol=1e-4)


def test_they_are_scikit_images():
    image = np.random.default_rng(2).integers(0, 256, (150, 160)).astype(np.uint8)
    scales = (1.0, 2.0, 4.0, 8.0)
    found = features(image, scales, ("intensity", "edges", "hessian"))
    peer = multiscale_basic_features(image, sigma_min=1, sigma_max=8)
    kinds = ("intensity", "edges", "hessian largest", "hessian smallest")
    for n, scale in enumerate(scales):
        for k, kind in enumerate(kinds):
            gap = found[kind, scale] - 255 * peer[..., 4 * n + k]
            assert np.abs(inner_part(gap, scale)).max() < 1e-3, (kind, scale)


def test_they_are_scikit_images_in_three_dimensions():
    image = np.random.default_rng(3).normal(size=(30, 31, 32)).astype(np.float32)
    found = features(image, (1.5,), ("intensity", "edges", "hessian"))
    smoothed = ndimage.gaussian_filter(image.astype(float), 1.5)
    second = [
        np.gradient(np.gradient(smoothed, axis=a), axis=b)
        for a, b in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    ]
    curvatures = hessian_matrix_eigvals(second)
    peers = {"intensity": smoothed, "edges": sobel(smoothed)}
    peers |= dict(zip(("hessian largest", "hessian middle", "hessian smallest"), curvatures, strict=True))
    for kind, peer in peers.items():
        assert np.abs(inner_part(found[kind, 1.5] - peer, 1.5)).max() < 1e-5, kind


def test_scales_are_lengths_on_voxels_that_are_no_cubes():
    """A ball seen with thick slices has the same steepness at the same place."""

    def ball(voxel):
        at = [v * (np.arange(n) - n // 2) for v, n in zip(voxel, (41, 81, 81), strict=True)]
        z, y, x = np.meshgrid(*at, indexing="ij")
        return np.exp(-(z**2 + y**2 + x**2) / (2 * 6.0**2)).astype(np.float32)

    thick = features(ball((2.0, 1.0, 1.0)), (3.0,), ("intensity", "edges", "hessian"), (2.0, 1.0, 1.0))
    for kind in ("intensity", "edges", "hessian smallest"):
        values = thick[kind, 3.0]
        along_z, along_x = values[20 + 4, 40, 40], values[20, 40, 40 + 8]
        assert along_z == pytest.approx(along_x, rel=0.05), kind
    assert thick["edges", 3.0][24, 40, 40] > 0.05


@pytest.mark.parametrize("shape", [(45, 61), (21, 18, 23)])
def test_tiles_change_nothing_not_even_the_last_bit(shape):
    image = np.random.default_rng(4).uniform(size=shape).astype(np.float32)
    whole = features(image, (0.7, 2.0))
    for edge in (8, 20):
        parts = features(image, (0.7, 2.0), edge=edge)
        for name, values in whole.items():
            np.testing.assert_array_equal(parts[name], values)


def test_the_border_is_mirrored():
    image = np.random.default_rng(5).uniform(size=(40, 50)).astype(np.float32)
    mirrored = np.pad(image, 24, mode="symmetric")
    plain, larger = features(image, (2.0,)), features(mirrored, (2.0,))
    for name, values in plain.items():
        np.testing.assert_allclose(values, larger[name][24:-24, 24:-24], atol=1e-5)
