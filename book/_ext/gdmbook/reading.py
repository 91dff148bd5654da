"""`{second-reading}`: what a first reading may skip is folded, and a page says how long each reading takes.

The directive stands below a section's title and folds the section, and each of its subsections. Minutes are
reckoned at 100 words, or ten lines of code, a minute, and four for each labelled claim with its proof: the
speed of those who tried the chapters with a pencil at hand.
"""

from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from gdmbook.folded import Folded, folded

WORDS, LINES, CLAIM = 100, 10, 4
KIND = "second-reading"
logger = logging.getLogger(__name__)


class Mark(nodes.General, nodes.Element):
    """Stands in the section that is to be folded."""


class ReadingTime(nodes.General, nodes.Element):
    """Where the minutes are to stand; `{run-time}` puts it there."""


class SecondReading(SphinxDirective):
    """Says that a first reading may skip this section."""

    def run(self) -> list[nodes.Node]:
        """Return the mark that the transform looks for."""
        mark = Mark()
        self.set_source_info(mark)
        return [mark]


class Fold(SphinxTransform):
    """Fold what is for a second reading, and reckon the minutes; the opening figure has been moved before."""

    default_priority = 412

    def apply(self, **kwargs: object) -> None:
        """Wrap each marked section's content, leaving the titles."""
        for mark in list(self.document.findall(Mark)):
            section = mark.parent
            if not isinstance(section, nodes.section):
                logger.warning("{second-reading} stands outside of any section", location=mark)
                continue
            section.remove(mark)
            for part in list(section.findall(nodes.section)):
                _fold(part)
        for place in list(self.document.findall(ReadingTime)):
            first, whole = both(self.document)
            line = nodes.paragraph("", said(first, whole), classes=["reading-time"])
            line["reading"] = (first, whole)
            place.replace_self(line)


def _fold(section: nodes.section) -> None:
    """Fold what stands between the section's title and its subsections."""
    body = [child for child in section.children[1:] if not isinstance(child, nodes.section)]
    if not body:
        return
    for child in body:
        section.remove(child)
    text = f"For a second reading, about {rounded(minutes(body))} minutes"
    section.insert(1, folded([nodes.Text(text)], body, KIND))


def both(page: nodes.Element) -> tuple[int, int]:
    """The minutes of a first reading, and of all."""
    skipped = [part for part in page.findall(Folded) if KIND in part["classes"]]
    whole = minutes([page])
    return rounded(whole - minutes(list(skipped))), rounded(whole)


def said(first: int, whole: int) -> str:
    """The sentence below the title."""
    if first == whole:
        return f"Reading: about {whole} minutes."
    return f"Reading: about {first} minutes at first, {whole} with all that is folded."


def rounded(number: float) -> int:
    """To five minutes, and at least five."""
    return max(5, 5 * round(number / 5))


def minutes(parts: list[nodes.Node]) -> float:
    """How long it takes to read these parts of a page."""
    words = lines = claims = 0
    for part in parts:
        words += sum(len(text.split()) for text in _prose(part))
        lines += sum(len(code.astext().splitlines()) for code in _code(part))
        claims += sum(_is_claim(formula) for formula in part.findall(nodes.math_block))
    return words / WORDS + lines / LINES + CLAIM * claims


def _prose(part: nodes.Node) -> Iterator[str]:
    """The running text, without code and what cells show."""
    for paragraph in part.findall(lambda node: isinstance(node, nodes.paragraph | nodes.caption)):
        yield paragraph.astext()


def _code(part: nodes.Node) -> Iterator[nodes.literal_block]:
    """The cells' code, and not what they print."""
    for block in part.findall(nodes.literal_block):
        classes = block.parent.get("classes", ()) if block.parent else ()
        if "cell_input" in classes:
            yield block


def _is_claim(formula: nodes.math_block) -> bool:
    return str(formula.get("label") or "").startswith("eq-")


def _keep(app: Sphinx, doctree: nodes.document) -> None:
    """Keep the minutes of a page for whoever plans with them."""
    for line in doctree.findall(nodes.paragraph):
        if "reading" in line:
            app.env.metadata[app.env.docname]["reading"] = line["reading"]


def setup(app: Sphinx) -> None:
    """Register the directive and the transform."""
    app.add_node(Mark)
    app.add_node(ReadingTime)
    app.add_directive("second-reading", SecondReading)
    app.add_transform(Fold)
    app.connect("doctree-read", _keep)
