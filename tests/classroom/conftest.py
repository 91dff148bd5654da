"""A small course whose answers run in this process, and a class that hands them in: all but the box."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gdmcourse.classroom import work
from gdmcourse.classroom.cluster import Job
from gdmcourse.classroom.grade_class import Taken, grade_class
from gdmcourse.classroom.gradebook import Gradebook
from gdmcourse.grading import make_key
from gdmcourse.grading.key import Key, read_key
from gdmcourse.grading.notebook import Notebook
from gdmcourse.grading.release import release
from gdmcourse.grading.run import Outcome
from gdmcourse.grading.source import read_source
from tests.grading.inprocess import execute

SOURCES = Path(__file__).parents[1] / "grading" / "course" / "solutions"


@dataclass(frozen=True)
class Course:
    """A released chapter: its folder, its full key, the reference answers, and how one hands in."""

    root: Path
    chapter: str
    key: Key
    answers: dict[str, str]

    def hand_in(self, path: Path, **answers: str) -> Path:
        """Write a submission: the reference answers, others by question id."""
        notebook = json.loads((self.root / "exercises" / f"{self.chapter}.ipynb").read_text())
        for cell in notebook["cells"]:
            about = cell["metadata"]
            if "answer" in about.get("tags", []):
                own = "written" if cell["cell_type"] == "markdown" else about["question"]
                cell["source"] = answers.get(own, self.answers.get(own, cell["source"]))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook))
        return path


@dataclass
class Here:
    """A stand-in for a cluster: it grades one after the other in this process, and counts."""

    work: Callable[[bytes, str, str], str] = work.grade
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __enter__(self) -> "Here":
        return self

    def __exit__(self, *what: object) -> None:
        pass

    def run(self, told: str, jobs: Iterator[Job]) -> Iterator[list[tuple[Job, dict[str, Any]]]]:
        for job in jobs:
            own = job.errand()
            self.asked.append({**json.loads(told), **json.loads(own), "digest": job.digest})
            try:
                content = job.load()
            except OSError as error:
                yield [(job, {"failed": str(error)})]
            else:
                yield [(job, json.loads(self.work(content, told, own)))]

    @property
    def ran(self) -> list[list[str]]:
        """The questions that ran, of each submission for which anything did."""
        return [told["run"] for told in self.asked if told["run"]]


class InProcess:
    """The box of one submission, without its walls."""

    def __init__(self, *_: object) -> None:
        pass

    def run(self, notebook: Notebook) -> Outcome:
        return execute(notebook)


def released(root: Path, chapter: str) -> Course:
    patch = pytest.MonkeyPatch()
    patch.setattr(make_key, "run", lambda notebook, limits: execute(notebook))
    (root / "solutions").mkdir(parents=True)
    patch.chdir(root)  # helper files of a chapter are put where its code runs
    patch.syspath_prepend(root)
    for path in SOURCES.iterdir():
        if path.is_file():
            shutil.copy(path, root / "solutions")
    try:
        source = root / "solutions" / f"{chapter}.md"
        release(source, root / "exercises")
    finally:
        patch.undo()
    answers = {q.id: q.answer for q in read_source(source).questions if q.answer}
    return Course(root, chapter, read_key(root / "solutions" / "key" / f"{chapter}.json"), answers)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return released(tmp_path_factory.mktemp("course"), "tiny")


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Answers run here, as if there were a sandbox."""
    monkeypatch.setattr(work, "Runs", InProcess)
    monkeypatch.setattr(work, "allow", lambda unsandboxed: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook(tmp_path / "grades.db", writes=True, create=True) as opened:
        yield opened


@pytest.fixture
def graded(book: Gradebook, tiny: Course, in_process: None) -> Callable[..., tuple[Taken, Here]]:
    """Grade folders with the small chapter's key, or another one."""

    def run(
        *paths: Path, key: Key | None = None, pool: Here | None = None, **options: Any
    ) -> tuple[Taken, Here]:
        pool = pool or Here()
        return grade_class(book, key or tiny.key, paths, lambda: pool, **options), pool

    return run


WRONG = {
    "square": "def signal(alpha_bar):\n    return alpha_bar",
    "half": "def signal(alpha_bar):\n    return 0.5",
    "raises": "def noise(a):\n    raise ValueError('no idea', a)",
}


@pytest.fixture
def room(tiny: Course, tmp_path: Path) -> Path:
    """A class of five: a right file, the same once more, a known mistake, an unknown one, an empty folder."""
    folder = tmp_path / "class"
    tiny.hand_in(folder / "ada" / "tiny.ipynb")
    tiny.hand_in(folder / "bob" / "tiny.ipynb")
    tiny.hand_in(folder / "carl" / "tiny.ipynb", q1=WRONG["square"])
    tiny.hand_in(folder / "dora" / "tiny.ipynb", q1=WRONG["half"], q2=WRONG["raises"])
    (folder / "eve").mkdir()
    return folder
