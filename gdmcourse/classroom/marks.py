"""Marks of open questions from a spreadsheet, as `export` wrote it: all of them are entered, or none."""

import csv
import io
import re
from pathlib import Path

from gdmcourse.classroom.decide import allowed
from gdmcourse.classroom.export import plain
from gdmcourse.classroom.gradebook import Gradebook
from gdmcourse.classroom.schema import Decision
from gdmcourse.classroom.standing import Line, Standing, standings
from gdmcourse.grading.clean import clean
from gdmcourse.grading.key import Key, KeyQuestion


def enter(book: Gradebook, key: Key, path: Path) -> int:
    """Enter the marks that are new or others than before, with the notes that were there; returns how many.

    An empty cell leaves what is kept. Raises ValueError, with the line, for an unknown student or question, a
    cell that holds no numbers, or one out of range; nothing is entered then.
    """
    heads, rows = _read(path)
    asked = _columns(key, heads)
    students = {str(plain(standing.student)): standing for standing in standings(book, key)}
    seen: set[str] = set()
    decisions = []
    for number, cells in rows:
        where = f"{clean(path)}, line {number}"
        own = cells[heads.index("student")]
        if own not in students or own in seen:
            told = "is there twice" if own in seen else "is no student's id"
            raise ValueError(f"{where}: {clean(own, 100)!r} {told}. Nothing was entered")
        seen.add(own)
        for column, question in asked.items():
            try:
                decisions += _decision(students[own], question, cells[column])
            except ValueError as error:
                raise ValueError(f"{where}, {question.id}: {error}. Nothing was entered") from None
    book.decide(key.chapter, decisions)
    return len(decisions)


def _read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The heads and the rows with their lines, whatever a spreadsheet puts between cells."""
    if not path.is_file():
        raise ValueError(
            f"there is no file {clean(path)}; `gdmcourse gradebook export --form marks` makes one"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{clean(path)} is not in UTF-8; save it as “CSV UTF-8”") from None
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except csv.Error as error:
        raise ValueError(f"{clean(path)}, line {reader.line_num}: {error}; save it as “CSV UTF-8”") from None
    if not lines or lines[0][1].count("student") != 1:
        raise ValueError(f"{clean(path)} has no column `student` in its first line")
    (_, heads), *rows = lines
    for number, cells in rows:
        if len(cells) > len(heads):
            raise ValueError(f"{clean(path)}, line {number} has more cells than the first line has names")
        cells += [""] * (len(heads) - len(cells))
    return heads, rows


def _columns(key: Key, heads: list[str]) -> dict[int, KeyQuestion]:
    """The open questions by their columns."""
    known = {question.id: question for question in key.questions if question.rubric}
    named = [head for head in heads if head not in ("student", "name")]
    for head in named:
        if head not in known or named.count(head) > 1:
            told = "is there twice" if head in known else "is no open question"
            raise ValueError(
                f"the column {clean(head, 100)!r} {told}; there are {', '.join(known) or 'none'}"
            )
    return {heads.index(head): known[head] for head in named}


def _decision(standing: Standing, question: KeyQuestion, cell: str) -> list[Decision]:
    """The mark that a cell gives, where it gives another one than before."""
    line: Line = next(line for line in standing.lines if line.id == question.id)
    if not cell:
        return []
    points = allowed(question, [_number(part) for part in re.split(r"[\s+]+", cell)])
    if points == line.marks and not line.stale:
        return []
    return [Decision(standing.student, "mark", points, question.id, line.note or "", standing.digest)]


def _number(text: str) -> float:
    """A number with a point or a comma; what is none is out of every range."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return -1.0
