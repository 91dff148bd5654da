"""Read a student's notebook defensively, and find in it the answers and the helper cells."""

import ast
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gdmcourse.grading.key import Key, KeyQuestion
from gdmcourse.grading.names import defined_names, parse
from gdmcourse.grading.notebook import Cell, Notebook, source_text

LARGEST = 150_000_000  # bytes; outputs are in the file too, so room for 100 MB that a loop has printed
MOST_PARTS = 2_000_000  # lists and objects in it, each of which takes twenty times its space in memory
MOST_CODE = 300_000  # characters; a parser needs up to a thousand times the memory
MOST_CELLS = 1000
IN_SOURCE = re.compile(r"^[ \t]*#[ \t]*answer[ \t]*:[ \t]*(\w+)", re.MULTILINE | re.IGNORECASE)


class Unreadable(ValueError):
    """A submission can't be graded at all; the text is the reason."""


@dataclass(frozen=True)
class Piece:
    """A code cell of the student's that will run: an answer (with its question) or a helper (without)."""

    name: str
    source: str
    question: str | None = None
    untouched: bool = False


@dataclass(frozen=True)
class Submission:
    """What of a notebook is graded, in the student's order, and what to say about how it was found."""

    pieces: list[Piece]
    notes: dict[str, str] = field(default_factory=dict)

    def answer(self, question: str) -> Piece | None:
        """The answer that counts for a question."""
        return next((piece for piece in self.pieces if piece.question == question), None)


def read_notebook(path: Path) -> Notebook:
    """The notebook as a dictionary whose cells can be relied on; raises Unreadable with the reason."""
    if not path.is_file():
        raise Unreadable(f"there is no file {path}")
    if path.stat().st_size > LARGEST:
        raise Unreadable(f"it is larger than {LARGEST // 10**6} MB; clear its outputs and save it again")
    data = path.read_bytes()
    if data.count(b"[") + data.count(b"{") > MOST_PARTS:
        raise Unreadable(f"it has more than {MOST_PARTS:,} parts; clear its outputs and save it again")
    if not data.strip():
        raise Unreadable("the file is empty")
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is not a notebook: not JSON ({str(error)[:120]})") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("nbformat"), int):
        raise Unreadable("it is not a notebook: `nbformat` is missing")
    if notebook["nbformat"] != 4:
        raise Unreadable(
            f"it has nbformat {notebook['nbformat']}, and 4 is needed; open it in Jupyter and save it"
        )
    cells = notebook.get("cells")
    if not isinstance(cells, list) or not all(_is_cell(cell) for cell in cells):
        raise Unreadable("it is not a notebook: its cells are missing or damaged")
    sources = [source_text(cell) for cell in cells if cell["cell_type"] == "code"]
    if not any(source.strip() for source in sources):
        raise Unreadable("it has no code cells")
    if len(sources) > MOST_CELLS or sum(map(len, sources)) > MOST_CODE:
        raise Unreadable(f"it has more than {MOST_CELLS} code cells or {MOST_CODE:,} characters of code")
    _check_language(notebook)
    return notebook


def read_submission(notebook: Notebook, key: Key) -> Submission:
    """Sort the code cells into answers, helpers, and what is ours anyway (setup, probes, checks).

    An answer is found by the question in its metadata, then by its cell id, then by ``# answer: q2`` in it,
    and for a question found in none of these ways by the name that it must define. Of several answers, the
    last changed one counts.
    """
    questions = {question.id: question for question in key.questions}
    cells = [(n, cell) for n, cell in enumerate(notebook["cells"], 1) if cell["cell_type"] == "code"]
    ours = {_plain(source) for source in key.setup}
    ours |= {_plain(probe.source) for question in key.questions for probe in question.probes}
    roles = {n: _role(cell, questions, ours) for n, cell in cells}
    sources = {n: source_text(cell) for n, cell in cells}
    for question in key.questions:
        if question.id not in roles.values():
            for n, source in sources.items():
                if roles[n] == "helper" and set(question.names) & set(defined_names(source)):
                    roles[n] = question.id
    chosen, notes = {}, {}
    for question in key.questions:
        found = [n for n, role in roles.items() if role == question.id and sources[n].strip()]
        changed = [n for n in found if not _untouched(sources[n], question)]
        if found:
            chosen[question.id] = (changed or found)[-1]
        if len(found) > 1:
            which = "the last changed one" if changed else "the last one"
            places = ", ".join(map(str, found))
            notes[question.id] = f"answered in cells {places}; {which}, cell {chosen[question.id]}, counts"
    pieces = []
    for n, source in sources.items():
        role = roles[n]
        if role in questions:
            if chosen.get(role) == n:
                untouched = _untouched(source, questions[role])
                pieces.append(Piece(f"cell-{n}", source, role, untouched))
        elif role == "helper" and source.strip():
            pieces.append(Piece(f"cell-{n}", source))
    return Submission(pieces, notes)


def _role(cell: Cell, questions: dict[str, KeyQuestion], ours: set[str]) -> str:
    """A question's id for an answer, ``ours`` for what the grader puts in anew, or ``helper``."""
    source, metadata = source_text(cell), _dictionary(cell.get("metadata"))
    if _plain(source) in ours or _only_calls(source):
        return "ours"
    tags = metadata.get("tags")
    tags = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    line = IN_SOURCE.search(source)
    told = line.group(1) if line and line.group(1) in questions else None
    name, _, what = str(cell.get("id")).partition("-")
    question = questions.get(str(metadata.get("question")))
    if question is not None:
        defines = not tags and set(question.names) & set(defined_names(source))
        if "answer" in tags or told == question.id or defines:
            return question.id
    if name in questions and what == "answer":
        return name
    if told:
        return told
    return "ours" if {"probe", "check"} & set(tags) or (name in questions and what) else "helper"


def _only_calls(source: str) -> bool:
    """Whether a cell does nothing but call ``probe`` or ``check``, or import them."""
    body = parse(source).body
    return bool(body) and all(
        (isinstance(node, ast.ImportFrom) and node.module == "gdmcourse.grading")
        or (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Name)
            and node.value.func.id in ("probe", "check")
        )
        for node in body
    )


def _untouched(source: str, question: KeyQuestion) -> bool:
    return _plain(source) == _plain(question.stub)


def _plain(source: str) -> str:
    """The code without comments and layout, where it is Python; else the text without outer spaces."""
    try:
        tree = parse(source)
        return ast.dump(tree) if tree.body else source.strip()
    except (RecursionError, ValueError):  # too deep, or an integer too long to be written in decimals
        return source.strip()


def _check_language(notebook: Notebook) -> None:
    """The kernel's name is the student's affair, its language isn't."""
    metadata = _dictionary(notebook.get("metadata"))
    for place, name in (("kernelspec", "language"), ("language_info", "name")):
        language = _dictionary(metadata.get(place)).get(name)
        if isinstance(language, str) and language and not language.lower().startswith(("python", "ipython")):
            raise Unreadable(f"it was written for a {language[:40]} kernel, and Python is needed")


def _is_cell(cell: Any) -> bool:
    return (
        isinstance(cell, dict)
        and isinstance(cell.get("cell_type"), str)
        and isinstance(cell.get("source"), str | list)
    )


def _dictionary(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
