"""The gradebook as a file for others: a table, JSON, and the columns that learning platforms read.

Canvas and Moodle import these. Gradescope has no import of points; its file has the columns of its own export
of grades, which tools made for that read.
"""

import csv
import dataclasses
import datetime
import io
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from gdmcourse.classroom.standing import Standing
from gdmcourse.grading.key import Key

# Where a formula could begin: at the start, and behind what some spreadsheets take for the end of a cell.
FORMULA = re.compile("(^|[;|\t])(?=\\s*[-=+@\uff0d\uff1d\uff0b\uff20])")
Rows = Iterable[Iterable[Any]]


def export(form: str, key: Key, found: list[Standing], column: str | None = None) -> str:
    """The text of a file in this form; ``column`` is what the platform calls the assignment.

    Raises ValueError for another form than those of FORMS, and says which there are.
    """
    if form not in FORMS:
        raise ValueError(f"there is no form {form!r}, only {', '.join(FORMS)}")
    return FORMS[form](key, found, column or key.title)


def _table(key: Key, found: list[Standing], column: str) -> str:
    heads = ["student", "name", "assignment", "file", "handed in", "state"]
    heads += [question.id for question in key.questions] + ["late percent", "total", "points", "notes"]
    rows = [
        [
            s.student,
            s.name,
            key.chapter,
            s.file,
            _time(s),
            s.state,
            *(line.earned for line in s.lines),
            s.late.percent if s.late else 0,
            _total(s),
            s.points,
            _notes(s),
        ]
        for s in found
    ]
    return _csv([heads, *rows])


def _marks(key: Key, found: list[Standing], column: str) -> str:
    """A sheet for the marks of open questions, a number for each line of a rubric; `marks` enters them.

    A mark that was given to an earlier file has an empty cell, as one that is to be given.
    """
    opened = [question.id for question in key.questions if question.rubric]
    rows = [
        [
            s.student,
            s.name,
            *(
                " ".join(f"{p:g}" for p in line.marks if not line.stale)
                for line in s.lines
                if line.id in opened
            ),
        ]
        for s in found
    ]
    return _csv([["student", "name", *opened], *rows])


def _canvas(key: Key, found: list[Standing], column: str) -> str:
    """Canvas finds a student by ID, and an assignment by ``Title (id)`` or by its title."""
    points = sum(question.points + question.marked_points for question in key.questions)
    heads = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", column]
    rows = [[s.name, s.student, "", "", "", _total(s)] for s in found]
    return _csv([heads, ["    Points Possible", "", "", "", "", f"{points:g}"], *rows])


def _moodle(key: Key, found: list[Standing], column: str) -> str:
    """Moodle's grading worksheet: it finds a student by ``Participant`` and the number of the folder."""
    heads = ["Identifier", "Full name", "Status", "Grade", "Maximum Grade", "Grade can be changed"]
    heads += ["Last modified (submission)", "Last modified (grade)", "Feedback comments"]
    rows = [
        [
            f"Participant {s.student}",
            s.name,
            "Submitted for grading" if s.digest else "No submission",
            _total(s),
            f"{s.points:.2f}",
            "Yes",
            "-",
            "-",
            _notes(s),
        ]
        for s in found
    ]
    return _csv([heads, *rows])


def _gradescope(key: Key, found: list[Standing], column: str) -> str:
    heads = [
        "First Name",
        "Last Name",
        "SID",
        "Email",
        "Total Score",
        "Max Points",
        "Status",
        "Submission Time",
    ]
    heads += [f"{n}: {q.title} ({q.points + q.marked_points:g} pts)" for n, q in enumerate(key.questions, 1)]
    rows = []
    for s in found:
        first, _, last = s.name.rpartition(" ")
        email = s.student if "@" in s.student else ""
        status = "Graded" if s.state == "graded" else "Missing" if s.digest is None else "Ungraded"
        rows.append(
            [first or last, last if first else "", s.student, email, _total(s), f"{s.points:g}", status]
        )
        rows[-1] += [_time(s), *(f"{line.earned:g}" for line in s.lines)]
    return _csv([heads, *rows])


def _json(key: Key, found: list[Standing], column: str) -> str:
    told = [dataclasses.asdict(standing) for standing in found]
    return json.dumps({"assignment": key.chapter, "title": key.title, "students": told}, indent=1) + "\n"


FORMS: dict[str, Callable[[Key, list[Standing], str], str]] = {
    "csv": _table,
    "canvas": _canvas,
    "moodle": _moodle,
    "gradescope": _gradescope,
    "json": _json,
    "marks": _marks,
}


def _csv(rows: Rows) -> str:
    """The rows as CSV; no cell begins as a formula does, which a spreadsheet would run."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([plain(cell) for cell in row] for row in rows)
    return out.getvalue()


def plain(cell: Any) -> Any:
    """The cell with a mark where a spreadsheet could read a formula."""
    return cell if not isinstance(cell, str) or cell == "-" else FORMULA.sub(r"\1'", cell)


def _total(standing: Standing) -> str:
    """The points; empty where nothing is graded yet, so that an import leaves the place as it is."""
    return "" if standing.total is None else f"{standing.total:g}"


def _time(standing: Standing) -> str:
    if standing.at is None:
        return ""
    try:
        at = datetime.datetime.fromtimestamp(standing.at, datetime.UTC)
    except (ValueError, OverflowError, OSError):  # a file can have a time that no calendar has
        return ""
    return at.isoformat(sep=" ", timespec="seconds")


def _notes(standing: Standing) -> str:
    """What a student may read of why the points are what they are."""
    said = [f"{line.id}: {line.earned:g} of {line.points:g}" for line in standing.lines]
    said += [f"{line.id} was set by the teacher: {line.reason}" for line in standing.lines if line.reason]
    said += [standing.late.words] if standing.late else []
    said += [f"set by the teacher: {standing.reason}"] if standing.reason else []
    said += [standing.problem] if standing.problem else []
    return "; ".join(said)
