"""The frame of the benchmarks: the form of a row, of the results file, and of a partial run."""

import datetime
import json
import types

import pytest

from benchmarks import __main__ as frame
from benchmarks import em, results
from benchmarks.row import row

ALONE = {"name", "ours", "unit", "machine", "date"}
KEYS = ALONE | {"peer", "ratio", "target"}
NUMBERS = {"ours", "peer", "ratio", "target"}


def test_the_results_file_has_the_form_that_the_page_reads():
    rows = json.loads(results.RESULTS.read_text())
    assert rows
    assert len({entry["name"] for entry in rows}) == len(rows)
    for entry in rows:
        assert entry.keys() == (ALONE if entry["name"].startswith(results.CARD) else KEYS)
        assert all(isinstance(entry[key], int | float) for key in entry.keys() & NUMBERS)
        assert all(isinstance(entry[key], str) for key in ("name", "unit", "machine", "date"))
        assert entry["machine"]
        datetime.date.fromisoformat(entry["date"])
        # Numbers are stored rounded, so the ratio agrees with them to three digits only.
        if "peer" in entry:
            assert entry["ratio"] == pytest.approx(entry["ours"] / entry["peer"], rel=6e-3)


def test_a_row_holds_the_ratio_and_where_and_when():
    made = row("a", ours=3.0, peer=4.0, unit="s")
    assert made.keys() == KEYS
    assert made["ratio"] == 0.75
    assert made["target"] == 1.0


def test_a_named_run_keeps_the_rows_of_the_others(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results.json")
    kept, old, new = row("other", 1, 2, "s"), row("mine", 1, 2, "s"), row("mine", 5, 2, "s")
    results.RESULTS.write_text(json.dumps([kept, old]))
    monkeypatch.setattr(
        frame.importlib, "import_module", lambda name: types.SimpleNamespace(rows=lambda: [new])
    )
    assert frame.main(["em"]) == 0
    assert json.loads(results.RESULTS.read_text()) == [kept, new]
    assert "ABOVE ITS TARGET 1" in capsys.readouterr().out


def test_a_run_of_all_keeps_the_rows_of_a_card_only(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(frame, "NAMES", ("em",))
    card, old, new = row(f"{results.CARD}x", 1, 2, "s"), row("renamed", 1, 2, "s"), row("mine", 5, 9, "s")
    results.save([card, old])
    monkeypatch.setattr(
        frame.importlib, "import_module", lambda name: types.SimpleNamespace(rows=lambda: [new])
    )
    assert frame.main([]) == 0
    assert json.loads(results.RESULTS.read_text()) == [card, new]


def test_an_unknown_benchmark_is_named(capsys):
    assert frame.main(["speed"]) == 2
    assert f"unknown benchmark speed; there are {', '.join(frame.NAMES)}" in capsys.readouterr().err


def test_the_em_benchmark_compares_equal_results(monkeypatch):
    monkeypatch.setattr(em, "N", 400)
    monkeypatch.setattr(em, "D", 3)
    monkeypatch.setattr(em, "K", 3)
    monkeypatch.setattr(em, "REPEATS", 1)
    monkeypatch.setattr(em.torch, "set_num_threads", lambda threads: None)
    seconds, apart = em.rows()
    assert seconds["ours"] > 0
    assert seconds["peer"] > 0
    assert apart["ratio"] <= apart["target"] == 1.0
