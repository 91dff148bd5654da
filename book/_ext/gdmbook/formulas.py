"""A formula in a line of text and the punctuation beside it stay together when the line breaks."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

OPENING, CLOSING = re.compile(r"[(\[“]+$"), re.compile(r"^(?:[.,;:!?)\]”]|[-–]\w+)+")


class KeepTogether(SphinxPostTransform):
    """Wraps such a formula and its punctuation in one inline node, which the style sheet doesn't break."""

    default_priority = 900
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Look at each formula of the page that has text beside it."""
        for formula in list(self.document.findall(nodes.math)):
            parent = formula.parent
            # By identity: two texts of the same letters are equal, and a list would find the first of them.
            at = next(place for place, child in enumerate(parent.children) if child is formula)
            before = self._cut(parent, at - 1, OPENING)
            after = self._cut(parent, at + 1, CLOSING)
            if before or after:
                kept = nodes.inline("", "", classes=["together"])
                parent[at] = kept
                kept += [nodes.Text(before), formula, nodes.Text(after)]

    @staticmethod
    def _cut(parent: nodes.Element, at: int, pattern: re.Pattern[str]) -> str:
        """Take what matches out of the text at that place, and return it."""
        if not 0 <= at < len(parent.children) or not isinstance(parent[at], nodes.Text):
            return ""
        text = parent[at].astext()
        found = pattern.search(text)
        if found is None:
            return ""
        parent[at] = nodes.Text(text[: found.start()] + text[found.end() :])
        return found[0]


def setup(app: Sphinx) -> None:
    """Register the transform."""
    app.add_post_transform(KeepTogether)
