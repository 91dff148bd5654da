"""The source of a chapter's exercises: ``solutions/<chapter>.md``, read into dataclasses.

The source is a MyST text notebook. Its cells, in this order (see any file of ``solutions/``):

* a markdown cell: the title (``# …``) and how to work with the notebook
* code cells tagged ``setup``: imports and data, the same for everybody (not ``check`` and ``probe``)
* for each question:

  * ``+++ {"tags": ["statement"], "question": "q1"}``, then markdown that starts ``### q1. Title (3 points)``
  * three raw cells, with the metadata ``tags: [hint]`` and ``question: q1``: a nudge, the formula, a skeleton
  * a code cell ``tags: [answer]``, ``question: q1``, optionally ``teaches: eq-label`` (for the report):
    the reference, in which ``### BEGIN SOLUTION`` and ``### END SOLUTION`` enclose what a student writes
  * code cells ``tags: [probe]`` or ``tags: [probe, hidden]``, with ``question`` and ``points``, that call
    ``probe(value)`` once or more
  * code cells ``tags: [wrong]``, with ``question`` and ``hint``: a plausible wrong answer, whole, and the
    sentence that would help the student who wrote it

A markdown cell after a code cell needs its own ``+++`` line. Text without a tag is an error.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdmcourse.grading.names import defined_names

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
TAGS = ("setup", "statement", "hint", "answer", "probe", "wrong")
HEADING = re.compile(r"### (?P<id>\w+)\. (?P<title>.+) \((?P<points>[\d.]+) points?\)\s*(\n|$)")


class SourceError(ValueError):
    """A source of exercises breaks the form: says the file, the cell, and what to do."""


@dataclass(frozen=True)
class Probe:
    """A cell that computes values at given inputs; students never see a hidden one."""

    id: str
    source: str
    points: float
    hidden: bool


@dataclass(frozen=True)
class Wrong:
    """A plausible wrong answer, and the sentence that would help the student who wrote it."""

    source: str
    hint: str


@dataclass(frozen=True)
class Question:
    """One question with everything that belongs to it; ``teaches`` is the label of the equation behind it."""

    id: str
    title: str
    statement: str
    hints: tuple[str, ...]
    answer: str
    teaches: str | None
    probes: tuple[Probe, ...]
    wrong: tuple[Wrong, ...]

    @property
    def points(self) -> float:
        """The points of all probes, hidden ones too."""
        return sum(probe.points for probe in self.probes)

    @property
    def stub(self) -> str:
        """What a student finds in the answer cell."""
        return stub(self.answer, self.id)


@dataclass(frozen=True)
class Exercise:
    """The exercises of one chapter."""

    chapter: str
    title: str
    introduction: str
    setup: tuple[str, ...]
    questions: tuple[Question, ...]

    @property
    def points(self) -> float:
        """The points of all questions."""
        return sum(question.points for question in self.questions)


@dataclass(frozen=True)
class _Cell:
    """A cell of the source with the place that an error names."""

    where: str
    tag: str | None
    kind: str
    source: str
    metadata: dict[str, Any]

    def fail(self, message: str) -> SourceError:
        return SourceError(f"{self.where}: {message}")

    def need(self, name: str, example: str) -> Any:
        if self.metadata.get(name) is None:
            raise self.fail(f"has no `{name}`. Add a line such as `{name}: {example}` to its metadata")
        return self.metadata[name]


def read_source(path: str | Path) -> Exercise:
    """Read ``solutions/<chapter>.md``; raises SourceError that names the file, the cell and the fix."""
    import jupytext

    path = Path(path)
    try:
        notebook = jupytext.read(path)
    except Exception as error:  # jupytext raises whatever its YAML and JSON parsers do
        raise SourceError(f"{path}: jupytext can't read it as a MyST notebook: {error}") from error
    cells = list(_cells(path, notebook.cells))
    if not cells or cells[0].tag or not cells[0].source.startswith("# "):
        raise SourceError(f"{path}: the first cell must be markdown that starts with the title, `# …`")
    for cell in cells[1:]:
        if cell.tag is None:
            raise cell.fail(
                f"has no tag. Give it one of {', '.join(TAGS)}; markdown of a question is a `statement`"
            )
    questions: dict[str, list[_Cell]] = {}
    for cell in cells[1:]:
        if cell.tag != "setup":
            questions.setdefault(str(cell.need("question", "q1")), []).append(cell)
    if not questions:
        raise SourceError(f"{path}: there is no question. Add cells tagged {', '.join(TAGS[1:])}")
    introduction = cells[0].source
    return Exercise(
        chapter=path.stem,
        title=introduction.splitlines()[0].removeprefix("# ").strip(),
        introduction=introduction,
        setup=tuple(cell.source for cell in cells if cell.tag == "setup"),
        questions=tuple(_question(path, name, found) for name, found in questions.items()),
    )


def stub(answer: str, question: str) -> str:
    """The answer with what lies between the solution markers replaced by ``raise NotImplementedError``."""
    lines = [f"# answer: {question}"]
    inside = False
    for line in answer.splitlines():
        if line.strip() == BEGIN:
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f'{indent}raise NotImplementedError("{question}: replace this line by your answer")')
        elif line.strip() == END:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines)


def _cells(path: Path, cells: Sequence[Any]) -> Iterator[_Cell]:
    for number, cell in enumerate(cells, 1):
        tags = cell.metadata.get("tags") or []
        known = [tag for tag in tags if tag in TAGS]
        question = cell.metadata.get("question")
        what = ", ".join(str(word) for word in [*tags, question] if word) or cell.cell_type
        where = f"{path}, cell {number} ({what})"
        if len(known) > 1:
            raise SourceError(f"{where}: has more than one of the tags {', '.join(known)}. Split the cell")
        tag = known[0] if known else None
        expected = {"statement": "markdown", "hint": "raw", None: "markdown"}.get(tag, "code")
        if cell.cell_type != expected:
            raise SourceError(
                f"{where}: is a {cell.cell_type} cell, and should be a {expected} one. "
                f"{'Give it one of the tags ' + ', '.join(TAGS) if tag is None else 'Change how it opens'}"
            )
        yield _Cell(where, tag, cell.cell_type, cell.source, dict(cell.metadata))


def _question(path: Path, name: str, cells: list[_Cell]) -> Question:
    by_tag: dict[str | None, list[_Cell]] = {tag: [c for c in cells if c.tag == tag] for tag in TAGS}
    for tag, least, most in (
        ("statement", 1, 1),
        ("answer", 1, 1),
        ("hint", 3, 3),
        ("probe", 2, 99),
        ("wrong", 2, 99),
    ):
        if not least <= len(by_tag[tag]) <= most:
            wanted = f"exactly {least}" if least == most else f"at least {least}"
            raise SourceError(
                f"{path}, {name}: has {len(by_tag[tag])} cells tagged {tag}, and needs {wanted}"
            )
    (statement,), (answer,) = by_tag["statement"], by_tag["answer"]
    heading = HEADING.match(statement.source)
    if heading is None or heading["id"] != name:
        raise statement.fail(f"must start with a line such as `### {name}. Title (3 points)`")
    for cell in by_tag["answer"] + by_tag["probe"] + by_tag["wrong"]:
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            raise cell.fail(f"line {error.lineno} isn't Python ({error.msg})") from None
    _check_markers(answer)
    question = Question(
        id=name,
        title=heading["title"],
        statement=statement.source,
        hints=tuple(cell.source for cell in by_tag["hint"]),
        answer=answer.source,
        teaches=answer.metadata.get("teaches"),
        probes=tuple(_probe(name, number, cell) for number, cell in enumerate(by_tag["probe"], 1)),
        wrong=tuple(Wrong(c.source, str(c.need("hint", "1 − ᾱ is the variance"))) for c in by_tag["wrong"]),
    )
    if len({probe.hidden for probe in question.probes}) != 2:
        raise SourceError(
            f"{path}, {name}: needs a visible probe, which teaches, and a hidden one, which can't be copied"
        )
    if abs(question.points - float(heading["points"])) > 1e-9:
        raise statement.fail(
            f"says {heading['points']} points, and the probes of {name} add up to {question.points:g}"
        )
    return question


def _probe(question: str, number: int, cell: _Cell) -> Probe:
    points = cell.need("points", "1")
    if isinstance(points, bool) or not isinstance(points, int | float) or points <= 0:
        raise cell.fail(f"points must be a positive number, not {points!r}")
    if "probe(" not in cell.source:
        raise cell.fail("calls probe(…) nowhere, so it would emit nothing")
    return Probe(f"{question}-probe-{number}", cell.source, float(points), "hidden" in cell.metadata["tags"])


def _check_markers(cell: _Cell) -> None:
    marks = [line.strip() for line in cell.source.splitlines() if line.strip() in (BEGIN, END)]
    if not marks or marks != [BEGIN, END] * (len(marks) // 2):
        raise cell.fail(f"enclose what the student writes in `{BEGIN}` and `{END}`, in this order")
    if not defined_names(cell.source):
        raise cell.fail("defines no function, class or variable that a probe could use")
