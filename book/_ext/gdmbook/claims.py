"""The two sides of the ledger: the claims that pages make, and the tests that check them."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from gdmbook.chapters import Page

_PARSER = create_md_parser(MdParserConfig(enable_extensions={"colon_fence", "dollarmath"}), RendererHTML)


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
    """Return (label, formula) of every labelled display equation in MyST text, within directives as well."""
    found = []
    for token in _PARSER.parse(text):
        if token.type == "math_block_label":
            found.append((token.info, token.content.strip()))
        elif token.type in ("fence", "colon_fence") and token.info.startswith("{math}"):
            if label := re.search(r"^:label:\s*(\S+)", token.content, re.M):
                found.append((label[1], re.sub(r"^:\w+:.*\n", "", token.content, flags=re.M).strip()))
        elif token.type in ("fence", "colon_fence") and re.match(r"\{(?!code)", token.info):
            found += labelled(token.content)
    return found


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
