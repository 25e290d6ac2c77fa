"""The explorer of the kappa map in a browser, with no kernel: every pair has the kappa of Python."""

import logging
import re
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from looks import SLOWEST, assert_prints_the_picture, quantiles_of
from playwright.sync_api import Page

import corrtomo as ct
import corrtomo.explore
import corrtomo.measure
from corrtomo.explore import KappaMapExplorer
from corrtomo.phases import as_labels


@pytest.fixture(scope="module")
def image() -> xr.DataArray:
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 3, (6, 20, 30))
    return ct.volume(
        np.clip(60 + 55 * labels + rng.normal(0, 24, labels.shape), 0, 255).astype(np.uint8), 0.438
    )


@pytest.fixture(scope="module")
def truth(image: xr.DataArray) -> xr.DataArray:
    labels = np.random.default_rng(7).integers(0, 3, image.shape).astype(np.uint8)
    labels[:, :4, :5] = ct.Phase.LEFT_OUT
    return as_labels(image.copy(data=labels))


@pytest.fixture(scope="module")
def kappas(image: xr.DataArray, truth: xr.DataArray) -> xr.DataArray:
    return ct.measure.kappa_by_threshold_pair(image, truth, ignore=255)


@pytest.fixture
def explorer(image: xr.DataArray, truth: xr.DataArray) -> KappaMapExplorer:
    return ct.explore.kappa_map(
        image,
        truth,
        start=(60, 180),
        marks={"published": (73, 110)},
        caption="A test",
        source="digital twin",
    )


def shown(page: Page) -> dict[str, Any]:
    rows = [r.locator("td").all_text_contents() for r in page.locator("tbody tr, tfoot tr").all()]
    return {
        "thresholds": [int(h.get_attribute("aria-valuenow")) for h in page.locator(".ct-x-handle").all()],
        "kappa": page.locator(".ct-x-kappa").text_content(),
        "word": page.locator(".ct-x-word").text_content(),
        "counts": [[int(re.sub(r"\D", "", cell)) for cell in row] for row in rows[:-2]],
        "found": rows[-2],
        "truth": rows[-1],
    }


def expected(image: xr.DataArray, truth: xr.DataArray, thresholds: list[int]) -> dict[str, Any]:
    """Compute the same from the voxels."""
    found = (image > thresholds[0]).astype(np.uint8) + (image > thresholds[1]).astype(np.uint8)
    kappa = ct.measure.cohen_kappa(truth.drop_attrs(), found.drop_attrs(), ignore=255)
    compared = truth.values != 255
    a, b = truth.values[compared], found.values[compared]
    share = [[f"{100 * float((v == c).sum()) / a.size:.2f} %" for c in range(3)] for v in (b, a)]
    return {
        "thresholds": thresholds,
        "kappa": f"{kappa:.4f}",
        "word": ct.measure.landis_koch(kappa),
        "counts": [[int(((a == p) & (b == c)).sum()) for c in range(3)] for p in range(3)],
        "found": share[0],
        "truth": share[1],
    }


def place(page: Page, lower: float, upper: float) -> tuple[float, float]:
    box = page.locator(".ct-x-map").bounding_box()
    assert box is not None
    return box["x"] + (upper + 1) / 256 * box["width"], box["y"] + (1 - (lower + 1) / 256) * box["height"]


def test_starts_with_the_numbers_of_python(show, explorer, image, truth, kappas) -> None:
    page = show(explorer)
    assert shown(page) == expected(image, truth, [60, 180])
    assert f"{float(kappas.max()):.4f}" in page.locator(".ct-x-best").text_content()


def test_every_pair_of_a_walk_has_the_kappa_of_python(show, explorer, kappas) -> None:
    """Along each edge of the map, and across it, by the keys of the two handles and of the point."""
    page = show(explorer)
    read = page.evaluate("""() => {
        const [lower, upper] = document.querySelectorAll('.ct-x-handle');
        const point = document.querySelector('.ct-x-point'), out = [];
        const press = (on, key) => on.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
        const walk = (on, key, n) => { for (let i = 0; i < n; i += 1) {
            press(on, key);
            out.push([+lower.getAttribute('aria-valuenow'), +upper.getAttribute('aria-valuenow'),
                      document.querySelector('.ct-x-kappa').textContent]); } };
        walk(lower, 'Home', 1); walk(upper, 'Home', 1); walk(upper, 'ArrowRight', 254);
        walk(lower, 'ArrowUp', 254); walk(lower, 'Home', 1); walk(upper, 'Home', 1);
        for (let i = 0; i < 126; i += 1) { walk(point, 'ArrowRight', 2); walk(point, 'ArrowUp', 1); }
        return out; }""")
    pairs = [(lower, upper) for lower, upper, _ in read]
    assert len(set(pairs)) > 600
    assert pairs[-1] == (126, 253)
    assert [k for _, _, k in read] == [f"{float(kappas.sel(lower=a, upper=b)):.4f}" for a, b in pairs]


def test_the_map_has_the_colours_of_kappa(show, image, truth, kappas) -> None:
    page = show(ct.explore.kappa_map(image, truth, start=(250, 254), caption="A", source="schematic"))
    top = np.floor(10 * float(kappas.max()) + 1) / 10
    ramp = mpl.colormaps["cividis"]
    for lower, upper in [(10, 60), (20, 200), (90, 240), (150, 230), (5, 220)]:
        code = """([c, u, l]) => { const k = c.width / 256;
            const {data} = c.getContext('2d').getImageData((u + 1) * k, (255 - l) * k, 1, 1);
            return [...data].slice(0, 3); }"""
        canvas = page.locator(".ct-x-map canvas").element_handle()
        painted = np.array(page.evaluate(code, [canvas, upper, lower]))
        right = 255 * np.array(ramp(float(kappas.sel(lower=lower, upper=upper)) / top)[:3])
        line = 0.6 * 255 + 0.4 * right  # an isoline may pass
        assert min(np.abs(painted - right).max(), np.abs(painted - line).max()) < 12, (lower, upper, painted)


def test_click_and_drag_on_the_map(show, explorer, image, truth) -> None:
    page = show(explorer)
    page.mouse.click(*place(page, 40, 130))
    now = shown(page)
    assert np.abs(np.subtract(now["thresholds"], [40, 130])).max() <= 1
    assert now == expected(image, truth, now["thresholds"])
    page.mouse.move(*place(page, *now["thresholds"]))
    page.mouse.down()
    page.mouse.move(*place(page, 60, 160), steps=3)
    page.mouse.move(*place(page, 100, 150), steps=3)
    page.mouse.up()
    now = shown(page)
    assert np.abs(np.subtract(now["thresholds"], [100, 150])).max() <= 1
    assert now == expected(image, truth, now["thresholds"])
    page.mouse.move(*place(page, 30, 60))
    assert shown(page) == now, "what is let go stays"


def test_drag_beyond_the_diagonal_stays_a_pair(show, explorer, image, truth) -> None:
    page = show(explorer)
    page.mouse.move(*place(page, 60, 180))
    page.mouse.down()
    page.mouse.move(*place(page, 200, 100), steps=4)
    page.mouse.up()
    lower, upper = shown(page)["thresholds"]
    assert upper == lower + 1
    assert abs(lower - 150) <= 2, "the pair nearest to the hand"
    page.mouse.click(*place(page, 200, 60))
    assert shown(page)["thresholds"] == [lower, upper], "no pair is there"


def test_handles_below_the_map_are_those_of_the_threshold_explorer(show, explorer, image, truth) -> None:
    page = show(explorer)
    lower = page.get_by_role("slider", name="Threshold between pore and carbon binder domain")
    for key, value in {"ArrowRight": 61, "PageUp": 71, "Home": 0, "End": 179, "ArrowDown": 178}.items():
        lower.press(key)
        assert shown(page) == expected(image, truth, [value, 180]), key
    box = page.locator(".ct-x-plot canvas").bounding_box()
    page.mouse.click(box["x"] + 231 / 256 * box["width"], box["y"] + 40)
    assert abs(shown(page)["thresholds"][1] - 230) <= 1


def test_arrow_keys_move_the_point_in_both_directions(show, explorer, image, truth) -> None:
    page = show(explorer)
    page.mouse.click(*place(page, 60, 180))
    assert page.evaluate("document.activeElement.className") == "ct-x-point", "a click gives it the keys"
    start = shown(page)["thresholds"]
    steps = {
        "ArrowRight": (0, 1),
        "ArrowUp": (1, 0),
        "Shift+ArrowLeft": (0, -10),
        "Shift+ArrowDown": (-10, 0),
    }
    steps |= {"PageUp": (10, 0), "PageDown": (-10, 0), "ArrowLeft": (0, -1), "ArrowDown": (-1, 0)}
    for key, step in steps.items():
        page.keyboard.press(key)
        start = np.add(start, step).tolist()
        assert shown(page)["thresholds"] == start, key
    page.keyboard.press("End")
    assert shown(page) == expected(image, truth, [start[0], 255])
    page.keyboard.press("Home")
    assert shown(page)["thresholds"] == [start[0], start[0] + 1]
    page.keyboard.press("ArrowUp")
    assert shown(page)["thresholds"] == [start[0], start[0] + 1], "the lower one stops below the upper one"


def test_touch_drags_the_point_and_the_page_can_still_be_scrolled(show, explorer, image, truth) -> None:
    page = show(explorer, has_touch=True, viewport={"width": 390, "height": 844})
    page.locator(".ct-x-map").scroll_into_view_if_needed()
    touch = page.context.new_cdp_session(page)
    path = [place(page, *pair) for pair in ((60, 180), (70, 170), (80, 150), (85, 140))]
    for kind, (x, y) in zip(("touchStart", *["touchMove"] * 3), path, strict=True):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    now = shown(page)
    assert np.abs(np.subtract(now["thresholds"], [85, 140])).max() <= 1
    assert now == expected(image, truth, now["thresholds"])
    page.touchscreen.tap(*place(page, 30, 220))
    assert np.abs(np.subtract(shown(page)["thresholds"], [30, 220])).max() <= 1
    style = "s => getComputedStyle(document.querySelector(s)).touchAction"
    assert page.evaluate(style, ".ct-x-area") == "none"
    assert page.evaluate(style, ".ct-x-map") == "auto", "a finger on the empty corner scrolls"


def test_best_pair_and_reset(show, explorer, image, truth) -> None:
    page = show(explorer)
    before = shown(page)
    page.get_by_role("button", name="Best pair").click()
    assert shown(page) == expected(image, truth, list(explorer.best))
    page.get_by_role("radio", name="Agreement").check()
    page.get_by_text("log counts").click()
    page.locator(".ct-x-slider input").nth(0).fill("0")
    page.get_by_role("button", name="Reset").click()
    assert shown(page) == before
    assert page.get_by_role("radio", name="Segmentation").is_checked()
    assert not page.get_by_role("checkbox").is_checked()
    assert page.locator(".ct-x-slider input").nth(0).input_value() == "3"


def test_screen_readers_hear_the_pair_and_its_kappa(show, explorer) -> None:
    page = show(explorer)
    point = page.locator(".ct-x-point")
    point.press("ArrowUp")
    kappa, word = (shown(page)[key] for key in ("kappa", "word"))
    assert point.get_attribute("aria-label") == f"Pair of thresholds 61 and 180: kappa {kappa}, {word}"
    page.wait_for_function("document.querySelector('[aria-live]').textContent.includes('61 and 180')")
    names = page.locator(".ct-x canvas").evaluate_all("all => all.map(c => c.getAttribute('aria-label'))")
    assert len(names) == 3
    assert all(names)
    assert f"highest ({explorer.highest:.4f}) at {explorer.best[0]} and {explorer.best[1]}" in names[1]
    for control in page.locator(".ct-x :is(input, .ct-x-point, [role=slider])").all():
        assert control.get_attribute("data-lm-suppress-shortcuts") == "true", "JupyterLab would eat its keys"


@pytest.mark.parametrize("width", [320, 390, 700, 1280])
def test_fits_its_column(show, explorer, width: int) -> None:
    page = show(explorer, viewport={"width": width, "height": 800})
    root = page.locator(".ct-x").bounding_box()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for part in page.locator(".ct-x :is(table, canvas, button, input, label, output)").all():
        box = part.bounding_box()
        assert box["x"] >= root["x"] - 1, part
        assert box["x"] + box["width"] <= root["x"] + root["width"] + 1, part
    field, strip = (page.locator(s).bounding_box() for s in (".ct-x-map", ".ct-x-plot"))
    assert field["width"] == pytest.approx(field["height"], abs=1)
    assert (strip["x"], strip["width"]) == (field["x"], field["width"]), "one horizontal axis"
    assert field["width"] >= 250


def test_wide_pictures_leave_room_for_the_map(show) -> None:
    rng = np.random.default_rng(0)
    flat = ct.volume(rng.integers(0, 255, (12, 40)).astype(np.uint8), 0.3)
    codes = as_labels(flat.copy(data=rng.integers(0, 3, flat.shape).astype(np.uint8)))
    page = show(ct.explore.kappa_map(flat, codes, caption="Flat", source="schematic"))
    chart, readout, foot = (
        page.locator(s).bounding_box() for s in (".ct-x-chart", ".ct-x-readout", ".ct-x-foot")
    )
    assert readout["x"] > chart["x"] + chart["width"]
    assert foot["y"] >= readout["y"] + readout["height"]


def test_print_shows_the_picture(show, explorer) -> None:
    page = show(explorer, color_scheme="dark")
    assert page.locator(".ct-x[data-dark]").count() == 1
    assert_prints_the_picture(page)


def test_follows_the_hand_in_under_50_ms(show) -> None:
    """From the pointer's event to the next frame, on a volume as large as a page takes."""
    rng = np.random.default_rng(0)
    image = ct.volume(rng.integers(0, 256, (4, 250, 290)).astype(np.uint8), 0.438)
    truth = as_labels(image.copy(data=rng.integers(0, 3, image.shape).astype(np.uint8)))
    page = show(ct.explore.kappa_map(image, truth, start=(90, 140), caption="Large", source="schematic"))
    times = page.evaluate("""async () => {
        const map = document.querySelector('.ct-x-map'), area = document.querySelector('.ct-x-area');
        const box = map.getBoundingClientRect();
        const send = (type, x, y) => area.dispatchEvent(new PointerEvent(type, {pointerId: 1, button: 0,
            clientX: box.left + x * box.width, clientY: box.top + y * box.height, bubbles: true}));
        map.setPointerCapture = () => {};
        send('pointerdown', 0.5, 0.8);
        const frame = [], seen = new Set();
        for (let i = 0; i < 60; i += 1) {
            await new Promise(requestAnimationFrame);
            const start = performance.now();
            send('pointermove', 0.5 + 0.4 * (i % 20) / 20, 0.6 + 0.3 * (i % 15) / 15);
            await pictured();
            frame.push(performance.now() - start);
            seen.add(document.querySelector('.ct-x-kappa').textContent);
        }
        return [frame, seen.size]; }""")
    quantiles = quantiles_of(times[0])
    logging.getLogger(__name__).info("ms, median, 95 %%, longest: %s", quantiles)
    assert times[1] > 20, "the hand moved the pair"
    assert quantiles[0] < SLOWEST, quantiles
