"""The FIB-SEM model: each effect alone against its closed form, and slices independent of the others."""

from dataclasses import replace

import numpy as np
import pytest

from corrtomo.simulate import FibsemModel, fibsem_tomography
from corrtomo.simulate.fibsem import drift

BARE = FibsemModel(
    curtain=(0.0, 0.0), shadow=(0.0, 0.0), shot=(0.0, 0.0), readout=(0.0, 0.0), drift_um=0.0
)  # fmt: skip
VOXEL = 0.1


@pytest.fixture(scope="module")
def ball(make_solids):
    return make_solids((8.0, 8.0, 8.0), (2.05, 2.05, 2.05))


def take(specimen, model, shape=(100, 100, 100), slices=None, seed=0, start=(3.0, 3.0, 3.0)):
    pose = np.eye(4)
    pose[:3, 3] = -np.array(start)
    return fibsem_tomography(
        specimen, VOXEL, shape=shape, slices=slices, pose=pose, model=model, seed=seed
    ).data.astype(float)


def test_pore_backs_fade_with_their_depth(ball):
    image = take(ball, BARE)
    # The ball's axis is at y = x = 50; its surface is met at z = 30.
    for channel in range(2):
        am, pore, length = BARE.grey_am[channel], BARE.grey_pore[channel], BARE.back_um[channel]
        rest = np.exp(-BARE.look_um / length)
        for depth in (1, 5, 12):
            wanted = pore + (am - pore) * (np.exp(-depth * VOXEL / length) - rest) / (1 - rest)
            assert image[channel, 30 - depth, 50, 50] == pytest.approx(wanted, abs=0.51)
        assert image[channel, 50, 50, 50] == am
        assert image[channel, 5, 50, 50] == pore  # the back is farther than the microscope looks
        assert image[channel, 75, 50, 50] == pore  # what is in front does not shine through


def test_the_in_lens_detector_sees_less_of_the_backs(ball):
    sesi, in_lens = take(ball, BARE)[:, 25, 50, 50]
    shares = [
        (grey - BARE.grey_pore[c]) / (BARE.grey_am[c] - BARE.grey_pore[c])
        for c, grey in enumerate((sesi, in_lens))
    ]
    assert shares[1] < 0.5 * shares[0]


def test_curtains_begin_below_active_material_and_fade(ball):
    model = replace(BARE, curtain=(0.3, 0.3), curtain_um=2.0)
    change = take(ball, model)[0] - take(ball, BARE)[0]
    section = change[50]
    assert np.abs(section[:68]).max() < 20  # only where the ball's lower flank has begun
    assert np.abs(section[30:49]).max() == 0  # the upper half casts none
    strength = np.abs(change[40:60, :, 35:65]).mean(axis=(0, 2))
    assert strength[72:76].mean() > 1.0
    assert strength[92:96].mean() == pytest.approx(strength[72:76].mean() * np.exp(-1.0), rel=0.35)


def test_curtains_are_vertical_streaks(cathode):
    model = replace(BARE, curtain=(0.1, 0.1))
    change = (take(cathode, model, slices=(50, 53)) - take(cathode, BARE, slices=(50, 53)))[0, 0]
    along, across = np.diff(change, axis=0).std(), np.diff(change, axis=1).std()
    assert across > 1.3 * along


def test_slices_follow_the_drift(ball):
    model = replace(BARE, drift_um=0.3, drift_slices=100.0)
    image, walk = take(ball, model, seed=5)[0], drift(100, VOXEL, model, 5)
    grid = np.arange(100)
    for k in range(36, 65, 4):
        bright = image[k] > 168  # pore backs are darker
        centre = [
            (bright.sum(axis=1) * grid).sum() / bright.sum(),
            (bright.sum(axis=0) * grid).sum() / bright.sum(),
        ]
        np.testing.assert_allclose(np.array(centre) - 50, walk[k], atol=0.4)  # voxels, of up to 5
    assert np.abs(walk).max() > 2


def test_drift_wanders_slowly_about_zero():
    model = FibsemModel()
    walks = np.concatenate([drift(500, 0.0336, model, seed) for seed in range(40)], axis=1)
    np.testing.assert_allclose(walks.mean(axis=0), 0.0, atol=1e-9)
    # Taking the mean of each walk away takes about two memory lengths in 500 slices of the variance away.
    wanted = model.drift_um / 0.0336 * np.sqrt(1 - 2 * model.drift_slices / 500)
    assert walks.std() == pytest.approx(wanted, rel=0.12)
    assert np.diff(walks, axis=0).std() < 0.25 * walks.std()


def test_noise_has_the_variance_of_shot_and_readout(make_solids):
    block = make_solids((8.0, 8.0, 8.0), (7.9, 7.9, 7.9))
    model = replace(BARE, shot=(0.5, 1.2), readout=(3.0, 4.0))
    image = take(block, model, shape=(20, 60, 60), start=(7.0, 5.0, 5.0))
    for channel in range(2):
        part = image[channel]
        assert part.mean() == pytest.approx(model.grey_am[channel], abs=0.2)
        # Rounding to whole grey values adds 1/12.
        wanted = model.shot[channel] * model.grey_am[channel] + model.readout[channel] ** 2 + 1 / 12
        assert part.var() == pytest.approx(wanted, rel=0.03)
    both = np.corrcoef(image[0].ravel(), image[1].ravel())[0, 1]
    assert abs(both) < 4 / np.sqrt(image[0].size)


def test_shadow_darkens_the_lower_end(ball):
    dark = take(ball, replace(BARE, shadow=(0.2, 0.0)), slices=(10, 11))
    assert dark[0, 0, 99, 0] == pytest.approx(BARE.grey_pore[0] * (1 - 0.2 * 0.99), abs=0.6)
    assert dark[0, 0, 0, 0] == BARE.grey_pore[0]
    assert (dark[1] == BARE.grey_pore[1]).all()


def test_a_part_of_the_slices_equals_that_part_of_the_whole(cathode):
    whole = fibsem_tomography(cathode, 0.08, shape=(60, 50, 40), seed=3)
    part = fibsem_tomography(cathode, 0.08, shape=(60, 50, 40), slices=(7, 19), seed=3)
    np.testing.assert_array_equal(part.data, whole.data[:, 7:19])
    np.testing.assert_allclose(part.z.values, whole.z.values[7:19])
    assert whole.dims == ("channel", "z", "y", "x")


def test_binder_is_textured_and_between_pore_and_active_material(cathode):
    image = fibsem_tomography(cathode, 0.05, shape=(6, 200, 200), model=BARE).data
    labels = cathode.labels(0.05, origin=0.0, shape=(6, 200, 200)).data
    means = [image[0][labels == phase].mean() for phase in range(3)]
    spread = [image[0][labels == phase].std() for phase in range(3)]
    assert means[0] < means[1] < means[2]
    assert spread[1] > 10


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"back_um": (0.5, 0.0)}, "back_um .* must be above zero"),
        ({"curtain": (-0.1, 0.0)}, "must not be negative"),
    ],
)
def test_a_model_that_cannot_be_is_refused(options, match):
    with pytest.raises(ValueError, match=match):
        FibsemModel(**options)


@pytest.mark.parametrize("slices", [(5, 5), (-1, 3), (0, 11)])
def test_slices_outside_the_volume_are_refused(cathode, slices):
    with pytest.raises(ValueError, match="and slices inside them are needed"):
        fibsem_tomography(cathode, 0.1, shape=(10, 10, 10), slices=slices)
