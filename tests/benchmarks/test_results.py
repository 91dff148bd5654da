"""The frame of the benchmarks: the form of a row, of the results file, and of a partial run."""

import datetime
import json
import types

import pytest

from benchmarks import __main__ as frame
from benchmarks import em
from benchmarks.row import row

KEYS = {"name", "ours", "peer", "unit", "ratio", "target", "machine", "date"}


def test_the_results_file_has_the_form_that_the_page_reads():
    rows = json.loads(frame.RESULTS.read_text())
    assert rows
    assert len({entry["name"] for entry in rows}) == len(rows)
    for entry in rows:
        assert entry.keys() == KEYS
        assert all(isinstance(entry[key], int | float) for key in ("ours", "peer", "ratio", "target"))
        assert all(isinstance(entry[key], str) for key in ("name", "unit", "machine", "date"))
        assert entry["machine"]
        datetime.date.fromisoformat(entry["date"])
        # Numbers are stored rounded, so the ratio agrees with them to three digits only.
        assert entry["ratio"] == pytest.approx(entry["ours"] / entry["peer"], rel=6e-3)


def test_a_row_holds_the_ratio_and_where_and_when():
    made = row("a", ours=3.0, peer=4.0, unit="s")
    assert made.keys() == KEYS
    assert made["ratio"] == 0.75
    assert made["target"] == 1.0


def test_a_named_run_keeps_the_rows_of_the_others(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(frame, "RESULTS", tmp_path / "results.json")
    kept, old, new = row("other", 1, 2, "s"), row("mine", 1, 2, "s"), row("mine", 5, 2, "s")
    frame.RESULTS.write_text(json.dumps([kept, old]))
    monkeypatch.setattr(
        frame.importlib, "import_module", lambda name: types.SimpleNamespace(rows=lambda: [new])
    )
    assert frame.main(["em"]) == 0
    assert json.loads(frame.RESULTS.read_text()) == [kept, new]
    assert "ABOVE ITS TARGET 1" in capsys.readouterr().out


def test_an_unknown_benchmark_is_named(capsys):
    assert frame.main(["speed"]) == 2
    assert "unknown benchmark speed; there are em, diffusion, chapters, grading" in capsys.readouterr().err


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
