"""Ours beside theirs: verdicts, refusals, what is shown and what is kept."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import corrtomo.published as published
from corrtomo.published.compare import read_checks

KAPPA = "xt-fibsem.kappa_binary"


@pytest.mark.parametrize(
    ("key", "value", "verdict"),
    [
        (KAPPA, 0.79, "agrees"),
        (KAPPA, 0.842, "agrees"),  # 0.79 + 0.005 of rounding + 0.047
        (KAPPA, 0.843, "misses"),
        (KAPPA, 0.737, "misses"),
        ("xt-fibsem.threshold_best_binary", 116, "agrees"),
        ("xt-fibsem.threshold_best_binary", 117, "misses"),
        ("xt-fibsem.grains_xray", 25, "agrees"),
        ("xt-fibsem.grains_xray", 26, "misses"),
        ("xt-fibsem.voxel_xray_nm", 438, "agrees"),
        ("xt-fibsem.voxel_xray_nm", 439, "misses"),
        ("xt-fibsem.pore_range_small_um", 0.9, "agrees"),
        ("xt-fibsem.pore_range_small_um", 2.2, "misses"),
        ("cycling-contact.segmentation_error_percent", 1.9, "agrees"),
        ("cycling-contact.segmentation_error_percent", 2.1, "misses"),
        ("nanoct-sims.ct_resolution_nm", 247, "agrees"),
        ("nanoct-sims.ct_resolution_nm", 248, "misses"),
        ("cell-to-particle.voxel_smallest_nm", 600, "agrees"),
        ("cell-to-particle.voxel_smallest_nm", 400, "misses"),
    ],
)
def test_verdict(key, value, verdict):
    assert published.check(key, value).verdict == verdict


def test_a_wide_interval_does_not_hide_a_miss():
    assert published.check(KAPPA, 0.6, interval=(0.1, 0.99)).verdict == "misses"


def test_what_it_says():
    made = published.check(KAPPA, 0.78346, interval=(0.75, 0.8123))
    assert repr(made) == (
        "xt-fibsem.kappa_binary: published 0.79, ours 0.783 [0.750 to 0.812], agrees (calibrated)"
    )
    assert (made.published, made.ours, made.interval) == ("0.79", 0.78346, (0.75, 0.8123))
    assert made.row.where.startswith("Results")
    assert repr(published.check("cycling-contact.pba_nmc_local_min", -1e-9)).count("ours 0.00,") == 1
    with pytest.raises(AttributeError):
        made.ours = 0.79


def test_what_it_says_of_a_statement(read_page):
    made = published.check("kintsugi.two_channels_gain", 0.0312, interval=(0.011, 0.05))
    assert repr(made) == (
        "kintsugi.two_channels_gain: stated: an even better segmentation is possible with the image of the "
        "through-lens detector as well, read as > 0, ours 0.031 [0.011 to 0.050], agrees (predicted)"
    )
    assert published.check("kintsugi.two_channels_gain", 0.0).verdict == "misses"
    assert published.check("kintsugi.cracks_empty", 3).ours_text == "3"
    said = read_page(made._repr_html_()).words
    assert (
        "an even better segmentation is possible with the image of the through-lens detector as well" in said
    )
    assert "read as > 0" in said
    assert "0.031" in said


@pytest.mark.parametrize("value", [np.float32(0.5), np.int64(1), np.array(0.5), xr.DataArray(0.5)])
def test_scalars_of_the_libraries_are_numbers(value):
    assert isinstance(published.check(KAPPA, value).ours, float)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_refuses_what_is_not_finite(value):
    with pytest.raises(ValueError, match=f"Cannot check '{KAPPA}' with .* it is not finite"):
        published.check(KAPPA, value)
    with pytest.raises(ValueError, match="it is not finite"):
        published.check(KAPPA, 0.79, interval=(0.7, value))


@pytest.mark.parametrize("value", ["0.79", None, True, np.bool_(True), np.zeros(3), 1j])
def test_refuses_what_is_not_a_number(value):
    with pytest.raises(TypeError, match="a number is needed, in no unit. Reduce an array first"):
        published.check(KAPPA, value)


@pytest.mark.parametrize("interval", [(0.8, 0.7), (0.7,), (0.6, 0.7, 0.8)])
def test_refuses_an_interval_that_is_none(interval):
    with pytest.raises(ValueError, match="two numbers are needed, the lower first"):
        published.check(KAPPA, 0.79, interval=interval)


def test_refuses_rows_that_no_run_can_check():
    with pytest.raises(ValueError, match=r"it is arithmetic.*ct\.published\.arithmetic\(\)"):
        published.check("xt-fibsem.am_excess_percent", 7.6)
    with pytest.raises(ValueError, match="it is not checkable. Quoted from other work"):
        published.check("xt-fibsem.fib_resolution_nm", 10)
    with pytest.raises(KeyError, match="Nearest: xt-fibsem.kappa_binary"):
        published.check("xt-fibsem.kappa_binry", 0.79)


def test_html_is_a_table_with_heads_and_words(read_page):
    both = published.checks({KAPPA: 0.8, "xt-fibsem.grains_xray": 40}, intervals={KAPPA: (0.78, 0.82)})
    text = both._repr_html_()
    page = read_page(text)
    assert page.open == []
    assert [a["scope"] for t, a in page.tags if t == "th"] == ["col"] * 4 + ["row"] * 2
    assert ("caption", {}) in page.tags
    said = " ".join(page.words)
    assert "0.800" in said
    assert "0.780 to 0.820" in said
    assert [w.strip() for w in page.words if w.strip() in ("agrees", "misses")] == ["agrees", "misses"]
    assert "<script" not in text
    assert "src=" not in text
    assert repr(both).splitlines() == [repr(each) for each in both.checks]
    assert "0.800" in published.check(KAPPA, 0.8)._repr_html_()


def test_checks_refuses_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setenv("CORRTOMO_CHECKS", str(tmp_path))
    with pytest.raises(ValueError, match="intervals for xt-fibsem.grains_xray besides"):
        published.checks({KAPPA: 0.8}, intervals={"xt-fibsem.grains_xray": (1, 2)})
    with pytest.raises(ValueError, match="Cannot compare 0 numbers"):
        published.checks({})
    with pytest.raises(ValueError, match="it is not finite"):
        published.checks({KAPPA: 0.8, "xt-fibsem.grains_xray": math.nan})
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_kept_without_the_variable(tmp_path, monkeypatch):
    monkeypatch.delenv("CORRTOMO_CHECKS", raising=False)
    monkeypatch.chdir(tmp_path)
    published.check(KAPPA, 0.79)
    assert list(tmp_path.iterdir()) == []


def test_the_latest_check_is_kept(tmp_path, monkeypatch):
    folder = tmp_path / "new" / "checks"
    monkeypatch.setenv("CORRTOMO_CHECKS", str(folder))
    published.check(KAPPA, 0.5)
    published.check("xt-fibsem.grains_xray", 20, interval=(12, 30))
    published.check(KAPPA, 0.8)
    found = read_checks(folder)
    assert {key: made.verdict for key, made in found.items()} == {
        KAPPA: "agrees",
        "xt-fibsem.grains_xray": "agrees",
    }
    assert found["xt-fibsem.grains_xray"].interval == (12, 30)
    (file,) = folder.iterdir()
    assert json.loads(file.read_text(encoding="utf-8").splitlines()[0])["verdict"] == "misses"


def test_chapters_side_by_side_do_not_meet(tmp_path, monkeypatch):
    monkeypatch.setenv("CORRTOMO_CHECKS", str(tmp_path))
    code = "import corrtomo.published as p; p.check('xt-fibsem.grains_xray', 20)"
    subprocess.run([sys.executable, "-c", code], check=True)
    published.check(KAPPA, 0.8)
    assert len(list(tmp_path.iterdir())) == 2
    assert set(read_checks(tmp_path)) == {KAPPA, "xt-fibsem.grains_xray"}


def test_near_a_bound_the_digits_show_the_side():
    """0.004 agrees with "> 0", and 0.0 would not: what is shown must not say the opposite of the verdict."""
    claims = [r for r in published.rows().values() if r.claim and r.kind == "predicted"]
    assert claims
    for row in claims:
        for beyond in (1e-5, -1e-5):
            made = published.check(row.key, row.value + beyond)
            shown = float(made.ours_text)
            assert row.agrees(shown) == (made.verdict == "agrees")
        assert len(published.check(row.key, row.value + 1).ours_text) < 8  # far off, no more than usual
