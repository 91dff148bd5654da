"""Formulas of a docstring, as `x_t` or `Σ^{-1}` in plain text, with their indices and powers set as such."""

import re

from docutils import nodes

# One letter, perhaps with a bar or a hat, that no word goes on from; then an index, a power, or both.
_LETTER = r"(?<![\w`])(?P<letter>[^\W\d_][\u0300-\u036f]?)"
_PART = r"[_^](?:\{[^{}]+\}|[A-Za-z0-9α-ωΑ-Ω∞]+)"
_FORMULA = re.compile(rf"{_LETTER}(?P<parts>(?:{_PART})+)(?![\w])")


def with_indices(text: str) -> list[nodes.Node]:
    """Return `text` as nodes in which every letter has its index below and its power above."""
    found: list[nodes.Node] = []
    at = 0
    for formula in _FORMULA.finditer(text):
        found.append(nodes.Text(text[at : formula.start()]))
        found.append(nodes.emphasis("", formula["letter"]))
        for part in re.findall(_PART, formula["parts"]):
            kind = nodes.subscript if part[0] == "_" else nodes.superscript
            found.append(kind("", part[1:].strip("{}")))
        at = formula.end()
    found.append(nodes.Text(text[at:]))
    return [node for node in found if node.astext()]
