"""One environment, said in three places: pyproject.toml, environment.yml, the Makefile."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
MAKEFILE = (ROOT / "Makefile").read_text()
PINS = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line and line[0] != "#"
)
PINNED = {canonicalize_name(name): pin for name, pin in PINS.items()}
REQUIRED = [
    Requirement(line)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for line in group
]


def test_conda_installs_what_make_installs():
    (pip,) = (entry["pip"] for entry in CONDA if isinstance(entry, dict))
    extras = re.search(r"-e '?\.\[([\w,]+)\]", MAKEFILE)[1]
    assert set(extras.split(",")) == set(PROJECT["optional-dependencies"])
    assert pip == ["-c constraints.txt", f"-e .[{extras}]"]
    assert "-c constraints.txt" in MAKEFILE


def test_condas_python_is_one_that_the_package_accepts():
    (python,) = (entry for entry in CONDA if isinstance(entry, str) and entry.startswith("python="))
    assert SpecifierSet(PROJECT["requires-python"]).contains(python.removeprefix("python="))


def test_every_requirement_is_pinned_within_its_bounds():
    loose = [
        str(need)
        for need in REQUIRED
        if not need.specifier.contains(PINNED.get(canonicalize_name(need.name), "0"))
    ]
    assert loose == []
    assert [need.name for need in REQUIRED if canonicalize_name(need.name) not in PINNED] == []


def test_installed_versions_are_those_of_the_pins():
    wrong = {
        need.name: version(need.name)
        for need in REQUIRED
        if version(need.name) != PINNED[canonicalize_name(need.name)]
    }
    assert wrong == {}, "run `make setup`"
