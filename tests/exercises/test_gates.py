"""The gates of every exercise: in sync with its source, and graded as the three gates say.

The reference earns every point, the untouched stub none, each wrong answer loses points and gets its hint.
A chapter starts two kernels: one makes its key anew, with the values of every wrong answer, and one grades a
whole submission.
"""

import json
import symtable
from pathlib import Path

import pytest

from gdmcourse.grading.compare import compare
from gdmcourse.grading.grade import grade, judge_question
from gdmcourse.grading.key import Key, agree, make_key, read_key, visible_part
from gdmcourse.grading.names import defined_names
from gdmcourse.grading.notebook import to_text
from gdmcourse.grading.release import page_of, student_notebook
from gdmcourse.grading.run import Outcome
from gdmcourse.grading.source import Exercise, read_source
from gdmcourse.grading.submission import Piece, Submission

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "solutions").glob("*.md"))
REMEDY = "run `gdmcourse release` and commit what it writes"


@pytest.fixture(scope="module", params=SOURCES, ids=lambda path: path.stem)
def source(request) -> Path:
    return request.param


@pytest.fixture(scope="module")
def exercise(source) -> Exercise:
    return read_source(source)


@pytest.fixture(scope="module")
def fresh(exercise, source) -> Key:
    """The key as `gdmcourse release` would write it now."""
    return make_key(exercise, page=page_of(source))


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


def test_a_probe_reads_nothing_that_another_probe_leaves_behind(exercise):
    """The student's notebook has no hidden probes, and a second look only those of one question."""
    probes = [probe for question in exercise.questions for probe in question.probes]
    for probe in probes:
        left = {name for other in probes if other is not probe for name in defined_names(other.source)}
        assert not read_from_outside(symtable.symtable(probe.source, probe.id, "exec")) & left, probe.id


def read_from_outside(scope: symtable.SymbolTable) -> set[str]:
    """The names that code reads and doesn't bind itself, in its functions and comprehensions too."""
    here = {
        symbol.get_name()
        for symbol in scope.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or scope.get_type() == "module")
    }
    inner = {name for child in scope.get_children() for name in read_from_outside(child)}
    own = {symbol.get_name() for symbol in scope.get_symbols() if symbol.is_assigned()}
    return (here | inner) - (own if scope.get_type() == "module" else set())


def test_a_name_of_another_probe_would_be_seen():
    source = "y = 1\nprobe([f(x, v) for v in range(y)], lambda a: a + z)"
    assert read_from_outside(symtable.symtable(source, "probe", "exec")) == {"probe", "f", "x", "range", "z"}


@pytest.mark.slow
def test_the_keys_are_in_sync_within_their_tolerances(fresh, full, source):
    assert read_key(ROOT / "exercises" / "key" / f"{source.stem}.json") == visible_part(full), REMEDY
    assert (full.title, full.page, full.setup) == (fresh.title, fresh.page, fresh.setup), REMEDY
    for old, new in zip(full.questions, fresh.questions, strict=True):
        assert (old.id, old.title, old.teaches, old.stub) == (new.id, new.title, new.teaches, new.stub), (
            REMEDY
        )
        for a, b in zip(old.probes, new.probes, strict=True):
            assert (a.id, a.source, a.points, a.hidden) == (b.id, b.source, b.points, b.hidden), REMEDY
            assert agree(a.expected, [entry["value"] for entry in b.expected]), f"{a.id}: {REMEDY}"
        for a, b in zip(old.wrong, new.wrong, strict=True):
            assert a.hint == b.hint, REMEDY
            for probe in old.probes:
                values, reference = b.values[probe.id], a.values[probe.id]
                assert agree(probe.expected, values, reference=reference), f"{old.id}, {a.hint}: {REMEDY}"


@pytest.mark.slow
def test_the_reference_earns_every_point(exercise, tmp_path):
    result = grade(hand_in(exercise, tmp_path), ROOT / "solutions")
    assert result.earned == result.points == exercise.points, [q.reasons + q.failed for q in result.questions]


@pytest.mark.slow
@pytest.mark.nightly
def test_the_reference_earns_every_visible_point(exercise, tmp_path):
    """That the students' key is the visible part of the teacher's is tested on each push."""
    result = grade(hand_in(exercise, tmp_path), ROOT / "exercises" / "key")
    assert result.earned == result.points == exercise.points - result.hidden_points


def test_the_untouched_stub_earns_nothing_and_is_told_where_help_is(source):
    result = grade(ROOT / "exercises" / f"{source.stem}.ipynb", ROOT / "solutions")
    assert result.earned == 0
    assert all("its hints are in the notebook" in q.reasons[0] for q in result.questions)


@pytest.mark.slow
def test_each_wrong_answer_loses_points_and_its_student_is_told_the_hint(exercise, fresh, full):
    """Judged by the committed key from the values that the wrong answer gave just now."""
    for question, made, known in zip(exercise.questions, fresh.questions, full.questions, strict=True):
        for wrong, new in zip(question.wrong, made.wrong, strict=True):
            records = {probe.id: _record(probe.expected, new.values[probe.id]) for probe in known.probes}
            answer = Submission([Piece("answer", wrong.source, known.id)])
            graded = judge_question(known, answer, Outcome(records, None))
            assert graded.earned < graded.points, wrong.hint
            assert graded.hint == wrong.hint


def _record(expected: list[dict], values: list) -> dict:
    """What the judge would record of a probe that gave these values."""
    right = [compare(e["value"], v, e["rtol"], e["atol"]) for e, v in zip(expected, values, strict=True)]
    return {"end": "ok", "reason": None, "values": values, "right": right}
