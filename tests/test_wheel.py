"""The wheel is the library and nothing else, and it works where neither the book nor its packages are."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.installed import environment

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    (found,) = folder.iterdir()
    return found


@pytest.fixture(scope="module")
def run(wheel, tmp_path_factory):
    """Run this Python somewhere else, with the wheel and what it requires, and with nothing else."""
    target, elsewhere, hiding = (tmp_path_factory.mktemp(name) for name in ("target", "elsewhere", "hiding"))
    pip("install", "--no-deps", "--no-index", "--target", target, wheel)
    variables = environment(PROJECT["dependencies"], target, folder=hiding)
    variables["GDMCOURSE_CACHE"] = str(elsewhere / "cache")

    def run(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=elsewhere, env=variables, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run.target, run.folder = target, elsewhere
    return run


def test_it_holds_the_library_with_its_records_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    inside = {name for name in names if not re.match(r"gdmcourse-[\d.]+\.dist-info/", name)}
    source = (ROOT / "gdmcourse").rglob("*")
    expected = {str(p.relative_to(ROOT)) for p in source if p.is_file() and p.parent.name != "__pycache__"}
    assert inside == expected
    assert {Path(name).suffix for name in inside} == {".py", ".json", ".png", ".txt"}
    licences = {Path(name).name for name in names if "/licenses/" in name}
    assert licences == {"LICENSE", "LICENSE-TEXT"}


def test_what_it_requires_is_what_pyproject_says(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode().splitlines()
    always = [line for line in lines if line.startswith("Requires-Dist: ") and "extra ==" not in line]
    assert [line.removeprefix("Requires-Dist: ") for line in always] == sorted(PROJECT["dependencies"])


def test_the_hiding_hides(run):
    """Else the other tests here would pass with any dependency missing."""
    code = "import importlib.util as util; print([util.find_spec(name) is None for name in {}])"
    assert (
        run("-c", code.format(["torch", "typer", "diffusers", "hypothesis"]))
        == "[False, False, True, True]\n"
    )
    assert Path(run("-c", "import gdmcourse; print(gdmcourse.__file__)").strip()).is_relative_to(run.target)


def test_importing_it_imports_nothing_heavy(run):
    code = "import sys, gdmcourse; print([m for m in sys.modules if m.partition('.')[0] in {}])"
    heavy = {"torch", "torchvision", "sklearn", "scipy", "numpy", "matplotlib", "lightning_fabric", "typer"}
    assert run("-c", code.format(heavy)) == "[]\n"


def test_its_commands_work(run):
    assert "train" in run("-m", "gdmcourse", "--help")
    assert "digits" in run("-m", "gdmcourse", "data")
    said = run("-m", "gdmcourse", "train", "classifier-digits", "--preset", "smoke")
    assert "test_accuracy" in said
    assert (run.folder / "runs/classifier-digits-smoke/metrics.json").is_file()


def test_every_module_can_be_imported(run):
    """So each package that any of them imports at its top is one that the wheel requires."""
    code = (
        "import importlib, pkgutil, gdmcourse\n"
        "for m in pkgutil.walk_packages(gdmcourse.__path__, 'gdmcourse.'):\n"
        "    if not m.name.endswith('__main__'): importlib.import_module(m.name); print(m.name)"
    )
    assert "gdmcourse.grading.grade" in run("-c", code).split()
