"""Sums over blocks of two maps of counts: what correlations are drawn and scrambled from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import fft

Floats = npt.NDArray[np.float64]
_DRAWN = 1 << 22
_ALIKE = 4.0


class Sums(NamedTuple):
    """Sums over the pixels of each block, or of each draw of blocks."""

    pixels: Floats
    a: Floats
    b: Floats
    aa: Floats
    bb: Floats
    ab: Floats
    a_shared: Floats
    b_shared: Floats

    def total(self) -> Sums:
        """Return the sums over all blocks, as one draw."""
        return Sums(*(part.sum(keepdims=True) for part in self))

    def numbers(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Return Pearson's coefficient, the same without noise, and both shares of Manders."""
        mean_a, mean_b = self.a / self.pixels, self.b / self.pixels
        var_a = self.aa / self.pixels - mean_a**2
        var_b = self.bb / self.pixels - mean_b**2
        covariance = self.ab / self.pixels - mean_a * mean_b
        # The variance of a Poisson count is its mean.
        quiet = [np.where(v > m, v - m, np.nan) for v, m in ((var_a, mean_a), (var_b, mean_b))]
        with np.errstate(divide="ignore", invalid="ignore"):  # NaN where a draw has one value only
            return (
                covariance / np.sqrt(var_a * var_b),
                covariance / np.sqrt(quiet[0] * quiet[1]),
                self.a_shared / self.a,
                self.b_shared / self.b,
            )


def numbered(shape: tuple[int, ...], sizes: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Return the number of the block in which each pixel lies; blocks at the far border are cut."""
    out = np.zeros(shape, np.int64)
    for axis, (n, size) in enumerate(zip(shape, sizes, strict=True)):
        place = (np.arange(n) // size).reshape([-1 if i == axis else 1 for i in range(len(shape))])
        out = out * -(-n // size) + place
    return out


def sums_of(a: Floats, b: Floats, blocks: npt.NDArray[np.int64], limits: tuple[float, float]) -> Sums:
    """Sum over the blocks that occur; shares are NaN where a threshold is not known."""
    _, which = np.unique(blocks, return_inverse=True)
    shared = np.where(b > limits[1], a, 0.0), np.where(a > limits[0], b, 0.0)
    if np.isnan(limits).any():
        shared = np.full(a.shape, np.nan), np.full(b.shape, np.nan)
    parts = (np.ones(a.shape), a, b, a * a, b * b, a * b, *shared)
    return Sums(*(np.bincount(which, part).astype(float) for part in parts))


def draw(per_block: Sums, resamples: int, rng: np.random.Generator) -> Sums:
    """Return the sums of draws of blocks with replacement."""
    blocks = per_block.pixels.size
    table = np.stack(per_block, axis=1)
    batch = max(1, _DRAWN // blocks)
    drawn = [
        rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=min(batch, resamples - start)) @ table
        for start in range(0, resamples, batch)
    ]
    return Sums(*np.concatenate(drawn).T)


def correlation_length(maps: list[Floats], inside: npt.NDArray[np.bool_], edges: tuple[float, ...]) -> float:
    """Return the distance in µm over which the counts of the smoother map stay alike, to 1 / e.

    Noise is not alike from pixel to pixel: the correlation of neighbours is where the fall begins.
    """
    shape = [fft.next_fast_len(2 * n, real=True) for n in inside.shape]
    pairs = _products(inside.astype(np.float64), shape)
    steps = [np.minimum(np.arange(s), s - np.arange(s)) * e for s, e in zip(shape, edges, strict=True)]
    far = np.sqrt(sum(np.square(g) for g in np.meshgrid(*steps, indexing="ij", sparse=True)))
    ring = np.rint(far / min(edges)).astype(np.int64)[..., : shape[-1] // 2 + 1]
    longest = min(edges)
    for values in maps:
        apart = np.where(inside, values - values[inside].mean(), 0.0)
        found = _products(apart, shape)[..., : shape[-1] // 2 + 1]
        count = np.bincount(ring.ravel(), np.maximum(pairs[..., : shape[-1] // 2 + 1], 0).ravel())
        alike = np.bincount(ring.ravel(), found.ravel()) / np.maximum(count, 0.5)
        # In noise alone neighbours are alike by one over the root of their number.
        if alike.size > 2 and alike[1] > _ALIKE * alike[0] / np.sqrt(values[inside].size):
            under = np.flatnonzero(alike[1:] < alike[1] / np.e)
            reach = int(under[0]) + 1 if under.size else alike.size
            longest = max(longest, reach * min(edges))
    return float(min(longest, max(n * e for n, e in zip(inside.shape, edges, strict=True))))


def scrambled(
    maps: list[Floats],
    inside: npt.NDArray[np.bool_],
    sizes: tuple[int, ...],
    randomisations: int,
    rng: np.random.Generator,
    fewest: int,
) -> float:
    """Return how often the second map, its blocks in another order, correlates at least as well.

    Whole blocks take part that lie in the mask by half or more, and pixels that do before and after.
    """
    a, b, mask = (_cut(values, sizes) for values in (*maps, inside))
    kept = mask.mean(axis=1) >= 0.5
    a, b, mask = a[kept], b[kept], mask[kept]
    if len(a) < fewest:
        return float("nan")
    observed = _pearson(a, b, mask)
    higher = 0
    for _ in range(randomisations):
        order = rng.permutation(len(a))
        higher += _pearson(a, b[order], mask & mask[order]) >= observed
    return (1 + higher) / (1 + randomisations)


def _products(values: Floats, shape: list[int]) -> Floats:
    spectrum = fft.rfftn(values, s=shape)
    return np.asarray(fft.irfftn((spectrum * spectrum.conj()).real, s=shape))


def _cut(values: npt.NDArray[Any], sizes: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return whole blocks, one a row."""
    whole = tuple(slice(0, n // size * size) for n, size in zip(values.shape, sizes, strict=True))
    split = [part for n, size in zip(values.shape, sizes, strict=True) for part in (n // size, size)]
    order = [*range(0, len(split), 2), *range(1, len(split), 2)]
    return values[whole].reshape(split).transpose(order).reshape(-1, int(np.prod(sizes)))


def _pearson(a: Floats, b: Floats, mask: npt.NDArray[np.bool_]) -> float:
    first, second = a[mask], b[mask]
    if first.size < 2 or not (np.ptp(first) and np.ptp(second)):
        return -1.0  # no correlation to be had: no evidence against chance
    return float(np.corrcoef(first, second)[0, 1])
