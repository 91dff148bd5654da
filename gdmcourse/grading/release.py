"""From ``solutions/<chapter>.md`` to the student's notebook: no answers, no hidden probes, no wrong ones."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gdmcourse.grading.equations import numbers
from gdmcourse.grading.exercise import TO_WRITE, Exercise, Question
from gdmcourse.grading.notebook import Cell, Notebook, code, markdown, notebook, write_json
from gdmcourse.grading.source import read_source

if TYPE_CHECKING:
    from gdmcourse.grading.make_key import Place

HINTS = ("A nudge", "The formula", "A skeleton")
PRELUDE = "from gdmcourse.grading import check, probe"


def student_notebook(exercise: Exercise) -> Notebook:
    """The notebook that a student gets; its cell ids depend on the source only."""
    return notebook(list(_cells(exercise)), gdmcourse={"chapter": exercise.chapter})


def release(source: str | Path, exercises: str | Path) -> list[Path]:
    """Write the student's notebook and both keys of one source; returns the paths that were written.

    The student's key (``exercises/key/``) knows the visible probes only; the teacher's (``key/`` beside the
    source) also holds the hidden ones. Raises SourceError where the source breaks the form or a gate: an
    answer that emits nothing, a wrong answer that emits nothing wrong or can't be told from another one.
    """
    from gdmcourse.grading.key import visible_part, write_key
    from gdmcourse.grading.make_key import make_key

    source, exercises = Path(source), Path(exercises)
    exercise = read_source(source)
    key = make_key(exercise, place_of(source))
    student, visible, full = paths = [
        exercises / f"{exercise.chapter}.ipynb",
        exercises / "key" / f"{exercise.chapter}.json",
        source.parent / "key" / f"{exercise.chapter}.json",
    ]
    write_json(student, student_notebook(exercise))
    write_key(visible, visible_part(key))
    write_key(full, key)
    for name in exercise.files:
        shutil.copyfile(source.parent / name, exercises / name)
    return [*paths, *(exercises / name for name in exercise.files)]


def place_of(source: Path) -> "Place":
    """What a key takes from around its source: the page, the numbers of the equations, the files."""
    from gdmcourse.grading.make_key import Place

    return Place(page_of(source), numbers(source.resolve().parent.parent), source.parent)


def page_of(source: Path) -> str:
    """The page in ``book/`` that a source belongs to, without its ending; empty where there is none."""
    root = source.resolve().parent.parent
    pages = sorted((root / "book").rglob(source.name))
    return pages[0].relative_to(root).with_suffix("").as_posix() if pages else ""


def _cells(exercise: Exercise) -> Iterator[Cell]:
    yield markdown(exercise.introduction, "introduction")
    for number, source in enumerate((PRELUDE, *exercise.setup)):
        yield code(source, f"setup-{number}", tags=["setup"])
    for question in exercise.questions:
        yield from _question(question)


def _question(question: Question) -> Iterator[Cell]:
    name = question.id
    yield markdown(question.statement, f"{name}-statement", question=name)
    yield markdown(folded_hints(question), f"{name}-hints", tags=["hint"], question=name)
    if question.rubric:
        yield markdown(TO_WRITE, f"{name}-written", tags=["answer"], question=name)
    if question.answer:
        yield code(question.stub, f"{name}-answer", tags=["answer"], question=name)
    for probe in question.probes:
        if not probe.hidden:
            yield code(probe.source, probe.id, tags=["probe"], question=name, points=probe.points)
    if question.probes:
        yield code(f'check("{name}")', f"{name}-check", tags=["check"], question=name)


def folded_hints(question: Question) -> str:
    """The graduated hints as markdown, each behind a summary that a reader opens."""
    return "\n\n".join(
        f"<details>\n<summary>Hint {number}: {title.lower()}</summary>\n\n{hint}\n\n</details>"
        for number, (title, hint) in enumerate(zip(HINTS, question.hints, strict=True), 1)
    )
