"""Make the digital twins in the folder data again: ``python -m corrtomo.datasets``."""

from __future__ import annotations

from pathlib import Path

from . import twin_files, xt_fibsem

if __name__ == "__main__":
    twin_files.write_small(Path("data") / xt_fibsem.NAME)
