"""Slice-and-view: where each slice lies, how its image drifts, and the marks by which both are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from .limits import is_number

Array = npt.NDArray[np.float64]
_SIDE_UM, _MIDDLE_UM = 1.2, 0.8


@dataclass(frozen=True)
class MillingModel:
    """How an ion beam takes slice after slice off a face that an electron beam looks at from the side.

    The beams enclose 90° − `tilt_deg`: the face is seen under `tilt_deg`, its height foreshortened by
    cos `tilt_deg`, and a face that has receded by a depth z appears z sin `tilt_deg` higher in the image. The
    software follows by a share of the nominal depth. Thickness and drift are assumptions.

    Attributes
    ----------
    tilt_deg : float
        Angle between the electron beam and the normal of the face. The cycling paper prints 36°.
    thickness_sd : float
        Standard deviation of the thickness of a slice, as a share of the nominal one.
    thickness_slices : float
        Over how many slices a deviation of the thickness is forgotten.
    followed : float
        Share of the nominal upward shift that the software takes away.
    drift_um : float
        Standard deviation of the step from image to image of the drift along each of y and x, on the screen.
    coating_um : float
        Thickness of the tungsten over the region.
    mark_um : float
        Diameter of the marks in it.
    """

    tilt_deg: float = 36.0
    thickness_sd: float = 0.15
    thickness_slices: float = 5.0
    followed: float = 0.95
    drift_um: float = 0.01
    coating_um: float = 1.0
    mark_um: float = 0.3

    def __post_init__(self) -> None:
        shares = {"thickness_sd": 0.3, "followed": 1.0}
        for name, most in shares.items():
            value = getattr(self, name)
            if not (is_number(value) and 0.0 <= value <= most):
                raise ValueError(
                    f"Cannot mill with {name} {value!r}: a share from 0 to {most} is needed. Leave it out "
                    "for the default."
                )
        if not (is_number(self.tilt_deg) and 0.0 <= self.tilt_deg < 80.0):
            raise ValueError(
                f"Cannot look at a face under tilt_deg {self.tilt_deg!r}: an angle from 0 to 80 degrees from "
                "its normal is needed. The paper's columns stand 54° apart, which is a tilt of 36°."
            )
        for name in ("thickness_slices", "coating_um", "mark_um"):
            value = getattr(self, name)
            if not (is_number(value) and 0.0 < value < np.inf):
                raise ValueError(
                    f"Cannot mill with {name} {value!r}: a finite number above zero is needed. Lengths are "
                    "in µm."
                )
        if not (is_number(self.drift_um) and 0.0 <= self.drift_um < np.inf):
            raise ValueError(
                f"Cannot mill with drift_um {self.drift_um!r}: a finite number from 0 is needed. 0 leaves "
                "drift out."
            )


def slice_table(count: int, slice_um: float, model: MillingModel, seed: int) -> pd.DataFrame:
    """Draw where each slice lies and how its image drifts.

    Returns
    -------
    pandas.DataFrame
        A row a slice: ``slice``, ``z_um`` (milled since the first), ``y_um`` and ``x_um`` (how far the image
        lies further down and right on the screen than the first, in µm).
    """
    thick, stage = (np.random.default_rng(np.random.SeedSequence([seed, 22, n])) for n in range(2))
    keep = float(np.exp(-1.0 / model.thickness_slices))
    steps, drift = thick.standard_normal(count), stage.standard_normal((count, 2)) * model.drift_um
    wander = np.empty(count)
    wander[0] = steps[0]
    for k in range(1, count):
        wander[k] = keep * wander[k - 1] + np.sqrt(1.0 - keep**2) * steps[k]
    # A slice takes something off, however uneven the milling.
    thickness = slice_um * np.maximum(0.2, 1.0 + model.thickness_sd * wander)
    z = np.concatenate([[0.0], np.cumsum(thickness[1:])])
    drift[0] = 0.0
    walk = np.cumsum(drift, axis=0)
    nominal = np.arange(count) * slice_um
    up = (z - model.followed * nominal) * np.sin(np.radians(model.tilt_deg))
    return pd.DataFrame({"slice": np.arange(count), "z_um": z, "y_um": walk[:, 0] - up, "x_um": walk[:, 1]})


def mark_table(width_um: float, depth_um: float, top_um: float, model: MillingModel) -> pd.DataFrame:
    """Lay marks into the coating: a straight one near each side, and a chevron between them.

    Parameters
    ----------
    width_um : float
        Width of the image.
    depth_um : float
        How deep is milled.
    top_um : float
        Where the specimen begins below the top of the first image, on the screen.
    model : MillingModel
        Thickness of the coating, and tilt.

    Returns
    -------
    pandas.DataFrame
        A row a mark: ``y_um``, ``x_um`` of its centre in the first image, on the screen, and ``slope``, how
        far it runs along x for each µm milled.
    """
    middle, side = width_um / 2.0, min(_SIDE_UM, width_um / 8.0)
    begin = min(_MIDDLE_UM, width_um / 10.0)
    slope = min(1.0, (middle - side - 2.0 * begin) / depth_um)
    y = top_um - model.coating_um / 2.0 * np.cos(np.radians(model.tilt_deg))
    x = [side, middle - begin, middle + begin, width_um - side]
    return pd.DataFrame({"y_um": np.full(4, y), "x_um": x, "slope": [0.0, -slope, slope, 0.0]})
