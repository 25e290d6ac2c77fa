"""How sure κ is: a confidence interval from blocks of the volume."""

from __future__ import annotations

from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import njit, prange

from ..checks import check_spatial
from ..volume import voxel_size
from .agreement import codes_of, count_labels, kappa_from_confusion, kappas_of
from .histogram import CODES, as_codes

_FEWEST_BLOCKS = 8
_MOST_COUNTS = 1 << 27
_DRAWN = 1 << 23
"""Blocks that are drawn at a time: what is held while resampling."""


class Interval(NamedTuple):
    """A confidence interval, and how many blocks it rests on."""

    low: float
    high: float
    level: float
    blocks: int


def kappa_interval(
    a: xr.DataArray,
    b: xr.DataArray,
    block_um: float,
    *,
    ignore: int | None = None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Find a confidence interval of Cohen's κ by drawing blocks of the volume with replacement.

    Neighbouring voxels err together, so their number says nothing about certainty. Blocks wider than the
    features are nearly independent; drawing them anew shows how far κ would move in another volume of the
    same size.

    Parameters
    ----------
    a, b : xarray.DataArray
        Codes 0 to 255 or booleans, on one grid.
    block_um : float
        Edge length of a block in µm; wider than the grains.
    ignore : int, optional
        Code of voxels that are left out.
    level : float
        Confidence, between 0 and 1.
    resamples : int
        How many times blocks are drawn.
    seed : int
        The same seed gives the same interval.

    Returns
    -------
    Interval
        Low and high end, level, and number of blocks.

    Raises
    ------
    ValueError
        If there are fewer than 8 blocks, κ is undefined in a draw, or an option is out of range.

    Notes
    -----
    Percentile bootstrap: too narrow with few blocks, or with blocks narrower than the features. It speaks of
    other places in the same sample, imaged and registered as well; not of other samples. Blocks at the far
    border are cut by it.

    References
    ----------
    Künsch, Ann. Stat. 17, 1217 (1989), doi:10.1214/aos/1176347265.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> a = ct.volume(np.arange(64) % 2, 1.0)
    >>> ct.measure.kappa_interval(a, a, 4.0)
    Interval(low=1.0, high=1.0, level=0.95, blocks=16)
    """
    _check_options(block_um, level, resamples, seed)
    check_spatial(a, doing="cut blocks")
    table = count_labels(a, b)
    _, kappas, blocks = kappa_draws(
        a, b, table, block_um, ignore=ignore, resamples=resamples, seed=seed, doing="find an interval"
    )
    low, high = np.quantile(kappas, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level, blocks)


class KappaDraws(NamedTuple):
    """Cohen's κ, what it is in each draw of blocks, and how many blocks there are."""

    kappa: float
    draws: npt.NDArray[np.float64]
    blocks: int


def kappa_draws(
    a: xr.DataArray,
    b: xr.DataArray,
    table: npt.NDArray[np.int64],
    block_um: float,
    *,
    ignore: int | None,
    resamples: int,
    seed: int,
    doing: str,
) -> KappaDraws:
    """Draw blocks of two images with replacement; `table` is how often codes meet in the whole of them."""
    codes = codes_of(table, ignore)
    kappa = kappa_from_confusion(table[np.ix_(codes, codes)])
    counts = per_block(a, b, block_um, codes)
    counts = counts[counts.sum(axis=1) > 0]
    if len(counts) < _FEWEST_BLOCKS:
        raise ValueError(
            f"Cannot {doing} from {len(counts)} blocks of {block_um:g} µm: {_FEWEST_BLOCKS} or "
            "more are needed. Lower block_um, but keep it above the width of a grain, or use a larger "
            "volume."
        )
    kappas = resample(counts, len(codes), resamples, np.random.default_rng(seed))
    if np.isnan(kappas).any():
        raise ValueError(
            f"Cannot {doing}: {int(np.isnan(kappas).sum())} of {resamples} draws hold one class "
            "only, and kappa is undefined there. Every draw needs two. Raise block_um, or use a larger "
            "volume."
        )
    return KappaDraws(kappa, kappas, len(counts))


def per_block(
    a: xr.DataArray, b: xr.DataArray, block_um: float, codes: npt.NDArray[Any]
) -> npt.NDArray[np.int64]:
    """Return a flattened confusion matrix for each block."""
    sizes = voxel_size(a)
    if block_um < min(sizes) * (1 - 1e-6):
        raise ValueError(
            f"Cannot cut blocks of {block_um!r} µm: that is less than a voxel of {min(sizes):g} µm. Take "
            "about twice the width of a grain."
        )
    edges = [max(1, round(min(block_um / size, n))) for size, n in zip(sizes, a.shape, strict=True)]
    shape = (1,) * (3 - a.ndim) + a.shape
    edges = [1] * (3 - a.ndim) + edges
    first, second = (as_codes(np.asarray(image.data)).reshape(shape) for image in (a, b))
    blocks = tuple(-(-n // e) for n, e in zip(shape, edges, strict=True))
    if np.prod(blocks) * len(codes) ** 2 > _MOST_COUNTS:
        raise ValueError(
            f"Cannot cut {np.prod(blocks)} blocks of {block_um:g} µm with {len(codes)} classes each: "
            f"{_MOST_COUNTS} counts at most are held. Raise block_um: it should be wider than a grain."
        )
    place = np.full(CODES, -1, np.int64)
    place[codes] = np.arange(len(codes))
    counts = np.zeros((*blocks, len(codes), len(codes)), np.int64)
    _add_blocks(first, second, place, np.array(edges), counts)
    return counts.reshape(-1, len(codes) ** 2)


@njit(cache=True, parallel=True)
def _add_blocks(a: Any, b: Any, place: Any, edges: Any, counts: Any) -> None:
    for block in prange(counts.shape[0]):
        for z in range(block * edges[0], min(a.shape[0], (block + 1) * edges[0])):
            for y in range(a.shape[1]):
                for x in range(a.shape[2]):
                    i, j = place[a[z, y, x]], place[b[z, y, x]]
                    if i >= 0 and j >= 0:
                        counts[block, y // edges[1], x // edges[2], i, j] += 1


def resample(
    counts: npt.NDArray[np.int64], classes: int, resamples: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return κ of each draw of blocks with replacement, some draws at a time to bound the memory."""
    shares = np.full(len(counts), 1 / len(counts))
    batch = max(1, _DRAWN // len(counts))
    kappas = []
    for start in range(0, resamples, batch):
        draws = rng.multinomial(len(counts), shares, size=min(batch, resamples - start))
        kappas.append(kappas_of(draws.astype(float) @ counts, classes))
    return np.concatenate(kappas)


def _check_options(block_um: Any, level: Any, resamples: Any, seed: Any) -> None:
    numbers = all(isinstance(v, Real) and not isinstance(v, bool | np.bool_) for v in (block_um, level))
    whole = all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in (resamples, seed))
    if not (numbers and whole and seed >= 0):
        raise TypeError(
            f"Cannot find an interval with block_um={block_um!r}, level={level!r}, resamples={resamples!r}, "
            f"seed={seed!r}: numbers are needed, whole ones for resamples and seed, and a seed from 0. "
            "Pass for instance block_um=5.0."
        )
    if not (np.isfinite(block_um) and block_um > 0):
        raise ValueError(
            f"Cannot cut blocks of {block_um!r} µm: the edge length must be finite and above zero. "
            "Take about twice the width of a grain."
        )
    if not 0 < level < 1:
        raise ValueError(
            f"Cannot find an interval at level {level!r}: a share between 0 and 1 is needed. Pass 0.95 for "
            "95 %."
        )
    if resamples < 100:
        raise ValueError(
            f"Cannot find an interval from {resamples} draws: 100 or more are needed. The default is 1000."
        )
