"""The benchmark of autoregressive models compares what it says it does."""

from benchmarks import autoregressive


def test_every_row_is_there_and_both_sides_are_of_one_kind(monkeypatch):
    """`rows` itself refuses samplers that draw other symbols, and networks of another size."""
    small = {"WIDTH": 16, "LAYERS": 1, "HEADS": 2, "BATCH": 2, "REPEATS": 1, "LENGTHS": (4, 8)}
    for name, value in small.items():
        monkeypatch.setattr(autoregressive, name, value)
    monkeypatch.setattr(autoregressive.torch, "set_num_threads", lambda threads: None)
    rows = autoregressive.rows()
    assert [row["unit"] for row in rows] == ["s", "s", "", "s"]
    assert all(row["ours"] > 0 and row["peer"] > 0 for row in rows)
