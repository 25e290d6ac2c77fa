"""A local server, a real browser, and a page that may not leave this machine."""

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from looks import PICTURED
from playwright.sync_api import Browser, Page, sync_playwright

import corrtomo.explore  # noqa: F401 - so that the explorers are known
from corrtomo.explore.explorer import HERE, Explorer, bundle

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# sphinx-thebe and sphinx-book-theme both declare it; nothing of ours depends on it.
HARMLESS = ("THEBE_JS_URL",)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Path], str]]:
    """Serve a folder on this machine and return its address."""
    servers = []

    def served(folder: Path) -> str:
        handler = functools.partial(Quiet, directory=str(folder))
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield served
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CORRTOMO_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        message = f"no browser: none of {CHROMIUM} is installed, and CORRTOMO_CHROMIUM is not set"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, serve: Callable[[Path], str]) -> tuple[Path, str]:
    """Serve a bare static site: modules and style as the book has them, pages as tests write them."""
    folder = tmp_path_factory.mktemp("site")
    for explorer in Explorer.__subclasses__():
        (folder / f"{explorer.module}.js").write_text(bundle(explorer.module), encoding="utf-8")
    for name in ("static-host.js", "explorer.css", "explorer.js"):
        shutil.copy(HERE / name, folder / name)
    return folder, serve(folder)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open an address in a context of its own; afterwards nothing left this machine and nothing raised."""
    contexts, external, errors = [], [], []

    def opened(address: str, **context: Any) -> Page:
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        home = "/".join(address.split("/")[:3]) + "/"

        def route(request: Any) -> None:
            if request.request.url.startswith((home, "data:", "blob:")):
                request.continue_()
            else:
                external.append(request.request.url)
                request.abort()

        page.route("**/*", route)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(PICTURED)
        page.goto(address, wait_until="load")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert external == []
    assert [e for e in errors if not any(word in e for word in HARMLESS)] == []


@pytest.fixture
def show(
    site: tuple[Path, str], open_page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Page]:
    """Put explorers on a static page of their own and open it."""
    folder, home = site

    def shown(*explorers: Explorer, wait: bool = True, head: str = "", **context: Any) -> Page:
        monkeypatch.setenv("CORRTOMO_STATIC", "1")
        body = "".join(explorer._repr_mimebundle_()["text/html"] for explorer in explorers)
        (folder / "page.html").write_text(
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>test</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<link rel="icon" href="data:,">'
            f'<link rel="stylesheet" href="explorer.css">{head}'
            f'<script type="module" src="static-host.js"></script></head><body>{body}</body></html>',
            encoding="utf-8",
        )
        page = open_page(f"{home}page.html", **context)
        if wait:
            for host in page.locator(".ct-explorer").all():
                host.scroll_into_view_if_needed()
                host.and_(page.locator("[data-mounted=ok]")).wait_for()
            page.evaluate("scrollTo(0, 0)")
        return page

    return shown
