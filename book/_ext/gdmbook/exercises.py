"""`{exercises} name`: the statements and folded hints of `solutions/name.md`, and the notebook to work in."""

from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gdmbook.equations import equation_reference
from gdmbook.folded import folded
from gdmcourse.grading.source import Question, read_source


class Exercises(SphinxDirective):
    """The exercises of a chapter; the argument is the name of its file in `solutions/`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the way to work, then each question."""
        name = self.arguments[0]
        source = Path(self.env.srcdir) / "solutions" / f"{name}.md"
        self.env.note_dependency(str(source))
        self.env.note_dependency(str(Path(self.env.srcdir) / "exercises" / f"{name}.ipynb"))
        return [self._way(name), *(self._question(question) for question in read_source(source).questions)]

    def _way(self, name: str) -> nodes.paragraph:
        link = addnodes.download_reference(
            "",
            nodes.Text(f"exercises/{name}.ipynb"),
            reftarget=f"/exercises/{name}.ipynb",
            refdoc=self.env.docname,
        )
        command = nodes.literal("", f"gdmcourse grade exercises/{name}.ipynb")
        return nodes.paragraph(
            "",
            "",
            nodes.Text("Work in the notebook "),
            link,
            nodes.Text(", and see your score with "),
            command,
            nodes.Text("."),
            classes=["exercise-way"],
        )

    def _question(self, question: Question) -> nodes.container:
        box = nodes.container(classes=["exercise"], ids=[f"exercise-{question.id}"])
        heading, _, statement = question.statement.partition("\n")
        box += nodes.rubric("", heading.lstrip("# "), classes=["exercise-title"])
        self._parse(statement, box)
        if question.teaches:
            taught = equation_reference(question.teaches, self.env.docname)
            box += nodes.paragraph("", "", nodes.Text("Taught by equation "), taught, nodes.Text("."))
        for number, hint in enumerate(question.hints, 1):
            body = nodes.container()
            self._parse(hint, body)
            box += folded([nodes.Text(f"Hint {number}")], list(body.children), "hint")
        return box

    def _parse(self, text: str, into: nodes.Element) -> None:
        lines = StringList(text.splitlines(), source=self.env.doc2path(self.env.docname))
        self.state.nested_parse(lines, self.content_offset, into)


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("exercises", Exercises)
