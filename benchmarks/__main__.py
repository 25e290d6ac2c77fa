"""Print one table a topic and size: ``python -m benchmarks [topic ...] [--size 128 512]``."""

from __future__ import annotations

import argparse
from importlib import import_module

from .table import show

TOPICS = (
    "registration",
    "slice_alignment",
    "destriping",
    "projection_repairs",
    "reconstruction",
    "coarsening",
    "agreement",
    "thresholds",
    "segmentation",
    "pixel_classifier",
    "surface",
    "particles",
    "local_thickness",
    "size_density",
    "conduction",
    "contact",
)
SMALL, LARGE = 128, 512


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("topic", nargs="*", help=f"out of {', '.join(TOPICS)}; default: all")
    parser.add_argument(
        "--size", type=int, nargs="+", default=[SMALL, LARGE], help="voxels along an edge (default 128 512)"
    )
    chosen = parser.parse_args()
    unknown = [topic for topic in chosen.topic if topic not in TOPICS]
    if unknown:
        parser.error(f"no topic {', '.join(unknown)}: there are {', '.join(TOPICS)}")
    if min(chosen.size) < 32:
        parser.error(f"--size {min(chosen.size)}: 32 or more is needed, for the ball to be round")
    for topic in chosen.topic or TOPICS:
        for size in chosen.size:
            show(f"{topic}, {size}", import_module(f".{topic}", __package__).rows(size))


if __name__ == "__main__":
    main()
