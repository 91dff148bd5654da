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


def test_a_part_adds_its_pages_and_the_networks_that_no_page_before_it_needs(tmp_path, monkeypatch):
    cell = 'from gdmcourse.recipes import trained\ntrained("hmm-dice")'
    more = 'trained("hmm-dice")\ntrained("hmm-digits")\ntrained("hmm-digits", states=4)'
    monkeypatch.setattr(chapters, "ROOT", make(tmp_path, one=chapter("One", cell), two=chapter("Two", more)))
    monkeypatch.setattr(chapters, "PARTS", {"Part": (("two",), 10.0), "another": (("three",), 1.0)})
    names = (
        "chapter one",
        "chapter two",
        "network hmm-dice",
        "network hmm-digits",
        "network hmm-digits (states=4)",
    )
    seconds = {f"{name}, time (peer: budget)": 2.0**n for n, name in enumerate(names)}
    rows = chapters.parts(seconds)
    assert [(row["name"], row["ours"], row["peer"]) for row in rows] == [
        ("Part, added to the book (peer: budget)", (2 + 8 + 16) / 2, 10.0)
    ]
