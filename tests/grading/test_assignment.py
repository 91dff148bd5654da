"""The key is the one that the teacher names; for a student's own work, the notebook may say which it is."""

import json
import shutil

import pytest

from gdmcourse.grading import assignment
from gdmcourse.grading.assignment import find_key
from gdmcourse.grading.read import Unreadable, read


@pytest.fixture
def two(course, tmp_path):
    """A folder of two keys, of which the second is the easier one, and nothing else in reach."""
    shutil.copytree(course.solutions / "key", tmp_path / "two" / "key")
    easy = json.loads((tmp_path / "two" / "key" / "tiny.json").read_text())
    easy |= {"chapter": "easy", "questions": easy["questions"][:1]}
    easy["questions"][0]["names"] = ["other"]
    (tmp_path / "two" / "key" / "easy.json").write_text(json.dumps(easy))
    return tmp_path / "two"


def test_of_several_keys_the_teacher_names_one(submit, two):
    path = submit(lambda notebook: notebook["metadata"].update(gdmcourse={"chapter": "easy"}))
    with pytest.raises(ValueError, match="name the one that was set with --assignment"):
        find_key(read(path), path, two)
    assert find_key(read(path), path, two, "tiny").chapter == "tiny"
    assert find_key(read(path), path, two / "key" / "tiny.json").chapter == "tiny"
    with pytest.raises(ValueError, match="there is no assignment hard, only easy, tiny"):
        find_key(read(path), path, two, "hard")


def test_a_key_beside_a_submission_is_nobodys(submit, two, monkeypatch, tmp_path):
    """Neither planted beside it, nor because the notebook says that it belongs to another chapter."""
    monkeypatch.chdir(tmp_path / "two")
    monkeypatch.setattr(assignment, "PACKAGE", tmp_path / "nowhere" / "gdmcourse")
    path = submit()
    shutil.copytree(two / "key", path.parent / "key")
    shutil.rmtree(two / "key")
    with pytest.raises(ValueError, match="if you trust the one beside the notebook, name it with --key"):
        find_key(read(path), path)


@pytest.mark.parametrize("name", ["tiny.ipynb", "renamed (1).ipynb"])
def test_ones_own_work_is_known_by_name_or_by_what_it_defines(submit, two, monkeypatch, name):
    monkeypatch.chdir(two)
    monkeypatch.setattr(assignment, "PACKAGE", two / "gdmcourse")
    path = submit(lambda notebook: notebook["metadata"].clear())
    path = path.rename(path.with_name(name))
    assert find_key(read(path), path).chapter == "tiny"


def test_ones_own_work_that_belongs_to_no_exercise_is_set_aside(tmp_path, two, monkeypatch):
    monkeypatch.chdir(two)
    monkeypatch.setattr(assignment, "PACKAGE", two / "gdmcourse")
    path = tmp_path / "other.ipynb"
    cell = {"cell_type": "code", "metadata": {}, "source": "half = 0.5"}
    path.write_text(json.dumps({"nbformat": 4, "cells": [cell]}))
    with pytest.raises(Unreadable, match="name it with --assignment, as one of easy, tiny"):
        find_key(read(path), path)


def test_a_missing_or_damaged_key_says_what_to_do(submit, tmp_path):
    path = submit()
    (tmp_path / "keys").mkdir()
    with pytest.raises(ValueError, match="there is no key"):
        find_key(read(path), path, tmp_path / "keys")
    for damaged in ('{"format": 2}', '{"format": 1}', "["):
        (tmp_path / "keys" / "tiny.json").write_text(damaged)
        with pytest.raises(ValueError, match="gdmcourse release"):
            find_key(read(path), path, tmp_path / "keys")
