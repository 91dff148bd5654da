"""The source of a chapter's exercises: ``solutions/<chapter>.md``, read into dataclasses.

The source is a MyST text notebook. Its front matter may name modules that no answer may import
(``forbid: [gdmcourse.diffusion]``) and files that lie beside the notebook (``files: [helper.py]``). Its
cells, in this order (see any file of ``solutions/``):

* a markdown cell: the title (``# …``) and how to work with the notebook
* code cells tagged ``setup``: imports and data, the same for everybody (not ``check`` and ``probe``)
* for each question:

  * ``+++ {"tags": ["statement"], "question": "q1"}``, then markdown that starts ``### q1. Title (3 points)``
  * three raw cells, with the metadata ``tags: [hint]`` and ``question: q1``: a nudge, the formula, a skeleton
  * a code cell ``tags: [answer]``, ``question: q1``, optionally ``teaches: eq-label`` (for the report):
    the reference, in which ``### BEGIN SOLUTION`` and ``### END SOLUTION`` enclose what a student writes
  * code cells ``tags: [probe]`` or ``tags: [probe, hidden]``, with ``question`` and ``points``, that call
    ``probe(value)`` once or more
  * code cells ``tags: [wrong]``, with ``question`` and ``hint``: a plausible wrong answer and the sentence
    that would help the student who wrote it. Either the whole answer, or an empty cell with
    ``replace: old -> new`` (or a list of these) that edits the reference. ``hidden-only`` says why no visible
    probe can show the error

An open question's statement has ``"kind": "open"``. It has a raw cell ``tags: [rubric]`` with lines such as
``- 1: names the reason``, for the teacher, and answer, probes and wrong answers only as far as code can tell.

A markdown cell after a code cell needs its own ``+++`` line. Text without a tag is an error.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdmcourse.grading.exercise import BEGIN, END, Exercise, Item, Probe, Question, SourceError, Wrong, edited
from gdmcourse.grading.syntax import defined_names

TAGS = ("setup", "statement", "hint", "rubric", "answer", "probe", "wrong")
KINDS: dict[str | None, str] = {"statement": "markdown", "hint": "raw", "rubric": "raw", None: "markdown"}
LINE = re.compile(r"- (?P<points>[\d.]+): (?P<text>.+)")
HEADING = re.compile(r"### (?P<id>\w+)\. (?P<title>.+) \((?P<points>[\d.]+) points?\)\s*(\n|$)")


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
        questions=tuple(_question(path, name, group) for name, group in questions.items()),
        forbid=_names(path, notebook.metadata, "forbid"),
        files=_names(path, notebook.metadata, "files"),
    )


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
        expected = {"statement": "markdown", "hint": "raw", "rubric": "raw", None: "markdown"}.get(
            tag, "code"
        )
        if cell.cell_type != expected:
            raise SourceError(
                f"{where}: is a {cell.cell_type} cell, and should be a {expected} one. "
                f"{'Give it one of the tags ' + ', '.join(TAGS) if tag is None else 'Change how it opens'}"
            )
        yield _Cell(where, tag, cell.cell_type, cell.source, dict(cell.metadata))


def _names(path: Path, front_matter: dict[str, Any], name: str) -> tuple[str, ...]:
    names = front_matter.get(name) or []
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not all(isinstance(item, str) for item in names):
        raise SourceError(f"{path}: `{name}` in the front matter must be a list of names")
    return tuple(names)


def _question(path: Path, name: str, cells: list[_Cell]) -> Question:
    by_tag: dict[str | None, list[_Cell]] = {tag: [c for c in cells if c.tag == tag] for tag in TAGS}
    is_open = bool(by_tag["statement"]) and by_tag["statement"][0].metadata.get("kind") == "open"
    least_code = 0 if is_open else 1
    for tag, least, most in (
        ("statement", 1, 1),
        ("rubric", int(is_open), int(is_open)),
        ("answer", least_code, 1),
        ("hint", 3, 3),
        ("probe", 2 * least_code, 99),
        ("wrong", 2 * least_code, 99),
    ):
        if not least <= len(by_tag[tag]) <= most:
            wanted = f"exactly {least}" if least == most else f"at least {least}"
            raise SourceError(
                f"{path}, {name}: has {len(by_tag[tag])} cells tagged {tag}, and needs {wanted}"
            )
    (statement,) = by_tag["statement"]
    answer = by_tag["answer"][0] if by_tag["answer"] else None
    heading = HEADING.match(statement.source)
    if heading is None or heading["id"] != name:
        raise statement.fail(f"must start with a line such as `### {name}. Title (3 points)`")
    for cell in by_tag["answer"] + by_tag["probe"] + by_tag["wrong"]:
        _check_python(cell, cell.source)
    if answer is not None:
        _check_markers(answer)
    question = Question(
        id=name,
        title=heading["title"],
        statement=statement.source,
        hints=tuple(cell.source for cell in by_tag["hint"]),
        answer=answer.source if answer else "",
        teaches=(answer or statement).metadata.get("teaches"),
        probes=tuple(_probe(name, number, cell) for number, cell in enumerate(by_tag["probe"], 1)),
        wrong=tuple(_wrong(cell, answer) for cell in by_tag["wrong"]),
        rubric=tuple(item for cell in by_tag["rubric"] for item in _rubric(cell)),
    )
    if not is_open and len({probe.hidden for probe in question.probes}) != 2:
        raise SourceError(
            f"{path}, {name}: needs a visible probe, which teaches, and a hidden one, which can't be copied"
        )
    if abs(question.points - float(heading["points"])) > 1e-9:
        raise statement.fail(
            f"says {heading['points']} points, and those of {name} add up to {question.points:g}"
        )
    return question


def _probe(question: str, number: int, cell: _Cell) -> Probe:
    points = cell.need("points", "1")
    if isinstance(points, bool) or not isinstance(points, int | float) or points <= 0:
        raise cell.fail(f"points must be a positive number, not {points!r}")
    if "probe(" not in cell.source:
        raise cell.fail("calls probe(…) nowhere, so it would emit nothing")
    return Probe(f"{question}-probe-{number}", cell.source, float(points), "hidden" in cell.metadata["tags"])


def _wrong(cell: _Cell, answer: _Cell | None) -> Wrong:
    edits = cell.metadata.get("replace")
    if bool(edits) == bool(cell.source.strip()):
        raise cell.fail("must hold either a whole answer or, with no code, `replace: old -> new`")
    source = cell.source
    if edits:
        pairs = [tuple(str(edit).split(" -> ")) for edit in (edits if isinstance(edits, list) else [edits])]
        if any(len(pair) != 2 for pair in pairs):
            raise cell.fail(
                "`replace` must be `old -> new`, with one arrow between spaces, or a list of these"
            )
        try:
            source = edited(answer.source if answer else "", tuple((old, new) for old, new in pairs))
        except SourceError as error:
            raise cell.fail(str(error)) from None
        _check_python(cell, source)
    return Wrong(source, str(cell.need("hint", "1 − ᾱ is the variance")), cell.metadata.get("hidden-only"))


def _rubric(cell: _Cell) -> list[Item]:
    lines = [LINE.fullmatch(line) for line in cell.source.splitlines() if line.strip()]
    if not lines or None in lines:
        raise cell.fail("must be lines such as `- 1: names the reason`, each with its points")
    return [Item(float(line["points"]), line["text"]) for line in lines if line]


def _check_python(cell: _Cell, source: str) -> None:
    try:
        ast.parse(source)
    except SyntaxError as error:
        raise cell.fail(f"line {error.lineno} isn't Python ({error.msg})") from None


def _check_markers(cell: _Cell) -> None:
    marks = [line.strip() for line in cell.source.splitlines() if line.strip() in (BEGIN, END)]
    if not marks or marks != [BEGIN, END] * (len(marks) // 2):
        raise cell.fail(f"enclose what the student writes in `{BEGIN}` and `{END}`, in this order")
    if not defined_names(cell.source):
        raise cell.fail("defines no function, class or variable that a probe could use")
