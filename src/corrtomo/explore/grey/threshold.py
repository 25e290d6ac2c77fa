"""The threshold explorer: drag a threshold on the histogram and see what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from ...measure import kappa_from_confusion
from ...phases import Phase
from ...show import Figure
from ...show.figure import Source, describe
from ...show.plots import draw_curve
from ...show.style import MUTED, letter
from ..comparison import describe_phase
from ..explorer import STYLE, Explorer, bundle
from .thresholded import (
    GREYS,
    Thresholded,
    check_grey,
    confusion_at,
    default_phases,
    joint_table,
    thresholded_state,
)

_REST, _CHOSEN = "#4a5a70", "#e69f00"


class ThresholdExplorer(Thresholded, Explorer):
    """One or two thresholds on the histogram of an image, and how well they agree with the truth.

    Made by :func:`threshold`. In a kernel, ``explorer.thresholds`` follows the handles and moves them, and
    ``explorer.observe(f, "thresholds")`` calls ``f`` at each change.
    """

    module: ClassVar[str] = "threshold"
    _esm = bundle("threshold")
    _css = STYLE

    def picture(self) -> Figure:
        """Draw the explorer as it stands: slice with segmentation, histogram with thresholds and kappa."""
        alt = (
            f"A slice with its segmentation by threshold {self._where()} painted over it, beside the "
            f"histogram of the grey values. {self._say_numbers()}"
        )
        return Figure(self._draw(self._draw_histogram), alt, self.caption)

    def __repr__(self) -> str:
        return f"ThresholdExplorer(thresholds={self.thresholds}, kappa={self.kappa:.4f})"

    def _draw_histogram(self, axes: Any) -> None:
        joint = np.asarray(self.joint)
        share = 100 * joint / joint.sum()
        base = np.zeros(GREYS)
        edges = np.arange(GREYS + 1) - 0.5
        for row, phase in zip(share, self.phases, strict=True):
            axes.stairs(base + row, edges, baseline=base, fill=True, color=phase["colour"])
            base = base + row
        axes.stairs(base, edges, color=MUTED, linewidth=0.7)
        axes.set(xlabel="grey value", ylabel="voxels (%)", xlim=(-0.5, 255.5), ylim=(0, None))
        for value in self.thresholds:
            axes.axvline(value + 0.5, color="black", linewidth=1.5)
        if len(self.thresholds) == 1:
            at = np.arange(GREYS)
            curve = [kappa_from_confusion(confusion_at(joint, (int(t),))) for t in at]
            draw_curve(axes, xr.DataArray(curve, dims="threshold", coords={"threshold": at}), 1.0)
        letter(axes, 1, f"κ {self.kappa:.4f} at {self._where()}")


def threshold(
    image: xr.DataArray,
    truth: xr.DataArray,
    *,
    thresholds: Sequence[int],
    caption: str,
    source: Source,
    notice: str | None = None,
    phases: Sequence[Phase | str] | None = None,
    ignore: int | None = None,
    marks: Mapping[str, float] | None = None,
) -> ThresholdExplorer:
    """Explore what one or two thresholds make of an image, beside the truth.

    Moving a threshold shows at once what the published workflow reports at one: where the segmentation
    misses, Cohen's kappa, the confusion counts and the phase fractions (Sci. Rep. 6, 30109, 2016).

    Parameters
    ----------
    image : xarray.DataArray
        8-bit grey values, 2D or 3D.
    truth : xarray.DataArray
        On the same grid: a mask for one threshold, codes 0, 1, 2 in the order of their grey values for two.
    thresholds : sequence of int
        Where the one or two handles start; a grey value above a threshold belongs to the brighter class.
    caption : str
        What it shows; source and voxel size are added.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    notice : str, optional
        The one thing to notice.
    phases : sequence of Phase or str, optional
        What the classes are, from dark to bright; by default the first codes of :class:`corrtomo.Phase` for
        two thresholds, and "the rest" with the name of the mask for one.
    ignore : int, optional
        Code in `truth` that is left out, 255 for instance.
    marks : mapping of str to float, optional
        Named thresholds to mark on the histogram.

    Returns
    -------
    ThresholdExplorer
        Shows itself in Jupyter and on the static website; ``thresholds``, ``kappa``, ``confusion`` and
        ``fractions`` hold its present state.

    Raises
    ------
    TypeError
        If `image` or `truth` is a plain array, or the grey values are not 8-bit.
    ValueError
        If grids differ, the truth holds one class only or codes without a threshold, or the thresholds do not
        ascend.

    Notes
    -----
    The numbers are those of the whole volume. The picture holds every slice of a small volume; of a large one
    it holds some slices, or the middle of one, and says so.
    """
    values = _check(image, thresholds)
    chosen = _phases(phases, truth, len(values) + 1)
    joint = joint_table(image, truth, len(chosen), ignore)
    return ThresholdExplorer(
        **thresholded_state(image, truth, thresholds=values, phases=chosen, joint=joint),
        marks={name: float(value) for name, value in (marks or {}).items()},
        caption=describe(caption, [image], source=source, notice=notice),
    )


def _check(image: xr.DataArray, thresholds: Sequence[int]) -> tuple[int, ...]:
    """Refuse grey values that are not 8-bit, and other than one or two thresholds; return those."""
    check_grey(image)
    if isinstance(thresholds, int | float) or len(thresholds) not in (1, 2):
        raise ValueError(
            f"Cannot explore thresholds {thresholds!r}: one or two are needed, in a sequence. "
            "Pass (118,) or (90, 150)."
        )
    return tuple(thresholds)


def _phases(given: Sequence[Phase | str] | None, truth: xr.DataArray, count: int) -> list[dict[str, str]]:
    """Return name, short name and colour of each class, from dark to bright."""
    if given is None:
        given = default_phases() if count == 3 else ["the rest", str(truth.name or "the mask")]
    if len(given) != count:
        raise ValueError(
            f"Cannot explore {count - 1} threshold(s) between phases {list(given)!r}: {count} are needed, "
            "from dark to bright. Pass for instance ('the rest', ct.Phase.AM) for one threshold."
        )
    return [describe_phase(phase, _REST if i == 0 else _CHOSEN) for i, phase in enumerate(given)]
