"""The same explorers in JupyterLab, with a kernel: Python hears the hand, and the hand hears Python."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Page, expect

pytest.importorskip("jupyterlab")

CELL = """
import json, numpy as np, corrtomo as ct, corrtomo.explore
rng = np.random.default_rng(7)
codes = rng.integers(0, 2, (3, 12, 16)).astype(np.uint8)
image = ct.volume(np.clip(80 + 80 * codes + rng.normal(0, 30, codes.shape), 0, 255).astype(np.uint8), 0.438)
explorer = ct.explore.threshold(image, ct.volume(codes, 0.438), thresholds=(118,), caption="Live",
                                source="schematic")
def heard(change):
    with open("heard.jsonl", "a") as file:
        print(json.dumps([list(change.new), f"{explorer.kappa:.4f}"]), file=file)
    if change.new == (0,):
        explorer.thresholds = (200,)
explorer.observe(heard, "thresholds")
explorer
"""


PAIRS_AND_SWEEP = """
import json, numpy as np, corrtomo as ct, corrtomo.explore
rng = np.random.default_rng(7)
codes = rng.integers(0, 3, (6, 12, 16)).astype(np.uint8)
image = ct.volume(np.clip(60 + 50 * codes + rng.normal(0, 20, codes.shape), 0, 255).astype(np.uint8), 0.438)
truth = ct.volume(codes, 0.438)
words = {"caption": "Live", "source": "schematic"}
pairs = ct.explore.kappa_map(image, truth, start=(80, 140), **words)
sweep = ct.explore.equalised(image, truth, am_threshold=140, windows_um=(2.0, 4.0), thresholds=(90, 120),
                             start=(2.0, 90, 0.438), **words)
def heard(change):
    with open("heard.jsonl", "a") as file:
        print(json.dumps([change.name, change.new, f"{change.owner.kappa:.4f}"]), file=file)
    if change.new == 120:
        sweep.window_um = 4.0
pairs.observe(heard, "thresholds")
sweep.observe(heard, ["window_um", "cbd_threshold", "diameter_um"])
display(pairs, sweep)
"""


@pytest.fixture
def lab(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    cell = nbformat.v4.new_code_cell(getattr(request, "param", CELL))
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata.language_info = {"name": "python"}
    nbformat.write(notebook, tmp_path / "live.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = {
        name: str(tmp_path / name)
        for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }
    options = {
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": tmp_path,
        "ServerApp.allow_root": True,
        "IdentityProvider.token": "",
        "LabApp.expose_app_in_browser": True,
        "LabApp.news_url": None,
        "LabApp.check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
    }
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        *(f"--{k}={v}" for k, v in options.items()),
    ]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CORRTOMO_STATIC")}
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=clean | home, stdout=log, stderr=log, cwd=tmp_path)
    try:
        wait_for(lambda: _answers(f"http://127.0.0.1:{port}/api"), 60)
        yield f"http://127.0.0.1:{port}/lab/tree/live.ipynb"
    finally:
        server.terminate()
        server.wait(20)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def run_lab(open_page: Callable[..., Page], address: str, **options: Any) -> Page:
    """Open JupyterLab, wait for its kernel, and run the notebook."""
    page = open_page(address, viewport={"width": 1280, "height": 900}, **options)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    return page


def wait_for(done: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.1)


def test_python_and_the_hand_hear_each_other(
    lab: str, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = run_lab(open_page, lab)
    handle = page.locator(".ct-x [role=slider]")
    handle.wait_for(timeout=60_000)
    shown = lambda: [int(handle.get_attribute("aria-valuenow")), page.locator(".ct-x-kappa").text_content()]  # noqa: E731

    log = tmp_path / "heard.jsonl"
    handle.press("ArrowRight")
    wait_for(lambda: log.exists() and log.read_text().endswith("\n"), 20)
    threshold, kappa = json.loads(log.read_text().splitlines()[-1])
    assert ([119], kappa) == (threshold, shown()[1]), "JupyterLab leaves the arrow keys to the handle"

    box = page.locator(".ct-x-plot canvas").bounding_box()
    page.mouse.click(box["x"] + 61 / 256 * box["width"], box["y"] + 50)
    wait_for(lambda: abs(shown()[0] - 60) <= 1, 20)
    wait_for(lambda: json.loads(log.read_text().splitlines()[-1]) == [[shown()[0]], shown()[1]], 20)

    handle.press("Home")  # at 0 the cell's own code moves the threshold to 200
    wait_for(lambda: shown()[0] == 200, 20)
    wait_for(lambda: json.loads(log.read_text().splitlines()[-1]) == [[200], shown()[1]], 20)


@pytest.mark.parametrize("lab", [PAIRS_AND_SWEEP], indirect=True)
def test_pairs_of_thresholds_and_a_sweep_are_heard(
    lab: str, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = run_lab(open_page, lab)
    point, handle = page.locator(".ct-x-point"), page.locator(".ct-x").nth(1).locator(".ct-x-handle")
    point.wait_for(timeout=60_000)
    handle.wait_for(timeout=60_000)
    log = tmp_path / "heard.jsonl"

    def hears(name: str, value: object, explorer: int) -> bool:
        text = log.read_text() if log.exists() else ""
        shown = page.locator(".ct-x-kappa").nth(explorer).text_content()
        return text.endswith("\n") and json.loads(text.splitlines()[-1]) == [name, value, shown]

    point.press("ArrowRight")
    wait_for(lambda: hears("thresholds", [80, 141], 0), 20)
    point.press("ArrowDown")
    wait_for(lambda: hears("thresholds", [79, 141], 0), 20)
    handle.press("ArrowRight")  # at 120 the cell's own code moves the window
    wait_for(lambda: hears("window_um", 4.0, 1), 20)
    window = page.get_by_role("slider", name="Window")
    expect(window).to_have_attribute("aria-valuetext", "4 µm")
    page.get_by_role("slider", name="Ball").press("ArrowRight")
    wait_for(lambda: hears("diameter_um", 0.876, 1), 20)
