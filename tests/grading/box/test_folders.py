"""Folders that code has filled: counted and removed however deep, long, locked or linked they are."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gdmcourse.grading import folders
from gdmcourse.grading.limits import MIB

ROOT = str(Path(__file__).parents[3])
COUNT = (
    "import os, pathlib; from gdmcourse.grading import folders; os.setuid({}); "
    "print(folders.written(pathlib.Path({!r})))"
)


@pytest.fixture
def folder(tmp_path) -> Path:
    return Path(tempfile.mkdtemp(dir=tmp_path))


def nest(top: Path, names: list[str]) -> int:
    """Make each folder in the one before; returns a descriptor of the innermost."""
    inner = os.open(top, os.O_RDONLY)
    for name in names:
        os.mkdir(name, dir_fd=inner)
        outer, inner = inner, os.open(name, os.O_RDONLY, dir_fd=inner)
        os.close(outer)
    return inner


def fill(descriptor: int, size: int) -> None:
    with open(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor), "wb") as file:
        file.write(os.urandom(size))
    os.close(descriptor)


def test_a_file_below_a_path_that_is_too_long_to_be_named_is_counted_and_removed(folder):
    fill(nest(folder, ["x" * 250] * 30), MIB)
    assert folders.written(folder) >= MIB
    folders.remove(folder)
    assert not folder.exists()


def test_folders_nested_beyond_any_recursion_count_as_more_than_any_limit_and_are_removed(folder):
    fill(nest(folder, ["d"] * 1500), 1)
    assert folders.written(folder) == folders.TOO_DEEP
    folders.remove(folder)
    assert not folder.exists()


def test_many_deep_branches_and_names_like_those_that_are_given_are_removed(folder):
    for branch in range(20):
        fill(nest(folder, [f"{branch}", *"abcdefgh"]), 1)
    fill(nest(folder, ["a"]), 1)
    folders.remove(folder)
    assert not folder.exists()


def test_each_entry_counts_for_a_page_at_least(folder):
    for number in range(50):
        (folder / f"empty-{number}").touch()
    assert folders.written(folder) >= 50 * folders.PAGE


def test_folders_that_were_locked_are_removed_and_links_are_not_followed(folder, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o711)
    (mine / "big").write_bytes(bytes(MIB))
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "file").write_bytes(os.urandom(10_000))
    (folder / "a" / "link").symlink_to(mine)
    assert 10_000 + folders.PAGE <= folders.written(folder) < MIB
    (folder / "a" / "b").chmod(0)
    (folder / "a").chmod(0)
    folders.remove(folder)
    assert not folder.exists()
    assert mine.stat().st_mode & 0o777 == 0o711
    assert (mine / "big").exists()


def test_a_folder_that_was_replaced_by_a_link_loses_the_link_only(folder, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "file").touch()
    folder.rmdir()
    folder.symlink_to(mine)
    folders.remove(folder)
    assert not folder.is_symlink()
    assert (mine / "file").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become another user")
def test_what_a_user_has_locked_is_unlocked_and_counted_by_the_same_user():
    user = 61184
    with tempfile.TemporaryDirectory() as name:
        fill(nest(Path(name), ["locked", "inner"]), MIB)
        for path in (Path(name), Path(name, "locked"), Path(name, "locked", "inner")):
            os.chown(path, user, user)
        Path(name, "locked", "inner").chmod(0)
        Path(name, "locked").chmod(0)
        argv = [sys.executable, "-c", COUNT.format(user, name)]
        found = subprocess.run(argv, capture_output=True, text=True, check=True, env={"PYTHONPATH": ROOT})
    assert int(found.stdout) >= MIB
