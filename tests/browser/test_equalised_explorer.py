"""The explorer of the AHE-based segmentation in a browser, with no kernel: each step is that of Python."""

import itertools
import logging
import re
from typing import Any

import numpy as np
import pytest
import xarray as xr
from looks import SLOWEST, assert_prints_the_picture, quantiles_of
from playwright.sync_api import Page

import corrtomo as ct
import corrtomo.explore
import corrtomo.measure
import corrtomo.segment
from corrtomo.explore import EqualisedExplorer
from corrtomo.phases import as_labels

AM, WINDOWS, THRESHOLDS, DIAMETERS = 150, (2.0, 4.0, 6.5), (90, 100, 120, 150), (0.438, 0.876)
VIEWS = ("image", "am", "equalised", "cbd_thresholded", "cbd", "segmentation", "truth", "agreement")


def pair(shape: tuple[int, int, int]) -> tuple[xr.DataArray, xr.DataArray]:
    """Draw patches of three phases with noise and a slope of grey."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 3, tuple(-(-n // 3) for n in shape))
    codes = np.kron(coarse, np.ones((3, 3, 3), int))[tuple(slice(n) for n in shape)].astype(np.uint8)
    slope = np.linspace(-15, 15, shape[-1])
    grey = np.clip(60 + 60 * codes + slope + rng.normal(0, 18, shape), 0, 255).astype(np.uint8)
    codes[:, :4, :5] = ct.Phase.LEFT_OUT
    return ct.volume(grey, 0.438), as_labels(ct.volume(codes, 0.438))


@pytest.fixture(scope="module")
def image() -> xr.DataArray:
    return pair((6, 15, 19))[0]


@pytest.fixture(scope="module")
def truth() -> xr.DataArray:
    return pair((6, 15, 19))[1]


@pytest.fixture(scope="module")
def explorer(image: xr.DataArray, truth: xr.DataArray) -> EqualisedExplorer:
    return ct.explore.equalised(
        image,
        truth,
        am_threshold=AM,
        windows_um=WINDOWS,
        thresholds=THRESHOLDS,
        diameters_um=DIAMETERS,
        start=(4.0, 120, 0.876),
        caption="A test",
        source="digital twin",
    )


def shown(page: Page) -> dict[str, Any]:
    rows = [r.locator("td").all_text_contents() for r in page.locator("tbody tr, tfoot tr").all()]
    texts = page.locator(".ct-x-chart .ct-x-slider output").all_text_contents()
    return {
        "window_um": float(texts[0].split()[0]),
        "cbd_threshold": int(page.locator(".ct-x-values b").text_content()),
        "diameter_um": float(texts[1].split()[0]),
        "kappa": page.locator(".ct-x-kappa").text_content(),
        "word": page.locator(".ct-x-word").text_content(),
        "counts": [[int(re.sub(r"\D", "", cell)) for cell in row] for row in rows[:-2]],
        "found": rows[-2],
        "truth": rows[-1],
    }


def expected(
    image: xr.DataArray, truth: xr.DataArray, window: float, threshold: int, diameter: float
) -> dict[str, Any]:
    """Compute the same through the package's segmentation and measures."""
    found = ct.segment.equalised_ternary(
        image, am_threshold=AM, cbd_threshold=threshold, window_um=window, diameter_um=diameter
    )
    kappa = ct.measure.cohen_kappa(truth, found, ignore=255)
    compared = truth.values != 255
    a, b = truth.values[compared], found.values[compared]
    share = [[f"{100 * float((v == c).sum()) / a.size:.2f} %" for c in range(3)] for v in (b, a)]
    return {
        "window_um": window,
        "cbd_threshold": threshold,
        "diameter_um": diameter,
        "kappa": f"{kappa:.4f}",
        "word": ct.measure.landis_koch(kappa),
        "counts": [[int(((a == p) & (b == c)).sum()) for c in range(3)] for p in range(3)],
        "found": share[0],
        "truth": share[1],
    }


def set_to(page: Page, window: float, threshold: int, diameter: float) -> None:
    """Move all three by the keyboard."""
    sliders = page.locator(".ct-x-chart .ct-x-slider input")
    for slider, index in ((0, WINDOWS.index(window)), (1, DIAMETERS.index(diameter))):
        sliders.nth(slider).press("Home")
        for _ in range(index):
            sliders.nth(slider).press("ArrowRight")
    handle = page.locator(".ct-x-handle")
    handle.press("Home")
    for _ in range(THRESHOLDS.index(threshold)):
        handle.press("ArrowRight")


def canvas_pixels(page: Page, selector: str, nth: int = 0) -> np.ndarray:
    code = """c => { const {width, height} = c;
        return [height, width, [...c.getContext('2d').getImageData(0, 0, width, height).data]]; }"""
    rows, columns, values = page.locator(selector).nth(nth).evaluate(code)
    return np.array(values, np.uint8).reshape(rows, columns, 4)[..., :3]


def test_every_combination_has_the_numbers_of_python(show, explorer, image, truth) -> None:
    page = show(explorer)
    assert shown(page) == expected(image, truth, 4.0, 120, 0.876)
    for combination in itertools.product(WINDOWS, THRESHOLDS, DIAMETERS):
        set_to(page, *combination)
        assert shown(page) == expected(image, truth, *combination)


def test_every_panel_is_painted_as_python_paints_it(show, image, truth, explorer) -> None:
    page = show(explorer)
    page.locator(".ct-x-picture .ct-x-slider input").nth(1).fill("100")
    seen = {}
    for number, combination in ((1, (2.0, 90, 0.438)), (5, (6.5, 100, 0.876)), (3, (4.0, 150, 0.438))):
        page.locator(".ct-x-picture .ct-x-slider input").nth(0).fill(str(number))
        set_to(page, *combination)
        twin = ct.explore.equalised(
            image, truth, am_threshold=AM, windows_um=WINDOWS, thresholds=THRESHOLDS,
            diameters_um=DIAMETERS, start=combination, caption="A", source="schematic",
        )  # fmt: skip
        twin.slice, twin.opacity = number, 1.0
        for i, view in enumerate(VIEWS):
            painted = canvas_pixels(page, ".ct-x-tile canvas", i)
            np.testing.assert_array_equal(painted, twin._paint(view), err_msg=f"{view} at {combination}")
            seen.setdefault(view, set()).add(painted.tobytes())
    changed = {view: len(pictures) for view, pictures in seen.items()}
    assert changed == {**dict.fromkeys(VIEWS, 3), "truth": 2}, "two of the slices lie in one layer of patches"


def test_a_panel_that_is_pressed_becomes_the_large_one(show, explorer) -> None:
    page = show(explorer)
    tiles = page.locator(".ct-x-tile")
    names = ["a X-ray", "b active material", "c equalised", "d binder", "e opened, closed", "f segmentation"]
    assert tiles.all_text_contents() == [*names, "g truth", "h agreement"]
    for i in range(8):
        tiles.nth(i).click()
        np.testing.assert_array_equal(
            canvas_pixels(page, ".ct-x-stage canvas"), canvas_pixels(page, ".ct-x-tile canvas", i)
        )
        pressed = tiles.evaluate_all("all => all.map(b => b.getAttribute('aria-pressed'))")
        assert pressed == [str(k == i).lower() for k in range(8)]
        assert page.locator(".ct-x-title").text_content().startswith("abcdefgh"[i])
    assert page.get_by_role("radio", name="Agreement").is_checked()
    tiles.nth(2).press("Enter")
    assert not page.locator("input[type=radio]:checked").count(), "none of the three views"
    assert page.locator(".ct-x-legend").text_content() == ""
    page.get_by_role("radio", name="Truth").check()
    assert tiles.nth(6).get_attribute("aria-pressed") == "true"


def test_nothing_moves_when_another_panel_is_chosen(show, explorer) -> None:
    for width in (390, 1280):
        page = show(explorer, viewport={"width": width, "height": 844})
        places = []
        for tile in page.locator(".ct-x-tile").all():
            tile.click()
            page.evaluate("scrollTo(0, 0)")
            boxes = [
                page.locator(s).bounding_box() for s in (".ct-x-stage", ".ct-x-plot", ".ct-x-reset >> nth=0")
            ]
            places.append([(round(box["x"]), round(box["y"])) for box in boxes])
        assert places == places[:1] * 8


def test_mouse_drags_the_threshold_along_the_curve(show, explorer, image, truth) -> None:
    page = show(explorer)
    box = page.locator(".ct-x-plot canvas").bounding_box()
    x = {t: box["x"] + box["width"] * (0.05 + 0.9 * (t - 90) / 60) for t in THRESHOLDS}
    page.mouse.move(x[120], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(x[100] + 2, box["y"] + 60, steps=4)
    assert shown(page) == expected(image, truth, 4.0, 100, 0.876)
    page.mouse.move(box["x"] + box["width"] + 50, box["y"] + 60, steps=4)
    page.mouse.up()
    assert shown(page) == expected(image, truth, 4.0, 150, 0.876)
    page.mouse.click(x[90], box["y"] + 60)
    assert shown(page)["cbd_threshold"] == 90


def test_touch(show, explorer, image, truth) -> None:
    page = show(explorer, has_touch=True, viewport={"width": 390, "height": 844})
    page.locator(".ct-x-handle").scroll_into_view_if_needed()
    box = page.locator(".ct-x-plot canvas").bounding_box()
    touch = page.context.new_cdp_session(page)
    path = [box["x"] + box["width"] * (0.05 + 0.9 * (t - 90) / 60) for t in (120, 110, 101, 100)]
    for kind, x in zip(("touchStart", *["touchMove"] * 3), path, strict=True):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": box["y"] + 80}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert shown(page) == expected(image, truth, 4.0, 100, 0.876)
    tile = page.locator(".ct-x-tile").nth(2)
    tile.scroll_into_view_if_needed()
    for _ in range(5):  # Chromium may take a finger that comes with the scrolling for no tap
        tile.tap()
        page.wait_for_timeout(300)
        if page.locator(".ct-x-title").text_content().startswith("c"):
            break
    page.wait_for_function("document.querySelector('.ct-x-stage').getBoundingClientRect().y >= 0")
    assert page.locator(".ct-x-title").text_content().startswith("c")


def test_best_of_the_sweep_and_reset(show, explorer, image, truth) -> None:
    page = show(explorer)
    before = shown(page)
    page.get_by_role("button", name="Best of the sweep").click()
    best = tuple(explorer.best.values())
    assert shown(page) == expected(image, truth, *best)
    assert shown(page)["kappa"] == f"{float(explorer.kappas.max()):.4f}"
    assert shown(page) != before
    page.locator(".ct-x-tile").nth(0).click()
    page.locator(".ct-x-picture .ct-x-slider input").nth(0).fill("0")
    page.get_by_role("button", name="Reset").click()
    assert shown(page) == before
    assert page.get_by_role("radio", name="Segmentation").is_checked()
    assert page.locator(".ct-x-picture .ct-x-slider input").nth(0).input_value() == "3"


def test_screen_readers_hear_what_is_set_and_what_comes_of_it(show, explorer) -> None:
    page = show(explorer)
    handle = page.get_by_role("slider", name="Threshold of the binder on the equalised image")
    handle.press("ArrowRight")
    kappa, word = (shown(page)[key] for key in ("kappa", "word"))
    assert handle.get_attribute("aria-valuetext") == f"threshold 150, kappa {kappa}, {word}"
    said = f"Window 4 µm, threshold 150, ball 0.876 µm: kappa {kappa}, {word}."
    page.wait_for_function("t => document.querySelector('[aria-live]').textContent === t", arg=said)
    window = page.get_by_role("slider", name="Window")
    assert window.get_attribute("aria-valuetext") == "4 µm"
    assert all(page.locator(".ct-x canvas").evaluate_all("a => a.map(c => c.getAttribute('aria-label'))"))
    assert page.get_by_role("button", name="d, binder, by threshold on the equalised image").count() == 1
    for control in page.locator(".ct-x :is(input, [role=slider])").all():
        assert control.get_attribute("data-lm-suppress-shortcuts") == "true", "JupyterLab would eat its keys"


@pytest.mark.parametrize("width", [320, 390, 700, 1280])
def test_fits_its_column_and_panels_wrap(show, explorer, width: int) -> None:
    page = show(explorer, viewport={"width": width, "height": 800})
    root = page.locator(".ct-x").bounding_box()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for part in page.locator(".ct-x :is(table, canvas, button, input, label, output)").all():
        box = part.bounding_box()
        assert box["x"] >= root["x"] - 1, part
        assert box["x"] + box["width"] <= root["x"] + root["width"] + 1, part
    boxes = [tile.bounding_box() for tile in page.locator(".ct-x-tile").all()]
    assert len({round(box["y"]) for box in boxes}) == (4 if width < 600 else 2)
    assert min(box["width"] for box in boxes) > (120 if width < 600 else 80)


def test_two_explorers_do_not_clash(show, explorer) -> None:
    page = show(explorer, explorer)
    page.locator(".ct-x-handle").first.press("Home")
    values = page.locator(".ct-x-values b").all_text_contents()
    assert values == ["90", "120"]


def test_dark_mode_and_print(show, explorer) -> None:
    page = show(explorer, color_scheme="dark")
    assert page.locator(".ct-x[data-dark]").count() == 1
    assert_prints_the_picture(page)
    alt = page.locator(".ct-fallback").get_by_role("img").get_attribute("alt")
    assert f"kappa is {explorer.kappa:.4f}" in alt


def test_one_of_each_needs_no_slider(show, image, truth) -> None:
    single = ct.explore.equalised(
        image[0], truth[0], am_threshold=AM, windows_um=(3.0,), thresholds=(120,), diameters_um=(0.876,),
        caption="One", source="schematic",
    )  # fmt: skip
    page = show(single)
    assert page.locator(".ct-x-kappa").text_content() == f"{single.kappa:.4f}"
    assert page.locator(".ct-x-slider").count() == 1, "colour alone"


def test_follows_the_hand_in_under_50_ms(show) -> None:
    """From the key to the next frame, on as many pixels as a page takes."""
    image, truth = pair((2, 340, 350))
    sweep = {"windows_um": (4.0, 9.0), "thresholds": range(60, 180, 10), "diameters_um": (0.876,)}
    words = {"caption": "Large", "source": "schematic"}
    page = show(ct.explore.equalised(image, truth, am_threshold=AM, **sweep, **words))
    times = page.evaluate("""async () => {
        const knob = document.querySelector('.ct-x-handle'), frame = [], seen = new Set();
        for (let i = 0; i < 40; i += 1) {
            await new Promise(requestAnimationFrame);
            const start = performance.now();
            const key = i % 20 < 10 ? 'ArrowRight' : 'ArrowLeft';
            knob.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
            await pictured();
            frame.push(performance.now() - start);
            seen.add(document.querySelector('.ct-x-kappa').textContent);
        }
        return [frame, seen.size]; }""")
    quantiles = quantiles_of(times[0])
    logging.getLogger(__name__).info("ms, median, 95 %%, longest: %s", quantiles)
    assert times[1] > 5, "the hand moved the threshold"
    assert quantiles[0] < SLOWEST, quantiles
