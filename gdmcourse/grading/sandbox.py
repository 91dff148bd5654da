"""Where a student's code runs: a box made by bubblewrap, or a process with limits where it isn't there.

In the box: the Python environment, the system's libraries, this package and the data sets, read-only; an
empty home, /tmp and folder of sockets, in memory of limited size; no network, no system call that a course
doesn't need; nothing else of the machine, and nothing that another box has. Limits hold in both cases.
"""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gdmcourse.grading import cgroup, seccomp
from gdmcourse.grading.limits import GIB, MIB, Limits

__all__ = ["GIB", "MIB", "PACKAGE", "Limits", "describe", "kind", "missing"]

PACKAGE = Path(__file__).resolve().parents[1]
HOME, WRITABLE = "/home/student", ("/dev/shm", "/tmp", "/home/student")
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
DATA = ("MNIST", "cifar-10-batches-py", "cifar10-images.tar.xz")  # of the data root no other file is shown
# Packages may lie where the box shows nothing, such as a home; then each kernel would die.
LOOK = "import importlib.util as u; print(*(n for n in ('ipykernel', 'torch') if not u.find_spec(n)))"
PROJECT = "pyproject.toml"  # it lies beside the package where that isn't installed but worked on


@functools.cache
def missing() -> str | None:
    """Why there is no sandbox on this machine, or None where there is one."""
    if shutil.which("bwrap") is None:
        return "bubblewrap isn't installed (apt-get install bubblewrap)"
    if not seccomp.known():
        return "the box knows no system calls of this kind of processor"
    try:
        argv, descriptors = command([sys.executable, "-c", LOOK], [], Limits(), {})
        trial = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=60,
            env=environment(HOME),
            pass_fds=descriptors,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap doesn't start ({error})"
    close(descriptors)
    if (lacks := trial.stdout.strip()) and trial.returncode == 0:
        return f"the box doesn't show {lacks} of this Python; install the course in a virtual environment"
    return None if trial.returncode == 0 else f"bubblewrap is refused here ({trial.stderr.strip()[:200]})"


def kind() -> str:
    """What holds a student's code here: "bubblewrap" or "unsandboxed"."""
    return "bubblewrap" if missing() is None else "unsandboxed"


def describe() -> str:
    """The same with the reason, and with what bounds the memory, for a report."""
    words = [kind() if missing() is None else f"unsandboxed: {missing()}"]
    if (reason := cgroup.missing()) is not None:
        words.append(f"memory is counted ten times a second and not bounded: {reason}")
    return "; ".join(words)


def command(
    argv: Sequence[str], hidden: Iterable[Path], limits: Limits, files: Mapping[str, bytes]
) -> tuple[list[str], list[int]]:
    """The command line that runs ``argv`` in the box, and the descriptors that it needs.

    ``hidden`` folders are covered even where a visible one contains them; ``files`` are written into the box,
    each in a folder of its own that only the box has.
    """
    descriptors = [_readable(seccomp.program())]
    box = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    box += ["--seccomp", str(descriptors[0])]
    # A real root owns the settings below /proc/sys even without capabilities, so /proc is read-only too; and
    # what keys there are is told to all processes of one user.
    box += ["--proc", "/proc", "--ro-bind", "/dev/null", "/proc/keys", "--remount-ro", "/proc"]
    box += ["--dev", "/dev", "--remount-ro", "/dev"]
    for path in WRITABLE:
        box += ["--size", str(limits.disk), "--tmpfs", path]
    box += (places := _places(hidden))
    user = f"student:x:{_number('uid')}:{_number('gid')}::{HOME}:/bin/sh\n"
    for name, content in {"/etc/passwd": user.encode(), **files}.items():
        descriptors.append(_readable(content))
        if name in files:
            box += ["--perms", "0700", "--size", str(MIB), "--tmpfs", str(Path(name).parent)]
        box += ["--file", str(descriptors[-1]), name]
    for place in [*_covers(places), "/"]:
        box += ["--remount-ro", place]
    return [*box, "--chdir", HOME, "--", *argv], descriptors


def close(descriptors: Iterable[int]) -> None:
    """Close what a command needed, once it has started."""
    for descriptor in descriptors:
        os.close(descriptor)


def environment(home: str) -> dict[str, str]:
    """The environment of the kernel: nothing of the teacher's gets in."""
    names = ("GDMCOURSE_DATA", "LD_LIBRARY_PATH", "SYSTEMROOT")  # Windows starts no program without the last
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "HOME": home,
        "USER": "student",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(PACKAGE.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "OMP_NUM_THREADS": "1",
        "GDMCOURSE_GRADING": "1",
        **kept,
    }


def _places(hidden: Iterable[Path]) -> list[str]:
    """What is mounted and what is covered, a folder before those in it, so that the nearest one decides."""
    shown = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix), PACKAGE, *map(Path, SYSTEM)}
    covered = {path.resolve() for path in hidden}
    if (PACKAGE.parent / PROJECT).exists():
        covered.add(PACKAGE.parent)
    if data := os.environ.get("GDMCOURSE_DATA"):
        root = Path(data).resolve()
        covered.add(root)
        shown |= {root / name for name in DATA}
    box = []
    for path in sorted(shown | covered):
        if path in shown and path.is_symlink() and path.parent == Path("/"):
            box += ["--symlink", os.readlink(path), str(path)]
        elif path in shown and path.exists():
            box += ["--ro-bind", str(path), str(path)]
        elif (
            path in covered
            and path.is_dir()
            and any(path.is_relative_to(place) for place in shown if place.exists())
        ):
            box += ["--tmpfs", str(path)]
    return box


def _covers(places: Sequence[str]) -> list[str]:
    return [places[n + 1] for n, word in enumerate(places) if word == "--tmpfs"]


def _number(name: str) -> int:
    return getattr(os, f"get{name}", int)()


def _readable(content: bytes) -> int:
    """A descriptor from which the content can be read once."""
    descriptor = os.memfd_create("box")
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
