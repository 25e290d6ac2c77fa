"""The files of the digital twin "xt-fibsem": the small one in the folder data, the full one in the cache."""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pooch
import tifffile
import xarray as xr
import zarr
from tqdm import tqdm

from ..volume import origin, volume, voxel_size
from . import xt_fibsem
from .xt_fibsem import BIN, PAPER, XRAY_UM, Scene

SEED = 0
PIECES = (1, 2, 3, 4, 5)
"""Other seeds whose X-ray image and truth lie in the folder data: chapters show the spread over them."""
IMAGES = ("xray", "truth", "fibsem", "fibsem_truth")
_CHUNK = {"channel": 1, "z": 24, "y": 256, "x": 256}


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
    """Return where a large twin of a seed is kept; other parameters or other code are another folder."""
    root = Path(os.environ.get("CORRTOMO_CACHE") or pooch.os_cache("corrtomo"))
    made_by = hashlib.sha256(repr((scene, xt_fibsem.XRAY_MODEL)).encode())
    package = Path(__file__).parents[1]
    truth = ("register/majority.py", "segment/small_features.py", "segment/morphology.py")
    code = [*sorted((package / "simulate").glob("*.py")), *(package / name for name in truth)]
    for source in [*code, Path(xt_fibsem.__file__)]:
        made_by.update(source.read_bytes())
    return root / f"{xt_fibsem.NAME}-{size}-seed{seed}-{made_by.hexdigest()[:12]}"


def make_full(seed: int, scene: Scene = PAPER) -> Path:
    """Make the full twin in the cache, if it is not there; an interrupted run leaves nothing taken for it."""

    def fill(part: Path) -> None:
        bar = partial(tqdm, desc="digital twin: X-ray", unit="slab")
        _store(xt_fibsem.xray_large(seed, scene, bar), part / "xray.ome.zarr")
        _store(xt_fibsem.truth(seed, scene), part / "truth.ome.zarr")
        makers: dict[str, tuple[xr.DataArray, Callable[..., Any]]] = {
            "fibsem": (xt_fibsem.fibsem(seed, 1, scene), xt_fibsem.fibsem_slab),
            "fibsem_truth": (xt_fibsem.fibsem_truth(seed, 1, scene), xt_fibsem.fibsem_truth_slab),
        }
        for key, (image, make) in makers.items():
            target = _create(image, part / f"{key}.ome.zarr")
            for first, last in tqdm(xt_fibsem.slabs(1, scene), desc=f"digital twin: {key}", unit="slab"):
                target[..., first:last, :, :] = make(seed, first, last, 1, scene)
        np.savetxt(part / "pose.txt", xt_fibsem.pose(seed, scene), fmt="%.17g")

    return _make(cache_folder(seed, "full", scene), fill)


def medium_xray(seed: int) -> xr.DataArray:
    """Return the medium X-ray tomogram: simulated once, kept in the cache."""

    def fill(part: Path) -> None:
        bar = partial(tqdm, desc="digital twin: X-ray", unit="slab")
        _store(xt_fibsem.xray_medium(seed, progress=bar), part / "xray.ome.zarr")

    folder = _make(cache_folder(seed, "medium"), fill)
    data = np.asarray(zarr.open_array(folder / "xray.ome.zarr", path="0", mode="r")[...])
    start = [-c * XRAY_UM for c in xt_fibsem.MEDIUM_CORNER]
    return volume(data, XRAY_UM, origin=start, name="X-ray tomogram")


def _make(final: Path, fill: Callable[[Path], None]) -> Path:
    """Fill a folder of the cache, if it is not there, so that it appears whole or not at all."""
    if final.is_dir():
        return final
    final.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=final.parent, prefix=f".{final.name}-") as scratch:
        part = Path(scratch) / "part"
        part.mkdir()
        fill(part)
        try:
            part.rename(final)
        except OSError:
            if not final.is_dir():  # else another process was faster, with the same volumes
                raise
    return final


def open_full(folder: Path, scene: Scene = PAPER) -> dict[str, xr.DataArray]:
    """Open the full twin lazily."""
    lazy: Any = dask.array  # its functions carry no types
    data = {key: lazy.from_zarr(str(folder / f"{key}.ome.zarr"), component="0") for key in IMAGES}
    start = [-c * XRAY_UM for c in scene.corner]
    return {
        "xray": volume(data["xray"], XRAY_UM, origin=start, name="X-ray tomogram"),
        "truth": xt_fibsem.as_phases(volume(data["truth"], XRAY_UM)),
        "fibsem": xt_fibsem.fibsem_image(data["fibsem"]),
        "fibsem_truth": xt_fibsem.fibsem_labels(data["fibsem_truth"]),
    }


def _file(key: str) -> str:
    return f"{key.replace('_', '-')}.ome.tif"


def _store(image: xr.DataArray, path: Path) -> None:
    _create(image, path)[...] = image.data


def _create(image: xr.DataArray, path: Path) -> Any:
    """Create an OME-Zarr (0.5, one scale) of the size of an image; return its array, still empty."""
    kinds = {"channel": {"name": "c", "type": "channel"}}
    axes = [kinds.get(str(d), {"name": str(d), "type": "space", "unit": "micrometer"}) for d in image.dims]
    lead = [1.0] * (image.ndim - 3)
    steps = [
        {"type": "scale", "scale": [*lead, *voxel_size(image)]},
        {"type": "translation", "translation": [0.0] * len(lead) + list(origin(image))},
    ]
    scales = [{"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": steps}]}]
    group = zarr.create_group(path, attributes={"ome": {"version": "0.5", "multiscales": scales}})
    chunks = tuple(min(_CHUNK[str(d)], n) for d, n in image.sizes.items())
    return group.create_array("0", shape=image.shape, chunks=chunks, dtype=np.uint8)
