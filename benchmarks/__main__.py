"""Print one table a topic: ``python -m benchmarks [topic ...] [--size 512]``."""

from __future__ import annotations

import argparse
from importlib import import_module

from .table import show

TOPICS = ("coarsening", "agreement", "thresholds", "surface", "particles", "local_thickness", "size_density")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("topic", nargs="*", help=f"out of {', '.join(TOPICS)}; default: all")
    parser.add_argument("--size", type=int, default=512, help="voxels along an edge (default 512)")
    chosen = parser.parse_args()
    unknown = [topic for topic in chosen.topic if topic not in TOPICS]
    if unknown:
        parser.error(f"no topic {', '.join(unknown)}: there are {', '.join(TOPICS)}")
    if chosen.size < 32:
        parser.error(f"--size {chosen.size}: 32 or more is needed, for the ball to be round")
    for topic in chosen.topic or TOPICS:
        show(topic, import_module(f".{topic}", __package__).rows(chosen.size))


if __name__ == "__main__":
    main()
