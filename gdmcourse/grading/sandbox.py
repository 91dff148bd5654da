"""Where a student's code runs: a box made by bubblewrap, or plain resource limits where it isn't there.

In the box: the Python environment, the system's libraries and this package, read-only; an empty home and /tmp
of limited size; no network; nothing else of the file system. Limits hold in both cases.
"""

import functools
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
HOME = "/home/student"
SYSTEM = (
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/bin",
    "/sbin",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/fonts",
)
GIB, MIB = 1 << 30, 1 << 20


@dataclass(frozen=True)
class Limits:
    """What a student's code may use; times in seconds of wall clock, sizes in bytes."""

    cell: float = 20.0
    setup: float = 120.0
    notebook: float = 180.0
    memory: int = 4 * GIB
    disk: int = 256 * MIB
    file: int = 32 * MIB
    processes: int = 64
    grace: float = 3.0

    def apply(self) -> None:
        """Set the limits of this process and its children (called between fork and exec)."""
        seconds = int(4 * (self.setup + self.notebook))
        for what, limit in (
            (resource.RLIMIT_CPU, seconds),
            (resource.RLIMIT_DATA, self.memory),
            (resource.RLIMIT_FSIZE, self.file),
            (resource.RLIMIT_NPROC, 4096),  # counts the whole user; the judge watches the box's own processes
            (resource.RLIMIT_NOFILE, 512),
            (resource.RLIMIT_CORE, 0),
        ):
            hard = resource.getrlimit(what)[1]
            limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(what, (limit, limit))


@functools.cache
def missing() -> str | None:
    """Why there is no sandbox on this machine, or None where there is one."""
    if shutil.which("bwrap") is None:
        return "bubblewrap isn't installed (apt-get install bubblewrap)"
    try:
        trial = subprocess.run([*_box(Limits()), "true"], capture_output=True, text=True, timeout=20, env={})
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap doesn't start ({error})"
    return None if trial.returncode == 0 else f"bubblewrap is refused here ({trial.stderr.strip()[:200]})"


def command(argv: Sequence[str], folder: Path, hidden: Sequence[Path], limits: Limits) -> list[str]:
    """The command line that runs ``argv`` in the box.

    ``folder`` is the one place that both sides write to (sockets); ``hidden`` folders are covered even where
    a visible one contains them.
    """
    visible = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix), PACKAGE}
    if data := os.environ.get("GDMCOURSE_DATA"):
        visible.add(Path(data).resolve())
    box = _box(limits)
    for path in sorted(visible):  # a parent comes before what it contains
        if path.exists() and not path.is_relative_to("/usr"):
            box += ["--ro-bind", str(path), str(path)]
    for path in hidden:
        if any(path.is_relative_to(shown) for shown in visible):
            box += ["--tmpfs", str(path)]
    box += ["--bind", str(folder), str(folder), "--remount-ro", "/", "--chdir", HOME, "--"]
    return [*box, *argv]


def environment(home: str) -> dict[str, str]:
    """The environment of the kernel: nothing of the teacher's gets in."""
    kept = {name: os.environ[name] for name in ("GDMCOURSE_DATA", "LD_LIBRARY_PATH") if name in os.environ}
    return {
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "HOME": home,
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(PACKAGE.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "OMP_NUM_THREADS": "1",
        "GDMCOURSE_GRADING": "1",
        **kept,
    }


def _box(limits: Limits) -> list[str]:
    box = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    for path in SYSTEM:
        if Path(path).is_symlink() and path.count("/") == 1:
            box += ["--symlink", os.readlink(path), path]
        elif Path(path).exists():
            box += ["--ro-bind", path, path]
    # A real root owns the settings below /proc/sys even without capabilities, so /proc is read-only too.
    box += ["--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    for path in ("/dev/shm", "/tmp", HOME):
        box += ["--size", str(limits.disk), "--tmpfs", path]
    return box
