"""`make book`: execute the chapters that need it, or those named, render the book, and say where it is."""

import argparse
import hashlib
import os
import sys
import time
from pathlib import Path

from jupyter_book.sphinx import build_sphinx
from rich.console import Console
from rich.text import Text

from gdmbook.chapters import ROOT, chapters, named, pages
from gdmbook.execution import ChapterError
from gdmbook.models import ModelError
from gdmbook.records import Records
from gdmbook.unexecuted import stand_in
from gdmbook.work import execute_pages

# All that a page is made of. A folder stands for every file in it.
INPUTS = [
    "_config.yml",
    "_toc.yml",
    "book",
    "gdmcourse",
    "solutions",
    "exercises",
    "tests",
    "benchmarks",
    "constraints.txt",
    "pyproject.toml",
]


def main() -> int:
    """Build the book under `--root`; return 0, or 1 after saying what is wrong."""
    parser = argparse.ArgumentParser(prog="make book", description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="where _toc.yml is")
    parser.add_argument("pages", nargs="*", help="execute these alone, by the last part of their names")
    arguments = parser.parse_args()
    root, console = arguments.root.resolve(), Console()
    try:
        asked = named(arguments.pages, root) if arguments.pages else chapters(root)
        records = Records(root)
        stale = [page for page in asked if page.is_notebook and not records.find(page)]
        if stale:
            cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 4
            execute_pages(stale, root, cores, console)
        records.prune(root)
        for page in chapters(root):
            if page not in asked and not records.latest(page):
                records.store(page, stand_in(page), None)
        _render(root, records, console)
    except (ChapterError, FileNotFoundError, ModelError, RenderError, ValueError) as error:
        console.print(Text.from_ansi(f"✗ {error}"), soft_wrap=True)
        return 1
    console.print(
        f"The book is ready. Open {root / '_build/html/index.html'}", soft_wrap=True, highlight=False
    )
    return 0


class RenderError(Exception):
    """The renderer stopped; it has said why on the terminal."""


def _render(root: Path, records: Records, console: Console) -> None:
    built, digest = root / "_build/html/.inputs", _inputs(root, records)
    if built.is_file() and built.read_text() == digest:
        console.print("Nothing has changed since the last build.")
        return
    built.unlink(missing_ok=True)
    start = time.perf_counter()
    console.print(f"Rendering {len(pages(root))} pages.")
    done = build_sphinx(
        root,
        root / "_build/html",
        path_config=root / "_config.yml",
        noconfig=True,
        confoverrides={"external_toc_path": str(root / "_toc.yml"), "latex_individualpages": False},
        warningiserror=True,
        keep_going=True,
        quiet=not console.is_terminal,
    )
    if done != 0:
        # A page that has been read once would keep its warnings to itself the next time.
        (root / "_build/.doctrees/environment.pickle").unlink(missing_ok=True)
        raise RenderError("The book was not rendered: mend what is said above. Warnings count as errors.")
    first = f'<meta http-equiv="refresh" content="0; url={pages(root)[0].name}.html">\n'
    (root / "_build/html/index.html").write_text(f"<!doctype html>\n<title>The book</title>\n{first}")
    built.write_text(digest)
    console.print(f"Rendered in {time.perf_counter() - start:.0f} s.")


def _inputs(root: Path, records: Records) -> str:
    digest = hashlib.sha256(repr([records.latest(page) for page in chapters(root)]).encode())
    for top in INPUTS:
        found = [root / top, *sorted((root / top).rglob("*"))]
        for path in found:
            if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts):
                digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
