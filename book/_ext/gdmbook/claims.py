"""The two sides of the ledger: the claims that pages make, and the tests that check them."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from gdmbook.chapters import Page

_FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1`*[ \t]*$", re.S | re.M)
_DOLLARS = re.compile(r"\$\$(?P<formula>.*?)\$\$(?:[ \t]*\((?P<label>[\w-]+)\))?", re.S)
_DIRECTIVE = re.compile(r"^(`{3,}|:{3,})\{math\}[^\n]*\n(?P<body>.*?)^\1[ \t]*$", re.S | re.M)


@dataclass(frozen=True)
class Claim:
    """A labelled equation of a page."""

    label: str
    formula: str
    page: Page


@dataclass(frozen=True)
class Test:
    """A test function, the labels of the equations it is marked with, and its source."""

    name: str
    path: Path
    labels: tuple[str, ...]
    source: str


def claims(pages: list[Page]) -> list[Claim]:
    """Return the labelled `eq-` equations of `pages` in reading order (a label said twice comes twice)."""
    return [
        Claim(label, formula, page)
        for page in pages
        for label, formula in labelled(page.text)
        if label.startswith("eq-")
    ]


def labelled(text: str) -> list[tuple[str, str]]:
    """Return (label, formula) of every labelled display equation in MyST text."""
    found = []
    for match in _DIRECTIVE.finditer(text):
        label = re.search(r"^:label:\s*(\S+)", match["body"], re.M)
        if label:
            found.append(
                (match.start(), label[1], re.sub(r"^:\w+:.*\n", "", match["body"], flags=re.M).strip())
            )
    prose = _FENCE.sub(lambda fence: " " * len(fence[0]), text)  # code may hold dollars; places must stay
    for match in _DOLLARS.finditer(prose):
        if match["label"]:
            found.append((match.start(), match["label"], match["formula"].strip()))
    return [(label, formula) for _, label, formula in sorted(found)]


def marked_tests(folder: Path) -> list[Test]:
    """Return every test under `folder` that is marked with an equation: by function, class or module."""
    found = []
    for path in sorted(folder.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "equation(" in text:
            tree = ast.parse(text)
            above = [label for node in tree.body if _sets_pytestmark(node) for label in _labels(node)]
            found += _tests(tree.body, above, path, text)
    return found


def _tests(body: list[ast.stmt], above: list[str], path: Path, text: str) -> list[Test]:
    found = []
    for node in body:
        if isinstance(node, ast.ClassDef):
            here = above + [label for mark in node.decorator_list for label in _labels(mark)]
            found += _tests(node.body, here, path, text)
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            labels = above + [label for mark in node.decorator_list for label in _labels(mark)]
            if labels:
                first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
                source = "\n".join(text.splitlines()[first - 1 : node.end_lineno])
                found.append(Test(node.name, path, tuple(dict.fromkeys(labels)), source))
    return found


def _sets_pytestmark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets
    )


def _labels(tree: ast.AST) -> list[str]:
    """Return the labels in every `….equation("…")` within a decorator, a parametrised case included."""
    return [
        argument.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "equation"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
