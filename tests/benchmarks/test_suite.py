"""The benchmark of the tests: which room a test belongs to, and what its seconds are set beside."""

from types import SimpleNamespace

import pytest

from benchmarks import suite


@pytest.mark.parametrize(
    ("nodeid", "room"),
    [
        ("tests/site/test_pages.py::test_page[book/start/index]@browser", "site"),
        ("tests/grading/test_cheats.py::test_cheat[a/b]", "grading"),
        ("tests/test_frame.py::test_the_routes", "the frame"),
    ],
)
def test_a_test_belongs_to_its_folder(nodeid, room):
    assert suite.room(nodeid) == room


def test_rows_are_seconds_a_chapter_beside_the_budget_of_all():
    small, large = (suite.shares({"site": 60.0, "grading": 120.0}, chapters) for chapters in (10, 20))
    assert [entry["name"].partition(",")[0] for entry in small] == [
        "tests of grading",
        "tests of site",
        "tests of all rooms",
    ]
    assert [entry["ours"] for entry in small] == [12, 6, 18]
    assert {entry["peer"] for entry in small} == {120}
    assert {entry["peer"] for entry in large} == {100}  # a thousand seconds of both processes
    assert large[-1]["ratio"] == 0.09


def test_the_seconds_of_each_room_are_said_at_the_end(monkeypatch):
    monkeypatch.setattr(suite, "spent", suite.Counter(site=28.0))
    monkeypatch.setattr(suite, "chapters", lambda: 14)
    said = []
    suite.pytest_terminal_summary(SimpleNamespace(section=said.append, line=said.append))
    assert [line.split(maxsplit=1) for line in said[1:]] == [
        ["2.00", "tests of site"],
        ["2.00", "tests of all rooms"],
    ]


def test_seconds_are_added_up_and_those_of_a_subtest_once(monkeypatch):
    monkeypatch.setattr(suite, "spent", suite.Counter())
    common = {"keywords": {}, "outcome": "passed", "longrepr": None, "location": ("", 0, "")}
    whole = pytest.TestReport("tests/site/test_pages.py::test_page", when="call", duration=3.0, **common)
    part = pytest.SubtestReport(
        "tests/site/test_pages.py::test_page", when="call", duration=2.0, context=None, **common
    )
    for report in (whole, part, whole):
        suite.pytest_runtest_logreport(report)
    assert suite.spent == {"site": 6.0}
