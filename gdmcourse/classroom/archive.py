"""What a zip holds, read member by member into memory: nothing is written, so no name can lead astray."""

import contextlib
import datetime
import lzma
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from gdmcourse.grading.clean import clean
from gdmcourse.grading.read import LARGEST, TOO_LARGE

MOST = 200_000  # members of a zip
RATIO, SMALL = 200, 1_000_000  # a notebook shrinks to a tenth; bytes below which nothing is a bomb
OLDEST = (1980, 1, 1, 0, 0, 0)  # what a zip says where it knows no time
DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError),
    *(NotImplementedError, EOFError, ValueError, MemoryError),
)


@dataclass(frozen=True)
class Member:
    """A file in a zip: its place there, its name, when it was last changed, and why it isn't taken."""

    number: int
    name: str
    at: float | None
    problem: str | None


def members(path: Path) -> list[Member]:
    """The files in a zip; raises ValueError where it can't be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = archive.infolist()
            if len(found) > MOST:
                raise ValueError(
                    f"{clean(path)} holds more than {MOST:,} files; unpack it and name the folder"
                )
            return [
                Member(number, _name(info), _time(info), _problem(info)) for number, info in enumerate(found)
            ]
    except (zipfile.BadZipFile, OSError, NotImplementedError, EOFError, UnicodeError) as error:
        raise ValueError(f"{clean(path)} is not a zip that can be read ({clean(error, 120)})") from None


def read_member(path: Path, number: int) -> bytes:
    """The content of one member, of bounded size; raises OSError with the reason."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(archive.infolist()[number]) as file:
            data = file.read(LARGEST + 1)
    except DAMAGED as error:
        raise OSError(f"the zip is damaged here ({clean(error, 120)})") from None
    if len(data) > LARGEST:
        raise OSError(TOO_LARGE)
    return data


def _name(info: zipfile.ZipInfo) -> str:
    """The member's name; one that doesn't say its encoding is UTF-8 where it can be."""
    name = info.filename
    if not info.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _time(info: zipfile.ZipInfo) -> float | None:
    if info.date_time <= OLDEST:
        return None
    try:
        return datetime.datetime(*info.date_time).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _problem(info: zipfile.ZipInfo) -> str | None:
    """Why a member isn't taken; its name is looked at by whoever asks."""
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "it is a link, and only files are read"
    if info.flag_bits & 0x1:
        return "it is encrypted"
    if info.file_size > LARGEST:
        return TOO_LARGE
    if info.file_size > SMALL and info.file_size > RATIO * max(1, info.compress_size):
        return "it unpacks to more than two hundred times its size, as no notebook does"
    return None
