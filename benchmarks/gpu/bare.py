"""What lets the library train where there are only torch, torchvision, scikit-learn and Lightning.

Nothing is installed. `jaxtyping` is for annotations, `tqdm` for a bar that nobody watches, `safetensors` for
checkpoints: a measurement needs none of them, so one that is absent is replaced by `Nothing`.
"""

import importlib
import os
import pkgutil
import sys
import tempfile
import types
from importlib.util import find_spec
from typing import Any

SPARED = ("jaxtyping", "tqdm", "safetensors", "safetensors.torch")
# Rooms that a measurement does without.
UNUSED = {
    "__main__",
    "classroom",
    "cli",
    "cli_gradebook",
    "cli_grading",
    "grading",
    "plots",
    "prose",
    "studies",
}


class Nothing:
    """Can be called, indexed, entered and asked for anything, and gives itself."""

    def __call__(self, *args: Any, **kwargs: Any) -> "Nothing":
        """Itself."""
        return self

    def __getitem__(self, key: Any) -> "Nothing":
        """Itself, so that it can be an annotation such as Float[Tensor, "n d"]."""
        return self

    def __or__(self, other: Any) -> "Nothing":
        """Itself, so that it can be an annotation such as Int[Tensor, " n"] | None."""
        return self

    __ror__ = __or__

    def __enter__(self) -> "Nothing":
        """Itself."""
        return self

    def __exit__(self, *error: Any) -> None:
        """Let errors pass."""

    def __getattr__(self, name: str) -> "Nothing":
        """Itself, but for what Python looks up on its own."""
        if name.startswith("__"):
            raise AttributeError(name)
        return self


class Absent(types.ModuleType):
    """A module that holds whatever is imported from it."""

    def __getattr__(self, name: str) -> Nothing:
        """Nothing, but for what Python looks up on its own."""
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()


def make_do() -> list[str]:
    """Import the library as far as it goes here; returns the packages that are absent and spared.

    The stand-ins are there while the library is imported, and gone before another package could find them.
    """
    absent = [name for name in SPARED if "." not in name and find_spec(name) is None]
    if find_spec("lightning_fabric") is None and find_spec("lightning") is not None:
        sys.modules["lightning_fabric"] = importlib.import_module("lightning.fabric")
    if find_spec("platformdirs") is None:
        os.environ.setdefault("GDMCOURSE_CACHE", os.path.join(tempfile.gettempdir(), "gdmcourse"))
    importlib.import_module("lightning_fabric")
    stand_ins = {name: Absent(name) for name in SPARED if name.partition(".")[0] in absent}
    sys.modules.update(stand_ins)
    try:
        _import("gdmcourse")
    finally:
        for name in stand_ins:
            del sys.modules[name]
    return absent


def _import(package: str) -> None:
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        if module.name.rpartition(".")[2] not in UNUSED:
            importlib.import_module(module.name)
            if module.ispkg:
                _import(module.name)
