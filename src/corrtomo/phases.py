"""The phases of an electrode: codes, names, colours.

Labels are ``uint8`` images with the codes of :class:`Phase`, listed in ``image.attrs["phases"]``;
255 is "left out". The same phase has the same colour in every figure and explorer of the book.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import xarray as xr

from .volume import check_image


class Phase(IntEnum):
    """Codes of the phases, from the darkest in X-ray attenuation to the brightest.

    Examples
    --------
    >>> from corrtomo import Phase
    >>> Phase.AM, int(Phase.AM), Phase.AM.label
    (<Phase.AM: 2>, 2, 'active material')
    """

    PORE = 0
    CBD = 1
    AM = 2
    COLLECTOR = 3
    SEPARATOR = 4
    LEFT_OUT = 255

    @property
    def label(self) -> str:
        """The name of the phase in words."""
        return _LABELS[self]

    @property
    def colour(self) -> str:
        """The colour of the phase, as hex: told apart with any colour vision, and in grey."""
        return _COLOURS[self]

    @classmethod
    def _missing_(cls, value: object) -> None:
        known = ", ".join(f"{int(p)} {p.name}" for p in cls)
        raise ValueError(
            f"Cannot find phase {value!r}: not a known phase code. Known are {known}. "
            "Relabel the image first, for instance with xarray.where()."
        )


_LABELS = {
    Phase.PORE: "pore",
    Phase.CBD: "carbon binder domain",
    Phase.AM: "active material",
    Phase.COLLECTOR: "current collector",
    Phase.SEPARATOR: "separator",
    Phase.LEFT_OUT: "left out",
}
# From the Okabe-Ito set: dark to light in the order of the grey values of an X-ray slice.
_COLOURS = {
    Phase.PORE: "#1b3a5c",
    Phase.CBD: "#e69f00",
    Phase.AM: "#d9d9d9",
    Phase.COLLECTOR: "#b35a1f",
    Phase.SEPARATOR: "#009e73",
    Phase.LEFT_OUT: "#9384a3",
}


def as_labels(image: xr.DataArray) -> xr.DataArray:
    """Mark an image of phase codes as labels: ``uint8`` with the phases in its attributes.

    Parameters
    ----------
    image : xarray.DataArray
        Integer or boolean codes of :class:`Phase`, any dims.

    Returns
    -------
    xarray.DataArray
        The same codes as ``uint8``; ``attrs["phases"]`` maps names to the codes that occur in :class:`Phase`.

    Raises
    ------
    ValueError
        If a code is not one of :class:`Phase`.
    """
    check_image(image)
    check_codes(image)
    out = image.astype(np.uint8)
    out.attrs["phases"] = {p.name: int(p) for p in Phase}
    return out


def check_integer(image: xr.DataArray, *, doing: str) -> None:
    """Refuse labels or masks that are not integer or boolean."""
    check_image(image)
    if not (np.issubdtype(image.dtype, np.integer) or image.dtype == bool):
        raise TypeError(
            f"Cannot {doing}: its dtype is {image.dtype}, but labels are integer codes of ct.Phase, or "
            "a mask of booleans. Segment the image first, for instance with ct.segment.by_thresholds()."
        )


def check_codes(image: xr.DataArray) -> list[Phase]:
    """Refuse labels with a code that is not a phase; return the phases present, by code."""
    check_integer(image, doing="read phase codes")
    return [Phase(int(code)) for code in np.asarray(np.unique(image.data))]


def check_mask(mask: Any, *, doing: str) -> None:
    """Refuse a mask that is not boolean."""
    check_image(mask)
    if mask.dtype != bool:
        raise TypeError(
            f"Cannot {doing}: the mask has dtype {mask.dtype}, but booleans are needed. "
            "Compare labels with a phase first, for instance labels == ct.Phase.AM."
        )
