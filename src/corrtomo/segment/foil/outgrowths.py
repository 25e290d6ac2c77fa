"""What grows out of a foil whose thickness has been mapped."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy import ndimage

from ..excess import (
    GUARD,
    Excess,
    check_alarms,
    check_within,
    energy_of,
    foot_of,
    spread_of,
    threshold_of,
    usual,
)

Floats = npt.NDArray[np.float64]
Flat = npt.NDArray[np.float32]

_DOING = "find outgrowths of a foil"
_COLUMNS = ["z_um", "y_um", "x_um", "along_um", "side", "height_um", "volume_um3", "score"]
_FINEST = 0.7
_LOWER = 0.158655
_CLEAR = 5.0
_ROWS = 8
"""So many rows of either half of a map tell what a column has at all heights."""
_LOWEST = 0.2


def foil_outgrowths(
    foil: xr.Dataset,
    *,
    false_alarms: float = 1.0,
    spread_um: float | None = None,
    smooth_um: float | None = None,
) -> pd.DataFrame:
    """Find what grows out of a foil in a detail: places that are thicker than usual.

    The counterpart of :func:`outgrowths` for a detail, in which one foil is many voxels thick (paper, section
    "Non-destructive detection of defects").

    Parameters
    ----------
    foil : xarray.Dataset
        From :func:`foil`.
    false_alarms : float
        How many may be found in the whole map where there are none, above 0: from this follows the threshold
        of the score.
    spread_um : float, optional
        Standard deviation in µm of the Gaussian over which thickness is averaged, 0.7 cells at least; by
        default a cell.
    smooth_um : float, optional
        Length along the foil in µm that is longer than twice an outgrowth; by default two thirds of the map.

    Returns
    -------
    pandas.DataFrame
        A row for each, the highest score first: ``z_um``, ``y_um``, ``x_um``, its foot on the face of the
        foil; ``along_um``, its place in the map; ``side``, 1 where the normal points to and -1 on the other
        face; ``height_um``, by how much the foil is thicker; ``volume_um3``; ``score``, averaged excess in
        standard deviations of its noise. Attributes: ``threshold``, ``false_alarms``. No rows where there is
        none.

    Raises
    ------
    TypeError
        If this is no map of a foil, or an option is no number.
    ValueError
        If the map lacks something, or an option is out of range.

    Notes
    -----
    Threshold, noise and what is usual along a row are those of :func:`outgrowths`. What a column has at all
    heights is usual too: the face of a foil crosses from voxel to voxel, and makes stripes. Noise must be
    Gaussian once averaged. On 40 slabs of 200 × 40 cells with noise of a tenth of the contrast and nothing
    else, 0.85 were found for 1 allowed, 1.00 and 1.15 with averages over 0.7 and 2 cells, and 0.03 for 0.1.
    With stripes of three times the averaged noise, on 20 maps of 80 × 300 cells, 1.3 (waves), 1.6 (bands) and
    0.95 (one band) were found for 1. Few rows part stripes from noise less well: with noise alone 1.5 were
    found for 1 in maps of 16 × 300 cells, 1.0 in those of 40 × 300 (30 maps each). What was found tells no
    more what is usual, so one that fills a fifth of the map brings no others.

    Height is that of the averaged map: of an outgrowth narrower than three `spread_um` it is too low. One
    wider than half of `smooth_um` is taken for the foil. Pits are not looked for. A hemisphere of a radius of
    20 µm, with voxels of 1 µm and noise of a tenth of the contrast, came out
    within 2 % in height and 1 % in volume.

    References
    ----------
    Taylor, Worsley and Gosselin, Biometrika 94, 1-18 (2007).

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> z, y, x = np.mgrid[0:60, -30:30, 0:90] * 1.0
    >>> metal = (abs(y) < 6) | ((y > 0) & (np.hypot(np.hypot(z - 30, x - 50), y - 6) < 12))
    >>> grey = 100 * metal + np.random.default_rng(0).normal(0, 5, y.shape)
    >>> found = ct.segment.foil(ct.volume(grey, 1.0))
    >>> table = ct.segment.foil_outgrowths(found, false_alarms=0.01)
    >>> table[["z_um", "x_um", "side"]].round(-1).values.tolist(), table.height_um.round().tolist()
    ([[30.0, 50.0, 0.0]], [12.0])
    """
    check_foil(foil)
    allowed = check_alarms(false_alarms, doing=_DOING)
    rise, cell = foil.attrs["cell_um"]
    length = foil.sizes["along"] * cell
    usual_um = max(cell, _FINEST * rise), 2 * length / 3
    ends = _FINEST * max(rise, cell), length / 16
    spread = check_within(spread_um, usual_um[0], "spread_um", ends, doing=_DOING)
    smooth = check_within(smooth_um, usual_um[1], "smooth_um", (8 * spread, length), doing=_DOING)
    excess, least = _above(
        foil["thickness_um"].to_numpy(), round(smooth / cell / 2), (spread / rise, spread / cell), allowed
    )
    table = _found(excess, least, foil, (spread / rise, spread / cell))
    table.attrs = {"threshold": least, "false_alarms": allowed}
    return table


def check_foil(foil: Any) -> None:
    """Refuse what is no map of a foil."""
    if not isinstance(foil, xr.Dataset):
        raise TypeError(
            f"Cannot {_DOING} with a {type(foil).__name__}: a map of a foil is needed. Make it with "
            "ct.segment.foil(image)."
        )
    lacks = [n for n in ("thickness_um", "face_um", "middle_um") if n not in foil]
    lacks += [n for n in ("normal", "direction", "cell_um") if n not in foil.attrs]
    if lacks or foil["thickness_um"].dims != ("z", "along"):
        raise ValueError(
            f"Cannot {_DOING}: the map lacks {', '.join(lacks) or 'dims z, along'}. Take it as "
            "ct.segment.foil(image) gives it."
        )
    if min(foil.sizes["z"], foil.sizes["along"] // 8) < 2 or not np.isfinite(foil["thickness_um"]).any():
        raise ValueError(
            f"Cannot {_DOING} in a map of {foil.sizes['z']} × {foil.sizes['along']} cells: 2 × 16 at least "
            "are needed, with a thickness in them. Take smaller cells, or a larger field."
        )


def _above(thick: Flat, side: int, spread: tuple[float, float], allowed: float) -> tuple[Excess, float]:
    """Return what is above usual, and the threshold of its score.

    In a small field an outgrowth is no small part: what was found tells no more what is usual, nor how much
    noise there is.
    """
    known, thick = np.isfinite(thick), thick - np.nanmedian(thick)
    averaged = ndimage.gaussian_filter1d(thick, spread[1], axis=1, mode="constant")
    averaged /= energy_of(thick.shape[1], spread[1])
    known_averaged = np.isfinite(averaged)
    grown = np.zeros(thick.shape, bool)
    for step in range(5):
        grey, smooth = (flat - _usual(flat, grown, side, spread[1]) for flat in (thick, averaged))
        if step:  # by now it is known where something has grown
            grey, smooth = (flat - _stripes(flat, grown) for flat in (grey, smooth))
        grey, smooth = np.where(known, grey, 0.0), np.where(known_averaged, smooth, 0.0)
        smooth = ndimage.gaussian_filter1d(smooth, spread[0], axis=0, mode="constant")
        smooth /= energy_of(thick.shape[0], spread[0])[:, None]
        smooth[~known_averaged] = 0.0
        plain = known_averaged & ~grown
        # At first by what is thinner: what has grown is none of it.
        noise = spread_of(smooth[plain]) if step else -float(np.quantile(smooth[plain], _LOWER))
        if not noise > 0:
            return Excess(grey[:, None].astype(np.float32), np.zeros_like(thick)[:, None]), np.inf
        score = (smooth / noise).astype(np.float32)
        quiet = np.where(plain & ((score < _CLEAR) | (step > 0)), score, 0.0)[:, None].astype(np.float32)
        least = threshold_of(Excess(quiet, quiet), allowed)
        labels: npt.NDArray[np.intp]
        labels, count = ndimage.label(score > foot_of(least), np.ones((3, 3)))
        tops = ndimage.maximum(score, labels, np.arange(1, count + 1)) if count else np.zeros(0)
        before = grown
        grown = np.isin(labels, 1 + np.flatnonzero(np.asarray(tops) > least))
        grown = np.asarray(ndimage.binary_dilation(grown, iterations=max(2, round(2 * max(spread)))))
        if step and (grown == before).all():
            break
    return Excess(grey[:, None].astype(np.float32), score[:, None]), least


def _usual(flat: Flat, grown: npt.NDArray[np.bool_], side: int, spread: float) -> Flat:
    """Return what is usual along each row, where what has grown counts as the median of the rest."""
    rest = np.where(grown, np.nan, flat)
    some = np.isfinite(rest).sum(axis=1, keepdims=True) > 0
    rows = np.nanmedian(np.where(some, rest, np.nanmedian(rest)), axis=1)
    filled = np.where(grown & np.isfinite(flat), rows[:, None], flat).astype(np.float32)
    return usual(filled[:, None], max(4, side), round(GUARD * spread))[:, 0]


def _stripes(flat: Flat, grown: npt.NDArray[np.bool_]) -> Flat:
    """Return what columns have at all heights: where the face of a foil crosses from voxel to voxel.

    The upper and the lower half of a map have the same stripes, and other noise. What is four times that
    noise is a stripe; what is less is shrunk by it (James and Stein).
    """
    half = len(flat) // 2
    both, upper, lower = (
        _columns(flat[rows], grown[rows]) for rows in (slice(None), slice(half), slice(half, None))
    )
    known = np.isfinite(both + upper + lower)
    noise = spread_of(((upper - lower)[known] / 2).astype(np.float32))
    faint = known & (np.abs(both) <= 4 * noise)
    share = 1.0 - noise**2 / max(float((both[faint] ** 2).mean()), noise**2) if faint.any() and noise else 1.0
    return np.where(known, np.where(faint, share, 1.0) * both, 0.0).astype(np.float32)


def _columns(flat: Flat, grown: npt.NDArray[np.bool_]) -> Floats:
    """Return the level of each column: the mean of where nothing has grown, if those are enough.

    Where all of a column seems to have grown it is by its lowest fifth: a stripe lifts that, too, and what
    grows in the field does not.
    """
    rest = np.where(grown, np.nan, flat).astype(float)
    levels = np.full(flat.shape[1], np.nan)
    enough = np.isfinite(rest).sum(axis=0) >= _ROWS
    if enough.any():
        levels[enough] = np.nanmean(rest[:, enough], axis=0)
        below = levels - np.nanquantile(np.where(enough, rest, 0.0), _LOWEST, axis=0)
        full = ~np.isfinite(rest).any(axis=0) & (np.isfinite(flat).sum(axis=0) >= _ROWS)
        if full.any():
            lowest = np.nanquantile(flat[:, full].astype(float), _LOWEST, axis=0)
            levels[full] = lowest + np.median(below[enough])
    return levels


def _found(excess: Excess, least: float, foil: xr.Dataset, spread: tuple[float, float]) -> pd.DataFrame:
    grey, score = excess.grey[:, 0], excess.score[:, 0]
    labels, _ = ndimage.label(score > foot_of(least), np.ones((3, 3)))
    even = ndimage.gaussian_filter(grey, spread)
    normal, direction = (np.array(foil.attrs[name]) for name in ("normal", "direction"))
    faces = foil["face_um"].to_numpy()
    usual = np.nanmedian(faces, axis=(1, 2))
    rows = []
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        own = labels[box] == number
        highest = float(score[box][own].max())
        if highest <= least:
            continue
        weight = np.where(own, np.maximum(grey[box], 0.0), 0.0)
        at = [float((np.indices(own.shape)[n] * weight).sum() / weight.sum()) + box[n].start for n in (0, 1)]
        z, along = (
            float(np.interp(at[n], np.arange(foil.sizes[d]), foil[d])) for n, d in enumerate(("z", "along"))
        )
        side = int(np.nansum((faces[1][box] - usual[1] - faces[0][box] + usual[0]) * weight) > 0)
        middle = float(foil["middle_um"].to_numpy()[round(at[0]), round(at[1])])
        y, x = direction * along + normal * (middle + (2 * side - 1) * usual[side])
        volume = float(grey[box][own].sum()) * float(np.prod(foil.attrs["cell_um"]))
        height = float(even[box][own].max())
        rows.append((z, float(y), float(x), along, 2 * side - 1, height, volume, highest))
    table = pd.DataFrame(rows, columns=_COLUMNS)
    return table.sort_values("score", ascending=False, kind="stable").reset_index(drop=True)
