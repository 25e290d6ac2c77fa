"""How far each voxel is from a phase."""

from __future__ import annotations

import edt
import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import get_num_threads

from ..checks import check_spatial
from ..phases import Phase, check_codes
from ..volume import check_image, voxel_size


def distance_to(labels: xr.DataArray, phase: Phase) -> xr.DataArray:
    """Measure how far each voxel is from the nearest voxel of a phase.

    The kintsugi paper reads its EDS maps by the distance from the current collector: next to it fluorine is
    strong and carbon weak (J. Electrochem. Soc. 169, 070512, "Results and Discussion").

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, dims z, y, x or y, x; voxels need not be cubes. Dask is computed.
    phase : Phase
        To which phase.

    Returns
    -------
    xarray.DataArray
        ``float32``, µm from voxel centre to voxel centre on the same grid; 0 in the phase itself.

    Raises
    ------
    ValueError
        If the phase does not occur, or a code is not one of :class:`corrtomo.Phase`.

    Notes
    -----
    In a section it is the distance within the section: the phase may be nearer above or below it. What lies
    beyond the border is not known, and not counted.

    Examples
    --------
    >>> import corrtomo as ct
    >>> labels = ct.volume([[1, 1, 1, 3]] * 2, 0.5)
    >>> ct.measure.distance_to(labels, ct.Phase.COLLECTOR).values[0].tolist()
    [1.5, 1.0, 0.5, 0.0]
    """
    doing = "measure the distance to a phase"
    check_image(labels, ndim=(2, 3))
    check_spatial(labels, doing=doing)
    present = check_codes(labels)
    chosen = Phase(phase)
    if chosen not in present:
        raise ValueError(
            f"Cannot {doing}: no voxel is {chosen.label} ({int(chosen)}). Phases that occur: "
            f"{', '.join(f'{p.label} ({int(p)})' for p in present)}. Choose one of them, or a larger crop."
        )
    found = distances(np.asarray(labels.data) != chosen, voxel_size(labels))
    name = f"distance to {chosen.label} (µm)"
    return xr.DataArray(found, dims=labels.dims, coords=labels.coords, name=name)


def distances(mask: npt.NDArray[np.bool_], edges: tuple[float, ...]) -> npt.NDArray[np.float32]:
    """Return the distance of each voxel of a mask to the nearest one outside it, centre to centre, in µm.

    Infinite where nothing is outside; what is beyond the border is not outside.
    """
    # A boolean may hold any byte, and edt would take other bytes for other labels.
    plain = (np.ascontiguousarray(mask).view(np.uint8) != 0).view(np.uint8)
    found = edt.edt(plain, anisotropy=edges, black_border=False, parallel=get_num_threads())
    return np.asarray(found, np.float32)
