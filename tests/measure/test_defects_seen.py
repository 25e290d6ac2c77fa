"""The surface that depths count from, the shape of a part, and defects through blur and noise."""

import numpy as np
import pytest
from scipy import ndimage
from test_defects import X, Y, Z, ball, find

import corrtomo as ct
from corrtomo.measure.defects.defect_shape import extents
from corrtomo.measure.defects.pillar_surface import cover, to_side


def test_the_surface_bridges_mouths_and_follows_slopes():
    solid = np.zeros((20, 1, 40), bool)
    for x in range(40):
        solid[5 + x // 8 :, 0, x] = True
    slope = cover(solid, (0.5, 1.0, 1.0), 1.0)
    assert slope[0].tolist() == [0.5 * (5 + x // 8) for x in range(40)]
    assert cover(solid, (0.5, 1.0, 1.0), 5.0)[0, 4:-4].tolist() == slope[0, 4:-4].tolist()
    solid[:16, 0, 18:21] = False
    assert cover(solid, (0.5, 1.0, 1.0), 3.0)[0, 19] == 8.0
    assert cover(solid, (0.5, 1.0, 1.0), 5.0)[0, 19] == 0.5 * (5 + 20 // 8)


def test_the_side_of_a_disc_is_its_outline_without_notches():
    y, x = np.ogrid[:81, :81]
    plane = (y - 40) ** 2 + (x - 40) ** 2 < 30.5**2
    whole = to_side(plane, (0.1, 0.1), 2.0)
    assert whole[40, 40] == pytest.approx(3.1, abs=0.05)
    plane[38:43, 55:] = False
    assert to_side(plane, (0.1, 0.1), 2.0)[40, 40] == pytest.approx(whole[40, 40], abs=0.1)
    assert to_side(plane, (0.1, 0.1), 0.2)[40, 40] == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize("axes", [(9, 9, 9), (6, 12, 12), (4, 8, 16)])
def test_flatness_of_ellipsoids(axes):
    c, b, a = axes
    part = (((Z - 32) / c) ** 2 + ((Y - 36) / b) ** 2 + ((X - 36) / a) ** 2) < 1
    found = extents(part, (0.1, 0.1, 0.1))
    assert found.flatness == pytest.approx(1.5 * b / c, rel=0.04)
    assert found.extent == pytest.approx(0.2 * a, abs=0.1)
    assert found.thickness == pytest.approx(0.2 * c, abs=0.1)


def seen(size, seed, *, noise=0.1, crack=False):
    """Return a segmented twin of a particle with defects, blurred by 0.22 µm, and its truth."""
    rng = np.random.default_rng(seed)
    fine, voxel = (156, 156, 156), 0.025
    solid = ball((77.5, 77.5, 77.5), 72, fine)
    truth, placed = np.zeros(fine, np.uint8), []
    z, y, x = (np.arange(156).reshape(s) for s in ((-1, 1, 1), (1, -1, 1), (1, 1, -1)))
    while len(placed) < (3 if crack else 6):
        at = 77.5 + rng.uniform(-50, 50, 3)
        if np.linalg.norm(at - 77.5) > 46 or any(
            np.linalg.norm(at - p) < (56 if crack else 36) for p in placed
        ):
            continue
        placed.append(at)
        part = ball(at, (0.6 if crack else size / 2) / voxel, fine)
        if crack:
            normal = rng.standard_normal(3)
            normal /= np.linalg.norm(normal)
            height = (z - at[0]) * normal[0] + (y - at[1]) * normal[1] + (x - at[2]) * normal[2]
            part &= np.abs(height) < size / 2 / voxel
        truth[part & (truth == 0)] = len(placed)

    def coarse(values, how):
        return how(values.reshape(78, 2, 78, 2, 78, 2), axis=(1, 3, 5))

    grey = coarse((solid & (truth == 0)).astype(np.float32), np.mean)
    grey = ndimage.gaussian_filter(grey, 0.22 / 2.3548 / 0.05) + noise * rng.standard_normal(grey.shape)
    near = ndimage.grey_dilation(coarse(truth, np.max), size=3)
    return (grey > 0.5).astype(np.uint8) * 2, ct.volume(near, 0.05)


@pytest.mark.parametrize(
    ("size", "crack", "least", "most"),
    [(0.2, False, 0, 0), (0.27, False, 0, 2), (0.36, False, 11, 12), (0.5, False, 12, 12),
     (0.05, True, 0, 1), (0.15, True, 6, 6)],
)  # fmt: skip
def test_pores_and_cracks_through_blur_and_noise(size, crack, least, most):
    hits, kinds = 0, []
    for seed in range(2):
        labels, truth = seen(size, seed, crack=crack)
        table, numbers, _ = find(labels, widest_um=0.3, voxel=0.05)
        pairs = ct.measure.matches(numbers, truth)
        assert (pairs.match > 0).all()  # no false ones
        hits += pairs.match.nunique()
        kinds += table.kind.tolist()
    assert least <= hits <= most
    if size in (0.5, 0.15):
        assert set(kinds) == {"crack" if crack else "pore"}
