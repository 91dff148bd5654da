"""Downloads through torchvision, with errors that a reader can act on."""

import hashlib
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import TypeVar

from gdmcourse.data.errors import CorruptFileError, MissingDataError
from gdmcourse.data.roots import VARIABLE

SILENCE = 30.0  # seconds without a byte after which a download is given up

Read = TypeVar("Read")


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """torchvision's downloads know no timeout: behind a silent firewall they would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def download(name: str, root: Path, wanted: str, fetch: Callable[[], Read]) -> Read:
    """Run `fetch`, which downloads data set `name` into `root`; `wanted` says which files it would bring.

    Raises MissingDataError where there is no network or `root` can't be written.
    """
    try:
        with _socket_timeout(SILENCE):
            return fetch()
    except (OSError, RuntimeError, HTTPException) as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise MissingDataError(
            f"{name} could not be downloaded into {root} ({reason}). Either run `gdmcourse data {name}` once "
            f"where there is a network, or set {VARIABLE} to a folder that holds {wanted}."
        ) from error


def not_here(name: str, root: Path, wanted: str) -> MissingDataError:
    """The error for a data set that is absent and was not to be downloaded."""
    return MissingDataError(
        f"{name} is not in {root}. Either run `gdmcourse data {name}` to download it, or set {VARIABLE} "
        f"to a folder that holds {wanted}."
    )


def verify(path: Path, algorithm: str, expected: str) -> None:
    """Raise CorruptFileError, naming the file, when its digest is not the one of the published file."""
    with path.open("rb") as file:
        if hashlib.file_digest(file, algorithm).hexdigest() != expected:
            raise corrupt(path)


def corrupt(path: Path, reason: str = "its contents are not those of the published file") -> CorruptFileError:
    """The error for a damaged file that can be fetched again."""
    return CorruptFileError(
        f"{path} is damaged: {reason}. Delete this one file and load the data set again; the others are kept."
    )
