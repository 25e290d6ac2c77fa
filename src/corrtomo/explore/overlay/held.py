"""The layers that an overlay explorer holds, and its numbers: values at the cursor, and how well it fits."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import traitlets

from ..explorer import unpack
from .paint import Layer
from .section import (
    POSE,
    Bytes,
    Known,
    Plane,
    Stack,
    block_greys,
    block_side,
    cut_plane,
    information,
)

STEPS = 40
"""Steps of a slider of the pose to either side of where the section was found."""


class Held(traitlets.HasTraits):
    """Values of all layers on one grid, and a volume to move the section in; mixed into an explorer."""

    shape: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    voxel_um: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    origin_um: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    about: traitlets.List[Any] = traitlets.List().tag(sync=True)
    greys = traitlets.Bytes().tag(sync=True)
    known = traitlets.Bytes().tag(sync=True)
    classes = traitlets.Bytes().tag(sync=True)
    counts = traitlets.Bytes().tag(sync=True)
    stack = traitlets.Bytes().tag(sync=True)
    section: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)
    found: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)

    layers: traitlets.List[Any] = traitlets.List().tag(sync=True)
    cursor: traitlets.List[Any] = traitlets.List().tag(sync=True)
    pose: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)
    scanned = traitlets.Enum(POSE, POSE[0]).tag(sync=True)

    @property
    def values(self) -> pd.Series:
        """What lies under the cursor: y and x in µm, grey values, the class, and counts."""
        place = zip(self.origin_um, self.voxel_um, self.cursor, strict=True)
        out: dict[str, Any] = dict(zip(("y_um", "x_um"), (o + s * i for o, s, i in place), strict=True))
        for layer in self._painted():
            out[layer.about["name"]] = layer.value_at(tuple(self.cursor))
        return pd.Series(out, dtype=object)

    @property
    def mutual_information(self) -> float:
        """Mutual information of the section and of the volume where it is held, in nats; NaN beside it."""
        return self._information(dict(self.pose))

    def scan(self, name: str | None = None) -> pd.Series:
        """Return mutual information along the range of one part of the pose; by default that of `scanned`."""
        part = self.scanned if name is None else name
        if not isinstance(part, str) or part not in self.found:
            allowed = f"a pose has {', '.join(POSE)}" if self.found else "the explorer holds no volume"
            raise ValueError(
                f"Cannot scan {part!r}: {allowed}. Pass for instance explorer.scan('depth_um') of an "
                "explorer that was made with volume=."
            )
        places = self.found[part] + self.section["reach"][part] * np.arange(-STEPS, STEPS + 1) / STEPS
        fits = [self._information({**self.pose, part: float(at)}) for at in places]
        return pd.Series(fits, index=pd.Index(places, name=part), name="mutual_information_nat")

    def _painted(self) -> list[Layer]:
        """Return all layers as they are shown, in order from below."""
        images, maps = iter(self._images), iter(self._maps)
        out = []
        for about, shown in zip(self.about, self.layers, strict=True):
            known: Known | None = None
            if about["kind"] == "counts":
                values: Any = next(maps)
            elif about["kind"] == "classes":
                values = unpack(self.classes).reshape(self.shape)
            elif about["cut"]:
                values, known = cut_plane(self._stack, self._plane, self.shape, dict(self.pose))
            else:
                values, known = next(images)
            out.append(Layer(values, known, about, shown))
        return out

    @cached_property
    def _images(self) -> list[tuple[Bytes, Known]]:
        greys, known = (unpack(part).reshape((-1, *self.shape)) for part in (self.greys, self.known))
        return list(zip(greys, known.astype(bool), strict=True))

    @cached_property
    def _maps(self) -> list[np.ndarray]:
        if not self.counts:
            return []
        low, high = np.split(unpack(self.counts).reshape((-1, *self.shape)).astype(np.uint16), 2)
        return list(low + 256 * high)

    @cached_property
    def _plane(self) -> Plane:
        first, step = np.array(self.origin_um), np.array(self.voxel_um)
        return Plane(first, step, np.array(self.section["centre_um"]), self.section["scale"])

    @cached_property
    def _stack(self) -> Stack:
        values = unpack(self.stack).reshape(self.section["shape"])
        return Stack(values, np.array(self.section["origin_um"]), np.array(self.section["voxel_um"]))

    @cached_property
    def _coarse(self) -> tuple[Bytes, Known]:
        return block_greys(*self._images[0], block_side(self.shape))

    def _information(self, pose: dict[str, float]) -> float:
        if not self.found:
            return float("nan")
        section, inside = self._coarse
        plane = self._plane.coarser(block_side(self.shape))
        cut, there = cut_plane(self._stack, plane, section.shape, pose)
        return information(section, cut, inside & there)
