"""Last stage: a grade as text for the terminal, as JSON, and as a page of HTML that stands alone."""

import dataclasses
import html
import json
import os
import secrets
from pathlib import Path
from typing import Any

from gdmcourse.grading.clean import clean
from gdmcourse.grading.result import UNSHOWN, Grade, QuestionGrade
from gdmcourse.grading.sandbox import PACKAGE

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}
:root{color-scheme:light dark}
h2{margin:1.6rem 0 .2rem;font-size:1.1rem}ul{margin:.3rem 0;padding-left:1.2rem}
li{overflow-wrap:anywhere}meter{width:8rem;vertical-align:middle}
.hint{border-left:3px solid;padding-left:.7rem}blockquote{white-space:pre-wrap}
"""


def verdict(question: QuestionGrade) -> str:
    """One question in one line: what the notebook's ``check`` and the report both say first."""
    title = f"{question.id}. {question.title}"
    if question.points == 0:
        return f"{title}: marked by your teacher"
    if question.earned >= question.points:
        word = "right"
        if question.hidden_points:
            word = "right on the visible inputs; more are tried when it is graded"
    else:
        word = "partly right" if question.earned > 0 else "not right yet"
    return f"{title}: {word}, {question.earned:g} of {question.points:g} points"


def lines(question: QuestionGrade) -> list[str]:
    """All that there is to say about a question below its verdict, in the order of use."""
    said = sorted([*question.failed, *question.reasons], key=lambda line: line == UNSHOWN)
    if question.hint:
        said.append(f"Hint: {question.hint}")
    if question.help:
        said.append(f"Next: {question.help}")
    if question.note:
        said.append(f"Note: {question.note}")
    if question.rubric:
        said += [f"To mark ({item.points:g} points): {item.text}" for item in question.rubric]
    elif question.marked_points:
        said.append(f"{question.marked_points:g} more points are marked by your teacher")
    return said


def summary(grade: Grade) -> str:
    """The score, and what it doesn't include."""
    beyond = []
    if grade.hidden_points:
        beyond.append(f"{grade.hidden_points:g} more points are for hidden ones")
    if grade.marked_points:
        beyond.append(f"{grade.marked_points:g} more are marked by hand")
    scope = "visible inputs; " if grade.hidden_points else ""
    return f"{grade.title}: {grade.earned:g} of {grade.points:g} points" + (
        f" ({scope}{', '.join(beyond)})" if beyond else ""
    )


def unboxed(grade: Grade) -> str | None:
    """The sentence for a notebook that ran without a sandbox."""
    return None if grade.sandbox else f"The notebook ran unsandboxed: {grade.sandbox_missing}."


def reading(grade: Grade, question: QuestionGrade) -> tuple[str, str | None] | None:
    """Where the book teaches what a question asks, for one that lost points: words, and a link that opens."""
    if question.earned >= question.points or not grade.page:
        return None
    where = question.page or grade.page
    page = PACKAGE.parent / "_build" / "html" / f"{where}.html"
    anchor = f"#equation-{question.teaches}" if question.teaches else ""
    what = f"equation ({question.number}) in " if question.number else ""
    return f"Read: {what}{where}.md", page.as_uri() + anchor if page.exists() else None


def question_text(grade: Grade, question: QuestionGrade) -> str:
    """All that is said about one question; the notebook's ``check`` prints the same."""
    said = lines(question)
    if where := reading(grade, question):
        said.append(where[0] if where[1] is None else f"{where[0]}, {where[1]}")
    return "\n".join([clean(verdict(question)), *(f"    {clean(line, 1000)}" for line in said)])


def as_text(grade: Grade) -> str:
    """The report for a terminal."""
    out = [*(question_text(grade, question) for question in grade.questions), clean(summary(grade))]
    if said := unboxed(grade):
        out.append(clean(said))
    return "\n".join(out)


def as_json(grade: Grade) -> str:
    """The report as JSON in ASCII; the fields are those of Grade and QuestionGrade."""
    return json.dumps(dataclasses.asdict(grade), indent=1) + "\n"


def as_html(grade: Grade) -> str:
    """The report as a page; whatever comes from the student is escaped."""
    parts = [f"<h1>{_text(summary(grade))}</h1><p>{_text(grade.notebook)}</p>"]
    for question in grade.questions:
        meter = f'<meter max="{question.points:g}" value="{question.earned:g}"></meter>'
        parts.append(f"<h2>{_text(verdict(question))} {meter if question.points else ''}</h2><ul>")
        for line in lines(question):
            css = ' class="hint"' if line.startswith("Hint: ") else ""
            parts.append(f"<li{css}>{_text(line)}</li>")
        if where := reading(grade, question):
            words, link = _text(where[0]), where[1]
            parts.append(f'<li><a href="{_text(link)}">{words}</a></li>' if link else f"<li>{words}</li>")
        parts.append("</ul>")
        if question.written:
            told = "\n".join(clean(line, len(line) + 1) for line in question.written.splitlines())
            parts.append(f"<blockquote>{html.escape(told)}</blockquote>")
    if said := unboxed(grade):
        parts.append(f"<p>{_text(said)}</p>")
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head += f"<title>{_text(grade.title)}</title>"
    return f"<!doctype html><html lang=en>{head}<style>{STYLE}</style>{''.join(parts)}</html>\n"


def write_report(path: Path, text: str) -> None:
    """Write a report whole or not at all; who may read it is what this user's files have."""
    part = path.parent / f".report-{secrets.token_hex(8)}"
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _text(value: Any) -> str:
    return html.escape(clean(value, 1000))
