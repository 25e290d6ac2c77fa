"""All glue between the package and the book, in one Sphinx extension.

- Explorers come as static HTML (``CORRTOMO_STATIC`` tells the kernels), with their modules beside the page.
- 3D views come with one copy of plotly.js, taken from the installed plotly, on pages that have one.
- Formulas are set by a local copy of MathJax: the site needs no network.
- Two chapters run at a time.
- Chapters leave what they checked against the papers in a folder (``CORRTOMO_CHECKS``), and the directive
  ``published-ledger`` shows it, after all chapters have run.
"""

from __future__ import annotations

import os
import shutil
from importlib.metadata import distribution, metadata
from pathlib import Path
from typing import Any

import plotly
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from corrtomo.explore import Explorer
from corrtomo.explore.explorer import HERE as EXPLORERS
from corrtomo.explore.explorer import bundle

ASSETS = Path(__file__).parents[1] / "_assets"
MATHJAX = "tex-svg.js"
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


class ledger(nodes.General, nodes.Element):  # noqa: N801 - docutils names its nodes like this
    """Where the ledger will stand once all chapters have run."""


class PublishedLedger(SphinxDirective):
    """``{published-ledger}``: every published number beside ours, as the chapters of this build found it."""

    def run(self) -> list[nodes.Node]:
        """Leave a place for the ledger."""
        return [ledger()]


def collect_assets(app: Sphinx, config: Config) -> None:
    """Put the modules of the explorers, the styles and MathJax where Sphinx takes static files from."""
    static = Path(app.outdir).parent / "corrtomo-static"
    shutil.rmtree(static, ignore_errors=True)
    (static / "corrtomo").mkdir(parents=True)
    for explorer in Explorer.__subclasses__():
        (static / "corrtomo" / f"{explorer.module}.js").write_text(
            bundle(explorer.module), encoding="utf-8"
        )
    for name in ("static-host.js", "explorer.css"):
        shutil.copy(EXPLORERS / name, static / "corrtomo" / name)
    shutil.copytree(ASSETS, static / "corrtomo", dirs_exist_ok=True)
    shutil.copy(PLOTLY, static / "corrtomo" / PLOTLY.name)
    shutil.copy(_mathjax(), static / MATHJAX)
    config.html_static_path.append(str(static))
    config.mathjax_path = MATHJAX
    config.nb_ipywidgets_js = {}
    config.nb_mime_priority_overrides = [
        ("html", "text/html", 0),
        *config.nb_mime_priority_overrides,
    ]


def link_repository(_app: Sphinx, config: Config) -> None:
    """Point the buttons at the repository; its address stands in the package's metadata and nowhere else."""
    addresses = dict(
        entry.split(", ", 1)
        for entry in metadata("corrtomo").get_all("Project-URL") or []
    )
    config.html_theme_options |= {
        "repository_url": addresses["Repository"],
        "repository_branch": "main",
        "path_to_docs": "book",
        "use_issues_button": True,
        "use_repository_button": True,
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "notebook_interface": "jupyterlab",
        },
    }


def read_two_at_a_time(app: Sphinx, _env: BuildEnvironment, _names: list[str]) -> None:
    """Let Sphinx read, and so run, two chapters at a time: jupyter-book has no option for it.

    Two extensions that jupyter-book loads work before and after reading, and only forget to say so.
    """
    app.parallel = min(2, os.cpu_count() or 1)
    for name in ("sphinx_multitoc_numbering", "sphinx_jupyterbook_latex"):
        app.extensions[name].parallel_read_safe = True


def empty_checks(app: Sphinx) -> None:
    """Forget what an earlier build checked: a number of a chapter that is gone must not stay."""
    shutil.rmtree(_checks(app), ignore_errors=True)
    _checks(app).mkdir(parents=True)


def fill_ledger(app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Show the ledger: pages are written when all of them have been read, and so all notebooks have run."""
    for place in doctree.findall(ledger):
        from corrtomo import published

        place.replace_self(
            nodes.raw("", published.as_html(_checks(app)), format="html")
        )


def load_host(
    app: Sphinx,
    _page: str,
    _template: str,
    context: dict[str, Any],
    _doctree: nodes.document,
) -> None:
    """Load the hosts of explorers and of 3D views on pages that have one, and on no other."""
    body = context.get("body", "")
    if 'class="ct-explorer"' in body:
        app.add_js_file("corrtomo/static-host.js", type="module")
        app.add_css_file("corrtomo/explorer.css")
    if 'class="ct-figure ct-view3d"' in body:
        app.add_js_file("corrtomo/view-3d.js", type="module")
        app.add_css_file("corrtomo/view-3d.css")


def _checks(app: Sphinx) -> Path:
    return Path(app.outdir).parent / "corrtomo-checks"


def _mathjax() -> Path:
    """Find MathJax in one file, with its fonts as SVG, in the package that carries it."""
    package = distribution("sphinx-mathjax-offline")
    found = [file for file in package.files or [] if file.name == MATHJAX]
    if len(found) != 1:
        raise FileNotFoundError(
            f"Cannot set formulas: {len(found)} files {MATHJAX} in {package.name} {package.version}. "
            "One is needed. Install the version in requirements.lock."
        )
    return Path(str(package.locate_file(found[0])))


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the extension; kernels started for the build inherit the two variables."""
    os.environ["CORRTOMO_STATIC"] = "1"
    os.environ["CORRTOMO_CHECKS"] = str(_checks(app))
    app.add_node(ledger)
    app.add_directive("published-ledger", PublishedLedger)
    app.connect("config-inited", collect_assets, priority=100)
    app.connect("config-inited", link_repository)
    app.connect("builder-inited", empty_checks)
    app.connect("env-before-read-docs", read_two_at_a_time)
    app.connect("doctree-resolved", fill_ledger)
    app.connect("html-page-context", load_host)
    app.add_css_file("corrtomo/book.css")
    return {
        "version": "1",
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
