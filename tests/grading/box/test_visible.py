"""What of the machine's files is visible in the box, however the folders of a course are laid out."""

import subprocess
import sys
from pathlib import Path

import pytest

from gdmcourse.grading import sandbox
from gdmcourse.grading.limits import Limits

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("boxed")]


def inside(hidden: list[Path], *argv: str) -> str:
    """What a command says in the box."""
    line, descriptors = sandbox.command(argv, hidden, Limits(), {})
    try:
        done = subprocess.run(line, capture_output=True, text=True, pass_fds=descriptors, check=False)
    finally:
        sandbox.close(descriptors)
    return done.stdout + done.stderr


def write(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("secret")


def files(hidden: list[Path], top: Path) -> set[str]:
    """The files below a folder that are visible in the box."""
    found = inside(hidden, "find", str(top), "-type", "f").splitlines()
    return {str(Path(line).relative_to(top)) for line in found if line.startswith(str(top))}


@pytest.fixture
def course(tmp_path) -> Path:
    """A project's folder, with its sources and keys, data and an environment in it."""
    top = tmp_path / "usr" / "src" / "course"
    write(top / "solutions" / "a.md", top / "solutions" / "key" / "a.json", top / "notes.md")
    write(
        top / ".venv" / "lib" / "module.py", top / "data" / "MNIST" / "raw" / "images", top / "data" / "b.md"
    )
    write(top / "MNIST" / "raw" / "images", top / "submitted" / "alice" / "a.ipynb")
    return top


def test_an_environment_in_the_project_shows_nothing_but_itself(course, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(course / ".venv"))
    assert files([course], course) == {".venv/lib/module.py"}


def test_a_data_root_in_the_project_or_above_the_keys_shows_its_data_sets_alone(course, monkeypatch):
    monkeypatch.setenv("GDMCOURSE_DATA", str(course / "data"))
    assert files([], course) == {"data/MNIST/raw/images"}
    monkeypatch.setenv("GDMCOURSE_DATA", str(course))
    assert files([], course) == {"MNIST/raw/images"}


def test_a_project_below_a_system_folder_or_an_environment_is_covered(course, monkeypatch, tmp_path):
    hidden = [course, course / "solutions" / "key", course / "submitted" / "alice"]
    monkeypatch.setattr(sandbox, "SYSTEM", (*sandbox.SYSTEM, str(tmp_path / "usr")))
    assert files(hidden, course) == set()
    monkeypatch.setattr(sandbox, "SYSTEM", sandbox.SYSTEM[:-1])
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "usr"))
    monkeypatch.setenv("GDMCOURSE_DATA", str(course / "data"))
    assert files(hidden, course) == {"data/MNIST/raw/images"}


def test_the_project_that_holds_the_package_is_covered_without_being_named(course, monkeypatch, tmp_path):
    write(course / "gdmcourse" / "module.py", course / sandbox.PROJECT)
    monkeypatch.setattr(sandbox, "PACKAGE", course / "gdmcourse")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "usr"))
    assert files([], course) == {"gdmcourse/module.py"}


def test_a_covered_folder_is_no_place_to_write(course, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(course.parent))
    assert "Read-only file system" in inside([course], "touch", str(course / "mine"))


def test_the_data_sets_are_all_that_the_loaders_look_for(tmp_path):
    from gdmcourse.data import cifar10, mnist

    for name in ("cifar-10-batches-py", cifar10.ARCHIVE):
        assert name in sandbox.DATA
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    assert Path(mnist.__file__).read_text().count('"MNIST"') == 2
    assert "MNIST" in sandbox.DATA


def test_only_memory_of_limited_size_can_be_written(told):
    found = told(
        "import os\n"
        "places = [line.split()[1] for line in open('/proc/mounts') if ' rw' in line]\n"
        "size = lambda place: os.statvfs(place).f_blocks * os.statvfs(place).f_frsize\n"
        "free = {place: size(place) for place in places if os.access(place, os.W_OK)}\n"
        "sorted((p.split('/')[1], n) for p, n in free.items() if not p.startswith('/dev/') or 'shm' in p)"
    )
    most = Limits().disk
    assert [place for place, _ in found] == ["dev", "home", "run", "tmp"]
    assert all(0 < size <= most for _, size in found)
