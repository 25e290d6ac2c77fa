"""Contact against depth: a profile for each volume, its mean, how sure that is, and the published one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from ..measure.options import check_named
from .figure import Figure, Source, check_words, describe
from .style import INK, SERIES, blank, house_style

COUNTED = ("surface_um2", "outline_um")
"""How much was counted at each depth: in a volume, in a section."""
_MADE = "Make one with ct.measure.contact_profile(labels, depth='y')."
_IN_A_LINE = 42
"""Letters of a legend that fit side by side, three names in a line."""


def contact_profile(
    profiles: Mapping[str, xr.DataArray],
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    interval: Mapping[str, Sequence[float]] | None = None,
    published: Mapping[str, tuple[float, float]] | None = None,
) -> Figure:
    """Show how much of the surface of the active material touches binder at each depth, and on the whole.

    As the cycling paper does in its Figs. 4b, 5 and 7b; beside the lines stand the means, which it compares.

    Parameters
    ----------
    profiles : mapping of str to xarray.DataArray
        Name, and share in contact along the depth in µm, with how much was counted as a coordinate: from
        :func:`corrtomo.measure.contact_profile`. One to six.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    interval : mapping of str to sequence of float, optional
        Lower and upper end of the interval of a mean, by name; of an
        :class:`~corrtomo.measure.Interval` the first two are taken.
    published : mapping of str to tuple of float, optional
        Published mean by name, and half of its last printed digit (0.54 -> 0.005).

    Returns
    -------
    Figure
        A line for each volume, broken where there was nothing to count; its mean, weighted by what was
        counted, as a dashed line and, at the right, as a dot with its interval and the published value.

    Raises
    ------
    TypeError
        If a profile is no DataArray of numbers, or intervals or published values have no names.
    ValueError
        If there is no profile, one lacks its coordinates or is not from 0 to 1, two run along different axes,
        or an interval or a published value belongs to none of them.
    """
    check_words(caption=caption, alt=alt, notice=notice)
    means = {name: _check_profile(name, profile) for name, profile in _check_names(profiles).items()}
    ends = {name: _check_ends(name, pair) for name, pair in _known(interval, means, "interval").items()}
    printed = {name: _check_printed(name, p) for name, p in _known(published, means, "published").items()}
    _check_depths(profiles)
    colours = dict(zip(means, SERIES, strict=False))
    (dim,) = next(iter(profiles.values())).dims
    with house_style():
        drawing = blank(height=3.9)
        axes, side = drawing.subplots(1, 2, sharey=True, width_ratios=(6, 1))
        for name, profile in profiles.items():
            axes.plot(profile[dim].values, profile.values, color=colours[name], lw=1.6, label=name)
            axes.axhline(means[name], color=colours[name], lw=1.2, ls=(0, (4, 3)))
        axes.set(xlabel=f"depth {dim} (µm)", ylabel="share in contact (PBA)")
        axes.set_ylim(0, min(1.0, 1.08 * max(float(p.max()) for p in profiles.values()) + 0.02))
        axes.margins(x=0)
        for place, name in enumerate(means):
            _draw_mean(side, place, means[name], ends.get(name), printed.get(name), colours[name])
        _tidy(side, len(means))
        handles, names = side.get_legend_handles_labels()
        more = dict(zip(names, handles, strict=True))
        lines, titles = axes.get_legend_handles_labels()
        words = [*titles, *more]
        columns = 3 if sum(map(len, words)) <= _IN_A_LINE else 2
        drawing.legend(
            [*lines, *more.values()], words, loc="outside upper left", ncols=columns, columnspacing=1.2
        )
    return Figure(drawing, alt, describe(caption, source=source, notice=notice))


def weighted_mean(profile: xr.DataArray) -> float:
    """Return the mean of a profile, each known depth weighted by what was counted there."""
    weight = next(profile[name] for name in COUNTED if name in profile.coords).where(profile.notnull(), 0)
    return float((profile.fillna(0) * weight).sum() / weight.sum())


def _draw_mean(
    axes: Axes,
    place: int,
    mean: float,
    ends: tuple[float, float] | None,
    printed: tuple[float, float] | None,
    colour: str,
) -> None:
    if printed is not None:
        value, half = printed
        across = [place - 0.42, place + 0.42]
        axes.fill_between(across, value - half, value + half, color=INK, alpha=0.18, lw=0)
        axes.plot(across, [value, value], color=INK, lw=1.8, label="published, with its rounding")
    if ends is not None:
        axes.plot([place, place], ends, color=colour, lw=5, alpha=0.45, solid_capstyle="butt")
        axes.plot([], [], color=INK, lw=5, alpha=0.3, label="interval of the mean")
    axes.plot(place, mean, "o", color=colour, mec="white", ms=8)


def _tidy(axes: Axes, count: int) -> None:
    axes.set(xlim=(-0.7, count - 0.3), xticks=[], xlabel="mean")
    axes.tick_params(axis="y", length=0, labelleft=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _check_names(profiles: Any) -> Mapping[str, xr.DataArray]:
    if not isinstance(profiles, Mapping) or not 1 <= len(profiles) <= len(SERIES):
        given = (
            f"{len(profiles)} profiles" if isinstance(profiles, Mapping) else f"a {type(profiles).__name__}"
        )
        raise ValueError(
            f"Cannot show contact against depth of {given}: one to {len(SERIES)} with their names are "
            "needed. Pass {'pristine': ct.measure.contact_profile(labels, depth='y')}."
        )
    return profiles


def _check_profile(name: str, profile: Any) -> float:
    """Refuse what is no profile; return its mean."""
    if not isinstance(profile, xr.DataArray):
        raise TypeError(
            f"Cannot show the profile {name!r}, a {type(profile).__name__}: an xarray.DataArray along the "
            f"depth is needed. {_MADE}"
        )
    counted = [coord for coord in COUNTED if coord in profile.coords]
    if profile.ndim != 1 or profile.dims[0] not in profile.coords or not counted:
        raise ValueError(
            f"Cannot show the profile {name!r} with dims {profile.dims} and coordinates "
            f"{list(map(str, profile.coords))}: one dim with its positions in µm is needed, and one of "
            f"{', '.join(COUNTED)}. {_MADE}"
        )
    parts = {"shares": profile, "positions": profile[profile.dims[0]], counted[0]: profile[counted[0]]}
    for what, part in parts.items():
        if part.dtype.kind not in "biuf":
            raise TypeError(
                f"Cannot show the profile {name!r}, whose {what} have dtype {part.dtype}: numbers are "
                f"needed. {_MADE}"
            )
    values, weight = profile.values.astype(float), profile[counted[0]].values.astype(float)
    known = ~np.isnan(values)
    sound = known.any() and ((values[known] >= 0) & (values[known] <= 1)).all()
    if not sound or not (np.isfinite(weight) & (weight >= 0)).all() or not (weight[known] > 0).all():
        raise ValueError(
            f"Cannot show the profile {name!r}: shares from 0 to 1 are needed at one depth or more (NaN "
            f"where there is nothing to count), with a {counted[0]} above 0 at each of them. {_MADE}"
        )
    return weighted_mean(profile)


def _check_depths(profiles: Mapping[str, xr.DataArray]) -> None:
    """Refuse profiles that do not share an axis."""
    dims = {name: str(profile.dims[0]) for name, profile in profiles.items()}
    if len(set(dims.values())) > 1:
        raise ValueError(
            f"Cannot show contact against depth along different axes, {dims}: one is needed. Measure each "
            "along the same one with ct.measure.contact_profile(labels, depth='y')."
        )


def _known(given: Mapping[str, Any] | None, names: Mapping[str, float], what: str) -> Mapping[str, Any]:
    if given is None:
        return {}
    pairs = check_named(given, what, doing="show contact against depth", like="{'pristine': (0.52, 0.56)}")
    unknown = [name for name in pairs if name not in names]
    if unknown:
        a = "an" if what == "interval" else "a"
        raise ValueError(
            f"Cannot show contact against depth: {unknown} have {a} {what} value, but no profile. Allowed "
            f"are the names {list(names)}. Use the same name for both."
        )
    return pairs


def _check_ends(name: str, pair: Any) -> tuple[float, float]:
    ends = _two_numbers(pair)
    if ends is None or ends[0] > ends[1]:
        raise ValueError(
            f"Cannot show the interval {pair!r} of {name!r}: a lower and an upper end are needed, both "
            "finite, the lower first. Pass for instance ct.measure.contact_interval(...)."
        )
    return ends


def _check_printed(name: str, pair: Any) -> tuple[float, float]:
    printed = _two_numbers(pair)
    if printed is None or len(pair) != 2 or not (0 <= min(printed) <= max(printed) <= 1):
        raise ValueError(
            f"Cannot show {pair!r} as the published value of {name!r}: a share from 0 to 1 and half of its "
            "last printed digit are needed. Pass for instance (0.54, 0.005)."
        )
    return printed


def _two_numbers(pair: Any) -> tuple[float, float] | None:
    """Return the first two of a sequence where both are finite numbers."""
    first = list(pair[:2]) if isinstance(pair, tuple | list | np.ndarray) else []
    sound = len(first) == 2 and all(isinstance(v, Real) and np.isfinite(float(v)) for v in first)
    return (float(first[0]), float(first[1])) if sound else None
