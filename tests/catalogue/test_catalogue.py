"""What goes into a catalogue comes out of it: images, numbers, alignments, in one table."""

import dask.array
import numpy as np
import pytest

from corrtomo import catalogue
from corrtomo.io import read
from corrtomo.register import Alignment, SectionAlignment
from corrtomo.volume import volume

from .catalogued import FACTS, drawn, shift


def test_an_image_comes_back_equal_and_lazy(filled) -> None:
    back = catalogue.open(filled.folder, filled.first)
    assert isinstance(back.data, dask.array.Array)
    assert back.identical(filled.image)
    assert catalogue.open(filled.folder, filled.labels).attrs["phases"]["AM"] == 2


def test_the_image_of_an_entry_is_ome_zarr_that_stands_alone(filled) -> None:
    assert read(filled.folder / "images" / f"{filled.first}.ome.zarr").identical(filled.image)


def test_the_table_says_what_was_stated(filled) -> None:
    table = catalogue.table(filled.folder)
    assert list(table.index) == [filled.first, filled.labels, filled.moved]
    row = table.loc[filled.labels]
    stated = {name: row[name] for name in ("sample", "instrument", "who", "how", "source", "kind", "name")}
    assert stated == FACTS | {"kind": "labels", "name": "grey"}
    assert [row[f"size_{d}"] for d in "zyx"] == [3, 12, 13]
    assert [row[f"voxel_{d}_um"] for d in "zyx"] == [0.2, 0.1, 0.1]
    assert (row["kappa"], row["pore_fraction"], row["derived_from"]) == (0.5, 0.25, filled.first)
    began, ended = (time.replace(tzinfo=None) for time in filled.made)
    assert began <= row["time_utc"] <= ended
    assert table.loc[filled.first, "licence"] == "CC-BY-4.0"
    assert np.isnan(table.loc[filled.first, "kappa"])


@pytest.mark.parametrize("dims", [("x",), ("y", "x"), ("channel", "y", "x"), ("channel", "z", "y", "x")])
def test_images_of_any_dims(dims, tmp_path) -> None:
    image = volume(np.arange(2.0 ** len(dims)).reshape((2,) * len(dims)), 0.5, dims=dims)
    if "channel" in dims:
        image = image.assign_coords(channel=["7Li", "27Al"])
    entry = catalogue.add(tmp_path / "c", image, **FACTS)
    assert catalogue.open(tmp_path / "c", entry).identical(image)
    row = catalogue.table(tmp_path / "c").loc[entry]
    assert [d for d in "zyx" if not np.isnan(row[f"voxel_{d}_um"])] == [d for d in dims if d != "channel"]
    assert row["channels"] == "7Li, 27Al" if "channel" in dims else row["channels"] is None


def test_a_lazy_image_is_written_without_being_in_memory(tmp_path) -> None:
    image = volume(dask.array.zeros((4, 300, 300), chunks=(1, 300, 300), dtype=np.uint8), 0.5)
    entry = catalogue.add(tmp_path / "c", image, **FACTS)
    assert catalogue.open(tmp_path / "c", entry, level=1).shape == (4, 150, 150)


def test_numbers_added_later_count_and_the_earlier_ones_stay(filled) -> None:
    catalogue.add_measurements(filled.folder, filled.labels, {"kappa": 0.75}, who="B", how="anew")
    catalogue.add_measurements(filled.folder, filled.first, {"d50_um": 4}, who="B", how="sieved")
    table = catalogue.table(filled.folder)
    assert table.loc[filled.labels, ["kappa", "pore_fraction"]].tolist() == [0.75, 0.25]
    assert table.loc[filled.first, "d50_um"] == 4.0
    history = catalogue.measurements(filled.folder)
    kappas = history[history["name"] == "kappa"]
    assert kappas[["value", "who", "how"]].values.tolist() == [
        [0.5, "A. Reader", "as in the test"],
        [0.75, "B", "anew"],
    ]


def test_alignments_come_back_as_what_they_were(filled) -> None:
    back, given = catalogue.alignment(filled.folder, filled.moved), shift()
    assert type(back) is Alignment
    np.testing.assert_array_equal(back.matrix, given.matrix)
    assert str(back) == str(given)
    assert (back.stop, back.shift_um) == (given.stop, given.shift_um)
    np.testing.assert_array_equal(back.points([[1.0, 2.0, 3.0]]), [[1.0, 2.0, 4.0]])
    row = catalogue.table(filled.folder).loc[filled.moved]
    assert (row["aligned_onto"], row["alignment_error_um"]) == (filled.first, 0.25)


def test_a_section_is_aligned_onto_a_volume(filled) -> None:
    whole = shift()
    values = {name: getattr(whole, name) for name in Alignment.__dataclass_fields__}
    found = SectionAlignment(
        **values,
        depth_um=2.0,
        depth_error_um=0.1,
        tilt_deg=(1.0, -2.0),
        tilt_error_deg=0.2,
        correlation=0.9,
        chance=0.1,
    )
    section = volume(np.arange(6).reshape(2, 3), 0.05)
    entry = catalogue.add(filled.folder, section, **FACTS, kind="section", alignment=found, onto=filled.first)
    back = catalogue.alignment(filled.folder, entry)
    assert type(back) is SectionAlignment
    assert str(back) == str(found)


def test_no_alignment_is_said(filled) -> None:
    with pytest.raises(ValueError, match=r"it was added without one.*aligned_onto IS NOT NULL"):
        catalogue.alignment(filled.folder, filled.first)


def test_the_same_image_twice_is_said(filled) -> None:
    with pytest.raises(FileExistsError, match=rf"in the catalogue .* already, as {filled.first}\."):
        catalogue.add(filled.folder, filled.image, **FACTS)
    assert len(catalogue.table(filled.folder)) == 3
    assert catalogue.check(filled.folder).empty
    other = catalogue.add(filled.folder, filled.image, **FACTS | {"sample": "LCO 2"})
    assert other != filled.first


def test_two_people_may_find_the_same(filled) -> None:
    codes = catalogue.open(filled.folder, filled.labels)
    with pytest.raises(FileExistsError, match="already"):
        catalogue.add(filled.folder, codes, **FACTS, of=filled.first)
    other = catalogue.add(filled.folder, codes, **FACTS | {"who": "B. Other"}, of=filled.first)
    assert other != filled.labels


def test_find_by_condition_and_by_value(filled) -> None:
    def ids(*args, **equals):
        return catalogue.find(filled.folder, *args, **equals).index.tolist()

    assert ids("kappa > 0.4 AND kind = 'labels'") == [filled.labels]
    assert ids(kind="image") == [filled.first, filled.moved]
    assert ids("voxel_x_um < 0.2", derived_from=filled.first) == [filled.labels]
    assert ids(kappa=[0.5, 0.6]) == [filled.labels]
    assert ids(kappa=None) == [filled.first, filled.moved]
    assert ids(kappa=[0.5, None]) == [filled.first, filled.labels, filled.moved]
    assert ids(kappa=[]) == []
    assert ids("kappa > 0.4 -- and nothing else") == [filled.labels]
    assert ids(sample="x' OR 1=1 --") == []
    assert list(catalogue.find(filled.folder, sample="none").columns) == list(
        catalogue.table(filled.folder).columns
    )


def test_query_both_tables(filled) -> None:
    found = catalogue.query(filled.folder, "SELECT kind, count(*) AS n FROM entries GROUP BY kind ORDER BY n")
    assert found.values.tolist() == [["labels", 1], ["image", 2]]
    joined = "SELECT m.name FROM measurements m JOIN entries e ON e.id = m.entry ORDER BY 1"
    assert catalogue.query(filled.folder, joined)["name"].tolist() == ["kappa", "pore_fraction"]


@pytest.mark.parametrize("name", ["with space", "it's", "a[1]*?", "ünï µm", 'quo"te', "%20;--"])
def test_folders_of_any_name(name, tmp_path) -> None:
    entry = catalogue.add(tmp_path / name, drawn(), **FACTS, measurements={"kappa": 0.5})
    catalogue.add_measurements(tmp_path / name, entry, {"pba": 0.25}, who="A", how="B")
    assert catalogue.find(tmp_path / name, pba=0.25).index.tolist() == [entry]
    assert catalogue.check(tmp_path / name).empty


def test_texts_of_any_kind_come_back(tmp_path) -> None:
    hard = "µm ' \" ; -- \n % $1 ? {x} \\ 🔋"
    entry = catalogue.add(tmp_path / "c", drawn(), **FACTS | {"sample": hard, "how": hard})
    assert catalogue.table(tmp_path / "c").loc[entry, ["sample", "how"]].tolist() == [hard, hard]
    assert catalogue.find(tmp_path / "c", sample=hard).index.tolist() == [entry]
