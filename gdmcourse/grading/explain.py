"""Sixth stage: points and sentences for one question, from what its probes gave."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gdmcourse.grading.clean import clean
from gdmcourse.grading.compare import Call, Compared
from gdmcourse.grading.inputs import Input, inputs
from gdmcourse.grading.key import KeyQuestion
from gdmcourse.grading.match import Match
from gdmcourse.grading.result import UNSHOWN, Marked, QuestionGrade
from gdmcourse.grading.run import Outcome
from gdmcourse.grading.values import agree, difference

HIDDEN = "a hidden input"
MOST = 4  # differences that are told of one question
HELP = {1: "a nudge", 2: "the formula", 3: "a skeleton"}
# An exception's name could tell a hidden input, so all others are "an exception".
TELLABLE = (
    "AttributeError",
    "IndexError",
    "KeyError",
    "NameError",
    "NotImplementedError",
    "RuntimeError",
    "TypeError",
    "ValueError",
)


def explain(
    question: KeyQuestion, match: Match, probes: Sequence[Compared] = (), outcome: Outcome | None = None
) -> QuestionGrade:
    """Points, reasons and hint of one question; without probes, those of one that has no answer to run."""
    grade = QuestionGrade(
        id=question.id,
        title=question.title,
        points=question.points,
        earned=0.0,
        hidden_points=question.hidden_points,
        marked_points=question.marked_points,
        note=match.note,
        teaches=question.teaches,
        page=question.page,
        number=question.number,
        rubric=[Marked(item.points, item.text) for item in question.rubric],
        written=match.written,
    )
    if match.state != "answered" or _undefined(match, probes):
        if match.written and not question.probes:
            return grade
        reason = match.reason or "not answered yet; its hints are in the notebook"
        return replace(grade, reasons=[reason])
    outcome = outcome or Outcome({}, None)
    earned = round(sum(probe.probe.points * probe.share for probe in probes), 2)
    if all(probe.share == 1 for probe in probes):
        return replace(grade, earned=question.points)
    failed = [line for probe in probes if not probe.probe.hidden for line in _failed(probe)]
    if any(probe.probe.hidden and probe.share < 1 for probe in probes):
        failed = [*failed[:MOST], UNSHOWN]
    hint = _changed(probes) or _hint(question, probes)
    reasons = _reasons(match, probes, outcome)
    return replace(
        grade,
        earned=earned,
        reasons=reasons,
        failed=failed[: MOST + 1],
        hint=hint,
        help=None if hint else _help(earned, reasons),
    )


def _undefined(match: Match, probes: Sequence[Compared]) -> bool:
    """Whether no cell shows a definition, and running those that might define it has shown none either."""
    absent = {f"NameError: name '{name}' is not defined" for name in match.names}
    return not match.places and any(p.reason in absent for p in probes if not p.probe.hidden)


def _reasons(match: Match, probes: Sequence[Compared], outcome: Outcome) -> list[str]:
    """How the cells of the answer and the probes ended, where not well; each reason once."""
    places: dict[str, str] = {}
    for name in match.places[-1:]:
        record = outcome.records.get(name, {})
        if record.get("end") not in (None, "ok"):
            places.setdefault(clean(record["reason"], 300), f"cell {name.removeprefix('cell-')}")
    for probe in sorted(probes, key=lambda probe: probe.probe.hidden):
        if probe.end in ("ok", "never"):
            continue
        reason = clean(probe.reason, 300)
        if not probe.probe.hidden:
            places.setdefault(reason, _at_error(probe))
        elif reason not in places:
            told = reason.split(":")[0] if probe.end == "error" else reason
            places.setdefault(told if probe.end != "error" or told in TELLABLE else "an exception", HIDDEN)
    if outcome.gone and not places:
        return [clean(outcome.gone)]
    return [f"{place}: {reason}" for reason, place in places.items()]


def _at_error(probe: Compared) -> str:
    """The input at which a probe stopped: that of the first value which did not arrive.

    Of a cell that was stopped no value is kept, so that it may also have been a later one.
    """
    arrived = [call.value is not None for call in probe.calls]
    place = _inputs(probe)[arrived.index(False) if False in arrived else -1].where()
    return place if probe.end == "error" or len(arrived) == 1 else f"{place}, or after it"


def _failed(probe: Compared) -> list[str]:
    """What is wrong at a visible probe's inputs, one sentence for each value."""
    if probe.end not in ("ok", "error"):
        return []
    lines = []
    for call, given in zip(probe.calls, _inputs(probe), strict=True):
        if call.value is None:
            lines += [f"nothing arrived {given.where()}"] if probe.end == "ok" else []
        elif found := difference(call.expected, call.value, call.rtol, call.atol):
            lines.append(f"{found.words}, {given.where(found)}")
    return lines


def _inputs(probe: Compared) -> list[Input]:
    return inputs(probe.probe.source, len(probe.calls))


def _changed(probes: Sequence[Compared]) -> str | None:
    """The sentence for an answer that writes into what it was given.

    The names come from the student's kernel, so those that a hidden input could have chosen aren't told.
    """
    if not any(probe.changed for probe in probes):
        return None
    shown = sorted({clean(name, 60) for p in probes if not p.probe.hidden for name in p.changed})
    names = f" {', '.join(shown)}" if shown else ""
    return f"Your function changes its input{names} in place; compute new values and leave it as it was."


def _hint(question: KeyQuestion, probes: Sequence[Compared]) -> str | None:
    """The hint of the known wrong answer that gives the student's values wherever these are wrong.

    Where several do, those count that give the student's values everywhere. None where there is no such
    answer, or where two with another hint are left.
    """
    hints, whole = set(), set()
    calls = [call for probe in probes for call in probe.calls]
    for wrong in question.wrong:
        known = [value for probe in probes for value in wrong.values[probe.probe.id]]
        same = [(call.is_right, _same(call, value)) for call, value in zip(calls, known, strict=True)]
        if all(like for right, like in same if not right) and any(
            call.value is not None for call in calls if not call.is_right
        ):
            hints.add(wrong.hint)
            if all(like for _, like in same):
                whole.add(wrong.hint)
    found = whole or hints
    return found.pop() if len(found) == 1 else None


def _same(call: Call, known: dict[str, Any] | None) -> bool:
    """Whether a student's value is that of a known wrong answer; both may have raised an exception."""
    entry = {"value": call.expected, "rtol": call.rtol, "atol": call.atol}
    return agree([entry], [call.value], reference=[known])


def _help(earned: float, reasons: Sequence[str]) -> str:
    """The hint to open next, where no diagnosis fits."""
    number = 3 if reasons else 2 if earned else 1
    return f"open hint {number}, {HELP[number]}, above your answer"
