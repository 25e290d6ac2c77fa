"""The wound layers of a cell, turn by turn."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from tqdm.auto import tqdm

from ...volume import voxel_size
from .checks import DOING, check_cell, check_size, slices_of
from .ends import present
from .follow import follow, peaks_of, strip_of
from .look import Roll, look, winding
from .numbering import common_numbers
from .phase import Winding, turning
from .result import Plan, empty, finished, store

Floats = npt.NDArray[np.float64]
_PER_PITCH = 24
"""Samples across per pitch."""
_ACROSS = 1.1
"""Pitches that are looked at on either side of the winding."""
_LOOKS = 7
"""So many slices of a volume tell the centre and the pitch."""
_PROFILES = 5
"""So many slices tell which layers a period holds."""
_BROKEN = 0.3
"""Pitches by which a winding steps from one angle to the next where it is broken."""


def layers(
    image: xr.DataArray, *, least_contrast: float = 0.25, along_um: float | None = None, progress: bool = True
) -> xr.Dataset:
    """Trace the wound layers of a cell, turn by turn, with their inner and outer edges.

    The paper segments the conductor of a wound cell to show what grew on it (issue "From cell to particle",
    section "Non-destructive detection of defects"): this finds the layers, :func:`unroll` lays them flat, and
    :func:`outgrowths` finds what is not layer.

    Parameters
    ----------
    image : xarray.DataArray
        Grey values across the winding axis, or a mask of layers, dims y, x or z, y, x with z along that axis;
        square pixels in y, x. A Dask image is read a slice at a time.
    least_contrast : float
        From 0.05 to 1: the faintest layer in a period, as a share of the contrast of the clearest.
    along_um : float, optional
        Distance in µm of neighbouring places along the winding at 0.7 of its outer radius; by default one
        pixel.
    progress : bool
        Show a bar where it takes more than a second.

    Returns
    -------
    xarray.Dataset
        Dims (z,) layer, turn, angle. The angle is that of the winding, in radians, from the x axis in the
        sense in which the radius grows: attribute ``sense``, 1 from x to y, -1 from x to -y. After the last
        angle of a turn follows the first of the next. ``radius_um``, ``inner_um`` and ``outer_um``: the
        middle of the layer and its edges from the centre, in µm, with standard errors ``radius_se_um``, …;
        NaN where there is no layer. ``contrast``, grey values above what is beside it. For each layer
        ``start_turns`` and ``end_turns``, where it begins and ends in turns from angle 0 of turn 0, and
        ``length_um``. For each slice ``score``, the share of radii with one winding number, ``coherence``,
        from 0 to 1, and ``reason``, why it could not be traced, or nothing: where there is a reason, it
        states the score if one was found, and both are NaN. Layers are numbered from the brightest.
        Attributes: ``centre_y_um``, ``centre_x_um``, ``pitch_um``, ``sense``, ``arms``, spirals wound into
        one another.

    Raises
    ------
    TypeError
        If this is no image, or an option is no number.
    ValueError
        If no slice holds a spiral that lies in the image whole, with five pixels or more a pitch: the reason
        and its score are said. If pixels are not square or grey values are not finite.

    Notes
    -----
    The centre is where normals of edges meet. Around it the layers are a wave along the radius, whose phase
    is unwrapped; after a full turn it is off by a whole number of periods, 0 for rings, 1 for a spiral, 2 for
    two. So no layer can slip to the next turn where it is faint. Each layer is then one path of least cost
    along the whole winding, unrolled, and its middle the maximum of grey values averaged over 1.5 pixels
    along it. Edges are where they fall to the middle between layer and what is beside it, each averaged over
    three pitches along.

    All is measured along the radius, not across the layer: :func:`corrtomo.measure.layer_thickness` corrects
    for that. A layer thinner than the resolution has edges that are the resolution's; half of the contrast is
    biased where two layers touch. Standard errors are those of noise, not of blur, scale or roughness.

    A turn that a tab lifts is followed; where a tab is as thick as a turn, radii there are those of what is
    brightest near by. A layer ends where its contrast falls below 0.4 of what it is one turn nearer to the
    middle of the roll, or rises above 2.5 times it, for a quarter of a turn or more; shorter breaks are NaN.
    All slices have one centre: a cell that is tilted by more than some pitches from end to end should be
    turned upright first.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> y, x = np.mgrid[-60:61, -60:61] * 1.0
    >>> radius, turn = np.hypot(y, x), np.arctan2(y, x) / (2 * np.pi)
    >>> wave = np.cos(2 * np.pi * (radius / 8 - turn)) * ((radius > 16) & (radius < 52))
    >>> found = ct.segment.layers(ct.volume(wave, 20.0))
    >>> found.attrs["sense"], found.attrs["arms"], round(found.attrs["pitch_um"])
    (1, 1, 160)
    """
    contrast, step_um = check_cell(image, least_contrast, along_um)
    greys = slices_of(image)
    pixel = voxel_size(image)[-1]
    rolled = _roll(greys, progress)
    windings: list[Winding | str] = [
        winding(greys(k), rolled) for k in _bar(greys.slices, progress, "find the winding")
    ]
    good = [k for k, one in enumerate(windings) if not isinstance(one, str)]
    if not good:
        reasons = [str(one) for one in windings]
        raise ValueError(f"Cannot {DOING}: {max(set(reasons), key=reasons.count)}.")
    plan, radii = _plan(greys, windings, rolled, contrast, step_um / pixel)
    check_size(greys.slices, len(plan.layers), plan.turns, len(plan.angles))
    out = empty(greys.slices, plan)
    for k in _bar(greys.slices, progress, "trace layers"):
        if (levels := radii[k]) is not None:
            _trace(greys(k), plan, levels, out, k, pixel)
    return finished(out, image, plan, windings)


def _bar(count: int, progress: bool, doing: str) -> Any:
    return tqdm(range(count), desc=doing, unit="slice", delay=1, leave=False, disable=not progress)


def _roll(greys: Any, progress: bool) -> Roll:
    """Return centre and pitch, the medians over some slices; refuse what has none."""
    some = np.unique(np.linspace(0, greys.slices - 1, min(_LOOKS, greys.slices)).round().astype(int))
    looks = [look(greys(int(k))) for k in some]
    found = [one for one in looks if isinstance(one, Roll)]
    if not found:
        reasons = [str(one) for one in looks]
        raise ValueError(f"Cannot {DOING}: {max(set(reasons), key=reasons.count)}.")
    # The ends of a cell have no layers, and no pitch that means something.
    wound = (
        [
            isinstance(one, Roll) and not isinstance(winding(greys(int(k)), one), str)
            for k, one in zip(some, looks, strict=True)
        ]
        if greys.slices > 1
        else []
    )
    if any(wound):
        found = [one for one, good in zip(looks, wound, strict=True) if good and isinstance(one, Roll)]
    y, x = np.median([one.centre for one in found], axis=0)
    height, width = greys.shape
    reach = min(y, x, height - 1 - y, width - 1 - x)
    return Roll((float(y), float(x)), float(np.median([one.pitch for one in found])), float(reach))


def _plan(
    greys: Any, windings: list[Winding | str], roll: Roll, contrast: float, along: float
) -> tuple[Plan, list[Floats | None]]:
    """Return what all slices share, and the levels of each on common numbers, dims level, angle."""
    arms, sense, radii = common_numbers(windings, roll.pitch)
    outer = max(one.outer for one in windings if not isinstance(one, str))
    count = int(np.clip(np.ceil(2 * np.pi * 0.7 * outer / along / 8) * 8, 128, 8192))
    step = roll.pitch / _PER_PITCH
    side = int(_ACROSS * _PER_PITCH)
    offsets = np.asarray(np.arange(-side, side + 1) * step)
    levels = next(len(one) for one in radii if one is not None)
    turns = -(-levels // arms)
    plan = Plan(roll, sense * turning(count), offsets, arms, turns, sense, [])
    best = sorted(
        (k for k, one in enumerate(radii) if one is not None),
        key=lambda k: -getattr(windings[k], "coherence", 0.0),
    )[:_PROFILES]
    found = []
    for arm in range(arms):
        profiles = [_profile(greys(k), plan, radii[k], arm) for k in best]
        found += [(arm, peak) for peak in peaks_of(np.mean(profiles, axis=0), contrast)]
    top = max(peak.contrast for _, peak in found)
    kept = [one for one in found if one[1].contrast >= contrast * top]
    return plan._replace(layers=sorted(kept, key=lambda one: -one[1].top)), radii


def _base(plan: Plan, radii: Floats, arm: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the winding of one arm in pixels at each place along it, and where it is broken."""
    mine = radii[arm :: plan.arms]
    coarse = mine.ravel()
    size = radii.shape[1]
    places = (np.arange(len(mine) * len(plan.angles)) + 0.5) * (size / len(plan.angles)) - 0.5
    steps = np.abs(np.diff(coarse, append=coarse[-1])) > _BROKEN * plan.roll.pitch
    near = np.clip(places.astype(int), 0, len(coarse) - 1)
    return np.interp(places, np.arange(len(coarse)), coarse), steps[near]


def _profile(grey: Floats, plan: Plan, radii: Any, arm: int) -> Floats:
    """Return the mean grey values across one period of an arm, over the turns in the middle of the roll."""
    few = plan._replace(angles=plan.angles[:: len(plan.angles) // 64])
    base, _ = _base(few, radii, arm)
    strip = strip_of(grey, plan.roll.centre, base, few.angles, plan.offsets)
    turns = len(base) // len(few.angles)
    inner = slice(turns // 4 * len(few.angles), max(1, turns - turns // 4) * len(few.angles))
    half, middle = _PER_PITCH // 2, len(plan.offsets) // 2
    return np.asarray(np.nanmean(strip[inner, middle - half : middle + half], axis=0), float)


def _trace(grey: Floats, plan: Plan, radii: Floats, out: dict[str, Any], k: int, pixel: float) -> None:
    """Trace all layers of a slice into the arrays of the result."""
    count, step = len(plan.angles), plan.offsets[1] - plan.offsets[0]
    middle = len(plan.offsets) // 2
    for arm in range(plan.arms):
        base, broken = _base(plan, radii, arm)
        strip = strip_of(grey, plan.roll.centre, base, plan.angles, plan.offsets)
        arcs = np.maximum(base.reshape(-1, count).mean(axis=1) * 2 * np.pi / count, 0.05)
        outside = np.isnan(strip[:, middle])
        for index, (own, peak) in enumerate(plan.layers):
            if own != arm:
                continue
            at = peak._replace(
                at=peak.at - _PER_PITCH // 2,
                low=peak.low - _PER_PITCH // 2,
                high=peak.high - _PER_PITCH // 2,
            )
            found = follow(strip, at, middle, arcs, plan.roll.pitch, step)
            found.contrast[outside] = np.nan
            there, first, last = present(found.contrast, found.top, count)
            if (outside[first : last + 1]).mean() > 0.02:
                continue
            radii_um = base * pixel, step * pixel, pixel
            store(found, there & ~broken, (first, last), radii_um, out, (k, index))
