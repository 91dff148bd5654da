"""A control group of Linux: bounds on the memory, processes and processor time of all that a run starts.

Whatever holds the memory counts, also where no process shows it: files without a name, shared pages, messages
in flight. A group can be made by root, and by a user to whom the system has given a part of the tree.
"""

import contextlib
import functools
import os
import secrets
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from gdmcourse.grading.limits import Limits

OLD = {"memory": "memory.limit_in_bytes", "pids": "pids.max", "cpu": "cpu.cfs_quota_us"}
HELP = " (where systemd runs, start the grading by `systemd-run --user --scope`)"
PERIOD = 100_000  # microseconds in which the share of the processors is counted


@dataclass(frozen=True)
class Group:
    """The folders of one control group: one where the tree is unified, else one of each controller."""

    memory: Path
    pids: Path
    cpu: Path | None

    @property
    def folders(self) -> list[Path]:
        """Each folder once."""
        return list(dict.fromkeys(path for path in (self.memory, self.pids, self.cpu) if path is not None))

    def enter(self) -> None:
        """Move this process, and so its children, into the group (called between fork and exec)."""
        for folder in self.folders:
            _write(folder / "cgroup.procs", "0")

    def broken(self) -> str | None:
        """Which bound was met: "memory", "processes", or None."""
        if _count(self.memory, ("memory.events", "memory.oom_control"), "oom_kill"):
            return "memory"
        return "processes" if _count(self.pids, ("pids.events",), "max") else None

    def remove(self) -> None:
        """Kill all that is in the group and remove it; with no process allowed, none can slip away."""
        with contextlib.suppress(OSError):
            _write(self.pids / "pids.max", "0")
        for _ in range(200):
            members = {pid for folder in self.folders for pid in _members(folder)}
            for pid in members:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            for folder in self.folders:
                with contextlib.suppress(OSError):
                    folder.rmdir()
            if not any(folder.exists() for folder in self.folders):
                return
            time.sleep(0.01)


def make(limits: Limits) -> Group | None:
    """A new group with these limits, or None where none can be made."""
    name = f"gdmcourse-{secrets.token_hex(6)}"
    memory, pids, cpu = (_make(name, controller) for controller in ("memory", "pids", "cpu"))
    if memory is None or pids is None:
        for folder in {path for path in (memory, pids, cpu) if path is not None}:
            folder.rmdir()
        return None
    group = Group(memory, pids, cpu)
    try:
        _set(memory, {"memory.max": limits.memory, "memory.swap.max": 0, "memory.oom.group": 1})
        _set(memory, {"memory.limit_in_bytes": limits.memory, "memory.memsw.limit_in_bytes": limits.memory})
        _set(pids, {"pids.max": limits.processes})
        if cpu is not None:
            share = int(limits.cpus * PERIOD)
            _set(cpu, {"cpu.max": f"{share} {PERIOD}", "cpu.cfs_quota_us": share})
    except OSError:
        group.remove()
        return None
    return group


@functools.cache
def missing() -> str | None:
    """Why no control group can be used on this machine, or None where one can; it is tried."""
    group = make(Limits())
    if group is None:
        return f"this user can't make a control group here{HELP}"
    try:
        subprocess.run(["/bin/true"], preexec_fn=group.enter, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return f"this user can't move a process into a control group here{HELP}"
    finally:
        group.remove()
    return None


def _make(name: str, controller: str) -> Path | None:
    """Make the folder where the controller governs it: in our own group, else in one that contains it."""
    found = own_group(controller)
    if found is None:
        return None
    top, own, unified = found
    wanted = ("memory.max", "pids.max") if unified else (OLD[controller],)  # a unified tree has one for all
    for place in [own, *own.parents]:
        if not place.is_relative_to(top):
            break
        folder = place / name
        with contextlib.suppress(OSError):
            folder.mkdir(exist_ok=True)
            if all((folder / file).exists() for file in wanted):
                return folder
            folder.rmdir()
    return None


def own_group(controller: str, proc: Path = Path("/proc/self")) -> tuple[Path, Path, bool] | None:
    """Where the controller's tree is mounted, where we are in it, and whether the tree is unified."""
    try:
        mounts = [line.split() for line in (proc / "mounts").read_text().splitlines()]
        groups = [line.split(":", 2) for line in (proc / "cgroup").read_text().splitlines()]
    except OSError:
        return None
    old = [Path(m[1]) for m in mounts if m[2] == "cgroup" and controller in m[3].split(",")]
    new = [Path(m[1]) for m in mounts if m[2] == "cgroup2"]
    for tops, mine, unified in (
        (old, [path for _, names, path in groups if controller in names.split(",")], False),
        (new, [path for _, names, path in groups if not names], True),
    ):
        if tops and mine:
            own = tops[0] / mine[0].lstrip("/")
            return tops[0], own if own.is_dir() else tops[0], unified
    return None


def _set(folder: Path, values: dict[str, int | str]) -> None:
    for name, value in values.items():
        if (folder / name).exists():
            _write(folder / name, str(value))


def _count(folder: Path, files: tuple[str, ...], name: str) -> int:
    for file in files:
        with contextlib.suppress(OSError):
            lines = [line.split() for line in (folder / file).read_text().splitlines()]
            return sum(int(line[1]) for line in lines if line[0] == name)
    return 0


def _members(folder: Path) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(pid) for pid in (folder / "cgroup.procs").read_text().split() if pid != "0"]
    return []


def _write(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text)
