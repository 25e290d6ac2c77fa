"""Make the digital twins in the folder data again: ``python -m corrtomo.datasets``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tqdm import tqdm

from . import cycling, kintsugi, pillar, twin_files

if __name__ == "__main__":
    for seed in tqdm((twin_files.SEED, *twin_files.PIECES), desc="digital twins", unit="specimen"):
        twin_files.write_small(twin_files.place(Path("data"), seed), seed)
    kintsugi.write_small(Path("data") / kintsugi.NAME)
    cycling.write_all(Path("data") / cycling.NAME, partial(tqdm, desc="cathodes", unit="piece"))
    pillar.write_small(Path("data") / pillar.NAME)
