"""What was handed in: folders of students' folders, zips of learning platforms, single notebooks."""

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from gdmcourse.classroom.archive import members, read_member
from gdmcourse.classroom.who import Student, who, whose_folder
from gdmcourse.grading.clean import clean
from gdmcourse.grading.read import LARGEST, TOO_LARGE

MOST = 10  # notebooks of one student that are all graded
DEEPEST = 20  # folders in each other that are looked into; a student's could be thousands
LEFT_OUT = {".ipynb_checkpoints", "__MACOSX"}
DRIVE = re.compile("[A-Za-z]:")  # of Windows
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True)
class Submission:
    """A file of a student: what it is called, when it was last changed, and how its content is read.

    ``problem`` is the reason why there is nothing to read.
    """

    student: Student
    file: str
    stem: str
    at: float | None
    load: Callable[[], bytes]
    problem: str | None = None


def collect(paths: Sequence[Path], chapter: str) -> list[Submission]:
    """All submissions to a chapter; of a student's notebooks those named like it, where any is.

    Raises ValueError where a path is neither a folder nor a zip nor a notebook, or nothing was handed in.
    """
    found: list[Submission] = []
    for path in paths:
        if not path.exists():
            raise ValueError(f"there is no folder, zip or notebook {clean(path)}")
        if path.is_dir():
            found += _chosen(list(_in_folder(path)), chapter)
        elif path.suffix.lower() == ".zip":
            found += _chosen(list(_in_zip(path)), chapter)
        else:
            found.append(_file(path, PurePosixPath(path.name)))
    if not found:
        raise ValueError(
            f"nothing was handed in: no notebook is in {', '.join(clean(path) for path in paths)}"
        )
    return found


def _in_folder(folder: Path) -> Iterator[Submission]:
    """The notebooks of a folder, and the folders in it that have none."""
    for top, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _left_out(name))
        place = Path(top).relative_to(folder)
        if len(place.parts) == DEEPEST:
            folders.clear()
        for name in sorted(files):
            if name.lower().endswith(".ipynb") and not _left_out(name):
                yield _file(Path(top, name), PurePosixPath(place.as_posix(), name))
        if top == str(folder):
            for name in folders:
                yield _empty(name)


def _file(path: Path, name: PurePosixPath) -> Submission:
    student, stem = who(name)
    told = clean(name, 300)
    load = partial(_load, path)
    try:
        about = path.lstat()
    except OSError as error:
        return Submission(student, told, stem, None, load, f"it can't be read ({clean(error.strerror)})")
    problem = None if stat.S_ISREG(about.st_mode) else "it is a link or no file, and only files are read"
    return Submission(student, told, stem, about.st_mtime, load, problem)


def _load(path: Path) -> bytes:
    """The content of a file that is no link, of bounded size; raises OSError with the reason."""
    with open(os.open(path, os.O_RDONLY | NO_LINK | getattr(os, "O_BINARY", 0)), "rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise OSError(TOO_LARGE)
    return data


def _in_zip(path: Path) -> Iterator[Submission]:
    """The notebooks of a zip, and its folders that have none."""
    found = [(member, PurePosixPath(member.name)) for member in members(path)]
    found = [(member, name) for member, name in found if name.parts and not any(map(_left_out, name.parts))]
    outer = _is_outer([name for _, name in found if name.suffix.lower() == ".ipynb"])
    for member, name in found:
        inner = PurePosixPath(*name.parts[1:]) if outer else name
        if not inner.parts:
            continue
        if name.is_absolute() or ".." in name.parts or DRIVE.fullmatch(name.parts[0]):
            problem: str | None = "its path leads out of the zip"
            inner = PurePosixPath(*[part for part in inner.parts if part not in ("..", "/")])
        else:
            problem = member.problem
        if len(inner.parts) > 1 or member.name.endswith("/"):
            yield _empty(inner.parts[0])
        if inner.suffix.lower() == ".ipynb" and not member.name.endswith("/"):
            student, stem = who(inner)
            load = partial(read_member, path, member.number)
            yield Submission(student, clean(inner, 300), stem, member.at, load, problem)


def _is_outer(notebooks: list[PurePosixPath]) -> bool:
    """Whether the first folder of a zip is the class's and not a student's: it holds two folders at least."""
    first, second = ({name.parts[:depth] for name in notebooks} for depth in (1, 2))
    return all(len(name.parts) > 2 for name in notebooks) and len(first) == 1 < len(second)


def _empty(folder: str) -> Submission:
    """What stands for a student until a notebook is found."""
    return Submission(whose_folder(folder), clean(folder, 300), "", None, bytes, "there is no notebook in it")


def _left_out(name: str) -> bool:
    return name in LEFT_OUT or name.startswith("._") or name.startswith(".~")


def _chosen(found: list[Submission], chapter: str) -> list[Submission]:
    """Of each student the notebooks named like the chapter, else all, else the word that none is there."""
    chosen: list[Submission] = []
    by_student: dict[str, list[Submission]] = {}
    for submission in found:
        by_student.setdefault(submission.student.id, []).append(submission)
    for own in by_student.values():
        notebooks = [submission for submission in own if submission.stem]
        named = [submission for submission in notebooks if submission.stem == chapter]
        near = [submission for submission in notebooks if chapter in submission.stem]
        taken = named or near or notebooks or own[:1]
        if len(taken) > MOST:
            taken = [replace(taken[0], problem=f"there are more than {MOST} notebooks; hand in one")]
        chosen += taken
    return chosen
