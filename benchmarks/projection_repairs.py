"""What comes before a reconstruction: rings and the axis of rotation of a made-up pillar, against algotom."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import xarray as xr
from numba import njit, prange
from scipy import ndimage

import corrtomo as ct

from .table import Row
from .timing import ours, theirs

_WIDTH_UM = 22.0
_FEWEST = 256  # columns: of fewer, a stripe is as wide as a particle
_NOISE = 0.03
_SORTED = 21  # columns of the median: algotom's default
_AXIS_UM = 0.37
DIMS = ("angle", "z", "x")


def rows(size: int) -> Iterator[Row | str]:
    columns = max(2 * size, _FEWEST)
    pixel = _WIDTH_UM / columns
    angles = np.arange(columns) * 360.0 / columns
    plain = pillar(angles, (max(8, size // 8), columns), pixel, centre_um=_AXIS_UM)
    rng = np.random.default_rng(3)
    noise = (_NOISE * rng.normal(size=plain.shape)).astype(np.float32)
    bad = stripes(plain.shape[1:])
    clean, striped = plain + noise, plain + noise + bad
    mine = ours(lambda: ct.reconstruct.remove_rings(striped, progress=False))
    harm = ct.reconstruct.remove_rings(clean, progress=False)
    errors = [("ours", rms(mine.result - clean), rms(harm - clean))]
    peer = theirs(lambda: np.array([_sorted(part) for part in _rows_of(striped)]))
    harmed = np.array([_sorted(part) for part in _rows_of(clean)])
    errors.append(("sorting", rms(peer.result - _rows_of(clean)), rms(harmed - _rows_of(clean))))
    assert errors[0][1] < min(0.7 * rms(bad), errors[1][1])
    yield Row("rings out of projections", size, mine, "SciPy, sorted (Vo et al. 2018)", peer)
    axis = ours(lambda: ct.reconstruct.centre_of_rotation(striped, angles, progress=False))
    half = columns // 2
    quick = ours(lambda: ct.reconstruct.centre_of_rotation(striped[:half], angles[:half], progress=False))
    found = [("full turn", axis.result.x_um), ("half turn", quick.result.x_um)]
    if find_spec("algotom") is None:
        yield "Left out, for algotom is not installed here: `make benchmark` has it."
    else:
        removal, calculation = (import_module(f"algotom.prep.{name}") for name in ("removal", "calculation"))
        peer = theirs(lambda: np.array([removal.remove_all_stripe(part) for part in _rows_of(striped)]))
        errors.append(("all of algotom's", rms(peer.result - _rows_of(clean)), np.nan))
        yield Row("rings out of projections", size, mine, "algotom, remove_all_stripe", peer)
        middle = striped.values[:half, len(striped.z) // 2].astype(np.float64)
        peer = theirs(lambda: calculation.find_center_vo(middle, ncore=2))
        found.append(("algotom", float(plain.x[0]) + peer.result * pixel))
        yield Row("axis, half a turn", size, quick, "algotom, find_center_vo, one row", peer)
    assert abs(axis.result.x_um - _AXIS_UM) < 0.5 * pixel
    yield (
        f"Stripes of {1e3 * rms(bad):.1f} (line integrals × 1000), {plain.shape[0]} projections. Left by "
        + "; ".join(
            f"{name} {1e3 * left:.1f}"
            + ("" if np.isnan(done) else f", harm where there are none {1e3 * done:.1f}")
            for name, left, done in errors
        )
    )
    yield "Axis, error in pixels: " + "; ".join(f"{n} {(x - _AXIS_UM) / pixel:+.2f}" for n, x in found)


def pillar(
    angles_deg: np.ndarray,
    shape: tuple[int, int],
    pixel_um: float,
    *,
    centre_um: float = 0.0,
    source_um: float | None = None,
    drift_um: np.ndarray | None = None,
    seed: int = 0,
    top: bool = False,
) -> xr.DataArray:
    """Return exact line integrals of balls in a cylinder; `drift_um` holds a shift along z and x a row."""
    z, x = ((np.arange(n) - (n - 1) / 2) * pixel_um for n in shape)
    radius = 0.41 * pixel_um * shape[1]
    balls = _balls(np.random.default_rng(seed), radius, float(z[-1]), top)
    shift = np.zeros((len(angles_deg), 2)) if drift_um is None else np.asarray(drift_um, float)
    sums = _line_integrals(
        np.deg2rad(np.asarray(angles_deg, float)), z, x - centre_um, shift, balls,
        0.0 if top else 0.01, radius, 0.0 if source_um is None else 1.0 / source_um,
    )  # fmt: skip
    return ct.volume(sums, pixel_um, origin=(z[0], x[0]), dims=DIMS)


def stripes(shape: tuple[int, int], seed: int = 1, *, strong: float = 0.03) -> np.ndarray:
    """Return what pixels of wrong gain add to all projections: 0.5 %, and some 0.5 to 3 %, 1 to 5 wide."""
    rng = np.random.default_rng(seed)
    out = 0.005 * rng.normal(size=shape)
    for row in out:
        for _ in range(shape[1] // 36):
            wide, first = rng.integers(1, 6), rng.integers(0, shape[1] - 5)
            row[first : first + wide] += rng.choice([-1, 1]) * rng.uniform(0.005, strong)
    return out.astype(np.float32)


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _balls(rng: np.random.Generator, radius: float, half: float, top: bool) -> np.ndarray:
    """Draw 40 balls (z, y, x, radius, attenuation) in a cylinder; with a top, none reaches the first rows."""
    found = []
    while len(found) < 40:
        r = rng.uniform(0.045, 0.28) * radius
        away, turn = rng.uniform(0, radius - r), rng.uniform(0, 2 * np.pi)
        z = rng.uniform(-0.5 * half + r if top else -half - r, half + r)
        found.append([z, away * np.sin(turn), away * np.cos(turn), r, rng.choice([0.05, 0.05, -0.01])])
    return np.array(found)


@njit(cache=True, parallel=True)
def _line_integrals(turns, z, x, shift, balls, shell, radius, bend):
    """Sum chords of balls, and of a cylinder about the axis; `bend` is 1 / distance of the source."""
    out = np.zeros((len(turns), len(z), len(x)), np.float32)
    for a in prange(len(turns)):
        cos, sin = np.cos(turns[a]), np.sin(turns[a])
        for k in range(len(z)):
            for i in range(len(x)):
                u, h = x[i] - shift[a, 1], z[k] - shift[a, 0]
                du, dz = u * bend, h * bend  # a step towards the axis plane, for one along w of −1
                length = np.sqrt(1.0 + du * du + dz * dz)
                total = 0.0
                for b in range(len(balls)):
                    pu = balls[b, 2] * cos + balls[b, 1] * sin - u
                    pw = balls[b, 1] * cos - balls[b, 2] * sin
                    pz = balls[b, 0] - h
                    along = (pu * du - pw + pz * dz) / length
                    inside = balls[b, 3] ** 2 - (pu * pu + pw * pw + pz * pz - along * along)
                    if inside > 0.0:
                        total += 2.0 * balls[b, 4] * np.sqrt(inside)
                flat = 1.0 + du * du
                inside = radius**2 - u * u / flat
                if inside > 0.0:
                    total += 2.0 * shell * np.sqrt(inside / flat) * length
                out[a, k, i] = total
    return out


def _rows_of(projections: xr.DataArray) -> np.ndarray:
    """Return sinograms, row by row."""
    return np.ascontiguousarray(projections.values.transpose(1, 0, 2))


def _sorted(sinogram: np.ndarray) -> np.ndarray:
    """Smooth along x what is sorted along the angle, and sort back."""
    order = np.argsort(sinogram, axis=0)
    smooth = ndimage.median_filter(np.take_along_axis(sinogram, order, 0), (1, _SORTED), mode="nearest")
    out = np.empty_like(smooth)
    np.put_along_axis(out, order, smooth, 0)
    return out
