"""What stands between a pillar and the counts of its radiographs: beam, detector, and what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..limits import check_positive, is_number
from .checks import WIDEST_SPOT_UM
from .spectrum import Spectrum, tungsten


@dataclass(frozen=True)
class ScanModel:
    """What stands between a pillar and the counts of its radiographs.

    A pixel at (z, u) on the axis of rotation sees along the ray from the focal spot, `source_um` away, the
    lengths L_m of each material. The image  Σ_E N(E) exp(−Σ_m µ_m(E) L_m)  is blurred by the focal spot (a
    Gaussian); times g, the gain of the pixel, it is what the pixel expects, and it counts by Poisson's law.
    N(E) is that of a thick tungsten target
    (:func:`tungsten <corrtomo.simulate.pillar.spectrum.tungsten>`) which does not absorb its own X-rays.

    Distance, energy, current, exposure and target are the paper's ("NanoCT Analysis"). The focal spot is set
    so that the resolution is the paper's 224 nm. All else is assumed.

    Attributes
    ----------
    source_um : float
        From the focal spot to the axis of rotation.
    voltage_kv, current_na, exposure_s : float
        Of the electron beam, and time of a projection.
    spot_um : float
        Full width at half maximum of the focal spot, as its image is wide on the axis: the detector is far.
    line_share : float
        Share of L lines in what is counted.
    sensor_um : float
        Thickness of the silicon sensor.
    axis_um : float
        How far off the middle of the detector the axis of rotation is seen.
    drift_um : float
        How far the spot wanders during the scan, along z and along x (standard deviation of a smooth walk).
    gain_sd, gain_change : float
        Spread of the pixels' gains, which flats show, and by how much they change after the flats.
    dead_columns : int
        Columns of pixels that count nothing: joints between the chips of the detector.
    flats : int
        Flats taken.
    """

    source_um: float = 400.0
    voltage_kv: float = 30.0
    current_na: float = 400.0
    exposure_s: float = 90.0
    spot_um: float = 0.2
    line_share: float = 0.3
    sensor_um: float = 300.0
    axis_um: float = 0.37
    drift_um: float = 0.15
    gain_sd: float = 0.03
    gain_change: float = 0.004
    dead_columns: int = 1
    flats: int = 20

    def __post_init__(self) -> None:
        above = ("source_um", "voltage_kv", "current_na", "exposure_s", "spot_um", "sensor_um", "flats")
        check_positive(
            self, above, or_zero=("line_share", "drift_um", "gain_sd", "gain_change", "dead_columns")
        )
        if not (
            6 <= self.voltage_kv <= 30 and self.line_share < 1 and max(self.gain_sd, self.gain_change) < 0.3
        ):
            raise ValueError(
                f"Cannot use ScanModel with voltage_kv {self.voltage_kv!r}, line_share {self.line_share!r}, "
                f"gain_sd {self.gain_sd!r} and gain_change {self.gain_change!r}: 6 to 30 kV, for which "
                "attenuation is tabulated, a share below 1, and gains that spread by less than 0.3."
            )
        whole = all(float(n).is_integer() for n in (self.flats, self.dead_columns))
        if not whole or self.spot_um > WIDEST_SPOT_UM:
            raise ValueError(
                f"Cannot use ScanModel with flats {self.flats!r}, dead_columns {self.dead_columns!r} and "
                f"spot_um {self.spot_um!r}: whole numbers, and a spot up to {WIDEST_SPOT_UM:g} µm, are "
                "needed."
            )
        if not is_number(self.axis_um) or not abs(self.axis_um) < np.inf:
            raise ValueError(f"Cannot use ScanModel with axis_um {self.axis_um!r}: a number in µm is needed.")

    def spectrum(self, pixel_um: float) -> Spectrum:
        """Return what a pixel, as wide as stated on the axis, counts with nothing in the beam."""
        angle = (pixel_um / self.source_um) ** 2
        return tungsten(
            self.voltage_kv, self.current_na, self.exposure_s, angle,
            line_share=self.line_share, sensor_um=self.sensor_um,
        )  # fmt: skip
