"""The zoom explorer: one view from a whole cell to a grain, images of all scales in one frame."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import traitlets
import xarray as xr
from matplotlib.patches import Patch, Polygon

from ...checks import is_finite
from ...register import Scene
from ...show import Figure
from ...show.figure import Source, describe
from ...show.layout import row
from ...show.style import MUTED, SERIES, house_style, say_length
from ...volume import volume as make_volume
from ..explorer import HERE, STYLE, Explorer, bundle, unpack
from ..layered import adjusted, check_layer_name, check_layers
from .inputs import VIEW, errors_between, fit_view, place_images
from .layers import packed_planes
from .view import Layer, paint_view, unpack_layers

OWN_STYLE = (HERE / "zoom" / "zoom.css").read_text(encoding="utf-8")
_SIDE = 480
_FEWEST = 12
"""Pixels of the finest image across the picture, at the deepest zoom."""
_WIDEST = 1.6
_KNOWN = "Known to: expected error of the finest image at the cursor in the frame of the others."


class ZoomExplorer(Explorer):
    """Images of all scales in one frame, zoomed through. Made by :func:`zoom`.

    In a kernel, ``explorer.view`` (the middle, ``y_um`` and ``x_um``, and ``field_um`` across), ``layers``,
    ``cursor_um`` and ``frames`` follow the page and move it; :meth:`go_to` shows one image, ``values`` is
    what lies under the cursor, and ``errors_um`` how sure that place is.
    """

    module: ClassVar[str] = "zoom"
    _esm = bundle("zoom")
    _css = STYLE + OWN_STYLE

    about: traitlets.List[Any] = traitlets.List().tag(sync=True)
    pixels = traitlets.Bytes().tag(sync=True)
    known = traitlets.Bytes().tag(sync=True)
    goals: traitlets.List[Any] = traitlets.List().tag(sync=True)
    limits: traitlets.List[Any] = traitlets.List().tag(sync=True)
    bounds: traitlets.List[Any] = traitlets.List().tag(sync=True)
    between_um: traitlets.List[Any] = traitlets.List().tag(sync=True)
    root = traitlets.Int(0).tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    start: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)

    view: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)
    cursor_um: traitlets.List[Any] = traitlets.List().tag(sync=True)
    layers: traitlets.List[Any] = traitlets.List().tag(sync=True)
    frames = traitlets.Bool(True).tag(sync=True)

    @traitlets.validate("view")
    def _valid_view(self, proposal: Any) -> dict[str, float]:
        # What is left out stays as it is.
        value = {**self.start.get("view", {}), **self.view, **dict(proposal["value"])}
        if set(value) != set(VIEW) or not all(_is_number(v) for v in value.values()):
            raise ValueError(
                f"Cannot show the view {dict(proposal['value'])!r}: {', '.join(VIEW)} are needed, numbers in "
                "µm. Pass for instance {'field_um': 100.0}."
            )
        low, high = self.limits
        if not low * (1 - 1e-9) <= value["field_um"] <= high * (1 + 1e-9):
            raise ValueError(
                f"Cannot show a field of {value['field_um']!r} µm: from {low:.4g} to {high:.4g} µm are "
                f"shown. Pass for instance {{'field_um': {high:.4g}}}."
            )
        self._check_place((value["y_um"], value["x_um"]))
        return {name: float(value[name]) for name in VIEW}

    @traitlets.validate("cursor_um")
    def _valid_cursor(self, proposal: Any) -> list[float]:
        value = list(proposal["value"])
        if len(value) != 2 or not all(_is_number(v) for v in value):
            raise ValueError(
                f"Cannot put the cursor at {value!r}: y and x in µm are needed. Pass for instance [0.0, 0.0]."
            )
        self._check_place(value)
        return [float(v) for v in value]

    @traitlets.validate("layers")
    def _valid_layers(self, proposal: Any) -> list[dict[str, Any]]:
        value = proposal["value"]
        check_layers(value, self.about)
        for layer in value:
            opacity = layer.get("opacity")
            good = set(layer) == {"name", "on", "opacity"} and isinstance(layer["on"], bool)
            if not good or not _is_number(opacity) or not 0 <= opacity <= 1:
                raise ValueError(
                    f"Cannot show layer {layer['name']!r} by {dict(layer)!r}: on (True or False) and opacity "
                    f"from 0 to 1 are needed. Pass for instance explorer.adjust({layer['name']!r}, on=False)."
                )
        return [dict(layer) for layer in value]

    @property
    def values(self) -> pd.Series:
        """What lies under the cursor: y and x in µm, and the value of each image there; None beside it."""
        out: dict[str, Any] = dict(zip(("y_um", "x_um"), self.cursor_um, strict=True))
        out |= {layer.about["name"]: layer.value_at(self.cursor_um) for layer in self._layers}
        return pd.Series(out, dtype=object)

    @property
    def errors_um(self) -> pd.Series:
        """How sure the finest image at the cursor lies in the frame of each, in µm; empty if unknown."""
        there = [
            i
            for i, (layer, shown) in enumerate(zip(self._layers, self.layers, strict=True))
            if shown["on"] and layer.value_at(self.cursor_um) is not None
        ]
        errors: dict[str, float] = {}
        if self.between_um and there:
            names = [layer["name"] for layer in self.about]
            errors = dict(zip(names, self.between_um[there[-1]], strict=True))
            del errors[names[there[-1]]]
        return pd.Series(errors, dtype=float)

    def go_to(self, name: str) -> None:
        """Show one image, as large as it fits, with the cursor in its middle."""
        check_layer_name(name, self.about, doing="go to")
        self.view = next(dict(goal["view"]) for goal in self.goals if goal["name"] == name)
        self.cursor_um = [self.view["y_um"], self.view["x_um"]]

    def adjust(self, name: str, **changes: Any) -> None:
        """Change how an image is shown: `on` or `opacity`."""
        self.layers = adjusted(self.layers, self.about, name, changes)

    def picture(self) -> Figure:
        """Draw the explorer as it stands: the view, with the frames of the images in it."""
        pixels = paint_view(self._layers, self.layers, self.view, _SIDE)
        field = self.view["field_um"]
        grid = make_volume(np.zeros((_SIDE, _SIDE), np.uint8), field / _SIDE)
        with house_style():
            legend = [Patch(facecolor="none", edgecolor=c, label=name) for name, c in self._framed().items()]
            legend += [Patch(facecolor=c, edgecolor=MUTED, label=name) for name, c in self._classed().items()]
            drawing = row({f"{say_length(field)} across": pixels}, [grid], legend)
            for name, colour in self._framed().items():
                goal = next(goal for goal in self.goals if goal["name"] == name)
                corner = np.array([self.view["y_um"] - field / 2, self.view["x_um"] - field / 2])
                outline = (np.array(goal["corners"]) - corner)[:, ::-1]
                drawing.axes[0].add_patch(Polygon(outline, fill=False, edgecolor=colour, linewidth=1.6))
            drawing.axes[0].set(xlim=(0, field), ylim=(field, 0))
        return Figure(drawing, self._say(), self.caption)

    def __repr__(self) -> str:
        names = ", ".join(layer["name"] for layer in self.about)
        return f"ZoomExplorer({names}; {say_length(self.view['field_um'])} across)"

    @cached_property
    def _layers(self) -> list[Layer]:
        return unpack_layers(unpack(self.pixels), unpack(self.known), self.about)

    def _framed(self) -> dict[str, str]:
        """Return the colour of the frame of each image that is shown, but of the coarsest."""
        if not self.frames:
            return {}
        pairs = list(zip(self.goals, self.layers, strict=True))[1:]
        return {goal["name"]: goal["colour"] for goal, layer in pairs if layer["on"]}

    def _classed(self) -> dict[str, str]:
        """Return the colours of the classes of all images that are shown."""
        pairs = zip(self.about, self.layers, strict=True)
        tables = [about["table"] for about, layer in pairs if layer["on"] and about["kind"] == "classes"]
        return {name: colour for table in tables for _, name, colour in table}

    def _check_place(self, place: Any) -> None:
        for name, at, (low, high) in zip("yx", place, self.bounds, strict=True):
            if not low <= at <= high:
                raise ValueError(
                    f"Cannot look at {name} {at:.6g} µm: the images lie from {low:.6g} to {high:.6g} µm. "
                    "Pass a place between them."
                )

    def _say(self) -> str:
        on = [layer["name"] for layer in self.layers if layer["on"]]
        at = f"y {self.view['y_um']:.4g}, x {self.view['x_um']:.4g} µm"
        across = say_length(self.view["field_um"])
        return f"{', '.join(on) or 'No image'} over each other, {across} across at {at}."

    def _html(self) -> str:
        return f"<style>{OWN_STYLE}</style>{super()._html()}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and is_finite(value)


def zoom(
    images: Scene | Mapping[str, xr.DataArray],
    *,
    caption: str,
    source: Source,
    root: str | None = None,
    slices_um: Mapping[str, float] | None = None,
    notice: str | None = None,
) -> ZoomExplorer:
    """Explore images of all scales in one view, from a whole cell to a grain.

    "The correlation of data from different analytical methods from the macro to the nano scale" (Fraunhofer
    IKTS) is believed when one sees where in the cell the grain lies.

    Parameters
    ----------
    images : Scene or mapping of str to xarray.DataArray
        A scene with its images; or images that lie in one frame, with their names. Grey values, labels with
        ``attrs["phases"]`` or ``attrs["classes"]``, or channels red, green and blue of ``uint8``; dims y, x
        or z, y, x. NaN is not known and shows what is below.
    caption : str
        What it shows; source and pixel sizes are added.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    root : str, optional
        Whose frame the picture shows; by default that of the largest image.
    slices_um : mapping of str to float, optional
        At which z of its own frame a volume is cut. By default where the middle of the finest image lies, or
        in the middle of a volume that does not reach there.
    notice : str, optional
        The one thing to notice.

    Returns
    -------
    ZoomExplorer
        Shows itself in Jupyter and on the static website; ``view``, ``values`` and ``go_to()`` move it.

    Raises
    ------
    TypeError, ValueError
        If images are none or their values are not known, a plane stands at more than 60° to the picture, or
        they are too large for a page even at 64 pixels across.
    SceneError
        If images are not joined with each other, or through alignments that contradict each other.

    Notes
    -----
    A plane that is tilted against the picture is shown as seen from above: foreshortened, and at no one
    depth. Images of more than 768 pixels across, fewer if many weigh too much, are averaged for the page; the
    explorer says which. Of a scene, the read-out says how sure the finest image at the cursor lies in the
    frame of each other one.
    """
    planes, base = place_images(images, root, slices_um)
    between = errors_between(images, planes)
    pixels, known, about, note = packed_planes(planes)
    ends = np.concatenate([plane.corners() for plane in planes])
    low, high = ends.min(axis=0), ends.max(axis=0)
    views = [fit_view(plane.corners()) for plane in planes]
    whole = fit_view(np.array([low, high]))
    finest = min(layer["pixel_um"] for layer in about)
    limits = [min(_FEWEST * finest, whole["field_um"]), _WIDEST * whole["field_um"]]
    reach = (high - low).max()
    goals = [
        {
            "name": plane.name,
            "colour": SERIES[i % len(SERIES)],
            "corners": plane.corners().tolist(),
            "view": view,
        }
        for i, (plane, view) in enumerate(zip(planes, views, strict=True))
    ]
    start = {
        "view": whole,
        "cursor_um": [views[-1]["y_um"], views[-1]["x_um"]],
        "layers": [{"name": plane.name, "on": True, "opacity": 1.0} for plane in planes],
        "frames": True,
    }
    return ZoomExplorer(
        about=about,
        pixels=pixels,
        known=known,
        goals=goals,
        limits=limits,
        between_um=between,
        root=[plane.name for plane in planes].index(base),
        bounds=[[float(a - reach / 2), float(b + reach / 2)] for a, b in zip(low, high, strict=True)],
        caption=describe(caption, [plane.grey() for plane in planes], source=source, notice=notice),
        note=f"{note} {_KNOWN}".strip() if between else note,
        start=start,
        **start,
    )
