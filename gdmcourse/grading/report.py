"""A grade as text for the terminal, as JSON, and as a page of HTML that needs no other file or host."""

import dataclasses
import html
import json
from typing import Any

from gdmcourse.grading.grade import Grade, QuestionGrade
from gdmcourse.grading.sandbox import PACKAGE

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}
:root{color-scheme:light dark}
h2{margin:1.6rem 0 .2rem;font-size:1.1rem}ul{margin:.3rem 0;padding-left:1.2rem}
li{overflow-wrap:anywhere}meter{width:8rem;vertical-align:middle}
.hint{border-left:3px solid;padding-left:.7rem}
"""


def verdict(question: QuestionGrade) -> str:
    """One question in one line: what the notebook's ``check`` and the report both say first."""
    if question.earned >= question.points:
        word = "right"
    else:
        word = "partly right" if question.earned > 0 else "not right yet"
    return f"{question.id}. {question.title}: {word}, {question.earned:g} of {question.points:g} points"


def lines(question: QuestionGrade) -> list[str]:
    """All that there is to say about a question below its verdict, in the order of use."""
    said = [*question.reasons, *question.failed]
    if question.hint:
        said.append(f"Hint: {question.hint}")
    if question.note:
        said.append(f"Note: {question.note}")
    return said


def summary(grade: Grade) -> str:
    """The score, and what it doesn't include."""
    hidden = (
        f" (visible inputs; {grade.hidden_points:g} more points are for hidden ones)"
        if grade.hidden_points
        else ""
    )
    return f"{grade.title}: {grade.earned:g} of {grade.points:g} points{hidden}"


def reading(grade: Grade, question: QuestionGrade) -> str | None:
    """Where the book teaches what a question asks, for one that lost points."""
    if question.earned >= question.points or not grade.page:
        return None
    return f"Read: {grade.page}.md{f', {question.teaches}' if question.teaches else ''}"


def question_text(grade: Grade, question: QuestionGrade) -> str:
    """All that is said about one question; the notebook's ``check`` prints the same."""
    said = [*lines(question), reading(grade, question)]
    return "\n".join([verdict(question), *(f"    {_short(line)}" for line in said if line)])


def as_text(grade: Grade) -> str:
    """The report for a terminal."""
    out = [*(question_text(grade, question) for question in grade.questions), summary(grade)]
    if grade.sandbox != "bubblewrap":
        out.append(f"The notebook ran {grade.sandbox}.")
    return "\n".join(out)


def as_json(grade: Grade) -> str:
    """The report as JSON; the fields are those of Grade and QuestionGrade."""
    return json.dumps(dataclasses.asdict(grade), indent=1, ensure_ascii=False) + "\n"


def as_html(grade: Grade) -> str:
    """The report as a page; whatever comes from the student is escaped."""
    parts = [f"<h1>{_text(summary(grade))}</h1><p>{_text(grade.notebook)}</p>"]
    for question in grade.questions:
        meter = f'<meter max="{question.points:g}" value="{question.earned:g}"></meter>'
        parts.append(f"<h2>{_text(verdict(question))} {meter}</h2><ul>")
        for line in lines(question):
            css = ' class="hint"' if line.startswith("Hint: ") else ""
            parts.append(f"<li{css}>{_text(line)}</li>")
        if where := reading(grade, question):
            page = PACKAGE.parent / "_build" / "html" / f"{grade.page}.html"
            anchor = f"#equation-{question.teaches}" if question.teaches else ""
            link = (
                f'<a href="{_text(page.as_uri() + anchor)}">{_text(where)}</a>'
                if page.exists()
                else _text(where)
            )
            parts.append(f"<li>{link}</li>")
        parts.append("</ul>")
    if grade.sandbox != "bubblewrap":
        parts.append(f"<p>The notebook ran {_text(grade.sandbox)}.</p>")
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head += f"<title>{_text(grade.title)}</title>"
    return f"<!doctype html><html lang=en>{head}<style>{STYLE}</style>{''.join(parts)}</html>\n"


def _short(line: str) -> str:
    """One line without control characters, which a student's error message may hold."""
    return "".join(char if char.isprintable() else " " for char in line)[:400]


def _text(value: Any) -> str:
    return html.escape(_short(str(value)))
