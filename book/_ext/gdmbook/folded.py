"""A block that opens on a click: HTML's own `<details>`, which needs no script."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


class Folded(nodes.General, nodes.Element):
    """A folded block; its first child is a `Summary`."""


class Summary(nodes.General, nodes.TextElement):
    """The line that stays visible."""


def folded(summary: list[nodes.Node], body: list[nodes.Node], kind: str) -> Folded:
    """Return `body` folded under `summary`; `kind` is the block's CSS class."""
    return Folded("", Summary("", "", *summary), *body, classes=[kind])


def _visit_folded(self: HTML5Translator, node: Folded) -> None:
    self.body.append(self.starttag(node, "details", CLASS="folded"))


def _depart_folded(self: HTML5Translator, node: Folded) -> None:
    self.body.append("</details>\n")


def _visit_summary(self: HTML5Translator, node: Summary) -> None:
    self.body.append(self.starttag(node, "summary", ""))


def _depart_summary(self: HTML5Translator, node: Summary) -> None:
    self.body.append("</summary>\n")


def setup(app: Sphinx) -> None:
    """Register the two nodes."""
    app.add_node(Folded, html=(_visit_folded, _depart_folded))
    app.add_node(Summary, html=(_visit_summary, _depart_summary))
