"""Grade one submission: all questions in one kernel, then a second look, alone, at those that lost points."""

import builtins
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gdmcourse.grading import sandbox
from gdmcourse.grading.assemble import alone, needed, together
from gdmcourse.grading.compare import first_difference, leaves
from gdmcourse.grading.key import Key, KeyProbe, KeyQuestion, agree
from gdmcourse.grading.lookup import find_key, key_folders
from gdmcourse.grading.run import Outcome, run
from gdmcourse.grading.sandbox import Limits
from gdmcourse.grading.submission import Submission, read_notebook, read_submission

HIDDEN = "a hidden input"


@dataclass(frozen=True)
class QuestionGrade:
    """How one question was graded; ``reasons`` and ``failed`` are sentences for the student."""

    id: str
    title: str
    points: float
    earned: float
    reasons: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    hint: str | None = None
    note: str | None = None
    teaches: str | None = None


@dataclass(frozen=True)
class Grade:
    """How a submission was graded; ``hidden_points`` are those of probes that only the teacher's key has."""

    notebook: str
    chapter: str
    title: str
    page: str
    earned: float
    points: float
    hidden_points: float
    sandbox: str
    questions: list[QuestionGrade]


def grade(
    path: Path, keys: Path | None = None, only: str | None = None, limits: Limits | None = None
) -> Grade:
    """Grade the notebook at ``path``; ``keys`` is a key or a folder of keys, by default the students' ones.

    Raises Unreadable where the submission can't be graded at all, ValueError where the key can't be found.
    """
    notebook = read_notebook(path)
    key = find_key(notebook, path, keys)
    if only is not None and only not in {question.id for question in key.questions}:
        raise ValueError(
            f"there is no question {only} in {key.chapter}, only {', '.join(q.id for q in key.questions)}"
        )
    submission = read_submission(notebook, key)
    limits = limits or Limits()
    hidden = [path.parent, *key_folders(path, keys)]
    wanted = [question for question in key.questions if only in (None, question.id)]
    attempts = _attempts(key, submission, wanted, limits, hidden, first_alone=only is not None)
    grades = [_best([judge_question(q, submission, a) for a in attempts[q.id]]) for q in wanted]
    missing = sandbox.missing()
    return Grade(
        notebook=path.name,
        chapter=key.chapter,
        title=key.title,
        page=key.page,
        earned=round(sum(grade.earned for grade in grades), 2),
        points=sum(grade.points for grade in grades),
        hidden_points=key.hidden_points if only is None else 0.0,
        sandbox="bubblewrap" if missing is None else f"unsandboxed: {missing}",
        questions=grades,
    )


def _best(grades: Sequence[QuestionGrade]) -> QuestionGrade:
    """The most points of all runs, with the words of the last one.

    In that one no hidden probe of another question ran, so no answer can tell inputs that another one saw.
    """
    best = max(grades, key=lambda grade: grade.earned)
    return best if best.earned == best.points else replace(grades[-1], earned=best.earned)


def _attempts(
    key: Key,
    submission: Submission,
    questions: Sequence[KeyQuestion],
    limits: Limits,
    hidden: Sequence[Path],
    first_alone: bool,
) -> dict[str, list[Outcome]]:
    """The runs in which each question was judged; the best counts, so that no answer can spoil another."""
    answered = [q for q in questions if (a := submission.answer(q.id)) is not None and not a.untouched]
    attempts: dict[str, list[Outcome]] = {question.id: [] for question in questions}
    again = answered
    if not first_alone and answered:
        outcome = run(together(key, submission, secrets.token_hex(8)), limits, hidden)
        for question in questions:
            attempts[question.id].append(outcome)
        again = [q for q in answered if not _all_right(q, outcome) and _company(submission, q.id)]
    with ThreadPoolExecutor(max_workers=2) as pool:
        seconds = pool.map(lambda q: _second_look(key, submission, q.id, limits, hidden), again)
        for question, outcome in zip(again, seconds, strict=True):
            attempts[question.id].append(outcome)
    return {name: found or [Outcome({}, None)] for name, found in attempts.items()}


def _second_look(
    key: Key, submission: Submission, question: str, limits: Limits, hidden: Sequence[Path]
) -> Outcome:
    """Run one question by itself; a helper that kills the kernel is left out and the rest runs again."""
    others = {piece.name for piece in needed(submission, question) if piece.question != question}
    without: set[str] = set()
    while True:
        outcome = run(alone(key, submission, question, secrets.token_hex(8), without), limits, hidden)
        if outcome.died_at not in others - without:
            return outcome
        without.add(str(outcome.died_at))


def _company(submission: Submission, question: str) -> bool:
    """Whether anything else of the student's that ran in the same kernel could be to blame."""
    order = [piece.question for piece in submission.pieces]
    before = submission.pieces[: order.index(question)]
    return None in order or any(not piece.untouched for piece in before)


def _all_right(question: KeyQuestion, outcome: Outcome) -> bool:
    return all(_share(probe, outcome) == 1 for probe in question.probes)


def _share(probe: KeyProbe, outcome: Outcome) -> float:
    """The share of a probe's values that are right."""
    flags = [flag for part in outcome.records.get(probe.id, {}).get("right", []) for flag in part]
    return sum(flags) / sum(leaves(entry["value"]) for entry in probe.expected)


def judge_question(question: KeyQuestion, submission: Submission, outcome: Outcome) -> QuestionGrade:
    """Points, reasons and hint of one question from what one run gave."""
    piece = submission.answer(question.id)
    about: dict[str, Any] = {"id": question.id, "title": question.title, "points": question.points}
    about |= {"teaches": question.teaches, "note": submission.notes.get(question.id)}
    if piece is None:
        return QuestionGrade(
            **about, earned=0.0, reasons=[f"no answer found; it should start with # answer: {question.id}"]
        )
    if piece.untouched:
        return QuestionGrade(**about, earned=0.0, reasons=["not answered yet; its hints are in the notebook"])
    earned = sum(probe.points * _share(probe, outcome) for probe in question.probes)
    reasons = _reasons(question, piece.name, outcome)
    failed = [line for probe in question.probes if not probe.hidden for line in _failed(probe, outcome)]
    if any(probe.hidden and _share(probe, outcome) < 1 for probe in question.probes):
        failed.append("it is wrong at an input that isn't shown")
    hint = _hint(question, outcome)
    return QuestionGrade(**about, earned=round(earned, 2), reasons=reasons, failed=failed, hint=hint)


def _reasons(question: KeyQuestion, answer: str, outcome: Outcome) -> list[str]:
    """How the answer's cell and the probes ended, where not well; each reason once."""
    own = {answer: "the answer", f"{answer}-again": "the answer"}
    own |= {probe.id: HIDDEN if probe.hidden else probe.source for probe in question.probes}
    places: dict[str, str] = {}
    for name, place in own.items():
        record = outcome.records.get(name)
        if record is not None and record["end"] != "ok":
            reason = record["reason"]
            if place == HIDDEN and record["end"] == "error" and reason not in places:
                kind = reason.split(":")[0]  # a message could tell the input
                reason = kind if kind in vars(builtins) else "an exception"
            places.setdefault(reason, place)
    if outcome.gone and not places:
        return [outcome.gone]
    return [f"{place}: {reason}" for reason, place in places.items()]


def _failed(probe: KeyProbe, outcome: Outcome) -> list[str]:
    """What is wrong at a visible probe's inputs, one line for each call of ``probe``."""
    record = outcome.records.get(probe.id)
    if record is None or record["end"] != "ok":
        return []
    several = len(probe.expected) > 1
    lines = []
    for number, (entry, value) in enumerate(zip(probe.expected, record["values"], strict=True), 1):
        if problem := first_difference(entry["value"], value, entry["rtol"], entry["atol"]):
            lines.append(f"{probe.source}{f', value {number}' if several else ''}: {problem}")
    return lines


def _hint(question: KeyQuestion, outcome: Outcome) -> str | None:
    """The hint of a wrong answer that gives the student's values wherever these are wrong, or None."""
    entries: list[tuple[dict[str, Any], str, int]] = []
    values: list[Any] = []
    for probe in question.probes:
        arrived = outcome.records.get(probe.id, {}).get("values") or [None] * len(probe.expected)
        entries += [(entry, probe.id, number) for number, entry in enumerate(probe.expected)]
        values += arrived
    best, hint = 0, None
    for wrong in question.wrong:
        same = 0
        for (entry, name, number), value in zip(entries, values, strict=True):
            known = wrong.values[name][number]
            if agree([entry], [value]):
                continue
            if not agree([entry], [value], reference=[known]):
                break
            same += value is not None
        else:
            if same > best:
                best, hint = same, wrong.hint
    return hint
