"""`{growth}`: the time to grade a class by the number of workers, from `benchmarks/results.json`."""

import html
import json
import math
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_NAME = re.compile(r"grading (?P<notebooks>[\d,]+) notebooks, (?P<workers>[\d,]+) simulated workers .*")
WIDTH, HEIGHT, LEFT, TOP = 620, 260, 70, 16
Point = tuple[int, float, float]


class Growth(SphinxDirective):
    """The chart, and what of it is simulated; how to measure, where nothing has been."""

    def run(self) -> list[nodes.Node]:
        """Return a figure, or a sentence."""
        self.env.note_reread()
        path = Path(self.env.srcdir) / "benchmarks" / "results.json"
        found = points(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []
        if not found:
            said = nodes.Text(
                "How the time falls with the number of workers has not been measured on this copy; "
            )
            command = nodes.literal("", ".venv/bin/python -m benchmarks classroom")
            return [nodes.paragraph("", "", said, command, nodes.Text(" does it."))]
        drawing = nodes.raw("", drawn(found), format="html")
        return [drawing, nodes.paragraph("", caption(found))]


def points(rows: list[dict[str, Any]]) -> list[Point]:
    """Return workers, seconds and seconds with nothing lost, of each row on growth."""
    named = [(_NAME.fullmatch(row["name"]), row) for row in rows]
    return sorted((int(n["workers"].replace(",", "")), row["ours"], row["peer"]) for n, row in named if n)


def caption(found: list[Point]) -> str:
    """Return the sentence below the chart."""
    workers, seconds, least = found[-1]
    return (
        "Seconds to grade 10,000 notebooks, by the number of workers. Simulated is the grading alone: each "
        "worker waits for as long as a real grading took, and answers with a real result. The scheduler, the "
        "transfer of notebooks and results, and the gradebook are real. "
        f"With {workers} workers it took {seconds:.0f} s; the dashed line, at which nothing is lost, is at "
        f"{least:.0f} s there."
    )


def drawn(found: list[Point]) -> str:
    """Return the chart as SVG; both axes are logarithmic."""
    across = [math.log(workers) for workers, *_ in found]
    up = [math.log(value) for _, *both in found for value in both]

    def place(workers: int, seconds: float) -> str:
        x = (math.log(workers) - across[0]) / max(1e-9, across[-1] - across[0])
        y = (math.log(seconds) - min(up)) / max(1e-9, max(up) - min(up))
        return f"{LEFT + x * (WIDTH - LEFT - 30):.1f},{TOP + (1 - y) * (HEIGHT - TOP - 40):.1f}"

    lines = [
        f'<polyline points="{" ".join(place(w, p) for w, _, p in found)}" fill="none" stroke="currentColor" '
        'stroke-dasharray="6 4"/>',
        f'<polyline points="{" ".join(place(w, s) for w, s, _ in found)}" fill="none" stroke="#4477aa" '
        'stroke-width="3"/>',
    ]
    for workers, seconds, _ in found:
        x, y = place(workers, seconds).split(",")
        lines.append(f'<circle cx="{x}" cy="{y}" r="4" fill="#4477aa"/>')
        lines.append(f'<text x="{x}" y="{float(y) - 10:.1f}" text-anchor="middle">{seconds:.0f} s</text>')
        lines.append(f'<text x="{x}" y="{HEIGHT - 10}" text-anchor="middle">{workers}</text>')
    lines.append(f'<text x="4" y="{HEIGHT - 10}">workers</text>')
    told = html.escape("; ".join(f"{workers} workers: {seconds:.0f} s" for workers, seconds, _ in found))
    style = "max-width:100%;height:auto;fill:currentColor;font-size:13px"
    head = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" style="{style}" role="img" aria-label="{told}">'
    )
    return f"{head}{''.join(lines)}</svg>"


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("growth", Growth)
