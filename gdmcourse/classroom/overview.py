"""A class at a glance: a table and a histogram, in the terminal and as one page of HTML."""

import itertools
import statistics

from rich.console import Group
from rich.table import Table
from rich.text import Text

from gdmcourse.classroom.gradebook import Gradebook
from gdmcourse.classroom.items import Item, code_of, items
from gdmcourse.classroom.page import block, page, table, text
from gdmcourse.classroom.standing import EARLIER, Standing
from gdmcourse.grading.key import Key, KeyQuestion

BINS = 10
BAR = 40  # letters of the longest bar


def histogram(found: list[Standing], points: float) -> list[int]:
    """How many students have each tenth of the points; all of them belong to the last."""
    counts = [0] * BINS
    for standing in found:
        if standing.total is not None and points > 0:
            counts[min(BINS - 1, int(BINS * standing.total / points))] += 1
    return counts


def summary(key: Key, found: list[Standing]) -> str:
    """How many students there are, and their mean and median."""
    totals = [standing.total for standing in found if standing.total is not None]
    said = f"{key.title}: {len(found)} students"
    if totals:
        middle = f"mean {statistics.fmean(totals):.2f}, median {statistics.median(totals):g}"
        said += f", {middle} of {_points(key):g} points"
    unmarked = sum(any(line.unmarked for line in standing.lines) for standing in found)
    return said + (f", {unmarked} with answers that wait for marks" if unmarked else "")


def notes(standing: Standing) -> str:
    """What a teacher should know of one student beside the points."""
    said = {"waiting": ["not graded by this version of the key yet"]}.get(standing.state, [])
    said += [standing.problem] if standing.problem else []
    said += [standing.late.words] if standing.late else []
    said += [f"{line.id}: {line.reason}" for line in standing.lines if line.reason]
    said += [f"{line.id}: {EARLIER}" for line in standing.lines if line.stale]
    said += [standing.reason] if standing.reason else []
    return "; ".join(said)


def for_terminal(key: Key, found: list[Standing]) -> Group:
    """The table, the histogram and the summary."""
    made = Table(box=None, pad_edge=False)
    made.add_column("student", overflow="fold")
    for question in key.questions:
        made.add_column(question.id, justify="right")
    made.add_column("total", justify="right")
    made.add_column("notes", overflow="fold")
    for standing in found:
        cells = [f"{line.earned:g}{'?' if line.unmarked else ''}" for line in standing.lines]
        total = "–" if standing.total is None else f"{standing.total:g}"
        made.add_row(*map(Text, [standing.name, *cells, total, notes(standing)]))
    counts = histogram(found, _points(key))
    bars = [
        Text(f"{label:>12}  {'█' * round(BAR * count / max(1, *counts))} {count or ''}")
        for label, count in zip(_labels(key), counts, strict=True)
    ]
    return Group(made, Text(), *bars, Text(), Text(summary(key, found)))


def as_html(book: Gradebook, key: Key, found: list[Standing]) -> str:
    """The page for a teacher: histogram, table, what there is to mark, and the analysis of each question."""
    counts = histogram(found, _points(key))
    heads = ["student", *(question.id for question in key.questions), "total", "notes", "file"]
    rows = [
        [
            text(s.name),
            *(f"{line.earned:g}{'?' if line.unmarked else ''}" for line in s.lines),
            "–" if s.total is None else f"{s.total:g}",
            text(notes(s)),
            f"<code>{text(s.file)}</code>",
        ]
        for s in found
    ]
    numbers = range(1, len(key.questions) + 2)
    parts = [
        f"<h1>{text(summary(key, found))}</h1>",
        _drawn(counts, _labels(key)),
        table(heads, rows, numbers),
    ]
    for question in key.questions:
        if question.rubric:
            parts += _open(book, key, question, found)
    parts += [part for item in items(book, key) for part in _item(item)]
    return page(key.title, parts, wide=True)


def _open(book: Gradebook, key: Key, question: KeyQuestion, found: list[Standing]) -> list[str]:
    """What was answered to an open question, in words and in code, with its rubric, for whoever marks it."""
    rubric = "".join(f"<li>{item.points:g}: {text(item.text)}</li>" for item in question.rubric)
    parts = [f"<h2>{text(question.id)}. {text(question.title)}, to mark</h2><ol>{rubric}</ol>"]
    for standing in found:
        (line,) = (line for line in standing.lines if line.id == question.id)
        if not (line.unmarked or line.marks):
            continue
        reports = {report["id"]: report for report in standing.report.get("questions", [])}
        marks = " + ".join(f"{points:g}" for points in line.marks) or "not marked yet"
        told = f" ({EARLIER})" if line.stale else ""
        parts.append(f"<p>{text(standing.name)}, {text(standing.student)}: {marks}{told}</p>")
        if written := reports.get(question.id, {}).get("written"):
            parts.append(f"<blockquote>{block(written)}</blockquote>")
        if code := code_of(book, key, standing, question.id):
            parts.append(f"<pre>{block(code, 3000)}</pre>")
    return parts


def _item(item: Item) -> list[str]:
    told = "–" if item.discrimination is None else f"{item.discrimination:.2f}"
    parts = [
        f"<h2>{text(item.id)}. {text(item.title)}</h2><p>{item.difficulty:.0%} of the points were earned; "
        f"discrimination {told}; {item.untouched} of {item.students} did not answer.</p>"
    ]
    if item.known:
        known = ([text(hint), str(count)] for hint, count in item.known)
        parts.append(table(("known mistake", "students"), known, [1]))
    for group in item.unknown:
        names = ", ".join(group.students[:5]) + (", …" if len(group.students) > 5 else "")
        parts.append(
            f"<p>{len(group.students)} without a hint ({text(names)}):</p>"
            f"<pre>{block(group.code, 3000)}</pre>"
        )
    return parts


def _drawn(counts: list[int], labels: list[str]) -> str:
    """The histogram as a drawing, each bar with its count."""
    most = max(1, *counts)
    rows = []
    for at, (count, label) in enumerate(zip(counts, labels, strict=True)):
        y, width = 24 * at, 360 * count / most
        rows.append(
            f'<text x="110" y="{y + 16}" text-anchor="end">{text(label)}</text>'
            f'<rect x="120" y="{y + 3}" width="{width:.1f}" height="18" fill="#4477aa"/>'
            f'<text x="{128 + width:.1f}" y="{y + 16}">{count or ""}</text>'
        )
    what = "; ".join(f"{label}: {count}" for label, count in zip(labels, counts, strict=True))
    size = f'viewBox="0 0 540 {24 * BINS}" width="540"'
    head = f'<svg {size} role="img" aria-label="Students by points: {text(what)}">'
    return f"{head}{''.join(rows)}</svg>"


def _labels(key: Key) -> list[str]:
    edges = [f"{_points(key) * at / BINS:g}" for at in range(BINS + 1)]
    return [f"{low} – {high}" for low, high in itertools.pairwise(edges)]


def _points(key: Key) -> float:
    return sum(question.points + question.marked_points for question in key.questions)
