"""The built pages of the zoom and of the catalogue, as readers have them: by mouse, keyboard and touch."""

import logging
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from looks import (
    HEADER,
    SITE,
    SLOWEST,
    SMALLEST,
    fingers,
    nameless,
    pixels,
    quantiles_of,
    smallest_letters,
    too_wide,
)
from playwright.sync_api import Locator, Page, expect

PART = SITE / "cell-to-particle"
pytestmark = pytest.mark.skipif(
    not (PART / "zoom.html").is_file() or not (PART / "catalogue.html").is_file(),
    reason="no website: run `make book` first",
)
WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "reduced_motion": "reduce",
}
LENGTH = re.compile(r"± ([\d.]+) (mm|µm|nm)")
UM = {"mm": 1e3, "µm": 1.0, "nm": 1e-3}
NAMES = ["overview", "detail", "nanoCT", "SE", "SIMS"]


@pytest.fixture(scope="module")
def home(serve: Callable[[Path], str]) -> str:
    return serve(SITE)


@pytest.fixture
def visit(home: str, open_page: Callable[..., Page]) -> Callable[..., tuple[Page, Locator]]:
    """Open a page of the part, and scroll to its explorer."""

    def visited(name: str, **context: Any) -> tuple[Page, Locator]:
        page = open_page(f"{home}cell-to-particle/{name}.html", **context)
        host = page.locator(".ct-explorer")
        assert host.count() == 1
        host.scroll_into_view_if_needed()
        host.and_(page.locator("[data-mounted=ok]")).wait_for()
        return page, host

    return visited


def across(host: Locator) -> float:
    number, unit = (host.locator(".ct-x-kappa").text_content() or "").split()
    return float(number) * UM[unit]


def errors(host: Locator) -> dict[str, float]:
    """What is said of how sure the finest image at the cursor lies in each, in µm."""
    said = dict(zip(NAMES, host.locator(".ct-x-error").all_text_contents(), strict=True))
    found = {name: LENGTH.fullmatch(text) for name, text in said.items()}
    return {name: float(m[1]) * UM[m[2]] for name, m in found.items() if m}


def middle(host: Locator, part: str) -> tuple[float, float]:
    place = host.locator(part)
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_zoom_by_mouse_from_18_mm_to_50_nm(visit) -> None:
    page, host = visit("zoom", **WIDE)
    assert across(host) > 18_000
    seen = [pixels(host)]
    for name, most in zip(NAMES, [22_000, 500, 40, 40, 20], strict=True):
        host.get_by_role("button", name=f"Go to {name}", exact=True).click()
        assert across(host) < most
        seen.append(pixels(host))
    assert all((a != b).any() for a, b in pairwise(seen[1:])), "each shows something else"
    known = errors(host)
    assert list(known) == NAMES[:-1], "of the ions, the finest, in all others"
    assert known["overview"] > 10 > known["detail"] > 1 > known["nanoCT"] > known["SE"] > 0.001
    assert LENGTH.search(host.locator(".ct-x-place").text_content())[2] == "µm"
    at = middle(host, ".ct-x-zooming")
    page.mouse.click(*at)
    for _ in range(25):
        page.mouse.wheel(0, -240)
    expect(host.locator(".ct-x-kappa")).to_have_text(re.compile("nm$"))
    assert across(host) < 0.5, "ten pixels of 50 nm"
    length, unit = host.locator(".ct-x-scale").text_content().split()
    assert float(length) * UM[unit] <= 0.1
    page.mouse.dblclick(*at)
    page.mouse.move(at[0] + 40, at[1])
    assert "–" not in host.locator(".ct-x-layers tbody tr").last.text_content(), "there are ions"


def test_zoom_by_keyboard(visit) -> None:
    _, host = visit("zoom", **WIDE)
    surface = host.get_by_role("application")
    whole = across(host)
    widths = []
    for key in "12345":
        surface.press(key)
        widths.append(across(host))
    assert widths[0] > widths[1] > max(widths[2:])
    assert widths[3] > widths[4]
    place = host.locator(".ct-x-place b")
    for key in ("ArrowLeft", "ArrowDown", "Shift+ArrowRight"):
        before = place.text_content()
        surface.press(key)
        expect(place).not_to_have_text(before)
    surface.press("+")
    assert across(host) == pytest.approx(widths[-1] / 1.25, rel=0.01)
    expect(host.locator(".ct-x-live")).to_have_text(re.compile(r"across; z .* ± [\d.]+ µm: .*SIMS"))
    surface.press("Home")
    assert across(host) == whole
    host.get_by_role("slider", name="Zoom").press("End")
    assert across(host) < 0.5


def test_zoom_by_touch_on_a_phone(visit) -> None:
    page, host = visit("zoom", **PHONE)
    host.get_by_role("button", name="Go to nanoCT", exact=True).tap()
    field = across(host)
    x, y = middle(host, ".ct-x-zooming")
    scrolled, send = page.evaluate("scrollY"), fingers(page)
    send("touchStart", (x - 20, y), (x + 20, y))
    for gap in (30, 45, 60):
        send("touchMove", (x - gap, y), (x + gap, y))
    send("touchEnd")
    assert across(host) == pytest.approx(field / 3, rel=0.02)
    assert page.evaluate("scrollY") == scrolled, "the picture moves, and the page does not"
    before = host.locator(".ct-x-place b").text_content()
    page.touchscreen.tap(x + 30, y + 30)
    expect(host.locator(".ct-x-place b")).not_to_have_text(before)
    assert errors(host)["overview"] > 10


@pytest.mark.parametrize("name", ["zoom", "catalogue"])
@pytest.mark.parametrize("screen", [WIDE, PHONE], ids=["1280", "390"])
def test_all_of_it_is_seen_and_named(visit, name: str, screen: dict[str, Any]) -> None:
    page, host = visit(name, **screen)
    width = screen["viewport"]["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if name == "zoom":
        assert too_wide(page) == []
        parts = [host.locator(part).bounding_box() for part in (".ct-x-stage", ".ct-x-jumps", ".ct-x-place")]
        ends = [end for box in parts for end in (box["y"], box["y"] + box["height"])]
        assert max(ends) - min(ends) <= screen["viewport"]["height"] - HEADER, "on one screen"
    assert nameless(page) == []
    assert smallest_letters(page) >= SMALLEST


def entries(host: Locator) -> tuple[int, int]:
    left, all_ = re.match(r"(\d+) of (\d+) entries", host.locator(".ct-x-values").text_content()).groups()
    return int(left), int(all_)


def test_the_catalogue_filters_plots_and_opens_by_mouse(visit) -> None:
    page, host = visit("catalogue", **WIDE)
    many = entries(host)
    assert many[0] == many[1] >= 17, "the twins of all five parts"
    host.get_by_label("Filter sample").fill("lmo")
    assert entries(host) == (5, many[1])
    host.get_by_label("Least kappa").fill("0.55")
    assert entries(host) == (1, many[1])
    host.locator("tr[data-row]").first.click()
    assert host.locator(".ct-x-heading").text_content().startswith("LMO cathode")
    details = host.locator(".ct-x-details").text_content()
    assert "kappa" in details
    assert "This handbook" in details, "who"
    assert "thresholds [75, 113]" in details, "and how"
    assert host.locator(".ct-x-whole img").evaluate("i => i.complete && i.naturalWidth") > 20
    host.get_by_role("button", name="LMO cathode", exact=False).last.click()
    assert "labels" not in host.locator(".ct-x-heading").text_content(), "the image that it was made of"
    host.get_by_role("button", name="Reset").click()
    assert entries(host) == many
    head = host.get_by_role("button", name="pba", exact=True)
    for _ in range(2):
        head.click()
    assert "Pt-filled NMC" in host.locator("tr[data-row]").first.text_content(), "the highest one"
    canvas = host.locator(".ct-x-plot canvas")
    before = canvas.evaluate("c => c.toDataURL()")
    host.get_by_label("Right: what is plotted").select_option("am_size_um")
    assert canvas.evaluate("c => c.toDataURL()") != before
    canvas.scroll_into_view_if_needed()
    box, seen = canvas.bounding_box(), set()
    for share in range(12, 100, 4):
        page.mouse.move(box["x"] + share / 100 * box["width"], box["y"] + box["height"] / 2)
        seen.add(host.locator(".ct-x-heading").text_content())
    assert len(seen) > 2, "points open entries"


def test_the_catalogue_by_keyboard(visit) -> None:
    page, host = visit("catalogue", **WIDE)
    host.locator(".ct-x-entries").focus()
    row, heading = host.locator("tr[aria-selected=true]"), host.locator(".ct-x-heading")
    page.keyboard.press("Home")
    first = heading.text_content()
    page.keyboard.press("ArrowDown")
    expect(heading).not_to_have_text(first)
    page.keyboard.press("End")
    assert int(row.get_attribute("data-row")) == entries(host)[1] - 1
    host.locator(".ct-x-plot canvas").focus()
    before = heading.text_content()
    page.keyboard.press("ArrowRight")
    expect(heading).not_to_have_text(before)


def test_the_catalogue_by_touch_on_a_phone(visit) -> None:
    page, host = visit("catalogue", **PHONE)
    host.locator("tr[data-row='3']").tap()
    heading = host.locator(".ct-x-heading")
    assert heading.text_content().startswith("LMO cathode")
    assert host.locator("tr[aria-selected=true]").get_attribute("data-row") == "3"
    boxes = [host.locator(part).bounding_box() for part in (".ct-x-stage", "tr[data-row='3']")]
    ends = [end for box in boxes for end in (box["y"], box["y"] + box["height"])]
    assert max(ends) - min(ends) < 844 - HEADER, "picture and row share one screen"
    page.touchscreen.tap(*middle(host, ".ct-x-plot canvas"))
    expect(heading).not_to_have_text(re.compile("^LMO cathode"))


FOLLOW = {
    "zoom": """async () => {
        const surface = document.querySelector('.ct-x-zooming'), box = surface.getBoundingClientRect();
        const at = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 };
        const times = [], seen = new Set();
        document.querySelector('[aria-label="Go to detail"]').click();
        for (let i = 0; i < 40; i += 1) {
            await new Promise(requestAnimationFrame);
            const start = performance.now();
            surface.dispatchEvent(new WheelEvent('wheel',
                { ...at, deltaY: -60, ctrlKey: true, bubbles: true, cancelable: true }));
            await pictured();
            times.push(performance.now() - start);
            seen.add(document.querySelector('.ct-x-kappa').textContent);
        }
        return [times, seen.size]; }""",
    "catalogue": """async () => {
        const field = document.querySelector('input[aria-label="Filter sample"]');
        const times = [], seen = new Set();
        for (let i = 0; i < 40; i += 1) {
            await new Promise(requestAnimationFrame);
            const start = performance.now();
            field.value = ['', 'n', 'nm', 'lmo', 'p', 'cell'][i % 6];
            field.dispatchEvent(new Event('input'));
            await pictured();
            times.push(performance.now() - start);
            seen.add(document.querySelector('.ct-x-values').textContent);
        }
        return [times, seen.size]; }""",
}


@pytest.mark.parametrize("name", FOLLOW)
@pytest.mark.parametrize("screen", [WIDE, PHONE], ids=["1280", "390"])
def test_the_page_follows_the_hand_in_under_50_ms(visit, name: str, screen: dict[str, Any]) -> None:
    page, _ = visit(name, **screen)
    times, seen = page.evaluate(FOLLOW[name])
    logging.getLogger(__name__).info("%s, ms, median, 95 %%, longest: %s", name, quantiles_of(times))
    assert seen > 3, "the hand moved it"
    assert quantiles_of(times)[0] < SLOWEST
