"""The commands on a class: what they say, and what they refuse in a sentence."""

import json
import os

import pytest
from typer.testing import CliRunner

from gdmcourse.classroom import cluster
from gdmcourse.classroom.gradebook import Gradebook
from gdmcourse.cli import app
from tests.classroom.conftest import Here


@pytest.fixture
def gdmcourse(in_process, monkeypatch, tiny):
    """Run a command in this process, and grade in it."""
    monkeypatch.setattr(cluster, "Cluster", lambda workers, address: Here())
    monkeypatch.setattr("gdmcourse.grading.grade.allow", lambda unsandboxed: None)

    def run(*arguments: object):
        return CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "100"})

    return run


@pytest.fixture
def graded_file(gdmcourse, tiny, room):
    done = gdmcourse(
        "grade", room, "--key", tiny.root / "solutions", "--assignment", "tiny", "--gradebook", "g.db"
    )
    assert done.exit_code == 3, done.output  # one folder is empty
    assert "handed in: 5; different files: 3; graded now: 3" in done.stdout
    assert done.stderr.splitlines()[-1] == "eve: there is no notebook in it"
    return "g.db"


def test_a_class_from_the_files_to_what_is_returned(gdmcourse, graded_file, room, tmp_path):
    shown = gdmcourse("gradebook", "show", graded_file, "--html", "class.html")
    assert shown.exit_code == 0, shown.output
    assert "carl" in shown.stdout
    assert (tmp_path / "class.html").read_text().startswith("<!doctype html>")
    assert (
        gdmcourse("gradebook", "override", graded_file, "carl", 9, "--reason", "Ill.").stdout
        == "carl: 9 of 10 points\n"
    )
    assert gdmcourse("gradebook", "late", graded_file, "--due", "2020-01-01").exit_code == 0
    assert gdmcourse("gradebook", "late", graded_file).stdout == "nothing is taken off\n"
    assert gdmcourse("gradebook", "feedback", graded_file, "out").stdout == "pages written in out: 4\n"
    assert gdmcourse("gradebook", "export", graded_file, "p.csv", "--form", "canvas").exit_code == 0
    assert "carl,carl,,,,9" in (tmp_path / "p.csv").read_text()
    assert "1 × ᾱ scales the variance." in gdmcourse("gradebook", "items", graded_file).stdout
    assert "ada and bob: the same file" in gdmcourse("gradebook", "duplicates", graded_file).stdout
    assert "override of all: 9.0 (Ill.)" in gdmcourse("gradebook", "history", graded_file, "carl").stdout
    again = gdmcourse("grade", room / "ada", "--key", "nowhere", "--gradebook", graded_file)
    assert again.exit_code == 1


def test_a_disk_that_can_only_be_read(gdmcourse, graded_file, room, tiny, tmp_path):
    if os.geteuid() == 0:  # root may write anywhere, so the refusal is SQLite's own
        with (
            Gradebook(tmp_path / graded_file) as book,
            pytest.raises(ValueError, match="it can't be written"),
        ):
            book.set_late("tiny", None)
        return
    (tmp_path / graded_file).chmod(0o400)
    tmp_path.chmod(0o500)
    done = gdmcourse("gradebook", "late", graded_file, "--due", "2020-01-01")
    tmp_path.chmod(0o700)
    assert done.exit_code == 1
    assert "Traceback" not in done.output


CLASS = "grade class --gradebook g.db --key KEY"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("grade class", "a class is graded into a gradebook"),
        ("grade moodle.zip", "a class is graded into a gradebook"),
        ("grade a.ipynb b.ipynb", "a class is graded into a gradebook"),
        (f"{CLASS} --question q1", "are for one notebook"),
        (f"{CLASS} --workers 2 --cluster tcp://x:1", "give one of them"),
        (f"{CLASS} --assignment x", "there is no assignment x"),
        ("grade none.zip --gradebook g.db --key KEY", "there is no folder, zip or notebook none.zip"),
        ("gradebook show none.db", "there is no gradebook none.db"),
    ],
)
def test_what_is_refused(gdmcourse, room, tiny, line, said):
    key = str(tiny.root / "solutions" / "key" / "tiny.json")
    done = gdmcourse(*line.replace("KEY", key).split())
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: ")
    assert said in done.stderr
    assert "Traceback" not in done.output


def test_a_student_is_told_before_handing_in(gdmcourse, tiny, monkeypatch):
    from gdmcourse.classroom import validate
    from tests.classroom.conftest import InProcess

    monkeypatch.setattr(validate, "Runs", InProcess)
    monkeypatch.chdir(tiny.root / "exercises")
    done = gdmcourse("validate", "tiny.ipynb")
    assert done.exit_code == 3
    assert "✗ q1: not answered yet" in done.stdout


def test_a_report_of_the_class_as_json(gdmcourse, graded_file, tmp_path):
    assert gdmcourse("gradebook", "export", graded_file, "p.json", "--form", "json").exit_code == 0
    students = json.loads((tmp_path / "p.json").read_text())["students"]
    assert {student["student"]: student["total"] for student in students}["ada"] == 10
