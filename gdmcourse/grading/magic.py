"""What IPython reads in its own way: prompts and indents that it takes off, and its lines of magic."""

import ast
import functools
import re
import tokenize
import warnings
from dataclasses import dataclass

from IPython.core import inputtransformer2 as ipython

PASSES = 20  # a line of magic can hide the next one, as by an open bracket
# Cells of another language, for another process or for a file: their text defines nothing in the notebook.
ELSEWHERE = re.compile(
    "%%(!|(bash|cmd|file|html|javascript|js|latex|markdown|perl|pypy|python[23]?|ruby|script|sh|svg|sx|system"
    r"|timeit|writefile)\b)",
    re.IGNORECASE,
)
MAGIC = (ipython.MagicAssign, ipython.SystemAssign, ipython.EscapedCommand, ipython.HelpEnd)


@dataclass(frozen=True)
class Reading:
    """A cell in lines that correspond: as IPython takes it, and as Python, with ``None`` in magic's place.

    ``magics`` are the texts of that. A cell that IPython hands on as a whole has no Python.
    """

    lines: tuple[str, ...]
    python: str
    magics: tuple[str, ...]


@functools.lru_cache(maxsize=1000)
def reading(source: str) -> Reading:
    """Take a cell apart as IPython would; what it can't take apart stays as it is."""
    if parsed(source) is not None:
        return Reading(tuple(lines_of(source)), source, ())
    lines = [f"{line}\n" for line in lines_of(source)]
    for clean in (ipython.leading_indent, ipython.classic_prompt, ipython.ipython_prompt):
        lines = clean(lines)
    taken, magics = lines_of("".join(lines).removesuffix("\n")), list[str]()
    lines = [f"{line}\n" for line in taken]
    first = next((n for n, line in enumerate(lines) if line.strip()), 0)
    if lines and lines[first].startswith("%%"):
        magics.append(lines[first].strip())
        if ELSEWHERE.match(magics[0]):
            return Reading(tuple(taken), "", tuple(magics))
        lines[first] = "\n"
    for _ in range(PASSES):
        if not (found := _found(lines)):
            break
        for start, column in reversed(found):
            end = ipython.find_end_of_continued_line(lines, start)
            magics.append("".join(lines[start : end + 1])[column:].strip())
            lines[start : end + 1] = [f"{lines[start][:column]}None\n", *["\n"] * (end - start)]
    return Reading(tuple(taken), "".join(lines), tuple(magics))


def parsed(text: str) -> ast.Module | None:
    """The syntax tree, or None where this isn't Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def lines_of(source: str) -> list[str]:
    """The lines as Python counts them."""
    return re.split(r"\r\n|\r|\n", source)


def _found(lines: list[str]) -> list[tuple[int, int]]:
    """Where magic starts, line and column, as far as this can be seen before some of it is taken out."""
    try:
        logical = ipython.make_tokens_by_line(lines)
    except (SyntaxError, tokenize.TokenError):
        return []
    found = [next(filter(None, (kind.find([tokens]) for kind in MAGIC)), None) for tokens in logical]
    return [(magic.start_line, magic.start_col) for magic in found if magic is not None]
