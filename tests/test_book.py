"""The built book: every chapter checks the ledger, and runs on real data as on the twin."""

import json
import re
from pathlib import Path

import papermill
import pytest

import corrtomo as ct

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
SITE = BOOK / "_build" / "html"
NOTEBOOKS = sorted(p for p in BOOK.rglob("*.ipynb") if "_build" not in p.parts)


def keys_checked(path):
    """The ledger keys that a notebook's code names."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    return set(re.findall(r"[\"']([a-z-]+\.[a-z0-9_]+)[\"']", code))
