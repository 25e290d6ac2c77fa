"""The overlay explorer: CT, SE image and count maps of one section over each other, and moved by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import traitlets
import xarray as xr
from matplotlib.patches import Patch

from ...measure.options import as_float
from ...register import Alignment
from ...show import Figure
from ...show.figure import Source, describe
from ...show.layout import row
from ...show.style import MUTED, house_style
from ...volume import CHANNEL, origin, voxel_size
from ...volume import volume as make_volume
from ..explorer import HERE, STYLE, Explorer, bundle
from ..layered import adjusted, check_layers
from .held import Held
from .inputs import (
    SHARED,
    check_images,
    check_layer,
    check_maps,
    check_overlay_classes,
    check_set,
    check_several,
    map_colours,
)
from .layers import describe_layers, packed_layers
from .paint import paint_overlay
from .section import POSE
from .stack import check_alignment, check_reach, cut_state

OWN_STYLE = (HERE / "overlay" / "overlay.css").read_text(encoding="utf-8")
MODES = ["blend", "swipe", "checkerboard"]


class OverlayExplorer(Held, Explorer):
    """Images, count maps and classes of one section over each other; the section moved through a volume.

    Made by :func:`overlay`. In a kernel, ``explorer.mode``, ``layers``, ``cursor`` and ``pose`` follow the
    page and move it (see :meth:`adjust`); ``explorer.values`` is what lies under the cursor, and
    ``explorer.mutual_information`` how well the volume fits where the section is held.
    """

    module: ClassVar[str] = "overlay"
    _esm = bundle("overlay")
    _css = STYLE + OWN_STYLE

    palettes: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)
    choices: traitlets.List[Any] = traitlets.List().tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    start: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)

    mode = traitlets.Enum(MODES, "blend").tag(sync=True)
    sides: traitlets.List[Any] = traitlets.List().tag(sync=True)
    divider = traitlets.Float(0.5, min=0.0, max=1.0).tag(sync=True)
    squares = traitlets.Int(8, min=2, max=40).tag(sync=True)

    @traitlets.validate("sides")
    def _valid_sides(self, proposal: Any) -> list[str]:
        value = list(proposal["value"])
        if len(value) != 2 or any(side not in self.choices for side in value):
            raise ValueError(
                f"Cannot show the sides {value!r}: two are needed, left and right, out of {self.choices}. "
                f"Pass for instance {[self.choices[0], self.choices[-1]]!r}."
            )
        return value

    @traitlets.validate("layers")
    def _valid_layers(self, proposal: Any) -> list[dict[str, Any]]:
        check_layers(proposal["value"], self.about)
        return [check_layer(layer) for layer in proposal["value"]]

    @traitlets.validate("cursor")
    def _valid_cursor(self, proposal: Any) -> list[int]:
        value = list(proposal["value"])
        whole = len(value) == 2 and all(
            isinstance(v, int | np.integer) and not isinstance(v, bool) for v in value
        )
        if not whole or not all(0 <= v < n for v, n in zip(value, self.shape, strict=True)):
            raise ValueError(
                f"Cannot put the cursor at {value!r}: a row and a column inside the {self.shape[0]} rows and "
                f"{self.shape[1]} columns are needed. Pass for instance [0, 0]."
            )
        return [int(v) for v in value]

    @traitlets.validate("pose")
    def _valid_pose(self, proposal: Any) -> dict[str, float]:
        value = dict(proposal["value"])
        unknown = sorted(set(map(str, value)) - set(self.found))
        if unknown:
            allowed = f"a pose has {', '.join(POSE)}" if self.found else "the explorer holds no volume"
            raise ValueError(
                f"Cannot move the section by {unknown[0]!r}: {allowed}. Pass for instance {{'depth_um': 1.5}}"
                " to an explorer that was made with volume=."
            )
        # What is left out stays as it is.
        return {name: self._within(name, at) for name, at in {**self.found, **self.pose, **value}.items()}

    def adjust(self, name: str, **changes: Any) -> None:
        """Change how a layer is shown: `on`, `opacity`, `gain`, `gamma` or `colour`."""
        self.layers = adjusted(self.layers, self.about, name, changes)

    def picture(self) -> Figure:
        """Draw the explorer as it stands: the layers over each other, with the colours of the maps."""
        painted = self._painted()
        pixels = paint_overlay(painted, self.mode, self.sides, self.divider, self.squares)
        grid = make_volume(np.zeros(self.shape, np.uint8), self.voxel_um)
        with house_style():
            legend = [Patch(facecolor=c, edgecolor=MUTED, label=name) for name, c in self._named().items()]
            drawing = row({self._title(): pixels}, [grid], legend)
        return Figure(drawing, self._say(), self.caption)

    def __repr__(self) -> str:
        names = ", ".join(layer["name"] for layer in self.about)
        fit = f", mutual_information={self.mutual_information:.4f}" if self.found else ""
        return f"OverlayExplorer({names}; mode={self.mode!r}{fit})"

    def _within(self, name: str, value: Any) -> float:
        middle, reach = self.found[name], self.section["reach"][name]
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not number or not abs(as_float(value) - middle) <= reach * (1 + 1e-9):
            raise ValueError(
                f"Cannot move the section to {name} {value!r}: numbers from {middle - reach:.4g} to "
                f"{middle + reach:.4g} are within reach. Make the explorer with a larger "
                f"reach_{name.rsplit('_', 1)[1]}."
            )
        return float(value)

    def _named(self) -> dict[str, str]:
        """Return the names and colours of the maps and classes that are seen."""
        seen = {"blend"} if self.mode == "blend" else set(self.sides)
        out: dict[str, str] = {}
        for about, now in zip(self.about, self.layers, strict=True):
            if now["on"] and about["kind"] == "counts" and seen & set(SHARED):
                out[about["label"]] = now["colour"]
            if now["on"] and about["kind"] == "classes" and "blend" in seen:
                out |= {name: colour for _, name, colour in about["table"]}
        return out

    def _title(self) -> str:
        left, right = self.sides
        both = f"{left} | {right}" if self.mode == "swipe" else f"{left} and {right} in turn"
        return "overlay" if self.mode == "blend" else both

    def _say(self) -> str:
        pairs = zip(self.about, self.layers, strict=True)
        on = [f"{about['label']} at {100 * now['opacity']:.0f} %" for about, now in pairs if now["on"]]
        what = f"Layers over each other: {', '.join(on)}."
        if self.mode != "blend":
            what = f"Two views of one section: {self._title()}."
        if not self.found:
            return what
        held = f"{self.mutual_information:.4f} nat, at a depth of {self.pose['depth_um']:.2f} µm"
        return f"{what} Mutual information of the section and the volume is {held}."

    def _html(self) -> str:
        return f"<style>{OWN_STYLE}</style>{super()._html()}"


def overlay(
    images: Mapping[str, xr.DataArray],
    maps: xr.DataArray | None = None,
    *,
    caption: str,
    source: Source,
    classes: xr.DataArray | None = None,
    volume: xr.DataArray | None = None,
    alignment: Alignment | npt.ArrayLike | None = None,
    reach_um: float = 1.0,
    reach_deg: float = 3.0,
    colours: str = "paper",
    notice: str | None = None,
) -> OverlayExplorer:
    """Explore CT, SE image and count maps of one section over each other, and move the section by hand.

    The paper on nanoCT and SIMS shows them side by side and added up (its Fig. 4). Whether a lithium count
    belongs to this particle is seen where one picture is wiped over the other.

    Parameters
    ----------
    images : mapping of str to xarray.DataArray
        Names and grey values of one to three images, dims y, x, on one grid; NaN is not known. The first is
        the section that is held against the volume.
    maps : xarray.DataArray, optional
        Counts of one to four channels, dims channel, y, x, on that grid: whole numbers from 0 to 65535.
    caption : str
        What it shows; source and pixel size are added.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    classes : xarray.DataArray, optional
        Codes on that grid with names in ``attrs["classes"]`` or of phases, to be laid over the images.
    volume : xarray.DataArray, optional
        Grey values, dims z, y, x: where the section came from. What it shows on the plane of the section
        becomes the lowest layer, "CT".
    alignment : Alignment or array of 4 × 4, optional
        From the section to the volume, as :func:`corrtomo.register.locate_section` finds it, or its matrix
        alone, for instance the product of two. By default the section lies flat in the middle of the depth,
        in the coordinates of the volume.
    reach_um, reach_deg : float
        How far the section can be moved and turned to either side, in µm and degrees.
    colours : {"paper", "safe"}
        Colours of the maps at first: those of the paper, or a set that is told apart with any colour vision.
    notice : str, optional
        The one thing to notice.

    Returns
    -------
    OverlayExplorer
        Shows itself in Jupyter and on the static website; ``values``, ``mutual_information`` and ``scan()``
        are its numbers.

    Raises
    ------
    TypeError
        If images are no mapping, the alignment is none, or classes are no integers.
    ValueError
        If grids differ, maps hold what is no count, there is only one layer, the section lies outside the
        volume, or something is too large for a page.

    Notes
    -----
    A pose is the place of the middle of the section: its depth z, and by how much y and x differ from its
    own; its turn in the plane; and its tilts about the axes y and x of the volume, as one rotation. Tilted
    about y by more than zero, it lies deeper at larger x; about x, deeper at smaller y. Mutual information is
    in nats, of 32 × 32 bins of 8-bit grey values at 256 pixels across at most, less what so few pairs show by
    chance. It compares poses, and does not say how sure one is: that is ``alignment.error_um``. Grey values
    other than ``uint8`` are scaled from their 0.5 to their 99.5 percentile for the page.
    """
    kept = check_images(images, cut=volume is not None)
    section = next(iter(kept.values()))
    counted = check_maps(maps, kept)
    table = check_overlay_classes(classes, section)
    check_several(kept, counted, table, volume, alignment)
    key, matrix, reach = check_set(colours), check_alignment(alignment), check_reach(reach_um, reach_deg)
    cut = None if volume is None else cut_state(volume, section, matrix, reach)
    packed, greys = packed_layers(kept, counted, table)
    greys = greys if cut is None else cut.greys | greys
    about, layers = describe_layers(greys, table[1] if table else None, counted, key)
    images_ = [layer["name"] for layer in about if layer["kind"] == "grey"]
    choices = [*images_, *SHARED[counted is None :]]
    pictured = [section] if volume is None else [section, volume]
    start = {
        "mode": "blend" if cut is None else "swipe",
        "sides": choices[:2] if cut or counted is None else [images_[0], choices[-1]],
        "divider": 0.5,
        "squares": 8,
        "layers": layers,
        "cursor": [n // 2 for n in section.shape],
        "scanned": POSE[0],
    } | ({} if cut is None else {"pose": cut.state["found"]})
    return OverlayExplorer(
        shape=section.shape,
        voxel_um=voxel_size(section),
        origin_um=origin(section),
        about=about,
        palettes={} if counted is None else map_colours([str(c) for c in counted[CHANNEL].values]),
        choices=choices,
        caption=describe(caption, pictured, source=source, notice=notice),
        start=start,
        **packed,
        **(cut.state if cut else {}),
        **start,
    )
