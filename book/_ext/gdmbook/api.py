"""`{api}`: the public names of the library with their docstrings, read from the source without running it."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gdmbook.equations import equation_reference
from gdmbook.indices import with_indices

_LABEL = re.compile(r"((?:eq|def)-[\w-]*\w)")
_SPLIT = re.compile(r"(``.+?``|`.+?`|(?:eq|def)-[\w-]*\w)")


@dataclass(frozen=True)
class Entry:
    """A public function, class or method: its name, its signature, its docstring."""

    name: str
    signature: str
    text: str
    members: tuple["Entry", ...] = ()


def entries(path: Path) -> list[Entry]:
    """Return the public functions and classes of a module in the order in which they stand."""
    return [
        entry
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if (entry := _entry(node)) is not None
    ]


def _entry(node: ast.stmt) -> Entry | None:
    if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
        return None
    text = ast.get_docstring(node) or ""
    if isinstance(node, ast.FunctionDef):
        marks = {ast.unparse(mark) for mark in node.decorator_list}
        if marks & {"property", "cached_property", "functools.cached_property"}:
            return Entry(node.name, node.name, text)
        arguments = re.sub(r"^(self|cls)(, )?", "", ast.unparse(node.args))
        result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        return Entry(node.name, f"{node.name}({arguments}){result}", text)
    members = tuple(entry for child in node.body if (entry := _entry(child)) is not None)
    fields = [
        f"{child.target.id}: {ast.unparse(child.annotation)}"
        for child in node.body
        if isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name)
    ]
    makes = next((c for c in node.body if isinstance(c, ast.FunctionDef) and c.name == "__init__"), None)
    given = re.sub(r"^self(, )?", "", ast.unparse(makes.args)) if makes else ", ".join(fields)
    return Entry(node.name, f"class {node.name}({given})", text, members)


class Api(SphinxDirective):
    """Every module of the library: rooms as sections, modules below."""

    def run(self) -> list[nodes.Node]:
        """Return a section to each room."""
        self.env.note_reread()
        package = Path(self.env.srcdir) / "gdmcourse"
        rooms = sorted(path.parent for path in package.glob("*/__init__.py"))
        return [self._room(room, package.parent) for room in rooms]

    def _room(self, room: Path, root: Path) -> nodes.section:
        section = nodes.section(ids=[f"api-{room.name}"], classes=["api-room"])
        section += nodes.title("", f"gdmcourse.{room.name}")
        section += self._text(
            ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
        )
        for path in sorted(room.rglob("*.py")):
            found = entries(path)
            if found and not path.name.startswith("__main__"):
                module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
                part = nodes.section(ids=[f"api-{module}"], classes=["api-module"])
                part += nodes.title("", module.removeprefix(f"gdmcourse.{room.name}."))
                part += nodes.definition_list(
                    "", *(self._item(entry, module) for entry in found), classes=["api"]
                )
                section += part
        return section

    def _item(self, entry: Entry, module: str) -> nodes.definition_list_item:
        name = f"{module}.{entry.name}"
        term = nodes.term("", "", ids=[name])
        term += nodes.literal("", entry.signature, classes=["code", "highlight"], language="python")
        body = nodes.definition("", *self._text(entry.text))
        if entry.members:
            members = (self._item(member, name) for member in entry.members)
            body += nodes.definition_list("", *members, classes=["api"])
        return nodes.definition_list_item("", term, body)

    def _text(self, text: str) -> list[nodes.Node]:
        return [
            nodes.paragraph("", "", *self._inline(" ".join(part.split())))
            for part in text.split("\n\n")
            if part
        ]

    def _inline(self, text: str) -> list[nodes.Node]:
        found: list[nodes.Node] = []
        for part in _SPLIT.split(text):
            label = _LABEL.fullmatch(part.strip("`"))
            if label:
                found.append(equation_reference(label[1], self.env.docname, warn=False))
            elif part.startswith("`"):
                found.append(nodes.literal("", part.strip("`")))
            elif part:
                found += with_indices(part)
        return found


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("api", Api)
