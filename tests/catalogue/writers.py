"""Writers in processes of their own: several at once, and some that are killed.

Run as a module it takes orders, a JSON list a line: ``["add", FOLDER, LOG, COUNT, STRIDE]`` adds images in
four processes at once (STRIDE 0: all the same ones), ``["random", FOLDER, LOG, TRIALS]`` kills writers after
random times, ``["each", FOLDER, LOG]`` kills one at each step that it takes. All are forked from this one
process, which has imported corrtomo and never writes itself. It answers each order with an empty line.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from corrtomo import catalogue

from .catalogued import FACTS, drawn

_WATCHED = {"open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir"}


def note(log: Path, what: str) -> None:
    """Tell the test, in one write, what has happened."""
    number = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(number, f"{what}\n".encode())
    os.close(number)


def killed(pid: int) -> bool:
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def add_at_once(folder: Path, log: Path, many: int, stride: int) -> None:
    """Add images in four processes that begin together."""
    begin = time.time() + 0.3
    pids = []
    for writer in range(4):
        pids.append(os.fork())
        if pids[-1] == 0:
            time.sleep(max(0.0, begin - time.time()))
            _add(folder, log, range(stride * writer, stride * writer + many))
            os._exit(0)
    assert not any(os.waitpid(pid, 0)[1] for pid in pids)


def _add(folder: Path, log: Path, seeds: range) -> None:
    for seed in seeds:
        try:
            entry = catalogue.add(folder, drawn(seed), **FACTS, measurements={"seed": seed})
        except FileExistsError as error:
            note(log, f"refused: {error}")
            continue
        catalogue.add_measurements(folder, entry, {"twice": 2 * seed}, who="A", how="B")
        note(log, entry)


def kill_at_random(folder: Path, log: Path, trials: int) -> None:
    """Kill a writer that adds one image after another, many times."""
    for trial in range(trials):
        pid = os.fork()
        if pid == 0:
            for seed in range(100 * trial, 100 * trial + 100):
                note(log, catalogue.add(folder, drawn(seed), **FACTS))
            os._exit(1)
        time.sleep(random.Random(trial).uniform(0.02, 0.3))
        os.kill(pid, signal.SIGKILL)
        assert killed(pid)


def kill_at_each_step(folder: Path, log: Path) -> None:
    """Kill a writer at its first step in the folder, then one at its second, until one is through."""
    step = 0
    while True:
        pid = os.fork()
        if pid == 0:
            _die_at(folder, step)
            note(log, catalogue.add(folder, drawn(step), **FACTS))
            os._exit(0)
        if not killed(pid):
            break
        step += 1
    note(log, f"steps: {step}")


def _die_at(folder: Path, step: int) -> None:
    taken = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal taken
        if event in _WATCHED and str(arguments[0]).startswith(str(folder)):
            if taken == step:
                os.kill(os.getpid(), signal.SIGKILL)
            taken += 1

    sys.addaudithook(hook)


ORDERS = {"add": add_at_once, "random": kill_at_random, "each": kill_at_each_step}

if __name__ == "__main__":
    for line in sys.stdin:
        doing, folder, log, *numbers = json.loads(line)
        ORDERS[doing](Path(folder), Path(log), *numbers)
        sys.stdout.write("\n")
        sys.stdout.flush()
