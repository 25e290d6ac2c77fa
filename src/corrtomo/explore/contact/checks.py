"""What the contact explorer refuses: volumes that cannot stand side by side, or on a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from ...measure.contact.pair import check_axes, pair_of
from ...phases import Phase, check_codes
from ...volume import spacing, voxel_size
from ..explorer import pack

MOST_VOLUMES = 4
MOST_VOXELS = 16_000_000
"""Most voxels of all volumes together: those that a page counts as it opens."""
MOST_BYTES = 1_000_000
"""Most bytes of packed labels: a page carries a third more."""
DOING = "explore contact"
_CROP = (
    "Crop them first, for instance with labels.isel(x=slice(0, 256)), or bring them onto larger voxels with "
    "ct.register.coarsen()."
)


def check_volumes(volumes: Any, depth: Any, of: Any, touching: Any) -> str:
    """Refuse volumes that cannot be explored side by side; return the axis of the depth."""
    if not isinstance(volumes, Mapping):
        raise TypeError(
            f"Cannot {DOING} of a {type(volumes).__name__}: volumes with their names are needed. Pass for "
            "instance {'pristine': labels}."
        )
    named = all(isinstance(name, str) and name.strip() for name in volumes)
    if not 1 <= len(volumes) <= MOST_VOLUMES or not named:
        raise ValueError(
            f"Cannot {DOING} of {len(volumes)} volumes named {list(volumes)!r}: one to {MOST_VOLUMES} stand "
            "side by side, each with a name. Pass for instance {'pristine': before, '50 cycles': after}."
        )
    for image in volumes.values():
        pair_of(image, of, touching, None, doing=DOING)
        if image.ndim != 3:
            raise ValueError(
                f"Cannot {DOING} of labels with dims {image.dims}: z, y, x are needed, to scroll through. "
                "Show a section with ct.show.contact()."
            )
    (first, *others) = volumes
    (dim, *more) = check_axes(volumes[first], depth, doing=DOING)
    if more:
        raise ValueError(f"Cannot {DOING} along {depth!r}: one axis is needed. Pass depth={dim!r}.")
    for other in others:
        _check_alike(first, volumes[first], other, volumes[other], dim)
    _check_size(volumes)
    for name, image in volumes.items():
        _check_present(name, image, (of, touching))
    return dim


def check_start(at_um: Any, labels: xr.DataArray, dim: str) -> int:
    """Return the plane at a depth, the middle one by default; refuse one outside."""
    positions, step = labels[dim].values.astype(float), spacing(labels, dim)
    if at_um is None:
        return len(positions) // 2
    known = isinstance(at_um, int | float | np.number) and not isinstance(at_um, bool)
    number = float(at_um) if known else np.nan
    place = round((number - positions[0]) / step) if np.isfinite(number) else -1
    if not 0 <= place < len(positions):
        raise ValueError(
            f"Cannot start at at_um={at_um!r}: the planes lie from {positions[0]:.4g} to {positions[-1]:.4g} "
            f"µm along {dim}. Choose a position in between, or leave at_um out for the middle."
        )
    return place


def packed(planes: list[np.ndarray]) -> bytes:
    """Pack labels for the page; refuse what makes it too large."""
    labels = pack(np.stack(planes))
    if len(labels) > MOST_BYTES:
        raise ValueError(
            f"Cannot {DOING} on a page: the labels weigh {len(labels) / 1e6:.2f} MB packed, "
            f"{MOST_BYTES / 1e6:g} MB is the most; noisy labels weigh more. {_CROP}"
        )
    return labels


def _check_alike(name: str, image: xr.DataArray, other_name: str, other: xr.DataArray, dim: str) -> None:
    """Refuse two volumes whose planes cannot be shown at one depth and one scale."""
    sizes = voxel_size(image), voxel_size(other)
    same = len(sizes[0]) == len(sizes[1]) and np.allclose(*sizes, rtol=1e-3)
    for what, first, second, alike in (
        ("dims", image.dims, other.dims, image.dims == other.dims),
        ("shapes", image.shape, other.shape, image.shape == other.shape),
        ("voxel sizes (µm)", *sizes, same),
    ):
        if not alike:
            raise ValueError(
                f"Cannot {DOING} of {name!r} and {other_name!r} side by side: their {what} differ, {first} "
                f"and {second}. They share one depth and one scale: crop both to one box with labels.isel(), "
                "or bring them onto one grid with ct.register.coarsen()."
            )
    gap = float(np.abs(image[dim].values - other[dim].values).max())
    if gap > 1e-3 * spacing(image, dim):
        raise ValueError(
            f"Cannot {DOING} of {name!r} and {other_name!r} side by side: their {dim} positions differ by up "
            f"to {gap:.4g} µm, so no plane of one lies as deep as a plane of the other. Count depth from the "
            f"surface of each, for instance with labels.assign_coords({dim}=labels.{dim} - start)."
        )


def _check_size(volumes: Mapping[str, xr.DataArray]) -> None:
    shape = next(iter(volumes.values())).shape
    voxels = len(volumes) * int(np.prod(shape))
    if voxels > MOST_VOXELS:
        raise ValueError(
            f"Cannot {DOING} on a page: {len(volumes)} of {' × '.join(map(str, shape))} are "
            f"{voxels / 1e6:.1f} million voxels, {MOST_VOXELS / 1e6:g} million is the most. {_CROP}"
        )


def _check_present(name: str, image: xr.DataArray, needed: tuple[int, int]) -> None:
    present = check_codes(image)
    missing = [Phase(code) for code in needed if code not in present]
    if missing:
        raise ValueError(
            f"Cannot {DOING} of {name!r}: no voxel is {' or '.join(phase.label for phase in missing)}. Those "
            f"that occur are {', '.join(f'{p.label} ({int(p)})' for p in present)}. Choose of= and touching= "
            "among them, or a larger crop."
        )
