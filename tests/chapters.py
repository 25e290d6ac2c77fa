"""Running a chapter with parameters of a reader."""

import json

import papermill


def run(chapter, folder, **parameters):
    """Run a chapter with other parameters and return what its cells printed and showed, as text."""
    out = folder / "out.ipynb"
    papermill.execute_notebook(
        chapter, out, parameters=parameters, cwd=str(chapter.parent), progress_bar=False, log_output=False
    )
    cells = json.loads(out.read_text("utf-8"))["cells"]
    outputs = [o for c in cells if c["cell_type"] == "code" for o in c["outputs"]]
    return "\n".join("".join(o.get("text", o.get("data", {}).get("text/plain", ""))) for o in outputs)
