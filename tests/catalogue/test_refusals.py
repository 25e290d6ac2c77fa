"""What a catalogue refuses, and that a refused image leaves nothing behind."""

import datetime
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corrtomo import catalogue
from corrtomo.catalogue import adding, questions
from corrtomo.volume import volume

from .catalogued import FACTS, drawn, shift


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"sample": ""}, TypeError, r"with sample='': whoever finds it later must know"),
        ({"who": None}, TypeError, r"with who=None"),
        ({"how": 5}, TypeError, r"with how=5"),
        ({"licence": " "}, TypeError, r"with licence=' '"),
        ({"instrument": "x" * 5000}, ValueError, r"instrument of 5000 characters"),
        ({"source": "real"}, ValueError, r"source 'real'.*'measured', 'digital twin', 'schematic'"),
        ({"kind": "My Image"}, ValueError, r"kind 'My Image': one word in lower case"),
        ({"kind": 3}, ValueError, r"kind 3"),
        ({"of": "0" * 16}, KeyError, r"has no entry '0000000000000000', but 3 others, for instance"),
        ({"of": 5}, KeyError, r"has no entry 5"),
        ({"alignment": shift()}, ValueError, r"with alignment, but without onto"),
        ({"onto": "0" * 16}, ValueError, r"with onto, but without alignment"),
        ({"alignment": np.eye(4), "onto": "0" * 16}, TypeError, r"a ndarray as its alignment"),
        ({"alignment": shift(np.nan), "onto": "0" * 16}, ValueError, r"NaN or infinity"),
        ({"measurements": [("kappa", 1)]}, TypeError, r"from a list: numbers by name"),
        ({"measurements": {"Kappa": 1}}, ValueError, r"'Kappa': it is no name.*Lower-case"),
        ({"measurements": {"x; DROP": 1}}, ValueError, r"it is no name"),
        ({"measurements": {5: 1}}, ValueError, r"measurement 5: it is no name"),
        ({"measurements": {"sample": 1}}, ValueError, r"'sample': the table has a column of its own"),
        ({"measurements": {"kappa": "0.9"}}, TypeError, r"'kappa' of '0.9': a number is needed"),
        ({"measurements": {"kappa": True}}, TypeError, r"'kappa' of True"),
        ({"measurements": {"kappa": float("nan")}}, ValueError, r"'kappa' of nan: it must be finite"),
        ({"measurements": {"kappa": 10**400}}, ValueError, r"it must be finite"),
    ],
)
def test_facts(given, error, words, filled) -> None:
    before = contents(filled.folder)
    with pytest.raises(error, match=words):
        catalogue.add(filled.folder, drawn(7), **FACTS | given)
    assert contents(filled.folder) == before


@pytest.mark.parametrize(
    ("image", "error", "words"),
    [
        (None, TypeError, "Cannot use a NoneType: its voxel size is not known"),
        ("image.tif", TypeError, "Cannot use a str"),
        (np.zeros((2, 2)), TypeError, "Cannot use a ndarray"),
        (drawn().isel(x=slice(0, 0)), ValueError, "it holds no voxel"),
        (drawn().transpose("x", "y", "z"), ValueError, "in this order"),
    ],
)
def test_what_is_no_image(image, error, words, tmp_path) -> None:
    with pytest.raises(error, match=words):
        catalogue.add(tmp_path / "c", image, **FACTS)
    assert not list(tmp_path.iterdir())


def test_an_image_that_cannot_be_written_leaves_no_rubbish(filled) -> None:
    before = contents(filled.folder)
    with pytest.raises(TypeError, match="a file keeps what JSON can hold"):
        catalogue.add(filled.folder, drawn(8).assign_attrs(secret=object()), **FACTS)
    assert contents(filled.folder) == before
    assert catalogue.check(filled.folder).empty


def test_an_alignment_of_other_axes(filled) -> None:
    flat = volume(np.ones((4, 4)), 0.5)
    with pytest.raises(ValueError, match=r"a 2D image with an alignment in 3D"):
        catalogue.add(filled.folder, flat, **FACTS, alignment=shift(), onto=filled.first)


@pytest.mark.parametrize("folder", [None, "", 5, "a\0b"])
def test_what_is_no_folder(folder) -> None:
    with pytest.raises(TypeError, match="a path is needed"):
        catalogue.add(folder, drawn(), **FACTS)
    with pytest.raises(TypeError, match="a path is needed"):
        catalogue.table(folder)


def test_folders_of_others_stay_as_they_are(tmp_path) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"it is no catalogue, and holds 'diary.txt'"):
        catalogue.add(tmp_path, drawn(), **FACTS)
    with pytest.raises(NotADirectoryError, match="it is a file"):
        catalogue.add(tmp_path / "diary.txt", drawn(), **FACTS)
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere.*mkdir"):
        catalogue.add(tmp_path / "nowhere" / "c", drawn(), **FACTS)
    with pytest.raises(FileNotFoundError, match="it has no folder 'entries'"):
        catalogue.table(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        catalogue.check(tmp_path / "c")
    assert [p.name for p in tmp_path.iterdir()] == ["diary.txt"]


def test_entries_that_are_not_there(filled) -> None:
    for entry in ("../../etc", "", None, "A" * 16, filled.first + "x"):
        for call in (catalogue.open, catalogue.alignment):
            with pytest.raises(KeyError, match="has no entry"):
                call(filled.folder, entry)
        with pytest.raises(KeyError, match="has no entry"):
            catalogue.add_measurements(filled.folder, entry, {"kappa": 1.0}, who="A", how="B")


def test_measurements_that_are_none(filled) -> None:
    with pytest.raises(ValueError, match="none is given"):
        catalogue.add_measurements(filled.folder, filled.first, {}, who="A", how="B")
    with pytest.raises(TypeError, match="with who=''"):
        catalogue.add_measurements(filled.folder, filled.first, {"kappa": 1.0}, who="", how="B")


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("", "a condition of SQL is needed"),
        (5, "a condition of SQL is needed"),
        ("kapa > 1", 'Referenced column "kapa" not found'),
        ("kappa >", "syntax error"),
        ("1=1); DROP TABLE entries; SELECT (1", "more than one statement"),
        ("id IN (SELECT content FROM read_text('/etc/hostname'))", "file system operations are disabled"),
    ],
)
def test_conditions(where, words, filled) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        catalogue.find(filled.folder, where)


def test_columns_that_are_not_there(filled) -> None:
    with pytest.raises(KeyError, match=r"by 'instrumnt'.*Near it are instrument"):
        catalogue.find(filled.folder, instrumnt="x")
    with pytest.raises(TypeError, match=r"by sample=\{'a': 1\}: texts and numbers"):
        catalogue.find(filled.folder, sample={"a": 1})


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (None, "one SELECT of SQL is needed"),
        ("DROP TABLE entries", "it holds DROP"),
        ("INSERT INTO entries SELECT * FROM entries", "it holds INSERT"),
        ("COPY entries TO '{out}'", "it holds COPY"),
        ("ATTACH '{out}'", "it holds ATTACH"),
        ("SET enable_external_access = true", "it holds SET"),
        ("INSTALL httpfs", "it holds LOAD"),
        ("SELECT 1; DROP TABLE entries", "it holds SELECT, DROP"),
        ("SELECT * FROM read_csv('/etc/passwd')", "file system operations are disabled"),
        ("SELECT * FROM '{data}'", "file system operations are disabled"),
        ("SELECT * FROM read_parquet('{data}')", "file system operations are disabled"),
        ("SELECT * FROM glob('/etc/*')", "file system operations are disabled"),
        ("SELECT * FROM filled", "does not exist"),
        ("SELECT nothing FROM entries", "nothing"),
        ("", "one SELECT of SQL is needed"),
        ("--", "it holds nothing"),
    ],
)
def test_questions_only_read(sql, words, filled, tmp_path) -> None:
    data = filled.folder / "entries" / f"{filled.first}.parquet"
    before = contents(filled.folder)
    with pytest.raises((ValueError, TypeError), match=words):
        catalogue.query(filled.folder, sql and sql.format(out=tmp_path / "out", data=data))
    assert contents(filled.folder) == before
    assert os.listdir(tmp_path) == ["catalogue"]  # noqa: PTH208


def test_answers_that_would_fill_the_memory(filled) -> None:
    with pytest.raises(ValueError, match="more than 1000000 rows"):
        catalogue.query(filled.folder, "SELECT * FROM range(100000000000)")
    with pytest.raises(ValueError, match=r"(?i)memory"):
        catalogue.query(filled.folder, "SELECT list(range) FROM range(200000000)")


@pytest.mark.parametrize("given", [{"sample": "\ud800"}, {"how": "\ud800"}])
def test_half_a_character_leaves_no_image(given, filled) -> None:
    before = contents(filled.folder)
    with pytest.raises(ValueError, match="half a character"):
        catalogue.add(filled.folder, drawn(7), **FACTS | given)
    with pytest.raises(ValueError, match="the name .*half a character"):
        catalogue.add(filled.folder, drawn(7).rename("\ud800"), **FACTS)
    assert contents(filled.folder) == before


@pytest.mark.parametrize("change", [{"error_um": float("nan")}, {"matrix": np.diag([1e3, 1e3, 1e3, 1.0])}])
def test_alignments_that_are_none(change, filled) -> None:
    with pytest.raises(ValueError, match="Cannot add an image with an alignment with"):
        catalogue.add(
            filled.folder, drawn(7), **FACTS, alignment=replace(shift(), **change), onto=filled.first
        )


def test_a_pipe_is_not_waited_for(filled) -> None:
    os.mkfifo(filled.folder / "images" / f"{filled.first}.ome.zarr" / "pipe")
    os.mkfifo(filled.folder / "entries" / f"{'0' * 16}.parquet")
    with pytest.raises(ValueError, match=r"files new \(pipe\)"):
        catalogue.open(filled.folder, filled.first)
    with pytest.warns(UserWarning, match="it is no file"):
        assert len(catalogue.table(filled.folder)) == 3


def test_a_clock_that_went_back(filled, monkeypatch: pytest.MonkeyPatch) -> None:
    old = {"corrtomo_version": "0", "time_utc": datetime.datetime(2020, 1, 1)}
    monkeypatch.setattr(adding, "_now", lambda: dict(old))
    with pytest.warns(UserWarning, match="is behind the latest measurement"):
        catalogue.add_measurements(filled.folder, filled.labels, {"kappa": 0.75}, who="A", how="B")
    assert catalogue.table(filled.folder).loc[filled.labels, "kappa"] == 0.75


def test_answers_of_too_many_bytes(filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_MOST_BYTES", 1000)
    with pytest.raises(ValueError, match="it is of more than"):
        catalogue.query(filled.folder, "SELECT repeat('x', 100) FROM range(100)")


def test_a_question_without_end(filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_LONGEST_S", 0.2)
    with pytest.raises(ValueError, match=r"it takes more than 0.2 s"):
        catalogue.query(
            filled.folder, "SELECT sum(hash(a.range + b.range)) FROM range(1000000) a, range(1000000) b"
        )
