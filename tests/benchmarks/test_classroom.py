"""The benchmark of a class on few, and the chart that the page draws of it."""

import pytest
from gdmbook.growth import caption, drawn, points

from benchmarks import classroom, grading
from benchmarks.row import row
from gdmcourse.grading.key import read_key
from gdmcourse.grading.source import read_source


@pytest.mark.slow
def test_growth_is_measured_on_few(monkeypatch):
    monkeypatch.setattr(classroom, "NOTEBOOKS", 12)
    monkeypatch.setattr(classroom, "WORKERS", (2, 4))
    exercise = read_source(grading.ROOT / f"solutions/{grading.CHAPTER}.md")
    key = read_key(grading.ROOT / f"solutions/key/{grading.CHAPTER}.json")
    found = classroom.growth(exercise, key, 0.01)
    assert [workers for workers, *_ in points(found)] == [2, 4]
    assert [entry["peer"] for entry in found] == [0.06, 0.03]
    assert all(entry["ours"] > entry["peer"] for entry in found)


def test_the_chart_shows_each_number_of_workers():
    name = "grading 10,000 notebooks, {} simulated workers (peer: what is allowed)"
    rows = [row(name.format(w), 20_000 / w + 10, 20_000 / w, "s") for w in (64, 256)]
    found = points([row("another", 1.0, 1.0, "s"), *rows])
    drawing = drawn(found)
    assert drawing.count("<circle") == 2
    assert "64 workers: 322 s; 256 workers: 88 s" in drawing
    assert "Simulated is the grading alone" in caption(found)
    assert "With 256 workers it took 88 s" in caption(found)
