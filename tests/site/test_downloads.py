"""Each chapter's notebook can be downloaded, reads well without the book, and runs."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from gdmbook.chapters import ROOT, Page
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient
from traitlets.config import Config

from tests.site.browser import CHAPTERS
from tests.site.html import soup


def notebook_of(site: Path, name: str) -> nbformat.NotebookNode:
    """The notebook behind the download link of a page."""
    page = site / f"{name}.html"
    link = soup(page).select_one("a.notebook-download, a.btn-download-notebook-button")
    return nbformat.read((page.parent / link["href"]).resolve(), as_version=4)


def sections(cells: list[nbformat.NotebookNode]) -> int:
    """How many sections there are; those within one may be more, such as the questions of the exercises."""
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    return sum(len(re.findall(r"^##? ", text, re.M)) for text in texts)


@pytest.mark.parametrize("name", CHAPTERS)
def test_notebook_has_the_sections_the_code_and_the_outputs_of_the_page(site, name):
    notebook = notebook_of(site, name)
    nbformat.validate(notebook)
    whole = Page(ROOT, name).notebook().cells
    assert sections(notebook.cells) == sections(whole)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    cells = [cell for cell in whole if cell.cell_type == "code"]
    assert [cell.source for cell in code] == [cell.source for cell in cells]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    figures = sum("mystnb" in cell.metadata for cell in cells)
    assert sum(bool(cell.outputs) for cell in code) >= figures


@pytest.mark.parametrize("name", CHAPTERS)
def test_notebook_reads_well_without_the_book(site, name):
    for cell in notebook_of(site, name).cells:
        if cell.cell_type == "code":
            ast.parse(TransformerManager().transform_cell(cell.source))
        elif cell.cell_type == "markdown":
            prose = re.sub(r"^```.*?^```|^    .*?$", "", cell.source, flags=re.S | re.M)
            assert not re.search(r"\{[\w:.-]+\}`", prose), prose  # a role
            assert not re.search(r"^\s*[`:]{3,}\{", prose, re.M), prose  # a directive
            assert not re.search(r"\$\$\s*\([\w-]+\)", prose), prose  # a label
            assert not re.search(r"^\([\w-]+\)=", prose, re.M), prose  # a target
            assert "()" not in re.sub(r"`[^`]+`", "code", prose), prose  # a reference that found no number


@pytest.mark.parametrize(
    "name", [name for name in CHAPTERS if "{exercises}" in (ROOT / f"{name}.md").read_text()]
)
def test_exercises_can_be_downloaded_from_the_page(site, name):
    page = site / f"{name}.html"
    link = next(a for a in soup(page).select("a.download") if a["href"].endswith(".ipynb"))
    downloaded = (page.parent / link["href"]).resolve()
    assert downloaded.read_bytes() == (ROOT / f"exercises/{Path(name).name}.ipynb").read_bytes()


# One without a slider and one with: all that a run outside the book can do otherwise than the book's own.
RUN_EACH_TIME = ["book/start/index", "book/diffusion/forward_process"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in RUN_EACH_TIME else pytest.mark.nightly, id=name)
        for name in CHAPTERS
    ],
)
def test_downloaded_notebook_runs(site, name, tmp_path, monkeypatch):
    monkeypatch.delenv("GDMCOURSE_STATIC", raising=False)
    notebook = notebook_of(site, name)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    config = Config({"ConnectionFileMixin": {"transport": "ipc", "ip": str(tmp_path / "k")}})
    (tmp_path / "work").mkdir()
    client = NotebookClient(
        notebook, timeout=None, resources={"metadata": {"path": str(tmp_path / "work")}}, config=config
    )
    client.execute()  # raises where a cell does
    live = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    ]
    assert bool(live) == any("frames(" in cell.source for cell in notebook.cells if cell.cell_type == "code")
