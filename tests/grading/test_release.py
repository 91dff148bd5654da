"""What a student gets: no answer, no hidden probe, no wrong answer, and the same bytes each time."""

import json
from pathlib import Path

import nbformat
import pytest

from gdmcourse.grading.exercise import SourceError
from gdmcourse.grading.release import release
from gdmcourse.grading.source import read_source

SOURCE = Path(__file__).parent / "course" / "solutions" / "tiny.md"


@pytest.fixture
def text(course):
    return (course.exercises / "tiny.ipynb").read_text()


def test_it_is_a_valid_notebook(text):
    nbformat.validate(nbformat.reads(text, as_version=4))


def test_nothing_hidden_is_in_what_students_get(course, text):
    public = text + (course.exercises / "key" / "tiny.json").read_text()
    for question in read_source(SOURCE).questions:
        hidden = [probe.source for probe in question.probes if probe.hidden]
        solution = [
            line.strip() for line in question.answer.splitlines() if line.strip().startswith("return")
        ]
        for secret in (*hidden, *solution, *(wrong.source for wrong in question.wrong)):
            for line in secret.splitlines():
                assert "def " in line or line.strip() not in public


def test_no_value_of_a_hidden_probe_is_in_the_students_key(course):
    full = json.loads((course.solutions / "key" / "tiny.json").read_text())
    visible = json.loads((course.exercises / "key" / "tiny.json").read_text())
    assert sum(question["hidden_points"] for question in visible["questions"]) == 6
    for whole, part in zip(full["questions"], visible["questions"], strict=True):
        hidden = {probe["id"] for probe in whole["probes"] if probe["hidden"]}
        assert hidden
        assert hidden.isdisjoint(probe["id"] for probe in part["probes"])
        assert all(hidden.isdisjoint(wrong["values"]) for wrong in part["wrong"])


def test_the_same_source_gives_the_same_bytes(course, tmp_path, text):
    release(course.solutions / "tiny.md", tmp_path)
    assert (tmp_path / "tiny.ipynb").read_text() == text
    assert (tmp_path / "key" / "tiny.json").read_text() == (
        course.exercises / "key" / "tiny.json"
    ).read_text()


def test_each_question_has_statement_hints_stub_probes_and_check(text):
    cells = json.loads(text)["cells"]
    names = [cell["id"] for cell in cells if cell["id"].startswith("q1-")]
    assert names == ["q1-statement", "q1-hints", "q1-answer", "q1-probe-1", "q1-check"]
    by_name = {cell["id"]: "".join(cell["source"]) for cell in cells}
    assert by_name["q1-hints"].count("<details>") == 3
    assert by_name["q1-answer"].startswith("# answer: q1\ndef signal")
    assert by_name["q1-answer"].endswith('raise NotImplementedError("q1: replace this line by your answer")')
    assert by_name["q1-check"] == 'check("q1")'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "def signal(alpha_bar):\n    return alpha_bar",
            "def signal(a):\n    return math.sqrt(a)",
            "no wrong value",
        ),
        (
            "def signal(alpha_bar):\n    return alpha_bar",
            "def signal(a):\n    return 1 / 0",
            "no wrong value",
        ),
        (
            "def signal(alpha_bar):\n    return alpha_bar",
            "def signal(a):\n    return math.sqrt(1 - a)",
            "wrong answer 2 yields the values of an earlier one",
        ),
        (
            "    return math.sqrt(alpha_bar)\n    ###",
            "    return undefined\n    ###",
            "q1-probe-1: NameError",
        ),
        ("probe(snr(0.9))", "probe(object())", "q3-probe-1 must emit numbers"),
        (
            "probe(snr(0.9))",
            "import numpy; probe(numpy.full(5000, snr(0.9)))",
            "at most 4096 in one array",
        ),
        ("import math", "import os; os._exit(1)", "the kernel died"),
    ],
)
def test_a_source_that_breaks_a_gate_is_not_released(tmp_path, old, new, message):
    source = tmp_path / "solutions" / "tiny.md"
    source.parent.mkdir()
    text = SOURCE.read_text()
    assert old in text
    source.write_text(text.replace(old, new, 1))
    with pytest.raises(SourceError, match=message):
        release(source, tmp_path / "exercises")
    assert not (tmp_path / "exercises").exists()
