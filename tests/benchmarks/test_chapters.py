"""The rows of the chapters tell of the run whose outputs and line the chapters show."""

import pytest
from gdmbook.chapters import chapters as pages
from gdmbook.records import Records

from benchmarks import chapters
from tests.book.tiny import chapter, make


@pytest.mark.slow
def test_rows_and_pages_tell_of_one_run(tmp_path, monkeypatch):
    work = "total = 0\nfor i in range(3_000_000):\n    total += i"
    monkeypatch.setattr(chapters, "ROOT", make(tmp_path, one=chapter("One", work)))
    rows = {row["name"]: row for row in chapters.rows()}
    run = Records(tmp_path).find(pages(tmp_path)[0])
    time = rows["chapter one, time (peer: budget)"]
    assert time["ours"] == pytest.approx(run.reference_seconds, rel=1e-3)
    assert time["unit"] == "s at reference speed"
    assert rows["chapter one, memory (peer: budget)"]["ours"] == pytest.approx(run.peak_mib, rel=1e-3)
    assert rows["the book from nothing, time (peer: budget)"]["peer"] == 62.5
