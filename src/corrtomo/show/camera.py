"""A camera on a box of surfaces, and the still picture it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.figure
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb

from .style import DPI, MUTED, WIDTH
from .surfaces import Surface

FIELD_OF_VIEW = np.pi / 4
"""Vertical opening angle of plotly's camera."""
UP = (0.0, 0.0, -1.0)
"""z counts downwards, from the milled top or the upper face, as y does on a slice: nothing is mirrored."""
_FROM = (1.25, 1.9, -1.05)
_FILL = 0.74
"""Share of the picture that the box may fill: its numbers need room."""
_ROUNDS = 50
_AMBIENT = 0.5

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Camera:
    """A perspective camera that holds all of a box, in the middle of its picture.

    Positions are in units in which plotly places its own camera: the box is scaled to a volume of one.
    """

    low_um: Floats
    high_um: Floats
    aspect: float
    eye: Floats
    centre: Floats

    @classmethod
    def on(cls, low_um: Sequence[float], high_um: Sequence[float]) -> Camera:
        """Step back from a box, its corners given as x, y, z, until all of it is in the picture."""
        low, high = np.asarray(low_um, float), np.asarray(high_um, float)
        size = (high - low) / np.prod(high - low) ** (1 / 3)
        toward = np.asarray(_FROM) / np.linalg.norm(_FROM)
        axes = _axes(toward)
        corners = np.array(np.meshgrid(*zip(-size / 2, size / 2, strict=True))).reshape(3, -1).T @ axes.T
        aspect = float(np.clip(np.ptp(corners[:, 0]) / np.ptp(corners[:, 1]), 1.0, 1.9))
        reach = np.tan(FIELD_OF_VIEW / 2) * _FILL
        for _ in range(_ROUNDS):
            need = np.maximum(np.abs(corners[:, 0]) / aspect, np.abs(corners[:, 1])) / reach
            far = float((need + corners[:, 2]).max())
            seen = corners[:, :2] / (far - corners[:, 2:])
            corners[:, :2] -= far * (seen.max(axis=0) + seen.min(axis=0)) / 2  # near corners weigh more
        centre = -(corners[0] - (-size / 2) @ axes.T) @ axes
        return cls(low, high, aspect, centre + toward * far, centre)

    @property
    def toward(self) -> Floats:
        """The direction from what is looked at to the camera, of length one."""
        back = self.eye - self.centre
        return np.asarray(back / np.linalg.norm(back))

    def project(self, points_um: Floats) -> tuple[Floats, Floats]:
        """Return where points are seen, in half heights of the picture, and how far they are."""
        scale = np.prod(self.high_um - self.low_um) ** (1 / 3)
        seen = (points_um - (self.low_um + self.high_um) / 2) / scale
        local = (seen - self.centre) @ _axes(self.toward).T
        far = np.linalg.norm(self.eye - self.centre) - local[:, 2]
        return local[:, :2] / far[:, None] / np.tan(FIELD_OF_VIEW / 2), far


def still(
    surfaces: Sequence[Surface], colours: Sequence[npt.NDArray[np.floating]], camera: Camera
) -> matplotlib.figure.Figure:
    """Draw surfaces as the camera sees them: triangles shaded by their slope, the farthest first.

    Parameters
    ----------
    surfaces : sequence of Surface
        What is seen.
    colours : sequence of numpy.ndarray
        Red, green and blue between 0 and 1 of every triangle of each surface.
    camera : Camera
        Where it is seen from.

    Returns
    -------
    matplotlib.figure.Figure
        The picture, with the box and its edges in µm; below it is room for a legend or a colour bar.
    """
    box = np.array(np.meshgrid(*zip(camera.low_um, camera.high_um, strict=True))).reshape(3, -1).T
    bottom, top = camera.project(box)[0][:, 1].min() - 0.06, camera.project(box)[0][:, 1].max() + 0.03
    height = WIDTH / camera.aspect * (top - bottom) / 2
    full = height + 0.55
    drawing = matplotlib.figure.Figure(figsize=(WIDTH, full), dpi=DPI)
    axes = drawing.add_axes((0, 0.55 / full, 1, height / full))
    axes.set(xlim=(-camera.aspect, camera.aspect), ylim=(bottom, top))
    axes.set_axis_off()
    shapes, shades = _shaded(surfaces, colours, camera)
    axes.add_collection(
        PolyCollection(list(shapes), facecolors=shades, edgecolors=shades, linewidths=0.4, rasterized=True)
    )
    _draw_edges(axes, camera)
    return drawing


def _axes(toward: Floats) -> Floats:
    """Return right, up and toward the camera as rows; z is down."""
    right = np.cross(UP, toward)
    right /= np.linalg.norm(right)
    return np.array([right, np.cross(toward, right), toward])


def _shaded(
    surfaces: Sequence[Surface], colours: Sequence[npt.NDArray[np.floating]], camera: Camera
) -> tuple[Floats, Floats]:
    shapes: list[Floats] = [np.empty((0, 3, 2))]
    shades: list[Floats] = [np.empty((0, 3))]
    depths: list[Floats] = [np.empty(0)]
    right, up, toward = _axes(camera.toward)
    light = toward + 0.5 * up - 0.35 * right
    light /= np.linalg.norm(light)
    for surface, colour in zip(surfaces, colours, strict=True):
        a, b, c = surface.corners.astype(float)[surface.triangles].swapaxes(0, 1)
        normal = np.cross(b - a, c - a)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)
        seen, far = camera.project(surface.corners.astype(float))
        flat, depth = seen[surface.triangles], far[surface.triangles].mean(axis=1)
        u, v = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
        front = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0] > 0
        bright = _AMBIENT + (1 - _AMBIENT) * np.clip(normal[front] @ light, 0, 1)
        shapes.append(flat[front])
        shades.append(colour[front] * bright[:, None])
        depths.append(depth[front])
    order = np.argsort(-np.concatenate(depths), kind="stable")
    return np.concatenate(shapes)[order], np.clip(np.concatenate(shades)[order], 0, 1)


def _draw_edges(axes: Axes, camera: Camera) -> None:
    """Draw the outline of the box, and say beside three of its edges how long they are."""
    low, high = camera.low_um, camera.high_um
    x, y, z = zip(low, high, strict=True)
    # seen from high x, high y, low z: front lower edge, right lower edge, left front edge
    y, z = y[::-1], z[::-1]
    labelled = {
        "x": ((x[0], y[0], z[0]), (x[1], y[0], z[0])),
        "y": ((x[1], y[0], z[0]), (x[1], y[1], z[0])),
        "z": ((x[0], y[0], z[0]), (x[0], y[0], z[1])),
    }
    outline = [
        ((x[0], y[0], z[1]), (x[1], y[0], z[1])),
        ((x[1], y[0], z[0]), (x[1], y[0], z[1])),
        ((x[1], y[1], z[0]), (x[1], y[1], z[1])),
        ((x[1], y[0], z[1]), (x[1], y[1], z[1])),
        ((x[0], y[0], z[1]), (x[0], y[1], z[1])),
        ((x[0], y[1], z[1]), (x[1], y[1], z[1])),
    ]
    lines = [camera.project(np.array(edge))[0] for edge in (*labelled.values(), *outline)]
    axes.add_collection(LineCollection(lines, colors=MUTED, linewidths=0.7))
    for (name, ends), length in zip(labelled.items(), high - low, strict=True):
        (ax, ay), (bx, by) = camera.project(np.array(ends))[0]
        along = np.degrees(np.arctan2(by - ay, bx - ax))
        out = np.array([by - ay, ax - bx]) / np.hypot(bx - ax, by - ay)
        if name == "z":
            along, out = 90.0, np.array([-1.0, 0.0])
        x_at, y_at = np.array([ax + bx, ay + by]) / 2 + 0.055 * out
        axes.text(
            x_at, y_at, f"{name}  {length:.3g} µm", rotation=along, ha="center", va="center", fontsize=11
        )


def plain(colour: str, surface: Surface) -> npt.NDArray[np.floating]:
    """Return one colour for every triangle."""
    return np.broadcast_to(np.array(to_rgb(colour)), (len(surface.triangles), 3))
