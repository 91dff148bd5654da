"""The description in the head of each page, which search engines and previews of links show: how it opens."""

from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

LONGEST = 200  # characters; more is cut off where descriptions are shown


def description(doctree: nodes.document) -> str:
    """Return the first paragraph below the title as one line, cut after a word where it is long."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section):
            text = " ".join(paragraph.astext().split())
            if len(text) <= LONGEST:
                return text
            return text[: LONGEST - 1].rpartition(" ")[0].rstrip(",;:") + "…"
    return ""


def add(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Put it into the head."""
    if doctree is not None and (said := description(doctree)):
        context["metatags"] = (
            context.get("metatags", "") + f'<meta name="description" content="{escape(said)}" />'
        )


def setup(app: Sphinx) -> None:
    """Register it."""
    app.connect("html-page-context", add)
