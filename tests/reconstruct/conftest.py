"""A made-up slice-and-view stack whose drift and thickness are known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import ndimage
from scipy.special import expit

import corrtomo as ct

PIXEL, STEP = 0.025, 0.05
TILT = 36.0
SPOT_UM = 0.3
COATING_UM = (0.6, 1.8)  # true µm along y
MARKS = pd.DataFrame(
    {"y_um": 1.2, "x_um": [0.8, 2.6, 3.4, 5.2], "slope": [0.0, -0.5, 0.5, 0.0]}
)  # true µm, in the first image


@dataclass(frozen=True)
class Recorded:
    """A stack, the marks in the coordinates of its first image, and where its slices truly lie."""

    stack: xr.DataArray
    marks: pd.DataFrame
    truth: pd.DataFrame


def walk(slices, seed, *, up=0.0, sideways=0.0, spread=0.4, thickness=0.15):
    """Drift in pixels and depth in slices: uneven steps, and a trend upwards and sideways."""
    rng = np.random.default_rng(seed)
    drift = np.cumsum(rng.normal((-up, sideways), spread, (slices, 2)), axis=0)
    drift -= drift[0]
    steps = np.clip(rng.normal(1.0, thickness, slices - 1), 0.4, 1.6)
    return drift, np.concatenate([[0.0], np.cumsum(steps)])


def structure(depth, seed):
    """A periodic grey texture, 3D, in voxels of 50 nm: interpolated where it is asked for."""
    field = np.random.default_rng(seed).normal(size=(64, 64, 64))
    field = ndimage.gaussian_filter(field, 2.5, mode="wrap")
    return 110 + 45 * field / field.std()


def record(
    slices=30,
    shape=(160, 240),
    *,
    seed=0,
    noise=0.0,
    drift=None,
    depth=None,
    marks=MARKS,
    texture=None,
):
    """Record a texture under a coating with marks; drift in screen pixels, depth in nominal slices."""
    rng = np.random.default_rng([seed, 1])
    given_drift, given_depth = walk(slices, seed)
    drift = given_drift if drift is None else np.asarray(drift, float)
    depth = given_depth if depth is None else np.asarray(depth, float)
    texture = structure(depth, seed) if texture is None else texture
    cosine = np.cos(np.deg2rad(TILT))
    images = []
    for k in range(slices):
        y = (np.arange(shape[0]) - drift[k, 0])[:, None] * PIXEL / cosine
        x = (np.arange(shape[1]) - drift[k, 1])[None] * PIXEL
        images.append(section(texture, depth[k] * STEP, y, x, marks))
    images = np.array(images) + noise * rng.normal(size=(slices, *shape))
    stack = ct.volume(np.rint(images).clip(0, 255).astype(np.uint8), (STEP, PIXEL, PIXEL))
    truth = pd.DataFrame({"z_um": depth * STEP, "y_um": drift[:, 0] * PIXEL, "x_um": drift[:, 1] * PIXEL})
    on_screen = marks.assign(y_um=marks.y_um * cosine)
    return Recorded(stack, on_screen, truth)


def section(texture, z, y, x, marks):
    """Grey values at true positions: vacuum, bright coating with dark spots, texture below."""
    shape = np.broadcast_shapes(y.shape, x.shape)
    where = [np.broadcast_to(part / STEP, shape) for part in (np.full((1, 1), z), y, x)]
    grey = ndimage.map_coordinates(texture, where, order=1, mode="grid-wrap")
    soft = 0.02
    coating = 220.0 + 0 * x
    for mark in marks.itertuples():
        off = np.hypot(y - mark.y_um, x - mark.x_um - mark.slope * z)
        coating = coating - 160.0 * expit((SPOT_UM / 2 - off) / soft)
    top, bottom = (expit((y - edge) / soft) for edge in COATING_UM)
    return 15 * (1 - top) + coating * top * (1 - bottom) + grey * bottom


@pytest.fixture(scope="session")
def clean():
    return record()


@pytest.fixture(scope="session")
def noisy():
    return record(noise=20.0, seed=1)
