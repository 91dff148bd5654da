"""What a cell's code defines, reads and could reach, seen without running it."""

import ast
import re
from collections.abc import Iterable, Iterator

from gdmcourse.grading.magic import parsed, reading

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
QUIET_MAGIC = re.compile(r"%matplotlib|%config|%load_ext|%autoreload|%pip|!pip|%%time\s*$|%%capture\b")
# Modules and functions by which code reaches more than its own names.
REACHING_MODULES = re.compile(
    "asyncio|atexit|builtins|concurrent|ctypes|faulthandler|gc|importlib|inspect|ipykernel|IPython"
    "|jupyter_client|multiprocessing|os|psutil|resource|runpy|signal|socket|subprocess|sys|threading|types|zmq"
)
REACHING_NAMES = re.compile(
    "__builtins__|__import__|compile|delattr|eval|exec|get_ipython|globals|setattr|vars"
)
REACHING_FIELDS = re.compile("__builtins__|__code__|__dict__|__globals__|__subclasses__")
OPEN_ENDED_MAGIC = re.compile(r"(%run|%load|%%writefile)\b")
OPEN_ENDED = {"exec", "eval", "globals", "setattr", "__import__", "runpy", "get_ipython"}


def parse(source: str) -> ast.Module:
    """The syntax tree of a cell, its magic left out; empty where it isn't Python."""
    return parsed(reading(source).python) or ast.Module(body=[], type_ignores=[])


def is_python(source: str) -> bool:
    """Whether a cell holds code that can be parsed."""
    return bool(parse(source).body)


def has_magic(source: str) -> bool:
    """Whether a cell has lines that IPython reads in its own way."""
    return bool(reading(source).magics)


def defined_names(source: str) -> tuple[str, ...]:
    """The functions, classes and variables that a cell defines at its top level, in their order."""
    names: list[str] = []
    for node in parse(source).body:
        if isinstance(node, Definition):
            names.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names += [name for target in targets for part in ast.walk(target) for name in _stored(part)]
    return tuple(names)


def function_names(source: str) -> set[str]:
    """The functions and classes that a cell defines, also below an ``if`` or a ``with``."""
    return {node.name for node in _outside_functions(parse(source)) if isinstance(node, Definition)}


def bound_names(source: str) -> set[str]:
    """Every name that running a cell binds, its imports included."""
    return made_names(source) | _imported(parse(source).body)


def made_names(source: str) -> set[str]:
    """The names that a cell binds otherwise than by an import at its top level, which runs in any case."""
    tree = parse(source)
    nodes = list(_outside_functions(tree))
    made = {name for node in nodes for name in _stored(node)} | function_names(source)
    made |= {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    return made | _imported(set(nodes) - set(tree.body))


def _imported(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that those of the nodes bind which are imports."""
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name.split(".")[0] for node in imports for alias in node.names} - {"*"}


def touched_names(source: str) -> set[str]:
    """The names that a cell may change in place: ``table[0] = 1``, ``model.eval()``, ``model.rate = 1``."""
    nodes = list(_outside_functions(parse(source)))
    fields = [node for node in nodes if isinstance(node, ast.Subscript | ast.Attribute)]
    stored = [node for node in fields if isinstance(node.ctx, ast.Store)]
    methods = [call.func for call in _calls(nodes) if isinstance(call.func, ast.Attribute)]
    return set(filter(None, map(_root, [*stored, *methods])))


def passed_names(source: str) -> set[str]:
    """The names of what a cell hands to a function whose value it doesn't keep: ``fill(table)``."""
    calls = _calls(_outside_functions(parse(source)))
    given = [a for call in calls for a in [*call.args, *(keyword.value for keyword in call.keywords)]]
    return set(filter(None, (_root(node) for node in given if not isinstance(node, ast.Call))))


def _calls(nodes: Iterable[ast.AST]) -> list[ast.Call]:
    """The calls that are statements of their own."""
    return [n.value for n in nodes if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call)]


def read_names(source: str) -> set[str]:
    """All names that a cell reads."""
    nodes = ast.walk(parse(source))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def reaches_out(source: str) -> bool:
    """Whether a cell could change more than its own names: modules, the session, other processes."""
    if not all(map(QUIET_MAGIC.match, reading(source).magics)):
        return True
    for node in ast.walk(parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            if any(REACHING_MODULES.fullmatch(part) for name in names for part in name.split(".")):
                return True
        elif isinstance(node, ast.Attribute):
            stored = not isinstance(node.ctx, ast.Load) and _root(node) not in ("self", "cls")
            if stored or REACHING_FIELDS.fullmatch(node.attr):
                return True
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            if isinstance(node.value, ast.Attribute) and _root(node) != "self":
                return True
        elif isinstance(node, ast.Name) and REACHING_NAMES.fullmatch(node.id):
            return True
    return False


def is_open_ended(source: str) -> bool:
    """Whether a cell may define names that its text doesn't show."""
    if any(map(OPEN_ENDED_MAGIC.match, reading(source).magics)):
        return True
    nodes = list(ast.walk(parse(source)))
    stars = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]
    return bool(stars) or any(isinstance(node, ast.Name) and node.id in OPEN_ENDED for node in nodes)


def plain(source: str) -> str:
    """The code without comments and layout, where it is Python; else the text without outer spaces."""
    tree = parse(source)
    return _dump(tree) or source.strip() if tree.body else source.strip()


def without(source: str, statements: set[str]) -> str:
    """The cell without those top-level statements, given as their dumps; other lines keep their place."""
    lines = list(reading(source).lines)
    found = [node for node in parse(source).body if _dump(node) in statements]
    for node in found:
        first = min([node.lineno, *(part.lineno for part in getattr(node, "decorator_list", []))])
        lines[first - 1 : node.end_lineno] = ["pass"] + [""] * ((node.end_lineno or first) - first)
    return "\n".join(lines) if found else source


def open_statements(source: str) -> list[tuple[str, str | None]]:
    """Of a stub, the statements that are left to be written: their dump and the name that each defines."""
    marked = [
        node
        for node in parse(source).body
        if any(isinstance(part, ast.Name) and part.id == "NotImplementedError" for part in ast.walk(node))
    ]
    return [(_dump(node), node.name if isinstance(node, Definition) else None) for node in marked]


def _dump(node: ast.AST) -> str:
    try:
        return ast.dump(node)
    except (RecursionError, ValueError):  # too deep, or an integer too long to be written in decimals
        return ""


def _outside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes that run with the cell itself, those in bodies of functions and classes left out."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            waiting += ast.iter_child_nodes(node)


def _root(node: ast.AST) -> str | None:
    """The name at which ``a.b[c].d`` starts."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _stored(node: ast.AST) -> list[str]:
    return [node.id] if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else []
