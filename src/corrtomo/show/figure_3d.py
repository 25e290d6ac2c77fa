"""A view in three dimensions that can be turned, with its words and the picture that stands in for it."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from .camera import Camera
from .figure import Figure, is_static, picture
from .style import DPI
from .surfaces import Surface

if TYPE_CHECKING:
    import plotly.graph_objects

MIME = "application/vnd.plotly.v1+json"
_STILL_DPI = 110
_INK = "#79828a"
"""Legible on light and dark: only the website tells plotly which of the two it is."""
_BUTTONS = {"remove": ["sendChartToCloud"], "orientation": "v", "bgcolor": "rgba(0,0,0,0)", "color": _INK}
"""None of them sends the view away; they stand one below the other, beside the legend on a phone too."""
_SIDES = np.array([1.0, -1.0, -1.0])
"""Which way x, y and z run in plotly's view: its turntable knows z upwards alone, so y and z are reversed."""
_STEPS = 8
"""Positions are rounded to this part of the grid's step: a tenth of a pixel, a third of the bytes."""


@dataclass(frozen=True, repr=False)
class Figure3D:
    """Surfaces that can be turned, with the words that belong to them.

    In a notebook it shows itself with plotly. On the website it is a picture that becomes a view when it
    comes near the screen, and stays a picture where there is no JavaScript or no WebGL, and in print.

    Attributes
    ----------
    surfaces : sequence of Surface
        What is shown.
    looks : sequence of dict
        What plotly is told of each surface beside its mesh: name, colour, opacity.
    camera : Camera
        Where it is seen from at first.
    step_um : tuple of float
        Edges x, y, z of the grid that the surfaces were found on.
    still : Figure
        The same view as a picture, with alt text and caption.
    """

    surfaces: Sequence[Surface]
    looks: Sequence[dict[str, Any]]
    camera: Camera
    step_um: tuple[float, ...]
    still: Figure

    @property
    def alt(self) -> str:
        """What the view shows, for readers who do not see it."""
        return self.still.alt

    @property
    def caption(self) -> str:
        """What it shows, its source, its voxel size, and the one thing to notice."""
        return self.still.caption

    def save(self, path: str | Path, *, dpi: int = 300) -> Path:
        """Write the still picture to a file, in the format of its suffix (PNG, SVG, PDF)."""
        return self.still.save(path, dpi=dpi)

    def plotly(self) -> plotly.graph_objects.Figure:
        """Return the view as a plotly figure, to change a detail or to write it to a file of its own."""
        import plotly.graph_objects as go  # half a second that only those pay who need it

        return go.Figure({"data": self._traces(), "layout": self._layout()})

    def __repr__(self) -> str:
        return f"Figure3D({self.caption!r})"

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self._repr_mimebundle_(), raw=True)  # type: ignore[no-untyped-call]
        if not is_static():  # plotly's own renderer knows no captions
            words = f"<figcaption>{html.escape(self.caption)}</figcaption>"
            display({"text/html": words, "text/plain": self.caption}, raw=True)  # type: ignore[no-untyped-call]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        if is_static():
            return {"text/html": self.html(), "text/plain": repr(self)}
        view = {
            "data": self._traces(),
            "layout": self._layout(),
            "config": {"displaylogo": False, "showSendToCloud": False},
        }
        return {MIME: view, "text/html": self.still.html(), "text/plain": repr(self)}

    def html(self) -> str:
        """Return the view as HTML for the website, whose ``view-3d.js`` brings it to life."""
        view = {
            "looks": [
                look | {"corners": len(s.corners), "triangles": len(s.triangles), "values": _range(s)}
                for s, look in zip(self.surfaces, self.looks, strict=True)
            ],
            "layout": self._layout(),
            "origin": self.camera.low_um.tolist(),
            "quantum": [step / _STEPS for step in self.step_um],
            "packed": base64.b64encode(self._packed()).decode(),
        }
        state = json.dumps(view, separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/")
        width = round(self.still.drawing.get_figwidth() * DPI / 2)
        image = picture(_jpeg(self.still.png(_STILL_DPI)), alt=self.alt, width=width, kind="jpeg")
        return (
            f'<figure class="ct-figure ct-view3d" data-aspect="{self.camera.aspect:.4f}">{image}'
            f'<script type="application/json">{state}</script>'
            f"<figcaption>{html.escape(self.caption)}</figcaption></figure>"
        )

    def _packed(self) -> bytes:
        """Pack all meshes: of every row of integers the differences, their bytes by rank, and gzip."""
        quantum = np.array(self.step_um) / _STEPS
        rows = []
        for surface in self.surfaces:
            whole = np.rint((surface.corners - self.camera.low_um) / quantum).astype(np.int32)
            rows += [*whole.T, surface.triangles.ravel()]
            if surface.values is not None:
                low, high = _range(surface) or (0.0, 1.0)
                rows.append(np.rint(255 * (surface.values - low) / (high - low)).astype(np.int32))
        return gzip.compress(b"".join(map(_by_rank, rows)), mtime=0)

    def _traces(self) -> list[dict[str, Any]]:
        traces = []
        for surface, look in zip(self.surfaces, self.looks, strict=True):
            mesh = dict(zip("xyz", map(_typed, surface.corners.T), strict=True))
            mesh |= dict(zip("ijk", map(_typed, surface.triangles.T), strict=True))
            if surface.values is not None:
                mesh["intensity"] = _typed(surface.values)
            traces.append(look | mesh)
        return traces

    def _layout(self) -> dict[str, Any]:
        camera = self.camera
        # a little beyond the box: plotly cuts off what lies on the very end of an axis
        beyond = 0.004 * (camera.high_um - camera.low_um)
        ends = zip(camera.low_um - beyond, camera.high_um + beyond, strict=True)
        axes = {
            f"{name}axis": {
                "title": {"text": f"{name} (µm)"},
                "range": [float(end) for end in (pair if side > 0 else pair[::-1])],
                "showbackground": False,
                "nticks": 6,
                "showspikes": False,
                "color": _INK,
            }
            for name, pair, side in zip("xyz", ends, _SIDES, strict=True)
        }
        eye, centre = (
            dict(zip("xyz", map(float, _SIDES * at), strict=True)) for at in (camera.eye, camera.centre)
        )
        scene = {**axes, "aspectmode": "data", "dragmode": "turntable", "domain": {"y": [0, 0.9]}}
        return {
            "scene": scene | {"camera": {"eye": eye, "center": centre}},
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "top", "itemsizing": "constant"},
            "font": {"color": _INK},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "modebar": _BUTTONS,
            "height": 560,
        }


def _jpeg(png: bytes) -> bytes:
    """Return a picture as JPEG: shaded surfaces weigh a fifth of what they do as PNG."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").save(buffer, format="JPEG", quality=85, subsampling=0, optimize=True)
    return buffer.getvalue()


def _range(surface: Surface) -> tuple[float, float] | None:
    if surface.values is None:
        return None
    low, high = float(surface.values.min()), float(surface.values.max())
    return low, high if high > low else low + 1.0


def _by_rank(row: npt.NDArray[np.int32]) -> bytes:
    steps = np.diff(row, prepend=np.int32(0)).astype("<i4")
    return steps.view(np.uint8).reshape(-1, 4).T.tobytes()


def _typed(values: npt.NDArray[Any]) -> dict[str, str]:
    """Return an array as plotly.js reads it: its type, and its bytes as base64."""
    plain = np.ascontiguousarray(values)
    return {"dtype": plain.dtype.str[1:], "bdata": base64.b64encode(plain.tobytes()).decode()}
