"""A course of one small chapter without torch, released for the tests, and submissions to it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from gdmcourse.grading.grade import grade
from gdmcourse.grading.key import read_key
from gdmcourse.grading.limits import Limits
from gdmcourse.grading.match import Matched, match
from gdmcourse.grading.read import read
from gdmcourse.grading.release import release
from gdmcourse.grading.result import Grade
from gdmcourse.grading.source import read_source

SOURCE = Path(__file__).parent / "course" / "solutions" / "tiny.md"
LIMITS = Limits(cell=12.0, notebook=80.0)


@dataclass(frozen=True)
class Course:
    """The folders of a released course, and the reference answers by question."""

    solutions: Path
    exercises: Path
    answers: dict[str, str]

    def notebook(self) -> dict[str, Any]:
        return json.loads((self.exercises / "tiny.ipynb").read_text())


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("course")
    (root / "solutions").mkdir()
    shutil.copy(SOURCE, root / "solutions")
    release(root / "solutions" / "tiny.md", root / "exercises")
    answers = {q.id: q.answer for q in read_source(SOURCE).questions}
    return Course(root / "solutions", root / "exercises", answers)


@pytest.fixture
def submit(course: Course, tmp_path: Path) -> Callable[..., Path]:
    """Write a submission: the reference answers, others by question id, and an edit of the notebook."""

    def write(edit: Callable[[dict[str, Any]], None] | None = None, **answers: str) -> Path:
        notebook = course.notebook()
        for cell in notebook["cells"]:
            if "answer" in cell["metadata"].get("tags", []):
                question = cell["metadata"]["question"]
                cell["source"] = answers.get(question, course.answers[question])
        if edit is not None:
            edit(notebook)
        path = tmp_path / "tiny.ipynb"
        path.write_text(json.dumps(notebook))
        return path

    return write


@pytest.fixture
def judge(course: Course) -> Callable[..., Grade]:
    """Grade as a teacher does, with limits short enough for tests, in a box where there is one."""

    def run(path: Path, **options: Any) -> Grade:
        return grade(path, **{"keys": course.solutions, "limits": LIMITS, "unsandboxed": True, **options})

    return run


@pytest.fixture
def matched(course: Course) -> Callable[..., Matched]:
    """Match a submission to the questions of the key, or of one with other fields."""
    key = read_key(course.solutions / "key" / "tiny.json")
    return lambda path, **changes: match(read(path), replace(key, **changes))


def earned(result: Grade) -> dict[str, float]:
    return {question.id: question.earned for question in result.questions}


FULL = {"q1": 3.0, "q2": 4.0, "q3": 3.0}
