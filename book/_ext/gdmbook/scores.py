"""`{scores} prefix`: a table whose numbers are those that a cell has kept by `numbers`.

    ```{scores} gui-live
    | guided by | scale | accuracy: read as asked | spread: within-class spread |
    | the network itself | 1 | free-1 |
    ```

A head `name: words` makes a column of numbers. In a row such columns are filled from the row's last entry:
the number of row `free-1` and column `spread` is kept as `gui-live-free-1-spread`.
"""

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gdmbook.unexecuted import stands_in, without_numbers


def as_table(prefix: str, body: str) -> str:
    """Return the table in MyST Markdown; raises ValueError for a row of the wrong length."""
    head, *rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")] for line in body.strip().splitlines()
    ]
    names = [cell.partition(": ")[0] for cell in head if ": " in cell]
    titles = [cell.partition(": ")[2] if ": " in cell else cell for cell in head]
    words = len(head) - len(names)
    written = [titles, ["---"] * len(head)]
    for row in rows:
        if len(row) != words + 1:
            raise ValueError(
                f"a row of this table has {words} entries and then its key, not {' | '.join(row)}"
            )
        written.append([*row[:-1], *(f"{{glue:text}}`{prefix}-{row[-1]}-{name}`" for name in names)])
    return "\n".join("| " + " | ".join(row) + " |" for row in written)


class Scores(SphinxDirective):
    """The table; the argument is the prefix under which its numbers are kept."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the table, parsed as Markdown."""
        try:
            text = as_table(self.arguments[0], "\n".join(self.content))
        except ValueError as error:
            raise self.error(str(error)) from error
        if stands_in(self.env):
            text = without_numbers(text)
        into = nodes.container()
        lines = StringList(text.splitlines(), source=self.env.doc2path(self.env.docname))
        self.state.nested_parse(lines, self.content_offset, into)
        return list(into.children)


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("scores", Scores)
