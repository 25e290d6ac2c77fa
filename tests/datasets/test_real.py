"""Published real data: what arrives is what was published, or an error says what to do."""

import hashlib
import os
import re
import socket

import h5py
import numpy as np
import pytest

import corrtomo as ct
from corrtomo.datasets import real
from corrtomo.datasets.real import File, Source

CONTENT = b"grey values of an electrode"
HASH = hashlib.sha256(CONTENT).hexdigest()


def table(url):
    source = Source("about", "workflow", "MIT", "credit", {"a.tif": File(url, HASH, len(CONTENT))})
    return lambda: {"some-set": source}


@pytest.fixture
def server(tmp_path, serve):
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "a.tif").write_bytes(CONTENT)
    with serve(tmp_path / "web") as (address, asked):
        yield f"{address}/a.tif", asked


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.delenv("CORRTOMO_DATA", raising=False)
    monkeypatch.setattr(real.pooch, "os_cache", lambda project: tmp_path / "cache")
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)  # between its tries
    return tmp_path / "cache"


@pytest.fixture
def local(tmp_path, monkeypatch):
    monkeypatch.setenv("CORRTOMO_DATA", str(tmp_path))
    monkeypatch.setattr(real, "read_sources", table("https://example.org/a.tif"))
    (tmp_path / "some-set").mkdir()
    return tmp_path / "some-set"


def files_in(folder):
    return [p for p in folder.rglob("*") if p.is_file()]


def test_the_table_is_complete():
    known = real.read_sources()
    assert len(known) == 12
    for source in known.values():
        assert source.licence
        assert source.credit
        for file in source.files.values():
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            # An address that names a commit serves the same bytes for ever.
            assert re.match(r"https://raw.githubusercontent.com/[^/]+/[^/]+/[0-9a-f]{40}/", file.url)
            assert file.size > 0


def test_sources_lists_what_to_cite():
    listed = ct.datasets.sources()
    assert list(listed.index) == list(real.read_sources())
    assert listed.loc["cell-xct", "size (MB)"] == pytest.approx(54.02)
    assert listed.notna().all().all()


def test_unknown_name():
    with pytest.raises(
        ValueError, match=r"'nmc-xtslice': not a known data set. .*Did you mean 'nmc-xt-slice'"
    ):
        ct.datasets.fetch("nmc-xtslice")


def test_local_files_are_used_in_place(local):
    (local / "a.tif").write_bytes(CONTENT)
    assert ct.datasets.fetch("some-set") == local


def test_a_missing_local_file(local):
    with pytest.raises(FileNotFoundError, match=r"a.tif is missing.*https://example.org/a.tif, or unset"):
        ct.datasets.fetch("some-set")


def test_a_local_file_of_another_hash(local):
    (local / "a.tif").write_bytes(CONTENT[:-1])
    with pytest.raises(
        ValueError, match=rf"SHA-256 differs. Expected {HASH}, got .*\(26 bytes; 27 expected\)"
    ):
        ct.datasets.fetch("some-set")
    assert (local / "a.tif").read_bytes() == CONTENT[:-1]


def test_downloaded_once(cache, server, monkeypatch):
    monkeypatch.setattr(real, "read_sources", table(server[0]))
    for _ in range(2):
        folder = ct.datasets.fetch("some-set")
    assert (folder / "a.tif").read_bytes() == CONTENT
    assert server[1] == ["/a.tif"]
    assert files_in(cache) == [folder / "a.tif"]


def test_a_file_broken_in_the_cache_is_fetched_again(cache, server, monkeypatch):
    monkeypatch.setattr(real, "read_sources", table(server[0]))
    folder = ct.datasets.fetch("some-set")
    (folder / "a.tif").write_bytes(b"half")
    assert (ct.datasets.fetch("some-set") / "a.tif").read_bytes() == CONTENT


def test_a_corrupted_download_leaves_nothing(cache, server, tmp_path, monkeypatch):
    monkeypatch.setattr(real, "read_sources", table(server[0]))
    (tmp_path / "web" / "a.tif").write_bytes(b"<html>sign in first</html>")
    with pytest.raises(
        ValueError, match=rf"SHA-256 is not the published one.*Expected {HASH}.*Nothing was kept"
    ):
        ct.datasets.fetch("some-set")
    assert files_in(cache) == []


def test_an_address_that_is_gone(cache, server, monkeypatch):
    monkeypatch.setattr(real, "read_sources", table(server[0] + ".gone"))
    with pytest.raises(ConnectionError, match=r"Cannot download .*a.tif.gone.*404.*set CORRTOMO_DATA"):
        ct.datasets.fetch("some-set")
    assert files_in(cache) == []


def test_offline_says_what_to_do(cache, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/a.tif"
        monkeypatch.setattr(real, "read_sources", table(url))
        with pytest.raises(ConnectionError, match=rf"Cannot download {url}.*set CORRTOMO_DATA to <folder>"):
            ct.datasets.fetch("some-set")
    assert files_in(cache) == []


needs_data = pytest.mark.skipif(
    not os.environ.get("CORRTOMO_DATA"), reason="CORRTOMO_DATA names no folder with the published data"
)


@needs_data
@pytest.mark.parametrize("name", list(real.read_sources()))
def test_every_published_set_is_whole(name):
    folder = ct.datasets.fetch(name)
    assert {p.name for p in folder.iterdir()} >= set(real.read_sources()[name].files)


@needs_data
def test_the_published_slice_is_grey_in_colours():
    path = ct.datasets.fetch("nmc-xt-slice") / "NMC_90wt_2000bar_115.tif"
    # Its 192 dots an inch are a print size.
    with pytest.raises(ValueError, match=r"does not state its voxel size along y, x"):
        ct.read(path)
    image = ct.read(path, 0.37)
    assert image.shape == (4, 853, 846)
    red, green, blue, _ = image
    assert image.channel.values.tolist() == ["red", "green", "blue", "alpha"]
    assert bool((red == green).all() & (red == blue).all())


@needs_data
@pytest.mark.parametrize(
    ("name", "file", "shape", "values"),
    [
        ("nmc-sem-labels", "sem_image_half.tif", (1, 628, 758), {0, 1, 2}),
        ("nmc-am-volume", "SEM_lr_input.tif", (128, 128, 128), {0, 128}),
        ("nmc-xct-labels", "nmc-1-cal_generatedCBD_bridge.tif", (251, 301, 301), {0, 1, 2}),
        ("nmc-nanoct", "tomo_00086.png", (1176, 1176), None),
        ("xrf-maps", "chemical_map.tiff", (4, 155, 160), None),
    ],
)
def test_published_images_are_read(name, file, shape, values):
    image = ct.read(ct.datasets.fetch(name) / file, 0.398)
    assert image.shape == shape
    assert values is None or set(np.unique(image).tolist()) == values


@needs_data
def test_published_slices_are_a_volume():
    folder = ct.datasets.fetch("cell-xct")
    with pytest.raises(ValueError, match=r"named in 3 ways \(im#.tif, im_#.tif, mask_#.tif"):
        ct.read(folder, 33.97)
    image = ct.read(folder, 33.97, dataset="im[0-9]*.tif")
    assert image.shape == (100, 728, 728)
    last = ct.read(folder / "im100.tif", 33.97)
    np.testing.assert_array_equal(image[-1], last)


@needs_data
def test_published_projections_are_found_by_their_path():
    path = ct.datasets.fetch("tooth-projections") / "tooth.h5"
    image = ct.read(path, 1.0, dataset="exchange/data")
    with h5py.File(path) as file:
        np.testing.assert_array_equal(image, file["exchange/data"])
    with pytest.raises(ValueError, match=r"tooth.h5 .*'exchange/data' \(181, 2, 640\), .*dataset="):
        ct.read(path, 1.0)
