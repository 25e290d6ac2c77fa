"""The overlay explorer in JupyterLab: Python hears the section move, and moves it."""
# ruff: noqa: F811 - the fixture is imported, and then named again by the test that takes it

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from test_jupyterlab import lab, run_lab, wait_for  # noqa: F401 - a fixture

CELL = """
import json, numpy as np, corrtomo as ct, corrtomo.explore
from scipy import ndimage
rng = np.random.default_rng(7)
grey = ndimage.gaussian_filter(rng.random((20, 40, 40)), 2)
volume = ct.volume(grey, 0.1)
se = ct.volume(grey[10, 5:35, 5:35], 0.1, origin=0.5)
maps = ct.volume(rng.poisson(4, (2, 30, 30)), 0.1, origin=0.5, dims=("channel", "y", "x"))
maps = maps.assign_coords(channel=["7Li", "59Co"])
explorer = ct.explore.overlay({"SE": se}, maps, volume=volume, caption="Live", source="schematic")
def heard(change):
    with open("heard.jsonl", "a") as file:
        fit = f"{explorer.mutual_information:.4f}"
        print(json.dumps([explorer.pose["depth_um"], explorer.cursor, fit]), file=file)
    if explorer.pose["depth_um"] < 0:
        explorer.adjust("7Li", on=False)
        explorer.pose = {"depth_um": 0.95}
explorer.observe(heard, ["pose", "cursor"])
explorer
"""


@pytest.mark.parametrize("lab", [CELL], indirect=True)
def test_python_and_the_section_hear_each_other(
    lab: str, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = run_lab(open_page, lab)
    depth = page.get_by_role("slider", name="Depth", exact=True)
    depth.wait_for(timeout=60_000)
    log = tmp_path / "heard.jsonl"

    def hears(at_um: float, cursor: list[int]) -> bool:
        text = log.read_text() if log.exists() else ""
        if not text.endswith("\n"):
            return False
        pose, place, fit = json.loads(text.splitlines()[-1])
        return abs(pose - at_um) < 1e-9 and [place, fit] == [
            cursor,
            page.locator(".ct-x-kappa").text_content(),
        ]

    depth.press("ArrowRight")
    wait_for(lambda: hears(0.975, [15, 15]), 20)
    page.get_by_role("application", name="Picture").press("ArrowDown")
    wait_for(lambda: hears(0.975, [16, 15]), 20)
    depth.press("Home")  # below 0 the cell's own code moves the section back
    wait_for(lambda: hears(0.95, [16, 15]), 20)
    expect(depth).to_have_value("40")
    expect(page.get_by_role("checkbox", name="show ⁷Li")).not_to_be_checked()
