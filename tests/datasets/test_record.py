"""A record by its DOI, against a stand-in for the archive: the real one was never reached from here."""

import hashlib
import json
from urllib.parse import quote

import pooch
import pytest
import requests

import corrtomo as ct
from corrtomo.datasets import real, record

NAME, DOI = "kintsugi-record", "10.5281/zenodo.6815046"
FILES = {"CBS image.tif": b"one detector", "EDS_Ni.tif": b"counts of nickel"}


def listing(address, files=FILES):
    """What Zenodo's interface answers, as far as pooch reads it."""
    entries = [
        {
            "key": name,
            "checksum": f"md5:{hashlib.md5(content).hexdigest()}",
            "links": {"self": f"{address}/files/{quote(name)}"},
        }
        for name, content in files.items()
    ]
    return {"id": 6815046, "files": entries}


@pytest.fixture
def archive(tmp_path, monkeypatch, serve):
    """A server that answers like the archive; pooch is sent to it instead."""
    web = tmp_path / "web"
    (web / "files").mkdir(parents=True)
    (web / "api").mkdir()
    for name, content in FILES.items():
        (web / "files" / name).write_bytes(content)
    dois = []

    def resolve(doi, **kwargs):
        dois.append(doi)
        return "https://zenodo.org/records/6815046"

    with serve(web) as (address, asked):
        (web / "api" / "6815046").write_text(json.dumps(listing(address)), encoding="utf-8")
        monkeypatch.setattr(pooch.downloaders, "doi_to_url", resolve)
        monkeypatch.setattr(pooch.downloaders.ZenodoRepository, "base_api_url", f"{address}/api")
        yield web, address, dois, asked


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.delenv("CORRTOMO_DATA", raising=False)
    monkeypatch.setattr(record.pooch, "os_cache", lambda project: tmp_path / "cache")
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)  # between its tries
    return tmp_path / "cache" / NAME


def offline(monkeypatch):
    def refuse(*args, **kwargs):
        raise requests.ConnectionError("no network")

    monkeypatch.setattr(pooch.downloaders, "doi_to_url", refuse)


def test_all_files_come_once(archive, cache, monkeypatch):
    folder = ct.datasets.fetch(NAME)
    assert folder == cache
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "record.json"} == FILES
    assert set(archive[2]) == {DOI}
    asked = list(archive[3])
    assert asked
    offline(monkeypatch)
    assert ct.datasets.fetch(NAME) == folder
    assert ct.datasets.reachable(NAME)
    assert archive[3] == asked


def test_a_file_broken_in_the_cache_is_fetched_again(archive, cache):
    ct.datasets.fetch(NAME)
    (cache / "EDS_Ni.tif").write_bytes(b"half")
    ct.datasets.fetch(NAME)
    assert (cache / "EDS_Ni.tif").read_bytes() == FILES["EDS_Ni.tif"]


def test_a_wrong_file_leaves_nothing(archive, cache):
    (archive[0] / "files" / "CBS image.tif").write_bytes(b"<html>sign in first</html>")
    with pytest.raises(ValueError, match="hash"):
        ct.datasets.fetch(NAME)
    assert [p.name for p in cache.iterdir()] == ["record.json"]


def test_offline_says_what_to_do(cache, monkeypatch):
    offline(monkeypatch)
    with pytest.raises(ConnectionError, match=rf"doi:{DOI}: ConnectionError: no network.*set CORRTOMO_DATA"):
        ct.datasets.fetch(NAME)
    assert not ct.datasets.reachable(NAME)
    assert not cache.exists()


@pytest.mark.parametrize("answer", ['{"status": 404, "message": "gone"}', "<html></html>"])
def test_an_archive_that_answers_something_else(archive, answer):
    (archive[0] / "api" / "6815046").write_text(answer, encoding="utf-8")
    with pytest.raises(ConnectionError, match=r"Cannot download the record .*(files|JSONDecodeError)"):
        ct.datasets.fetch(NAME)


@pytest.mark.parametrize("name", ["../outside.tif", "a/b.tif", "record.json"])
def test_names_that_lead_elsewhere_are_refused(archive, cache, name):
    web, address, *_ = archive
    (web / "api" / "6815046").write_text(json.dumps(listing(address, {name: b"x"})), encoding="utf-8")
    with pytest.raises(ValueError, match="no plain file names"):
        ct.datasets.fetch(NAME)
    assert not cache.exists()


def test_a_record_without_files_is_refused(archive):
    web, address, *_ = archive
    (web / "api" / "6815046").write_text(json.dumps(listing(address, {})), encoding="utf-8")
    with pytest.raises(ValueError, match="lists 0 files"):
        ct.datasets.fetch(NAME)


def test_a_folder_of_the_reader_comes_first(archive, tmp_path, monkeypatch):
    monkeypatch.setenv("CORRTOMO_DATA", str(tmp_path / "mine"))
    mine = tmp_path / "mine" / NAME
    assert ct.datasets.fetch(NAME) != mine  # not there: the archive is asked
    mine.mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="it is empty"):
        ct.datasets.fetch(NAME)
    (mine / "CBS image.tif").write_bytes(b"unchecked")
    assert ct.datasets.fetch(NAME) == mine
    checksum = f"md5:{hashlib.md5(FILES['CBS image.tif']).hexdigest()}"
    (mine / "record.json").write_text(json.dumps({"CBS image.tif": checksum}), encoding="utf-8")
    with pytest.raises(ValueError, match=rf"expected {checksum}, got .*copied in part"):
        ct.datasets.fetch(NAME)
    (mine / "CBS image.tif").write_bytes(FILES["CBS image.tif"])
    assert ct.datasets.fetch(NAME) == mine
    (mine / "CBS image.tif").unlink()
    with pytest.raises(ValueError, match="got no file"):
        ct.datasets.fetch(NAME)


def test_its_name_is_known():
    assert NAME in record.RECORDS
    with pytest.raises(ValueError, match=f"Did you mean '{NAME}'"):
        ct.datasets.fetch("kintsugi-recrod")
    assert NAME not in real.read_sources()
