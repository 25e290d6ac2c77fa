"""Rows of a comparison, and how they are printed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from .timing import Run

_HEAD = ("step", "size", "ours", "peer", "peer's", "ratio", "peak: ours", "peer's")


@dataclass(frozen=True)
class Row:
    """One step, ours beside a peer; `scale` is what a part of the peer's work was multiplied by."""

    step: str
    size: int
    ours: Run
    peer_name: str
    peer: Run
    scale: float = 1.0

    @property
    def ratio(self) -> float:
        """How many times faster we are."""
        return self.peer.seconds * self.scale / self.ours.seconds

    def cells(self) -> tuple[str, ...]:
        """Write the texts of one line."""
        about = "" if self.scale == 1 else "≈ "
        return (
            self.step,
            f"{self.size}³",
            _seconds(self.ours.seconds),
            self.peer_name,
            about + _seconds(self.peer.seconds * self.scale),
            about + (f"{self.ratio:,.0f}×" if self.ratio >= 100 else f"{self.ratio:.2g}×"),
            _megabytes(self.ours.peak_mb),
            _megabytes(self.peer.peak_mb),
        )


def show(topic: str, rows: Iterable[Row | str]) -> None:
    """Print rows as they come in; text between them is a note."""
    print(f"\n## {topic}\n", flush=True)
    widths = (34, 5, 8, 35, 9, 12, 10, 8)
    for line in (_HEAD, tuple("-" * w for w in widths)):
        print(_line(line, widths))
    notes = []
    for row in rows:
        if isinstance(row, str):
            notes.append(row)
        else:
            print(_line(row.cells(), widths), flush=True)
    for note in notes:
        print(f"\n{note}", flush=True)


def _line(cells: tuple[str, ...], widths: tuple[int, ...]) -> str:
    return "| " + " | ".join(f"{c:{w}}" for c, w in zip(cells, widths, strict=True)) + " |"


def _seconds(value: float) -> str:
    if value < 0.1:
        return f"{value * 1000:.3g} ms"
    if value < 600:
        return f"{value:.3g} s"
    return f"{value / 3600:.2g} h" if value < 172_800 else f"{value / 86_400:.3g} d"


def _megabytes(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.0f} MB"
