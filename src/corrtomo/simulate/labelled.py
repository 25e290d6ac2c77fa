"""A segmented volume as the specimen of the simulated instruments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import njit, prange

from ..checks import check_spatial
from ..phases import check_codes
from ..volume import check_image, origin, voxel_size
from . import raster
from .composition import check_porosity
from .limits import check_seed
from .raster import AM, CBD, PORE, View
from .specimen import Microstructure, pore_level, slice_shifts

Array = npt.NDArray[np.float64]
_TIE = 1e-9


@dataclass(frozen=True, eq=False)
class LabelledSpecimen(Microstructure):
    """A volume of known phases, continuous between its voxels, mirrored beyond its border.

    Made by :func:`labelled`. At a point between voxel centres lies the phase with the largest trilinear
    weight; of phases with the same weight, the one with the lower code. Its frame is that of the labels.

    Attributes
    ----------
    known : numpy.ndarray
        Phase codes, ``uint8`` along z, y, x.
    voxel_um, origin_um : numpy.ndarray
        Edge of a voxel and centre of the first one along z, y, x, in µm.
    cbd_porosity : float
        Share of nanopores in the carbon binder domain.
    pore_threshold : float
        Level of the random field of nanopores.
    seed : int
        Seed of that field.
    """

    known: raster.Labels
    voxel_um: Array
    origin_um: Array
    cbd_porosity: float
    pore_threshold: float
    seed: int

    def box_um(self) -> tuple[Array, Array]:
        """Return the low corner of the labelled volume and its edges along z, y, x, in µm."""
        return self.origin_um - self.voxel_um / 2, self.voxel_um * self.known.shape

    def codes(self, view: View, drift_voxels: Array | None = None) -> raster.Labels:
        """Return the phase codes at the voxel centres of a view; a drift moves each slice along y, x."""
        out = np.empty(view.shape, np.uint8)
        start, step = raster.lattice_steps(view, self.voxel_um, self.origin_um / self.voxel_um)
        _fill_phases(out, self.known, start, step, slice_shifts(view, drift_voxels))
        return out

    def check_view(self, view: View) -> None:
        """Refuse a window that lies beside the labelled volume: all of it would be mirror image."""
        corner, size = self.box_um()
        if _apart(corner, size, view):
            (low, high), far = view.bounds_um(), corner + size
            seen = ", ".join(f"{a} {p:.4g} to {q:.4g}" for a, p, q in zip("zyx", low, high, strict=True))
            held = ", ".join(f"{a} {p:.4g} to {q:.4g}" for a, p, q in zip("zyx", corner, far, strict=True))
            raise ValueError(
                f"Cannot image a window at {seen} µm of a specimen labelled at {held} µm: they do not "
                "overlap, and all that is seen would be mirror image. Move the window with origin= or pose=."
            )


def labelled(labels: xr.DataArray, *, cbd_porosity: float = 0.627, seed: int = 0) -> LabelledSpecimen:
    """Make a segmented volume the specimen of the simulated instruments.

    The X-ray and FIB-SEM paper judges an X-ray segmentation by a FIB-SEM volume of the same spot. Who has one
    segmented volume of a real electrode can so have both images of it, with known truth, and try the whole
    workflow on a measured microstructure (Sci. Rep. 6, 30109, "Ternary Segmentation").

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of ``ct.Phase`` PORE, CBD and AM, dims z, y, x, coordinates in µm.
    cbd_porosity : float
        Share of nanopores in the carbon binder domain, which the labels do not show; by default the 62.7 %
        that the paper finds at FIB-SEM resolution. 0: the labelled domain is solid.
    seed : int
        Seed of the nanopores.

    Returns
    -------
    LabelledSpecimen
        For ``xray_tomography`` and ``fibsem_tomography``; its method ``labels`` rasters it on any grid and in
        any pose.

    Raises
    ------
    TypeError
        If the labels are not integer codes, are Dask, or are no image with coordinates.
    ValueError
        If they have other dims or other codes, or `cbd_porosity` is no share below 1.

    Notes
    -----
    Between voxel centres lies the phase with the largest trilinear weight, so that surfaces are smooth where
    an instrument looks finer than the labels. No finer detail appears, and corners become round: of what is
    one voxel thin a film keeps its thickness, a wire 61 % of its section, and a single voxel 27 % of its
    volume. Beyond the border the volume is mirrored in its outer voxel faces: what an image shows there is
    not measured, nor is what shines in from there, up to ``XrayModel.margin_um`` inside the border. The
    labels are copied, one byte a voxel.

    References
    ----------
    Sci. Rep. 6, 30109 (2016), doi:10.1038/srep30109, section "Ternary Segmentation".

    Examples
    --------
    >>> import corrtomo as ct
    >>> specimen = ct.simulate.labelled(ct.volume([[[0, 0, 2, 2]]], 1.0))
    >>> specimen.labels(0.5).values[0, 0].tolist()
    [0, 0, 0, 0, 2, 2, 2, 2]
    """
    check_seed(seed)
    check_porosity(cbd_porosity)
    _check_labels(labels)
    known = np.array(labels.data, dtype=np.uint8, order="C")
    edge, start = np.array(voxel_size(labels)), np.array(origin(labels))
    return LabelledSpecimen(known, edge, start, float(cbd_porosity), pore_level(cbd_porosity), seed)


def _check_labels(labels: Any) -> None:
    """Refuse what is not a volume of the three phases in memory."""
    check_image(labels, ndim=[3])
    check_spatial(labels, doing="make labels a specimen")
    if labels.chunks is not None:
        raise TypeError(
            f"Cannot make Dask labels of shape {labels.shape} a specimen: an instrument looks at them from "
            "any side, and they must be in memory. Crop them, then load them with labels.compute()."
        )
    if labels.dtype == bool:
        raise TypeError(
            "Cannot make a mask of booleans a specimen: it does not say which phases it tells apart. Give "
            "codes of ct.Phase, for instance xarray.where(mask, ct.Phase.AM, ct.Phase.PORE)."
        )
    others = [p for p in check_codes(labels) if p not in (PORE, CBD, AM)]
    if others:
        raise ValueError(
            f"Cannot make labels with {', '.join(f'{int(p)} {p.name}' for p in others)} a specimen: the "
            "instruments know 0 PORE, 1 CBD and 2 AM. Crop the rest away, or say which of the three it is, "
            "for instance with labels.where(labels != 255, ct.Phase.PORE)."
        )


def _apart(corner: Array, size: Array, view: View) -> bool:
    """Tell whether a box and the voxel centres of a view have no point in common (separating axes)."""
    turn = view.pose[:3, :3]
    half = view.voxel_um * (np.array(view.shape) - 1) / 2
    middle = (view.origin_um + half - view.pose[:3, 3]) @ turn
    crossed = [np.cross(a, b) for a in np.eye(3) for b in turn]
    for axis in (*np.eye(3), *turn, *crossed):
        reach = np.abs(axis) @ size / 2 + np.abs(turn @ axis) @ half
        if abs(axis @ (middle - corner - size / 2)) > reach + 1e-9 * np.abs(size).max():
            return True
    return False


@njit(cache=True, parallel=True)
def _fill_phases(out: Any, known: Any, start: Any, step: Any, shift: Any) -> None:
    """Write the phase at every voxel; lattice and drift as in :func:`raster.fill_above`."""
    for k in prange(out.shape[0]):
        _fill_slice(out[k], known, start + k * step[0], step, shift[k])


@njit(cache=True)
def _fill_slice(out: Any, known: Any, start: Any, step: Any, shift: Any) -> None:
    for j in range(out.shape[0]):
        v = j - shift[0]
        z = start[0] + v * step[1, 0] - shift[1] * step[2, 0]
        y = start[1] + v * step[1, 1] - shift[1] * step[2, 1]
        x = start[2] + v * step[1, 2] - shift[1] * step[2, 2]
        for i in range(out.shape[1]):
            out[j, i] = _phase(known, z + i * step[2, 0], y + i * step[2, 1], x + i * step[2, 2])


@njit(cache=True, inline="always")
def _mirrored(index: int, n: int) -> int:
    """Return the voxel that lies at an index when the volume is mirrored in its outer faces."""
    if 0 <= index < n:
        return index
    inside = index % (2 * n)
    return inside if inside < n else 2 * n - 1 - inside


@njit(cache=True)
def _phase(known: Any, z: float, y: float, x: float) -> Any:
    """Return the phase with the largest trilinear weight at a point, in voxels."""
    k, j, i = int(np.floor(z)), int(np.floor(y)), int(np.floor(x))
    k0, k1 = _mirrored(k, known.shape[0]), _mirrored(k + 1, known.shape[0])
    j0, j1 = _mirrored(j, known.shape[1]), _mirrored(j + 1, known.shape[1])
    i0, i1 = _mirrored(i, known.shape[2]), _mirrored(i + 1, known.shape[2])
    a, b, c, d = known[k0, j0, i0], known[k0, j0, i1], known[k0, j1, i0], known[k0, j1, i1]
    e, f, g, h = known[k1, j0, i0], known[k1, j0, i1], known[k1, j1, i0], known[k1, j1, i1]
    if a == b and a == c and a == d and a == e and a == f and a == g and a == h:
        return a
    u, v, w = z - k, y - j, x - i
    best, most = PORE, 0.0
    for code in (PORE, CBD, AM):
        low = ((a == code) * (1 - w) + (b == code) * w) * (1 - v)
        low += ((c == code) * (1 - w) + (d == code) * w) * v
        high = ((e == code) * (1 - w) + (f == code) * w) * (1 - v)
        high += ((g == code) * (1 - w) + (h == code) * w) * v
        share = low * (1 - u) + high * u
        if share > most + _TIE:
            best, most = code, share
    return best
