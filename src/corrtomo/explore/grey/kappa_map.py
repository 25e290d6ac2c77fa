"""The explorer of the κ map: choose a pair of thresholds by what it is worth, and see what it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, ClassVar

import matplotlib as mpl
import numpy as np
import traitlets
import xarray as xr

from ...measure import kappa_by_threshold_pair
from ...show import Figure
from ...show.figure import Source, describe
from ...show.style import INK, letter
from ..comparison import describe_phase
from ..explorer import STYLE, Explorer, bundle
from .thresholded import (
    Thresholded,
    ascending,
    check_grey,
    default_phases,
    joint_table,
    thresholded_state,
)

_STOPS = 33


class KappaMapExplorer(Thresholded, Explorer):
    """The map of Cohen's kappa over every pair of thresholds, and the segmentation of the pair chosen on it.

    Made by :func:`kappa_map`. In a kernel, ``explorer.thresholds`` follows the point on the map and moves it;
    ``explorer.best`` is the pair with the highest kappa, ``explorer.kappas`` the map itself.
    """

    module: ClassVar[str] = "kappa_map"
    _esm = bundle("kappa_map")
    _css = STYLE

    best: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    ramp: traitlets.List[Any] = traitlets.List().tag(sync=True)
    highest = traitlets.Float().tag(sync=True)
    kappas = traitlets.Instance(xr.DataArray)

    def picture(self) -> Figure:
        """Draw the explorer as it stands: slice with segmentation, and the map with the pair."""
        alt = (
            f"A slice with its segmentation by thresholds {self._where()} painted over it, beside the map of "
            f"Cohen's kappa over every pair of thresholds, highest at {self.best[0]} and {self.best[1]} "
            f"({self.highest:.4f}). At the pair shown: {self._say_numbers()}"
        )
        return Figure(self._draw(self._draw_map), alt, self.caption)

    def __repr__(self) -> str:
        return f"KappaMapExplorer(thresholds={self.thresholds}, kappa={self.kappa:.4f}, best={self.best})"

    def _draw_map(self, axes: Any) -> None:
        values = self.kappas.values
        axes.imshow(values, cmap="cividis", vmin=0, vmax=_top(self.highest), origin="lower")
        levels = np.arange(1, round(10 * _top(self.highest))) / 10
        lines = axes.contour(values, levels=levels, colors="white", linewidths=0.7)
        axes.clabel(lines, levels[1:-1:2], fmt="%.1f", fontsize=8)
        lower, upper = self.thresholds
        axes.plot([lower, lower, upper, upper], [0, lower, lower, 0], color="white", linewidth=1.2)
        for pair in self.marks.values():
            axes.plot(pair[1], pair[0], "s", color="white", mec=INK, ms=5)
        axes.plot(self.best[1], self.best[0], "*", color="white", mec=INK, ms=11)
        axes.plot(upper, lower, "o", mfc="none", mec="white", mew=2.5, ms=13)
        axes.set(xlabel="upper threshold", ylabel="lower threshold", xlim=(-0.5, 255.5), ylim=(-0.5, 255.5))
        letter(axes, 1, f"κ {self.kappa:.4f} at {self._where()}")


def kappa_map(
    image: xr.DataArray,
    truth: xr.DataArray,
    *,
    caption: str,
    source: Source,
    start: Sequence[int] | None = None,
    notice: str | None = None,
    ignore: int | None = 255,
    marks: Mapping[str, Sequence[float]] | None = None,
) -> KappaMapExplorer:
    """Explore the map of Cohen's kappa over every pair of thresholds, and what each pair makes of the image.

    The X-ray and FIB-SEM paper looks on this map for the pair that tells pores, carbon binder domain and
    active material apart best (Sci. Rep. 6, 30109, "Complete Ternary Xt Segmentation", Fig. 3a). How flat the
    top is says how much the choice matters; the slice beside it shows what the number hides.

    Parameters
    ----------
    image : xarray.DataArray
        8-bit grey values, 2D or 3D.
    truth : xarray.DataArray
        On the same grid: codes 0 (pore), 1 (carbon binder domain) and 2 (active material).
    caption : str
        What it shows; source and voxel size are added.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    start : sequence of int, optional
        Lower and upper threshold at the start; the pair with the highest kappa by default.
    notice : str, optional
        The one thing to notice.
    ignore : int, optional
        Code in `truth` that is left out.
    marks : mapping of str to sequence, optional
        Named pairs (lower, upper) to mark on the map, for instance the published one.

    Returns
    -------
    KappaMapExplorer
        Shows itself in Jupyter and on the static website; ``thresholds``, ``kappa``, ``confusion`` and
        ``fractions`` hold its present state, ``best`` and ``kappas`` the best pair and the map.

    Raises
    ------
    TypeError
        If `image` or `truth` is a plain array, or the grey values are not 8-bit.
    ValueError
        If grids differ, the truth holds one class only or codes other than 0, 1 and 2, or a pair does not
        ascend.

    Notes
    -----
    The best pair is chosen with the truth in sight: on another volume it does worse. The numbers are those of
    the whole volume; of a large one the picture holds some slices, or the middle of one, and says so.
    """
    check_grey(image)
    phases = [describe_phase(phase, phase.colour) for phase in default_phases()]
    joint = joint_table(image, truth, len(phases), ignore)
    kappas = kappa_by_threshold_pair(image, truth, ignore=ignore)
    lower, upper = np.unravel_index(int(np.nanargmax(kappas.values)), kappas.shape)
    best = (int(lower), int(upper))
    thresholds = best if start is None else _check_start(start)
    colours = mpl.colormaps["cividis"](np.linspace(0, 1, _STOPS), bytes=True)
    return KappaMapExplorer(
        **thresholded_state(image, truth, thresholds=thresholds, phases=phases, joint=joint),
        best=best,
        kappas=kappas,
        ramp=colours[:, :3].tolist(),
        highest=float(kappas.values[best]),
        marks={name: _check_mark(name, pair) for name, pair in (marks or {}).items()},
        caption=describe(caption, [image], source=source, notice=notice),
    )


def _top(highest: float) -> float:
    """Return where the colours of the map end: the tenth above the highest kappa."""
    return min(1.0, max(1, int(np.floor(10 * highest)) + 1) / 10)


def _check_start(start: Any) -> tuple[int, ...]:
    """Refuse what is no pair of thresholds."""
    if not (_is_pair(start) and ascending(tuple(start))):
        raise ValueError(
            f"Cannot start the explorer at {start!r}: a lower and an upper threshold are needed, whole grey "
            "values from 0 to 255, the lower first. Pass (90, 150), or leave start out for the best pair."
        )
    return tuple(int(value) for value in start)


def _check_mark(name: str, pair: Any) -> list[float]:
    """Refuse a mark that no pair of thresholds can have."""
    numbers = _is_pair(pair) and all(isinstance(v, Real) and not isinstance(v, bool) for v in pair)
    if not (numbers and 0 <= pair[0] < pair[1] <= 255):
        raise ValueError(
            f"Cannot mark {name!r} at {pair!r}: a lower and an upper threshold from 0 to 255 are needed, the "
            "lower first. Pass for instance {'published': (73, 110)}."
        )
    return [float(value) for value in pair]


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, Sequence | np.ndarray) and not isinstance(pair, str | bytes) and len(pair) == 2
