"""The built book in a real browser: every page stands alone, and its explorers move."""

from collections.abc import Callable
from pathlib import Path

import pytest
from looks import SITE
from playwright.sync_api import Page, expect

# What a key does on an explorer that has no handle: who takes it, which key, and what it changes.
MOVED = {
    "scribble": (".ct-x-surface", "Space", ".ct-x-classes output"),
    "overlay": ("[role=application]", "ArrowRight", ".ct-x-place"),
    "zoom": ("[role=application]", "ArrowRight", ".ct-x-place"),
    "catalogue": (".ct-x-entries", "ArrowDown", ".ct-x-heading"),
}
PAGES = sorted(str(page.relative_to(SITE)) for page in SITE.rglob("*.html") if "_static" not in page.parts)


@pytest.fixture(scope="module")
def home(serve: Callable[[Path], str]) -> str:
    return serve(SITE)


@pytest.mark.skipif(not PAGES, reason="no website: run `make book` first")
@pytest.mark.parametrize("path", PAGES)
def test_page_needs_no_network_and_its_explorers_move(
    path: str, home: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(home + path)
    hosts = page.locator(".ct-explorer").all()
    scripts = page.locator("script[src*='static-host']").count()
    assert scripts == (1 if hosts else 0), "the host is loaded where it is needed, and nowhere else"
    for host in hosts:
        host.scroll_into_view_if_needed()
        host.and_(page.locator("[data-mounted=ok]")).wait_for()
        if (module := host.get_attribute("data-module")) in MOVED:
            surface, key, words = MOVED[module]
            said = host.locator(words).first
            before = said.text_content()
            host.locator(surface).press(key)
            expect(said).not_to_have_text(before or "")
            continue
        handle = host.get_by_role("slider").and_(page.locator(".ct-x-handle")).first
        before = handle.get_attribute("aria-valuenow")
        handle.press("ArrowRight")
        assert int(handle.get_attribute("aria-valuenow")) == int(before) + 1
    assert page.locator("img:not([alt])").count() == 0
    assert page.locator(".ct-figure img[alt='']").count() == 0


@pytest.mark.skipif(not PAGES, reason="no website: run `make book` first")
@pytest.mark.parametrize("path", [p for p in PAGES if p not in ("genindex.html", "search.html")])
def test_page_fits_a_phone(path: str, home: str, open_page: Callable[..., Page]) -> None:
    page = open_page(home + path, viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
