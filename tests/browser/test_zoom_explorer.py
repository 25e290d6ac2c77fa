"""The zoom explorer in a browser, with no kernel: by mouse, wheel, keyboard and touch."""

import logging
from typing import Any

import numpy as np
import pytest
from looks import (
    SLOWEST,
    SMALLEST,
    assert_prints_the_picture,
    fingers,
    nameless,
    pixels,
    quantiles_of,
    smallest_letters,
    too_wide,
)
from playwright.sync_api import Page

import corrtomo as ct
import corrtomo.explore
from corrtomo.explore import ZoomExplorer
from corrtomo.explore.zoom.view import paint_view
from corrtomo.register import Scene, stated
from corrtomo.show.style import say_length

WORDS: dict[str, Any] = {"caption": "A test", "source": "digital twin"}
NAMES = ["cell", "detail", "CT", "section", "phases"]


def turned(deg: float, *by: float) -> np.ndarray:
    """A turn in the plane and a shift, over (y, x, 1) or (z, y, x, 1)."""
    a = np.deg2rad(deg)
    out = np.eye(len(by) + 1)
    out[-3:-1, -3:-1] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
    out[:-1, -1] = by
    return out


def sample(side: int = 48) -> Scene:
    """From 18 mm to 50 nm, each image turned in the next."""
    rng = np.random.default_rng(5)

    def values(*shape: int) -> np.ndarray:
        return rng.integers(0, 256, shape, dtype=np.uint8)

    scene = Scene()
    scene.add("cell", ct.volume(values(side, side), 18_000.0 / side))
    scene.add("detail", ct.volume(values(side, side), 1200.0 / side))
    scene.add("CT", ct.volume(values(3, side, side).astype(float), (1.0, 80.0 / side, 80.0 / side)))
    scene.add("section", ct.volume(values(side, side), 8.0 / side))
    labels = ct.volume(rng.integers(0, 3, (side, side)).astype(np.uint8), 0.05)
    scene.add("phases", ct.phases.as_labels(labels))
    scene.align("detail", "cell", stated(turned(12, 11_000.0, 6000.0), error_um=20.0))
    scene.align("detail", "CT", stated(np.linalg.inv(turned(-20, 0.0, 500.0, 700.0)), error_um=1.0))
    scene.align("section", "CT", stated(turned(30, 1.0, 30.0, 40.0), error_um=0.2))
    scene.align("phases", "section", stated(turned(4, 2.0, 3.0), error_um=0.05))
    return scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return sample()


@pytest.fixture
def explorer(scene: Scene) -> ZoomExplorer:
    return ct.explore.zoom(scene, **WORDS)


def across(page: Page) -> str:
    return page.locator(".ct-x-kappa").text_content()


def reads(page: Page) -> dict[str, str]:
    rows = page.locator(".ct-x-layers tbody tr").all()
    return {row.locator("th").text_content(): row.locator(".ct-x-value").text_content() for row in rows}


def box(page: Page) -> dict[str, float]:
    return page.locator(".ct-x-zooming").bounding_box()


def spot(page: Page, explorer: ZoomExplorer, place: Any, view: dict[str, float]) -> tuple[float, float]:
    """Where on the screen a place lies."""
    here = box(page)
    scale = here["width"] / view["field_um"]
    return (
        here["x"] + here["width"] / 2 + (place[1] - view["x_um"]) * scale,
        here["y"] + here["height"] / 2 + (place[0] - view["y_um"]) * scale,
    )


def go(page: Page, name: str) -> None:
    page.get_by_role("button", name=f"Go to {name}").click()


def still(page: Page) -> None:
    """Wait until a flight has ended: the view stays for some frames."""
    page.evaluate(
        """async () => { let [last, same] = ['', 0];
        while (same < 8) { await new Promise(requestAnimationFrame);
            const [field, bar] = ['.ct-x-kappa', '.ct-x-scale'].map(part => document.querySelector(part));
            const now = field.textContent + bar.style.width;
            same = now === last ? same + 1 : 0; last = now; } }"""
    )


def plain(page: Page) -> Page:
    """No frames; the cursor is left out by the test."""
    page.get_by_label("Frames").uncheck()
    return page


@pytest.mark.parametrize("name", NAMES)
def test_pixels_are_painted_as_python_paints_them(show, explorer, name: str) -> None:
    """At each scale: pixels are magnified by the picture, so none is mixed."""
    page = plain(show(explorer, reduced_motion="reduce"))
    page.get_by_role("radio", name="phases").check()
    page.get_by_label("Opacity").fill("40")
    explorer.adjust("phases", opacity=0.4)
    go(page, name)
    explorer.go_to(name)
    found = pixels(page)
    side = found.shape[0]
    for finer in NAMES[NAMES.index(name) + 1 :]:  # what is reduced is mixed by the browser in its own way
        page.get_by_label(f"show {finer}").uncheck()
        explorer.adjust(finer, on=False)
    found = pixels(page)
    wanted = paint_view(explorer._layers, explorer.layers, explorer.view, side).astype(int)
    off = (np.abs(found - wanted) > 2).any(axis=-1)
    middle = slice(side // 2 - 11, side // 2 + 12)
    off[middle, middle] = False  # the cursor
    assert off.mean() < 0.012, "edges of pixels alone, on either side of a whole number"


def test_values_under_the_pointer_are_exact(show, explorer) -> None:
    page = show(explorer, reduced_motion="reduce", viewport={"width": 1280, "height": 1200})
    for name in NAMES:
        go(page, name)
        explorer.go_to(name)
        for row, column in [(5, 7), (30, 12), (40, 41)]:
            plane = explorer.about[NAMES.index(name)]
            place = (np.array(plane["matrix"]) @ [row, column, 1])[1:]
            page.mouse.move(*spot(page, explorer, place, explorer.view))
            explorer.cursor_um = place.tolist()
            now, wanted = reads(page), explorer.values
            for other in NAMES[: NAMES.index(name) + 1]:
                value = wanted[other]
                if other == "CT" and value is not None:
                    assert float(now[other]) == pytest.approx(value, rel=5e-3)
                elif other == name:
                    said = str(round(value)) if isinstance(value, float) else value
                    assert now[other] == said, (name, row, column)
            digits = {"cell": 0, "detail": 1, "CT": 1, "section": 2, "phases": 3}[name]
            text = page.locator(".ct-x-place b").text_content()
            y = float(text.split("y ")[1].split(",")[0])
            assert y == pytest.approx(place[0], abs=10.0**-digits + explorer.view["field_um"] / 400)


def test_errors_are_carried_along_to_what_lies_under_the_pointer(show, explorer, scene) -> None:
    page = show(explorer, reduced_motion="reduce", viewport={"width": 1280, "height": 1200})
    rows = page.locator(".ct-x-layers tbody tr")
    for name in NAMES:
        go(page, name)
        explorer.go_to(name)
        page.mouse.move(0, 0)
        wanted = {n: f"± {say_length(v)}" for n, v in explorer.errors_um.items()}
        shown = dict(zip(NAMES, rows.locator(".ct-x-error").all_text_contents(), strict=True))
        finest = next(n for n in NAMES if n not in wanted)
        assert shown == wanted | {finest: ""}
        place = page.locator(".ct-x-place span").text_content()
        assert place.strip() == wanted.get("cell", "")
    assert page.locator(".ct-x-layers thead").text_content().endswith("known to")
    page.get_by_label("show phases").uncheck()
    assert rows.nth(4).locator(".ct-x-error").text_content().startswith("± ")
    assert "Known to: expected error" in page.locator(".ct-x-note").text_content()


def test_it_flies_from_18_mm_to_50_nm(show, explorer) -> None:
    page = show(explorer)
    assert across(page) == say_length(explorer.view["field_um"])
    seen = page.evaluate(
        """async () => { const seen = new Set();
        const read = () => document.querySelector('.ct-x-kappa').textContent;
        document.querySelector('[aria-label="Go to phases"]').click();
        const end = performance.now() + 4000;
        while (performance.now() < end) { await new Promise(requestAnimationFrame); seen.add(read()); }
        return [...seen]; }"""
    )
    explorer.go_to("phases")
    assert seen[-1] == say_length(explorer.view["field_um"])
    assert len(seen) > 8, "on the way, not at once"
    page.get_by_role("button", name="Go to the whole picture").click()
    still(page)
    assert across(page) == say_length(explorer.start["view"]["field_um"])


def test_the_wheel_zooms_about_the_pointer_once_the_picture_has_the_focus(show, explorer) -> None:
    page = show(explorer, viewport={"width": 900, "height": 500})
    goal = explorer.goals[-1]["view"]
    place = (goal["y_um"], goal["x_um"])
    view = dict(explorer.view)
    at = spot(page, explorer, place, view)
    page.mouse.move(*at)
    page.mouse.wheel(0, 120)
    page.wait_for_function("scrollY > 0")
    assert across(page) == say_length(view["field_um"]), "the page scrolls, and the picture stays"
    assert page.locator(".ct-x-wheel[data-on]").count() == 1
    page.evaluate("scrollTo(0, 0)")
    page.mouse.click(*at)
    before = reads(page)["cell"]
    for _ in range(60):
        page.mouse.wheel(0, -240)
    page.wait_for_function("document.querySelector('.ct-x-kappa').textContent.endsWith('nm')")
    assert page.evaluate("scrollY") == 0
    assert across(page) == say_length(explorer.limits[0]), "and no further"
    page.mouse.move(at[0] + 0.25, at[1])
    assert reads(page)["cell"] == before, "what lay under the pointer lies there still"
    page.mouse.wheel(0, 480)
    page.wait_for_function(
        f"document.querySelector('.ct-x-kappa').textContent !== '{say_length(explorer.limits[0])}'"
    )
    page.locator("body").press("Tab")


def test_dragging_pans_and_a_click_places_the_cursor(show, explorer) -> None:
    page = show(explorer, reduced_motion="reduce")
    here = box(page)
    middle = (here["x"] + here["width"] / 2, here["y"] + here["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 60, middle[1] + 30, steps=5)
    page.mouse.up()
    scale = here["width"] / explorer.view["field_um"]
    shown = {
        **explorer.view,
        "x_um": explorer.view["x_um"] + 60 / scale,
        "y_um": explorer.view["y_um"] - 30 / scale,
    }
    place = [9000.0, 9000.0]
    page.mouse.click(*spot(page, explorer, place, shown))
    y, x = (float(v.split(" ")[1]) for v in page.locator(".ct-x-place b").text_content()[:-3].split(", ")[1:])
    assert (y, x) == pytest.approx(tuple(place), abs=2 / scale)
    before = across(page)
    page.mouse.dblclick(*spot(page, explorer, place, shown))
    page.wait_for_function(f"document.querySelector('.ct-x-kappa').textContent !== '{before}'")
    assert across(page) == say_length(explorer.view["field_um"] / 3)


def test_keys(show, explorer) -> None:
    page = show(explorer, reduced_motion="reduce")
    surface = page.get_by_role("application")
    field = explorer.view["field_um"]
    y, x = explorer.view["y_um"], explorer.view["x_um"]
    for key, factor, down, right in [
        ("ArrowRight", 1.0, 0.0, 0.1),
        ("ArrowDown", 1.0, 0.1, 0.0),
        ("+", 1.25, 0.0, 0.0),
        ("Shift+ArrowLeft", 1.0, 0.0, -0.5),
        ("-", 1 / 1.25, 0.0, 0.0),
        ("ArrowUp", 1.0, -0.1, 0.0),
        ("PageUp", 3.0, 0.0, 0.0),
    ]:
        surface.press(key)
        y, x, field = y + down * field, x + right * field, field / factor
        assert across(page) == say_length(field), key
        text = page.locator(".ct-x-place b").text_content()
        assert f"y {y:.0f}, x {x:.0f}".replace("-", "−") in text, key
    page.wait_for_function("document.querySelector('.ct-x-live').textContent.includes('across; z')")
    surface.press("4")
    explorer.go_to("section")
    assert across(page) == say_length(explorer.view["field_um"])
    surface.press("Home")
    assert across(page) == say_length(explorer.start["view"]["field_um"])
    slider = page.get_by_role("slider", name="Zoom")
    slider.press("End")
    assert across(page) == say_length(explorer.limits[0])
    slider.press("Home")
    assert across(page) == say_length(explorer.limits[1])
    assert slider.get_attribute("aria-valuetext") == f"{say_length(explorer.limits[1])} across"


def test_touch_pans_pinches_and_taps(show, explorer) -> None:
    page = show(explorer, has_touch=True, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    send = fingers(page)
    here = box(page)
    cx, cy = here["x"] + here["width"] / 2, here["y"] + here["height"] / 2
    send("touchStart", (cx - 20, cy), (cx + 20, cy))
    for gap in (30, 40, 50, 60):
        send("touchMove", (cx - gap, cy), (cx + gap, cy))
    send("touchEnd")
    assert across(page) == say_length(explorer.view["field_um"] / 3)
    field = explorer.view["field_um"] / 3
    before = page.locator(".ct-x-place b").text_content()
    send("touchStart", (cx, cy))
    for far in (10, 20, 40):
        send("touchMove", (cx + far, cy))
    send("touchEnd")
    assert across(page) == say_length(field), "a pan does not zoom"
    assert page.evaluate("scrollY") == 0
    page.touchscreen.tap(cx, cy)
    text = page.locator(".ct-x-place b").text_content()
    assert text != before
    x = float(text.split("x ")[1].split(" ")[0])
    assert x == pytest.approx(
        explorer.view["x_um"] - 40 * field / here["width"], abs=2 * field / here["width"]
    )
    page.wait_for_timeout(400)
    page.touchscreen.tap(cx, cy)
    page.touchscreen.tap(cx, cy)
    page.wait_for_function(f"document.querySelector('.ct-x-kappa').textContent === '{say_length(field / 3)}'")


def test_frames_of_finer_images_are_drawn(show, explorer) -> None:
    page = show(explorer, reduced_motion="reduce")
    go(page, "cell")
    with_frames = pixels(page)
    orange, ring = (np.array(ct.show.style.rgb(ct.show.style.SERIES[k])) for k in (1, 2))
    assert (with_frames == orange).all(axis=-1).sum() > 100, "the detail as a frame"
    assert (with_frames == ring).all(axis=-1).sum() > 20, "what is too small to be seen as a ring"
    plain(page)
    assert not (pixels(page) == orange).all(axis=-1).any()
    go(page, "detail")
    page.get_by_label("Frames").check()
    assert (pixels(page) == orange).all(axis=-1).sum() > 300


def test_a_hidden_image_shows_what_is_below(show, explorer) -> None:
    page = plain(show(explorer, reduced_motion="reduce"))
    go(page, "phases")
    before = pixels(page)
    assert (before == ct.show.style.rgb(ct.Phase.PORE.colour)).all(axis=-1).mean() > 0.1
    assert "pore" in page.locator(".ct-x-legend").text_content()
    page.get_by_label("show phases").uncheck()
    assert not (pixels(page) == ct.show.style.rgb(ct.Phase.PORE.colour)).all(axis=-1).any()
    assert page.locator(".ct-x-legend").text_content() == ""


def test_the_scale_bar_is_as_long_as_it_says(show, explorer) -> None:
    page = show(explorer, reduced_motion="reduce")
    for name, unit in [("cell", "mm"), ("section", "µm"), ("phases", "nm")]:
        go(page, name)
        explorer.go_to(name)
        text = page.locator(".ct-x-scale").text_content()
        assert text.endswith(unit) or name == "phases"
        length = float(text.split()[0]) * {"mm": 1e3, "µm": 1.0, "nm": 1e-3}[text.split()[1]]
        share = page.locator(".ct-x-scale").bounding_box()["width"] / box(page)["width"]
        assert share == pytest.approx(length / explorer.view["field_um"], rel=0.02)
        assert 0.1 < share < 0.34


def test_reset(show, explorer) -> None:
    page = show(explorer, reduced_motion="reduce")
    page.mouse.move(0, 0)
    before = pixels(page).tobytes(), reads(page), across(page)
    go(page, "section")
    page.get_by_label("show CT").uncheck()
    page.get_by_label("Opacity").fill("10")
    plain(page)
    assert (pixels(page).tobytes(), reads(page), across(page)) != before
    page.get_by_role("button", name="Reset").click()
    page.mouse.move(0, 0)
    assert (pixels(page).tobytes(), reads(page), across(page)) == before


def test_images_without_a_scene(show) -> None:
    image = ct.volume(np.arange(64, dtype=np.uint8).reshape(8, 8), 2.0)
    explorer = ct.explore.zoom({"one": image}, **WORDS)
    page = show(explorer)
    assert not page.locator(".ct-x-place b").text_content().startswith("z"), "all lie at one z"
    assert page.locator(".ct-x-layers tbody tr").count() == 1
    assert reads(page)["one"] == str(explorer.values["one"].__int__())
    assert page.locator(".ct-x-error").count() == 0, "no alignment, no error"


@pytest.mark.parametrize("width", [320, 390, 700, 1280])
def test_nothing_is_wider_than_the_page(show, explorer, width: int) -> None:
    page = show(explorer, viewport={"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert too_wide(page) == []


def test_picture_and_what_moves_it_share_one_screen_of_a_phone(show, explorer) -> None:
    page = show(explorer, viewport={"width": 390, "height": 844}, has_touch=True)
    boxes = [page.locator(part).bounding_box() for part in (".ct-x-stage", ".ct-x-jumps", ".ct-x-place")]
    assert boxes[2]["y"] + boxes[2]["height"] - boxes[0]["y"] <= 844 - 56
    assert boxes[0]["width"] > 300
    assert smallest_letters(page) >= SMALLEST


def test_every_control_has_a_name(show, explorer) -> None:
    page = show(explorer)
    assert nameless(page) == []


def test_print_shows_the_picture(show, explorer) -> None:
    page = show(explorer, color_scheme="dark")
    assert page.locator(".ct-x[data-dark]").count() == 1
    assert_prints_the_picture(page)


def test_follows_the_hand_in_under_50_ms(show) -> None:
    """From the event to the next frame, five images of 600 × 600 pixels, by drag and by wheel."""
    page = show(ct.explore.zoom(sample(600), **WORDS))
    code = """async what => {
        const surface = document.querySelector('.ct-x-zooming'), box = surface.getBoundingClientRect();
        surface.setPointerCapture = () => {};
        const at = share => ({pointerId: 1, button: 0, clientX: box.left + share * box.width,
            clientY: box.top + 0.61 * box.height, bubbles: true, cancelable: true});
        const send = (type, share) => surface.dispatchEvent(new PointerEvent(type, at(share)));
        const text = part => document.querySelector(part).textContent;
        const shot = () => document.querySelector('.ct-x-scale').style.width + text('.ct-x-place');
        if (what === 'drag') send('pointerdown', 0.3);
        const times = [], seen = new Set();
        for (let i = 0; i < 40; i += 1) {
            await new Promise(requestAnimationFrame);
            const start = performance.now();
            if (what === 'drag') send('pointermove', 0.3 + 0.4 * i / 40);
            else surface.dispatchEvent(new WheelEvent('wheel', {...at(0.33), deltaY: -120, ctrlKey: true}));
            await pictured();
            times.push(performance.now() - start);
            seen.add(what === 'drag' ? i : shot());
        }
        if (what === 'drag') send('pointerup', 0.7);
        return [times, seen.size]; }"""
    for what in ("wheel", "drag"):
        times, seen = page.evaluate(code, what)
        quantiles = quantiles_of(times)
        logging.getLogger(__name__).info("%s, ms, median, 95 %%, longest: %s", what, quantiles)
        assert seen > 25, "the hand moved it"
        assert quantiles[0] < SLOWEST, (what, quantiles)
