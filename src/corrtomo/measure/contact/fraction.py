"""How much of the surface of one phase touches another: the neighbour counting of the cycling paper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from ...phases import Phase
from .faces import count_faces
from .pair import check_axes, pair_of

_DOING = "count contact"


def contact_fraction(
    labels: xr.DataArray,
    *,
    of: int = Phase.AM,
    touching: int = Phase.CBD,
    axes: str | Sequence[str] = ("y", "x"),
    ignore: int | Sequence[int] | None = None,
) -> float:
    """Compute the share of the faces of one phase that border another, by counting neighbours.

    The probability of binder adjacency (PBA) of the cycling paper, section 2.4: rows and columns parallel to
    separator and collector are scanned for voxels of active material next to carbon binder. In an electrode
    that ages it falls where binder lets go of particles.

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, 3D or 2D, NumPy or Dask; voxels need not be cubes.
    of : Phase
        Whose faces are counted.
    touching : Phase
        What they may border.
    axes : str or sequence of str
        Along which axes neighbours are looked at. Parallel to the collector these are the two across the
        depth: ``("z", "x")`` for a slice-and-view stack, ``"x"`` in a polished section.
    ignore : Phase or sequence of Phase, optional
        Phases whose faces with `of` do not count, the collector for instance. What is left out (255) never
        counts.

    Returns
    -------
    float
        From 0 to 1: the area of faces between `of` and `touching` over that between `of` and all else.

    Raises
    ------
    TypeError
        If labels are not integer codes of phases.
    ValueError
        If an axis is not there, a code is not a phase, either phase is absent, or there is no face.

    Notes
    -----
    Faces weigh by their area, so that slices thicker than pixels do not count for more than they are. The
    border of the image is no face: what lies beyond it is not known. Misleads where contact has a direction,
    for a face that is parallel to an axis is not seen along it. On a ball with a cap of binder of 60°
    around the axis that is left out the share is 0.196 where 0.250 is true, and 0.285 around one of those
    counted: :func:`contact_surface` finds 0.25 for either. One voxel of wrong segmentation between the
    phases undoes the contact: see :func:`contact_bias`.

    Examples
    --------
    >>> import corrtomo as ct
    >>> labels = ct.volume([[0, 2, 1], [2, 2, 1]], 0.025)
    >>> round(ct.measure.contact_fraction(labels, axes="x"), 3), ct.measure.contact_fraction(labels)
    (0.667, 0.5)
    """
    pair = pair_of(labels, of, touching, ignore, doing=_DOING)
    faces = count_faces(labels, pair, check_axes(labels, axes, doing=_DOING), {}, doing=_DOING)
    return float(faces.contact.sum() / faces.every.sum())


def contact_profile(
    labels: xr.DataArray,
    *,
    depth: str = "z",
    of: int = Phase.AM,
    touching: int = Phase.CBD,
    ignore: int | Sequence[int] | None = None,
) -> xr.DataArray:
    """Compute the share of the faces of one phase that border another, at each depth.

    "The proportion of the AM surface that is adjacent to the binder matrix as a function of depth into the
    cathode" (cycling paper, section 2.4 and Figs. 4b, 5 and 7b): one number for each plane parallel to the
    collector.

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, 3D or 2D, NumPy or Dask; voxels need not be cubes.
    depth : str
        The axis across the electrode: ``"y"`` in a slice-and-view stack and in a polished section.
    of, touching, ignore
        As in :func:`contact_fraction`.

    Returns
    -------
    xarray.DataArray
        From 0 to 1 along `depth`, from the neighbours within each plane; in 2D from those within each row.
        NaN where a plane has no face of `of`. The coordinate ``surface_um2`` (``outline_um`` in 2D) is how
        much was counted.

    Raises
    ------
    TypeError
        If labels are not integer codes of phases.
    ValueError
        If `depth` is not an axis of the labels, a code is not a phase, either phase is absent, or no plane
        has a face.

    Notes
    -----
    The mean of the profile, weighted by what was counted, is :func:`contact_fraction` along the axes in the
    plane; the plain mean is not, where planes have little surface. Neighbouring planes tell nearly the same:
    :func:`effective_sample_size` says how many they are worth.

    Examples
    --------
    >>> import corrtomo as ct
    >>> labels = ct.volume([[0, 2, 1], [0, 2, 2], [1, 1, 1]], 0.025)
    >>> ct.measure.contact_profile(labels, depth="y").values.tolist()
    [0.5, 0.0, nan]
    """
    pair = pair_of(labels, of, touching, ignore, doing=_DOING)
    (chosen, *more) = check_axes(labels, depth, doing=_DOING)
    if more:
        raise ValueError(
            f"Cannot {_DOING} at each depth {depth!r}: one axis is needed. Pass depth={chosen!r}."
        )
    rest = [str(dim) for dim in labels.dims if dim != chosen]
    bins = {chosen: np.arange(labels.sizes[chosen])}
    faces = count_faces(labels, pair, rest, bins, doing=_DOING)
    contact, every = faces.contact.ravel(), faces.every.ravel()
    share = np.divide(contact, every, out=np.full(every.shape, np.nan), where=every > 0)
    counted = "surface_um2" if labels.ndim == 3 else "outline_um"
    coords = {chosen: labels[chosen], counted: (chosen, every)}
    return xr.DataArray(share, dims=chosen, coords=coords, name="contact")
