"""Published X-ray slices, cut and scaled for the chapters."""

from __future__ import annotations

from dataclasses import dataclass

from ..io import read
from .real import fetch, sources
from .sample import Sample


@dataclass(frozen=True)
class Slice:
    """Which file of a data set, its pixel size, and which pixels show the electrode."""

    file: str
    pixel_um: float
    rows: tuple[int, int]
    columns: tuple[int, int]
    scale: str


SLICES = {
    "nmc-xt-slice": Slice(
        "NMC_90wt_2000bar_115.tif", 0.370, (0, 853), (0, 846), "pixel size as stated for the data set: 370 nm"
    ),
    # The middle of the reconstructed circle; beyond it lie air and the mask of the preview.
    "nmc-nanoct": Slice(
        "tomo_00086.png",
        0.0464,
        (180, 780),
        (240, 840),
        "pixel size inferred: twice the 23.2 nm of the detector",
    ),
}


def load_slice(name: str) -> Sample:
    """Fetch a published slice and read its grey values.

    Raises
    ------
    ValueError
        If its colour channels differ: then it is no grey image.
    """
    chosen = SLICES[name]
    image = read(fetch(name) / chosen.file, chosen.pixel_um)
    if "channel" in image.dims:
        colours = image.isel(channel=slice(0, 3))
        if bool((colours != colours.isel(channel=0)).any()):
            raise ValueError(
                f"Cannot read {chosen.file} as grey values: its colours differ. Red, green and blue must be "
                "the same. Read it with ct.read() and select a channel."
            )
        image = image.isel(channel=0, drop=True)
    grey = image.isel(y=slice(*chosen.rows), x=slice(*chosen.columns))
    row = sources().loc[name]
    about = f"Measured: {row['about']} {row['credit']}; licence {row['licence']}; {chosen.scale}."
    return Sample(xray=grey, source="measured", about=about)
