"""What a cell's code defines, reads and imports, seen without running it."""

import ast
import warnings


def parse(source: str) -> ast.Module:
    """The syntax tree of a cell, if need be without its lines of magic; empty where it isn't Python."""
    lines = source.splitlines()
    plain = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for text in (source, plain):
            try:
                return ast.parse(text)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
    return ast.Module(body=[], type_ignores=[])


def defined_names(source: str) -> tuple[str, ...]:
    """The functions, classes and variables that a cell defines at its top level."""
    names: list[str] = []
    for node in parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            nodes = [node for target in targets for node in ast.walk(target)]
            names += [
                node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            ]
    return tuple(names)


def read_names(source: str) -> set[str]:
    """All names that a cell reads."""
    nodes = ast.walk(parse(source))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def imports_of(source: str) -> str:
    """The import statements at a cell's top level, one a line."""
    body = parse(source).body
    return "\n".join(ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom))
