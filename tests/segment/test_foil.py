"""The thickness of slabs that are known, what grows on them, and noise with nothing on it."""

import numpy as np
import pytest
import xarray as xr
from scipy import ndimage, special, stats

import corrtomo as ct
from corrtomo.segment.foil.outgrowths import _stripes

THICK = 12.3
OFF = 0.37
"""Not on the grid of voxels of 1 µm, nor in its middle."""


def slab(deg=0.0, *, shape=(40, 110, 130), noise=0.1, seed=0, ball=0.0, side=1, low=(500.0, 500.0), bend=0.0):
    """A slab turned about z, grey values 1500 in it; a half ball of a radius on a face of it."""
    turn = np.radians(deg)
    lengths = shape if abs(np.sin(turn)) < 0.8 else (shape[0], shape[2], shape[1])
    at = [np.arange(n) - (n - 1) / 2 for n in lengths]
    z, y, x = np.meshgrid(*at, indexing="ij")
    along = np.sin(turn) * y + np.cos(turn) * x
    off = np.cos(turn) * y - np.sin(turn) * x - OFF - bend * along**2
    share = special.ndtr((THICK / 2 - np.abs(off)) / 0.8)
    if ball:
        away = np.sqrt(z**2 + (along - 5) ** 2 + (side * off - THICK / 2) ** 2)
        grown = ((side * off > 0) & (away < ball)).astype(float)
        share = np.maximum(share, ndimage.gaussian_filter(grown, 0.8, mode="nearest"))
    beside = np.where(off < 0, *low)
    grey = beside + (1500 - beside) * share
    grey += 1000 * noise * np.random.default_rng(seed).standard_normal(grey.shape)
    return ct.volume(grey.astype(np.float32), 1.0, origin=[float(a[0]) for a in at])


@pytest.mark.parametrize("deg", [0, 10, 45, 80, 90, 135])
def test_a_slab_is_as_thick_as_it_is_however_it_is_turned(deg):
    found = ct.segment.foil(slab(deg))
    thick = found.thickness_um.to_numpy()
    assert np.nanmean(thick) == pytest.approx(THICK, rel=0.01)
    inner = found.thickness_um.sel(along=slice(-30, 30)).to_numpy()
    assert np.nanmean(inner) == pytest.approx(THICK, rel=0.003)
    assert np.abs(inner - THICK).max() < 0.2 * THICK
    true = np.array([np.cos(np.radians(deg)), -np.sin(np.radians(deg))])
    assert abs(true @ found.attrs["normal"]) == pytest.approx(1, abs=1e-5)
    assert np.dot(found.attrs["normal"], found.attrs["direction"]) == pytest.approx(0, abs=1e-12)
    assert found.attrs["contrast"] == pytest.approx(1000, rel=0.02)
    middle = float(found.middle_um.median()) * np.sign(true @ found.attrs["normal"])
    assert middle == pytest.approx(OFF, abs=0.05)
    assert found.face_um.sum("face").values == pytest.approx(thick, rel=1e-4, nan_ok=True)


def test_what_lies_beside_may_differ_on_both_sides_and_rise():
    image = slab(10, low=(200.0, 700.0))
    away = np.hypot(image.y, image.x)
    risen = image * (1 + 0.15 * (away / away.max()) ** 2).astype(np.float32)
    assert float(ct.segment.foil(risen, threshold=1100.0).thickness_um.mean()) == pytest.approx(
        THICK, rel=0.02
    )


def test_cells_average_voxels_and_keep_the_grid():
    image = slab(10, shape=(42, 80, 130))
    fine, coarse = ct.segment.foil(image), ct.segment.foil(image, cell_um=4.0)
    assert coarse.attrs["cell_um"] == [4.0, 4.0]
    assert coarse.sizes["z"] == 10
    assert (np.mod(coarse.along, 4) == 0).all()
    assert float(coarse.z[0]) == pytest.approx(float(image.z[:4].mean()))
    assert float(coarse.thickness_um.mean()) == pytest.approx(float(fine.thickness_um.mean()), rel=2e-3)
    assert float(coarse.thickness_um.std()) < 0.5 * float(fine.thickness_um.std())


def test_a_slightly_bent_foil_is_followed():
    found = ct.segment.foil(slab(0, bend=5e-4))
    assert float(found.thickness_um.mean()) == pytest.approx(THICK, rel=0.01)
    assert float(found.middle_um.max() - found.middle_um.min()) == pytest.approx(5e-4 * 64.5**2, rel=0.05)


def test_zero_and_one_are_grey_values_and_dask_is_taken():
    labels = (slab(20, noise=0.0) > 1000).astype(np.float32).chunk()
    assert float(ct.segment.foil(labels).thickness_um.mean()) == pytest.approx(THICK, rel=0.01)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("deg", [0, 10, 45, 80])
def test_half_a_ball_is_found_with_its_height_volume_and_place(deg, side):
    found = ct.segment.foil(slab(deg, shape=(60, 110, 130), ball=20.0, side=side))
    table = ct.segment.foil_outgrowths(found, false_alarms=0.01)
    assert len(table) == 1
    one = table.iloc[0]
    assert one.height_um == pytest.approx(20, rel=0.03)
    assert one.volume_um3 == pytest.approx(2 / 3 * np.pi * 20**3, rel=0.02)
    turn = np.radians(deg)
    normal, direction = np.array([np.cos(turn), -np.sin(turn)]), np.array([np.sin(turn), np.cos(turn)])
    foot = 5 * direction + (OFF + side * THICK / 2) * normal
    assert [one.z_um, one.y_um, one.x_um] == pytest.approx([0, *foot], abs=0.5)
    assert one.side == side * np.sign(normal @ found.attrs["normal"])


@pytest.fixture(scope="module")
def plain_maps():
    return [ct.segment.foil(slab(10, shape=(40, 60, 200), seed=seed)) for seed in range(24)]


@pytest.mark.parametrize(
    ("allowed", "spread_um"), [(1.0, None), (1.0, 0.7), (1.0, 2.0), (4.0, None), (0.1, None)]
)
def test_noise_alone_gives_as_many_places_as_are_allowed(plain_maps, allowed, spread_um):
    tables = [ct.segment.foil_outgrowths(m, false_alarms=allowed, spread_um=spread_um) for m in plain_maps]
    low, high = stats.poisson.interval(0.999, allowed * len(tables))
    assert low <= sum(len(table) for table in tables) <= high


STRIPES = {
    "waves": lambda along: np.sin(2 * np.pi * along / 20),
    "long waves": lambda along: np.sin(2 * np.pi * along / 60),
    "bands": lambda along: 2.0 * (along // 6 % 2) - 1,
    "one band": lambda along: 2.0 * (along // 6 == 25),
}


def striped(seed, kind, stripe=3.0, shape=(80, 300)):
    """A map with noise, and stripes along it `stripe` times as high as the noise once it is averaged."""
    white = np.random.default_rng(seed).standard_normal(shape)
    averaged = ndimage.gaussian_filter(white, 1.0).std()
    at = {"z": np.arange(shape[0]) * 1.0, "along": np.arange(shape[1]) * 1.0, "face": [-1, 1]}
    thick = 12 + 0.1 * (white + stripe * averaged * STRIPES[kind](at["along"]))
    values = {
        "thickness_um": (("z", "along"), thick.astype(np.float32)),
        "face_um": (("face", "z", "along"), np.stack([thick / 2] * 2).astype(np.float32)),
        "middle_um": (("z", "along"), np.zeros(shape, np.float32)),
    }
    way = {"normal": [1.0, 0.0], "direction": [0.0, 1.0], "cell_um": [1.0, 1.0]}
    return xr.Dataset(values, at, way)


@pytest.mark.parametrize("kind", STRIPES)
def test_what_a_column_has_at_all_heights_is_usual(kind):
    """Stripes that count as noise would hide what noise alone gives; no stripe may be found itself."""
    tables = [ct.segment.foil_outgrowths(striped(seed, kind), false_alarms=1.0) for seed in range(12)]
    low, high = stats.poisson.interval(0.999, len(tables))
    assert low <= sum(len(table) for table in tables) <= high


@pytest.mark.parametrize("stripe", [0.0, 0.5, 1.0, 20.0])
def test_the_level_of_a_column_is_shrunk_by_its_noise(stripe):
    """James and Stein: of signal s² and noise n² s² / (s² + n²) is kept, and all of what is far above."""
    rng = np.random.default_rng(0)
    height = stripe / np.sqrt(80) * rng.standard_normal(4000)
    flat = rng.standard_normal((80, 4000)) + height
    found = _stripes(flat.astype(np.float32), np.zeros(flat.shape, bool))
    share = float((found * flat.mean(axis=0)).sum() / (flat.mean(axis=0) ** 2).sum())
    assert share == pytest.approx(stripe**2 / (stripe**2 + 1), abs=0.08)


@pytest.mark.parametrize("stripe", [3.0, 10.0, 100.0])
def test_one_stripe_however_high_is_no_outgrowth(stripe):
    """All of its columns seem to have grown: no other place tells their level."""
    for seed in range(6):
        table = ct.segment.foil_outgrowths(striped(seed, "one band", stripe), false_alarms=0.01)
        assert not table.along_um.between(148, 158).any()


def test_an_outgrowth_that_fills_a_fifth_of_the_map_brings_no_false_alarms():
    tables = [
        ct.segment.foil_outgrowths(
            ct.segment.foil(slab(10, shape=(48, 90, 130), ball=20.0, seed=seed)), false_alarms=1.0
        )
        for seed in range(12)
    ]
    assert all(table.height_um.iloc[0] > 18 for table in tables)
    low, high = stats.poisson.interval(0.999, len(tables))
    assert low <= sum(len(table) - 1 for table in tables) <= high


def test_a_map_with_nothing_in_it_gives_an_empty_table():
    found = ct.segment.foil(slab(noise=0.0, shape=(20, 60, 80)))
    found["thickness_um"][:] = 12.0
    table = ct.segment.foil_outgrowths(found)
    assert len(table) == 0
    assert {"z_um", "y_um", "x_um", "side", "height_um", "volume_um3", "score"} <= set(table)


def noise(shape=(20, 60, 60)):
    return ct.volume(np.random.default_rng(0).normal(size=shape).astype(np.float32), 1.0)


def globe():
    z, y, x = np.mgrid[-20:21, -30:31, -30:31]
    return ct.volume((z**2 + y**2 + x**2 < 200) * 100.0, 1.0)


def lying():
    """A foil across z."""
    return ct.volume(slab(shape=(60, 40, 60)).transpose("y", "z", "x").values, 1.0)


@pytest.mark.parametrize(
    ("image", "error", "words"),
    [
        (np.zeros((20, 40, 40)), TypeError, "ct.volume"),
        (ct.volume(np.zeros((40, 40)), 1.0), ValueError, "3D"),
        (ct.volume(np.zeros((20, 40, 40)), 1.0), ValueError, "parts metal"),
        (slab(shape=(20, 40, 60)).where(lambda image: image.x > 0), ValueError, "NaN"),
        (ct.volume(np.zeros((2, 20, 40, 40)), 1.0, dims=("channel", "z", "y", "x")), ValueError, "channel"),
        (ct.volume(np.eye(8)[None] * np.ones((8, 1, 1)), 1.0), ValueError, "larger crop"),
        (ct.volume(np.ones((20, 40, 40)), [1.0, 1.0, 2.0]), ValueError, "square"),
        (noise(), ValueError, "fills|spreads|scatter"),
        (globe(), ValueError, "spreads"),
        (slab(bend=2e-3), ValueError, "bent"),
        (
            lying(),
            ValueError,
            "fills|upright",
        ),
        (slab(shape=(30, 16, 100)).isel(y=slice(0, 16)), ValueError, "beside"),
        (3000 - slab(), ValueError, "Cannot map a foil"),
    ],
    ids=range(13),
)
def test_what_holds_no_foil_is_refused(image, error, words):
    with pytest.raises(error, match=words):
        ct.segment.foil(image)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"cell_um": 0.5}, ValueError),
        ({"cell_um": 1e3}, ValueError),
        ({"cell_um": "4"}, TypeError),
        ({"cell_um": float("nan")}, ValueError),
        ({"threshold": 1e9}, ValueError),
        ({"threshold": True}, TypeError),
    ],
)
def test_options_of_the_map_that_are_none_are_refused(options, error):
    with pytest.raises(error, match="Cannot map a foil"):
        ct.segment.foil(slab(shape=(20, 60, 80)), **options)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"false_alarms": 0}, ValueError),
        ({"false_alarms": "1"}, TypeError),
        ({"spread_um": 0.1}, ValueError),
        ({"spread_um": -1.0}, ValueError),
        ({"smooth_um": 1.0}, ValueError),
        ({"smooth_um": None, "spread_um": float("inf")}, ValueError),
    ],
)
def test_options_of_the_search_that_are_none_are_refused(plain_maps, options, error):
    with pytest.raises(error, match="Cannot find outgrowths of a foil"):
        ct.segment.foil_outgrowths(plain_maps[0], **options)


def test_what_is_no_map_is_refused(plain_maps):
    found = plain_maps[0]
    with pytest.raises(TypeError, match="ct.segment.foil"):
        ct.segment.foil_outgrowths(found.thickness_um)
    with pytest.raises(ValueError, match="face_um"):
        ct.segment.foil_outgrowths(found.drop_vars("face_um"))
    with pytest.raises(ValueError, match="cells"):
        ct.segment.foil_outgrowths(found.isel(along=slice(0, 5)))
    with pytest.raises(ValueError, match="cells"):
        ct.segment.foil_outgrowths(found.where(found.thickness_um < 0))
