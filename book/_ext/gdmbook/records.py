"""Executed chapters: what the cache holds of each, with its times and its peak memory.

Outputs live in a jupyter-cache, where the renderer (MyST-NB) looks for them. Beside them stands the
fingerprint of what they depend on, so that an output that may be out of date is never shown.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbformat import NotebookNode

from gdmbook.chapters import ROOT, Page, chapters
from gdmbook.fingerprint import fingerprint

PYTHON = {"name": "python", "pygments_lexer": "ipython3", "file_extension": ".py"}
FOLDER = Path("_build/.jupyter_cache")


@dataclass(frozen=True)
class Run:
    """One execution of a chapter: its seconds by the clock and of CPU time, its peak resident memory in MiB.

    `speeds` are the machine's before and after, as `gdmbook.calibration` measures them. `models` maps the
    models that were trained beforehand to the seconds of their training.
    """

    fingerprint: str
    execution_seconds: float  # the key under which MyST-NB looks for it
    cpu_seconds: float
    speeds: list[float]
    peak_mib: float
    machine: str
    when: str
    models: dict[str, float] = field(default_factory=dict)

    @property
    def reference_seconds(self) -> float:
        """Seconds at reference speed."""
        return self.cpu_seconds * fmean(self.speeds)

    def __str__(self) -> str:
        """The run as words."""
        seconds = f"{max(1, round(self.execution_seconds))} s on one CPU core"
        reference = f"{max(1, round(self.reference_seconds))} s at reference speed"
        return f"{seconds} ({reference}), {self.peak_mib:.0f} MiB of memory"


class Records:
    """The cache of executed chapters under `root`."""

    def __init__(self, root: Path = ROOT) -> None:
        self.cache = get_cache(root / FOLDER)

    def find(self, page: Page) -> Run | None:
        """Return the run of the page as it stands now, or None if it has to be executed.

        A run of the same code under other tags or captions, on which no output depends, is kept under them.
        """
        run, current = self.state(page)
        if current:
            return run
        mark = fingerprint(page)
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

    def state(self, page: Page) -> tuple[Run | None, bool]:
        """Return the run that the renderer would show, and whether it is that of the page as it stands."""
        run = self.latest(page)
        return run, run is not None and run.fingerprint == fingerprint(page)

    def shows(self, page: Page) -> bool:
        """Whether the renderer finds outputs for the page, be they those of a stand-in."""
        try:
            return bool(self.cache.match_cache_notebook(page.notebook()))
        except KeyError:
            return False

    def store(self, page: Page, executed: NotebookNode, run: Run | None) -> None:
        """Keep the outputs of `executed` for the renderer; without a run they are those of a stand-in."""
        # The client changes the metadata, on which the cache's key depends; the renderer needs the language.
        executed.metadata = page.notebook().metadata | {"language_info": PYTHON}
        bundle = CacheBundleIn(executed, str(page.path), data=asdict(run) if run else {})
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


def sentence(run: Run | None) -> str:
    """Return the measured run as a sentence."""
    if run is None:
        return "Run time: not measured yet; `make book` measures it."
    first = f"; the first time {sum(run.models.values()):.0f} s more, to train " if run.models else ""
    return f"Run time: {run}{first}{', '.join(run.models)} (measured on {run.machine}, {run.when})."
