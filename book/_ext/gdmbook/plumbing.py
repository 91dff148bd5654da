"""Lines of a cell that only serve the page are run and not shown.

A cell may compute something worth reading and then name a number for the prose by `glue` or `numbers`, or set
up the look of figures. The page shows the first and leaves the rest out; the notebook has all of it.
"""

import ast
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

PLUMBING = {"glue", "numbers", "use_style"}


class HidePlumbing(SphinxTransform):
    """Take such lines out of every cell of the page, and the cell's box where nothing is left."""

    default_priority = 405

    def apply(self, **kwargs: object) -> None:
        """Look at each cell's code."""
        for box in list(self.document.findall(nodes.container)):
            if "cell_input" not in box["classes"]:
                continue
            for block in list(box.findall(nodes.literal_block)):
                shown = without_plumbing(block.rawsource or block.astext())
                if shown:
                    block.rawsource, block.children = shown, [nodes.Text(shown)]
                else:
                    box.parent.remove(box)


def without_plumbing(code: str) -> str:
    """Return `code` without the statements that only serve the page, and without notes to the formatter."""
    try:
        body = ast.parse(code).body
    except SyntaxError:  # a magic or a command
        return code
    lines = code.splitlines()
    for first, last in reversed(list(_places(body))):
        del lines[first - 1 : last]
    return "\n".join(line.removesuffix("# fmt: skip").rstrip() for line in lines).strip("\n")


def _places(body: list[ast.stmt]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last line of each such statement, at any depth; no block is left empty."""
    for statement in body:
        if _only_serves(statement):
            yield statement.lineno, statement.end_lineno or statement.lineno
        else:
            for block in ("body", "orelse"):
                inner = getattr(statement, block, [])
                if isinstance(inner, list) and not all(map(_only_serves, inner)):
                    yield from _places(inner)


def _only_serves(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.For | ast.If | ast.With):
        return all(_only_serves(inner) for inner in [*statement.body, *getattr(statement, "orelse", [])])
    if isinstance(statement, ast.ImportFrom):
        return {alias.name for alias in statement.names} <= PLUMBING
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    return ast.unparse(statement.value.func).rpartition(".")[2] in PLUMBING


def setup(app: Sphinx) -> None:
    """Register the transform."""
    app.add_transform(HidePlumbing)
