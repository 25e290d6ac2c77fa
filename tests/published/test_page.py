"""The ledger as a table, and the test that no chapter leaves a row out."""

import re
from pathlib import Path

import pytest

import corrtomo.published as published
from corrtomo.published.ledger import ledger, rows

BINARY = "xt-fibsem/binary"
BOOK = Path(__file__).resolve().parents[2] / "book"
LEDGER = """
[p.paper]
title = "A <small> paper"
doi = "10.1/x"
[p.a]
printed = "1"
what = "a & b"
where = "Methods"
kind = "predicted"
tolerance = 0
reason = "because of rounding"
chapter = "p/written"
[p.b]
printed = "3"
what = "thrice"
where = "Results"
kind = "arithmetic"
follows = ["3 * a", "4 * a + 2"]
[p.c]
printed = "5"
what = "five"
where = "Results"
kind = "predicted"
tolerance = 0
reason = "because of rounding"
chapter = "p/planned"
[p.d]
printed = "6"
what = "six"
where = "Introduction"
kind = "not checkable"
why = "quoted from elsewhere"
[p.f]
claim = "> 0"
states = "x < y & better"
what = "gain"
where = "Results"
kind = "predicted"
tolerance = 0
reason = "better is above zero"
chapter = "p/written"
[p.e]
printed = "7"
what = "seven"
where = "Methods"
kind = "calibrated"
uses = "input: size"
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    (tmp_path / "ledger.toml").write_text(LEDGER, encoding="utf-8")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "written.ipynb").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("CORRTOMO_LEDGER", str(tmp_path / "ledger.toml"))
    monkeypatch.delenv("CORRTOMO_CHECKS", raising=False)
    return tmp_path


def verdicts(text):
    """The verdict of each row, by key."""
    body = re.findall(r"<tr role=\"row\"><th role=\"rowheader\".*?</tr>", text)
    keys = [re.search(r"<code>(.*?)</code>", r)[1] for r in body]
    return {k: re.findall(r"</span> (.*?)</span>", r) for k, r in zip(keys, body, strict=True)}


def test_before_any_chapter_ran(small):
    assert verdicts(published.as_html()) == {
        "p.a": ["not run"],
        "p.b": ["holds", "misses"],
        "p.c": ["open"],
        "p.d": ["not checkable"],
        "p.f": ["not run"],
        "p.e": ["input"],
    }


def test_after_a_chapter_ran(small, monkeypatch):
    monkeypatch.setenv("CORRTOMO_CHECKS", str(small / "checks"))
    published.check("p.a", 1.2, interval=(1, 1.4))
    published.check("p.f", -0.25)
    monkeypatch.delenv("CORRTOMO_CHECKS")
    text = published.as_html(small / "checks")
    assert verdicts(text)["p.a"] == ["agrees"]
    assert verdicts(text)["p.f"] == ["misses"]
    assert ">x &lt; y &amp; better<small>read as &gt; 0</small></td>" in text
    assert "1.2<small>95 %: 1.0 to 1.4</small>" in text
    counts = re.search(r'ct-counts">(.*?)</p>', text)[1].split(" · ")
    assert counts[:5] == ["1 agrees", "1 misses", "1 open", "1 input", "1 not checkable"]
    assert counts[5:] == ["1 arithmetic holds", "1 arithmetic misses"]
    monkeypatch.setenv("CORRTOMO_CHECKS", str(small / "checks"))
    assert published.as_html() == text


def test_words_are_escaped(small):
    text = published.as_html()
    assert "A &lt;small&gt; paper" in text
    assert "a &amp; b" in text
    assert 'href="https://doi.org/10.1/x"' in text


def test_the_whole_page(read_page):
    text = published.as_html()
    page = read_page(text)
    assert page.open == []
    assert len([t for t, _ in page.tags if t == "details"]) == len(ledger().papers)
    assert len([t for t, _ in page.tags if t == "h2"]) == len(ledger().papers)
    assert len([a for t, a in page.tags if t == "th" and a.get("scope") == "row"]) == len(rows())
    assert all(a.get("scope") for t, a in page.tags if t == "th")
    assert all(a["aria-label"] for _, a in page.tags if a.get("role") == "region")
    assert {t for t, _ in page.tags}.isdisjoint({"script", "img", "link", "style"})
    assert verdicts(text)["cycling-contact.pba_depth_step_nm"] == ["misses"]
    assert "open" not in verdicts(text)["nanoct-sims.ct_resolution_nm"]


def test_table():
    table = published.table()
    assert len(table) == len(rows())
    assert table.index.is_unique
    assert table.loc["xt-fibsem.cbd_porosity_xray", "arithmetic"] == "holds within rounding, misses"
    assert table.loc["xt-fibsem.grains_fibsem", "tolerance"] == 18
    stated = table[table.claim != ""]
    assert stated.loc["kintsugi.labels_needed", ["printed", "claim", "high"]].tolist() == ["", "< 100", 100]
    assert (stated.states != "").all()
    assert (table[table.claim == ""].printed != "").all()


def test_unchecked():
    wanted = {k for k, item in rows().items() if item.chapter == BINARY}
    assert len(wanted) == 15
    assert set(published.unchecked({BINARY: []})) == wanted
    assert published.unchecked({BINARY: wanted - {"xt-fibsem.grains_xray"}}) == ["xt-fibsem.grains_xray"]
    assert published.unchecked({BINARY: wanted, "own-data": []}) == []
    assert published.unchecked({}) == []


def test_every_chapter_named_is_written():
    """A misspelt chapter would stay open for ever."""
    named = {item.chapter for item in rows().values() if item.chapter}
    assert [chapter for chapter in sorted(named) if not (BOOK / f"{chapter}.ipynb").is_file()] == []
