"""Who handed a file in, by the names that learning platforms give to folders and files.

Only the first part of a path is read, and of that only what the platform wrote: the rest is a student's own,
who could write another's number there. In a folder's name that is what comes last, after a name that students
may choose; in a file's name what comes first.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

from gdmcourse.grading.clean import clean

MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)(?:_(?P<file>.*))?")
FOLDER = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?")
CANVAS = re.compile(r"(?P<name>[^_]+)(?:_LATE)?_(?P<id>\d+)_\d+_(?P<file>.+)")
AGAIN = re.compile(r"-\d+$")  # what Canvas adds to the name of a file that was handed in again


@dataclass(frozen=True, order=True)
class Student:
    """A student: what tells students apart, and what people call this one."""

    id: str
    name: str


def who(path: PurePosixPath) -> tuple[Student, str]:
    """The student of a file, by its path in what was handed in, and the file's own name without ending."""
    stem = path.stem
    first, in_folder = path.parts[0], len(path.parts) > 1
    if not in_folder and (found := CANVAS.fullmatch(first)):
        return Student(found["id"], _name(found["name"])), AGAIN.sub("", PurePosixPath(found["file"]).stem)
    if in_folder and (found := FOLDER.fullmatch(first)):
        return Student(found["id"], _name(found["name"])), stem
    if not in_folder and (found := MOODLE.fullmatch(first)):
        return Student(found["id"], _name(found["name"])), PurePosixPath(found["file"] or first).stem
    own = first if in_folder else stem
    return Student(_id(own), _name(own)), stem


def whose_folder(name: str) -> Student:
    """The student to whom a folder belongs, whatever is in it."""
    return who(PurePosixPath(name, "nothing"))[0]


def _name(text: str) -> str:
    return clean(unicodedata.normalize("NFC", text), 200)


def _id(text: str) -> str:
    """The name of a folder as an id: the same folder on two systems is one student, two folders are two."""
    name = _name(text)
    if name == unicodedata.normalize("NFC", text):
        return name
    return f"{name}~{hashlib.sha256(text.encode('utf-8', errors='surrogateescape')).hexdigest()[:8]}"
