"""The files of the digital twin "xt-fibsem": the small one in the folder data, the full one in the cache."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import tifffile
import xarray as xr
from tqdm import tqdm

from ..io import read
from ..volume import volume, voxel_size
from . import cache, xt_fibsem
from .xt_fibsem import BIN, PAPER, XRAY_UM, Scene

SEED = 0
PIECES = (1, 2, 3, 4, 5)
"""Other seeds whose X-ray image and truth lie in the folder data: chapters show the spread over them."""
IMAGES = ("xray", "truth", "fibsem", "fibsem_truth")


def small_folder(seed: int) -> Path | None:
    """Return where the small twin of a seed lies beside the source; None where it does not."""
    folder = place(Path(__file__).parents[3] / "data", seed)
    return folder if folder.is_dir() else None


def place(data: Path, seed: int) -> Path:
    """Return the folder of a seed within the folder data."""
    return data / xt_fibsem.NAME / ("" if seed == SEED else f"seed-{seed}")


def make_small(seed: int = SEED) -> dict[str, xr.DataArray]:
    """Simulate the images of the small twin; those of FIB-SEM are lazy."""
    return {
        "xray": xt_fibsem.xray(seed),
        "truth": xt_fibsem.truth(seed),
        "fibsem": xt_fibsem.fibsem(seed, BIN),
        "fibsem_truth": xt_fibsem.fibsem_truth(seed, BIN),
    }


def write_small(folder: Path, seed: int = SEED) -> None:
    """Write the small twin as OME-TIFF files for Fiji; the same values give the same bytes.

    Of other seeds than 0 only the X-ray image and its truth are written: the FIB-SEM images are large.
    """
    folder.mkdir(parents=True, exist_ok=True)
    images = make_small(seed)
    for key in IMAGES if seed == SEED else IMAGES[:2]:
        image = images[key]
        scale = {f"PhysicalSize{axis}": voxel_size(image)[0] for axis in "XYZ"}
        unit = {f"PhysicalSize{axis}Unit": "µm" for axis in "XYZ"}
        name = {"UUID": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{xt_fibsem.NAME}.{seed}.{key}"))}
        tifffile.imwrite(
            folder / _file(key),
            np.asarray(image.data),
            ome=True,
            metadata={"axes": "CZYX"[-image.ndim :]} | scale | unit | name,
            compression="zlib",
            predictor=not key.endswith("truth"),
            photometric="minisblack",
        )
    np.savetxt(folder / "pose.txt", xt_fibsem.pose(seed), fmt="%.17g")


def read_small(folder: Path, seed: int = SEED) -> dict[str, xr.DataArray]:
    """Read the small twin; FIB-SEM images that were not written are lazy, and simulated when asked for."""
    data = {key: tifffile.imread(folder / _file(key)) for key in (IMAGES if seed == SEED else IMAGES[:2])}
    images = {
        "xray": volume(data["xray"], XRAY_UM, name="X-ray tomogram"),
        "truth": xt_fibsem.as_phases(volume(data["truth"], XRAY_UM)),
    }
    if seed != SEED:
        lazy = {"fibsem": xt_fibsem.fibsem(seed, BIN), "fibsem_truth": xt_fibsem.fibsem_truth(seed, BIN)}
        return images | lazy
    return images | {
        "fibsem": xt_fibsem.fibsem_image(data["fibsem"], BIN),
        "fibsem_truth": xt_fibsem.fibsem_labels(data["fibsem_truth"], BIN),
    }


def cache_folder(seed: int, size: str, scene: Scene = PAPER) -> Path:
    """Return where a large twin of a seed is kept."""
    truth = ("register/majority.py", "segment/small_features.py", "segment/morphology.py")
    package = Path(__file__).parents[1]
    code = [*(package / name for name in truth), Path(xt_fibsem.__file__)]
    return cache.folder(xt_fibsem.NAME, size, seed, parameters=(scene, xt_fibsem.XRAY_MODEL), code=code)


def make_full(seed: int, scene: Scene = PAPER) -> Path:
    """Make what the cache lacks of the full twin: after an interruption, the images that are not there."""
    bar = partial(tqdm, desc="digital twin: X-ray", unit="slab")
    makers: dict[str, Callable[[], xr.DataArray]] = {
        "xray": lambda: xt_fibsem.xray_large(seed, scene, bar),
        "truth": lambda: xt_fibsem.truth(seed, scene),
        "fibsem": lambda: xt_fibsem.fibsem(seed, 1, scene),
        "fibsem_truth": lambda: xt_fibsem.fibsem_truth(seed, 1, scene),
    }
    return cache.make(cache_folder(seed, "full", scene), makers)


def open_full(folder: Path) -> dict[str, xr.DataArray]:
    """Read the X-ray images of the full twin; those of FIB-SEM, several times as large, stay on disk."""
    images = {key: read(folder / f"{key}.ome.zarr") for key in IMAGES}
    return images | {key: images[key].load() for key in ("xray", "truth")}


def medium_xray(seed: int) -> xr.DataArray:
    """Return the medium X-ray tomogram: simulated once, kept in the cache."""
    bar = partial(tqdm, desc="digital twin: X-ray", unit="slab")
    folder = cache_folder(seed, "medium")
    cache.make(folder, {"xray": lambda: xt_fibsem.xray_medium(seed, progress=bar)})
    return read(folder / "xray.ome.zarr").load()


def _file(key: str) -> str:
    return f"{key.replace('_', '-')}.ome.tif"
