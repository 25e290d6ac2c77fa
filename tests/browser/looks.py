"""What is asked of every explorer: what it paints, how small its letters are, whether it follows the hand."""

import base64
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page

# CORRTOMO_SITE: a website built elsewhere, for instance one part of the book alone.
SITE = Path(os.environ.get("CORRTOMO_SITE") or Path(__file__).parents[2] / "book" / "_build" / "html")
HEADER = 56  # px of the book's bar, which stays at the top
SMALLEST = 13  # px of letters on a phone
SLOWEST = 50  # ms from an event to the picture
# In every page that is opened, `await pictured()` waits until the next picture is out.
PICTURED = """window.pictured = () => new Promise(done => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = done;
    channel.port2.postMessage(0); }));"""


def pixels(root: Page | Locator) -> np.ndarray:
    """Return the canvas of an explorer as it is painted, RGB."""
    address = root.locator(".ct-x-stage canvas").evaluate("c => c.toDataURL('image/png')")
    with Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def smallest_letters(page: Page) -> float:
    """Return the size of the smallest letters of an explorer that are seen, in px."""
    sizes = page.locator(".ct-x").evaluate(
        "root => [...root.querySelectorAll('*')].filter(e => [...e.childNodes].some(n => n.nodeType === 3)"
        " && e.checkVisibility() && !e.matches('.ct-x-live'))"
        ".map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    return float(min(sizes))


def too_wide(page: Page, *, but: str = ".ct-x-live") -> list[str]:
    """Return what of an explorer reaches beyond it on the right."""
    return page.locator(".ct-x").evaluate(
        "(root, but) => [...root.querySelectorAll('*')].filter(e => e.checkVisibility() && !e.closest(but)"
        " && e.getBoundingClientRect().right > root.getBoundingClientRect().right + 0.5)"
        ".map(e => e.outerHTML.slice(0, 80))",
        but,
    )


def nameless(page: Page) -> list[str]:
    """Return what of an explorer can be used and has no name."""
    return page.locator(".ct-x").evaluate(
        "root => [...root.querySelectorAll('input, button, canvas, [role]')].filter(e =>"
        " !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label')?.textContent.trim()"
        " || (e.id && root.querySelector(`label[for='${e.id}']`)))).map(e => e.outerHTML)"
    )


def assert_prints_the_picture(page: Page) -> None:
    page.emulate_media(media="print")
    assert page.locator(".ct-fallback").is_visible()
    assert not page.locator(".ct-x").is_visible()


def quantiles_of(times: Sequence[float]) -> list[float]:
    """Return the median, 95 % and the longest. Judge the median: others may hold the machine for a frame."""
    return [round(float(np.percentile(times, q)), 1) for q in (50, 95, 100)]


def fingers(page: Page) -> Callable[..., None]:
    """Return what puts fingers on a page, moves or lifts them: touchStart, touchMove or touchEnd."""
    session = page.context.new_cdp_session(page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        where = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where})

    return send
