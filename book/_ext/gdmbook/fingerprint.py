"""What a chapter's results depend on: its code, the library's modules it reaches, the installed versions.

The modules are found without running anything: `ast` reads the imports of the chapter's cells, at any depth,
and then those of each module of `gdmcourse` that was found, until nothing new turns up.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager

from gdmbook.chapters import Page

PACKAGE = "gdmcourse"


def fingerprint(page: Page) -> str:
    """Return a hash that changes when the results of `page` could change."""
    cells = [cell.source for cell in page.notebook().cells if cell.cell_type == "code"]
    digest = hashlib.sha256("\0".join(cells).encode())
    modules = _modules(page.root)
    for name in sorted(reached(cells, page.root)):
        digest.update(f"\0{name}\0".encode() + modules[name].read_bytes())
        for path in _resources(modules[name]):
            digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    digest.update((page.root / "constraints.txt").read_bytes())
    return digest.hexdigest()


def reached(cells: list[str], root: Path) -> set[str]:
    """Return the names of all modules of `gdmcourse` that the code of `cells` could import."""
    modules = _modules(root)
    waiting: set[str] = set()
    for cell in cells:
        tree = ast.parse(TransformerManager().transform_cell(cell))
        if _runs_command(tree):
            return set(modules)
        waiting |= set(_imported(tree, modules, ""))
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= _imports(modules[name], name, frozenset(modules)) - found
    return found


@cache
def _imports(path: Path, name: str, modules: frozenset[str]) -> set[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return set(_imported(ast.parse(path.read_text(encoding="utf-8")), modules, package))


def _imported(tree: ast.AST, modules: frozenset[str] | dict[str, Path], package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [node.value]  # importlib.import_module("gdmcourse.room.module")
            if node.value.endswith("."):  # … or (f"gdmcourse.room.{name}"): any module of that room
                names = [name for name in modules if name.startswith(node.value)]
        for name in names:
            if name.partition(".")[0] == PACKAGE:
                # A module's import runs the __init__ of each package above it.
                parts = name.split(".")
                yield from (
                    part for end in range(1, len(parts) + 1) if (part := ".".join(parts[:end])) in modules
                )


def _runs_command(tree: ast.AST) -> bool:
    """Whether a cell hands the library to a shell or a magic, which may reach everything."""
    return any(
        isinstance(node, ast.Call)
        and ast.unparse(node.func).startswith("get_ipython()")
        and any(isinstance(arg, ast.Constant) and PACKAGE in str(arg.value) for arg in node.args)
        for node in ast.walk(tree)
    )


def _modules(root: Path) -> dict[str, Path]:
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = list(path.relative_to(root).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _resources(module: Path) -> list[Path]:
    """Return the files beside a package's `__init__` that are not code: data that its modules may read."""
    if module.name != "__init__.py":
        return []
    return sorted(
        path for path in module.parent.iterdir() if path.is_file() and path.suffix not in (".py", ".pyc")
    )
