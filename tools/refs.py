"""Run the book's notebooks and keep the outputs of exactly those cells that nbval compares.

``python tools/refs.py [NOTEBOOK ...]`` rewrites the notebooks in place; without names, all of the book.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

BOOK = Path(__file__).resolve().parents[1] / "book"
CHECKED = "nbval-check-output"


def notebooks() -> list[Path]:
    """List the notebooks of the book, built copies left out."""
    return sorted(p for p in BOOK.rglob("*.ipynb") if "_build" not in p.parts)


def strip(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop what a run leaves behind, but for the cells that tests compare."""
    for key in ("widgets", "language_info"):
        notebook.metadata.pop(key, None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code" and CHECKED not in cell.metadata.get("tags", []):
            cell.outputs, cell.execution_count = [], None
    return notebook


def main(names: list[str]) -> None:
    """Run and rewrite each notebook."""
    # As in the build: explorers then write a page's worth of HTML, and no widget state.
    os.environ["CORRTOMO_STATIC"] = "1"
    for path in [Path(n).resolve() for n in names] or notebooks():
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(
            notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
        ).execute()
        nbformat.write(strip(notebook), path)
        print(f"{path.relative_to(BOOK.parent)}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
