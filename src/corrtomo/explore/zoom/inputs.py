"""What goes into a zoom explorer: images of many scales, each as a plane placed in one frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from ...checks import is_finite
from ...measure.options import check_named
from ...register import Grid, Scene
from ...register.frames import Floats, inverse, move
from ...register.scene.edges import lifted
from ...volume import CHANNEL, check_image, origin, voxel_size

DOING = "explore scales"
MOST_IMAGES = 12
VIEW = ("y_um", "x_um", "field_um")
_MARGIN = 1.08
_MOST_PIXELS = 1 << 28
_STEEPEST = 0.5
"""Share of its area that a plane must show to the picture: it stands at 60° to it at most."""
_LIKE = "Pass a ct.register.Scene with its images, or for instance {'cell': cell, 'detail': detail}."
_RGB = ["red", "green", "blue"]


@dataclass(frozen=True, eq=False)
class Plane:
    """An image of a plane, and where its pixels lie in the frame of the picture.

    `matrix` is 3 × 3 and takes (row, column, 1) to (z, y, x) in µm; (0, 0) is the centre of the first pixel.
    """

    name: str
    image: xr.DataArray
    matrix: Floats

    @property
    def pixel_um(self) -> float:
        """Edge length of a pixel as the picture shows it, in µm."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[1:, :2]))))

    def corners(self) -> Floats:
        """Return the outer corners, (y, x) in µm of the picture, in order around it."""
        rows, columns = (self.image.sizes[d] - 0.5 for d in ("y", "x"))
        ends = np.array([[-0.5, -0.5, 1], [-0.5, columns, 1], [rows, columns, 1], [rows, -0.5, 1]])
        return np.asarray((ends @ self.matrix.T)[:, 1:])

    def grey(self) -> xr.DataArray:
        """Return the image, one channel of it where it has colours."""
        return self.image.isel({CHANNEL: 0}, drop=True) if CHANNEL in self.image.dims else self.image


def place_images(images: Any, root: str | None, slices_um: Any) -> tuple[list[Plane], str]:
    """Return a plane of each image, the coarsest first, and whose frame they lie in; refuse what has none."""
    if isinstance(images, Scene):
        given, missing = images.images, sorted(set(images.grids) - set(images.images))
        if missing:
            raise ValueError(
                f"Cannot {DOING} of a scene that knows the grid of {missing[0]!r}, and not its values. Give "
                f"it the image first with scene.add({missing[0]!r}, image)."
            )
    else:
        if not isinstance(images, Mapping):
            raise TypeError(
                f"Cannot {DOING} of a {type(images).__name__}: a scene, or images with their names are "
                f"needed. {_LIKE}"
            )
        given = dict(images)
    _check_images(given)
    grids = {name: Grid.of(image) for name, image in given.items()}
    base = _check_root(root, grids)
    frames = {name: _frame(images, name, base) for name in given}
    depths = _depths(grids, frames, slices_um)
    planes = [_plane(name, given[name], frames[name], depths.get(name, 0.0)) for name in given]
    # Of pixels that are as large, to a hundredth, the larger image lies below.
    return sorted(
        planes, key=lambda p: (-round(float(np.log(p.pixel_um)), 2), -max(grids[p.name].size_um))
    ), base


def fit_view(corners: Floats) -> dict[str, float]:
    """Return the view that shows all of some corners, with a margin."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    y, x = ((low + high) / 2).tolist()
    return dict(zip(VIEW, (y, x, _MARGIN * float((high - low).max())), strict=True))


def errors_between(images: Any, planes: Sequence[Plane]) -> list[list[float]]:
    """Return the expected error of each image, a row, in the frame of each, in µm; none without a scene."""
    if not isinstance(images, Scene):
        return []
    names = [plane.name for plane in planes]
    return [[images.between(moving, fixed).error_um for fixed in names] for moving in names]


def _check_images(images: Mapping[Any, Any]) -> None:
    named = all(isinstance(name, str) and name.strip() for name in images)
    if not 1 <= len(images) <= MOST_IMAGES or not named or {"y_um", "x_um"} & set(images):
        raise ValueError(
            f"Cannot {DOING} of {len(images)} images named {list(images)!r}: one to {MOST_IMAGES} are "
            f"allowed, each with a name that is no place. {_LIKE}"
        )
    for name, image in images.items():
        try:
            check_image(image)
            Grid.of(image)
        except (TypeError, ValueError) as error:
            raise type(error)(f"Cannot {DOING} with {name!r}: {error}") from error
        channels = image[CHANNEL].values.tolist() if CHANNEL in image.coords else []
        if CHANNEL in image.dims and (channels != _RGB or image.dtype != np.uint8):
            raise ValueError(
                f"Cannot {DOING} with {name!r} of channels {channels} and dtype {image.dtype}: a picture in "
                "colours has the channels red, green and blue of uint8. Select one channel first, for "
                "instance with image.isel(channel=0)."
            )
        if image.sizes["y"] * image.sizes["x"] > _MOST_PIXELS:
            raise ValueError(
                f"Cannot {DOING} with {name!r}: {image.sizes['x']} × {image.sizes['y']} pixels are more than "
                f"{_MOST_PIXELS:.3g}. Average blocks of it first, or crop it."
            )


def _check_root(root: str | None, grids: Mapping[str, Grid]) -> str:
    if root is None:
        return max(grids, key=lambda name: max(grids[name].size_um))
    if not isinstance(root, str) or root not in grids:
        raise ValueError(
            f"Cannot {DOING} in the frame of {root!r}: the images are {', '.join(map(repr, grids))}. Pass "
            "the name of one as root=, or leave it out for the largest."
        )
    return root


def _frame(images: Any, name: str, base: str) -> Floats:
    """Return the 4 × 4 matrix from the frame of an image to that of the picture."""
    if not isinstance(images, Scene) or name == base:
        return np.eye(4)
    return lifted(images.between(name, base).matrix)


def _depths(grids: Mapping[str, Grid], frames: Mapping[str, Floats], slices_um: Any) -> dict[str, float]:
    """Return at which z, of its own frame, each volume is cut: where the finest image lies, or its middle."""
    chosen = (
        {} if slices_um is None else check_named(slices_um, "slices_um", doing=DOING, like="{'CT': 12.5}")
    )
    volumes = {name: grid for name, grid in grids.items() if not grid.flat}
    finest = min(grids, key=lambda name: max(grids[name].size_um))
    focus = move(frames[finest], grids[finest].middle())
    out = {}
    for name, grid in volumes.items():
        ends = grid.corners()[:, 0]
        at = move(inverse(frames[name]), focus)[0]
        out[name] = float(at if ends.min() <= at <= ends.max() else ends.mean())
    for name, at in chosen.items():
        number = isinstance(at, int | float | np.number) and not isinstance(at, bool) and is_finite(at)
        ends = volumes[name].corners()[:, 0] if name in volumes else np.zeros(1)
        if name not in volumes or not number or not ends.min() <= at <= ends.max():
            reach = {n: g.corners()[[0, -1], 0].tolist() for n, g in volumes.items()}
            known = ", ".join(f"{n!r} from {low:g} to {high:g} µm" for n, (low, high) in reach.items())
            raise ValueError(
                f"Cannot {DOING} with slices_um of {name!r} at {at!r}: volumes and their z are "
                f"{known or 'none'}. Leave it out for the slice at which the finest image lies."
            )
        out[name] = float(at)
    return out


def _plane(name: str, image: xr.DataArray, frame: Floats, z_um: float) -> Plane:
    if "z" in image.dims:
        z = image.isel(z=int(np.abs(image.z.values - z_um).argmin()))
        z_um, image = float(z.z), z.drop_vars("z")
    step, start = voxel_size(image), origin(image)
    local = np.array([[0.0, 0.0, z_um], [step[0], 0.0, start[0]], [0.0, step[1], start[1]], [0.0, 0.0, 1.0]])
    matrix = (frame @ local)[:3]
    whole = np.linalg.norm(np.cross(matrix[:, 0], matrix[:, 1]))
    seen = abs(np.linalg.det(matrix[1:, :2])) / whole
    if seen < _STEEPEST:
        raise ValueError(
            f"Cannot {DOING} with {name!r}: it stands at {np.rad2deg(np.arccos(seen)):.0f}° to the picture, "
            "60° is the most. Pass the name of an image that lies along it as root=."
        )
    return Plane(name, image, matrix)
