"""Whether two channels are in the same places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import numpy as np
import xarray as xr
from skimage.filters import threshold_otsu

from ...checks import check_length, check_same_grid
from ...volume import check_image, voxel_size
from ..options import as_float, check_whole, is_flat
from ..spectra import check_level
from .blocks_of_counts import Sums, correlation_length, draw, numbered, scrambled, sums_of
from .costes import costes_thresholds
from .count_map import check_count_map, check_within

Thresholds = Literal["costes", "otsu"] | Sequence[float]
_DOING = "measure colocalisation"
_FEWEST_BLOCKS = 8
_FEW_COUNTS = 10.0
_BACKGROUND = 0.1
_PILED = 5.0
_BEYOND = 1.05
_WIDE = 3.0
"""Edge of a block over the length up to which counts are alike."""
_NUMBERS = ("pearson", "corrected", "m1", "m2")


@dataclass(frozen=True)
class Colocalisation:
    """How far two channels are in the same places, as :func:`colocalisation` finds it.

    Attributes
    ----------
    pearson, pearson_low, pearson_high : float
        Pearson's correlation of the counts as they are, and the ends of its interval.
    corrected, corrected_low, corrected_high : float
        The same without the noise of counting.
    m1, m1_low, m1_high, m2, m2_low, m2_high : float
        Manders' shares: of the counts of the first channel, those where the second is above its threshold,
        and the other way round.
    thresholds : tuple of float
        Counts a pixel above which a channel is taken to be there.
    threshold_method : str
        "costes", "otsu" or "given".
    p_value : float
        How often scrambled blocks of the second channel correlate as well (Costes).
    block_um : float
        Edge length of the blocks.
    blocks, pixels : int
        Number of blocks of the interval, and of pixels.
    level : float
        Confidence of the intervals.
    warnings : tuple of str
        Why the numbers may mislead.
    """

    pearson: float
    pearson_low: float
    pearson_high: float
    corrected: float
    corrected_low: float
    corrected_high: float
    m1: float
    m1_low: float
    m1_high: float
    m2: float
    m2_low: float
    m2_high: float
    thresholds: tuple[float, float]
    threshold_method: str
    p_value: float
    block_um: float
    blocks: int
    pixels: int
    level: float
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        said = "".join(f"\n  warning: {warning}" for warning in self.warnings)
        first, second = self.thresholds
        return (
            f"Colocalisation(Pearson {self.pearson:.3f} ({self.pearson_low:.3f} to {self.pearson_high:.3f}), "
            f"without noise {self.corrected:.3f} ({self.corrected_low:.3f} to {self.corrected_high:.3f}); "
            f"Manders M1 {self.m1:.3f}, M2 {self.m2:.3f} above {first:.3g} and {second:.3g} counts "
            f"({self.threshold_method}); p = {self.p_value:.3g} of scrambled blocks; {self.pixels} pixels in "
            f"{self.blocks} blocks of {self.block_um:.3g} µm{said})"
        )


def colocalisation(
    first: xr.DataArray,
    second: xr.DataArray,
    *,
    mask: xr.DataArray | None = None,
    thresholds: Thresholds = "costes",
    block_um: float | None = None,
    level: float = 0.95,
    resamples: int = 1000,
    randomisations: int = 199,
    seed: int = 0,
) -> Colocalisation:
    """Measure whether two channels of counts are in the same places: Pearson, Manders, Costes.

    The nanoCT paper lays lithium, aluminium and cobalt over each other in colour (Fig. 4) and reads from it
    where they are together: these are the numbers for that, with what makes them mislead.

    Parameters
    ----------
    first, second : xarray.DataArray
        Whole counts on one grid, dims y, x or z, y, x.
    mask : xarray.DataArray, optional
        Which pixels are looked at; by default all, background included.
    thresholds : {"costes", "otsu"} or two numbers
        Above how many counts a channel is there. "costes": along the line of regression down to where what
        lies below it is no more correlated.
    block_um : float, optional
        Edge of the blocks that are drawn and scrambled; by default three times the
        length over which the counts are alike.
    level : float
        Confidence of the intervals, between 0 and 1.
    resamples, randomisations, seed : int
        How often blocks are drawn for the intervals (100 or more) and scrambled for `p_value`; the same seed
        gives the same result.

    Returns
    -------
    Colocalisation
        Correlations and shares with their intervals, the thresholds, and warnings.

    Raises
    ------
    TypeError
        If counts are not integers, or an option is of the wrong kind.
    ValueError
        If sizes or grids differ, counts are negative, a channel is the same everywhere, or an option is out
        of range.

    Notes
    -----
    Poisson noise lowers Pearson's coefficient: a mean of one count a pixel hides most of a correlation.
    ``corrected`` takes the mean, which is the variance of the noise, from the variance of each channel; it is
    unsure, and may pass 1, where little variance is left, and NaN where none is. Background raises it: over
    empty pixels any two elements of a sample correlate. Pass a `mask`, for instance of the active material.
    One element's tail in another's mass, or a beam that is wider than the grains, looks as colocalisation.

    Neighbouring pixels are alike, so intervals come from blocks drawn with replacement (percentiles), and
    Costes' randomisation moves whole blocks of the second channel; of a mask those that lie in it by half or
    more. Blocks cut grains at their borders: at p = 0.05, 8 to 13 % of unrelated channels of square grains
    were taken for related. With a mask of one particle there are few blocks, and little can be said.
    Manders' shares count background as signal, and depend on the threshold more than on the sample: compare
    them at given ones.

    References
    ----------
    Manders et al., J. Microsc. 169, 375 (1993), doi:10.1111/j.1365-2818.1993.tb03313.x. Costes et al.,
    Biophys. J. 86, 3993 (2004), doi:10.1529/biophysj.103.038422. Adler and Parmryd, Cytometry A 77A, 733
    (2010), doi:10.1002/cyto.a.20896.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> rate = np.kron(np.random.default_rng(0).integers(1, 9, (16, 16)), np.ones((4, 4)))
    >>> lithium, cobalt = (ct.volume(np.random.default_rng(i).poisson(rate), 0.03) for i in (1, 2))
    >>> found = ct.measure.colocalisation(lithium, cobalt)
    >>> found.pearson < 0.6, found.corrected > 0.9, found.p_value
    (True, True, 0.005)
    """
    inside = _check(first, second, mask, block_um)
    check_level(level, doing=_DOING)
    resamples = check_whole(resamples, "resamples", 100, doing=_DOING, most=100_000)
    randomisations = check_whole(randomisations, "randomisations", 19, doing=_DOING, most=100_000)
    seed = check_whole(seed, "seed", 0, doing=_DOING)
    maps = [np.asarray(image.data).astype(np.float64) for image in (first, second)]
    a, b = (values[inside] for values in maps)
    for name, values in (("first", a), ("second", b)):
        if values.size < 2 or values.min() == values.max():
            raise ValueError(
                f"Cannot {_DOING}: the {name} channel is {values[0]:g} in every one of {values.size} pixels. "
                "Counts must differ. Check the mask, or choose another channel."
            )
    limits, method, warnings = _thresholds(a, b, thresholds)
    edges = voxel_size(first)
    block = float(block_um) if block_um is not None else _WIDE * correlation_length(maps, inside, edges)
    sizes = tuple(max(1, round(min(block / e, n))) for e, n in zip(edges, inside.shape, strict=True))
    per_block = sums_of(a, b, numbered(inside.shape, sizes)[inside], limits)
    blocks = int((per_block.pixels > 0).sum())
    whole = per_block.total()
    rng = np.random.default_rng(seed)
    ends = _intervals(draw(per_block, resamples, rng), float(level), blocks)
    p_value = scrambled(maps, inside, sizes, randomisations, rng, _FEWEST_BLOCKS)
    warnings += _warnings(whole, (a, b), mask is None, blocks, p_value, (first, second))
    numbers = {
        name + end: value
        for name, found, low_high in zip(_NUMBERS, whole.numbers(), ends, strict=True)
        for end, value in zip(("", "_low", "_high"), (float(found[0]), *low_high), strict=True)
    }
    return Colocalisation(
        **numbers,
        thresholds=limits,
        threshold_method=method,
        p_value=p_value,
        block_um=block,
        blocks=blocks,
        pixels=a.size,
        level=float(level),
        warnings=tuple(warnings),
    )


def _check(first: Any, second: Any, mask: Any, block_um: Any) -> Any:
    for image in (first, second):
        check_count_map(image, doing=_DOING)
        check_image(image, ndim=(2, 3))
    check_same_grid(first, second, doing=_DOING)
    if block_um is not None:
        check_length(block_um, "block_um", doing=_DOING)
    if mask is None:
        return np.ones(first.shape, bool)
    return check_within(first, mask, doing=_DOING)


def _thresholds(a: Any, b: Any, given: Any) -> tuple[tuple[float, float], str, list[str]]:
    if isinstance(given, str) and given == "otsu":
        return (float(threshold_otsu(a)), float(threshold_otsu(b))), "otsu", []
    if isinstance(given, str) and given == "costes":
        return costes_thresholds(a, b)
    if not is_flat(given) or len(given) != 2 or not all(map(_is_finite, given)):
        raise ValueError(
            f"Cannot {_DOING} with thresholds {given!r}: 'costes', 'otsu' or two finite counts are needed. "
            "Pass for instance thresholds=(2, 5)."
        )
    return (float(given[0]), float(given[1])), "given", []


def _is_finite(value: Any) -> bool:
    number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    return number and bool(np.isfinite(as_float(value)))


def _intervals(drawn: Sums, level: float, blocks: int) -> list[tuple[float, float]]:
    """Return the ends for each number; NaN where there are too few blocks, or one is not known in a draw."""
    ends = []
    for values in drawn.numbers():
        known = blocks >= _FEWEST_BLOCKS and not np.isnan(values).any()
        low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2]) if known else (np.nan,) * 2
        ends.append((float(low), float(high)))
    return ends


def _warnings(
    whole: Sums, counts: tuple[Any, Any], all_pixels: bool, blocks: int, p_value: float, images: Any
) -> list[str]:
    said = []
    means = [float(values.mean()) for values in counts]
    pearson, corrected = (float(values[0]) for values in whole.numbers()[:2])
    if min(means) < _FEW_COUNTS:
        said.append(
            f"few counts ({means[0]:.2g} and {means[1]:.2g} a pixel): noise lowers Pearson to {pearson:.2f}, "
            f"it is {corrected:.2f} without"
        )
    if np.isnan(corrected):
        said.append("a channel scatters no more than noise: Pearson without noise is not known")
    elif abs(corrected) > _BEYOND:
        said.append("Pearson without noise is beyond 1: too little variance is left")
    empty = float(((counts[0] == 0) & (counts[1] == 0)).mean())
    if all_pixels and empty > _BACKGROUND:
        said.append(f"no mask: {empty:.0%} of the pixels are empty in both channels, which raises Pearson")
    for name, values, image in zip(("first", "second"), counts, images, strict=True):
        top = values.max()
        piled, before = int((values == top).sum()), int((values == top - 1).sum())
        if top == np.iinfo(image.dtype).max or (piled > 10 and piled > _PILED * max(before, 1)):
            said.append(f"the {name} channel is saturated: {piled} pixels have {top:g} counts, the most")
    if blocks < _FEWEST_BLOCKS:
        said.append(f"{blocks} blocks are too few for an interval: {_FEWEST_BLOCKS} are needed")
    if np.isnan(p_value):
        said.append("too few whole blocks lie in the mask to be scrambled")
    return said
