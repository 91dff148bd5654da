"""`{prerequisites}`: which chapter builds on which, drawn as lines with stops, from the chapters' own words.

From each chapter that others build on a line leads down, and an arrow from it to each that needs it.
"""

from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gdmbook.course import builds_on, titles

ROW, LANE, TOP, LETTER = 26, 14, 18, 8.2  # sizes in px
COLOURS = ("#4477aa", "#228833", "#aa3377", "#997700", "#cc5533")


class Prerequisites(SphinxDirective):
    """The drawing, how to read it, and what nothing else needs."""

    def run(self) -> list[nodes.Node]:
        """Return a figure in two paragraphs."""
        self.env.note_reread()
        root = Path(self.env.srcdir)
        named = titles(root)
        needs = builds_on(root)
        last = [named[name] for name in named if not any(name in others for others in needs.values())]
        said = (
            "A line leads down from each chapter that others build on, and an arrow from it to each of them; "
            f"the table below says the same. No other chapter builds on {listed(last)}."
        )
        return [nodes.raw("", drawn(named, needs), format="html"), nodes.paragraph("", said)]


def listed(words: list[str]) -> str:
    """Return words as a sentence lists them."""
    return " or ".join([", ".join(words[:-1]), *words[-1:]] if len(words) > 1 else words)


def lanes(names: list[str], needs: dict[str, list[str]]) -> dict[str, int]:
    """Return the column of each line, the longest on the left; lines in one column don't meet."""
    place = {name: at for at, name in enumerate(names)}
    ends = {name: max((place[o] for o in names if name in needs[o]), default=-1) for name in names}
    column: dict[str, int] = {}
    for name in sorted((n for n in names if ends[n] >= 0), key=lambda n: place[n] - ends[n]):
        taken = {
            column[other] for other in column if place[other] <= ends[name] and place[name] <= ends[other]
        }
        column[name] = next(at for at in range(len(names)) if at not in taken)
    return column


def drawn(named: dict[str, str], needs: dict[str, list[str]]) -> str:
    """Return the drawing as SVG, a row for each chapter in reading order; `aria-label` says it in words."""
    names = list(named)
    column = lanes(names, needs)
    y = {name: TOP + ROW * at for at, name in enumerate(names)}
    edge = LANE * (max(column.values(), default=0) + 1) + 22
    parts = []
    for name, at in column.items():
        x, colour = 8 + LANE * at, COLOURS[at % len(COLOURS)]
        users = [other for other in names if name in needs[other]]
        down = f"M{edge - 6} {y[name]}H{x + 6}Q{x} {y[name]} {x} {y[name] + 6}V{y[users[-1]]}"
        parts.append(f'<path d="{down}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        for other in users:
            stop = y[other] + 5
            parts.append(
                f'<path d="M{x} {stop}H{edge - 11}" stroke="{colour}"/><circle cx="{x}" cy="{stop}" r="3.5" '
                f'fill="{colour}"/><path d="M{edge - 13} {stop - 3.5}l7 3.5l-7 3.5z" fill="{colour}"/>'
            )
    parts += [f'<text x="{edge}" y="{y[name] + 5}">{escape(named[name])}</text>' for name in names]
    width = edge + max(map(len, named.values())) * LETTER
    height = TOP + ROW * len(names)
    style = "max-width:100%;height:auto;fill:currentColor;font-size:15px"
    words = "; ".join(
        f"{named[name]} builds on {' and '.join(named[other] for other in needs[name]) or 'no other'}"
        for name in names
    )
    head = (
        f'<svg class="prerequisites" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" style="{style}"'
    )
    return f'{head} role="img" aria-label="{escape(words)}">{"".join(parts)}</svg>'


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("prerequisites", Prerequisites)
