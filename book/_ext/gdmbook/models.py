"""Train the models that chapters fetch with `trained("name")`, before the chapters are executed.

So a chapter's run time is that of its own cells, and chapters that share a model don't wait for each other.
"""

import ast
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

from IPython.core.inputtransformer2 import TransformerManager

from gdmbook.chapters import Page
from gdmbook.execution import ONE_THREAD


class ModelError(Exception):
    """A model that could not be trained: the message names it and says why."""


def fetched(page: Page) -> list[str]:
    """Return the names of the models that the cells of `page` fetch, in the order of their first call."""
    found: dict[str, None] = {}
    for cell in page.notebook().cells:
        if cell.cell_type == "code":
            for node in ast.walk(ast.parse(TransformerManager().transform_cell(cell.source))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "trained" and node.args:
                    found[ast.literal_eval(node.args[0])] = None
    return list(found)


def train_all(names: list[str], workers: int) -> Iterator[tuple[str, float]]:
    """Yield each model's name and the seconds that its training took, as it is there.

    A model that this machine has already is not trained again; its seconds are those of the first time.
    Raises ModelError for the first that fails.
    """
    os.environ.update(ONE_THREAD)  # before the workers start and import torch
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting = {pool.submit(_train, name): name for name in names}
        for future in as_completed(waiting):
            try:
                yield waiting[future], future.result()
            except Exception as error:
                pool.shutdown(wait=False, cancel_futures=True)
                raise ModelError(f"The model {waiting[future]} could not be trained: {error!r}") from error


def _train(name: str) -> float:
    from gdmcourse.recipes.trained import trained

    return trained(name).seconds
