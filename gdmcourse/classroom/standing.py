"""Where each student stands: graded by the key as it is now, with the teacher's decisions and lateness."""

import json
from dataclasses import dataclass, field
from typing import Any

from gdmcourse.classroom.gradebook import Gradebook
from gdmcourse.classroom.late import Late, late, policy_of
from gdmcourse.classroom.version import stamp
from gdmcourse.grading.clean import clean
from gdmcourse.grading.key import Key, KeyQuestion

EARLIER = "decided for an earlier file"


@dataclass(frozen=True)
class Line:
    """One question: its points, those that wait for the teacher's marks, and what the teacher decided."""

    id: str
    title: str
    earned: float
    points: float
    unmarked: float = 0.0
    marks: list[float] = field(default_factory=list)
    note: str | None = None
    reason: str | None = None
    stale: bool = False


@dataclass(frozen=True)
class Standing:
    """One student. ``state`` is graded, unreadable, nothing (handed in) or waiting (for the next grading).

    ``report`` is the grade as ``grading`` gave it, with the fields of its ``Grade``.
    """

    student: str
    name: str
    file: str
    at: float | None
    digest: str | None
    state: str
    problem: str | None
    report: dict[str, Any]
    lines: list[Line]
    late: Late | None
    reason: str | None
    total: float | None
    points: float


def standings(book: Gradebook, key: Key) -> list[Standing]:
    """All students of an assignment, by name; of several files the last handed in counts."""
    rows = book.rows(
        "SELECT h.*, g.report FROM handed_in h LEFT JOIN grade g ON g.assignment = h.assignment AND "
        "g.student = h.student AND g.hash = h.hash AND g.version = ? WHERE h.assignment = ? "
        "ORDER BY h.hash IS NOT NULL, h.intake, h.at, h.id",
        stamp(key).version,
        key.chapter,
    )
    (policy,) = book.rows("SELECT late FROM assignment WHERE name = ?", key.chapter)
    rule = policy_of(policy["late"])
    decided = _decided(book, key.chapter)
    last = {row["student"]: row for row in rows}
    found = [_standing(row, key, rule, decided.get(student, {})) for student, row in last.items()]
    return sorted(found, key=lambda s: (s.name.casefold(), s.student))


def one(book: Gradebook, key: Key, student: str) -> Standing:
    """The student of this id or, where it is clear, of this name."""
    every = standings(book, key)
    same = [s for s in every if s.student == student] or [s for s in every if s.name == student]
    if len(same) != 1:
        raise ValueError(
            f"{'no' if not same else 'more than one'} student is called {clean(student)}; give the id"
        )
    return same[0]


def _decided(book: Gradebook, assignment: str) -> dict[str, dict[tuple[str, str], Any]]:
    """By student the last decision of each kind on each question."""
    found: dict[str, dict[tuple[str, str], Any]] = {}
    for row in book.rows("SELECT * FROM decision WHERE assignment = ? ORDER BY id", assignment):
        found.setdefault(row["student"], {})[row["kind"], row["question"]] = row
    return {
        student: {what: row for what, row in own.items() if json.loads(row["points"]) is not None}
        for student, own in found.items()
    }


def _standing(row: Any, key: Key, rule: Any, decided: dict[tuple[str, str], Any]) -> Standing:
    report = json.loads(row["report"]) if row["report"] else {}
    state = "graded" if "questions" in report else "unreadable" if report else "nothing"
    if row["hash"] is not None and not report:
        state = "waiting"
    reports = {q["id"]: q for q in report.get("questions", [])}
    lines = [_line(q, reports.get(q.id, {}), row["hash"], decided) for q in key.questions]
    off = late(rule, row["at"]) if row["hash"] is not None else None
    total: float | None = sum((line.earned for line in lines), 0.0) * (
        1 - (off.percent if off else 0.0) / 100
    )
    whole = decided.get(("override", ""))
    if whole is not None:
        total = float(json.loads(whole["points"]))
    elif state == "waiting":
        total = None
    return Standing(
        student=row["student"],
        name=row["name"],
        file=row["file"],
        at=row["at"],
        digest=row["hash"],
        state=state,
        problem=row["problem"] or report.get("unreadable"),
        report=report,
        lines=lines,
        late=off,
        reason=None if whole is None else whole["reason"],
        total=None if total is None else round(total, 2),
        points=sum((line.points for line in lines), 0.0),
    )


def _line(
    question: KeyQuestion, report: dict[str, Any], digest: str | None, decided: dict[tuple[str, str], Any]
) -> Line:
    mark, override = decided.get(("mark", question.id)), decided.get(("override", question.id))
    marks = json.loads(mark["points"]) if mark else []
    points = question.points + question.marked_points
    earned = report.get("earned", 0.0)
    waits = (report.get("written") or earned) and not (marks or override)
    return Line(
        id=question.id,
        title=question.title,
        earned=round(float(json.loads(override["points"])) if override else earned + sum(marks), 2),
        points=points,
        unmarked=question.marked_points if waits else 0.0,
        marks=marks,
        note=mark["reason"] if mark else None,
        reason=override["reason"] if override else None,
        stale=any(row is not None and row["hash"] != digest for row in (mark, override)),
    )
