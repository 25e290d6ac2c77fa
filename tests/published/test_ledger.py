"""The ledger itself: nothing unsaid, nothing twice, and a clear word where a row is wrong."""

import math
import re
import tomllib

import pytest

import corrtomo.published as published
from corrtomo.published.ledger import KINDS, find, ledger, row, rows
from corrtomo.published.printed import read_printed

GOOD = {
    "printed": '"0.79"',
    "what": '"agreement"',
    "where": '"Results"',
    "kind": '"predicted"',
    "tolerance": "0.01",
    "reason": '"because of rounding"',
    "chapter": '"p/one"',
}


STATED = {"printed": None, "claim": '"> 0"', "states": '"it is better"', "tolerance": "0"}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a ledger of one row, changed as asked, and make it the one in use."""

    def _write(more="", title='title = "A paper"', **changes):
        entry = {k: v for k, v in {**GOOD, **changes}.items() if v is not None}
        lines = [f"{k} = {v}" for k, v in entry.items()]
        path = tmp_path / "ledger.toml"
        path.write_text(f"[p.paper]\n{title}\n[p.x]\n" + "\n".join(lines) + "\n" + more, encoding="utf-8")
        monkeypatch.setenv("CORRTOMO_LEDGER", str(path))
        return path

    return _write


def test_all_five_papers():
    """Each entry of the file is a row of its paper: none is dropped, and none is counted twice."""
    data = tomllib.loads(find().read_text(encoding="utf-8"))
    written = {name: set(data[name]) - {"paper"} for name in data if name != "reasons"}
    papers = ["xt-fibsem", "kintsugi", "cycling-contact", "nanoct-sims", "cell-to-particle"]
    assert list(written) == list(ledger().papers) == papers
    assert min(map(len, written.values())) >= 5
    found = [(item.paper, item.key.partition(".")[2]) for item in rows().values()]
    assert sorted(found) == sorted((paper, name) for paper in papers for name in written[paper])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kappa_binary", 0.79),
        ("threshold_best_binary", 113),
        ("threshold_otsu", 110),
        ("threshold_entropy", 113),
        ("grains_fibsem", 81),
        ("grains_xray", 17),
        ("am_volume_underestimate_percent", 6),
        ("am_surface_underestimate_percent", 25),
        ("kappa_ternary_threshold", 0.57),
        ("threshold_ternary_lower", 73),
        ("threshold_ternary_upper", 110),
        ("kappa_ternary_ahe", 0.66),
        ("voxel_xray_nm", 438),
        ("voxel_fibsem_nm", 33.6),
        ("am_fraction_expected", 35.6),
        ("cbd_fraction_expected", 11.2),
        ("porosity_expected", 53.3),
        ("cbd_porosity_fibsem", 62.7),
    ],
)
def test_keys_that_others_rely_on(key, value):
    assert row(f"xt-fibsem.{key}").value == value


def test_the_twin_is_set_up_with_these_and_no_others():
    """What was calibrated proves nothing: the list stays as short as the issue has it."""
    calibrated = {
        i.key for i in rows().values() if i.uses.startswith("calibration") and i.paper == "xt-fibsem"
    }
    assert calibrated == {
        f"xt-fibsem.{name}"
        for name in (
            "am_fraction_expected",
            "cbd_fraction_expected",
            "porosity_expected",
            "cbd_porosity_fibsem",
            "threshold_otsu",
            "kappa_binary",
            "kappa_ternary_threshold",
        )
    }


def test_every_row_says_what_it_is_and_where():
    for item in rows().values():
        assert item.kind in KINDS, item.key
        assert item.what.strip(), item.key
        assert item.where.strip(), item.key
        assert re.fullmatch(r"[a-z-]+\.[a-z0-9_]+", item.key), item.key
        if item.kind in ("predicted", "not checkable"):
            assert len(item.reason.split()) >= 4, item.key
        if item.kind == "predicted":
            assert item.chapter.startswith(f"{item.paper}/"), item.key


def test_no_number_stands_twice():
    said = [(item.paper, item.what) for item in rows().values()]
    assert len(said) == len(set(said))


def test_every_reason_is_used():
    path = find()
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    known = set(data.pop("reasons"))
    entries = [e for paper in data.values() for e in paper.values()]
    assert known == {e[f] for e in entries for f in ("reason", "why") if " " not in e.get(f, " ")}


def test_tolerances_are_what_their_reasons_say():
    """The arithmetic behind the tolerances; none is larger than its reason gives."""
    grains, pores, voxel = math.sqrt(81), math.sqrt(28.5 * 24.1 * 10.5 / 2.6**3), 0.438
    said = {
        "kappa_binary": 2 * (1 - 0.79) / grains,
        "kappa_ternary_threshold": 2 * (1 - 0.57) / pores,
        "kappa_ternary_ahe": 2 * (1 - 0.66) / pores,
        "grains_fibsem": 2 * math.sqrt(81),
        "grains_xray": 2 * math.sqrt(17),
        "am_volume_underestimate_percent": 2 * 6 / grains,
        "am_surface_underestimate_percent": 2 * 25 / grains,
        "pore_volume_undetected_percent": 2 * 18.5 / pores,
        "threshold_best_binary": 113 - 110,
        "grain_diameter_mean_um": voxel,
        "pore_diameter_max_um": voxel,
        "lognormal_location": math.log(1 + voxel / 4.0),
        "porosity_measured": (38.3 - 35.6) / 2,
    }
    for key, tolerance in said.items():
        given = row(f"xt-fibsem.{key}").tolerance
        assert given <= tolerance + 0.005, key
        assert given == pytest.approx(tolerance, rel=0.05), key
    assert row("kintsugi.eds_counts").tolerance == pytest.approx(2 * math.sqrt(3425962), rel=0.001)


@pytest.mark.parametrize(
    ("printed", "options", "value", "low", "high"),
    [
        ("0.79", {}, 0.79, 0.785, 0.795),
        ("4.0", {}, 4, 3.95, 4.05),
        ("0.60", {}, 0.6, 0.595, 0.605),
        ("~12", {}, 12, 11.5, 12.5),
        ("~5100", {"decimals": -2}, 5100, 5050, 5150),
        ("1,200", {"exact": True}, 1200, 1200, 1200),
        ("224 ± 23", {}, 224, 201, 247),
        ("0.55–1.20", {}, 0.875, 0.545, 1.205),
        ("0–0.2", {"exact": True}, 0.1, 0, 0.2),
        ("< 2", {}, 2, -math.inf, 2),
        ("≤ 40", {}, 40, -math.inf, 40),
        ("> 250", {}, 250, 250, math.inf),
        ("≥ 500", {}, 500, 500, math.inf),
        ("1:2", {}, 0.5, 0.5, 0.5),
        ("-1.5", {}, -1.5, -1.55, -1.45),
    ],
)
def test_printed_numbers(printed, options, value, low, high):
    found, interval, _ = read_printed(printed, **options)
    assert found == pytest.approx(value)
    assert (interval.low, interval.high) == pytest.approx((low, high))


@pytest.mark.parametrize("printed", ["", "about 5", "1 - 2", "5%", "1e3", "<2", "0.79 ± "])
def test_what_is_not_a_printed_number(printed):
    with pytest.raises(ValueError, match=r"is not a printed number\. Like"):
        read_printed(printed)


def test_a_good_ledger_is_read(write):
    write()
    assert list(rows()) == ["p.x"]
    assert row("p.x").allowed.contains(0.805)
    assert not row("p.x").allowed.contains(0.806)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": '"guessed"'}, "its kind is 'guessed'. Allowed are calibrated, predicted"),
        ({"kind": None}, "its kind is None"),
        ({"where": None}, "it lacks where"),
        ({"what": '""'}, "it lacks what"),
        ({"printed": None}, "it lacks printed"),
        ({"tolerance": None}, "it lacks tolerance"),
        ({"reason": None}, "it lacks reason"),
        ({"chapter": None}, "it lacks chapter"),
        ({"tolerance": "-1"}, "its tolerance is -1. It is zero or more"),
        ({"reason": '"unheard"'}, "its reason 'unheard' is not in \\[reasons\\]"),
        ({"place": '"p. 3"'}, "it has place. A row that is predicted may have"),
        ({"follows": '["y + 1"]'}, "its expression uses 'y'. Names are other rows of the same paper"),
        ({"follows": '["x + 1"]'}, "its expression uses 'x'"),
        ({"follows": '["1 +"]'}, "Cannot read the expression"),
        ({"printed": '"many"'}, "Cannot read row 'p.x' of the ledger: 'many' is not a printed number"),
        ({"kind": '"not checkable"'}, "it lacks why"),
        ({"kind": '"arithmetic"'}, "it lacks follows"),
        ({"kind": '"calibrated"'}, "it lacks uses"),
        ({"kind": '"calibrated"', "uses": '"blur"'}, "It begins with 'input: ' or 'calibration: '"),
        ({"kind": '"calibrated"', "uses": '"input: blur"', "chapter": None}, "it lacks chapter"),
        ({"title": ""}, "the paper 'p' has no title"),
        ({**STATED, "printed": '"0.79"'}, "it has printed. A row that is predicted may have"),
        ({**STATED, "states": None}, "it lacks states"),
        ({**STATED, "claim": None}, "it lacks claim"),
        ({**STATED, "claim": '"0"'}, "its claim is '0'. It is a bound, like '> 0', '≥ 1' or '< 0.5'"),
        ({**STATED, "claim": '"> much"'}, "'> much' is not a printed number"),
        ({**STATED, "tolerance": "0.1"}, "its tolerance is 0.1. A bound is kept or it is not"),
        ({**STATED, "reason": None}, "it lacks reason"),
        (
            {**STATED, "kind": '"not checkable"', "why": '"because"', "reason": None, "chapter": None}
            | {"tolerance": None},
            "it states something and is not checkable. What a run can test is predicted",
        ),
    ],
)
def test_a_row_that_leaves_something_unsaid_is_refused(write, changes, message):
    write(**changes)
    with pytest.raises(ValueError, match=message):
        rows()


def test_a_statement_is_read_as_a_bound(write):
    write(**STATED)
    item = row("p.x")
    assert (item.printed, item.claim, item.states) == ("", "> 0", "it is better")
    assert (item.value, item.interval.high, item.text) == (0, math.inf, "> 0")


@pytest.mark.parametrize(
    ("claim", "kept", "missed"),
    [
        ("> 0", (1e-12, 5), (0, -0.0, -1e-12)),
        ("≥ 1", (1, 2), (0, 0.99)),
        ("< 100", (-5, 99.9), (100, 100 + 1e-8)),
        ("≤ 0", (0, -1), (1e-12, 3)),
        ("> 0.8", (0.81,), (0.8, 0.79)),
    ],
)
def test_a_bound_is_kept_or_missed(write, claim, kept, missed):
    write(**{**STATED, "claim": f'"{claim}"'})
    assert [row("p.x").agrees(ours) for ours in kept] == [True] * len(kept)
    assert [row("p.x").agrees(ours) for ours in missed] == [False] * len(missed)


def stated_by(paper):
    return {
        k.partition(".")[2]: i.text.replace("\u00a0", " ")
        for k, i in rows().items()
        if i.states and i.paper == paper
    }


def test_the_statements_of_the_nanoct_paper():
    stated = stated_by("nanoct-sims")
    assert stated == {
        "ct_blend_kappa": "< 0.2",
        "ct_binder_kappa": "< 0.2",
        "ct_grains_kappa": "< 0.2",
        "pores_found_percent": "> 50 %",
        "cracks_found_percent": "> 50 %",
        "eds_particles_percent": "> 90 %",
        "eds_over_sims_width": "> 1",
        "li_over_limit_nca": "> 1",
        "li_over_limit_binder": "< 1",
        "al_boundary_ratio": "> 1",
        "al_binder_over_limit": "> 1",
        "al_over_limit_lco": "< 1",
    }
    put_in = {"eds_over_sims_width"} | {name for name in stated if name.startswith(("li_", "al_"))}
    assert {name for name in stated if row(f"nanoct-sims.{name}").kind == "calibrated"} == put_in


def test_the_statements_of_the_cycling_paper():
    assert stated_by("cycling-contact") == {
        "gradient_gain": "> 0",
        "small_particles_nmc": "> 0 %",
        "small_particles_he": "> 0 %",
        "drop_unambiguous_nmc_20": "> 0 %",
        "drop_unambiguous_nmc_50": "> 0 %",
        "drop_unambiguous_he": "> 0 %",
        "conduction_loss": "> 0 %",
    }


def test_the_statements_of_the_kintsugi_paper():
    """Each that a run can test is here, with a bound that was set before; no bound allows its opposite."""
    stated = stated_by("kintsugi")
    assert stated == {
        "platinum_gain": "> 0",
        "interface_to_middle": "> 0 %",
        "deep_platinum": "> 50 %",
        "classifier_gain": "> 0",
        "one_channel_kappa": "> 0.8",
        "cbs_superior": "> 0",
        "tld_noisier": "> 1",
        "tld_topology": "> 1",
        "two_channels_gain": "> 0",
        "labels_needed": "< 100 %",
        "filtering_gain": "≤ 0",
        "elements": "≥ 4 elements",
        "fluorine_in_binder": "> 1",
        "unfilled_signal": "< 1",
        "fluorine_ratio": "> 1",
        "cracks_empty": "≥ 1 cracks",
        "cracks_filled": "≥ 1 cracks",
        "crack_kinds_kappa": "> 0",
    }
    assert all(row(f"kintsugi.{name}").chapter.startswith("kintsugi/") for name in stated)


def test_a_row_twice_is_refused(write):
    write(more='[p.x]\nprinted = "1"\n')
    with pytest.raises(tomllib.TOMLDecodeError):
        rows()


def test_an_unknown_key_names_the_nearest():
    with pytest.raises(KeyError, match="Nearest: xt-fibsem.kappa_binary"):
        row("xt-fibsem.kapa_binary")
    with pytest.raises(KeyError, match=f"it has {len(rows())} rows"):
        row("xyz")


def test_a_ledger_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("CORRTOMO_LEDGER", str(tmp_path / "none.toml"))
    with pytest.raises(FileNotFoundError, match="Name it with the environment variable CORRTOMO_LEDGER"):
        rows()


def test_the_copy_in_the_package_is_the_book_s():
    """The package carries the ledger, so that it is there without the book."""
    inside = find().parents[1] / "src" / "corrtomo" / "published" / "published.toml"
    assert inside.read_text(encoding="utf-8") == find().read_text(encoding="utf-8")


def test_public_names():
    assert all(hasattr(published, name) for name in published.__all__)
