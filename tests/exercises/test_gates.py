"""The gates of every exercise: in sync with its source, and graded as the three gates say.

The reference earns every point, the untouched stub none, each wrong answer loses points and gets its hint.
"""

import json
from pathlib import Path

import pytest

from gdmcourse.grading.grade import grade, judge_question
from gdmcourse.grading.key import agree, make_key, plain_cell, probe_cell, read_key, visible_part
from gdmcourse.grading.notebook import notebook, to_text
from gdmcourse.grading.release import page_of, student_notebook
from gdmcourse.grading.run import Outcome, run
from gdmcourse.grading.sandbox import Limits
from gdmcourse.grading.source import Exercise, read_source
from gdmcourse.grading.submission import Piece, Submission

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "solutions").glob("*.md"))
REMEDY = "run `gdmcourse release` and commit what it writes"


@pytest.fixture(params=SOURCES, ids=lambda path: path.stem)
def source(request) -> Path:
    return request.param


@pytest.fixture
def exercise(source) -> Exercise:
    return read_source(source)


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
def test_the_keys_are_in_sync_within_their_tolerances(exercise, source):
    fresh = make_key(exercise, page=page_of(source))
    full = read_key(ROOT / "solutions" / "key" / f"{source.stem}.json")
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
def test_the_reference_earns_every_visible_point(exercise, tmp_path):
    result = grade(hand_in(exercise, tmp_path), ROOT / "exercises" / "key")
    assert result.earned == result.points == exercise.points - result.hidden_points


def test_the_untouched_stub_earns_nothing_and_is_told_where_help_is(source):
    result = grade(ROOT / "exercises" / f"{source.stem}.ipynb", ROOT / "solutions")
    assert result.earned == 0
    assert all("its hints are in the notebook" in q.reasons[0] for q in result.questions)


@pytest.mark.slow
def test_each_wrong_answer_loses_points_and_its_student_is_told_the_hint(exercise, source):
    """All wrong answers in one kernel, each followed by its probes and then by the reference again."""
    key = read_key(ROOT / "solutions" / "key" / f"{source.stem}.json")
    cells = [plain_cell(f"setup-{n}", setup, "setup") for n, setup in enumerate(key.setup)]
    cells += [
        plain_cell(f"{question.id}-answer", question.answer, "answer") for question in exercise.questions
    ]
    tried = []
    for question, known in zip(exercise.questions, key.questions, strict=True):
        for wrong in question.wrong:
            name = f"wrong-{len(tried)}"
            tried.append((name, known, wrong))
            cells.append(plain_cell(name, wrong.source, "answer"))
            cells += [
                probe_cell(f"{name}-{p.id}", p.source, f"{name}-{p.id}", p.expected) for p in known.probes
            ]
        cells.append(plain_cell(f"{question.id}-answer-again", question.answer, "answer"))
    records = run(notebook(cells), Limits()).records
    for name, known, wrong in tried:
        own = {probe.id: records[f"{name}-{probe.id}"] for probe in known.probes} | {name: records[name]}
        graded = judge_question(known, Submission([Piece(name, wrong.source, known.id)]), Outcome(own, None))
        assert graded.earned < graded.points, wrong.hint
        assert graded.hint == wrong.hint
