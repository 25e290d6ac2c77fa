"""The scribble explorer in JupyterLab: Python hears the brush, and trains the forest for the page."""
# ruff: noqa: F811 - the fixture is imported, and then named again by the test that takes it

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page
from test_jupyterlab import lab, run_lab, wait_for  # noqa: F401 - a fixture

import corrtomo as ct
from corrtomo.show.style import rgb

CELL = """
import json, numpy as np, corrtomo as ct, corrtomo.explore
rng = np.random.default_rng(7)
codes = (np.arange(160) // 54)[None].repeat(140, axis=0)
grey = np.clip(60 + 60 * codes + rng.normal(0, 20, codes.shape), 0, 255).astype(np.uint8)
image = ct.volume(grey, 0.02)
names = (ct.Phase.PORE, ct.Phase.CBD, ct.Phase.AM)
explorer = ct.explore.scribble(image, names, caption="Live", source="schematic")
def heard(change):
    with open("heard.jsonl", "a") as file:
        counts = np.bincount(explorer.scribbles.values.ravel(), minlength=256)[:3].tolist()
        print(json.dumps([change.name, counts, explorer.trouble]), file=file)
    if change.name == "forest":
        ct.write(explorer.labels(), "forest.tif")
        ct.write(explorer.scribbles, "scribbles.tif")
        ct.write(image, "image.tif")
    if counts[2] > 600:
        explorer.scribbles = explorer.scribbles.where(codes == 9, 255).astype(np.uint8)
explorer.observe(heard, ["painted", "trouble", "forest"])
explorer
"""


@pytest.mark.parametrize("lab", [CELL], indirect=True)
def test_python_hears_the_brush_and_trains_the_forest(
    lab: str,
    open_page: Callable[..., Page],
    tmp_path: Path,
) -> None:
    page = run_lab(open_page, lab)
    surface = page.get_by_role("application", name="Picture to paint on")
    surface.wait_for(timeout=60_000)
    log = tmp_path / "heard.jsonl"

    def last() -> list[object]:
        return json.loads(log.read_text().splitlines()[-1]) if log.exists() else ["", [0, 0, 0], ""]

    def draw(key: str, left: float) -> None:
        surface.press(key)  # JupyterLab leaves the number keys to the picture
        box = surface.bounding_box()
        page.mouse.move(box["x"] + left * box["width"], box["y"] + 0.3 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + (left + 0.1) * box["width"], box["y"] + 0.6 * box["height"], steps=5)
        page.mouse.up()

    def painted() -> list[int]:
        texts = page.locator(".ct-x-classes output").all_text_contents()
        return [int("".join(c for c in text if c.isdigit()) or 0) for text in texts]

    draw("1", 0.1)
    draw("2", 0.45)
    wait_for(lambda: last()[1] == painted() and min(painted()[:2]) > 100, 20)
    page.get_by_role("button", name="Train forest").click()
    wait_for(lambda: last()[0] == "trouble", 20)
    refused = page.locator(".ct-x-hint").text_content
    wait_for(lambda: refused().startswith("Cannot train without scribbles of ['active material']"), 20)

    draw("3", 0.8)
    wait_for(lambda: last()[1] == painted() and painted()[2] > 100, 20)
    page.get_by_role("button", name="Train forest").click()
    wait_for((tmp_path / "image.tif").exists, 60)
    page.get_by_role("radio", name="Random forest").and_(page.locator(":checked")).wait_for()
    page.get_by_role("slider", name="Colour").fill("100")
    page.get_by_role("checkbox", name="show scribbles").uncheck()
    forest, scribbles, image = (ct.read(tmp_path / f"{n}.tif") for n in ("forest", "scribbles", "image"))
    names = (ct.Phase.PORE, ct.Phase.CBD, ct.Phase.AM)
    own = ct.segment.PixelClassifier(names, seed=0).fit(image, scribbles).predict(image)
    np.testing.assert_array_equal(forest, own)
    code = """c => { const {width, height} = c;
        return [height, width, [...c.getContext('2d').getImageData(0, 0, width, height).data]]; }"""
    rows, columns, values = page.locator(".ct-x-stage canvas").evaluate(code)
    pixels = np.array(values, np.uint8).reshape(rows, columns, 4)[..., :3]
    np.testing.assert_array_equal(pixels, np.array([rgb(p.colour) for p in names], np.uint8)[own.values])

    draw("3", 0.75)  # enough of it that the cell's own code takes everything back
    wait_for(lambda: painted() == [0, 0, 0], 20)
