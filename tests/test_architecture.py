"""The house has floors: imports go down, never up, never across. Read from the source, importing nothing."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "gdmcourse"
MODULES = sorted(PACKAGE.rglob("*.py"))

FLOORS = {
    "probability": 0,
    "data": 0,
    "nn": 0,
    "training": 0,
    "likelihood": 1,
    "gan": 1,
    "diffusion": 1,
    "metrics": 1,
    "hybrid": 2,
    "recipes": 3,
    "studies": 4,
}
ASIDE = {"plots", "grading", "classroom"}
TOP = {"cli", "cli_grading", "cli_gradebook", "__main__"}

# What a room may use from outside. Not listed: torch, numpy and jaxtyping only, as befits a model.
ARRAYS = {"jaxtyping", "numpy", "torch"}
PARTS = {
    "diffusion": ARRAYS | {"scipy"},
    "metrics": ARRAYS | {"scipy", "sklearn", "torchvision"},
    "data": ARRAYS | {"PIL", "platformdirs", "sklearn", "torchvision"},
    "training": ARRAYS | {"filelock", "lightning_fabric", "matplotlib", "safetensors", "tqdm"},
    "recipes": ARRAYS | {"lightning_fabric", "matplotlib"},
    "studies": ARRAYS | {"distributed", "matplotlib", "tqdm"},
    "plots": ARRAYS | {"IPython", "cycler", "ipywidgets", "matplotlib"},
    "grading": {
        "IPython",
        "jupyter_client",
        "jupytext",
        "nbformat",
        "nbval",
        "platformdirs",
        "psutil",
        "pytest",
        "zmq",
    },
    "classroom": {"dask", "distributed", "filelock", "rich"},
    "cli": {"rich", "typer"},
    "cli_grading": {"typer"},
    "cli_gradebook": {"rich", "typer"},
    "prose": {"IPython"},
}


def room(module: Path) -> str:
    inside = module.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def imports(module: Path) -> list[str]:
    """Every module that the file imports, wherever in it, as full dotted names."""
    package = ["gdmcourse", *module.relative_to(PACKAGE).parts[:-1]]
    found = []
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            stem = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*stem, *([node.module] if node.module else [])])
            found += [f"{base}.{alias.name}" for alias in node.names] if base == "gdmcourse" else [base]
    return found


def rooms_used(module: Path) -> set[str]:
    """The rooms of the package that the file imports from, its own left out."""
    parts = [name.split(".") for name in imports(module)]
    return {p[1] for p in parts if p[0] == "gdmcourse" and len(p) > 1} - {room(module), "__version__"}


def allowed(here: str, there: str) -> bool:
    """Down is allowed, and the figures from anywhere; a class is graded by grading; commands may use all."""
    if here in TOP or there == "plots":
        return here != "plots"
    if here == "classroom":
        return there == "grading"
    return here in FLOORS and there in FLOORS and FLOORS[there] < FLOORS[here]


def outside(module: Path) -> set[str]:
    """The packages that the file imports, Python's own and ours left out."""
    return {name.split(".")[0] for name in imports(module)} - sys.stdlib_module_names - {"gdmcourse"}


def test_every_room_has_a_floor():
    rooms = {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
    assert rooms <= set(FLOORS) | ASIDE


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(module):
    wrong = {there for there in rooms_used(module) if not allowed(room(module), there)}
    assert not wrong, f"{module.relative_to(PACKAGE)} imports {sorted(wrong)}, which is not below it"


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_room_uses_no_more_than_it_needs(module):
    foreign = outside(module) - PARTS.get(room(module), ARRAYS)
    assert not foreign, f"{module.relative_to(PACKAGE)} imports {sorted(foreign)}"


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_one_concept_a_file(module):
    lines = len(module.read_text().splitlines())
    assert lines <= 250, f"{module.relative_to(PACKAGE)} has {lines} lines: probably two concepts"


def test_the_rule_itself_tells_up_from_down():
    assert allowed("likelihood", "probability")
    assert allowed("recipes", "hybrid")
    assert allowed("studies", "recipes")
    assert allowed("cli", "recipes")
    assert allowed("training", "plots")
    assert not allowed("probability", "data")
    assert not allowed("gan", "likelihood")
    assert not allowed("metrics", "recipes")
    assert not allowed("training", "nn")
    assert not allowed("plots", "data")
    assert not allowed("nn", "training")
    assert not allowed("grading", "diffusion")
    assert allowed("classroom", "grading")
    assert not allowed("grading", "classroom")
    assert not allowed("classroom", "data")
    assert not allowed("studies", "classroom")


def test_the_walk_sees_every_form_of_import(tmp_path, monkeypatch):
    module = PACKAGE / "nn" / "unet.py"
    text = (
        "import gdmcourse.gan\nfrom gdmcourse import hybrid\nfrom ..metrics import x\nfrom .. import data\n"
        "def f():\n    from gdmcourse.likelihood.gmm import g\n    import torch.nn, os.path\n"
    )
    monkeypatch.setattr(Path, "read_text", lambda self, **options: text)
    assert rooms_used(module) == {"gan", "hybrid", "metrics", "data", "likelihood"}
    assert outside(module) == {"torch"}
