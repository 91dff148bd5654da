"""A name for a result that changes when the code that decides the result does, and not otherwise.

Nothing is run: `ast` reads the source, and follows names from function to function through the package. So
what can't change the result is left out: comments, docstrings, annotations, layout, whatever nothing on the
way names.
"""

import ast
import hashlib
import json
import os
import sys
from collections.abc import Collection, Iterable
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

PACKAGE = __name__.partition(".")[0]
Symbol = tuple[str, str]  # (module, a name that is defined at its top)


def result_hash(
    settings: dict[str, Any], *parts: Any, methods: Collection[str] = (), stop: Collection[str] = ()
) -> str:
    """16 hex digits that change when a setting does, or the code of `parts`, which are classes and functions.

    To a part belongs all of this package that its code names, directly or through others, down to modules in
    `stop`. Of a part that is a class, where `methods` are given, only these methods count, with those that
    they call on `self`, and only the settings that these read or that are named with them.
    """
    symbols: set[Symbol] = set()
    pieces: list[str] = []
    for part in parts:
        if isinstance(part, type) and methods:
            code, names, read = _methods(part, methods)
            pieces += code
            symbols |= names
            settings = {key: value for key, value in settings.items() if key in read}
        else:
            symbols.add((part.__module__, part.__qualname__.partition(".")[0]))
    pieces += _reached(symbols, stop)
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for piece in sorted(set(pieces)):
        digest.update(f"{piece}\0".encode())
    return digest.hexdigest()[:16]


def _reached(symbols: Iterable[Symbol], stop: Collection[str]) -> list[str]:
    """The code of the symbols, and of all that it names, as texts."""
    found: dict[Symbol, str] = {}
    waiting = list(symbols)
    while waiting:
        module, name = waiting.pop()
        if (module, name) in found or module in stop or module.partition(".")[0] != PACKAGE:
            continue
        found[module, name] = ""
        for node in _tree(module).body:
            if name in _defined(node):
                found[module, name] += f"{module}\0{ast.dump(node)}"
                waiting += _named(node, module)
    return [code for code in found.values() if code]


def _methods(part: type, names: Iterable[str]) -> tuple[list[str], set[Symbol], set[str]]:
    """Of a class: the code of these methods and of those that they call, what it names, and what it reads.

    All classes of ours that it derives from count, since a method may call the one that it replaces.
    """
    classes = [base for base in part.__mro__ if base.__module__.partition(".")[0] == PACKAGE]
    bodies = {base: _class(base).body for base in classes}
    pieces, symbols, seen, waiting = [], set[Symbol](), set[str](), list(names)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for base, body in bodies.items():
            for node in body:
                if name in _defined(node) and not isinstance(node, ast.AnnAssign):
                    pieces.append(f"{base.__qualname__}\0{ast.dump(node)}")
                    symbols |= set(_named(node, base.__module__))
                    waiting += _own_attributes(node)
    return pieces, symbols, seen


def _own_attributes(node: ast.AST) -> list[str]:
    """What the code takes from `self` or `super()`."""
    return [
        child.attr
        for child in ast.walk(node)
        if isinstance(child, ast.Attribute) and ast.unparse(child.value) in ("self", "super()")
    ]


def _class(base: type) -> ast.ClassDef:
    for node in ast.walk(_tree(base.__module__)):
        if isinstance(node, ast.ClassDef) and node.name == base.__name__:
            return node
    raise ValueError(f"the class {base.__qualname__} has no source in {base.__module__}")


def _defined(node: ast.stmt) -> set[str]:
    """The names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {
        name.id for target in targets if target for name in ast.walk(target) if isinstance(name, ast.Name)
    }


def _named(node: ast.AST, module: str) -> list[Symbol]:
    """The symbols of this package that a piece of a module's code names."""
    imports = _handed_in(module) | _imports(ast.walk(node))
    symbols = []
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            source, name = imports.get(child.id, (module, child.id))
            if name:
                symbols.append(_origin(source, name))
        elif isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name):
            source, name = imports.get(child.value.id, ("", "no module"))
            if not name:  # `child.value` is a module
                symbols.append(_origin(source, child.attr))
    return symbols


def _imports(nodes: Iterable[ast.AST]) -> dict[str, Symbol]:
    """What import statements bind: (module, name), and no name where it is a module that they bind."""
    bound: dict[str, Symbol] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == PACKAGE:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = _is_module(node.module, alias.name)
                bound[alias.asname or alias.name] = (inner, "") if is_module else (node.module, alias.name)
        elif isinstance(node, ast.Import):
            bound |= {alias.asname: (alias.name, "") for alias in node.names if alias.asname}
    return bound


def _is_module(package: str, name: str) -> bool:
    folder, file = os.path.split(_file(package))
    inside = os.path.join(folder, name)
    return file == "__init__.py" and (os.path.isfile(f"{inside}.py") or os.path.isdir(inside))


def _origin(module: str, name: str) -> Symbol:
    """Where a name comes from that a package hands on from one of its modules."""
    imports = _handed_in(module) if module.partition(".")[0] == PACKAGE else {}
    return _origin(*imports[name]) if imports.get(name, ("", ""))[1] else (module, name)


def _handed_in(module: str) -> dict[str, Symbol]:
    """What the import statements at the top of a module bind."""
    return _bound(*_version(module))


@lru_cache(maxsize=1000)
def _bound(file: str, changed: int) -> dict[str, Symbol]:
    return _imports(_parse(file, changed).body)


def _tree(module: str) -> ast.Module:
    return _parse(*_version(module))


def _version(module: str) -> tuple[str, int]:
    """The module's file, and when that was written."""
    file = _file(module)
    return file, os.stat(file).st_mtime_ns


def _file(module: str) -> str:
    loaded = sys.modules.get(module) or import_module(module)
    assert loaded.__file__ is not None
    return loaded.__file__


@lru_cache(maxsize=1000)
def _parse(file: str, changed: int) -> ast.Module:
    """The module's code without docstrings and annotations."""
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [child for child in node.body if not _is_docstring(child)]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return tree


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
