"""Which modules a cell imports, seen without running it."""

import ast
import re
from collections.abc import Mapping

from gdmcourse.grading.magic import parsed
from gdmcourse.grading.syntax import parse

CALLS = {"__import__", "import_module", "run_module"}
DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


def imports_of(source: str) -> str:
    """The import statements at a cell's top level, one a line."""
    body = parse(source).body
    return "\n".join(ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom))


def aliases(source: str) -> dict[str, str]:
    """The names that a cell's imports bind, with the module, or the name in one, that each stands for."""
    found = dict[str, str]()
    for node in ast.walk(parse(source)):
        for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else ():
            first = alias.name.split(".")[0]
            if isinstance(node, ast.ImportFrom):
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            else:
                found[alias.asname or first] = alias.name if alias.asname else first
    return found


def imported_modules(source: str, used: set[str], known: Mapping[str, str]) -> set[str]:
    """The modules that a cell imports for the ``used`` names, in full; ``from a import b`` may be both.

    What is only named counts as well, since an import can be a call: by ``a.b``, where ``a`` is ``known`` to
    stand for a module, as the text ``"a.b"``, or in a text of code.
    """
    modules = set[str]()
    for node in ast.walk(parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names if (a.asname or a.name.split(".")[0]) in {*used, "*"}]
            module = getattr(node, "module", None)
            modules |= {f"{module}.{name}" for name in names} | {module} if names and module else {*names}
        elif isinstance(node, ast.Attribute):
            root, _, rest = _dotted(node).partition(".")
            modules |= {f"{known[root]}.{rest}"} if root in known else set()
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            modules |= _named(node.value)
        elif isinstance(node, ast.Call) and _called(node) in CALLS:
            modules |= {
                a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
            }
    return modules


def _named(text: str) -> set[str]:
    """The module that a text names, or those that it imports where it is code."""
    if DOTTED.fullmatch(text):
        return {text}
    code = "import" in text and parsed(text)
    nodes = [node for node in ast.walk(code) if isinstance(node, ast.Import | ast.ImportFrom)] if code else []
    modules = {f"{getattr(node, 'module', '')}.{a.name}".strip(".") for node in nodes for a in node.names}
    return modules


def _called(call: ast.Call) -> str:
    """The last name of the function that is called."""
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _dotted(node: ast.AST) -> str:
    """The text of ``a.b.c``, empty where it doesn't start with a name; no module lies deeper than ten."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute) and len(parts) < 10:
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""
