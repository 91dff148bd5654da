"""The inputs of a visible probe in words: for each value that it emits, the call that made it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gdmcourse.grading.values import Difference

LONGEST = 90


@dataclass(frozen=True)
class Input:
    """The expression that a probe emits, the call that it comes from where it is a name, and what varies."""

    node: ast.expr
    origin: ast.expr | None = None
    varies: str = ""

    def where(self, found: Difference | None = None) -> str:
        """The call, and with a difference the place in its value: ``in entry [1] of f(2)``, ``at f(1.0)``."""
        node, items = self.node, list(found.items if found else ())
        while items and isinstance(node, ast.List | ast.Tuple):
            node = node.elts[items.pop(0)]
        text = ast.unparse(node)
        if self.origin is not None:
            text = f"{text} = {ast.unparse(self.origin)}"
        place = "".join(f"item {item} of " for item in reversed(items))
        if found and found.entry:
            place = f"entry {found.entry} of {place}"
        return f"{'in' if place else 'at'} {place}{_short(text)}{self.varies}"


def inputs(source: str, count: int) -> list[Input]:
    """The input of each of a probe's ``count`` values, as far as the text of the probe tells."""
    body = ast.parse(source).body
    tries = ([*_inputs(body, {}, steps)] for steps in range(count + 1))
    found = next((found for found in tries if len(found) == count), [*_inputs(body, {}, count)])
    last = found[-1] if found else Input(ast.Name("the probe"))
    return (found + [last] * count)[:count]


def _inputs(
    body: list[ast.stmt], origins: dict[str, ast.expr], steps: int, varies: str = ""
) -> Iterator[Input]:
    """The inputs in their order, if each loop whose text doesn't show its steps has that many."""
    for node in body:
        if isinstance(node, ast.For):
            for number, value in enumerate(_steps(node, steps), 1):
                what = ast.unparse(node.iter)
                known = f" with {ast.unparse(node.target)} = {value}"
                text = known if value else f", number {number} of {_short(what)}"
                yield from _inputs(node.body, dict(origins), steps, text)
        elif _is_probe(node):
            shown = node.value.args[0]  # type: ignore[attr-defined]
            yield Input(shown, origins.get(shown.id) if isinstance(shown, ast.Name) else None, varies)
        else:
            origins |= dict(_origins([node]))


def _steps(loop: ast.For, steps: int) -> list[str]:
    """What a loop runs over, where its text shows that."""
    if isinstance(loop.iter, ast.Tuple | ast.List):
        return [_short(ast.unparse(value)) for value in loop.iter.elts]
    return [""] * steps


def _origins(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """The call behind each name that the probe assigns."""
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            for target in node.targets:
                for part in ast.walk(target):
                    if isinstance(part, ast.Name):
                        yield part.id, node.value


def _is_probe(node: Any) -> bool:
    call = getattr(node, "value", None)
    return (
        isinstance(node, ast.Expr)
        and isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "probe"
        and bool(call.args)
    )


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 20]} … {text[-15:]}"
