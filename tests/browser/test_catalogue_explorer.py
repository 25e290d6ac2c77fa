"""The catalogue explorer in a browser, with no kernel: filters, order, plot, pictures and details."""

import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from looks import HEADER, SMALLEST, assert_prints_the_picture, smallest_letters
from playwright.sync_api import Page

import corrtomo as ct
import corrtomo.explore
from corrtomo.explore import CatalogueExplorer
from corrtomo.explore.explorer import HERE

WORDS: dict[str, Any] = {"caption": "A test", "source": "digital twin"}


def entries(many: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    columns = {
        "sample": [f"Sample {i % 7}" for i in range(many)],
        "kind": [("image", "labels")[i % 2] for i in range(many)],
        "kappa": np.where(rng.random(many) < 0.3, np.nan, rng.random(many)),
        "d50_um": rng.integers(1, 9, many).astype(float),
        "who": [None if i % 5 == 0 else "b. Other" if i % 3 else "A. Reader" for i in range(many)],
    }
    return pd.DataFrame(columns, index=[f"{i:016x}" for i in range(many)])


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> CatalogueExplorer:
    folder: Path = tmp_path_factory.mktemp("catalogue") / "c"
    facts = {"instrument": "nanoCT", "who": "A. Reader"}
    grey = ct.volume(np.arange(4 * 40 * 60).reshape(4, 40, 60).astype(np.uint16), 0.1, name="grey")
    first = ct.catalogue.add(folder, grey, sample="LCO 1", how="scanned", **facts)
    numbers = {"kappa": 0.5, "d50_um": 3.0}
    mask = ct.catalogue.add(
        folder,
        grey > 4000,
        sample="LCO 1",
        kind="mask",
        of=first,
        how="<b>cut</b>",
        measurements=numbers,
        **facts,
    )
    ct.catalogue.add_measurements(folder, mask, {"kappa": 0.75}, who="B", how="anew")
    later = {"kappa": 0.25, "d50_um": 4.0}
    ct.catalogue.add(folder, grey + 1, sample="LCO 2", how="scanned", measurements=later, **facts)
    return ct.explore.catalogue(folder, address="c", x="d50_um", y="kappa", **WORDS)


@pytest.fixture
def many() -> CatalogueExplorer:
    return ct.explore.catalogue(entries(), x="d50_um", y="kappa", **WORDS)


def count(page: Page) -> str:
    return str(page.locator(".ct-x-values").text_content())


def visible(page: Page) -> list[int]:
    """Which entries the table holds, read by scrolling through all of it."""
    return page.evaluate(
        """async () => {
        const box = document.querySelector('.ct-x-entries'), found = [];
        for (box.scrollTop = 0, last = -1; box.scrollTop !== last;) {
            await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
            for (const row of box.querySelectorAll('tr[data-row]'))
                if (!found.includes(Number(row.dataset.row))) found.push(Number(row.dataset.row));
            last = box.scrollTop;
            box.scrollTop += 200;
        }
        box.scrollTop = 0;
        return found; }""".replace("last = -1;", "globalThis.last = -1;")
    )


def expected(explorer: CatalogueExplorer) -> list[int]:
    return [explorer.ids.index(entry) for entry in explorer.selected.index]


def heading(page: Page) -> str:
    return str(page.locator(".ct-x-heading").text_content())


def test_filters_and_order_are_those_of_python(show, site, many) -> None:
    folder, _ = site
    shutil.copy(HERE / "catalogue" / "rows.js", folder / "catalogue_rows.js")
    page = show(many)
    code = """async ([columns, rows, filters, sort]) =>
        (await import('./catalogue_rows.js')).chosenRows(columns, rows, filters, sort)"""
    rng = np.random.default_rng(1)
    texts = ["", "a", "LABEL", "sample 3", "other", "zz"]
    sizes = set()
    for _ in range(60):
        filters: dict[str, Any] = {}
        for column in many.columns:
            if rng.random() < 0.4:
                low, high = sorted(rng.uniform(0, 8 if column["name"] == "d50_um" else 1, 2).tolist())
                own = (
                    {"low": low, "high": high}
                    if column["kind"] == "number"
                    else {"text": str(rng.choice(texts))}
                )
                filters[column["name"]] = own
        sort = [str(rng.choice(["", *[c["name"] for c in many.columns]])), bool(rng.random() < 0.5)]
        many.set_trait("filters", filters)
        many.set_trait("sort", sort)
        found = page.evaluate(code, [many.columns, many.rows, filters, sort])
        assert found == expected(many), (filters, sort)
        sizes.add(len(found))
    assert len(sizes) > 10


def test_typing_filters_and_clicking_sorts(show, many) -> None:
    page = show(many)
    assert visible(page) == list(range(60))
    page.get_by_label("Filter kind").fill("LAB")
    page.get_by_label("Least kappa").fill("0,3")
    many.filters = {"kind": {"text": "LAB"}, "kappa": {"low": 0.3}}
    assert count(page) == f"{len(many.selected)} of 60 entries"
    head = page.get_by_role("button", name="kappa", exact=True)
    for sort, shown in (
        (["kappa", False], "ascending"),
        (["kappa", True], "descending"),
        (["", False], "none"),
    ):
        head.click()
        many.sort = sort
        assert visible(page) == expected(many)
        assert page.locator("th", has=head).get_attribute("aria-sort") == shown
    page.get_by_label("Least kappa").fill("much")
    assert page.locator("input[data-bad]").count() == 1
    page.get_by_role("button", name="Reset").click()
    assert count(page) == "60 of 60 entries"
    assert page.get_by_label("Filter kind").input_value() == ""
    assert page.locator("input[data-bad]").count() == 0


def test_nothing_left_is_said(show, many) -> None:
    page = show(many)
    page.get_by_label("Filter sample").fill("nothing like it")
    assert count(page) == "0 of 60 entries"
    assert visible(page) == []


def test_an_entry_opens_with_all_that_is_known(show, stored) -> None:
    page = show(stored)
    page.locator("tr[data-row='1']").click()
    page.mouse.move(1, 1)
    assert heading(page) == "LCO 1 · grey mask"
    rows = page.locator(".ct-x-history tbody tr").all_text_contents()
    assert [r for r in rows if r.startswith("kappa0.5A. Reader<b>cut</b>")], "text stays text"
    assert [r for r in rows if r.startswith("kappa0.75Banew")]
    assert page.locator(".ct-x-details a").get_attribute("href") == f"c/images/{stored.ids[1]}.ome.zarr"
    assert page.locator(".ct-x-whole img").get_attribute("src") == stored.about[1]["src"]
    assert page.locator(".ct-x-scale").text_content() == "2 µm"
    bar, picture = (page.locator(s).bounding_box() for s in (".ct-x-scale", ".ct-x-whole img"))
    assert bar["width"] / picture["width"] == pytest.approx(2 / 6, abs=0.01)
    assert picture["width"] / picture["height"] == pytest.approx(1.5, abs=0.02)
    page.get_by_role("button", name="LCO 1 · grey image").click()
    assert heading(page) == "LCO 1 · grey image"


def test_the_hand_on_a_row_or_a_point_shows_the_entry(show, stored) -> None:
    page = show(stored)
    page.locator("tr[data-row='2']").hover()
    assert heading(page) == "LCO 2 · grey image"
    page.mouse.move(1, 1)
    assert heading(page) == "LCO 1 · grey image", "the chosen one comes back"
    page.locator(".ct-x-plot canvas").scroll_into_view_if_needed()
    box = page.locator(".ct-x-plot canvas").bounding_box()
    places = {}
    for across in range(50, int(box["width"]), 16):
        for down in range(4, int(box["height"]), 16):
            page.mouse.move(box["x"] + across, box["y"] + down)
            places.setdefault(heading(page), (across, down))
    assert set(places) == {"LCO 1 · grey image", "LCO 1 · grey mask", "LCO 2 · grey image"}
    across, down = places["LCO 2 · grey image"]
    assert across > places["LCO 1 · grey mask"][0], "d50 4 µm lies to the right of 3 µm"
    page.mouse.click(box["x"] + across, box["y"] + down)
    page.mouse.move(1, 1)
    assert heading(page) == "LCO 2 · grey image"
    assert page.locator("tr[aria-selected=true]").get_attribute("data-row") == "2"


def test_keys_move_through_table_and_plot(show, many) -> None:
    page = show(many)
    box = page.locator(".ct-x-entries")
    box.focus()
    row = page.locator("tr[aria-selected=true]")
    for key, place in (("ArrowDown", 1), ("PageDown", 9), ("End", 59), ("ArrowUp", 58), ("Home", 0)):
        page.keyboard.press(key)
        assert row.get_attribute("data-row") == str(place), key
        inner, outer = row.bounding_box(), box.bounding_box()
        assert outer["y"] + 70 <= inner["y"], "not under the head"
        assert inner["y"] + inner["height"] <= outer["y"] + outer["height"] + 1
    page.locator(".ct-x-plot canvas").focus()
    page.keyboard.press("ArrowRight")
    assert many.table["kappa"].notna().iloc[int(row.get_attribute("data-row"))]


def test_the_lists_choose_what_is_plotted(show, many) -> None:
    page = show(many)
    picture = "c => c.toDataURL()"
    canvas = page.locator(".ct-x-plot canvas")
    before = canvas.evaluate(picture)
    page.get_by_label("Right: what is plotted").select_option("kappa")
    assert canvas.evaluate(picture) != before
    assert page.locator(".ct-x-axis").text_content() == "↑ kappakappa →"
    page.get_by_label("Colour: what is plotted").select_option("kind")
    assert page.locator(".ct-x-panel .ct-x-legend span").all_text_contents() == ["image", "labels"]
    page.get_by_role("button", name="Reset").click()
    assert canvas.evaluate(picture) == before


def test_touch(show, stored) -> None:
    page = show(stored, viewport={"width": 390, "height": 844}, has_touch=True)
    page.locator("tr[data-row='2']").tap()
    assert heading(page) == "LCO 2 · grey image"
    boxes = [page.locator(part).bounding_box() for part in (".ct-x-stage", ".ct-x-plot", "tr[data-row='2']")]
    for other in boxes[1:]:
        ends = [end for box in (boxes[0], other) for end in (box["y"], box["y"] + box["height"])]
        assert max(ends) - min(ends) < 844 - HEADER, "picture and hand share one screen"
    page.locator(".ct-x-plot canvas").scroll_into_view_if_needed()
    points = page.locator(".ct-x-plot canvas").bounding_box()
    page.touchscreen.tap(points["x"] + 60, points["y"] + 20)
    assert heading(page) == "LCO 1 · grey mask"


@pytest.mark.parametrize("width", [320, 390, 700, 1280])
def test_nothing_leaves_its_frame(show, stored, width: int) -> None:
    page = show(stored, viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    root = page.locator(".ct-x").bounding_box()
    for part in (".ct-x-stage", ".ct-x-whole", ".ct-x-plot", ".ct-x-entries", ".ct-x-details", ".ct-x-reset"):
        box = page.locator(part).bounding_box()
        assert box["x"] >= root["x"] - 1, part
        assert box["x"] + box["width"] <= root["x"] + root["width"] + 1, part
    assert smallest_letters(page) >= SMALLEST


def test_print_shows_the_picture(show, stored) -> None:
    page = show(stored)
    assert_prints_the_picture(page)


def test_a_thousand_entries_follow_the_hand_in_under_50_ms(show) -> None:
    """From an event to the next frame: typing into a filter, sorting, scrolling and hovering."""
    page = show(ct.explore.catalogue(entries(1000), **WORDS))
    times = page.evaluate("""async () => {
        const root = document.querySelector('.ct-x'), box = root.querySelector('.ct-x-entries');
        const field = root.querySelector('input[aria-label="Filter sample"]');
        const heads = root.querySelectorAll('.ct-x-sort'), canvas = root.querySelector('.ct-x-plot canvas');
        const frame = {}, seen = new Set(), texts = ['', 's', 'sample 1', '2', 'x'];
        const said = () => root.querySelector('.ct-x-panel').textContent;
        const type = i => { field.value = texts[i % 5]; field.dispatchEvent(new Event('input')); };
        const hover = i => {
            const at = canvas.getBoundingClientRect();
            const place = { clientX: at.left + 60 + 17 * i, clientY: at.top + 20 + 9 * i };
            canvas.dispatchEvent(new PointerEvent('pointermove', { pointerType: 'mouse', ...place })); };
        const scroll = i => { box.scrollTop = 900 * i; };
        const acts = { type, sort: i => heads[i % heads.length].click(), scroll, hover };
        for (const [name, act] of Object.entries(acts)) {
            frame[name] = [];
            for (let i = 0; i < 20; i += 1) {
                await new Promise(requestAnimationFrame);
                const start = performance.now();
                act(i);
                await pictured();
                frame[name].push(performance.now() - start);
                seen.add(said());
            }
            if (name === 'type') { field.value = ''; field.dispatchEvent(new Event('input')); }
        }
        return [frame, seen.size]; }""")
    assert times[1] > 8, "something happened"
    medians = {name: round(float(np.median(frames)), 1) for name, frames in times[0].items()}
    logging.getLogger(__name__).info("ms, medians: %s", medians)
    # The median: other processes may hold the machine for a frame.
    assert max(medians.values()) < 50, medians
