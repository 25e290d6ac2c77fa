"""How long a call takes, and how much memory it adds."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

_PROC = Path("/proc/self")
_QUICK = 2.0  # seconds


class Run(NamedTuple):
    """What a call returned, how long it took, and what memory it added at its peak (nan if not known)."""

    result: Any
    seconds: float
    peak_mb: float


def run(call: Callable[[], Any], *, repeats: int = 1) -> Run:
    """Time the fastest of some calls; memory is that of the last."""
    seconds = []
    for _ in range(repeats):
        result = None
        gc.collect()
        before = _reset_peak()
        start = perf_counter()
        result = call()
        seconds.append(perf_counter() - start)
        peak = _status("VmHWM") - before
    return Run(result, min(seconds), peak)


def ours(call: Callable[[], Any]) -> Run:
    """Time our own: once to compile, then the fastest of three."""
    call()
    return run(call, repeats=3)


def theirs(call: Callable[[], Any]) -> Run:
    """Time a peer: as often as our own where it is quick."""
    first = run(call)
    return run(call, repeats=3) if first.seconds < _QUICK else first


def _reset_peak() -> float:
    """Let the peak start anew (Linux); return what is in use."""
    try:
        (_PROC / "clear_refs").write_text("5")
    except OSError:  # another system, or a container that forbids it: the table then shows a dash
        return float("nan")
    return _status("VmRSS")


def _status(key: str) -> float:
    """Read a size in MB from what the kernel says of this process."""
    if not (_PROC / "status").exists():
        return float("nan")
    for line in (_PROC / "status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return float("nan")
