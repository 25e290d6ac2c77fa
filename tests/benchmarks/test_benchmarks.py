"""The benchmarks run, and their peers agree with us (they assert it)."""

import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.__main__ import TOPICS

ROOT = Path(__file__).parents[2]


def benchmark(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def rows(text):
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line]
    return [row for row in table if row[0] not in {"step", "-" * len(row[0])}]


def ratio(row):
    return float(row[5].strip("≈ ×").replace(",", ""))


@pytest.fixture(scope="module")
def printed():
    done = benchmark("--size", "48")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_topic_prints_its_table(printed):
    topics = [line.removeprefix("## ") for line in printed.splitlines() if line.startswith("## ")]
    assert topics == [f"{topic}, 48" for topic in TOPICS]
    found = rows(printed)
    assert len(found) > 2 * len(topics)
    for row in found:
        assert row[1] in ("92³" if row[0].startswith("alignment") else "48³", "192²")
        assert ratio(row) > 0


def test_an_extrapolated_time_says_so(printed):
    kappa = [row for row in rows(printed) if "thresholds" in row[0] and row[0].startswith("κ")]
    assert len(kappa) == 2
    for row in kappa:
        assert row[4].startswith("≈")
        assert row[5].startswith("≈")


def test_one_topic_alone_and_no_unknown_one():
    alone = benchmark("surface", "--size", "32")
    assert alone.stdout.count("## ") == 1
    assert "Error on a ball" in alone.stdout
    assert "no topic speed: there are " in benchmark("speed").stderr
    assert "--size 8: 32 or more is needed" in benchmark("--size", "8").stderr
