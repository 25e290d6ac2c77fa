"""The contact explorer in JupyterLab: Python hears the cursor, and moves it."""
# ruff: noqa: F811 - the fixture is imported, and then named again by the test that takes it

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page
from test_jupyterlab import lab, run_lab, wait_for  # noqa: F401 - a fixture

CELL = """
import json, numpy as np, corrtomo as ct, corrtomo.explore
rng = np.random.default_rng(7)
volumes = {name: ct.volume(rng.integers(0, 3, (6, 12, 16)).astype(np.uint8), 0.1) for name in ("a", "b")}
explorer = ct.explore.contact(volumes, caption="Live", source="schematic")
def heard(change):
    with open("heard.jsonl", "a") as file:
        print(json.dumps([change.new, [f"PBA {value:.4f}" for value in explorer.pba]]), file=file)
    if change.new == 0:
        explorer.plane = 9
explorer.observe(heard, "plane")
explorer
"""


@pytest.mark.parametrize("lab", [CELL], indirect=True)
def test_python_and_the_cursor_hear_each_other(
    lab: str, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = run_lab(open_page, lab)
    knob = page.locator(".ct-x-handle")
    knob.wait_for(timeout=60_000)
    log = tmp_path / "heard.jsonl"

    def hears(plane: int) -> bool:
        text = log.read_text() if log.exists() else ""
        shown = page.locator(".ct-x-name output").all_text_contents()
        return text.endswith("\n") and json.loads(text.splitlines()[-1]) == [plane, shown]

    knob.press("ArrowRight")
    wait_for(lambda: hears(7), 20)
    page.get_by_role("slider", name="Depth", exact=True).press("ArrowLeft")
    wait_for(lambda: hears(6), 20)
    panels = [canvas.bounding_box() for canvas in page.locator(".ct-x-panels canvas").all()]
    assert panels[0]["y"] == panels[1]["y"], "the explorer brings its own style"
    knob.press("Home")  # at 0 the cell's own code moves the plane to 9
    wait_for(lambda: knob.get_attribute("aria-valuenow") == "9" and hears(9), 20)
