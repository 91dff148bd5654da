"""The gates of every exercise: in sync with its source, and graded as the three gates say.

The reference earns every point, the untouched stub none, each wrong answer loses points and gets its hint. It
loses a visible point, so that a student can see it.
A chapter starts two kernels: one makes its key anew, with the values of every wrong answer, and one grades a
whole submission.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from jaxtyping import config

from gdmcourse.grading.compare import compare
from gdmcourse.grading.exercise import Exercise
from gdmcourse.grading.explain import explain
from gdmcourse.grading.grade import grade
from gdmcourse.grading.key import Key, KeyQuestion, read_key, visible_part
from gdmcourse.grading.make_key import make_key
from gdmcourse.grading.match import Match
from gdmcourse.grading.notebook import to_text
from gdmcourse.grading.read import Sheet, SheetCell
from gdmcourse.grading.release import place_of, student_notebook
from gdmcourse.grading.result import QuestionGrade
from gdmcourse.grading.run import Outcome
from gdmcourse.grading.source import read_source
from gdmcourse.grading.values import agree
from tests.grading.inprocess import grade_in_process

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "solutions").glob("*.md"))
REMEDY = "run `gdmcourse release` and commit what it writes"


@pytest.fixture(scope="module", autouse=True)
def _unchecked() -> Iterator[None]:
    """A key is half a million comparisons of plain numbers; tests/grading sees that these keep their types."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.fixture(scope="module", params=SOURCES, ids=lambda path: path.stem)
def source(request) -> Path:
    return request.param


@pytest.fixture(scope="module")
def exercise(source) -> Exercise:
    return read_source(source)


@pytest.fixture(scope="module")
def fresh(exercise, source) -> Key:
    """The key as `gdmcourse release` would write it now."""
    return make_key(exercise, place_of(source))


@pytest.fixture(scope="module")
def full(source) -> Key:
    """The teacher's key as it was committed."""
    return read_key(ROOT / "solutions" / "key" / f"{source.stem}.json")


def hand_in(exercise: Exercise, folder: Path, **answers: str) -> Path:
    """The student's notebook with the reference answers, or others by question id."""
    released = student_notebook(exercise)
    references = {f"{q.id}-answer": answers.get(q.id, q.answer) for q in exercise.questions}
    for cell in released["cells"]:
        cell["source"] = references.get(cell["id"], cell["source"])
    path = folder / f"{exercise.chapter}.ipynb"
    path.write_text(json.dumps(released))
    return path


def test_there_are_sources():
    assert SOURCES, "solutions/ holds no exercise"


def test_the_size_is_that_of_a_chapter(exercise):
    assert exercise.points == 10
    assert len(exercise.questions) >= 3


def test_the_students_notebook_is_in_sync(exercise, source):
    written = (ROOT / "exercises" / f"{source.stem}.ipynb").read_text(encoding="utf-8")
    assert written == to_text(student_notebook(exercise)), REMEDY


@pytest.mark.slow
def test_the_keys_are_in_sync_within_their_tolerances(fresh, full, source):
    assert read_key(ROOT / "exercises" / "key" / f"{source.stem}.json") == visible_part(full), REMEDY
    for name in ("title", "page", "setup", "forbid", "files"):
        assert getattr(full, name) == getattr(fresh, name), REMEDY
    for old, new in zip(full.questions, fresh.questions, strict=True):
        for name in ("id", "title", "teaches", "number", "names", "stub", "rubric"):
            assert getattr(old, name) == getattr(new, name), REMEDY
        for a, b in zip(old.probes, new.probes, strict=True):
            assert (a.id, a.source, a.points, a.hidden) == (b.id, b.source, b.points, b.hidden), REMEDY
            assert agree(a.expected, [entry["value"] for entry in b.expected]), f"{a.id}: {REMEDY}"
        for a, b in zip(old.wrong, new.wrong, strict=True):
            assert a.hint == b.hint, REMEDY
            for probe in old.probes:
                values, reference = b.values[probe.id], a.values[probe.id]
                assert agree(probe.expected, values, reference=reference), f"{old.id}, {a.hint}: {REMEDY}"


def to_mark(exercise):
    """The points that a teacher gives by the rubrics of open questions."""
    return sum(item.points for question in exercise.questions for item in question.rubric)


@pytest.mark.slow
def test_the_reference_earns_every_point(exercise, tmp_path):
    result = grade(hand_in(exercise, tmp_path), ROOT / "solutions", assignment=exercise.chapter)
    reasons = [q.reasons + q.failed for q in result.questions]
    assert result.earned == result.points == exercise.points - to_mark(exercise), reasons


@pytest.mark.slow
@pytest.mark.nightly
def test_the_reference_earns_every_visible_point(exercise, tmp_path):
    """That the students' key is the visible part of the teacher's is tested on each push."""
    result = grade(hand_in(exercise, tmp_path), ROOT / "exercises" / "key", assignment=exercise.chapter)
    assert result.earned == result.points == exercise.points - result.hidden_points - to_mark(exercise)


def test_the_untouched_stub_earns_nothing_and_is_told_where_help_is(source):
    result = grade(ROOT / "exercises" / f"{source.stem}.ipynb", ROOT / "solutions", assignment=source.stem)
    assert result.earned == 0
    assert all("its hints are in the notebook" in q.reasons[0] for q in result.questions)


@pytest.mark.slow
def test_each_wrong_answer_loses_points_and_its_student_is_told_the_hint(exercise, fresh, full):
    """Judged by the committed key from the values that the wrong answer gave just now."""
    for question, made, known in zip(exercise.questions, fresh.questions, full.questions, strict=True):
        for wrong, new in zip(question.wrong, made.wrong, strict=True):
            graded = told(known, new.values)
            assert graded.earned < graded.points, wrong.hint
            assert graded.hint == wrong.hint


def test_each_wrong_answer_loses_a_visible_point_or_its_source_says_why_not(exercise, full):
    """Judged by the committed keys; a student whose `check` says "right" should not be wrong without need."""
    for question, known in zip(exercise.questions, visible_part(full).questions, strict=True):
        for wrong, values in zip(question.wrong, known.wrong, strict=True):
            graded = told(known, values.values)
            shows = graded.earned < graded.points
            assert shows or wrong.hidden_only, f"{question.id}, no visible probe shows: {wrong.hint}"
            assert not (shows and wrong.hidden_only), f"{question.id}, a visible probe shows: {wrong.hint}"


def test_visible_probes_give_a_third_of_the_points_at_most(exercise, full):
    visible = sum(question.points for question in visible_part(full).questions)
    assert visible <= exercise.points / 3 + 0.1


def told(question: KeyQuestion, values: dict[str, list]) -> QuestionGrade:
    """What a student is told whose answer gives these values."""
    records = {name: {"end": "ok", "reason": None, "values": given} for name, given in values.items()}
    outcome = Outcome(records, None)
    return explain(question, Match("answered"), compare(question, outcome), outcome)


# What one may hand in for any question without a thought.
THOUGHTLESS = {
    "an error": "raise ValueError('no')",
    "yes": "return True",
    "zero": "return 0.0",
    "the first argument": "return values[0] if values else None",
}


@pytest.mark.slow
@pytest.mark.parametrize("way", THOUGHTLESS)
def test_a_function_without_a_thought_earns_little(exercise, full, tmp_path, monkeypatch, way):
    """Inputs at which nothing happens are worth looking at, and not worth many points."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    kind = torch.get_default_dtype()
    try:
        for question in (q for q in full.questions if q.probes):
            functions = (f"def {name}(*values, **named):\n    {THOUGHTLESS[way]}" for name in question.names)
            source = "\n".join(functions)
            sheet = Sheet(exercise.chapter, None, [SheetCell(1, "code", source, None, ())])
            (graded,) = grade_in_process(sheet, full, question.id)
            assert graded.earned <= 0.4 * graded.points, question.id
    finally:
        torch.set_default_dtype(kind)
