"""What a view in three dimensions refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr

from ..checks import check_spatial
from ..measure.options import is_flat, is_real
from ..phases import Phase
from ..volume import check_image, voxel_size


def check_sizes(thickness: xr.DataArray, *, doing: str) -> float:
    """Refuse local diameters that cannot be; return the largest one, in µm."""
    check_image(thickness)
    check_spatial(thickness, doing=doing)
    if not np.issubdtype(thickness.dtype, np.floating):
        raise TypeError(
            f"Cannot {doing}: its dtype is {thickness.dtype}, but local diameters are floats in µm, "
            "0 outside. Measure them with ct.measure.local_thickness()."
        )
    smallest, largest = float(thickness.min()), float(thickness.max())  # NaN is left out
    if not 0 <= smallest <= largest < np.inf or largest == 0:
        raise ValueError(
            f"Cannot {doing}: diameters lie between {smallest:g} and {largest:g} µm, but they must be "
            "finite, 0 outside and above 0 inside, with some voxel inside. "
            "Measure them with ct.measure.local_thickness()."
        )
    return largest


def check_limits(limits_um: tuple[float, float] | None, largest: float) -> tuple[float, float]:
    """Refuse limits of a colour bar that are not two ascending lengths; by default 0 and the largest."""
    if limits_um is None:
        return 0.0, largest
    pair = is_flat(limits_um) and len(limits_um) == 2 and all(map(is_real, limits_um))
    if not (pair and 0 <= limits_um[0] < limits_um[1] < np.inf):
        raise ValueError(
            f"Cannot colour sizes between {limits_um!r} µm: the limits must be finite, ascending and not "
            "below 0. Pass for instance limits_um=(0, 12)."
        )
    return float(limits_um[0]), float(limits_um[1])


def check_3d(image: xr.DataArray, doing: str) -> None:
    """Refuse what has not three dimensions."""
    check_spatial(image, doing=doing)
    if image.ndim != 3:
        raise ValueError(
            f"Cannot {doing}: the image has dims {image.dims}, but z, y, x are needed. "
            "Show a single slice with ct.show.slices()."
        )


def check_phases(phases: Sequence[Phase]) -> list[Phase]:
    """Refuse phases that are none, or shown twice."""
    shown = [Phase(phase) for phase in phases]
    if not shown or len(set(shown)) < len(shown):
        raise ValueError(
            f"Cannot show phases {list(phases)!r}: one or more are needed, each once. "
            "Pass for instance phases=(ct.Phase.CBD, ct.Phase.AM)."
        )
    return shown


def check_seen(shown: Sequence[Phase], seen: npt.NDArray[np.bool_]) -> None:
    """Refuse phases of which there is no voxel."""
    missing = [phase.label for phase, there in zip(shown, seen, strict=True) if not there]
    if missing:
        raise ValueError(
            f"Cannot show {' and '.join(missing)} in 3D: no voxel is labelled so. "
            "Choose phases that occur with phases=, or check the segmentation with "
            "ct.measure.volume_fractions()."
        )


def check_opacities(opacity: float | Mapping[Phase, float], shown: Sequence[Phase]) -> dict[Phase, float]:
    """Return the opacity of each shown phase; refuse what cannot be seen."""
    given = opacity if isinstance(opacity, Mapping) else dict.fromkeys(shown, opacity)
    out = {phase: float(given.get(phase, 1.0)) for phase in shown}
    if not all(0 < value <= 1 for value in out.values()) or set(given) - set(shown):
        raise ValueError(
            f"Cannot show phases {[p.name for p in shown]} with opacity {opacity!r}: each must be above 0 "
            "and at most 1, and of a phase that is shown. Leave a phase out with phases=."
        )
    return out


def check_budget(most_triangles: int) -> int:
    """Refuse a number of triangles that shows no shape."""
    if isinstance(most_triangles, bool) or not isinstance(most_triangles, int | np.integer):
        raise TypeError(
            f"Cannot keep to {most_triangles!r} triangles: a whole number is needed, such as 60000."
        )
    if most_triangles < 100:
        raise ValueError(
            f"Cannot keep to {most_triangles} triangles: 100 or more are needed to show a shape. "
            "The default is 60000."
        )
    return int(most_triangles)


def check_cut(cut_um: Sequence[float] | None, image: xr.DataArray) -> npt.NDArray[np.float64] | None:
    """Return the edges of the block that is taken out; refuse one that the volume cannot lose."""
    if cut_um is None:
        return None
    cut = np.asarray(cut_um, float)
    box = np.array([n * size for n, size in zip(image.shape, voxel_size(image), strict=True)])
    if cut.shape != (3,) or not ((cut > 0) & (cut <= box)).all() or (cut == box).all():
        raise ValueError(
            f"Cannot cut a block of {cut_um!r} µm out of a volume of {box.round(3).tolist()} µm: three edges "
            "along z, y, x are needed, each above 0, within the volume, and not all of it."
        )
    return cut
