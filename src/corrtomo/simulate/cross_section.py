"""A polished cross-section of a coating on its current collector: what lies in the plane, and behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import njit, prange

from ..checks import check_length
from ..phases import Phase, as_labels
from ..volume import volume
from . import grains, noise, raster
from .behind import look_behind
from .electrode import Electrode
from .limits import check_film, check_origin, check_seed, check_window
from .raster import AM, CBD, PORE, View
from .shares import Progress

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
COLLECTOR, PLATINUM = 3, 4
PHASE_OF_CLASS = {
    "current collector": Phase.COLLECTOR,
    "active material": Phase.AM,
    "carbon binder domain": Phase.CBD,
    "platinum edge": Phase.PORE,
    "platinum depth": Phase.PORE,
}
"""What the paper trains its segmenter on, in its order, and the phase that each is part of."""
CLASSES = tuple(PHASE_OF_CLASS)
_ROUGH_UM, _LAYER_NODE_UM, _DENT_UM, _TEXTURE_UM = 0.15, 1.5, 0.5, 0.05
_LEAST_PIXEL_UM, _MOST_BOXES = 0.001, 10


@dataclass(frozen=True, eq=False)
class CrossSection:
    """The surface of a cross-section, as an electron beam meets it; dims of all arrays y, x.

    Attributes
    ----------
    phases : numpy.ndarray
        ``uint8``: which phase of :class:`corrtomo.Phase` lies in the plane.
    seen : numpy.ndarray
        ``uint8``: what the beam hits there: in a pore what lies behind it. 1 carbon binder domain, 2 active
        material, 3 collector, 4 platinum; 0 where nothing is as near as `look_um`.
    depth_um : numpy.ndarray
        ``float32``: how far behind the plane that is, in µm.
    shade : numpy.ndarray
        ``float32``, mean 0 and variance 1: orientation of the grain of active material in the plane.
    texture : numpy.ndarray
        ``float32``, mean 0 and variance 1: nanopores of the carbon binder domain.
    cracks : numpy.ndarray
        ``uint8``: 0 none, 1 empty, 2 filled with carbon binder domain.
    collector_um : float
        Mean y of the collector's surface.
    pixel_um : float
        Edge of a pixel.
    origin_um : tuple of float
        y, x of the centre of the first pixel.
    look_um : float
        How far behind the plane was looked.
    seed : int
        Seed that it was drawn with.
    """

    phases: Grey
    seen: Grey
    depth_um: Floats
    shade: Floats
    texture: Floats
    cracks: Grey
    collector_um: float
    pixel_um: float
    origin_um: tuple[float, float]
    look_um: float
    seed: int

    def labels(self) -> xr.DataArray:
        """Return the phases in the plane as labels: the truth of a segmentation."""
        return as_labels(self.image(self.phases, "phases"))

    def classes(self) -> xr.DataArray:
        """Return the five classes that the paper trains on, as codes 0 to 4 in the order of `CLASSES`.

        Raises
        ------
        ValueError
            If there is no platinum in its pores yet.
        """
        if not (self.seen == PLATINUM).any():
            raise ValueError(
                "Cannot tell platinum at the edge from platinum in depth: there is none in this section. "
                "Fill its pores first with ct.simulate.platinum(section)."
            )
        table = np.zeros(len(PHASE_OF_CLASS), np.uint8)
        for code, phase in reversed(list(enumerate(PHASE_OF_CLASS.values()))):
            table[phase] = code  # of two classes of a phase the first: platinum at the edge
        codes = table[self.phases]
        codes[(self.phases == PORE) & (self.depth_um > 0)] = CLASSES.index("platinum depth")
        return self.image(codes, "classes").assign_attrs(
            phases={}, classes={n: c for c, n in enumerate(CLASSES)}
        )

    def crack_labels(self) -> xr.DataArray:
        """Return where the cracks are: 0 none, 1 empty, 2 filled with carbon binder domain."""
        return self.image(self.cracks, "cracks")

    def image(self, values: npt.NDArray[Any], name: str | None = None) -> xr.DataArray:
        """Give an array on the grid of the section its coordinates."""
        return volume(values, self.pixel_um, origin=self.origin_um, name=name)


def cross_section(
    specimen: Electrode,
    pixel_um: float = 0.02,
    *,
    shape: Sequence[int],
    origin_um: Sequence[float] = (0.0, 0.0, 0.0),
    layer_um: float = 0.4,
    grain_um: float = 0.6,
    cracks: grains.CrackModel | None = None,
    look_um: float = 6.0,
    seed: int = 0,
    progress: Progress = iter,
) -> CrossSection:
    """Cut a coating and polish the cut: the plane, and what is seen behind it through open pores.

    The kintsugi paper images a plane that a plasma FIB cut across a cathode on its aluminium foil (J.
    Electrochem. Soc. 169, 070512, "Cross-sectioning"). Around a pore the plane has no surface: a microscope
    sees the wall behind it.

    Parameters
    ----------
    specimen : Electrode
        A coating: made by :func:`electrode` with ``film=True``. The collector lies beyond its end along y.
    pixel_um : float
        Edge of a pixel, in µm.
    shape : sequence of int
        Number of pixels along y (towards the collector) and x.
    origin_um : sequence of float
        z of the plane, and y, x of the centre of the first pixel, in µm, in the frame of the specimen.
    layer_um : float
        Mean thickness of the binder that coats the collector, in µm: an assumption after the paper's Fig. 4.
    grain_um : float
        Spacing of the primary grains of a particle, in µm: an assumption after the paper's Fig. 5.
    cracks : CrackModel, optional
        How particles are cracked.
    look_um : float
        How far behind the plane is looked for what closes a pore, in µm.
    seed : int
        Seed of grains, cracks, and of the collector's roughness.
    progress : callable, optional
        Wraps the loop over slabs behind the plane, for instance ``tqdm.tqdm``.

    Returns
    -------
    CrossSection
        Fill its pores with :func:`platinum`, image it with :func:`electron_images` and :func:`eds_maps`.

    Raises
    ------
    ValueError
        If the specimen is no film, or a size is not above zero.
    TypeError
        If `specimen` is no electrode.

    Notes
    -----
    Behind the plane, three pixels an edge are one: depths are known to 3 pixels. A crack is drawn in
    the plane only; an empty one is as deep as its model says. Particles press into the foil by half a µm at
    most. Curtains are left out: the rocking polish of the paper makes
    the surface "curtain-free".

    Examples
    --------
    >>> import corrtomo as ct
    >>> coating = ct.simulate.electrode((12.0, 12.0, 12.0), diameter_um=4.0, film=True, seed=1)
    >>> section = ct.simulate.cross_section(coating, 0.1, shape=(60, 80), origin_um=(0, 8, 0))
    >>> section.labels().sizes["x"]
    80
    """
    check_film(specimen)
    check_seed(seed)
    rows, columns = check_window(shape, pixel_um)
    for name, value in (("layer_um", layer_um), ("grain_um", grain_um), ("look_um", look_um)):
        check_length(value, name, doing="cut a cross-section")
    if look_um > specimen.size_um[0]:
        raise ValueError(
            f"Cannot look {look_um:g} µm behind the plane: the specimen is {specimen.size_um[0]:g} µm deep "
            "and then repeats itself. Look less far."
        )
    z, y, x = check_origin(origin_um)
    if pixel_um < _LEAST_PIXEL_UM or max(shape) * pixel_um > _MOST_BOXES * max(specimen.size_um):
        raise ValueError(
            f"Cannot cut {tuple(shape)} pixels of {pixel_um:g} µm out of a specimen of {specimen.size_um} "
            f"µm: a pixel of {_LEAST_PIXEL_UM} µm or more, and at most {_MOST_BOXES} of its boxes side by "
            "side. Lengths are in µm."
        )
    start = np.array([z, y, x])
    foil = _Foil(specimen, float(pixel_um), layer_um, seed)
    plane = View(np.full(3, float(pixel_um)), start, (1, rows, columns))
    phases = foil.codes(plane)[0]
    model = grains.CrackModel() if cracks is None else cracks
    shade, crack = _cracked(specimen, phases, plane, grain_um, model, seed)
    empty = crack == grains.EMPTY
    phases[empty], phases[crack == grains.FILLED] = PORE, CBD
    seen, depth = look_behind(foil.codes, plane, look_um, phases, progress)
    seen[empty], depth[empty] = AM, model.depth_um
    nodes = [_TEXTURE_UM / pixel_um] * 2
    texture = noise.smooth(noise.stream(seed, "texture"), (0, 0, 0), (1, rows, columns), (0.01, *nodes))[0]
    return CrossSection(
        phases, seen, depth, shade, texture, crack, foil.surface_um, float(pixel_um), (y, x), look_um, seed
    )


@dataclass(frozen=True, eq=False)
class _Foil:
    """A coating with the collector at its end along y, and the binder that coats the collector."""

    specimen: Electrode
    pixel_um: float
    layer_um: float
    seed: int

    @property
    def surface_um(self) -> float:
        """Mean y of the collector's surface: particles that touch the end of the box reach it."""
        return self.specimen.size_um[1]

    def codes(self, view: View) -> Grey:
        """Return what lies at the voxels of a view, cut cracks left out."""
        out = self.specimen.codes(view)
        z, x = self._height(view, "foil"), self._height(view, "layer")
        rough = (_ROUGH_UM * z).astype(np.float32)
        thick = (self.layer_um * np.exp(0.4 * x)).astype(np.float32)
        _lay(out, view.origin_um[1] - self.surface_um, view.voxel_um[1], rough, thick)
        return out

    def _height(self, view: View, topic: str) -> Floats:
        """Return a smooth field of variance 1 over z and x."""
        low, high = view.bounds_um()
        nodes = np.floor(low / _LAYER_NODE_UM).astype(int) - 1
        last = np.floor(high / _LAYER_NODE_UM).astype(int) + 2
        shape = (int(last[0] - nodes[0] + 1), 2, int(last[2] - nodes[2] + 1))
        key = noise.stream(self.seed, topic)
        field = noise.smooth(key, (int(nodes[0]), 0, int(nodes[2])), shape, (1.0, 0.01, 1.0))
        flat = np.empty((view.shape[0], 1, view.shape[2]), np.float32)
        start = view.origin_um / _LAYER_NODE_UM - nodes
        start[1] = 0.0
        raster.sample(flat, field, start, np.diag(view.voxel_um / _LAYER_NODE_UM))
        return flat[:, 0]


@njit(cache=True, parallel=True)
def _lay(out: Any, start: float, step: float, rough: Any, thick: Any) -> None:
    """Write the collector below its surface, and the layer of binder above it where there is a pore."""
    for j in prange(out.shape[1]):
        for k in range(out.shape[0]):
            for i in range(out.shape[2]):
                below = start + j * step - rough[k, i]
                if below > (_DENT_UM if out[k, j, i] == AM else 0.0):
                    out[k, j, i] = COLLECTOR
                elif out[k, j, i] == PORE and below > -thick[k, i]:
                    out[k, j, i] = CBD


def _cracked(
    specimen: Electrode, phases: Grey, plane: View, grain_um: float, model: grains.CrackModel, seed: int
) -> tuple[Floats, Grey]:
    """Return shade of the grains and cracks of the particles in the plane."""
    size = np.array(specimen.size_um)
    seen = specimen.particles_in_view(plane, float(specimen.particles["a_um"].max()))
    owner = np.full(plane.shape, -1, np.int32)
    raster.own_ellipsoids(owner, *seen, plane.voxel_um, plane.origin_um)
    owner[0][phases != AM] = -1
    radii = np.linalg.det(seen[1]) ** (-1 / 6)
    # A particle is known by where it lies in the box, whichever window shows it.
    inside = np.mod(seen[0], size)
    numbers = np.floor(inside / size * 2.0**20).astype(np.int64) @ np.array([1 << 40, 1 << 20, 1])
    drawn = grains.draw_cracks(radii, numbers, model, seed)
    return grains.mark(
        owner[0], (seen[0], radii, numbers), drawn, plane.voxel_um[1], plane.origin_um, grain_um, seed
    )
