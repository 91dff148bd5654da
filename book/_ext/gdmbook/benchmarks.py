"""`{benchmarks}`: the measurements in `benchmarks/results.json` as a table."""

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

COLUMNS = ("What", "Ours", "Peer", "Ratio", "At most", "Where and when")


class Benchmarks(SphinxDirective):
    """A row to each measurement; where there are none yet, a sentence that says how to make them."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        self.env.note_reread()
        path = Path(self.env.srcdir) / "benchmarks" / "results.json"
        if not path.is_file():
            command = nodes.literal("", "make bench")
            return [
                nodes.paragraph(
                    "", "Nothing has been measured on this copy yet; ", command, nodes.Text(" does it.")
                )
            ]
        rows = [cells(row) for row in json.loads(path.read_text(encoding="utf-8"))]
        group = nodes.tgroup("", cols=len(COLUMNS))
        group += [nodes.colspec("", colwidth=1) for _ in COLUMNS]
        group += nodes.thead("", _row(list(COLUMNS)))
        group += nodes.tbody("", *(_row(row) for row in rows))
        return [nodes.table("", group, classes=["benchmarks"])]


def cells(row: dict[str, Any]) -> list[str]:
    """Return a measurement as the table shows it; what has no peer or no target shows a dash."""
    unit = row["unit"]
    ratio, target = row.get("ratio"), row.get("target")
    met = "" if ratio is None or target is None else (" ✓" if ratio <= target else " ✗")
    return [
        row["name"],
        _number(row["ours"], unit),
        _number(row.get("peer"), unit),
        "–" if ratio is None else f"{ratio:.2f}{met}",
        "–" if target is None else f"{target:g}",
        f"{row['machine']}, {row['date']}",
    ]


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" + ("" if unit in ("", "1") else f"\u00a0{unit}")  # a space that does not break


def _row(texts: list[str]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", text)) for text in texts))


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("benchmarks", Benchmarks)
