"""Train the models that chapters fetch with `trained("name")`, before the chapters are executed.

So a chapter's run time is that of its own cells, and chapters that share a model don't wait for each other.
"""

import ast
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from gdmbook.chapters import Page
from gdmbook.library import Library, code_of


class ModelError(Exception):
    """A model that could not be trained: the message names it and says why."""


@dataclass(frozen=True)
class Model:
    """What one call of `trained` asks for: a recipe's name, its preset, and fields that are changed."""

    name: str
    preset: str = "laptop"
    changes: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, name: str, preset: str = "laptop", **changes: Any) -> "Model":
        """Return what `trained` with these arguments asks for."""
        return cls(name, preset, tuple(changes.items()))

    def __str__(self) -> str:
        """The name, with what differs from the ordinary in parentheses."""
        differs = [self.preset] if self.preset != "laptop" else []
        differs += [f"{field}={value!r}" for field, value in self.changes]
        return f"{self.name} ({', '.join(differs)})" if differs else self.name


@dataclass(frozen=True)
class Training:
    """Seconds by the clock when the model was trained, and CPU seconds of fetching it now."""

    seconds: float
    cpu_seconds: float


def fetched(page: Page) -> list[Model]:
    """Return the models that the cells of `page` fetch, in the order of their first call.

    Raises ModelError for a call whose arguments are not written out, since nothing is run to find them.
    """
    found: dict[Model, None] = {}
    for cell in page.notebook().cells:
        if cell.cell_type == "code":
            for node in ast.walk(code_of(cell.source)):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "trained":
                    found[_model(node, page)] = None
    return list(found)


def _model(call: ast.Call, page: Page) -> Model:
    try:
        named = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
        model = Model.of(*map(ast.literal_eval, call.args), **named)
        hash(model)
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"{page.path.relative_to(page.root)}: {ast.unparse(call)} has to name its recipe, preset and "
            'changes as plain values, as trained("ddpm-digits", steps=100) does, for the model is trained '
            "before the page runs."
        ) from error
    return model


def with_needed(models: list[Model], library: Library) -> dict[Model, list[Model]]:
    """Return the models and all others that they are made with, each with those that it needs itself.

    A recipe needs those of other modules that its own module names, at its own preset.
    """
    found: dict[Model, list[Model]] = {}
    waiting = list(models)
    while waiting:
        model = waiting.pop()
        if model not in found:
            found[model] = [Model(name, model.preset) for name in _below(model.name, library)]
            waiting += found[model]
    return found


def _below(name: str, library: Library) -> Iterator[str]:
    module = library.recipes.get(name)
    if module:
        named = library.uses(module).strings & library.recipes.keys()
        yield from sorted(other for other in named if library.recipes[other] != module)


def train(model: Model, pool: ProcessPoolExecutor) -> Training:
    """Return what the training of `model` took, done now if this machine hasn't got it; else ModelError."""
    try:
        return pool.submit(_train, model).result()
    except Exception as error:
        raise ModelError(f"The model {model} could not be trained: {error!r}") from error


def _train(model: Model) -> Training:
    from gdmcourse.recipes.trained import trained

    start = time.process_time()
    seconds = trained(model.name, model.preset, **dict(model.changes)).seconds
    return Training(seconds, time.process_time() - start)
