"""Make the key of a chapter: run the reference and the known wrong answers where students' answers run."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gdmcourse.grading.exercise import Exercise, Question, SourceError
from gdmcourse.grading.key import FORMAT, Key, KeyItem, KeyProbe, KeyQuestion, KeyWrong
from gdmcourse.grading.limits import Limits
from gdmcourse.grading.notebook import Notebook, notebook
from gdmcourse.grading.plan import plain_cell, probe_cell, setup_cells
from gdmcourse.grading.probe import MOST
from gdmcourse.grading.run import Outcome, run
from gdmcourse.grading.syntax import defined_names
from gdmcourse.grading.values import agree

LARGEST = 1_000_000  # bytes of a file that lies beside the notebook; it becomes a part of the key


@dataclass(frozen=True)
class Place:
    """Where the chapter is: its page without ending, page and number of equations by label, and its files."""

    page: str = ""
    equations: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    files: Path | None = None


def make_key(exercise: Exercise, place: Place | None = None, limits: Limits | None = None) -> Key:
    """Run the reference and every wrong answer of a chapter; raises SourceError where a gate doesn't hold."""
    place = place or Place()
    files = {name: _encoded(exercise, place.files, name) for name in exercise.files}
    outcome = run(_reference_notebook(exercise, files), limits or Limits())
    if outcome.gone:
        raise SourceError(f"solutions/{exercise.chapter}.md, cell {outcome.died_at}: {outcome.gone}")
    for name, record in outcome.records.items():
        if record["end"] != "ok" and "wrong" not in name:
            raise SourceError(f"solutions/{exercise.chapter}.md, cell {name}: {record['reason']}")
    return Key(
        format=FORMAT,
        chapter=exercise.chapter,
        title=exercise.title,
        page=place.page,
        setup=list(exercise.setup),
        forbid=list(exercise.forbid),
        files=files,
        questions=[_key_question(exercise.chapter, q, place, outcome) for q in exercise.questions],
    )


def _encoded(exercise: Exercise, folder: Path | None, name: str) -> str:
    path = (folder or Path("solutions")) / name
    if Path(name).name != name or not path.is_file() or path.stat().st_size > LARGEST:
        raise SourceError(
            f"solutions/{exercise.chapter}.md: `files` names {name}; put a file of at most "
            f"{LARGEST // 1000} kB with this name beside the source"
        )
    return base64.b64encode(path.read_bytes()).decode("ascii")


def _reference_notebook(exercise: Exercise, files: dict[str, str]) -> Notebook:
    cells = setup_cells(exercise.setup, files)
    coded = [question for question in exercise.questions if question.answer]
    for question in coded:
        cells.append(plain_cell(f"{question.id}-answer", question.answer, "student"))
        cells += [probe_cell(probe.id, probe.source, probe.id, (), None) for probe in question.probes]
    for question in coded:
        for number, wrong in enumerate(question.wrong):
            name = f"{question.id}-wrong-{number}"
            cells.append(plain_cell(name, wrong.source, "student"))
            for probe in question.probes:
                cells.append(probe_cell(f"{name}-{probe.id}", probe.source, probe.id, (), None))
        cells.append(plain_cell(f"{question.id}-answer-again", question.answer, "student"))
    return notebook(cells)


def _key_question(chapter: str, question: Question, place: Place, outcome: Outcome) -> KeyQuestion:
    where = f"solutions/{chapter}.md, {question.id}"
    probes = []
    for probe in question.probes:
        emitted = outcome.records[probe.id]["values"]
        expected = [{name: payload[name] for name in ("value", "rtol", "atol")} for payload in emitted]
        text = json.dumps([entry["value"] for entry in expected])
        if not expected or "unsupported" in text or '"values": null' in text:
            raise SourceError(
                f"{where}: {probe.id} must emit numbers (at most {MOST} in one array), texts, or lists of "
                f"them; it emits {str(emitted)[:1000]}"
            )
        probes.append(KeyProbe(probe.id, probe.source, probe.points, probe.hidden, expected))
    wrong = []
    for number, answer in enumerate(question.wrong):
        name = f"{question.id}-wrong-{number}"
        if outcome.records[name]["end"] != "ok":
            raise SourceError(
                f"{where}: wrong answer {number + 1} can't be defined: {outcome.records[name]['reason']}"
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
                f"{where}: wrong answer {number + 1} emits no wrong value, so nobody could be told its hint. "
                "Add a probe that sees the error, or mend the wrong answer"
            )
        for other in wrong[:number]:
            if all(
                agree(probe.expected, known.values[probe.id], reference=other.values[probe.id])
                for probe in probes
            ):
                raise SourceError(f"{where}: wrong answer {number + 1} yields the values of an earlier one")
    page, equation = place.equations.get(question.teaches or "", (None, None))
    return KeyQuestion(
        id=question.id,
        title=question.title,
        teaches=question.teaches,
        page=page,
        number=equation,
        names=list(defined_names(question.answer)),
        stub=question.stub,
        probes=probes,
        wrong=wrong,
        rubric=[KeyItem(item.points, item.text) for item in question.rubric],
        marked_points=question.marked_points,
        hidden_points=0.0,
    )


def _aligned(payloads: list[dict[str, Any]], count: int) -> list[Any]:
    values = {payload["index"]: payload["value"] for payload in payloads}
    return [values.get(index) for index in range(count)]


def _is_wrong(entry: dict[str, Any], value: Any) -> bool:
    return value is not None and not agree([entry], [value])
