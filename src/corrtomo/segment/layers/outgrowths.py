"""What grows out of a wound layer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy import ndimage

from ...volume import voxel_size
from ..excess import Excess, check_alarms, check_within, excess_of, foot_of, threshold_of
from .traced import Course, check_belongs, check_layers, course_of
from .unroll import SMOOTH, check_unrolled, unrolled

Floats = npt.NDArray[np.float64]
_DOING = "find outgrowths"
_FINEST = 0.7
"""Pixels: what is averaged over less has another noise on a pixel than between two."""
_LEAST_SEEN = 0.5
"""Share of the contrast of a layer that its image has along it: another cell, or a mirrored one, has less."""


def outgrowths(
    image: xr.DataArray,
    layers: xr.Dataset,
    *,
    false_alarms: float = 1.0,
    spread_um: float | None = None,
    smooth_um: float | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Find what grows out of wound layers: bright places beside a smooth layer, in 2D and 3D.

    The paper shows a copper outgrowth on the conductor, "clearly visible after dedicated image segmentation"
    (section "Non-destructive detection of defects"). Here each layer is laid flat, what is usual along it is
    taken away, and what is left is weighed against noise.

    Parameters
    ----------
    image : xarray.DataArray
        The grey values that were traced, dims y, x or z, y, x.
    layers : xarray.Dataset
        From :func:`layers`.
    false_alarms : float
        How many outgrowths may be found in the whole image where there are none, above 0: from this follows
        the threshold of the score.
    spread_um : float, optional
        Standard deviation in µm of the Gaussian over which the excess is averaged; by default a pixel. About
        half of the width of the smallest outgrowth asked for; 0.7 pixels at least.
    smooth_um : float, optional
        Length along the winding in µm that is longer than twice an outgrowth; by default two pitches.
    progress : bool
        Show a bar where it takes more than a second.

    Returns
    -------
    pandas.DataFrame
        A row for each, the highest score first: ``layer``; ``turn`` and ``angle_deg`` of the winding;
        ``along_um``, the length along the layer; ``z_um`` (3D), ``y_um``, ``x_um``; ``side``, "inner" or
        "outer"; ``height_um``, by how much the layer is thicker there; ``length_um``, its extent along the
        winding; ``area_um2`` (2D) or ``volume_um3`` (3D); ``score``, the averaged excess in standard
        deviations of its noise. Attributes: ``threshold`` of the score for each layer, ``false_alarms``.
        No rows where there is none.

    Raises
    ------
    TypeError
        If these are no image and no traced layers, or an option is no number.
    ValueError
        If the image is not on the slices of the layers, the layers are not in it, or an option is out of
        range.

    Notes
    -----
    The threshold is where Gaussian noise on a lattice, as alike from sample to sample as is measured, has
    `false_alarms` peaks (Taylor et al.). The noise is taken from the nine tenths of places with the least
    excess, for each distance from the layer and each turn, so what varies all along a layer counts as noise.
    What is usual at a place is a median of places farther off than four `spread_um`, or the difference of
    both has heavier tails than a Gaussian's. On spirals with white noise of 0.2 of the contrast and nothing
    else, 1.04 were found for 1 allowed in 2D (100 images) and 1.00 in 3D (24 stacks), 0.12 and 0.17 for 0.1:
    as many as allowed, within what counting leaves open. The same held at noise of 0.05 and 0.4, in an oval
    roll, in one of two layers, with averages over 0.7 and 2 pixels, and with noise that is alike over 0.8 and
    1.5 pixels (20 to 40 images each). It needs noise that is Gaussian once averaged.

    Balls of a radius of 1.5 pixels on the edge, at a pitch of 12, were found at 1.0, 0.76 and 0.15 of places
    in 2D at a noise of 0.1, 0.2 and 0.4 of the contrast, in 3D at 1.0, 0.98 and 0.11, with 1 allowed. Real
    images have more than noise: tabs, wrinkles, streaks. They are found too: a list to look at, not a list
    of copper.

    Height and size are excess grey values over the contrast of the layer: right for an outgrowth that is as
    bright as the layer, above what lies beside it, and what blur spreads is counted. Of a layer thinner than
    the resolution the contrast is too low, and both come out too large. An outgrowth longer than half of
    `smooth_um` is taken for the layer. Each place is searched up to the middle between one layer and the
    next; parts nearer than 0.6 pitches are one outgrowth. `smooth_um` at either end of a layer is left out,
    where its course hangs on what lies beyond.

    References
    ----------
    Taylor, Worsley and Gosselin, Biometrika 94, 1-18 (2007).

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> y, x = np.mgrid[-80:81, -80:81] * 1.0
    >>> radius, turn = np.hypot(y, x), np.arctan2(y, x) / (2 * np.pi)
    >>> wave = np.cos(2 * np.pi * (radius / 10 - turn)) * ((radius > 16) & (radius < 72))
    >>> wave += np.random.default_rng(0).normal(0, 0.1, wave.shape) + 2 * np.exp(-((y - 55) ** 2 + x**2) / 4)
    >>> cell = ct.volume(wave, 20.0)
    >>> table = ct.segment.outgrowths(cell, ct.segment.layers(cell), false_alarms=0.01)
    >>> table.head(1)[["y_um", "x_um"]].round(-2).values.tolist()
    [[2700.0, 1600.0]]
    """
    layers = check_layers(layers, doing=_DOING)
    check_belongs(image, layers, doing=_DOING)
    allowed = check_alarms(false_alarms, doing=_DOING)
    pixel = layers.attrs["voxel_size_um"]
    pitch = layers.attrs["pitch_um"] / layers.attrs.get("arms", 1)
    spread = check_within(spread_um, pixel, "spread_um", (_FINEST * pixel, pitch), doing=_DOING)
    smooth = check_within(smooth_um, SMOOTH * pitch, "smooth_um", (4 * spread, 100 * pitch), doing=_DOING)
    parts, thresholds = [], {}
    for layer in range(layers.sizes["layer"]):
        reach = _reach(layers, layer)
        if reach is None:
            continue
        length = float(np.nanmax(layers["length_um"].isel(layer=layer)))
        check_unrolled(3 * length / pixel * len(reach) * layers.sizes["z"])
        course = course_of(layers, layer, pixel, 2 * smooth, doing=_DOING)
        flat, averaged = (unrolled(image, layers, course, reach, progress, wide) for wide in (0.0, spread))
        _check_there(flat, reach, float(np.nanmedian(layers["contrast"].isel(layer=layer))), layer)
        # What ends looks like what grows, and half a window from an end the course hangs on what is beyond.
        end = round(smooth / pixel)
        flat[..., :end] = flat[..., -end:] = np.nan
        along = smooth / pixel
        excess = excess_of(
            flat, averaged, course.winding, along, (spread / voxel_size(image)[0], spread / pixel)
        )
        least = threshold_of(excess, allowed / layers.sizes["layer"])
        thresholds[layer] = least
        parts.append(_found(excess, least, layers, layer, course, reach, image))
    table = pd.concat(parts) if parts else pd.DataFrame(columns=_columns(image.ndim))
    table = _once(table.sort_values("score", ascending=False, kind="stable"), 0.6 * pitch)
    table.attrs = {"threshold": thresholds, "false_alarms": allowed}
    return table


def _check_there(flat: npt.NDArray[np.float32], reach: Floats, contrast: float, layer: int) -> None:
    """Refuse an image in which the layer is not: one of another cell, mirrored or turned."""
    rows = [row[np.isfinite(row)] for row in np.moveaxis(flat, 1, 0)]
    profile, middle = np.array([row.mean() if row.size else np.inf for row in rows]), np.abs(reach).argmin()
    seen = float(profile[middle] - (profile[: middle + 1].min() + profile[middle:].min()) / 2)
    if not seen > contrast * _LEAST_SEEN:
        raise ValueError(
            f"Cannot {_DOING}: along layer {layer} the image is brighter than beside it by {seen:.3g}, and "
            f"where it was traced it was by {contrast:.3g}. The image that was traced is needed, or one of "
            "the same cell on its grid. Trace this one: ct.segment.layers(image)."
        )


def _reach(layers: xr.Dataset, layer: int) -> Floats | None:
    """Return distances from the middle of a layer, one a pixel, to the middle between it and the next."""
    own = layers["radius_um"].isel(layer=layer).to_numpy()
    if not np.isfinite(own).any():
        return None
    pixel, pitch = layers.attrs["voxel_size_um"], layers.attrs["pitch_um"]
    inwards, outwards = pitch / 2, pitch / 2
    for other in range(layers.sizes["layer"]):
        for turn in (-1, 0, 1):
            away = layers["radius_um"].isel(layer=other).shift(turn=turn).to_numpy() - own
            if (other, turn) == (layer, 0) or not np.isfinite(away).any():
                continue
            middle = float(np.nanmedian(away)) / 2
            inwards = min(inwards, -middle) if middle < 0 else inwards
            outwards = min(outwards, middle) if middle > 0 else outwards
    return np.asarray(np.arange(-round(inwards / pixel), round(outwards / pixel) + 1) * pixel)


def _once(table: pd.DataFrame, near_um: float) -> pd.DataFrame:
    """Return what crosses from one layer to the next once, with its whole size: the part of higher score."""
    places = table[[name for name in ("z_um", "y_um", "x_um") if name in table]].to_numpy(float)
    size = next(name for name in table if str(name).startswith(("area", "volume")))
    sizes, kept = table[size].to_numpy(float).copy(), list[int]()
    for row in range(len(table)):
        away = np.linalg.norm(places[kept] - places[row], axis=1) if kept else np.array([np.inf])
        if away.min() < near_um:
            sizes[kept[int(away.argmin())]] += sizes[row]
        else:
            kept.append(row)
    table = table.reset_index(drop=True)
    table[size] = sizes
    return table.iloc[kept].reset_index(drop=True)


def _columns(ndim: int) -> list[str]:
    places = ["z_um", "y_um", "x_um"] if ndim == 3 else ["y_um", "x_um"]
    size = "volume_um3" if ndim == 3 else "area_um2"
    return [
        "layer",
        "turn",
        "angle_deg",
        "along_um",
        *places,
        "side",
        "height_um",
        "length_um",
        size,
        "score",
    ]


def _found(
    excess: Excess,
    least: float,
    layers: xr.Dataset,
    layer: int,
    course: Course,
    reach: Floats,
    image: xr.DataArray,
) -> pd.DataFrame:
    """Return a row for each outgrowth of one layer."""
    foot = foot_of(least)
    labels, _ = ndimage.label(excess.score > foot, np.ones((3, 3, 3)))
    edges = voxel_size(image)
    pixel = edges[-1]
    contrast = float(np.nanmedian(layers["contrast"].isel(layer=layer)))
    rows = []
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        own = labels[box] == number
        score = float(excess.score[box][own].max())
        if score <= least:
            continue
        weight = np.where(own, np.maximum(excess.grey[box], 0.0), 0.0)
        total = float(weight.sum())
        if not total > 0:
            continue
        at = [
            float((np.indices(own.shape)[axis] * weight).sum() / total) + box[axis].start for axis in range(3)
        ]
        z, off = min(round(at[0]), len(course.radius_um) - 1), np.interp(at[1], np.arange(len(reach)), reach)
        winding = float(np.interp(at[2], np.arange(len(course.winding)), course.winding))
        radius = course.radius_um[z, min(round(at[2]), len(course.winding) - 1)]
        if not np.isfinite(radius):  # the layer was not traced in the very middle
            radius = np.nanmedian(course.radius_um[box[0], box[2]])
        radius += off
        angle = layers.attrs["sense"] * winding
        place = [
            layers.attrs["centre_y_um"] + radius * np.sin(angle),
            layers.attrs["centre_x_um"] + radius * np.cos(angle),
        ]
        size = total / contrast * pixel * pixel
        if image.ndim == 3:
            place = [float(np.interp(at[0], np.arange(len(image.z)), image["z"].values)), *place]
            size *= edges[0]
        height = float(weight.sum(axis=1).max()) / contrast * pixel
        length = (box[2].stop - box[2].start) * pixel
        turn, angle_deg = int(winding // (2 * np.pi)), float(np.degrees(winding % (2 * np.pi)))
        side = "outer" if off > 0 else "inner"
        rows.append((layer, turn, angle_deg, at[2] * pixel, *place, side, height, length, size, score))
    return pd.DataFrame(rows, columns=_columns(image.ndim))
