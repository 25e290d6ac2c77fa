"""The contact explorer in a browser, with no kernel: it counts every plane as Python does, to the last "
"digit."""

import base64
import io
import logging
import math
from typing import Any

import numpy as np
import pytest
import xarray as xr
from looks import HEADER, SLOWEST, SMALLEST, assert_prints_the_picture, quantiles_of, smallest_letters
from PIL import Image
from playwright.sync_api import Page

import corrtomo as ct
import corrtomo.explore
import corrtomo.measure
from corrtomo.explore import ContactExplorer
from corrtomo.phases import as_labels
from corrtomo.show.contact import paint_contact

WORDS: dict[str, Any] = {"caption": "A test", "source": "digital twin"}


def electrode(seed: int, detached: float) -> xr.DataArray:
    """Blobs of active material in binder, some of it replaced by pores; voxels that are no cubes."""
    rng = np.random.default_rng(seed)
    codes = np.kron(rng.choice([1, 2], (5, 6, 10)), np.ones((3, 3, 3), int)).astype(np.uint8)
    codes[(codes == 1) & (rng.random(codes.shape) < detached)] = ct.Phase.PORE
    codes[:3, :, :3] = ct.Phase.LEFT_OUT
    codes[:, -2:, :] = ct.Phase.COLLECTOR
    codes[:, -3, ::4] = ct.Phase.COLLECTOR
    return as_labels(ct.volume(codes, (0.05, 0.035, 0.025)))


@pytest.fixture(scope="module")
def volumes() -> dict[str, xr.DataArray]:
    return {"pristine": electrode(1, 0.1), "20 cycles": electrode(1, 0.3), "50 cycles": electrode(2, 0.5)}


@pytest.fixture
def explorer(volumes: dict[str, xr.DataArray]) -> ContactExplorer:
    return ct.explore.contact(volumes, **WORDS)


def say(share: float) -> str:
    return "–" if math.isnan(share) else f"{share:.4f}"


READ = """() => { const texts = (root, s) => [...root.querySelectorAll(s)].map(node => node.textContent);
    const rows = [...document.querySelectorAll('tbody tr')].filter(row => !row.hidden);
    return {plane: +document.querySelector('.ct-x-handle').getAttribute('aria-valuenow'),
        table: rows.map(row => [row.querySelector('th').textContent, ...texts(row, 'td')]),
        titles: texts(document, '.ct-x-name output')}; }"""


def shown(page: Page) -> dict[str, Any]:
    return dict(page.evaluate(f"({READ})()"))


def walk(page: Page, planes: int) -> list[dict[str, Any]]:
    """Read what is shown on every plane, from the first on, by the keys of the cursor."""
    page.locator(".ct-x-handle").press("Home")
    code = """planes => { const knob = document.querySelector('.ct-x-handle');
        const key = new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true});
        const read = () => { const now = (READ)(); knob.dispatchEvent(key); return now; };
        return Array.from({length: planes}, read); }"""
    return list(page.evaluate(code.replace("READ", READ), planes))


def expected(volumes: dict[str, xr.DataArray], plane: int, depth: str = "y") -> dict[str, Any]:
    """Compute the same through the package's measures."""
    axes = [d for d in ("z", "y", "x") if d != depth]
    now = {k: say(float(ct.measure.contact_profile(v, depth=depth)[plane])) for k, v in volumes.items()}
    whole = {k: ct.measure.contact_fraction(v, axes=axes) for k, v in volumes.items()}
    first = whole[next(iter(volumes))]
    change = {k: f"{100 * (v / first - 1):+.1f} %".replace("-", "−") for k, v in whole.items()}
    change[next(iter(volumes))] = "–"
    return {
        "plane": plane,
        "table": [[k, now[k], say(whole[k]), change[k]] for k in volumes],
        "titles": [f"PBA {value}" for value in now.values()],
    }


def place(page: Page, plane: float, depth: int = 18) -> tuple[float, float]:
    box = page.locator(".ct-x-plot canvas").bounding_box()
    assert box is not None
    return box["x"] + (plane + 0.5) / depth * box["width"], box["y"] + 0.6 * box["height"]


def pixels(page: Page, nth: int) -> np.ndarray:
    address = page.locator(".ct-x-panels canvas").nth(nth).evaluate("c => c.toDataURL('image/png')")
    with Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))) as image:
        return np.asarray(image.convert("RGB"))


def thickness(page: Page, nth: int) -> tuple[int, int]:
    """Two pixels of the screen, in pixels of the picture."""
    code = "c => [c.height / c.getBoundingClientRect().height, c.width / c.getBoundingClientRect().width]"
    high, wide = page.locator(".ct-x-panels canvas").nth(nth).evaluate(code)
    return max(1, math.floor(2 * high + 0.5)), max(1, math.floor(2 * wide + 0.5))


@pytest.mark.parametrize("depth", ["y", "z", "x"])
def test_every_plane_has_the_numbers_of_python(show, volumes, depth: str) -> None:
    page = show(ct.explore.contact(volumes, depth=depth, **WORDS))
    count = volumes["pristine"].sizes[depth]
    seen = walk(page, count)
    for plane in range(count):
        assert seen[plane] == expected(volumes, plane, depth), plane
    if depth == "y":
        assert seen[-1]["titles"] == ["PBA –"] * 3, "in the collector nothing is to be counted"


def test_what_else_it_touches_has_the_shares_of_python(show, explorer, volumes) -> None:
    page = show(explorer)
    assert len(shown(page)["table"]) == 3
    page.get_by_role("checkbox", name="What else it touches").check()
    for plane, now in enumerate(walk(page, 18)):
        read = iter(now["table"])
        for image in volumes.values():
            shares = []
            for phase in (ct.Phase.CBD, ct.Phase.PORE, ct.Phase.COLLECTOR):
                profile = ct.measure.contact_profile(image, depth="y", touching=phase)
                whole = ct.measure.contact_fraction(image, axes=("z", "x"), touching=phase)
                name, *cells = next(read)
                assert phase == ct.Phase.CBD or name == f"touches {phase.label}"
                assert cells[:2] == [say(float(profile[plane])), say(whole)], (plane, phase)
                shares.append(whole)
            assert sum(shares) == pytest.approx(1), "nothing is counted twice or not at all"


def test_planes_are_painted_as_python_paints_them(show, explorer, volumes) -> None:
    page = show(explorer, viewport={"width": 1280, "height": 800})
    for borders, fills in [(True, True), (True, False), (False, True)]:
        page.get_by_role("checkbox", name="Borders").set_checked(borders)
        page.get_by_role("checkbox", name="Phases").set_checked(fills)
        for plane in (0, 7, 15):
            page.locator(".ct-x-slider input").fill(str(plane))
            for nth, image in enumerate(volumes.values()):
                thick = thickness(page, nth) if borders else (0, 0)
                codes = image.isel(y=plane).values
                right = paint_contact(codes, 2, 1, fine=24, thick=thick, fills=fills)
                np.testing.assert_array_equal(pixels(page, nth), right, err_msg=f"{borders} {fills} {plane}")


def test_mouse_drags_the_cursor_and_the_slider_follows(show, explorer, volumes) -> None:
    page = show(explorer)
    slider = page.locator(".ct-x-slider input")
    page.mouse.move(*place(page, 9))
    page.mouse.down()
    page.mouse.move(*place(page, 5), steps=3)
    page.mouse.move(*place(page, 3), steps=3)
    page.mouse.up()
    assert shown(page) == expected(volumes, 3)
    assert slider.input_value() == "3"
    page.mouse.click(*place(page, 12))
    assert shown(page) == expected(volumes, 12)
    page.mouse.move(*place(page, 2))
    assert shown(page)["plane"] == 12, "what is let go stays"
    slider.fill("6")
    assert shown(page) == expected(volumes, 6)
    page.mouse.move(*place(page, 6))
    page.mouse.down()
    page.mouse.move(*place(page, 400), steps=2)
    page.mouse.up()
    assert shown(page)["plane"] == 17, "not beyond the last plane"


def test_keyboard(show, explorer) -> None:
    page = show(explorer)
    page.locator(".ct-x-handle").focus()
    steps = {"Home": 0, "ArrowRight": 1, "ArrowUp": 2, "ArrowLeft": 1, "PageUp": 11, "PageDown": 1, "End": 17}
    for key, plane in steps.items():
        page.keyboard.press(key)
        assert shown(page)["plane"] == plane, key
    page.locator(".ct-x-slider input").press("ArrowLeft")
    assert shown(page)["plane"] == 16


def test_touch_drags(show, explorer, volumes) -> None:
    page = show(explorer, has_touch=True, viewport={"width": 390, "height": 844})
    page.locator(".ct-x-plot").scroll_into_view_if_needed()
    touch = page.context.new_cdp_session(page)
    path = [place(page, plane) for plane in (9, 10, 12, 14)]
    for kind, (x, y) in zip(("touchStart", *["touchMove"] * 3), path, strict=True):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert shown(page) == expected(volumes, 14)
    page.touchscreen.tap(*place(page, 2))
    assert shown(page) == expected(volumes, 2)


def test_reset(show, explorer) -> None:
    page = show(explorer)
    before = shown(page), pixels(page, 1).tobytes()
    page.locator(".ct-x-handle").press("Home")
    for name in ("Borders", "Phases", "What else it touches"):
        page.get_by_role("checkbox", name=name).click()
    assert (shown(page), pixels(page, 1).tobytes()) != before
    page.get_by_role("button", name="Reset").click()
    assert (shown(page), pixels(page, 1).tobytes()) == before
    checked = page.get_by_role("checkbox").evaluate_all("all => all.map(box => box.checked)")
    assert checked == [True, True, False]


def test_legend_names_what_is_drawn(show, explorer) -> None:
    page = show(explorer)
    names = page.locator(".ct-x-legend span")
    phases = ["pore", "carbon binder domain", "active material", "current collector", "left out"]
    borders = ["contact with carbon binder domain", "lost contact"]
    assert names.all_text_contents() == [*phases, *borders]
    page.get_by_role("checkbox", name="Phases").uncheck()
    assert names.all_text_contents() == borders
    page.get_by_role("checkbox", name="Borders").uncheck()
    assert names.count() == 0


def test_screen_readers_hear_depth_and_shares(show, explorer) -> None:
    page = show(explorer)
    knob = page.locator(".ct-x-handle")
    knob.press("ArrowRight")
    now = shown(page)
    text = knob.get_attribute("aria-valuetext")
    assert text.startswith(f"y {10 * 0.035:.2f} µm, PBA pristine {now['table'][0][1]}")
    page.wait_for_function("document.querySelector('[aria-live]').textContent.includes('20 cycles')")
    names = page.locator(".ct-x canvas").evaluate_all("all => all.map(c => c.getAttribute('aria-label'))")
    assert len(names) == 4
    assert names[1] == f"20 cycles: the plane at y 0.35 µm, {now['titles'][1]}"
    assert f"50 cycles {now['table'][2][2]} on the whole" in names[3]
    for control in page.locator(".ct-x :is(input, [role=slider])").all():
        assert control.get_attribute("data-lm-suppress-shortcuts") == "true", "JupyterLab would eat its keys"


@pytest.mark.parametrize("width", [320, 390, 700, 1280])
@pytest.mark.parametrize("many", [1, 3, 4])
def test_fits_its_column(show, volumes, width: int, many: int) -> None:
    names = ("pristine", "20 cycles", "50 cycles", "HE-NMC after 50 cycles")
    some = {name: electrode(i, 0.1 * i) for i, name in enumerate(names[:many])}
    page = show(ct.explore.contact(some, **WORDS), viewport={"width": width, "height": 800})
    page.get_by_role("checkbox", name="What else it touches").check()
    root = page.locator(".ct-x").bounding_box()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    parts = page.locator(".ct-x :is(table, td, th, canvas, button, input, label, output)").evaluate_all(
        "all => all.map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().left,"
        " e.getBoundingClientRect().right])"
    )
    assert len(parts) > 20
    for part, left, right in parts:
        assert root["x"] - 1 <= left <= right <= root["x"] + root["width"] + 1, part
    boxes = [canvas.bounding_box() for canvas in page.locator(".ct-x-panels canvas").all()]
    assert len(boxes) == many
    assert len({box["y"] for box in boxes}) == (
        many if width < 600 else 2 if (many, width) == (4, 700) else 1
    ), "side by side, or one below another"
    assert all(box["width"] == pytest.approx(boxes[0]["width"], abs=1) for box in boxes), "one scale for all"
    ratio = 30 * 0.025 / (15 * 0.05)
    assert all(box["width"] / box["height"] == pytest.approx(ratio, rel=0.02) for box in boxes)


def test_planes_slider_and_cursor_share_one_screen_of_a_phone(show) -> None:
    rng = np.random.default_rng(3)
    codes = np.kron(rng.integers(0, 3, (8, 10, 16)), np.ones((6, 1, 8), int)).astype(np.uint8)
    labels = as_labels(ct.volume(codes, 0.1))
    volumes = dict.fromkeys(("pristine", "20 cycles", "50 cycles"), labels)
    page = show(ct.explore.contact(volumes, **WORDS), viewport={"width": 390, "height": 844}, has_touch=True)
    parts = [".ct-x-panels", ".ct-x-slider", ".ct-x-plot", ".ct-x-axis"]
    boxes = [page.locator(part).bounding_box() for part in parts]
    assert max(b["y"] + b["height"] for b in boxes) - boxes[0]["y"] <= 844 - HEADER
    assert smallest_letters(page) >= SMALLEST


def test_one_volume_is_held_against_none(show, volumes) -> None:
    page = show(ct.explore.contact({"pristine": volumes["pristine"]}, **WORDS))
    assert page.locator("thead th").all_text_contents() == ["this plane", "whole"]
    assert shown(page)["table"] == [expected(volumes, 9)["table"][0][:3]]


def test_print_shows_the_picture(show, explorer) -> None:
    page = show(explorer, color_scheme="dark")
    assert page.locator(".ct-x[data-dark]").count() == 1
    assert_prints_the_picture(page)


def test_follows_the_hand_in_under_50_ms(show) -> None:
    """From the pointer's event to the next frame, on three volumes as large as a page takes."""
    rng = np.random.default_rng(0)
    codes = np.kron(rng.integers(0, 3, (16, 50, 32)), np.ones((8, 2, 8), int)).astype(np.uint8)
    labels = as_labels(ct.volume(codes, 0.1))
    page = show(ct.explore.contact(dict.fromkeys(("a", "b", "c"), labels), caption="L", source="schematic"))
    times = page.evaluate("""async () => {
        const plot = document.querySelector('.ct-x-plot'), box = plot.getBoundingClientRect();
        const canvas = plot.querySelector('canvas');
        const send = (type, x) => canvas.dispatchEvent(new PointerEvent(type, {pointerId: 1, button: 0,
            clientX: box.left + x * box.width, clientY: box.top + 40, bubbles: true}));
        plot.setPointerCapture = () => {};
        send('pointerdown', 0.1);
        const frame = [], seen = new Set();
        for (let i = 0; i < 60; i += 1) {
            await new Promise(requestAnimationFrame);
            const start = performance.now();
            send('pointermove', 0.1 + 0.8 * (i % 30) / 30);
            await pictured();
            frame.push(performance.now() - start);
            seen.add(document.querySelector('.ct-x-name output').textContent);
        }
        return [frame, seen.size]; }""")
    quantiles = quantiles_of(times[0])
    logging.getLogger(__name__).info("ms, median, 95 %%, longest: %s", quantiles)
    assert times[1] > 20, "the hand moved the plane"
    assert quantiles[0] < SLOWEST, quantiles
