"""A made-up cross-section of five classes in two channels, and scribbles on it."""

import numpy as np
from scipy import ndimage

import corrtomo as ct

CLASSES = ("current collector", "active material", "binder", "platinum edge", "platinum depth")
MERGE = {"platinum edge": "pore", "platinum depth": "pore"}
GREY = {"CBS": (120, 170, 60, 230, 30), "TLD": (90, 150, 110, 200, 140)}
PIXEL = 0.02


def section(shape=(150, 170), *, seed=0, channels=("CBS", "TLD"), pixel=PIXEL, noise=12.0):
    """Return an image and its true codes, smooth patches of the five classes."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=shape), 4, mode="wrap")
    truth = np.digitize(field, np.quantile(field, (0.15, 0.45, 0.65, 0.85))).astype(np.uint8)
    greys = [rng.normal(np.take(GREY[name], truth), noise).clip(0, 255).astype(np.uint8) for name in channels]
    dims = ("channel", *"zyx"[-len(shape) :])
    image = ct.volume(np.stack(greys), pixel, dims=dims).assign_coords(channel=list(channels))
    return image, ct.volume(truth, pixel)


def scribbled(truth, *, count=40, seed=1):
    """Paint some voxels of each class."""
    rng = np.random.default_rng(seed)
    painted = np.full(truth.size, 255, np.uint8)
    for code in range(len(CLASSES)):
        here = np.nonzero(truth.values.ravel() == code)[0]
        painted[rng.choice(here, min(count, len(here)), replace=False)] = code
    return ct.volume(painted.reshape(truth.shape), ct.voxel_size(truth))
