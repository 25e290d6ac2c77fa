"""Finding how far particles are pressed, and how much binder bridges them and lets go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from . import packing, trimmed
from .electrode import Electrode
from .raster import View
from .scene import CalenderedModel, Planes, Scene, Solids

Array = npt.NDArray[np.float64]
Values = npt.NDArray[np.float32]
Box = tuple[Array, Array]
"""Low and high corner along z, y, x in µm."""
_SECTIONS, _WIDEST_UM = 24, 40.0
_COARSE_UM, _FINE_UM = 0.1, 0.05
_LOOSE, _DENSE = 0.9, 1.5
_STEPS = 40


def press(
    pressed: Electrode, model: CalenderedModel, am_fraction: float, fractured: float, within: Box
) -> Electrode:
    """Return the electrode whose particles are as large as fills the fraction, gaps and cracks taken off."""

    def share(factor: float) -> float:
        return _solid_share(_grown(pressed, factor), model, fractured, within)

    if share(_DENSE) < am_fraction:
        raise ValueError(
            f"Cannot press particles to am_fraction {am_fraction}: gaps and cracks leave "
            f"{share(_DENSE):.3f} at most. Lower am_fraction, or narrow the gaps of the model."
        )
    return _grown(pressed, _bisect(share, am_fraction, _LOOSE, _DENSE, 9))


def _grown(electrode: Electrode, factor: float) -> Electrode:
    table = electrode.particles.copy()
    table[packing.AXES] *= factor
    return replace(electrode, particles=table)


def _solid_share(pressed: Electrode, model: CalenderedModel, fractured: float, within: Box) -> float:
    solid = total = 0
    for view, planes in _sections(pressed.seed, within, _COARSE_UM):
        kind = Solids(pressed, model, view, 0.0, fractured).surfaces(planes)[0]
        solid += int(np.count_nonzero(kind == trimmed.SOLID))
        total += kind.size
    return solid / total


def _sections(seed: int, within: Box, pixel_um: float) -> list[tuple[View, Planes]]:
    """Lay sections across z through a box, evenly along z and at random along x."""
    low, size = within[0], within[1] - within[0]
    width = min(_WIDEST_UM, float(size[2]))
    rng = np.random.default_rng(np.random.SeedSequence([seed, 21]))
    edges = np.full(3, pixel_um)
    shape = (1, max(1, round(float(size[1]) / pixel_um)), max(1, round(width / pixel_um)))
    out = []
    for n in range(_SECTIONS):
        z, x = (n + rng.uniform()) / _SECTIONS * size[0], rng.uniform(0.0, size[2] - width)
        view = View(edges, low + np.array([z, 0.0, x]) + edges / 2.0, shape)
        out.append((view, Planes.of(view, np.zeros((1, 2)))))
    return out


@dataclass(frozen=True, eq=False)
class Sections:
    """What binder and gaps depend on, at pixels between particles and at faces of active material.

    Attributes
    ----------
    bridge, patch, distance : numpy.ndarray
        The two random fields and the distance to active material, at the pixels where binder may be.
    face_bridge, face_patch, face_distance : numpy.ndarray
        The same at the pixels next to active material along rows.
    pixels, faces : int
        All pixels, and all faces of active material along rows, those of cracks included.
    """

    bridge: Values
    patch: Values
    distance: Values
    face_bridge: Values
    face_patch: Values
    face_distance: Values
    pixels: int
    faces: int

    @classmethod
    def of(cls, pressed: Electrode, model: CalenderedModel, fractured: float, within: Box) -> Sections:
        """Draw the sections of an electrode in a box."""
        open_, beside, pixels, faces = [], [], 0, 0
        for view, planes in _sections(pressed.seed, within, _FINE_UM):
            scene = Scene(pressed, model, view, 0.0, fractured)
            kind, distance, _ = scene.solids.surfaces(planes)
            values = np.stack([scene.bridges.at(planes), scene.patches.at(planes), distance])[:, 0]
            solid, space = kind[0] == trimmed.SOLID, kind[0] == trimmed.SPACE
            open_.append(values[:, space])
            for here, there in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:, 1:], np.s_[:, :-1])):
                faces += int(np.count_nonzero(solid[here] & ~solid[there]))
                beside.append(values[(slice(None), *there)][:, solid[here] & space[there]])
            pixels += kind.size
        bridge, patch, away = np.concatenate(open_, axis=1)
        next_bridge, next_patch, next_away = np.concatenate(beside, axis=1)
        return cls(bridge, patch, away, next_bridge, next_patch, next_away, pixels, faces)

    def cbd_threshold(self, fraction: float, let_go: float, model: CalenderedModel) -> float:
        """Return the level of the bridges with which binder takes its fraction; without room, all of it."""
        bridge = self.bridge[self.distance >= opening(self.patch, let_go, model)]
        rank = len(bridge) - round(fraction * self.pixels)
        return float(np.partition(bridge, rank - 1)[rank - 1]) if rank > 0 else -np.inf

    def contact(self, cbd_threshold: float, let_go: float, model: CalenderedModel) -> float:
        """Return the share of the faces of active material at which there is binder."""
        held = self.face_distance >= opening(self.face_patch, let_go, model)
        return float(np.count_nonzero(held & (self.face_bridge > cbd_threshold)) / self.faces)


def opening(patch: Values, let_go: float, model: CalenderedModel) -> Values:
    """Return how wide binder stands off a particle, in µm; below zero where it holds."""
    width: Values = np.minimum(model.opening_um, model.opening_rise_um * (patch - np.float32(let_go)))
    return width


def find_let_go(
    sections: Sections, model: CalenderedModel, contact: float, threshold: Callable[[float], float]
) -> float:
    """Return the level of the patches at which the contact is as wanted."""

    def share(level: float) -> float:
        return sections.contact(threshold(level), level, model)

    lowest, highest = -4.0, 4.0
    if share(highest) < contact:
        raise ValueError(
            f"Cannot reach contact {contact}: cracks and pores leave {share(highest):.3f} of the surface for "
            "binder. Lower contact, or raise cbd_fraction."
        )
    found = _bisect(share, contact, lowest, highest, _STEPS)
    if threshold(found) == -np.inf:
        raise ValueError(
            f"Cannot reach contact {contact}: gaps as wide as that takes leave too little room for the "
            "binder. Lower cbd_fraction or am_fraction, raise contact, or narrow opening_um of the model."
        )
    return found


def _bisect(rising: Callable[[float], float], value: float, low: float, high: float, steps: int) -> float:
    for _ in range(steps):
        middle = (low + high) / 2.0
        low, high = (middle, high) if rising(middle) < value else (low, middle)
    return (low + high) / 2.0
