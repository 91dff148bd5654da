"""`{benchmarks}`: the measurements in `benchmarks/results.json`, a table for each kind of peer."""

import json
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gdmbook.numbers import typeset

_NAME = re.compile(r"(?P<what>.*) \(peer: (?P<peer>.*)\)")
BUDGETS = ("budget", "what is allowed")  # peers that are no packages
KINDS = {
    "Against other packages": ("Ours", "Theirs", "Ratio"),
    "Against a budget": ("Measured", "Budget", "Share"),
    "As measured": ("Measured",),
}
Row = dict[str, Any]


class Benchmarks(SphinxDirective):
    """The machines, and what was measured on each; where there is nothing yet, how to measure."""

    def run(self) -> list[nodes.Node]:
        """Return the sentences and tables."""
        self.env.note_reread()
        path = Path(self.env.srcdir) / "benchmarks" / "results.json"
        if not path.is_file():
            command = nodes.literal("", "make bench")
            return [
                nodes.paragraph(
                    "", "Nothing has been measured on this copy yet; ", command, nodes.Text(" does it.")
                )
            ]
        rows = json.loads(path.read_text(encoding="utf-8"))
        found: list[nodes.Node] = []
        for machine in dict.fromkeys(row["machine"] for row in rows):
            here = [row for row in rows if row["machine"] == machine]
            found.append(nodes.paragraph("", measured(machine, [row["date"] for row in here])))
            for title, heads in KINDS.items():
                if chosen := [row for row in here if kind(row) == title]:
                    found += [nodes.rubric("", title), _table(heads, chosen)]
        return found


def measured(machine: str, dates: list[str]) -> str:
    """Return a sentence on where and when."""
    first, last = min(dates), max(dates)
    return f"Measured on {machine}, " + (f"{first}." if first == last else f"from {first} to {last}.")


def split(name: str) -> tuple[str, str]:
    """Return what a row measures and against what."""
    parts = _NAME.fullmatch(name)
    return (parts["what"], parts["peer"]) if parts else (name, "")


def kind(row: Row) -> str:
    """Return the title of the table that a row belongs to."""
    packages, budget, alone = KINDS
    if "peer" not in row:
        return alone
    return budget if split(row["name"])[1] in BUDGETS else packages


def cells(row: Row) -> list[str]:
    """Return a measurement as the table shows it, without its bar."""
    what, peer = split(row["name"])
    if kind(row) == "As measured":
        return [what, quantity(row["ours"], row["unit"])]
    peer_said = quantity(row["peer"], row["unit"]) + ("" if peer in BUDGETS else f"\n{peer}")
    limit = "" if row["target"] == 1 else f" of at most {row['target']:g}"
    met = "✓" if row["ratio"] <= row["target"] else "✗"
    return [what, quantity(row["ours"], row["unit"]), peer_said, f"{row['ratio']:.2f}{limit}\u00a0{met}"]


def quantity(value: float, unit: str) -> str:
    """Return a number of three digits with its unit; from 1024 MiB on it is counted in GiB."""
    if unit == "MiB" and value >= 1024:
        value, unit = value / 1024, "GiB"
    said = f"{value:.0f}" if value >= 100 else f"{value:.3g}"
    return typeset(said) + (f"\u00a0{unit}" if unit else "")


def _table(heads: tuple[str, ...], rows: list[Row]) -> nodes.table:
    group = nodes.tgroup("", cols=len(heads) + 1)
    group += [nodes.colspec("", colwidth=1) for _ in range(len(heads) + 1)]
    group += nodes.thead("", _row([nodes.paragraph("", head) for head in ("What", *heads)]))
    group += nodes.tbody("", *(_row(_shown(row)) for row in rows))
    return nodes.table("", group, classes=["benchmarks"])


def _shown(row: Row) -> list[nodes.Element]:
    shown = [nodes.paragraph("", "", *_lines(text)) for text in cells(row)]
    if "ratio" not in row:
        return shown
    # How much of what is allowed was used, as a bar; the number stands beside it.
    share = min(1.0, row["ratio"] / row["target"])
    bar = f'<span class="bar" aria-hidden="true" style="--share: {share:.3f}"></span>'
    shown[-1] += nodes.raw("", bar, format="html")
    return shown


def _lines(text: str) -> list[nodes.Node]:
    first, _, second = text.partition("\n")
    return [nodes.Text(first)] + ([nodes.inline("", f" {second}", classes=["peer"])] if second else [])


def _row(parts: list[nodes.Element]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", part) for part in parts))


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("benchmarks", Benchmarks)
