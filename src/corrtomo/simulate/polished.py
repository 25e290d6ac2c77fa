"""A wide cross-section of a calendered cathode, polished by a broad ion beam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from ..volume import volume
from . import face_image
from .calendered import Calendered
from .face_image import FaceModel
from .limits import (
    check_calendered,
    check_edge,
    check_look,
    check_model,
    check_origin,
    check_seed,
    check_window,
)
from .raster import View
from .scene import Planes


def polished_section(
    specimen: Calendered,
    pixel_um: float = 0.1,
    *,
    shape: Sequence[int],
    origin_um: Sequence[float] = (0.0, 0.0, 0.0),
    face: FaceModel | None = None,
    seed: int = 0,
) -> xr.DataArray:
    """Image a polished cross-section: a digital twin, not a measurement.

    To see more of a cathode than serial sectioning can, the cycling paper polishes sections about 1 mm wide
    through its whole thickness ("FIB-SEM microscopy", last paragraph; Fig. 5).

    Parameters
    ----------
    specimen : Calendered
        From :func:`calendered` or :func:`cycled`.
    pixel_um : float
        Edge of a pixel in µm.
    shape : sequence of int
        Number of pixels along y (towards the collector) and x.
    origin_um : sequence of float
        z of the plane, and y, x of the centre of the first pixel, in µm, in the frame of the specimen.
    face : FaceModel, optional
        Grey values and noise; by default those of a milled face without grooves and curtains, which a broad
        beam of argon does not leave.
    seed : int
        Seed of the noise.

    Returns
    -------
    xarray.DataArray
        ``uint8``, dims y, x, with coordinates in the frame of the specimen; ``specimen.labels`` of the same
        window is the truth.

    Raises
    ------
    ValueError
        If sizes are out of range.
    TypeError
        If `specimen` is no calendered cathode, or `face` no :class:`FaceModel`.

    Notes
    -----
    It is seen from straight above: what lies behind a pore is known to one pixel.

    Examples
    --------
    >>> import corrtomo as ct
    >>> cathode = ct.simulate.calendered((18.0, 20.0, 20.0), seed=1)
    >>> ct.simulate.polished_section(cathode, 0.2, shape=(100, 80)).shape
    (100, 80)
    """
    check_calendered(specimen)
    check_seed(seed)
    edge = check_edge(pixel_um, "pixel_um")
    rows, columns = check_window(shape, edge)
    start = check_origin(origin_um)
    check_model(face, FaceModel, "face")
    model = replace(FaceModel(), groove=0.0, curtain=0.0) if face is None else face
    check_look(
        model.look_um, edge, 1, rows, columns,
        advice="Lower look_um of the face model, or give coarser or fewer pixels.",
    )  # fmt: skip
    behind = int(np.ceil(model.look_um / edge))
    view = View(np.full(3, edge), start, (1 + behind, rows, columns))
    planes = Planes.of(view, np.zeros((1 + behind, 2)))
    codes, owners = specimen.draw(specimen.scene(view), planes)
    far = np.arange(1 + behind) * edge
    backs = face_image.look_back(codes, 1, far, np.zeros((1 + behind, 2)), model.look_um)
    image = face_image.record(codes[:1], owners[:1], backs, edge, model, 0, seed)[0]
    return volume(image, edge, origin=start[1:].tolist(), name="polished section")
