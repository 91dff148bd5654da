"""One environment, said in five places: pyproject.toml, environment.yml, Makefile, Dockerfile, workflows."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
MAKEFILE = (ROOT / "Makefile").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
WORKFLOWS = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / ".github/workflows").glob("*.yml"))]
STEPS = [step for flow in WORKFLOWS for job in flow["jobs"].values() for step in job["steps"]]
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


def test_the_image_has_condas_python_and_the_pins():
    assert f"python={re.search(r'^FROM python:([0-9.]+)-slim$', DOCKERFILE, re.M)[1]}" in CONDA
    options, extras, others = re.search(r"pip install (.+) '\.\[([\w,]+)\]' (.+)$", DOCKERFILE, re.M).groups()
    assert "-c constraints.txt" in options
    assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])
    assert [name for name in others.split() if canonicalize_name(name) not in PINNED] == []


def test_the_workflows_try_every_python_that_is_promised():
    (matrix,) = (
        job["strategy"]["matrix"]["python"]
        for flow in WORKFLOWS
        for job in flow["jobs"].values()
        if "python" in job.get("strategy", {}).get("matrix", {})
    )
    accepted = SpecifierSet(PROJECT["requires-python"])
    first = min(map(Version, matrix))
    assert matrix == [f"3.{first.minor + later}" for later in range(3)]
    assert accepted.contains(first)
    assert not accepted.contains(Version(f"3.{first.minor - 1}")), "older Pythons are promised and not tried"


def test_the_workflows_install_by_the_pins():
    installs = [step["run"] for step in STEPS if "pip install" in step.get("run", "")]
    assert installs
    assert [line for line in installs if "-c constraints.txt -e" not in line] == []
    caches = [step["with"] for step in STEPS if step.get("with", {}).get("cache") == "pip"]
    decides = {"constraints.txt", "pyproject.toml"}
    assert caches
    assert all(set(cache["cache-dependency-path"].split()) == decides for cache in caches)


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
