"""`{run-time}`: how long the chapter ran and how much memory it took, and its notebook to download."""

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gdmbook.chapters import Page
from gdmbook.downloads import notebook_uri
from gdmbook.records import Records, sentence


class RunTime(SphinxDirective):
    """The measured run time of the page that it stands on."""

    def run(self) -> list[nodes.Node]:
        """Return one line: the measurement and the download."""
        run = Records(Path(self.env.srcdir)).latest(Page(Path(self.env.srcdir), self.env.docname))
        line = nodes.paragraph("", sentence(run) + " ", classes=["run-time"])
        line += nodes.reference(
            "",
            "Download this chapter as a notebook.",
            refuri=notebook_uri(self.env.docname, self.env.docname),
            classes=["notebook-download"],
        )
        return [line]


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("run-time", RunTime)
