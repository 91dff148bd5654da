"""Whether what was started stays within its limits; asked ten times a second, also while messages come."""

import os
import time
from pathlib import Path

import psutil

from gdmcourse.grading import folders, usage
from gdmcourse.grading.cgroup import Group
from gdmcourse.grading.launch import Launched
from gdmcourse.grading.limits import GIB, MIB, Limits

PAUSE = 0.1  # seconds from one look to the next, which costs about a millisecond
JUDGE = 512 * MIB  # what the judge's own process may hold
INODE = 1024  # bytes that an entry of a folder in memory takes


class Watcher:
    """The limits of one kernel; in a control group the system itself bounds its memory and its processes."""

    def __init__(self, launched: Launched, limits: Limits, group: Group | None, folder: Path | None) -> None:
        self._launched, self._limits, self._group, self._folder = launched, limits, group, folder
        self._next = 0.0

    def look(self, at_once: bool = False) -> str | None:
        """The limit that was passed, as a reason for the student, or None."""
        now = time.monotonic()
        if now < self._next and not at_once:
            return None
        self._next = now + PAUSE
        limits = self._limits
        broken = self._count() if self._group is None else self._group.broken()
        if broken == "memory":
            return f"it used more than {limits.memory / GIB:g} GiB of memory"
        if broken == "processes":
            return f"it started more than {limits.processes} processes and threads"
        if self._folder is not None and folders.written(self._folder) > limits.disk:
            return f"it wrote more than {limits.disk / MIB:g} MiB of files"
        if psutil.Process().memory_info().rss > JUDGE:
            return "it sent more than can be read"
        return None

    def _count(self) -> str | None:
        """Which bound the processes have passed, where no group tells."""
        family = self._launched.family()
        if usage.count(family) > self._limits.processes:
            return "processes"
        files = 0 if self._folder is not None else sum(map(_in_memory, self._launched.places))
        for exact in (False, True):
            if usage.memory(family, exact) + files <= self._limits.memory:
                return None
        return "memory"


def _in_memory(place: int) -> int:
    """Bytes of a file system that is held in memory."""
    about = os.fstatvfs(place)
    return (about.f_blocks - about.f_bfree) * about.f_frsize + (about.f_files - about.f_ffree) * INODE
