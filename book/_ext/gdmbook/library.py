"""The library as a chapter's code reaches it, read from the source without running anything.

`ast` reads the imports of some code, at any depth, and then those of each module that was found, until
nothing new turns up. A recipe is reached by its name: the catalogue maps names to modules, and any string
that is one counts, in a chapter as in a module. A record is reached by its name too, without its study.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager

PACKAGE = "gdmcourse"
RECIPES = f"{PACKAGE}.recipes"  # its CATALOG maps a recipe's name to (module, summary)
STUDIES = f"{PACKAGE}.studies"  # the package beside whose modules the records lie
BY_NAME = {
    "trained": RECIPES,
    "find_recipe": RECIPES,
    "find_study": STUDIES,
}  # what takes a name, and of what


def code_of(source: str) -> ast.Module:
    """Return the syntax tree of a cell, its magics turned into calls."""
    return ast.parse(TransformerManager().transform_cell(source))


@dataclass(frozen=True)
class Uses:
    """What a piece of code names: modules of the library, and all its strings."""

    modules: frozenset[str]
    strings: frozenset[str]


@dataclass(frozen=True)
class Library:
    """The modules under a root by their dotted names, and the module of each recipe."""

    modules: dict[str, Path]
    recipes: dict[str, str]

    @classmethod
    def under(cls, root: Path) -> "Library":
        """Return the library that lies in `root` now."""
        modules = {}
        for path in sorted((root / PACKAGE).rglob("*.py")):
            parts = list(path.relative_to(root).with_suffix("").parts)
            modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
        catalogue = modules.get(RECIPES)
        node = _catalogue(ast.parse(catalogue.read_text(encoding="utf-8"))) if catalogue else None
        entries = ast.literal_eval(node.value) if node and node.value else {}
        return cls(modules, {name: f"{RECIPES}.{entry[0]}" for name, entry in entries.items()})

    def reached(self, cells: list[str]) -> tuple[set[str], set[str]]:
        """Return the modules that the code of `cells` could import, and all strings that it meets there."""
        trees = [code_of(cell) for cell in cells]
        waiting, strings, found = set[str](), set[str](), set[str]()
        if any(_runs_command(tree) for tree in trees):
            waiting = set(self.modules)
        rooms = tuple(room for tree in trees for room in _unknown(tree))
        waiting |= {name for name in self.modules if name.startswith(rooms)}
        uses = [_uses(tree, self.modules, "") for tree in trees]
        while True:
            for use in uses:
                strings |= use.strings
                waiting |= use.modules | {self.recipes[name] for name in use.strings & self.recipes.keys()}
            waiting -= found
            if not waiting:
                return found, strings
            found |= waiting
            uses = [self.uses(name) for name in waiting]

    def uses(self, module: str) -> Uses:
        """Return what one module names itself."""
        path = self.modules[module]
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        return _parsed(self.source(module), package, frozenset(self.modules))

    def source(self, module: str) -> str:
        """Return the text of a module, without the entries of a catalogue: those are followed by name."""
        text = self.modules[module].read_text(encoding="utf-8")
        node = _catalogue(ast.parse(text)) if module in (RECIPES, STUDIES) else None
        if node is None:
            return text
        lines = text.splitlines(keepends=True)
        return "".join(lines[: node.lineno - 1] + lines[node.end_lineno :])

    def files(self, modules: set[str], strings: set[str]) -> list[Path]:
        """Return the files of data that code may read which reaches these: all that lie beside a package's
        `__init__`, but of the records only those that are named.
        """
        found = []
        for name in sorted(modules):
            path = self.modules[name]
            if path.name == "__init__.py":
                for file in sorted(path.parent.iterdir()):
                    data = file.is_file() and file.suffix not in (".py", ".pyc")
                    if data and (name != STUDIES or file.stem in strings):
                        found.append(file)
        return found


@cache
def _parsed(text: str, package: str, modules: frozenset[str]) -> Uses:
    return _uses(ast.parse(text), modules, package)


def _uses(tree: ast.AST, modules: frozenset[str] | dict[str, Path], package: str) -> Uses:
    strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    found = {
        ".".join(parts[:end])
        for name in _imported(tree, modules, package)
        if (parts := name.split("."))[0] == PACKAGE
        for end in range(1, len(parts) + 1)  # a module's import runs the __init__ of each package above it
    }
    return Uses(frozenset(found & set(modules)), frozenset(s for s in strings if isinstance(s, str)))


def _imported(tree: ast.AST, modules: frozenset[str] | dict[str, Path], package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            yield from [base, *(f"{base}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value  # importlib.import_module("gdmcourse.room.module")
            # … or (f"gdmcourse.room.{name}"): any module of that room, unless it is followed by its name.
            if node.value.endswith(".") and node.value not in (f"{RECIPES}.", f"{STUDIES}."):
                yield from (name for name in modules if name.startswith(node.value))


def _catalogue(tree: ast.Module) -> ast.Assign | ast.AnnAssign | None:
    """The statement that assigns CATALOG."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "CATALOG" for target in targets):
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            return node
    return None


def _unknown(tree: ast.AST) -> Iterator[str]:
    """The packages of which a cell asks for what only the run knows, or for a study and not its record."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            room = BY_NAME.get(ast.unparse(node.func).rpartition(".")[2])
            named = room == RECIPES and node.args and isinstance(node.args[0], ast.Constant)
            if room and not named:
                yield f"{room}."


def _runs_command(tree: ast.AST) -> bool:
    """Whether a cell hands the library to a shell or a magic, which may reach everything."""
    return any(
        isinstance(node, ast.Call)
        and ast.unparse(node.func).startswith("get_ipython()")
        and any(isinstance(arg, ast.Constant) and PACKAGE in str(arg.value) for arg in node.args)
        for node in ast.walk(tree)
    )
