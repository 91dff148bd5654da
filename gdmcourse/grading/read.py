"""First stage: read what was handed in, defensively, into a sheet of cells."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdmcourse.grading.clean import clean
from gdmcourse.grading.notebook import Cell, Notebook, source_text

LARGEST = 150_000_000  # bytes; outputs are in the file too, so room for 100 MB that a loop has printed
TOO_LARGE = f"it is larger than {LARGEST // 10**6} MB; clear its outputs and save it again"
MOST_PARTS = 2_000_000  # lists and objects in it, each of which takes twenty times its space in memory
MOST_CODE = 300_000  # characters; a parser needs up to a thousand times the memory
MOST_CELLS = 1000
IN_SOURCE = re.compile(r"^[ \t]*#[ \t]*answer[ \t]*:[ \t]*(\w+)[ \t]*$", re.MULTILINE | re.IGNORECASE)


class Unreadable(ValueError):
    """A submission can't be graded at all; the text is the reason."""


@dataclass(frozen=True)
class SheetCell:
    """A cell as it was handed in: its number from 1, its kind, and what is left of our marks."""

    number: int
    kind: str
    source: str
    question: str | None
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """What was handed in: a name for the report, the chapter that it says it belongs to, and its cells."""

    name: str
    chapter: str | None
    cells: list[SheetCell]

    @property
    def code(self) -> list[SheetCell]:
        """The cells that hold code."""
        return [cell for cell in self.cells if cell.kind == "code" and cell.source.strip()]


def read(path: Path) -> Sheet:
    """The notebook at ``path`` as a sheet; raises Unreadable with the reason."""
    if not path.is_file():
        raise Unreadable(f"there is no file {clean(path)}")
    if path.stat().st_size > LARGEST:
        raise Unreadable(TOO_LARGE)
    return read_bytes(path.read_bytes(), path.name)


def read_bytes(data: bytes, name: str) -> Sheet:
    """The content of a notebook's file as a sheet called ``name``; raises Unreadable with the reason."""
    notebook = parse(data)
    about = _dictionary(_dictionary(notebook.get("metadata")).get("gdmcourse"))
    chapter = about.get("chapter")
    cells = [_sheet_cell(number, cell) for number, cell in enumerate(notebook["cells"], 1)]
    return Sheet(clean(name, 200), chapter if isinstance(chapter, str) else None, cells)


def parse(data: bytes) -> Notebook:
    """The notebook as a dictionary whose cells can be relied on; raises Unreadable with the reason."""
    if len(data) > LARGEST:
        raise Unreadable(TOO_LARGE)
    if data.count(b"[") + data.count(b"{") > MOST_PARTS:
        raise Unreadable(f"it has more than {MOST_PARTS:,} parts; clear its outputs and save it again")
    if not data.strip():
        raise Unreadable("the file is empty")
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is not a notebook: not JSON ({clean(error, 120)})") from None
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


def _sheet_cell(number: int, cell: Cell) -> SheetCell:
    """The cell, with the question that its metadata, its id or a line ``# answer: q2`` names."""
    metadata = _dictionary(cell.get("metadata"))
    tags = metadata.get("tags")
    source = source_text(cell)
    name, _, what = str(cell.get("id")).partition("-")
    line = IN_SOURCE.search(source)
    question = metadata.get("question") or (name if what == "answer" else line and line[1])
    return SheetCell(
        number,
        cell["cell_type"],
        source,
        question if isinstance(question, str) else None,
        tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
    )


def _check_language(notebook: Notebook) -> None:
    """The kernel's name is the student's affair, its language isn't."""
    metadata = _dictionary(notebook.get("metadata"))
    for place, name in (("kernelspec", "language"), ("language_info", "name")):
        language = _dictionary(metadata.get(place)).get(name)
        if isinstance(language, str) and language and not language.lower().startswith(("python", "ipython")):
            raise Unreadable(f"it was written for a {clean(language, 40)} kernel, and Python is needed")


def _is_cell(cell: Any) -> bool:
    return (
        isinstance(cell, dict)
        and isinstance(cell.get("cell_type"), str)
        and isinstance(cell.get("source"), str | list)
    )


def _dictionary(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
