"""What explorers of thresholds share: an image, its joint histogram with the truth, and where it is cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.figure
import numpy as np
import traitlets
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from ...measure import joint_histogram
from ...phases import Phase
from ...show.panels import mix
from ...show.style import DPI, MUTED, WIDTH, house_style, letter, rgb, scale_bar
from ...volume import check_image
from ..comparison import Comparison, comparison_state
from ..explorer import excerpt, pack, unpack

GREYS = 256
PICTURE_BYTES = 600_000
"""Most bytes of grey values and labels that go into a page, before they are packed."""


class Thresholded(Comparison):
    """An image cut by thresholds into classes, beside the truth; mixed into an explorer."""

    image = traitlets.Bytes().tag(sync=True)
    truth = traitlets.Bytes().tag(sync=True)
    joint: traitlets.List[Any] = traitlets.List().tag(sync=True)
    marks: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)

    thresholds: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    view = traitlets.Enum(["segmentation", "agreement"], "segmentation").tag(sync=True)
    log = traitlets.Bool(False).tag(sync=True)

    @traitlets.validate("thresholds")
    def _valid(self, proposal: Any) -> tuple[int, ...]:
        values = tuple(proposal["value"])
        count = len(self.start.get("thresholds", values))
        if not ascending(values) or len(values) != count:
            raise ValueError(
                f"Cannot move the explorer to thresholds {values!r}: {count} whole grey value(s) from 0 to "
                "255 are needed, each above the one before. Pass for instance "
                f"{tuple(85 * (i + 1) for i in range(count))!r}."
            )
        return tuple(int(v) for v in values)

    def _counts(self) -> np.ndarray:
        return confusion_at(np.asarray(self.joint), self.thresholds)

    def _where(self) -> str:
        return " and ".join(map(str, self.thresholds))

    def _draw(self, right: Callable[[Axes], None]) -> matplotlib.figure.Figure:
        """Draw the slice with its segmentation on the left, and leave the right to the explorer."""
        grey = unpack(self.image).reshape(self.shape)[self.slice]
        classes = np.searchsorted(np.asarray(self.thresholds), grey, side="left")
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
            right(drawing.add_axes((0.6, base / full, 0.31, height / full)))
            legend = [Patch(facecolor=p["colour"], edgecolor=MUTED, label=p["name"]) for p in self.phases]
            drawing.legend(handles=legend, loc="lower left", ncols=3, handlelength=1.0, borderpad=0.0)
        return drawing


def thresholded_state(
    image: xr.DataArray,
    truth: xr.DataArray,
    *,
    thresholds: tuple[int, ...],
    phases: list[dict[str, str]],
    joint: np.ndarray,
) -> dict[str, Any]:
    """Return the traits that explorers of thresholds have in common, at their start."""
    (grey, codes), picked, note = excerpt([image, truth.astype(np.uint8)], most_bytes=PICTURE_BYTES)
    start = {"thresholds": thresholds, "slice": len(picked) // 2, "view": "segmentation"}
    start |= {"opacity": 0.5, "log": False}
    return {
        **comparison_state(image, picked),
        "image": pack(grey),
        "truth": pack(np.minimum(codes, len(phases))),
        "shape": grey.shape,
        "joint": joint.tolist(),
        "phases": phases,
        "has_left_out": bool((codes >= len(phases)).any()),
        "note": note,
        "start": start,
        **start,
    }


def check_grey(image: Any) -> None:
    """Refuse grey values that are not 8-bit."""
    check_image(image, ndim=(2, 3))
    if image.dtype != np.uint8:
        raise TypeError(
            f"Cannot explore thresholds of an image of dtype {image.dtype}: 8-bit grey values (uint8) are "
            "needed. Convert it first over limits you choose, for instance "
            "((image - low) / (high - low) * 255).clip(0, 255).round().astype('uint8')."
        )


def ascending(values: Sequence[Any]) -> bool:
    """Return whether all are whole grey values, each above the one before."""
    whole = all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in values)
    return whole and all(a < b for a, b in zip((-1, *values), (*values, GREYS), strict=True))


def joint_table(image: xr.DataArray, truth: xr.DataArray, count: int, ignore: int | None) -> np.ndarray:
    """Return the counts of every true phase (rows) and grey value (columns)."""
    joint = joint_histogram(image, truth, ignore=ignore)
    codes = [int(code) for code in joint.phase.values]
    if any(code not in range(count) for code in codes):
        hint = "Compare one phase first, for instance truth == ct.Phase.AM, or pass one threshold more."
        if count > 2:
            hint = "Leave out the other codes first with truth.where(truth < 3, 255), and pass ignore=255."
        raise ValueError(
            f"Cannot explore {count - 1} threshold(s) with a truth of codes {codes}: they part {count} "
            f"classes, with codes {list(range(count))}. {hint}"
        )
    table = np.zeros((count, GREYS), np.int64)
    table[codes] = joint.values
    if (table.sum(axis=1) > 0).sum() < 2:
        raise ValueError(
            f"Cannot explore thresholds with a truth of one class (code {codes[0]}): kappa is not defined. "
            "Two or more are needed. Choose a larger crop."
        )
    return table


def confusion_at(joint: np.ndarray, thresholds: tuple[int, ...]) -> np.ndarray:
    """Return the voxels of each true phase (rows) in each class (columns)."""
    edges = np.array([0, *(t + 1 for t in thresholds), GREYS])
    cumulated = np.concatenate([np.zeros((len(joint), 1), np.int64), joint.cumsum(axis=1)], axis=1)
    return np.diff(cumulated[:, edges], axis=1)


def default_phases() -> list[Phase]:
    """Return the phases that two thresholds part, from dark to bright."""
    return [Phase.PORE, Phase.CBD, Phase.AM]
