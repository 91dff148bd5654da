"""What a kernel and its children use, counted from outside where no group does it, and how they end."""

import contextlib
import ctypes
import os
import stat
from collections.abc import Callable, Iterable

import psutil

BLOCK = 512  # bytes; st_blocks counts in blocks
SOCKET, PIPE = 416 << 10, 64 << 10  # bytes that wait in one at most; an honest kernel has a few dozen
PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36  # of <sys/prctl.h>
SHARED = ("/dev/zero", "/memfd:", "/SYSV")  # mappings of memory that outlives what is seen of it


def adopt_orphans() -> None:
    """Make this process the parent of whatever its children leave behind, so that nothing can slip away."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def close_memory() -> None:
    """Let no other process of this user read the memory or the descriptors of this one."""
    _prctl(PR_SET_DUMPABLE, 0)


def started(pid: int | None = None) -> list[psutil.Process]:
    """All that a process, by default this one, has started and that still runs."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def orphans(since: float) -> list[psutil.Process]:
    """What a dead judge has left to this process since then, by its session: each kernel begins one."""
    left: list[psutil.Process] = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error, OSError):
            if child.create_time() >= since - 1 and os.getsid(child.pid) != os.getsid(0):
                left += [child, *started(child.pid)]
    return left


def end(processes: Callable[[], list[psutil.Process]]) -> None:
    """Kill the processes, and those that they started in the meantime."""
    for _ in range(10):
        found = processes()
        if not found:
            return
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(found, timeout=1)


def count(processes: Iterable[psutil.Process]) -> int:
    """How many processes and threads there are."""
    number = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            number += process.num_threads()
    return number


def memory(processes: Iterable[psutil.Process], exact: bool = False) -> int:
    """Bytes of memory in use, with what no other count shows: nameless files, shared mappings, full sockets.

    What several processes share counts for each of them, or once if it is to be exact, which takes longer.
    """
    size, hidden = 0, dict[tuple[str, str], int]()
    for process in processes:
        with contextlib.suppress(psutil.Error):
            held = process.memory_info().rss
            with contextlib.suppress(psutil.AccessDenied):
                held = getattr(process.memory_full_info(), "pss", held) if exact else held
            size += held
        with contextlib.suppress(OSError):
            hidden |= dict(filter(None, map(_held, os.scandir(f"/proc/{process.pid}/fd"))))
        with contextlib.suppress(OSError):
            hidden |= _mapped(process.pid)
    return size + sum(hidden.values())


def _prctl(what: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError, TypeError):  # Linux only
        ctypes.CDLL(None).prctl(what, value, 0, 0, 0)


def _held(entry: os.DirEntry[str]) -> tuple[tuple[str, str], int] | None:
    """What is open and may hold memory, by device and number: a socket, a pipe, a file without a name."""
    try:
        about = entry.stat()
    except OSError:
        return None
    size = SOCKET if stat.S_ISSOCK(about.st_mode) else PIPE if stat.S_ISFIFO(about.st_mode) else 0
    if about.st_nlink == 0:
        size = BLOCK * about.st_blocks
    device = f"{os.major(about.st_dev):02x}:{os.minor(about.st_dev):02x}"
    return ((device, str(about.st_ino)), size) if size else None


def _mapped(pid: int) -> dict[tuple[str, str], int]:
    """Shared mappings of memory without a file, by device and number, with the bytes that they may hold."""
    found: dict[tuple[str, str], int] = {}
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            span, access, _, device, number, *name = line.split(maxsplit=5)
            if access.endswith("s") and name and name[0].startswith(SHARED):
                start, stop = (int(end, 16) for end in span.split("-"))
                found[device, number] = found.get((device, number), 0) + stop - start
    return found
