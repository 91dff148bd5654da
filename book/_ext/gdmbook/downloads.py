"""Each chapter's notebook to download: what the build executed, in words that any notebook viewer shows."""

import posixpath
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from sphinx.application import Sphinx

from gdmbook.chapters import Page, chapters
from gdmbook.lookup import BookLookup
from gdmbook.markdown import plain
from gdmbook.records import Records

FOLDER = "_downloads/notebooks"


def notebook_uri(docname: str, target: str) -> str:
    """Return the address of the notebook of page `target`, relative to page `docname`."""
    return posixpath.relpath(f"{FOLDER}/{posixpath.basename(target)}.ipynb", posixpath.dirname(docname))


def portable(page: Page, executed: NotebookNode, lookup: BookLookup) -> NotebookNode:
    """Return the executed notebook of `page` as a reader can use it anywhere."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in executed.cells:
        if cell.cell_type == "code":
            code = nbformat.v4.new_code_cell(cell.source, execution_count=cell.execution_count)
            code.outputs = [_without_slider(output) for output in cell.outputs if not _is_glue(output)]
            notebook.cells.append(code)
            caption = (cell.metadata.get("mystnb") or {}).get("figure", {}).get("caption")
            if caption:
                notebook.cells.append(nbformat.v4.new_markdown_cell(f"*{plain(caption, lookup)}*"))
        elif cell.cell_type == "markdown":
            text = plain(cell.source, lookup)
            if text:
                notebook.cells.append(nbformat.v4.new_markdown_cell(text))
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # the same from build to build
    nbformat.validate(notebook)
    return notebook


def _is_glue(output: NotebookNode) -> bool:
    return "scrapbook" in output.get("metadata", {}) and all(
        kind.startswith("application/papermill.record/") for kind in output.get("data", {})
    )


def _without_slider(output: NotebookNode) -> NotebookNode:
    """Keep the first frame of a slider: the others need the book's script, or the cell to be run."""
    page = output.get("data", {}).get("text/html", "")
    if 'class="frames"' in page:
        output = nbformat.from_dict(output)
        shown = next(part for part in page.split("<img ")[1:] if not part.startswith("hidden"))
        output["data"]["text/html"] = f"<img {shown.partition('>')[0]}>"
    return output


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the notebooks beside the pages."""
    if error is not None or app.builder.format != "html":
        return
    root = Path(app.srcdir)
    records, folder = Records(root), Path(app.outdir) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for page in chapters(root):
        executed = records.executed(page)
        notebook = portable(page, executed, BookLookup(app.env, page, executed))
        nbformat.write(notebook, folder / f"{page.path.stem}.ipynb")


def add_button(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: object) -> None:
    """Put a download button at the head of a chapter."""
    page = Page(Path(app.srcdir), pagename)
    if page.path.is_file() and page.is_notebook and "header_buttons" in context:
        context["header_buttons"].insert(
            0,
            {
                "type": "link",
                "url": notebook_uri(pagename, pagename),
                "tooltip": "Download this chapter as a notebook",
                "icon": "fas fa-download",
                "label": "download-notebook-button",
                "classes": "pst-navbar-icon",
            },
        )


def setup(app: Sphinx) -> None:
    """Write the notebooks when the pages are done."""
    app.connect("build-finished", write)
    app.connect("html-page-context", add_button, priority=900)
