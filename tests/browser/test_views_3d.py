"""3D views on a static page: they wake near the screen, turn, switch phases; elsewhere a picture stays."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import plotly
import pytest
from playwright.sync_api import Locator, Page

import corrtomo as ct
from corrtomo.phases import as_labels
from corrtomo.show import Figure3D

ASSETS = Path(__file__).parents[2] / "book" / "_assets"
WORDS: dict[str, Any] = {"source": "schematic", "notice": "the ball", "alt": "A ball over a plate."}
NO_WEBGL = "HTMLCanvasElement.prototype.getContext = () => null;"
EYE = """plot => {
  const { eye, center } = plot._fullLayout.scene._scene.getCamera();
  return { x: eye.x - center.x, y: eye.y - center.y, z: eye.z - center.z };
}"""


@pytest.fixture(scope="module")
def views() -> tuple[Figure3D, Figure3D]:
    z, y, x = np.ogrid[:24, :24, :24]
    inside = (z - 14) ** 2 + (y - 12) ** 2 + (x - 12) ** 2 < 64
    labels = as_labels(ct.volume(np.where(inside, 2, z < 4), 0.5))
    sizes = ct.volume(np.where(inside, 8.0, 0.0), 0.5)
    return (
        ct.show.volume_3d(labels, caption="Phases", **WORDS),
        ct.show.thickness_3d(sizes, caption="Sizes", **WORDS),
    )


@pytest.fixture
def show(
    tmp_path: Path,
    serve: Callable[[Path], str],
    open_page: Callable[..., Page],
    views: tuple[Figure3D, Figure3D],
) -> Callable[..., Page]:
    """Put the views on a page, one screen and the other far below it."""
    for name in ("view-3d.js", "view-3d.css", "book.css"):
        shutil.copy(ASSETS / name, tmp_path / name)
    library = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    (tmp_path / library.name).symlink_to(library)

    def shown(head: str = "", **context: Any) -> Page:
        between = '<div style="height:3000px"></div>'
        (tmp_path / "page.html").write_text(
            '<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
            "<title>test</title>"
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<link rel="icon" href="data:,"><link rel="stylesheet" href="view-3d.css">'
            f'<link rel="stylesheet" href="book.css"><script>{head}</script>'
            '<script type="module" src="view-3d.js"></script></head>'
            '<body class="bd-content" style="margin:16px">'
            f"{between.join(view.html() for view in views)}</body></html>",
            encoding="utf-8",
        )
        return open_page(f"{serve(tmp_path)}page.html", **context)

    return shown


def mounted(page: Page, index: int) -> Locator:
    figure = page.locator(".ct-view3d").nth(index)
    figure.scroll_into_view_if_needed()
    figure.and_(page.locator("[data-mounted=ok]")).wait_for()
    plot = figure.locator(".ct-view3d-plot")
    plot.locator("canvas").first.wait_for()
    return plot


def test_views_wake_near_the_screen_and_share_one_library(show: Callable[..., Page]) -> None:
    page = show(viewport={"width": 1280, "height": 900})
    mounted(page, 0)
    assert page.locator(".ct-view3d").nth(1).get_attribute("data-mounted") is None, "far below: still asleep"
    assert page.locator(".ct-view3d").nth(0).locator("img").is_hidden()
    mounted(page, 1)
    assert page.locator("script[src*='plotly.min.js']").count() == 1


def test_the_page_draws_the_mesh_that_python_made(
    show: Callable[..., Page], views: tuple[Figure3D, Figure3D]
) -> None:
    page = show()
    for index, view in enumerate(views):
        plot = mounted(page, index)
        for n, mesh in enumerate(view.surfaces):
            drawn = plot.evaluate(
                "(plot, n) => ['x', 'y', 'z', 'i', 'j', 'k', 'intensity']"
                ".map((name) => [...(plot.data[n][name] ?? [])])",
                n,
            )
            np.testing.assert_allclose(np.transpose(drawn[:3]), mesh.corners, atol=0.5 / 16 * 1.01)
            np.testing.assert_array_equal(np.transpose(drawn[3:6]), mesh.triangles)
            np.testing.assert_allclose(drawn[6], [] if mesh.values is None else mesh.values, atol=0.05)


def test_a_hand_and_the_keys_turn_it(show: Callable[..., Page]) -> None:
    page = show(viewport={"width": 1000, "height": 900})
    plot = mounted(page, 0)
    first = plot.evaluate(EYE)
    box = plot.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y, steps=6)
    page.mouse.up()
    dragged = plot.evaluate(EYE)
    assert np.hypot(dragged["x"] - first["x"], dragged["y"] - first["y"]) > 0.1
    assert dragged["z"] == pytest.approx(first["z"], abs=1e-3)
    assert first["z"] > 0, "seen from above"
    plot.press("ArrowRight")
    turned = plot.evaluate(EYE)
    angle = np.arctan2(turned["y"], turned["x"]) - np.arctan2(dragged["y"], dragged["x"])
    assert (angle + np.pi) % (2 * np.pi) - np.pi == pytest.approx(np.pi / 24, abs=1e-6)
    plot.press("ArrowUp")
    assert plot.evaluate(EYE)["z"] > turned["z"] + 0.05, "higher up"
    turned = plot.evaluate(EYE)
    plot.press("+")
    near = plot.evaluate(EYE)
    lengths = [np.linalg.norm(list(eye.values())) for eye in (near, turned)]
    assert lengths[0] / lengths[1] == pytest.approx(0.9)


def test_the_wheel_scrolls_the_page_until_the_view_is_pressed(show: Callable[..., Page]) -> None:
    page = show(viewport={"width": 1000, "height": 900})
    plot = mounted(page, 0)
    plot.hover()
    before = plot.evaluate(EYE)
    page.mouse.wheel(0, 120)
    page.wait_for_function("scrollY > 0")
    assert plot.evaluate(EYE) == before
    page.evaluate("scrollTo(0, 0)")
    plot.click()
    page.mouse.wheel(0, -240)
    page.wait_for_function(
        "far => { const plot = document.querySelector('.ct-view3d-plot');"
        f" const e = ({EYE})(plot);"
        " return Math.abs(Math.hypot(e.x, e.y, e.z) - far) > 0.02; }",
        arg=float(np.linalg.norm(list(before.values()))),
    )


def test_names_switch_phases(show: Callable[..., Page]) -> None:
    page = show(viewport={"width": 1000, "height": 900})
    plot = mounted(page, 0)
    plot.locator(".legendtoggle").first.click()
    page.wait_for_function("document.querySelector('.ct-view3d-plot').data[0].visible === 'legendonly'")
    assert plot.evaluate("plot => plot.data[1].visible ?? true") is True


def test_something_is_seen_in_light_and_dark(show: Callable[..., Page]) -> None:
    page = show(viewport={"width": 800, "height": 900})
    plot = mounted(page, 0)
    page.wait_for_timeout(500)
    light = plot.screenshot()
    assert len(set(light)) > 100
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(
        "document.querySelector('.ct-view3d-plot')._fullLayout.scene.xaxis.color === '#e8eaed'"
    )
    assert plot.evaluate("plot => plot._fullLayout.font.color") == "#e8eaed"


def test_it_fits_a_phone(show: Callable[..., Page]) -> None:
    page = show(viewport={"width": 390, "height": 844}, has_touch=True)
    for index in (0, 1):
        box = mounted(page, index).bounding_box()
        assert box is not None
        assert 300 <= box["width"] <= 358
        assert box["height"] <= box["width"] + 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_webgl_the_picture_stays_and_says_why(show: Callable[..., Page]) -> None:
    page = show(head=NO_WEBGL)
    figure = page.locator(".ct-view3d").first
    figure.and_(page.locator("[data-mounted=error]")).wait_for()
    assert figure.locator("img").is_visible()
    assert page.locator("script[src*='plotly.min.js']").count() == 0, "nothing heavy is loaded in vain"
    words = figure.locator("figcaption").evaluate("node => getComputedStyle(node, '::after').content")
    assert "the picture stands in for it" in words


def test_without_javascript_and_in_print_it_is_a_picture(show: Callable[..., Page]) -> None:
    page = show(java_script_enabled=False)
    assert page.locator(".ct-view3d img").first.is_visible()
    page = show()
    plot = mounted(page, 0)
    page.emulate_media(media="print")
    assert plot.is_hidden()
    assert page.locator(".ct-view3d img").first.is_visible()
