"""The project's own files agree with each other."""

import ast
import doctest
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted(p for p in (ROOT / "book").rglob("*.ipynb") if "_build" not in p.parts)
CHECKED = "nbval-check-output"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def name_of(requirement):
    """The bare name of a requirement, as registries spell it."""
    return re.split(r"[\s=<>!~\[;@]", requirement.strip())[0].lower().replace("_", "-")


def code_cells(path):
    return [c for c in json.loads(path.read_text("utf-8"))["cells"] if c["cell_type"] == "code"]


def test_environment_yml_matches_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    *conda, pip = environment["dependencies"]
    assert pip == {"pip": ["-r requirements.lock", "-e ."]}
    assert [name_of(d) for d in conda] == ["python", "pip"]
    python = next(d for d in conda if d.startswith("python=")).removeprefix("python=")
    assert PROJECT["requires-python"].startswith(f">={python},")


def test_lock_has_every_declared_dependency():
    locked = {
        name_of(line)
        for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines()
        if line[:1].isalnum()
    }
    extras = PROJECT["optional-dependencies"]
    declared = [*PROJECT["dependencies"], *extras["book"], *extras["test"]]
    assert {name_of(d) for d in declared} <= locked


def test_each_dependency_earns_its_place():
    """CONTRIBUTING.md tells what each dependency does here, and what was considered instead."""
    table = (ROOT / "CONTRIBUTING.md").read_text("utf-8").lower()
    missing = [d for d in map(name_of, PROJECT["dependencies"]) if f"| {d}" not in table]
    assert not missing


def test_repository_address_stands_in_one_place():
    address = PROJECT["urls"]["Repository"].removeprefix("https://")
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    texts = [
        f for f in files if Path(f).suffix in {".md", ".toml", ".yml", ".py", ".cff", ".ipynb", ".js", ""}
    ]
    found = [f for f in texts if (ROOT / f).is_file() and address in (ROOT / f).read_text("utf-8")]
    assert found == ["pyproject.toml"]


def test_version_is_the_same_everywhere():
    import corrtomo

    assert corrtomo.__version__ == PROJECT["version"]
    assert f"version: {PROJECT['version']}" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_contracts_name_every_room():
    """A new room must enter the contracts: what no contract names, no contract keeps."""
    rooms = {
        p.name.removesuffix(".py")
        for p in (ROOT / "src/corrtomo").iterdir()
        if p.suffix == ".py" or (p / "__init__.py").exists()
    }
    contracts = (ROOT / "pyproject.toml").read_text("utf-8")
    assert not [r for r in rooms - {"__init__"} if f"corrtomo.{r}" not in contracts]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_keeps_outputs_of_checked_cells_only(path):
    for cell in code_cells(path):
        if CHECKED in cell["metadata"].get("tags", []):
            assert cell["outputs"], f"a checked cell lost its output (make refs): {cell['source']}"
            assert cell["execution_count"], (
                f"nbval skips a cell without a count (make refs): {cell['source']}"
            )
        else:
            assert not cell["outputs"], f"an output that nothing compares: {cell['source']}"
    assert path.stat().st_size < 200_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_cells_are_short(path):
    for cell in code_cells(path):
        source = "".join(cell["source"])
        lines = [line for line in source.splitlines() if line.strip()]
        assert len(lines) <= 12, source
        for node in ast.walk(ast.parse(source)):
            assert not isinstance(node, ast.ClassDef), "a class belongs in the package, with a test"
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 5, "a function belongs in the package, with a test"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_has_one_import_cell_and_one_of_parameters(path):
    cells = code_cells(path)
    imports = [c for c in cells if re.search(r"^\s*(import|from)\s", "".join(c["source"]), re.M)]
    parameters = [c for c in cells if "parameters" in c["metadata"].get("tags", [])]
    assert len(imports) == 1
    assert len(parameters) == (0 if path.stem == "index" else 1)


@pytest.mark.parametrize("path", sorted((ROOT / "src").rglob("*.py")), ids=lambda p: p.stem)
def test_docstring_headings_stand_on_lines_of_their_own(path):
    assert not re.search(
        r"\b(Notes|References|Returns|Raises|Examples|Parameters) -{4,}", path.read_text("utf-8")
    )


def test_errors_send_users_to_functions_that_exist():
    import corrtomo as ct

    for path in sorted((ROOT / "src").rglob("*.py")):
        for name in set(re.findall(r"\bct(?:\.[a-zA-Z_]+)+", path.read_text("utf-8"))):
            found = ct
            for part in name.split(".")[1:]:
                if isinstance(found, type) and not hasattr(found, part):
                    break
                assert hasattr(found, part), f"{path.name}: {name}"
                found = getattr(found, part)


def test_the_first_five_minutes_of_the_readme_run(monkeypatch):
    monkeypatch.chdir(ROOT)
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert result.attempted > 5
    assert result.failed == 0
