"""The key of a chapter: what grading needs, with the expected values and those that each wrong answer yields.

The teacher's key lies in ``solutions/key/``; the student's, in ``exercises/key/``, is the same without hidden
probes and without the rubrics of open questions.
"""

import dataclasses
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdmcourse.grading.notebook import to_text

FORMAT = 2


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
class KeyItem:
    """A line of an open question's rubric, for the teacher who marks it."""

    points: float
    text: str


@dataclass(frozen=True)
class KeyQuestion:
    """What grading knows of one question.

    ``teaches`` is the label of the equation behind it, and it has this ``number`` on that ``page``;
    ``hidden_points`` and ``marked_points`` are those that a hidden probe or a teacher gives.
    """

    id: str
    title: str
    teaches: str | None
    page: str | None
    number: str | None
    names: list[str]
    stub: str
    probes: list[KeyProbe]
    wrong: list[KeyWrong]
    rubric: list[KeyItem]
    marked_points: float
    hidden_points: float

    @property
    def points(self) -> float:
        """The points of the probes that this key knows."""
        return sum((probe.points for probe in self.probes), 0.0)


@dataclass(frozen=True)
class Key:
    """What grading knows of one chapter.

    ``page`` is the chapter's page without its ending, such as ``book/diffusion/forward_process``, or empty;
    ``forbid`` are modules that an answer may not import; ``files`` are those that lie beside the notebook
    when it runs, by name, in base64.
    """

    format: int
    chapter: str
    title: str
    page: str
    setup: list[str]
    forbid: list[str]
    files: dict[str, str]
    questions: list[KeyQuestion]

    @property
    def is_full(self) -> bool:
        """Whether this is a teacher's key, which knows hidden probes."""
        return any(probe.hidden for question in self.questions for probe in question.probes)


def read_key(path: Path) -> Key:
    """Read a key; raises ValueError that says what to do."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(
                f"{path} is a key of format {data['format']}; write it anew with `gdmcourse release`"
            )
        return key_of(data)
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path} is not a readable key ({error!r}). Write it anew with `gdmcourse release`"
        ) from None


def key_of(data: dict[str, Any]) -> Key:
    """The key whose fields these are; raises KeyError or TypeError where they are others."""
    questions = [
        KeyQuestion(
            **{
                **question,
                "probes": [KeyProbe(**probe) for probe in question["probes"]],
                "wrong": [KeyWrong(**wrong) for wrong in question["wrong"]],
                "rubric": [KeyItem(**item) for item in question["rubric"]],
            }
        )
        for question in data["questions"]
    ]
    return Key(**{**data, "questions": questions})


def write_key(path: Path, key: Key) -> None:
    """Write a key, with lists of numbers on one line, so that a diff shows the value that changed."""
    text = to_text(dataclasses.asdict(key))
    path.parent.mkdir(parents=True, exist_ok=True)
    flat = re.sub(r"\[\s+([^][{}\"]*?)\s+\]", lambda found: f"[{' '.join(found[1].split())}]", text)
    path.write_text(flat, encoding="utf-8")


def visible_part(key: Key) -> Key:
    """The student's key: no rubric and no hidden probe, neither its inputs nor any value of it."""
    questions = []
    for question in key.questions:
        probes = [probe for probe in question.probes if not probe.hidden]
        shown = {probe.id for probe in probes}
        wrong = [
            KeyWrong(w.hint, {name: values for name, values in w.values.items() if name in shown})
            for w in question.wrong
        ]
        hidden = question.points - sum((probe.points for probe in probes), 0.0)
        questions.append(
            dataclasses.replace(question, probes=probes, wrong=wrong, rubric=[], hidden_points=hidden)
        )
    return dataclasses.replace(key, questions=questions)
