"""Nothing is lost and nothing half is seen: several writers at once, killed writers, damaged files."""

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from corrtomo import catalogue

from .catalogued import FACTS, drawn

TESTS = Path(__file__).parents[1]


Run = Callable[..., tuple[list[str], list[str]]]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Let processes write; return the ids that they were given, and what else they noted."""
    call = [sys.executable, "-m", "catalogue.writers"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(call, cwd=TESTS, **pipes) as writers:

        def ran(doing: str, folder: Path, *numbers: int) -> tuple[list[str], list[str]]:
            log = folder.with_name("log")
            log.touch()
            writers.stdin.write(json.dumps([doing, str(folder), str(log), *numbers]) + "\n")
            writers.stdin.flush()
            assert writers.stdout.readline() == "\n", "the writers are gone: see what they said"
            lines = log.read_text().splitlines()
            return [line for line in lines if ":" not in line], [line for line in lines if ":" in line]

        yield ran
    assert writers.returncode == 0


def problems(folder: Path) -> dict[str, int]:
    return catalogue.check(folder)["problem"].value_counts().to_dict()


def test_four_processes_add_ten_each_at_once(run, tmp_path) -> None:
    folder = tmp_path / "c"
    added, refused = run("add", folder, 10, 10)
    table = catalogue.table(folder)
    assert sorted(table.index) == sorted(added)
    assert (len(set(added)), refused) == (40, [])
    assert sorted(table["seed"]) == list(range(40))
    assert (table["twice"] == 2 * table["seed"]).all()
    assert catalogue.check(folder).empty


def test_four_processes_add_the_same_and_one_wins(run, tmp_path) -> None:
    folder = tmp_path / "c"
    added, refused = run("add", folder, 3, 0)
    assert (len(set(added)), len(added), len(refused)) == (3, 3, 9)
    assert all(f"is in the catalogue {folder} already, as " in words for words in refused)
    assert sorted(catalogue.table(folder).index) == sorted(added)
    assert catalogue.check(folder).empty


def check_whole(folder: Path, returned: list[str]) -> list[str]:
    """Every entry that was returned is there, and every entry that is there is whole; return the ids."""
    table = catalogue.table(folder)
    assert set(returned) <= set(table.index)
    assert set(problems(folder)) <= {"unfinished", "no entry"}, "no entry is gone, changed or broken"
    for entry in table.index:
        assert catalogue.open(folder, entry, check_hash=False).compute().shape == (3, 12, 13)
    return list(table.index)


def test_writers_killed_at_random_lose_nothing(run, tmp_path) -> None:
    folder, trials = tmp_path / "c", 8
    catalogue.add(folder, drawn(10**6), **FACTS)
    returned, _ = run("random", folder, trials)
    found = check_whole(folder, returned)
    assert len(found) - 1 - len(returned) <= trials, "at most one a writer was not told"
    assert sum(problems(folder).values()) <= 2 * trials


def test_a_writer_killed_at_each_step_loses_nothing_and_its_rubbish_is_named(run, tmp_path) -> None:
    folder = tmp_path / "c"
    returned, noted = run("each", folder)
    steps = int(noted[0].removeprefix("steps: "))
    assert steps > 20
    found = check_whole(folder, returned)
    assert len(returned) == 1
    left = catalogue.check(folder)
    assert (left["problem"] == "unfinished").sum() > 10
    without = left[left["problem"] == "no entry"]["entry"].tolist()
    assert without, "killed between the image and its entry"
    entries = folder / "entries"
    for seed in reversed(range(steps)):  # the last ones; to add them again completes them
        if not set(without) - {path.stem for path in entries.glob("*.parquet")}:
            break
        with contextlib.suppress(FileExistsError):
            found.append(catalogue.add(folder, drawn(seed), **FACTS))
    assert set(without) <= set(found)
    assert check_whole(folder, found)
    assert set(problems(folder)) == {"unfinished"}
    assert set(catalogue.check(folder)["path"]) == set(left[left["problem"] == "unfinished"]["path"])


def only(folder: Path) -> tuple[str, str, str, str]:
    found = catalogue.check(folder)
    assert len(found) == 1, found.to_string()
    return tuple(found.iloc[0])


def image(filled, entry: str) -> Path:
    return filled.folder / "images" / f"{entry}.ome.zarr"


def chunk(filled, entry: str) -> Path:
    return image(filled, entry) / "0" / "c" / "0" / "0" / "0"


def test_a_changed_chunk_is_found_by_its_hash(filled) -> None:
    path = chunk(filled, filled.first)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    entry, problem, where, what = only(filled.folder)
    assert (entry, problem, where) == (filled.first, "changed", f"images/{filled.first}.ome.zarr")
    assert what.endswith("has changed: 1 of 3 files changed (0/c/0/0/0)")
    with pytest.raises(ValueError, match=r"1 of 3 files changed.*check_hash=False"):
        catalogue.open(filled.folder, filled.first)
    assert catalogue.open(filled.folder, filled.first, check_hash=False).shape == filled.image.shape
    assert path.read_bytes() == data
    assert len(catalogue.table(filled.folder)) == 3


def test_a_missing_chunk_is_named(filled) -> None:
    chunk(filled, filled.moved).unlink()
    assert only(filled.folder)[1:] == (
        "changed",
        f"images/{filled.moved}.ome.zarr",
        f"its image {filled.moved}.ome.zarr has changed: 1 of 3 files missing (0/c/0/0/0)",
    )
    with pytest.raises(ValueError, match="1 of 3 files missing"):
        catalogue.open(filled.folder, filled.moved)


def test_a_new_file_in_an_image_is_named(filled) -> None:
    (image(filled, filled.first) / "notes.txt").write_text("mine")
    assert "1 of 3 files new (notes.txt)" in only(filled.folder)[3]


def test_an_image_that_is_gone_is_named(filled) -> None:
    shutil.rmtree(image(filled, filled.labels))
    assert only(filled.folder)[:2] == (filled.labels, "gone")
    with pytest.raises(FileNotFoundError, match="is gone.*Restore it from a copy"):
        catalogue.open(filled.folder, filled.labels)
    assert len(catalogue.table(filled.folder)) == 3, "the entry stays"


def test_a_parquet_file_that_is_gone_is_named(filled) -> None:
    (filled.folder / "entries" / f"{filled.first}.parquet").unlink()
    found = catalogue.check(filled.folder)
    assert sorted(found["problem"]) == ["dangling", "dangling", "no entry"]
    assert found.set_index("problem").loc["no entry", "entry"] == filled.first
    words = found[found["problem"] == "dangling"].set_index("entry")["what"]
    assert words[filled.labels] == f"derived_from is {filled.first}, which is not in the catalogue"
    assert words[filled.moved].startswith("aligned_onto is")
    assert list(catalogue.table(filled.folder).index) == [filled.labels, filled.moved]
    assert catalogue.add(filled.folder, filled.image, **FACTS) == filled.first


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "other", "swapped"])
def test_a_broken_parquet_file_hides_no_other(damage, filled) -> None:
    path = filled.folder / "entries" / f"{filled.labels}.parquet"
    whole = path.read_bytes()
    other = filled.folder / "entries" / f"{filled.first}.parquet"
    catalogue.add_measurements(filled.folder, filled.first, {"x": 1.0}, who="A", how="B")
    (numbers,) = (filled.folder / "measurements").iterdir()
    path.write_bytes(
        {
            "cut": whole[:-200],
            "empty": b"",
            "text": b"a diary " * 99,
            "other": numbers.read_bytes(),
            "swapped": other.read_bytes(),
        }[damage]
    )
    with pytest.warns(UserWarning, match=rf"Left out 1 files .*entries/{filled.labels}\.parquet \(.+\)"):
        table = catalogue.table(filled.folder)
    assert list(table.index) == [filled.first, filled.moved]
    assert table.loc[filled.first, "x"] == 1.0
    assert only(filled.folder)[:3] == (filled.labels, "broken", f"entries/{filled.labels}.parquet")
    with pytest.raises(ValueError, match=r"Cannot read the entry .* is damaged"):
        catalogue.open(filled.folder, filled.labels)


def test_broken_measurements_hide_no_others(filled) -> None:
    catalogue.add_measurements(filled.folder, filled.first, {"x": 1.0}, who="A", how="B")
    (numbers,) = (filled.folder / "measurements").iterdir()
    catalogue.add_measurements(filled.folder, filled.first, {"y": 2.0}, who="A", how="B")
    numbers.write_bytes(b"")
    with pytest.warns(UserWarning, match=f"measurements/{numbers.name}"):
        table = catalogue.table(filled.folder)
    assert table.loc[filled.first, "y"] == 2.0
    assert only(filled.folder)[1:3] == ("broken", f"measurements/{numbers.name}")


def test_files_of_others_are_named_and_not_read(filled) -> None:
    copy = filled.folder / "entries" / f"{filled.first} (copy).parquet"
    shutil.copy(filled.folder / "entries" / f"{filled.first}.parquet", copy)
    (filled.folder / "images" / "notes").mkdir()
    (filled.folder / "readme.txt").write_text("mine")
    assert len(catalogue.table(filled.folder)) == 3
    found = catalogue.check(filled.folder)
    assert set(found["problem"]) == {"foreign"}
    assert sorted(found["path"]) == ["entries/" + copy.name, "images/notes", "readme.txt"]


def test_what_a_killed_writer_left_is_not_believed_when_it_is_changed(filled) -> None:
    (filled.folder / "entries" / f"{filled.moved}.parquet").unlink()
    chunk(filled, filled.moved).write_bytes(b"other")
    with pytest.raises(FileExistsError, match=r"a killed writer has left its image.*1 of 3 files changed"):
        catalogue.add(filled.folder, drawn(1), **FACTS)
    assert chunk(filled, filled.moved).read_bytes() == b"other"
    assert problems(filled.folder) == {"no entry": 1}
