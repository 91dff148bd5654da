"""Second stage: match the cells of a sheet to the questions of a key.

What counts is the last definition of a question's function, in the order of the notebook; ids, tags and
comments decide nothing. They only help to say what went wrong where no definition is found.
"""

import ast
import re
from dataclasses import dataclass
from typing import Literal

from gdmcourse.grading.clean import clean
from gdmcourse.grading.exercise import TO_WRITE
from gdmcourse.grading.imports import aliases, imported_modules
from gdmcourse.grading.key import Key, KeyQuestion
from gdmcourse.grading.magic import reading
from gdmcourse.grading.read import Sheet, SheetCell
from gdmcourse.grading.syntax import (
    bound_names,
    function_names,
    has_magic,
    is_open_ended,
    is_python,
    made_names,
    open_statements,
    parse,
    passed_names,
    plain,
    read_names,
    touched_names,
    without,
)

PICTURE = re.compile(r"data:image/[\w.+-]+;base64,[\w+/=]*")
MOST_WRITTEN, CUT = 100_000, " … (here it was cut)"
FORBIDDEN = "may not be imported here: write the answer yourself"


@dataclass(frozen=True)
class Piece:
    """A code cell of the student's that will run, with the questions whose functions it defines.

    It ``makes`` or changes some names, and ``passes`` others to functions that may change them.
    """

    name: str
    source: str
    answers: tuple[str, ...] = ()
    makes: frozenset[str] = frozenset()
    passes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Match:
    """How one question stands before anything has run: its names, the cells that define them, what to say."""

    state: Literal["answered", "untouched", "missing", "forbidden"]
    names: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    reason: str | None = None
    note: str | None = None
    written: str | None = None


@dataclass(frozen=True)
class Matched:
    """All that runs of a sheet, in the student's order, and what it means for each question."""

    pieces: list[Piece]
    questions: dict[str, Match]


def match(sheet: Sheet, key: Key) -> Matched:
    """Sort the cells of a sheet by what they define."""
    stubs = {dump for question in key.questions for dump, _ in open_statements(question.stub)}
    ours = {plain(source) for source in key.setup}
    ours |= {plain(probe.source) for question in key.questions for probe in question.probes}
    names = {question.id: asked_names(question) for question in key.questions}
    pieces = []
    for cell in sheet.code:
        source = without(cell.source, stubs)
        if plain(source) in ours or _only_calls(source):
            continue
        bound = bound_names(source)
        answers = tuple(q for q, asked in names.items() if bound & set(asked))
        makes = made_names(source) | (bound & {name for asked in names.values() for name in asked})
        passes = set[str]()
        if not answers:  # of an answer only what it makes, so that no patch is taken along
            makes |= touched_names(source)
            passes = passed_names(source)
        pieces.append(Piece(f"cell-{cell.number}", source, answers, frozenset(makes), frozenset(passes)))
    questions = {q.id: _match(q, names[q.id], pieces, sheet, key) for q in key.questions}
    # What imports a forbidden module is no part of an answer as far as that can be seen, and may not be one.
    return Matched([p for p in pieces if p.answers or not _forbidden([p], (), key)], questions)


def asked_names(question: KeyQuestion) -> tuple[str, ...]:
    """The names that a student has to define: those that the stub leaves open."""
    left_open = tuple(name for _, name in open_statements(question.stub) if name)
    return left_open or tuple(question.names)


def needed(pieces: list[Piece], names: tuple[str, ...], *, imports: bool = False) -> list[Piece]:
    """The pieces that make or change the names, or a name that such a piece reads, in the student's order.

    An import counts as making its name only where ``imports`` says so; then what is only passed on doesn't
    count, nor a method of what no piece makes, as in ``torch.manual_seed(0)``.
    """
    made = {piece.name: piece.makes | piece.passes for piece in pieces}
    if imports:
        own = {name for piece in pieces for name in made_names(piece.source)}
        made = {piece.name: (piece.makes & own) | bound_names(piece.source) for piece in pieces}
    wanted, chosen = set(names), set[str]()
    while more := [p for p in pieces if p.name not in chosen and not wanted.isdisjoint(made[p.name])]:
        chosen |= {piece.name for piece in more}
        wanted |= {name for piece in more for name in read_names(piece.source)}
    return [piece for piece in pieces if piece.name in chosen]


def _match(
    question: KeyQuestion, names: tuple[str, ...], pieces: list[Piece], sheet: Sheet, key: Key
) -> Match:
    stub_functions = function_names(question.stub)
    functions = tuple(name for name in names if name in stub_functions)
    defining = [piece for piece in pieces if question.id in piece.answers]
    about = {"names": names, "functions": functions, "written": _written(question, sheet)}
    if defining:
        if forbidden := _forbidden(needed(pieces, names, imports=True), names, key):
            return Match("forbidden", reason=f"{forbidden} {FORBIDDEN}", **about)  # type: ignore[arg-type]
        clear = [p for p in defining if set(names) & function_names(p.source)] or defining
        places = tuple(piece.name for piece in clear)
        several = len({plain(piece.source) for piece in clear}) > 1
        note = f"defined in {_listed(places)}; the last definition counts" if several else None
        return Match("answered", places=places, note=note, **about)  # type: ignore[arg-type]
    for piece in pieces:
        if is_open_ended(piece.source) and (forbidden := _forbidden([piece], (), key)):
            return Match("forbidden", reason=f"{forbidden} {FORBIDDEN}", **about)  # type: ignore[arg-type]
    missing = _why_missing(question, names, sheet, {piece.name for piece in pieces}) if names else None
    if any(is_open_ended(piece.source) for piece in pieces):
        return Match("answered", reason=missing, **about)  # type: ignore[arg-type]
    return Match("missing" if missing else "untouched", reason=missing, **about)  # type: ignore[arg-type]


def _why_missing(question: KeyQuestion, names: tuple[str, ...], sheet: Sheet, pieces: set[str]) -> str | None:
    """The sentence for a question that no cell defines; None where its stub stands as it was released."""
    name = names[0]
    defined = rf"((async def|def|class)\s+{name}\b|{name}\s*=[^=])"
    mention, at_margin = (re.compile(f"^{indent}{defined}", re.MULTILINE) for indent in (r"[ \t]*", ""))
    for cell in sheet.cells:  # an indented listing belongs to a statement, a skeleton to a hint
        if cell.kind != "code" and at_margin.search(cell.source) and "<details>" not in cell.source:
            kind = clean(cell.kind, 20).capitalize()
            return f"cell {cell.number} is {kind}; turn it into a code cell, and run it"
    for cell in sheet.code:
        if not is_python(cell.source) and (mention.search(cell.source) or cell.question == question.id):
            return f"cell {cell.number}: {_syntax_error(cell)}"
    if any(_has_stub(cell, question) for cell in sheet.code):
        return None
    for cell in sheet.code:
        if cell.question == question.id and f"cell-{cell.number}" in pieces:
            return f"cell {cell.number} defines nothing called {name}; keep the name that the question gives"
    return f"no answer found: no cell defines {name}"


def _has_stub(cell: SheetCell, question: KeyQuestion) -> bool:
    stub = {dump for dump, _ in open_statements(question.stub)}
    return plain(without(cell.source, stub)) != plain(cell.source)


def _syntax_error(cell: SheetCell) -> str:
    read = reading(cell.source)
    if read.magics and not read.python:
        return f"below {read.magics[0].split()[0]} nothing is defined in the notebook itself"
    try:
        compile(read.python, "cell", "exec", ast.PyCF_ONLY_AST)
    except SyntaxError as error:
        return f"it isn't Python ({error.msg}, line {error.lineno})"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"it can't be read as Python ({type(error).__name__})"
    return "it holds no code"


def _forbidden(pieces: list[Piece], names: tuple[str, ...], key: Key) -> str | None:
    """The first forbidden module that the pieces import for a name that one of them reads, or ``names``."""
    if not key.forbid:
        return None
    sources = [piece.source for piece in pieces]
    used = set(names).union(*map(read_names, sources))
    known = {name: module for source in [*key.setup, *sources] for name, module in aliases(source).items()}
    imported = sorted(name for source in sources for name in imported_modules(source, used, known))
    return next((n for n in imported if any(n == m or n.startswith(f"{m}.") for m in key.forbid)), None)


def _written(question: KeyQuestion, sheet: Sheet) -> str | None:
    """What was written in the text cell of an open question and in new ones below it.

    What stood there is left out, and pictures that are kept as text; of a book no more than an essay is kept.
    """
    if not question.rubric:
        return None
    texts, inside = [], False
    for cell in sheet.cells:
        own = cell.question == question.id and "answer" in cell.tags
        inside = cell.kind == "markdown" and (own or (inside and cell.question is None and not cell.tags))
        texts += [cell.source] if inside else []
    text = PICTURE.sub("(a picture)", "\n\n".join(texts)).replace(TO_WRITE, "").strip()
    return text[:MOST_WRITTEN] + (CUT if len(text) > MOST_WRITTEN else "") or None


def _only_calls(source: str) -> bool:
    """Whether a cell does nothing but call ``probe`` or ``check``, or import them; or nothing at all."""
    body = parse(source).body
    plain_calls = all(isinstance(node, ast.Pass) or _is_ours(node) for node in body)
    return bool(body) and plain_calls and not has_magic(source)


def _is_ours(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "gdmcourse.grading"
    call = node.value if isinstance(node, ast.Expr) else None
    name = call.func if isinstance(call, ast.Call) else None
    return isinstance(name, ast.Name) and name.id in ("probe", "check")


def _listed(places: tuple[str, ...]) -> str:
    return "cells " + ", ".join(place.removeprefix("cell-") for place in places)
