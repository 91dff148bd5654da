"""`{compute} WATTS`: what each chapter and its networks took, in seconds and at WATTS a core in energy."""

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gdmbook.chapters import chapters
from gdmbook.numbers import typeset
from gdmbook.records import Records, Run

HEADS = ("Chapter", "Training, s", "Page, s", "Energy, Wh")


class Compute(SphinxDirective):
    """A table from what the last executions noted; a network that several chapters fetch counts once."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        self.env.note_reread()
        root = Path(self.env.srcdir)
        records = Records(root)
        runs = {page.title: records.latest(page) for page in chapters(root)}
        group = nodes.tgroup("", cols=len(HEADS))
        group += [nodes.colspec("", colwidth=1) for _ in HEADS]
        group += nodes.thead("", _row(HEADS))
        group += nodes.tbody("", *map(_row, rows(runs, float(self.arguments[0]))))
        return [nodes.table("", group)]


def rows(runs: dict[str, Run | None], watts: float) -> list[tuple[str, ...]]:
    """Return the cells of the table, a row a chapter and a last one for all; None was not measured."""
    counted: set[str] = set()
    found: list[tuple[str, float, float]] = []
    missing = [title for title, run in runs.items() if run is None]
    for title, run in runs.items():
        if run is None:
            continue
        new = {name: seconds for name, seconds in run.models.items() if name not in counted}
        counted |= set(new)
        found.append((title, sum(new.values()), run.cpu_seconds))
    whole = "All that are measured" if missing else "All"
    found.append((whole, sum(row[1] for row in found), sum(row[2] for row in found)))
    return [
        *((title, "not measured", "not measured", "") for title in missing),
        *(
            (title, f"{training:.0f}", f"{page:.0f}", typeset(f"{watts * (training + page) / 3600:.2g}"))
            for title, training, page in found
        ),
    ]


def _row(cells: tuple[str, ...]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", cell)) for cell in cells))


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("compute", Compute)
