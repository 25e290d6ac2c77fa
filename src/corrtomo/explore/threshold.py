"""The threshold explorer: drag a threshold on the histogram and see what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import matplotlib.figure
import numpy as np
import pandas as pd
import traitlets
import xarray as xr
from matplotlib.patches import Patch

from ..measure import joint_histogram, kappa_from_confusion, landis_koch
from ..phases import Phase
from ..show import Figure
from ..show.figure import Source, describe
from ..show.panels import mix
from ..show.plots import draw_curve
from ..show.style import DPI, HIT, MUTED, TOO_BRIGHT, TOO_DARK, WIDTH, house_style, letter, rgb, scale_bar
from ..volume import check_image, voxel_size
from .explorer import STYLE, Explorer, bundle, excerpt, pack, unpack

PICTURE_BYTES = 600_000
"""Most bytes of grey values and labels that go into a page, before they are packed."""
_GREYS = 256
_REST, _CHOSEN = "#4a5a70", "#e69f00"


class ThresholdExplorer(Explorer):
    """One or two thresholds on the histogram of an image, and how well they agree with the truth.

    Made by :func:`threshold`. In a kernel, ``explorer.thresholds`` follows the handles and moves them, and
    ``explorer.observe(f, "thresholds")`` calls ``f`` at each change.
    """

    module: ClassVar[str] = "threshold"
    _esm = bundle("threshold")
    _css = STYLE

    image = traitlets.Bytes().tag(sync=True)
    truth = traitlets.Bytes().tag(sync=True)
    shape: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    voxel_um: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    slices: traitlets.List[Any] = traitlets.List().tag(sync=True)
    positions_um: traitlets.List[Any] = traitlets.List().tag(sync=True)
    joint: traitlets.List[Any] = traitlets.List().tag(sync=True)
    phases: traitlets.List[Any] = traitlets.List().tag(sync=True)
    colours: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)
    words: traitlets.List[Any] = traitlets.List().tag(sync=True)
    marks: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)
    has_left_out = traitlets.Bool().tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    start: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)

    thresholds: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    slice = traitlets.Int().tag(sync=True)
    view = traitlets.Enum(["segmentation", "agreement"], "segmentation").tag(sync=True)
    opacity = traitlets.Float(0.5, min=0.0, max=1.0).tag(sync=True)
    log = traitlets.Bool(False).tag(sync=True)

    @traitlets.validate("thresholds")
    def _valid(self, proposal: Any) -> tuple[int, ...]:
        values = tuple(proposal["value"])
        count = len(self.start.get("thresholds", values))
        whole = all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in values)
        ascending = whole and all(a < b for a, b in zip((-1, *values), (*values, _GREYS), strict=True))
        if not ascending or len(values) != count:
            raise ValueError(
                f"Cannot move the explorer to thresholds {values!r}: {count} whole grey value(s) from 0 to "
                "255 are needed, each above the one before. Pass for instance "
                f"{tuple(85 * (i + 1) for i in range(count))!r}."
            )
        return tuple(int(v) for v in values)

    @property
    def confusion(self) -> pd.DataFrame:
        """Voxels of each true phase (rows) in each segmented class (columns), whole volume."""
        names = [phase["name"] for phase in self.phases]
        return pd.DataFrame(
            self._counts(),
            index=pd.Index(names, name="truth"),
            columns=pd.Index(names, name="segmented"),
        )

    @property
    def kappa(self) -> float:
        """Cohen's kappa of the segmentation and the truth, whole volume."""
        return kappa_from_confusion(self._counts())

    @property
    def fractions(self) -> pd.DataFrame:
        """Share of each phase in the truth and in the segmentation, in percent of the voxels compared."""
        counts = self.confusion
        n = counts.to_numpy().sum()
        shares = {"truth_percent": counts.sum(axis=1), "segmented_percent": counts.sum(axis=0)}
        return pd.DataFrame({name: 100 * column / n for name, column in shares.items()}).rename_axis("phase")

    def picture(self) -> Figure:
        """Draw the explorer as it stands: slice with segmentation, histogram with thresholds and kappa."""
        grey, classes = self._slice()
        palette = np.array([rgb(phase["colour"]) for phase in self.phases], np.uint8)
        wide, high = self.shape[2] * self.voxel_um[2], self.shape[1] * self.voxel_um[1]
        painted = mix(np.repeat(grey[..., None], 3, axis=-1), palette[classes], self.opacity)
        width = min(3.0, 3.6 * wide / high)  # inches of the slice
        height = max(1.8, width * high / wide)
        full, base = height + 1.15, 0.85
        with house_style():
            drawing = matplotlib.figure.Figure(figsize=(WIDTH, full), dpi=DPI)
            shape = (width / WIDTH, width * high / wide / full)
            left = drawing.add_axes((0.0, (base + height) / full - shape[1], *shape))
            left.imshow(painted, extent=(0, wide, high, 0), aspect="auto")
            left.set_axis_off()
            scale_bar(left, wide, high)
            letter(left, 0, "segmentation")
            self._draw_histogram(drawing.add_axes((0.6, base / full, 0.31, height / full)))
            legend = [Patch(facecolor=p["colour"], edgecolor=MUTED, label=p["name"]) for p in self.phases]
            drawing.legend(handles=legend, loc="lower left", ncols=3, handlelength=1.0, borderpad=0.0)
        return Figure(drawing, self._alt(), self.caption)

    def __repr__(self) -> str:
        return f"ThresholdExplorer(thresholds={self.thresholds}, kappa={self.kappa:.4f})"

    def _counts(self) -> np.ndarray:
        return _confusion(np.asarray(self.joint), self.thresholds)

    def _slice(self) -> tuple[np.ndarray, np.ndarray]:
        grey = unpack(self.image).reshape(self.shape)[self.slice]
        return grey, np.searchsorted(np.asarray(self.thresholds), grey, side="left")

    def _draw_histogram(self, axes: Any) -> None:
        joint = np.asarray(self.joint)
        share = 100 * joint / joint.sum()
        base = np.zeros(_GREYS)
        edges = np.arange(_GREYS + 1) - 0.5
        for row, phase in zip(share, self.phases, strict=True):
            axes.stairs(base + row, edges, baseline=base, fill=True, color=phase["colour"])
            base = base + row
        axes.stairs(base, edges, color=MUTED, linewidth=0.7)
        axes.set(xlabel="grey value", ylabel="voxels (%)", xlim=(-0.5, 255.5), ylim=(0, None))
        for value in self.thresholds:
            axes.axvline(value + 0.5, color="black", linewidth=1.5)
        if len(self.thresholds) == 1:
            at = np.arange(_GREYS)
            curve = [kappa_from_confusion(_confusion(joint, (int(t),))) for t in at]
            draw_curve(axes, xr.DataArray(curve, dims="threshold", coords={"threshold": at}), 1.0)
        where = " and ".join(map(str, self.thresholds))
        letter(axes, 1, f"κ {self.kappa:.4f} at {where}")

    def _alt(self) -> str:
        where = " and ".join(map(str, self.thresholds))
        shares = ", ".join(
            f"{name} {row.segmented_percent:.2f} % (truth {row.truth_percent:.2f} %)"
            for name, row in self.fractions.iterrows()
        )
        return (
            f"A slice with its segmentation by threshold {where} painted over it, beside the histogram of "
            f"the grey values. Cohen's kappa is {self.kappa:.4f}, {landis_koch(self.kappa)}. "
            f"Fractions: {shares}."
        )


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
    joint = _joint(image, truth, len(chosen), ignore)
    (grey, codes), picked, note = excerpt([image, truth.astype(np.uint8)], most_bytes=PICTURE_BYTES)
    start = {"thresholds": values, "slice": len(picked) // 2, "view": "segmentation"}
    start |= {"opacity": 0.5, "log": False}
    depth = str(image.dims[0]) if image.ndim == 3 else None
    sizes = voxel_size(image)
    return ThresholdExplorer(
        image=pack(grey),
        truth=pack(np.minimum(codes, len(chosen))),
        shape=grey.shape,
        voxel_um=sizes if depth else (1.0, *sizes),
        slices=picked,
        positions_um=[float(image[depth][i]) for i in picked] if depth else [0.0],
        joint=joint.tolist(),
        phases=chosen,
        colours={
            "hit": HIT,
            "too_dark": TOO_DARK,
            "too_bright": TOO_BRIGHT,
            "left_out": Phase.LEFT_OUT.colour,
        },
        words=_words(),
        marks={name: float(value) for name, value in (marks or {}).items()},
        has_left_out=bool((codes >= len(chosen)).any()),
        caption=describe(caption, [image], source=source, notice=notice),
        note=note,
        start=start,
        **start,
    )


def _check(image: xr.DataArray, thresholds: Sequence[int]) -> tuple[int, ...]:
    """Refuse grey values that are not 8-bit, and other than one or two thresholds; return those."""
    check_image(image, ndim=(2, 3))
    if image.dtype != np.uint8:
        raise TypeError(
            f"Cannot explore thresholds of an image of dtype {image.dtype}: 8-bit grey values (uint8) are "
            "needed. Convert it first over limits you choose, for instance "
            "((image - low) / (high - low) * 255).clip(0, 255).round().astype('uint8')."
        )
    if isinstance(thresholds, int | float) or len(thresholds) not in (1, 2):
        raise ValueError(
            f"Cannot explore thresholds {thresholds!r}: one or two are needed, in a sequence. "
            "Pass (118,) or (90, 150)."
        )
    return tuple(thresholds)


def _phases(given: Sequence[Phase | str] | None, truth: xr.DataArray, count: int) -> list[dict[str, str]]:
    """Return name, short name and colour of each class, from dark to bright."""
    if given is None:
        given = [Phase(i) for i in range(3)] if count == 3 else ["the rest", str(truth.name or "the mask")]
    if len(given) != count:
        raise ValueError(
            f"Cannot explore {count - 1} threshold(s) between phases {list(given)!r}: {count} are needed, "
            "from dark to bright. Pass for instance ('the rest', ct.Phase.AM) for one threshold."
        )
    return [_phase(phase, _REST if i == 0 else _CHOSEN) for i, phase in enumerate(given)]


def _phase(phase: Phase | str, colour: str) -> dict[str, str]:
    if not isinstance(phase, Phase):
        return {"name": phase, "short": phase, "colour": colour}
    short = phase.label if len(phase.label) <= 8 else phase.name
    return {"name": phase.label, "short": short, "colour": phase.colour}


def _joint(image: xr.DataArray, truth: xr.DataArray, count: int, ignore: int | None) -> np.ndarray:
    """Return the counts of every true phase (rows) and grey value (columns)."""
    joint = joint_histogram(image, truth, ignore=ignore)
    codes = [int(code) for code in joint.phase.values]
    if any(code not in range(count) for code in codes):
        raise ValueError(
            f"Cannot explore {count - 1} threshold(s) with a truth of codes {codes}: they part {count} "
            f"classes, with codes {list(range(count))}. Compare one phase first, for instance "
            "truth == ct.Phase.AM, or pass one threshold more."
        )
    table = np.zeros((count, _GREYS), np.int64)
    table[codes] = joint.values
    if (table.sum(axis=1) > 0).sum() < 2:
        raise ValueError(
            f"Cannot explore thresholds with a truth of one class (code {codes[0]}): kappa is not defined. "
            "Two or more are needed. Choose a larger crop."
        )
    return table


def _confusion(joint: np.ndarray, thresholds: tuple[int, ...]) -> np.ndarray:
    """Return the voxels of each true phase (rows) in each class (columns)."""
    edges = np.array([0, *(t + 1 for t in thresholds), _GREYS])
    cumulated = np.concatenate([np.zeros((len(joint), 1), np.int64), joint.cumsum(axis=1)], axis=1)
    return np.diff(cumulated[:, edges], axis=1)


def _words() -> list[list[Any]]:
    """Return the Landis-Koch words, each with the highest kappa it is said of, for the page."""
    bounds = [float(np.nextafter(0, -1)), 0.2, 0.4, 0.6, 0.8]
    return [*([bound, landis_koch(bound)] for bound in bounds), [None, landis_koch(1.0)]]
