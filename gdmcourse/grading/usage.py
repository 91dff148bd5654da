"""What a kernel and its children use: processes, memory and files, counted from outside."""

import contextlib
import ctypes
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

PAGE, BLOCK = 4096, 512  # bytes; st_blocks counts in blocks
PR_SET_CHILD_SUBREAPER = 36  # of <sys/prctl.h>


def adopt_orphans() -> None:
    """Make this process the parent of whatever its children leave behind, so that nothing can slip away."""
    with contextlib.suppress(OSError, AttributeError):  # Linux only
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def started(pid: int | None = None) -> list[psutil.Process]:
    """All that a process, by default this one, has started and that still runs."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


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


def memory(processes: Iterable[psutil.Process]) -> int:
    """Bytes of memory in use, files without a name included: these are memory that no other count shows."""
    size = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            size += process.memory_info().rss
        with contextlib.suppress(OSError):
            size += sum(_nameless(entry) for entry in os.scandir(f"/proc/{process.pid}/fd"))
    return size


def written(folder: Path) -> int:
    """Bytes of all that lies in a folder; each entry counts for a page, so that many are noticed too."""
    size = 0
    for place, folders, files in os.walk(folder):
        size += PAGE * len(folders)
        for name in files:
            with contextlib.suppress(OSError):
                size += max(PAGE, BLOCK * os.lstat(f"{place}/{name}").st_blocks)
    return size


def remove(folder: Path) -> None:
    """Remove a folder of ours, also where the code that ran has locked what is in it; follows no link."""
    for place, folders, _ in os.walk(folder):
        for name in folders:
            if not os.path.islink(f"{place}/{name}"):
                with contextlib.suppress(OSError):
                    os.chmod(f"{place}/{name}", 0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _nameless(entry: os.DirEntry[str]) -> int:
    try:
        about = entry.stat()
    except OSError:
        return 0
    return BLOCK * about.st_blocks if about.st_nlink == 0 else 0
