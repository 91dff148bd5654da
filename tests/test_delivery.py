"""How the book reaches its readers: the workflows, the image for a hub, the commands of the README."""

import fnmatch
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text()
README = (ROOT / "README.md").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
JOBS = [
    pytest.param(job, id=f"{path.stem}-{name}")
    for path in WORKFLOWS
    for name, job in yaml.safe_load(path.read_text())["jobs"].items()
]
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.M))
COPIED = [
    source
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.M)
    for source in [word for word in line.split() if not word.startswith("--")][:-1]
]


def let_in(path: str) -> bool:
    """Whether .dockerignore lets a path into the image; of the rules that fit, the last one counts."""
    shown = True
    for rule in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = rule.removeprefix("!")
        parents = [path, *map(str, Path(path).parents)]
        if rule and rule[0] != "#" and any(fnmatch.fnmatch(parent, pattern) for parent in parents):
            shown = rule.startswith("!")
    return shown


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_only_read_unless_a_job_says_more(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert "group" in workflow["concurrency"]


@pytest.mark.parametrize("job", JOBS)
def test_a_job_ends_and_names_its_actions_by_a_version(job):
    assert 0 < job["timeout-minutes"] <= 90
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert [name for name in used if not re.fullmatch(r"actions/[a-z-]+@v\d+", name)] == []


@pytest.mark.parametrize("job", JOBS)
def test_a_job_runs_commands_that_are_there(job):
    said = "\n".join(step.get("run", "") for step in job["steps"])
    assert set(re.findall(r"\bmake ([a-z]+)", said)) <= TARGETS
    for notebook in re.findall(r"gdmcourse grade (\S+)", said):
        assert (ROOT / notebook).is_file()


def test_the_readme_and_the_contributing_page_name_targets_that_are_there():
    text = README + (ROOT / "CONTRIBUTING.md").read_text() + (ROOT / "book/start/how_to.md").read_text()
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.M))
    assert {"book", "test"} <= named <= TARGETS


def test_every_target_says_what_it_does():
    assert set(re.findall(r"^([a-z]+):.*## \w", MAKEFILE, re.M)) == TARGETS
    assert set(re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.M)[1].split()) == TARGETS


def test_a_release_attaches_the_zip_that_make_writes():
    release = (ROOT / ".github/workflows/release.yml").read_text()
    (attached,) = re.findall(r"_build/\S+\.zip", release)
    assert f"rm -f {Path(attached).name}" in MAKEFILE.split("\nzip:")[1]


@pytest.mark.parametrize("source", COPIED)
def test_what_the_image_copies_is_there_and_let_in(source):
    assert (ROOT / source).exists()
    assert let_in(source)


@pytest.mark.parametrize("secret", ["solutions", "solutions/key", "tests", ".git", ".venv", "_build", "runs"])
def test_the_image_has_no_solutions_and_no_leftovers(secret):
    assert not let_in(f"{secret}/x.json")
    assert secret.split("/")[0] not in COPIED


def test_the_image_runs_as_the_student_whom_a_hub_names():
    assert re.search(r"^ARG NB_UID=1000$", DOCKERFILE, re.M)
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.M) == ["${NB_USER}"]
    assert DOCKERFILE.index("\nUSER ") < DOCKERFILE.index("\nCMD ")
    assert "--port=8888" in DOCKERFILE
    assert re.search(r"pip install .*\bjupyterhub$", DOCKERFILE, re.M)


def test_the_route_without_make_is_the_one_that_the_workflow_tries():
    (route,) = re.findall(r'-m pip install (-c constraints\.txt -e "\.\[\w+\]")', README)
    assert any(
        route in step.get("run", "")
        for job in yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text())["jobs"].values()
        if "windows-latest" in job.get("strategy", {}).get("matrix", {}).get("system", [])
        for step in job["steps"]
    )
