"""What a student gets back: one page, with points, what the code gave on visible inputs, and what would help.

It is made of what the grader's report may say and of visible probes. The text of a rubric, a hidden probe and
what it expects are no part of it.
"""

import html
import re
from pathlib import Path
from typing import Any

from gdmcourse.classroom.gradebook import Gradebook
from gdmcourse.classroom.page import block, page, table, text
from gdmcourse.classroom.standing import Line, Standing, standings
from gdmcourse.classroom.work import outcome_of
from gdmcourse.grading.clean import clean
from gdmcourse.grading.compare import Compared, compare
from gdmcourse.grading.inputs import inputs
from gdmcourse.grading.key import Key, KeyQuestion
from gdmcourse.grading.report import write_report
from gdmcourse.grading.result import UNSHOWN
from gdmcourse.grading.values import describe, difference, is_comparable, shown

FEW = 6  # numbers that are written out
MOST = 30  # inputs that are shown of one question
UNSAFE = re.compile(r'[\x00-\x1f\\/:*?"<>|]+')


def write_feedback(book: Gradebook, key: Key, folder: Path, site: str | None = None) -> list[Path]:
    """Write a page for each student who was graded, into a folder called as the one that was handed in.

    ``site`` is the address of the rendered book, to which the pages then link.
    """
    written: list[Path] = []
    for standing in standings(book, key):
        if standing.state in ("graded", "unreadable"):
            path = _place(folder, standing, written)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_report(path, feedback(book, key, standing, site))
            written.append(path)
    return written


def feedback(book: Gradebook, key: Key, standing: Standing, site: str | None = None) -> str:
    """The page of one student."""
    total = "waiting" if standing.total is None else f"{standing.total:g} of {standing.points:g} points"
    parts = [
        f"<h1>{text(key.title)}: {total}</h1><p>{text(standing.name)}, <code>{text(standing.file)}</code></p>"
    ]
    if standing.problem:
        parts.append(f"<p>Your file can't be graded: {text(standing.problem)}.</p>")
    if standing.late:
        parts.append(f"<p>Time: {text(standing.late.words)}.</p>")
    if standing.reason:
        parts.append(f"<p>Your teacher set the points: {text(standing.reason)}</p>")
    known = {} if standing.digest is None else book.known(standing.digest, key)
    reports = {report["id"]: report for report in standing.report.get("questions", [])}
    for question, line in zip(key.questions, standing.lines, strict=True):
        if question.id in reports:
            kept = known.get(question.id, ("", None))[1]
            probes = compare(question, outcome_of(kept)) if kept is not None else []
            parts += _question(key, question, line, reports[question.id], probes, site)
    return page(f"{key.title}: {standing.name}", parts)


def _question(
    key: Key,
    question: KeyQuestion,
    line: Line,
    report: dict[str, Any],
    probes: list[Compared],
    site: str | None,
) -> list[str]:
    meter = f'<meter max="{line.points:g}" value="{line.earned:g}"></meter>'
    points = f"{line.earned:g} of {line.points:g} points"
    parts = [f"<h2>{text(question.id)}. {text(question.title)}: {points} {meter}</h2>"]
    if line.reason:
        parts.append(f"<p>Your teacher set the points: {text(line.reason)}</p>")
    visible = [row for probe in probes if not probe.probe.hidden for row in _rows(probe)]
    if visible and report["earned"] < report["points"]:
        parts.append(table(("input", "expected", "your code gave", ""), visible[:MOST]))
    said = [text(reason) for reason in report["reasons"]]
    said += [f"{text(UNSHOWN).capitalize()}."] if UNSHOWN in report["failed"] else []
    said += [f"<span class=hint>Hint: {text(report['hint'])}</span>"] if report["hint"] else []
    said += [f"Next: {text(report['help'])}"] if report["help"] else []
    said += [f"Note: {text(report['note'])}"] if report["note"] else []
    if line.marks:
        given = f"{sum(line.marks):g} of {question.marked_points:g} points marked by your teacher"
        said.append(given + (f": {text(line.note)}" if line.note else ""))
    elif line.unmarked:
        said.append(f"{line.unmarked:g} points are not marked yet")
    if line.earned < line.points and key.page:
        said.append(_reading(key, question, site))
    parts.append("<ul>" + "".join(f"<li>{entry}</li>" for entry in said) + "</ul>" if said else "")
    if report["written"]:
        parts.append(f"<blockquote>{block(report['written'])}</blockquote>")
    return parts


def _rows(probe: Compared) -> list[list[str]]:
    """Of each value of a visible probe the input, what is expected, what the code gave, and a verdict."""
    rows = []
    for call, given in zip(probe.calls, inputs(probe.probe.source, len(probe.calls)), strict=True):
        expected = words(call.expected, call.expected, call.atol)
        got = "nothing" if call.value is None else words(call.value, call.expected, call.atol)
        if got == expected and not call.is_right:
            expected, got = words(call.expected, call.expected), words(call.value, call.expected)
        found = (
            None
            if call.is_right or call.value is None
            else difference(call.expected, call.value, call.rtol, call.atol)
        )
        if found and found.entry:
            got += f"; {found.words} at {given.where(found).split(' of ')[0].removeprefix('in ')}"
        right = "<span class=right>✓ right</span>" if call.is_right else "<span class=wrong>✗ wrong</span>"
        place = given.where().removeprefix("at ")
        rows.append([f"<code>{text(place)}</code>", text(expected), text(got), right])
    return rows


def words(value: Any, expected: dict[str, Any], atol: float = 0.0) -> str:
    """A value as one reads it: few numbers are written out, more are described by their shape.

    A number that is 0 to the tolerance `atol` is written as 0.
    """
    if not is_comparable(expected, value):
        return clean(value["text"], 100) if isinstance(value, dict) and "text" in value else describe(value)
    if value["type"] in ("list", "dict"):
        pairs = zip(value["items"], expected["items"], strict=True)
        parts = [words(item, known, atol) for item, known in list(pairs)[:FEW]]
        return f"[{', '.join(parts)}{', …' if len(value['items']) > FEW else ''}]"
    if value["type"] in ("text", "none"):
        return clean(value["text"], 100) if "text" in value else "None"
    numbers = [shown(number, atol) for number in (value["values"] or [])[:FEW]]
    if value["shape"] == [] and numbers:
        return numbers[0]
    more = f", … ({describe(value)})" if len(value["values"] or []) > FEW else ""
    return f"[{', '.join(numbers)}{more}]"


def _reading(key: Key, question: KeyQuestion, site: str | None) -> str:
    where = question.page or key.page
    what = f"Read: {f'equation ({question.number}) in ' if question.number else ''}{where}.md"
    if site is None:
        return text(what)
    anchor = f"#equation-{question.teaches}" if question.teaches else ""
    address = html.escape(f"{site.rstrip('/')}/{where}.html{anchor}")
    return f'<a href="{address}">{text(what)}</a>'


def _place(folder: Path, standing: Standing, taken: list[Path]) -> Path:
    """A place below the folder and nowhere else, for each student another."""
    first, _, rest = standing.file.partition("/")
    name = (
        UNSAFE.sub("_", first if rest else first.rpartition(".")[0] or first).strip(". ")[:120] or "student"
    )
    known = {path.relative_to(folder).parts[0].casefold() for path in taken}
    ending, number, own = "" if rest else ".html", 1, name
    while f"{own}{ending}".casefold() in known:
        number += 1
        own = f"{name}-{number}"
    return folder / own / "feedback.html" if rest else folder / f"{own}.html"
