"""Notebooks as plain dictionaries (nbformat 4.5), written so that the same content is the same bytes."""

import json
from pathlib import Path
from typing import Any

Cell = dict[str, Any]
Notebook = dict[str, Any]


def code(source: str, name: str, **metadata: Any) -> Cell:
    """A code cell that hasn't run, with ``name`` as its id."""
    return {**_cell("code", source, name, metadata), "execution_count": None, "outputs": []}


def markdown(source: str, name: str, **metadata: Any) -> Cell:
    """A markdown cell with ``name`` as its id."""
    return _cell("markdown", source, name, metadata)


def notebook(cells: list[Cell], **metadata: Any) -> Notebook:
    """A Python notebook of the cells."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}, **metadata},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def source_text(cell: Cell) -> str:
    """The source of a cell, which a file may hold as one string or as a list of lines."""
    source = cell.get("source", "")
    text = "".join(map(str, source)) if isinstance(source, list) else str(source)
    return text.encode("utf-8", errors="replace").decode("utf-8")  # JSON can hold halves of characters


def to_text(data: Any) -> str:
    """JSON in the layout that Jupyter uses, so that a diff shows what changed."""
    return json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def write_json(path: Path, data: Any) -> None:
    """Write JSON in Jupyter's layout."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_text(data), encoding="utf-8")


def _cell(kind: str, source: str, name: str, metadata: dict[str, Any]) -> Cell:
    kept = {key: value for key, value in metadata.items() if value is not None}
    return {"cell_type": kind, "id": name, "metadata": kept, "source": source.splitlines(keepends=True)}
