"""A Python that has only what some distributions bring, made from this one by hiding the rest."""

import os
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Python runs a module of this name when it starts.
HIDE = """
from importlib.machinery import PathFinder

find = PathFinder.find_spec


def find_shown(name, path=None, target=None):
    return None if name.partition(".")[0] in HIDDEN else find(name, path, target)


HIDDEN = {names!r}
PathFinder.find_spec = staticmethod(find_shown)
"""


def brought(names: Iterable[str]) -> set[str]:
    """The distributions that pip installs for `names`, such as "torch" or "fsspec[http]"."""
    seen, waiting = set(), [Requirement(name) for name in names]
    found = set()
    while waiting:
        need = waiting.pop()
        name = canonicalize_name(need.name)
        for extra in ("", *need.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            try:
                lines = requires(name) or []
            except PackageNotFoundError:
                continue
            found.add(name)
            further = [Requirement(line) for line in lines]
            waiting += [r for r in further if r.marker is None or r.marker.evaluate({"extra": extra})]
    return found


def hidden(names: Iterable[str]) -> set[str]:
    """The packages that can be imported here and that none of the distributions `names` brings."""
    there = brought(names) | {"pip", "setuptools"}
    return {
        package
        for package, distributions in packages_distributions().items()
        if not there & {canonicalize_name(d) for d in distributions}
    }


def environment(names: Iterable[str], *path: Path, folder: Path) -> dict[str, str]:
    """The environment variables of a Python that sees just what `names` bring, and what lies in `path`."""
    (folder / "sitecustomize.py").write_text(HIDE.format(names=hidden(names) - own(path)))
    passed = ("HOME", "PATH", "LD_LIBRARY_PATH")
    kept = {name: os.environ[name] for name in passed if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, (folder, *path))), "OMP_NUM_THREADS": "1"}


def own(path: Iterable[Path]) -> set[str]:
    """What lies in `path` itself, which is not hidden."""
    return {entry.stem for place in path for entry in place.iterdir()}
