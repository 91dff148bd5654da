"""Executed chapters: what the cache holds of each, with its run time and its peak memory.

Outputs live in a jupyter-cache, where the renderer (MyST-NB) looks for them. Beside them stands the
fingerprint of what they depend on, so that an output that may be out of date is never shown.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbformat import NotebookNode

from gdmbook.chapters import ROOT, Page, chapters
from gdmbook.fingerprint import fingerprint

PYTHON = {"name": "python", "pygments_lexer": "ipython3", "file_extension": ".py"}
FOLDER = Path("_build/.jupyter_cache")


@dataclass(frozen=True)
class Run:
    """One execution of a chapter: wall-clock seconds, peak resident memory in MiB, and where it ran.

    `models` maps the names of the models that were trained beforehand to the seconds of their training.
    """

    fingerprint: str
    execution_seconds: float  # the key under which MyST-NB looks for it
    peak_mib: float
    machine: str
    when: str
    models: dict[str, float] = field(default_factory=dict)


class Records:
    """The cache of executed chapters under `root`."""

    def __init__(self, root: Path = ROOT) -> None:
        self.cache = get_cache(root / FOLDER)

    def find(self, page: Page) -> Run | None:
        """Return the run of the page as it stands now, or None if it has to be executed.

        A run of the same code under other tags or captions, on which no output depends, is kept under them.
        """
        run, mark = self.latest(page), fingerprint(page)
        if run and run.fingerprint == mark:
            return run
        for record in self.cache.list_cache_records():
            if record.data.get("fingerprint") == mark and set(record.data) == set(Run.__dataclass_fields__):
                run = Run(**record.data)
                self.store(page, _filled(page.notebook(), self.cache.get_cache_bundle(record.pk).nb), run)
                return run
        return None

    def latest(self, page: Page) -> Run | None:
        """Return the run that the renderer would show, whether or not the library has changed since."""
        try:
            record = self.cache.match_cache_notebook(page.notebook())
        except KeyError:
            return None
        return Run(**record.data) if set(record.data) == set(Run.__dataclass_fields__) else None

    def store(self, page: Page, executed: NotebookNode, run: Run) -> None:
        """Keep the outputs of `executed` for the renderer."""
        # The client changes the metadata, on which the cache's key depends; the renderer needs the language.
        executed.metadata = page.notebook().metadata | {"language_info": PYTHON}
        bundle = CacheBundleIn(executed, str(page.path), data=asdict(run))
        self.cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)

    def executed(self, page: Page) -> NotebookNode:
        """Return the page's notebook with its outputs; raises KeyError if it has not been executed."""
        return self.cache.merge_match_into_notebook(page.notebook())[1]

    def prune(self, root: Path = ROOT) -> None:
        """Remove every record that no chapter stands behind any more."""
        current = {self.cache.create_hashed_notebook(page.notebook())[1] for page in chapters(root)}
        for record in self.cache.list_cache_records():
            if record.hashkey not in current:
                self.cache.remove_cache(record.pk)


def _filled(notebook: NotebookNode, executed: NotebookNode) -> NotebookNode:
    """Return `notebook` with the outputs that its code cells have in `executed`."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell, done in zip(code, executed.cells, strict=True):  # the cache keeps code cells only
        cell.outputs, cell.execution_count = done.outputs, done.execution_count
    return notebook
