"""Pages that `make book PAGES=…` was not asked to execute: they say so, and what is glued shows as a gap."""

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from gdmbook.chapters import Page
from gdmbook.records import Records

GAP = "…"
_STANDS_IN = "gdmbook_stands_in"  # in what Sphinx keeps while it reads a page
_GLUED = re.compile(r"\{glue(?::\w+)?\}`[^`]+`")
_HEADING = re.compile(r"^# .+$", re.M)
_NEVER = f"Nothing on this page was computed: its figures are missing, and {GAP} stands for its numbers"
_EARLIER = "The figures and numbers of this page were computed before the last change of the code below it"


def stand_in(page: Page) -> NotebookNode:
    """Return the page's notebook with an empty figure where a cell draws one, so that references find it."""
    notebook = page.notebook()
    for cell in notebook.cells:
        if "figure" in (cell.metadata.get("mystnb") or {}):
            data = {"text/html": "<p>Not executed.</p>"}
            cell.outputs = [nbformat.v4.new_output("display_data", data)]
    return notebook


def without_numbers(text: str) -> str:
    """Return the text with a gap for each number that is glued."""
    return _GLUED.sub(GAP, text)


def stands_in(env: BuildEnvironment) -> bool:
    """Whether the page that is being read was never executed."""
    return bool(env.temp_data.get(_STANDS_IN))


def say_so(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put a note under the heading of a page that does not show its own run."""
    page = Page(Path(app.srcdir), docname)
    if not page.path.is_file() or not page.is_notebook:
        return
    run, current = Records(page.root).state(page)
    if current:
        return
    said = _EARLIER if run else _NEVER
    note = f":::{{warning}}\n{said}; `make book PAGES={page.path.stem}` executes it.\n:::"
    app.env.temp_data[_STANDS_IN] = run is None
    text = source[0] if run else without_numbers(source[0])
    source[0] = _HEADING.sub(lambda heading: f"{heading[0]}\n\n{note}\n", text, count=1)


def setup(app: Sphinx) -> None:
    """Look at each page's text before it is parsed."""
    app.connect("source-read", say_so)
