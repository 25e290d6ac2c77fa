"""The width of the line spread at the edge of a sample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft, ndimage
from scipy.special import erf

import corrtomo as ct

FIND = ct.measure.edge_resolution
SD = 2 * np.sqrt(2 * np.log(2))


def fbp_noise(shape, sd, seed):
    """Return noise as filtered back-projection leaves it: its power grows with the frequency."""
    white = np.random.default_rng(seed).normal(size=shape)
    k = np.hypot(fft.fftfreq(shape[-2])[:, None], fft.fftfreq(shape[-1]))
    noise = fft.ifft2(fft.fft2(white, axes=(-2, -1)) * np.sqrt(k), axes=(-2, -1)).real
    return noise * sd / noise.std()


def disc(fwhm, *, voxel=0.05, n=240, radius=5.0, noise=0.0, seed=0):
    """Return a disc, blurred: its edge in closed form, for a radius far above the width."""
    c = (np.arange(n) - (n - 1) / 2) * voxel
    far = radius - np.hypot(c[:, None] + 0.013, c + 0.007)
    grey = 0.5 + 0.5 * erf(far / (fwhm / SD) / np.sqrt(2))
    return ct.volume(grey + fbp_noise(grey.shape, noise, seed) if noise else grey, voxel)


def pillar(fwhm, *, noise=0.0, seed=0, voxel=0.05, n=320, fine=4):
    """Return a slice of a pillar of rough particles and pores, milled round."""
    rng = np.random.default_rng(seed)
    step = voxel / fine
    size = (n * fine, n * fine)
    large, small = (
        ndimage.gaussian_filter(rng.normal(size=size), width / step, mode="wrap") for width in (1.0, 0.1)
    )
    field = large / large.std() + 0.15 * small / small.std()
    c = (np.arange(n * fine) - (n * fine - 1) / 2) * step
    inside = np.hypot(c[:, None], c) < 0.4 * n * voxel
    grey = np.where(inside & (field > np.quantile(field, 0.4)), 1.0, 0.02 * inside)
    grey = ndimage.gaussian_filter(grey, fwhm / SD / step)[fine // 2 :: fine, fine // 2 :: fine]
    return ct.volume(grey + fbp_noise(grey.shape, noise, seed) if noise else grey, voxel)


@pytest.mark.parametrize("method", ["fit", "derivative"])
@pytest.mark.parametrize("fwhm", [0.15, 0.224, 0.4])
def test_a_disc_has_the_width_it_was_blurred_with(fwhm, method):
    found = FIND(disc(fwhm), method=method)
    assert found.fwhm_um == pytest.approx(fwhm, rel=0.003 if method == "fit" else 0.03)
    assert found.left_out == {}
    assert found.contrast == pytest.approx(1, abs=0.01)
    assert found.noise < 0.01
    assert found.profiles.used.all()
    assert found.profiles.fwhm_um.to_numpy() == pytest.approx(fwhm, rel=0.02)


@pytest.mark.parametrize("fwhm", [0.15, 0.25, 0.4])
@pytest.mark.parametrize("noise", [0.1, 0.3])
def test_a_rough_pillar_in_noise_within_ten_percent(fwhm, noise):
    found = FIND(pillar(fwhm, noise=noise, seed=7))
    assert found.fwhm_um == pytest.approx(fwhm, rel=0.1)
    assert found.low_um < found.fwhm_um < found.high_um
    assert found.left_out
    assert found.noise == pytest.approx(noise, rel=0.1)
    assert found.facets + sum(found.left_out.values()) == len(found.profiles)


def test_the_interval_holds_the_truth_and_shrinks_with_the_noise():
    found = [FIND(disc(0.224, noise=0.2, seed=seed), resamples=200, seed=seed) for seed in range(20)]
    assert sum(one.low_um <= 0.224 <= one.high_um for one in found) >= 16
    assert np.mean([one.fwhm_um for one in found]) == pytest.approx(0.224, rel=0.01)
    wide = np.mean([one.high_um - one.low_um for one in found])
    quiet = FIND(disc(0.224, noise=0.05))
    assert quiet.high_um - quiet.low_um < wide / 2
    assert FIND(disc(0.224, noise=0.05), level=0.5).high_um < quiet.high_um


def test_facets_that_are_no_milled_edge_are_left_out():
    image = pillar(0.25, seed=3)
    found = FIND(image)
    table = found.profiles
    assert set(table.why[~table.used]) <= {"low contrast", "no edge", "curved", "not smooth"}
    assert (table.why[table.used] == "").all()
    middle = (image.sizes["x"] - 1) / 2 * 0.05
    far = np.hypot(table.y_um - middle, table.x_um - middle)
    assert far[table.used].to_numpy() == pytest.approx(0.4 * 320 * 0.05, abs=0.4)
    # With pores and the walls of particles there are more edges, rough ones.
    everywhere = FIND(image, outer=False)
    assert len(everywhere.profiles) > 1.5 * len(table)
    assert everywhere.fwhm_um == pytest.approx(0.25, rel=0.15)


def test_pores_close_under_the_surface_are_not_taken_for_a_wide_edge():
    image = disc(0.25, noise=0.05)
    c = (np.arange(240) - 119.5) * 0.05
    turn, depth = np.arctan2(c[:, None], c), 5.0 - np.hypot(c[:, None], c)
    pores = (turn > 0) & (np.sin(16 * turn) > 0) & (depth > 0.3) & (depth < 0.6)
    grey = image.values * (1 - 0.5 * ndimage.gaussian_filter(pores.astype(float), 2))
    found = FIND(ct.volume(grey, 0.05))
    below = found.profiles[found.profiles.y_um < 119.5 * 0.05 - 0.5]
    above = found.profiles[found.profiles.y_um > 119.5 * 0.05 + 0.5]
    assert below.used.mean() > 0.8
    assert set(above.why[~above.used]) >= {"not smooth"}
    assert above.used.mean() < 0.5
    assert found.fwhm_um == pytest.approx(0.25, rel=0.03)


def test_a_volume_and_its_directions():
    z, y, x = np.ogrid[-2.5:2.5:0.05, -3.5:3.5:0.05, -3.5:3.5:0.05]
    solid = (z < 1.1) & (np.hypot(y, x) < 2.5 - 0.05 * z)
    grey = ndimage.gaussian_filter(solid.astype(np.float32), (4.0, 2.0, 2.0))
    grey += fbp_noise(grey.shape, 0.05, 0).astype(np.float32)
    found = FIND(ct.volume(grey, 0.05), resamples=200)
    rows = found.by_direction.set_index("direction")
    assert rows.fwhm_um["z"] == pytest.approx(4.0 * 0.05 * SD, rel=0.05)
    for name in ("y", "x", "radial"):
        # Stepped, not smooth: the digital cone adds a voxel's variance, 1 / 12.
        assert rows.fwhm_um[name] == pytest.approx(np.sqrt(4 + 1 / 12) * 0.05 * SD, rel=0.05)
    assert rows.facets["radial"] == rows.facets["y"] + rows.facets["x"]
    assert rows.facets["tangential"] == 0
    assert np.isnan(rows.fwhm_um["tangential"])
    lazy = FIND(ct.volume(grey, 0.05).chunk({"z": 30}), resamples=200)
    assert lazy.fwhm_um == pytest.approx(found.fwhm_um)


def test_the_surface_of_a_large_image_is_looked_for_in_blocks(monkeypatch):
    image = disc(0.25, noise=0.05)
    whole = FIND(image)
    monkeypatch.setattr("corrtomo.measure.resolution.edge_facets._SEARCHED", 1 << 13)  # 3 × 3 pixels a block
    found = FIND(image)
    assert found.fwhm_um == pytest.approx(0.25, rel=0.03)
    assert found.facets >= 0.8 * whole.facets
    thin = ct.volume(np.repeat(image.values[None], 1, axis=0), 0.05)
    with pytest.raises(ValueError, match="places of 1 µm"):
        FIND(thin)  # one slice of a volume has no room for a facet: a slice is y, x
    assert FIND(thin.isel(z=0)).fwhm_um == found.fwhm_um


def test_voxels_need_not_be_square_and_a_unit_is_a_unit():
    c, d = (np.arange(240) - 119.5) * 0.05, (np.arange(400) - 199.5) * 0.03
    grey = 0.5 + 0.5 * erf((5.0 - np.hypot(c[:, None], d)) / (0.25 / SD) / np.sqrt(2))
    assert FIND(ct.volume(grey, (0.05, 0.03))).fwhm_um == pytest.approx(0.25, rel=0.01)
    scaled = FIND(ct.volume(7 + 900 * disc(0.25).values, 5.0, origin=300.0))
    assert scaled.fwhm_um == pytest.approx(25, rel=0.005)
    assert scaled.contrast == pytest.approx(900, rel=0.01)


def test_lengths_of_whole_voxels_pass_whatever_rounding_made_of_them():
    fine = disc(0.25, voxel=0.05 / 3, n=480, radius=3.0)
    coarse = fine.coarsen(y=3, x=3).mean()
    for image in (coarse, coarse.assign_coords(y=coarse.y.astype(np.float32), x=coarse.x.astype(np.float32))):
        assert FIND(image, facet_um=0.3, reach_um=0.4).fwhm_um == pytest.approx(0.25, rel=0.02)
    with pytest.raises(ValueError, match=r"facet_um=0\.299: 6 voxels"):
        FIND(coarse, facet_um=0.299)


def test_a_slab_thinner_than_a_facet_says_so():
    image = disc(0.25)
    slab = ct.volume(np.repeat(image.values[None], 10, axis=0), 0.05)
    words = r"only 0\.5 µm thick along z: take more of it, a facet_um up to 0\.4, or one slice with .*z=0"
    with pytest.raises(ValueError, match=words):
        FIND(slab)
    assert FIND(slab, facet_um=0.4).fwhm_um == pytest.approx(0.25, rel=0.01)
    with pytest.raises(ValueError, match=r"thick along z: take more of it, or one slice"):
        FIND(slab[:4])


@settings(deadline=None, derandomize=True, max_examples=8)
@given(st.sampled_from(["turn", "flip", "transpose", "grey"]), st.integers(0, 5))
def test_turns_and_grey_scales_change_nothing_but_noise(change, seed):
    image = disc(0.25, noise=0.05, seed=seed)
    grey = {
        "turn": np.rot90(image.values), "flip": image.values[::-1],
        "transpose": image.values.T, "grey": image.values * 40 + 3,
    }[change]  # fmt: skip
    first, second = FIND(image, resamples=100), FIND(ct.volume(grey.copy(), 0.05), resamples=100)
    assert first.fwhm_um == pytest.approx(second.fwhm_um, rel=0.03)


def test_a_spread_that_is_no_gaussian_shows_in_the_derivative():
    c = (np.arange(240) - 119.5) * 0.05
    far = 5.0 - np.hypot(c[:, None], c)
    box = ct.volume(np.clip(far / 0.5 + 0.5, 0, 1), 0.05)
    assert FIND(box).fwhm_um == pytest.approx(0.78 * 0.5, rel=0.03)
    assert FIND(box, method="derivative").fwhm_um > 0.46
    spread = FIND(disc(0.3)).response
    assert np.trapezoid(spread.spread_per_um, spread.distance_um) == pytest.approx(1, abs=0.02)
    assert spread.edge.iloc[0] > 0.99 > 0.01 > spread.edge.iloc[-1]


def test_it_repeats_and_prints_itself():
    image = disc(0.25, noise=0.1)
    first, again, other = FIND(image), FIND(image), FIND(image, seed=1)
    assert (first.low_um, first.high_um) == (again.low_um, again.high_um)
    assert first.low_um != other.low_um
    assert repr(first).startswith("EdgeResolution(0.2")
    assert "left out: none" in repr(FIND(disc(0.25)))
    assert len(FIND(image, most=9, fewest=8).profiles) == 9


def plain(values=0.0, n=64):
    return ct.volume(np.full((n, n), float(values)), 0.05)


@pytest.mark.parametrize(
    ("image", "options", "error", "match"),
    [
        (np.zeros((9, 9)), {}, TypeError, "ndarray"),
        (None, {}, TypeError, "NoneType"),
        ("image.tif", {}, TypeError, "Cannot use a str"),
        (ct.volume(np.zeros(9), 0.05), {}, ValueError, "2D or 3D is needed"),
        (ct.volume([[1.0]], 0.05), {}, ValueError, "all grey values are alike"),
        (plain(3), {}, ValueError, "all grey values are alike, there is no edge"),
        (plain(np.nan), {}, ValueError, "NaN or infinite"),
        (plain() > 0, {}, TypeError, "of a mask"),
        (ct.volume(np.zeros((2, 9, 9)), 0.05, dims=("channel", "y", "x")), {}, ValueError, "channels"),
        (disc(0.25, n=40, radius=0.8), {}, ValueError, "places of 1 µm with .* lie on the convex outside"),
        (
            disc(0.25, n=80, radius=1.0),
            {"facet_um": 0.5, "fewest": 50},
            ValueError,
            "and 50 or more are needed",
        ),
        (disc(0.02), {}, ValueError, "narrower than a voxel.*at most 0.05 µm"),
        (disc(0.25), {"method": "guess"}, ValueError, "method 'guess'"),
        (disc(0.25), {"outer": "yes"}, TypeError, "outer='yes'"),
        (disc(0.25), {"facet_um": 0.1}, ValueError, "facet_um=0.1: 6 voxels"),
        (disc(0.25), {"reach_um": 0.1}, ValueError, "reach_um=0.1: 4 voxels"),
        (disc(0.25), {"reach_um": "far"}, TypeError, "reach_um 'far'"),
        (disc(0.25), {"fewest": 3}, ValueError, "fewest=3"),
        (disc(0.25), {"most": 3}, ValueError, "most=3"),
        (disc(0.25), {"resamples": 10}, ValueError, "resamples=10"),
        (disc(0.25), {"level": 1}, ValueError, "level 1"),
        (disc(0.25), {"seed": 0.5}, ValueError, "seed=0.5"),
        (disc(0.25).astype(str), {}, TypeError, "dtype <U"),
        (disc(0.25) + 1j, {}, TypeError, "dtype complex128"),
        (disc(0.25) + 1e9, {}, ValueError, r"differ by 1 around 1e\+09.*Subtract"),
        (disc(0.25) * 1e300, {}, ValueError, "up to 1e\\+300.*Divide"),
        (disc(0.25) * 1e-300, {}, ValueError, "up to 1e-300.*Divide"),
        (disc(0.25), {"fewest": 10**9}, ValueError, "fewest=1000000000 of most=200"),
    ],
)
def test_it_refuses(image, options, error, match):
    with pytest.raises(error, match=match):
        FIND(image, **options)


@pytest.mark.parametrize("outer", [True, False])
def test_noise_alone_has_no_edge(outer):
    noise = ct.volume(np.random.default_rng(0).normal(size=(200, 200)), 0.05)
    with pytest.raises(ValueError, match="Cannot measure the resolution at an edge: "):
        FIND(noise, outer=outer)
    with pytest.raises(ValueError, match="less than the noise of a voxel"):
        FIND(disc(0.25, noise=1.5), outer=outer)


def test_a_surface_bent_as_much_as_it_is_blurred_is_refused():
    image = disc(0.5, n=80, radius=0.7)
    with pytest.raises(ValueError, match="curved"):
        FIND(image, facet_um=0.3, reach_um=0.6)


def test_labels_are_refused_as_too_sharp():
    with pytest.raises(ValueError, match="grey values if these are labels"):
        FIND(ct.volume((disc(0.25).values > 0.5).astype(np.uint8), 0.05))


def test_saturated_grey_values_are_said():
    image = disc(0.25, noise=0.02)
    clipped = FIND(image.clip(0.3, 0.7))
    assert clipped.fwhm_um < 0.15, "the width that the warning is for"
    assert "the edge is cut off at the highest grey value" in clipped.warnings[0]
    assert "lowest" in clipped.warnings[1]
    assert "cut off" in repr(clipped)


@pytest.mark.parametrize("fwhm", [0.15, 0.25])
def test_air_at_zero_counts_and_no_noise_are_not_saturated(fwhm):
    noisy = disc(fwhm, noise=0.1)
    counts = ct.volume(np.random.default_rng(0).poisson(3 * disc(0.5).values.clip(0)), 0.05)
    bytes_ = ct.volume(np.rint(200 * disc(fwhm).values).astype(np.uint8), 0.05)
    for image in (disc(fwhm), noisy, noisy.clip(0), noisy.clip(0, 1), bytes_, counts):
        assert FIND(image).warnings == ()
