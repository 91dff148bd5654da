"""The benchmark of the Fréchet distance compares what it says it does."""

from benchmarks import metrics


def test_both_sides_measure_one_distance(monkeypatch):
    """`rows` itself refuses distances that differ. Its processes need all of torchmetrics."""
    monkeypatch.delenv("PYTHONPATH")
    monkeypatch.setattr(metrics, "ROWS", 300)
    monkeypatch.setattr(metrics, "FEATURES", 40)
    rows = metrics.rows()
    assert [row["unit"] for row in rows] == ["s", "MiB"]
    assert all(row["ours"] > 0 and row["peer"] > 0 for row in rows)
    assert all("300 rows of 40 features" in row["name"] for row in rows)
