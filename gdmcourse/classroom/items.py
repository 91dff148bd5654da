"""Item analysis: how hard each question was, whether it tells students apart, and which mistakes were made.

A mistake is known where a wrong answer of the source gives its values; the others are put together by what
they give, and the largest groups are worth a new hint.
"""

import json
import statistics
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from gdmcourse.classroom.gradebook import Gradebook
from gdmcourse.classroom.standing import Standing, standings
from gdmcourse.classroom.work import Kept, outcome_of
from gdmcourse.grading.clean import clean, code_lines
from gdmcourse.grading.compare import compare
from gdmcourse.grading.explain import TELLABLE
from gdmcourse.grading.key import Key, KeyQuestion
from gdmcourse.grading.values import agree, describe, is_comparable

FEWEST = 3  # students from whom a correlation says anything


@dataclass
class Unknown:
    """Wrong answers that give the same values and that no wrong answer of the source explains."""

    values: list[Any]
    reasons: list[str]
    code: str
    students: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Item:
    """One question over a class.

    ``difficulty`` is the mean share of its points (low is hard), ``discrimination`` the correlation of that
    share with the points of all other questions, None where one of them doesn't vary.
    """

    id: str
    title: str
    students: int
    untouched: int
    difficulty: float
    discrimination: float | None
    known: list[tuple[str, int]]
    unknown: list[Unknown]


def items(book: Gradebook, key: Key) -> list[Item]:
    """The analysis of each question that code answers; whoever handed nothing in isn't counted."""
    graded = [standing for standing in standings(book, key) if standing.state == "graded"]
    return [_item(book, key, question, graded) for question in key.questions if question.probes]


def lines(found: list[Item]) -> list[str]:
    """The analysis for a terminal; the code of what no hint explains is indented."""
    said = []
    for item in found:
        told = "–" if item.discrimination is None else f"{item.discrimination:.2f}"
        said.append(
            f"{clean(f'{item.id}. {item.title}')}: {item.difficulty:.0%} earned, discrimination {told}, "
            f"{item.untouched} of {item.students} did not answer"
        )
        said += [f"    {count:4} × {clean(hint)}" for hint, count in item.known]
        for group in item.unknown:
            names = clean(", ".join(group.students[:5]), 120)
            said.append(f"    {len(group.students):4} × without a hint ({names}):")
            said += [f"           | {clean_code}" for clean_code in code_lines(group.code)]
    return said


def _item(book: Gradebook, key: Key, question: KeyQuestion, graded: list[Standing]) -> Item:
    shares, rests, untouched = [], [], 0
    hints: Counter[str] = Counter()
    unknown: list[Unknown] = []
    own = {wrong.hint for wrong in question.wrong}
    for standing in graded:
        reports = {report["id"]: report for report in standing.report["questions"]}
        report = reports[question.id]
        shares.append(report["earned"] / question.points)
        rests.append(sum(other["earned"] for other in reports.values()) - report["earned"])
        kept = book.known(standing.digest or "", key).get(question.id, ("", None))[1]
        if kept is None:
            untouched += 1
        elif report["hint"] in own:
            hints[report["hint"]] += 1
        elif report["earned"] < question.points:
            _sort_in(unknown, question, kept, standing, code_of(book, key, standing, question.id))
    unknown.sort(key=lambda group: -len(group.students))
    return Item(
        id=question.id,
        title=question.title,
        students=len(graded),
        untouched=untouched,
        difficulty=statistics.fmean(shares) if shares else 0.0,
        discrimination=_correlation(shares, rests),
        known=hints.most_common(),
        unknown=unknown,
    )


def _sort_in(groups: list[Unknown], question: KeyQuestion, kept: Kept, standing: Standing, code: str) -> None:
    """Put an answer to those that give the same values and end in the same way."""
    probes = compare(question, outcome_of(kept or {}))
    calls = [call for probe in probes for call in probe.calls]
    entries = [{"value": call.expected, "rtol": call.rtol, "atol": call.atol} for call in calls]
    values = [
        call.value if is_comparable(call.expected, call.value) else _other(call.value) for call in calls
    ]
    named = [str(probe.reason).split(":")[0] for probe in probes if probe.end != "ok"]
    reasons = sorted({name if name in TELLABLE else "it ended" for name in named})
    for group in groups:
        if group.reasons == reasons and _alike(entries, values, group.values):
            group.students.append(standing.name)
            if 0 < len(code) < len(group.code):
                group.code = code
            return
    groups.append(Unknown(values, reasons, code, [standing.name]))


def _alike(entries: list[dict[str, Any]], values: list[Any], others: list[Any]) -> bool:
    """Whether all values agree; those of another type or shape than expected where these are the same."""
    for entry, value, other in zip(entries, values, others, strict=True):
        both = isinstance(value, dict) and isinstance(other, dict)
        if both and not agree([entry], [value], reference=[other]):
            return False
        if not both and value != other:
            return False
    return True


def _other(value: Any) -> str | None:
    return None if value is None else describe(value)


def code_of(book: Gradebook, key: Key, standing: Standing, question: str) -> str:
    """The student's cells that define what the question asks for."""
    rows = book.rows(
        "SELECT cells FROM content WHERE assignment = ? AND hash = ?", key.chapter, standing.digest or ""
    )
    cells = json.loads(rows[0]["cells"]) if rows else []
    return "\n\n".join(source.strip("\n") for _, source, answers in cells if question in answers)


def _correlation(shares: list[float], rests: list[float]) -> float | None:
    if len(shares) < FEWEST:
        return None
    try:
        return statistics.correlation(shares, rests)
    except statistics.StatisticsError:
        return None
