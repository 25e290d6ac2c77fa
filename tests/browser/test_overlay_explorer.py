"""The overlay explorer in a browser, with no kernel: pixels, counts and mutual information are Python's."""

import logging
import shutil
from typing import Any, NamedTuple

import numpy as np
import pytest
from looks import (
    HEADER,
    SLOWEST,
    SMALLEST,
    assert_prints_the_picture,
    nameless,
    pixels,
    quantiles_of,
    smallest_letters,
    too_wide,
)
from PIL import Image
from playwright.sync_api import Page
from scipy import ndimage

import corrtomo as ct
import corrtomo.explore
from corrtomo.explore import OverlayExplorer
from corrtomo.explore.explorer import HERE
from corrtomo.explore.overlay.section import (
    POSE,
    Plane,
    Stack,
    block_greys,
    cut_plane,
    information,
    matrix_of,
)

WORDS: dict[str, Any] = {"caption": "A test", "source": "digital twin"}
CHANNELS = ["7Li", "27Al", "58Ni", "59Co"]
LABELS = ["⁷Li", "²⁷Al", "⁵⁸Ni", "⁵⁹Co"]


class Pose(NamedTuple):
    matrix: Any


def sample(rows: int = 60, columns: int = 80, step: float = 0.05, seed: int = 3) -> dict[str, Any]:
    """Blurred balls; a tilted section through them, with grey values of its own; counts in discs."""
    rng = np.random.default_rng(seed)
    size = np.array([rows, columns]) * step
    start = np.array([2.0, 3.0])
    here = Plane(start, np.full(2, step), start + (size - step) / 2, 1.0)
    pose = dict(zip(POSE, (2.0, 1.5, -1.0, 2.0, 0.1, -0.2), strict=True))
    matrix = matrix_of(pose, here)
    size += 4.0  # the volume is larger than the section, and begins 2 µm before it
    z, y, x = (0.1 * a for a in np.indices((40, *(size / 0.1).astype(int))))
    y, x = y + start[0] - 2.0, x + start[1] - 2.0
    down, across = (o + step * a for o, a in zip(start, np.indices((rows, columns)), strict=True))
    places = np.stack([0 * down, down, across], axis=-1) @ matrix[:3, :3].T + matrix[:3, 3]
    solid, cut = np.zeros(z.shape, bool), np.zeros((rows, columns), bool)
    for at in rng.uniform((0.0, *(start - 2.0)), (4.0, *(start - 2.0 + size)), (80, 3)):
        solid |= (z - at[0]) ** 2 + (y - at[1]) ** 2 + (x - at[2]) ** 2 < 0.36
        cut |= ((places - at) ** 2).sum(axis=-1) < 0.36
    grey = ndimage.gaussian_filter(0.1 * solid, 1.0) + rng.normal(0, 0.005, solid.shape)
    se = np.clip(np.where(cut, 90, 160) + rng.normal(0, 12, cut.shape), 0, 255).astype(np.uint8)
    counts = rng.poisson(np.where(cut, [[[9.0]], [[1.0]], [[6.0]], [[300.0]]], 0.1))
    options = {"origin": start}
    maps = ct.volume(counts, step, dims=("channel", "y", "x"), **options)
    classes = ct.volume(np.where(cut, 2, 1).astype(np.uint8), step, **options)
    return {
        "images": {"SE": ct.volume(se, step, **options)},
        "maps": maps.assign_coords(channel=CHANNELS),
        "volume": ct.volume(grey.astype(np.float32), 0.1, origin=(0.0, *(start - 2.0))),
        "alignment": Pose(matrix),
        "classes": classes.assign_attrs(classes={"carbon binder domain": 1, "LCO": 2}),
    }


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    return sample()


@pytest.fixture
def explorer(data: dict[str, Any]) -> OverlayExplorer:
    return ct.explore.overlay(**data, **WORDS)


def picture(explorer: OverlayExplorer) -> np.ndarray:
    return np.asarray(explorer.picture().drawing.axes[0].images[0].get_array()).astype(int)


def reads(page: Page) -> dict[str, str]:
    rows = page.locator(".ct-x-layers tbody tr").evaluate_all(
        "all => all.map(row => [row.querySelector('th').textContent, row.lastChild.textContent])"
    )
    return dict(rows)


def slider(page: Page, name: str) -> Any:
    return page.get_by_role("slider", name=name, exact=True)


def pick(page: Page, name: str, group: str = "How layers are compared") -> None:
    root = page.get_by_role("radiogroup", name=group)
    root.get_by_role("radio", name=name, exact=True).check(force=True)


def fit(page: Page) -> str:
    return str(page.locator(".ct-x-kappa").text_content())


def at(page: Page, row: float, column: float, rows: int = 60, columns: int = 80) -> tuple[float, float]:
    box = page.locator(".ct-x-over").bounding_box()
    assert box is not None
    return box["x"] + (column + 0.5) / columns * box["width"], box["y"] + (row + 0.5) / rows * box["height"]


def settled(page: Page) -> str:
    """Wait for the whole curve; return what is said of its best place."""
    best = page.locator(".ct-x-word")
    best.filter(has_text="best").wait_for(timeout=20_000)
    return str(best.text_content())


def test_sections_and_mutual_information_are_those_of_python(show, site, explorer) -> None:
    """Random stacks, grids and poses: every pixel alike, and mutual information to the last digits."""
    folder, _ = site
    shutil.copy(HERE / "overlay" / "section.js", folder / "overlay_section.js")
    page = show(explorer)
    code = """async ({ stack, plane, pose, section, block }) => {
        const m = await import('./overlay_section.js');
        const here = m.coarserPlane(plane, block);
        const [values, known] = [0, 1].map(() => new Uint8Array(here.rows * here.columns));
        const out = { values, known };
        m.cutPlane({ ...stack, values: Uint8Array.from(stack.values) }, here, pose, out);
        const grey = { values: Uint8Array.from(section), known: new Uint8Array(section.length).fill(1) };
        const still = m.blockGreys(grey, plane.columns, block);
        const fit = m.mutualInformation(still, out);
        return [[...out.values], [...out.known], Number.isNaN(fit) ? null : fit]; }"""
    rng = np.random.default_rng(8)
    for trial in range(24):
        shape = tuple(int(n) for n in rng.integers((1, 2, 2), (9, 30, 30)))
        rows, columns, block = int(rng.integers(6, 40)), int(rng.integers(6, 40)), int(rng.integers(1, 3))
        stack = Stack(rng.integers(0, 256, shape, np.uint8), rng.normal(size=3), rng.uniform(0.05, 0.2, 3))
        ends = stack.origin + (np.array(shape) - 1) * stack.step
        step = rng.uniform(0.02, 0.12, 2)
        first = ((stack.origin + ends) / 2)[1:] - step * [rows / 2, columns / 2]
        centre = first + (np.array([rows, columns]) - 1) / 2 * step
        plane = Plane(first, step, centre, float(rng.uniform(0.9, 1.1)))
        angles = rng.normal(0, 5, 3) if trial else np.zeros(3)
        shifts = rng.normal(0, 0.1, 2) if trial else np.zeros(2)
        pose = dict(zip(POSE, ((stack.origin[0] + ends[0]) / 2, *angles, *shifts), strict=True))
        section = rng.integers(0, 256, (rows, columns), np.uint8)
        coarse, known = block_greys(section, np.ones(section.shape, bool), block)
        cut, there = cut_plane(stack, plane.coarser(block), coarse.shape, pose)
        given = {
            "stack": {
                "values": stack.values.ravel().tolist(),
                "shape": shape,
                "origin": stack.origin.tolist(),
                "step": stack.step.tolist(),
            },
            "plane": {
                "rows": rows,
                "columns": columns,
                "origin": first.tolist(),
                "step": step.tolist(),
                "centre": centre.tolist(),
                "scale": plane.scale,
            },
            "pose": {name: float(value) for name, value in pose.items()},
            "section": section.ravel().tolist(),
            "block": block,
        }
        values, inside, found = page.evaluate(code, given)
        np.testing.assert_array_equal(values, cut.ravel(), err_msg=str(trial))
        np.testing.assert_array_equal(inside, there.ravel(), err_msg=str(trial))
        expected = information(coarse, cut, known & there)
        assert (found is None) == np.isnan(expected), trial
        assert found is None or found == pytest.approx(expected, abs=1e-9), trial


def test_moving_the_section_shows_the_number_of_python(show, explorer) -> None:
    page = show(explorer)
    assert fit(page) == f"{explorer.mutual_information:.4f}"
    pick(page, "CT", "Right side")
    for name, label, step in [
        ("depth_um", "Depth", 60),
        ("tilt_x_deg", "Tilt x", 7),
        ("shift_x_um", "Shift x", 33),
    ]:
        slider(page, label).fill(str(step))
        explorer.pose = {name: explorer.found[name] + explorer.section["reach"][name] * (step - 40) / 40}
        explorer.sides = ["CT", "CT"]
        assert fit(page) == f"{explorer.mutual_information:.4f}", label
        np.testing.assert_array_equal(pixels(page), picture(explorer), err_msg=label)


def test_the_curve_is_that_of_python_and_leads_to_its_best(show, explorer) -> None:
    page = show(explorer)
    for name, label, unit in [("depth_um", "Depth", "µm"), ("turn_deg", "Turn", "°")]:
        slider(page, label).fill("70")
        explorer.pose = {name: explorer.found[name] + explorer.section["reach"][name] * 30 / 40}
        curve = explorer.scan(name)
        assert f"best at {curve.idxmax():.2f} {unit}".replace("-", "−") in settled(page)
        ends = page.locator(".ct-x-axis span").nth(1).text_content()
        assert ends.endswith(f"I from {curve.min():.3f} to {curve.max():.3f}")
        page.get_by_role("button", name="Best on the curve").click()
        assert fit(page) == f"{curve.max():.4f}"
        explorer.pose = {name: curve.idxmax()}
    assert fit(page) != f"{explorer._information(explorer.found):.4f}"
    page.get_by_role("button", name="Found pose").click()
    assert fit(page) == f"{explorer._information(explorer.found):.4f}"


def test_the_handle_on_the_curve_moves_the_section(show, explorer) -> None:
    page = show(explorer)
    knob = page.get_by_role("slider", name="Section along this slider")
    knob.press("ArrowRight")
    assert slider(page, "Depth").input_value() == "41"
    knob.press("Home")
    assert slider(page, "Depth").input_value() == "0"
    slider(page, "Tilt y").press("ArrowLeft")
    knob.press("End")
    assert slider(page, "Tilt y").input_value() == "80"
    box = page.locator(".ct-x-plot canvas").bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 40)
    assert slider(page, "Tilt y").input_value() == "40"


@pytest.mark.parametrize("mode", ["Blend", "Swipe", "Checkerboard"])
def test_pixels_are_painted_as_python_paints_them(show, data, mode: str) -> None:
    explorer = ct.explore.overlay(**data, **WORDS)
    page = show(explorer)
    pick(page, mode)
    explorer.mode = mode.lower()
    np.testing.assert_array_equal(pixels(page), picture(explorer))
    if mode != "Blend":
        pick(page, "Maps", "Left side")
        pick(page, "Blend", "Right side")
        explorer.sides = ["maps", "blend"]
    for layer, changes in [
        ("classes", {"opacity": 0.35}),
        ("59Co", {"opacity": 0.6}),
        ("CT", {"opacity": 0.8}),
    ]:
        label = LABELS[CHANNELS.index(layer)] if layer in CHANNELS else layer
        page.get_by_role("checkbox", name=f"show {label}").check()
        page.get_by_role("radio", name=label, exact=True).and_(page.locator(".ct-x-layers input")).check()
        slider(page, "Opacity").fill(str(round(100 * changes["opacity"])))
        explorer.adjust(layer, on=True, **changes)
        if layer != "classes":
            slider(page, "Gain").fill("6")
            slider(page, "Gamma").fill("-4")
            explorer.adjust(layer, gain=10 ** (6 / 20), gamma=10 ** (-4 / 20))
    page.get_by_label("colour of ⁷Li").fill("#12ab34")
    explorer.adjust("7Li", colour="#12ab34")
    if mode == "Checkerboard":
        slider(page, "Squares").fill("5")
        explorer.squares = 5
    # Floats may fall on either side of a whole grey value.
    assert np.abs(pixels(page) - picture(explorer)).max() <= 1


def test_one_click_between_the_two_sets_of_colours(show, explorer) -> None:
    page = show(explorer)
    pick(page, "Blend")
    shown = page.locator(".ct-x-layers input[type=color]").evaluate_all
    assert shown("all => all.slice(2).map(c => c.value)") == explorer.palettes["paper"]
    page.get_by_role("radio", name="Colour-blind safe").check(force=True)
    assert shown("all => all.slice(2).map(c => c.value)") == explorer.palettes["safe"]
    for name, colour in zip(CHANNELS, explorer.palettes["safe"], strict=True):
        explorer.adjust(name, colour=colour)
    explorer.mode = "blend"
    np.testing.assert_array_equal(pixels(page), picture(explorer))
    page.get_by_label("colour of ⁷Li").fill("#ffffff")
    assert not page.get_by_role("radio", name="Colour-blind safe").is_checked()
    assert not page.get_by_role("radio", name="As in the paper").is_checked()


def test_counts_under_the_pointer_are_exact(show, explorer, data) -> None:
    page = show(explorer)
    pick(page, "Blend")
    for row, column in [(0, 0), (59, 79), (31, 40), (12, 70)]:
        page.mouse.move(*at(page, row, column))
        now = reads(page)
        for name, label in zip(CHANNELS, LABELS, strict=True):
            assert now[label] == str(int(data["maps"].sel(channel=name).values[row, column]))
        assert now["SE"] == str(int(data["images"]["SE"].values[row, column]))
        assert (
            now["classes"] == {1: "carbon binder domain", 2: "LCO"}[int(data["classes"].values[row, column])]
        )
        explorer.cursor = [row, column]
        assert float(now["CT"]) == pytest.approx(explorer.values.CT, rel=6e-3, abs=1e-6)
        place = page.locator(".ct-x-place b").text_content()
        assert place == f"y {2 + 0.05 * row:.2f}, x {3 + 0.05 * column:.2f} µm"


def test_keyboard_reads_pixels_and_drags_the_divider(show, explorer, data) -> None:
    page = show(explorer)
    surface = page.get_by_role("application")
    steps = [
        ("ArrowUp", (-1, 0)),
        ("Shift+ArrowRight", (0, 10)),
        ("ArrowDown", (1, 0)),
        ("Shift+ArrowLeft", (0, -10)),
    ]
    row, column = 30, 40
    for key, (down, across) in steps:
        surface.press(key)
        row, column = row + down, column + across
        assert page.locator(".ct-x-place span").text_content() == f" · row {row + 1}, column {column + 1}", (
            key
        )
        assert reads(page)["⁵⁹Co"] == str(int(data["maps"].values[3, row, column])), key
    page.wait_for_function("document.querySelector('.ct-x-live').textContent.includes('SE')")
    said = page.locator(".ct-x-live").text_content()
    assert f"⁷Li {int(data['maps'].values[0, row, column])}" in said
    divider = page.get_by_role("slider", name="Divider between left and right")
    for key, percent in [
        ("ArrowRight", 51),
        ("PageUp", 61),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("End", 100),
        ("PageDown", 90),
    ]:
        divider.press(key)
        assert divider.get_attribute("aria-valuenow") == str(percent), key
    explorer.divider = 0.9
    np.testing.assert_array_equal(pixels(page), picture(explorer))
    pick(page, "Blend")
    assert not divider.is_visible()


def test_mouse_drags_the_divider_by_its_knob_and_anywhere(show, explorer) -> None:
    page = show(explorer)
    divider = page.locator(".ct-x-divider")
    page.mouse.move(*at(page, 30, 39.5))
    page.mouse.down()
    page.mouse.move(*at(page, 10, 19.5), steps=4)
    page.mouse.up()
    assert divider.get_attribute("aria-valuenow") == "25"
    page.mouse.move(*at(page, 10, 60))
    assert divider.get_attribute("aria-valuenow") == "25", "what is let go stays"
    page.mouse.down()
    page.mouse.up()
    assert divider.get_attribute("aria-valuenow") == "76"
    page.mouse.move(*at(page, 30, 60))
    page.mouse.down()
    page.mouse.move(*at(page, 30, 700), steps=2)
    page.mouse.up()
    assert divider.get_attribute("aria-valuenow") == "100", "not beyond the picture"


def test_touch_drags_and_reads(show, explorer, data) -> None:
    page = show(explorer, has_touch=True, viewport={"width": 390, "height": 844})
    touch = page.context.new_cdp_session(page)
    path = [at(page, 30, column) for column in (39.5, 44, 50, 55.5)]
    for kind, (x, y) in zip(("touchStart", *["touchMove"] * 3), path, strict=True):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert page.locator(".ct-x-divider").get_attribute("aria-valuenow") == "70"
    pick(page, "Blend")
    page.touchscreen.tap(*at(page, 20, 30))
    assert reads(page)["⁵⁹Co"] == str(int(data["maps"].values[3, 20, 30]))


def test_reset(show, explorer) -> None:
    page = show(explorer)
    before = pixels(page).tobytes(), reads(page), fit(page)
    slider(page, "Depth").fill("3")
    slider(page, "Opacity").fill("10")
    page.get_by_role("application").press("Shift+ArrowUp")
    pick(page, "Checkerboard")
    pick(page, "Maps", "Left side")
    page.get_by_role("radio", name="Colour-blind safe").check(force=True)
    assert (pixels(page).tobytes(), reads(page), fit(page)) != before
    page.get_by_role("button", name="Reset").click()
    assert (pixels(page).tobytes(), reads(page), fit(page)) == before
    assert page.get_by_role("radio", name="Swipe").is_checked()
    assert page.get_by_role("radio", name="As in the paper").is_checked()


def test_png_has_the_picture_a_scale_bar_and_a_legend(show, explorer, tmp_path) -> None:
    page = show(explorer)
    pick(page, "Blend")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the picture as PNG").click()
    assert download.value.suggested_filename == "overlay.png"
    download.value.save_as(tmp_path / "overlay.png")
    with Image.open(tmp_path / "overlay.png") as image:
        saved = np.asarray(image.convert("RGB")).astype(int)
    many = 15  # the first whole factor that makes 80 pixels 1200 or more wide
    assert saved.shape[:2] == (60 * many + 60, 80 * many)
    np.testing.assert_array_equal(saved[7 : 40 * many : many, 7::many], pixels(page)[:40])
    bar = (saved[: 60 * many] == 255).all(axis=-1).sum(axis=1)
    assert bar.max() == pytest.approx(1.0 / (80 * 0.05) * 80 * many, abs=12), "1 µm"
    strip = saved[60 * many :].reshape(-1, 3)
    for colour in ("#00ff00", "#0000ff", "#ff0000"):
        assert (strip == ct.show.style.rgb(colour)).all(axis=1).sum() > 100
    assert not (strip == (255, 255, 0)).all(axis=1).any(), "nickel is not shown"


def test_without_a_volume_or_maps(show, data) -> None:
    page = show(ct.explore.overlay(data["images"], data["maps"], **WORDS))
    assert page.locator(".ct-x-plot").count() == 0
    assert page.get_by_role("slider", name="Depth").count() == 0
    assert page.get_by_role("radio", name="Blend").first.is_checked()
    assert page.locator(".ct-x-side").first.is_hidden()
    other = data["images"]["SE"].astype(float)
    other[:, :9] = np.nan
    explorer = ct.explore.overlay({"SE": data["images"]["SE"], "other": other}, **WORDS)
    page = show(explorer)
    assert page.get_by_role("radio", name="As in the paper").count() == 0
    page.mouse.move(*at(page, 5, 4))
    assert reads(page)["other"] == "–"
    np.testing.assert_array_equal(pixels(page), picture(explorer))


@pytest.mark.parametrize(
    ("width", "shape"), [(320, (60, 80)), (390, (40, 120)), (700, (80, 60)), (1280, (40, 120))]
)
def test_nothing_is_wider_than_the_page(show, width: int, shape: tuple[int, int]) -> None:
    page = show(ct.explore.overlay(**sample(*shape), **WORDS), viewport={"width": width, "height": 844})
    for mode in ("Swipe", "Checkerboard"):
        pick(page, mode)
        root = page.locator(".ct-x").bounding_box()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert too_wide(page, but=".ct-x-live, .ct-x-over, .ct-x-divider, .ct-x-handle") == []
        assert root["width"] <= width


def test_picture_and_what_moves_it_share_one_screen_of_a_phone(show) -> None:
    page = show(
        ct.explore.overlay(**sample(64, 64), **WORDS), viewport={"width": 390, "height": 844}, has_touch=True
    )
    boxes = [page.locator(part).bounding_box() for part in (".ct-x-stage", ".ct-x-pose", ".ct-x-kappa")]
    assert boxes[2]["y"] + boxes[2]["height"] - boxes[0]["y"] <= 844 - HEADER
    assert smallest_letters(page) >= SMALLEST


@pytest.mark.parametrize("width", [390, 620, 760])
def test_sliders_of_the_pose_have_room_to_move(show, width: int) -> None:
    page = show(ct.explore.overlay(**sample(64, 64), **WORDS), viewport={"width": width, "height": 844})
    tracks = [track.bounding_box()["width"] for track in page.locator(".ct-x-pose input").all()]
    assert len(tracks) == len(POSE)
    assert min(tracks) >= 110


def test_every_control_has_a_name(show, explorer) -> None:
    page = show(explorer)
    assert nameless(page) == []


def test_print_shows_the_picture(show, explorer) -> None:
    page = show(explorer, color_scheme="dark")
    assert page.locator(".ct-x[data-dark]").count() == 1
    assert_prints_the_picture(page)


def test_follows_the_hand_in_under_50_ms(show) -> None:
    """From the event to the next frame, 512 × 512 pixels with four maps, by the divider and by the depth."""
    page = show(ct.explore.overlay(**sample(512, 512, 0.02), **WORDS))
    settled(page)
    code = """async what => {
        const surface = document.querySelector('.ct-x-over'), box = surface.getBoundingClientRect();
        const depth = document.querySelector('.ct-x-pose input');
        const send = (type, x) => surface.dispatchEvent(new PointerEvent(type, {pointerId: 1, button: 0,
            clientX: box.left + x * box.width, clientY: box.top + 40, bubbles: true}));
        surface.setPointerCapture = () => {};
        if (what === 'divider') send('pointerdown', 0.1);
        const frame = [], seen = new Set();
        for (let i = 0; i < 30; i += 1) {
            await new Promise(requestAnimationFrame);
            const start = performance.now();
            if (what === 'divider') send('pointermove', 0.1 + 0.8 * i / 30);
            else { depth.value = 10 + 2 * i; depth.dispatchEvent(new Event('input', {bubbles: true})); }
            await pictured();
            frame.push(performance.now() - start);
            seen.add(document.querySelector(what === 'divider' ? '.ct-x-divider' : '.ct-x-kappa').outerHTML);
        }
        if (what === 'divider') send('pointerup', 0.9);
        return [frame, seen.size]; }"""
    for what in ("divider", "depth"):
        times, seen = page.evaluate(code, what)
        quantiles = quantiles_of(times)
        logging.getLogger(__name__).info("%s, ms, median, 95 %%, longest: %s", what, quantiles)
        assert seen > 25, "the hand moved it"
        assert quantiles[0] < SLOWEST, (what, quantiles)
