"""A frame slider is a figure like any other: it gets a number, a caption and a place to refer to."""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

_CAPTION = re.compile(r'<p class="frames-caption">(.*?)</p>', re.S)


class NumberSliders(SphinxTransform):
    """Lift the caption out of a slider's HTML into a figure, before figures are numbered."""

    default_priority = 400

    def apply(self, **kwargs: object) -> None:
        """Wrap the output of every cell that shows a slider."""
        for raw in list(self.document.findall(nodes.raw)):
            if 'class="frames"' not in raw.astext():
                continue
            html = raw.astext()
            said = _CAPTION.search(html)
            bundle = raw.parent.parent  # MyST-NB: bundle of forms > container of one form > raw
            if not isinstance(bundle.parent, nodes.figure):
                figure = nodes.figure()
                self.document.set_id(figure)
                bundle.replace_self(figure)
                figure += bundle
            figure = bundle.parent
            if said and not any(isinstance(child, nodes.caption) for child in figure):
                figure += nodes.caption("", "", *_inline(said[1]))
            raw.children = [nodes.Text(_CAPTION.sub("", html))]
            raw.rawsource = ""


def _inline(text: str) -> list[nodes.Node]:
    from html import unescape

    parts = re.split(r"\$([^$]+)\$", unescape(text))
    return [nodes.math(part, part) if at % 2 else nodes.Text(part) for at, part in enumerate(parts) if part]


def setup(app: Sphinx) -> None:
    """Register the transform."""
    app.add_transform(NumberSliders)
