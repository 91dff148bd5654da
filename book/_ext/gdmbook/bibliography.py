"""An entry of the bibliography is an item of a list: docutils gives it a role that is not allowed in one."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def _visit(self: HTML5Translator, node: nodes.citation) -> None:
    HTML5Translator.visit_citation(self, node)
    self.body[-1] = self.body[-1].replace('role="doc-biblioentry"', 'role="listitem"')


def _depart(self: HTML5Translator, node: nodes.citation) -> None:
    HTML5Translator.depart_citation(self, node)


def setup(app: Sphinx) -> None:
    """Write such entries so."""
    app.add_node(nodes.citation, override=True, html=(_visit, _depart))
