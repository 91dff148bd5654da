"""The key of a chapter: what grading needs, with the expected values and those that each wrong answer yields.

Computed by running the reference and the wrong answers in the machinery that grades students. The teacher's
key lies in ``solutions/key/``; the student's, in ``exercises/key/``, is the same without hidden probes.
"""

import dataclasses
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdmcourse.grading.compare import compare
from gdmcourse.grading.names import defined_names
from gdmcourse.grading.notebook import Cell, code, notebook, to_text
from gdmcourse.grading.run import Outcome, run
from gdmcourse.grading.sandbox import Limits
from gdmcourse.grading.source import Exercise, Question, SourceError

FORMAT = 1
PROBE_PRELUDE = "from gdmcourse.grading.probe import numbered as _numbered\nprobe = _numbered({token!r})\n"


@dataclass(frozen=True)
class KeyProbe:
    """A probe with its expected values (encoded value, rtol and atol of each call of ``probe``)."""

    id: str
    source: str
    points: float
    hidden: bool
    expected: list[dict[str, Any]]


@dataclass(frozen=True)
class KeyWrong:
    """A wrong answer's hint, and by probe id the encoded values that it yields (None where it raises)."""

    hint: str
    values: dict[str, list[Any]]


@dataclass(frozen=True)
class KeyQuestion:
    """What grading knows of one question."""

    id: str
    title: str
    teaches: str | None
    names: list[str]
    stub: str
    probes: list[KeyProbe]
    wrong: list[KeyWrong]

    @property
    def points(self) -> float:
        """The points of the probes that this key knows."""
        return sum(probe.points for probe in self.probes)


@dataclass(frozen=True)
class Key:
    """What grading knows of one chapter.

    ``page`` is the chapter's page without its ending, such as ``book/diffusion/forward_process``, or empty;
    ``hidden_points`` are those that only the teacher's key can give.
    """

    format: int
    chapter: str
    title: str
    page: str
    setup: list[str]
    hidden_points: float
    questions: list[KeyQuestion]


def read_key(path: Path) -> Key:
    """Read a key; raises ValueError that says what to do."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"{path} is a key of format {data['format']}, and this version reads {FORMAT}")
        questions = [
            KeyQuestion(
                **{
                    **question,
                    "probes": [KeyProbe(**probe) for probe in question["probes"]],
                    "wrong": [KeyWrong(**wrong) for wrong in question["wrong"]],
                }
            )
            for question in data["questions"]
        ]
        return Key(**{**data, "questions": questions})
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path} is not a readable key ({error!r}). Write it anew with `gdmcourse release`"
        ) from None


def write_key(path: Path, key: Key) -> None:
    """Write a key, with lists of numbers on one line, so that a diff shows the value that changed."""
    text = to_text(dataclasses.asdict(key))
    path.parent.mkdir(parents=True, exist_ok=True)
    flat = re.sub(r"\[\s+([^][{}\"]*?)\s+\]", lambda found: f"[{' '.join(found[1].split())}]", text)
    path.write_text(flat, encoding="utf-8")


def visible_part(key: Key) -> Key:
    """The student's key: no hidden probe, neither its inputs nor any value that belongs to it."""
    questions = []
    for question in key.questions:
        probes = [probe for probe in question.probes if not probe.hidden]
        shown = {probe.id for probe in probes}
        wrong = [
            KeyWrong(w.hint, {name: values for name, values in w.values.items() if name in shown})
            for w in question.wrong
        ]
        questions.append(dataclasses.replace(question, probes=probes, wrong=wrong))
    hidden = sum(q.points for q in key.questions) - sum(q.points for q in questions)
    return dataclasses.replace(key, questions=questions, hidden_points=hidden)


def make_key(exercise: Exercise, page: str = "", limits: Limits | None = None) -> Key:
    """Run the reference and every wrong answer of a chapter; raises SourceError where a gate doesn't hold."""
    outcome = run(_reference_notebook(exercise), limits or Limits())
    if outcome.gone:
        raise SourceError(f"solutions/{exercise.chapter}.md, cell {outcome.died_at}: {outcome.gone}")
    for name, record in outcome.records.items():
        if record["end"] != "ok" and "wrong" not in name:
            raise SourceError(f"solutions/{exercise.chapter}.md, cell {name}: {record['reason']}")
    return Key(
        format=FORMAT,
        chapter=exercise.chapter,
        title=exercise.title,
        page=page,
        setup=list(exercise.setup),
        hidden_points=0.0,
        questions=[_key_question(exercise.chapter, question, outcome) for question in exercise.questions],
    )


def probe_cell(name: str, source: str, token: str, expected: list[dict[str, Any]] | None) -> Cell:
    """A probe as it is run: its calls carry the token, and its metadata the expected values for the judge."""
    about = {"role": "probe", "token": token, "expected": expected}
    return code(PROBE_PRELUDE.format(token=token) + source, name, gdmcourse=about)


def plain_cell(name: str, source: str, role: str) -> Cell:
    """Any other cell of an assembled notebook."""
    return code(source, name, gdmcourse={"role": role})


def _reference_notebook(exercise: Exercise) -> dict[str, Any]:
    cells = [plain_cell(f"setup-{n}", source, "setup") for n, source in enumerate(exercise.setup)]
    for question in exercise.questions:
        cells.append(plain_cell(f"{question.id}-answer", question.answer, "answer"))
        cells += [probe_cell(probe.id, probe.source, probe.id, None) for probe in question.probes]
    for question in exercise.questions:
        for number, wrong in enumerate(question.wrong):
            name = f"{question.id}-wrong-{number}"
            cells.append(plain_cell(name, wrong.source, "answer"))
            for probe in question.probes:
                cells.append(probe_cell(f"{name}-{probe.id}", probe.source, probe.id, None))
        cells.append(plain_cell(f"{question.id}-answer-again", question.answer, "answer"))
    return notebook(cells)


def _key_question(chapter: str, question: Question, outcome: Outcome) -> KeyQuestion:
    place = f"solutions/{chapter}.md, {question.id}"
    probes = []
    for probe in question.probes:
        emitted = outcome.records[probe.id]["values"]
        expected = [{name: payload[name] for name in ("value", "rtol", "atol")} for payload in emitted]
        if not expected or any("unsupported" in json.dumps(e["value"]) for e in expected):
            raise SourceError(
                f"{place}: {probe.id} must emit numbers, texts, or lists of them; it emits {emitted}"
            )
        probes.append(KeyProbe(probe.id, probe.source, probe.points, probe.hidden, expected))
    wrong = []
    for number, answer in enumerate(question.wrong):
        name = f"{question.id}-wrong-{number}"
        if outcome.records[name]["end"] != "ok":
            raise SourceError(
                f"{place}: wrong answer {number + 1} can't be defined: {outcome.records[name]['reason']}"
            )
        values = {
            probe.id: _aligned(outcome.records[f"{name}-{probe.id}"]["values"], len(probe.expected))
            for probe in probes
        }
        wrong.append(KeyWrong(answer.hint, values))
    for number, known in enumerate(wrong):
        if not any(
            _is_wrong(entry, value)
            for p in probes
            for entry, value in zip(p.expected, known.values[p.id], strict=True)
        ):
            raise SourceError(
                f"{place}: wrong answer {number + 1} emits no wrong value, so nobody could be told its hint. "
                "Add a probe that sees the error, or mend the wrong answer"
            )
        for other in wrong[:number]:
            if all(
                agree(probe.expected, known.values[probe.id], reference=other.values[probe.id])
                for probe in probes
            ):
                raise SourceError(f"{place}: wrong answer {number + 1} yields the values of an earlier one")
    names = list(defined_names(question.answer))
    return KeyQuestion(question.id, question.title, question.teaches, names, question.stub, probes, wrong)


def _aligned(payloads: list[dict[str, Any]], count: int) -> list[Any]:
    values = {payload["index"]: payload["value"] for payload in payloads}
    return [values.get(index) for index in range(count)]


def _is_wrong(entry: dict[str, Any], value: Any) -> bool:
    return value is not None and not agree([entry], [value])


def agree(expected: list[dict[str, Any]], values: list[Any], reference: list[Any] | None = None) -> bool:
    """Whether values equal the expected ones, or those of ``reference``, within the probe's tolerances."""
    for number, (entry, value) in enumerate(zip(expected, values, strict=True)):
        wanted = entry["value"] if reference is None else reference[number]
        if wanted is None or value is None:
            if wanted is not value:
                return False
        elif not all(compare(wanted, value, entry["rtol"], entry["atol"])):
            return False
    return True
