"""`{run-time}`: how long the chapter takes to read and to run, its memory, and its notebook to download."""

from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gdmbook.chapters import Page
from gdmbook.downloads import notebook_uri
from gdmbook.reading import ReadingTime
from gdmbook.records import Records, sentence


class RunTime(SphinxDirective):
    """The measured run time of the page that it stands on."""

    def run(self) -> list[nodes.Node]:
        """Return the reading time, and one line: the measurement and the download."""
        run = Records(Path(self.env.srcdir)).latest(Page(Path(self.env.srcdir), self.env.docname))
        before, reference, after = sentence(run).partition("reference speed")
        line = nodes.paragraph("", before, classes=["run-time"])
        line += addnodes.pending_xref(
            "",
            nodes.inline("", reference),
            refdomain="std",
            reftype="ref",
            reftarget="reference-speed",
            refdoc=self.env.docname,
            refexplicit=True,
            refwarn=False,
        )
        line += nodes.Text(after + " ")
        line += nodes.reference(
            "",
            "Download this chapter as a notebook.",
            refuri=notebook_uri(self.env.docname, self.env.docname),
            classes=["notebook-download"],
        )
        return [ReadingTime(), line]


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("run-time", RunTime)
