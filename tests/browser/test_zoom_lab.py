"""The zoom explorer in JupyterLab: Python hears where the reader looks, and leads elsewhere."""
# ruff: noqa: F811 - the fixture is imported, and then named again by the test that takes it

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from test_jupyterlab import lab, run_lab, wait_for  # noqa: F401 - a fixture

CELL = """
import json, numpy as np, corrtomo as ct, corrtomo.explore
rng = np.random.default_rng(7)
scene = ct.register.Scene()
for name, voxel in (("cell", 100.0), ("detail", 2.0), ("SEM", 0.05)):
    scene.add(name, ct.volume(rng.integers(0, 256, (40, 40), dtype=np.uint8), voxel))
at = lambda place: [[1, 0, place], [0, 1, place], [0, 0, 1]]
scene.align("detail", "cell", ct.register.stated(at(1500.0), error_um=18.0))
scene.align("SEM", "detail", ct.register.stated(at(30.0), error_um=0.25))
explorer = ct.explore.zoom(scene, caption="Live", source="schematic")
def heard(change):
    with open("heard.jsonl", "a") as file:
        known = {name: round(v, 3) for name, v in explorer.errors_um.items()}
        print(json.dumps([round(explorer.view["field_um"], 6), known]), file=file)
    if explorer.cursor_um == [explorer.view["y_um"], explorer.view["x_um"]] and explorer.layers[2]["on"]:
        if explorer.view["field_um"] > 2000:
            explorer.adjust("SEM", on=False)
            explorer.go_to("detail")
explorer.observe(heard, ["view", "cursor_um"])
explorer
"""


@pytest.mark.parametrize("lab", [CELL], indirect=True)
def test_python_and_the_view_hear_each_other(
    lab: str, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = run_lab(open_page, lab, reduced_motion="reduce")
    surface = page.get_by_role("application")
    surface.wait_for(timeout=60_000)
    log = tmp_path / "heard.jsonl"

    def hears(field_um: float, known: dict[str, float]) -> bool:
        text = log.read_text() if log.exists() else ""
        return text.endswith("\n") and json.loads(text.splitlines()[-1]) == [field_um, known]

    page.get_by_role("button", name="Go to SEM").click()
    wait_for(lambda: hears(2.16, {"cell": 18.002, "detail": 0.25}), 20)
    # What Python says is on the page a moment after Python has heard it.
    expect(page.locator(".ct-x-error")).to_have_text(["± 18 µm", "± 250 nm", ""])
    surface.press("+")
    wait_for(lambda: hears(1.728, {"cell": 18.002, "detail": 0.25}), 20)
    page.get_by_role("button", name="Go to cell").click()  # the cell's own code leads back to the detail
    wait_for(lambda: hears(86.4, {"cell": 18.0, "SEM": 0.25}), 20)
    expect(page.locator(".ct-x-kappa")).to_have_text("86.4 µm")
    expect(page.get_by_role("checkbox", name="show SEM")).not_to_be_checked()
