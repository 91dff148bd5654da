"""Train once a machine: a name that changes with all that decides the result, and a folder filled once."""

import ast
import hashlib
import importlib
import json
import shutil
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from gdmcourse.training.checkpoint import Checkpoint, load_checkpoint

PACKAGE = __name__.partition(".")[0]


def train_once(folder: Path, steps: int, train: Callable[[Path], object]) -> Checkpoint:
    """The checkpoint after `steps` steps in `folder`, made by `train(folder)` where it isn't there yet.

    Processes that ask at once wait for the one that trains. A training that was interrupted goes on; a
    checkpoint that can't be read is thrown away. Raises RuntimeError if `train` leaves no such checkpoint.
    """
    from filelock import FileLock

    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        try:
            checkpoint = load_checkpoint(folder)
        except ValueError:
            shutil.rmtree(folder)
            checkpoint = None
        if checkpoint is None or checkpoint.step != steps:
            train(folder)
            checkpoint = load_checkpoint(folder)
    if checkpoint is None or checkpoint.step != steps:
        raise RuntimeError(f"the training in {folder} ended without a checkpoint of step {steps}")
    return checkpoint


def result_hash(settings: dict[str, Any], *parts: Any, without: Collection[str] = ()) -> str:
    """16 hex digits that change when `settings` do, or the code of `parts`, which are classes and functions.

    To a part belong its own code, that of the classes of ours it derives from, and all modules of this
    package that theirs import, directly or by others. What can't change the result is left out: comments,
    docstrings, annotations, layout, the methods named in `without`, and imports inside functions, so import
    there what only draws or scores.
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    pieces, waiting, seen = [], set(), set()
    for part in parts:
        for piece in part.__mro__ if isinstance(part, type) else (part,):
            if piece.__module__.partition(".")[0] == PACKAGE:
                pieces.append(piece)
                waiting |= _imports(_tree(piece.__module__))
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= _imports(_tree(name)) - seen
    for piece in pieces:
        if piece.__module__ not in seen:
            digest.update(_code(_definition(piece), without).encode())
    for name in sorted(seen):
        digest.update(f"{name}\0{_code(_tree(name))}\0".encode())
    return digest.hexdigest()[:16]


@contextmanager
def use_threads(count: int | None) -> Iterator[None]:
    """Within the block torch uses `count` threads; None leaves it as it is.

    On tiny images a second thread costs more time than it saves, and much more where cores are busy.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _tree(module: str) -> ast.Module:
    loaded = sys.modules.get(module) or importlib.import_module(module)
    assert loaded.__file__ is not None
    return ast.parse(Path(loaded.__file__).read_text(encoding="utf-8"))


def _definition(piece: Any) -> ast.AST:
    """The class or function in its module's tree."""
    found = (node for node in _tree(piece.__module__).body if getattr(node, "name", None) == piece.__name__)
    return next(found)


def _imports(tree: ast.Module) -> set[str]:
    """The modules of this package that a module imports at its top."""
    found = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.partition(".")[0] == PACKAGE and name in sys.modules}


def _code(tree: ast.AST, without: Collection[str] = ()) -> str:
    """The tree as text, without docstrings, annotations and the functions named in `without`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [child for child in node.body if not _left_out(child, without)]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return ast.dump(tree)


def _left_out(node: ast.stmt, without: Collection[str]) -> bool:
    if isinstance(node, ast.FunctionDef):
        return node.name in without
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)  # a docstring
