"""Start the student's kernel, in the box or outside it, and find the sockets by which it is spoken to."""

import contextlib
import ctypes
import functools
import json
import os
import platform
import random
import secrets
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from gdmcourse.grading import sandbox, seccomp, usage
from gdmcourse.grading.cgroup import Group
from gdmcourse.grading.limits import ANY_USER, Limits

PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
JOIN_SESSION_KEYRING = 1  # of <linux/keyctl.h>
NEW_USERS = range(61184, 65520)  # numbers that no account has: systemd gives them to services while they run
HAS_PATHS = hasattr(os, "O_PATH")  # descriptors of what can't be read, as on Linux
PATH_ONLY = os.O_PATH | os.O_NOFOLLOW if HAS_PATHS else 0
KERNEL = [
    *(sys.executable, "-m", "ipykernel_launcher"),
    "--IPKernelApp.outstream_class=gdmcourse.grading.probe.swallow",
    "--HistoryManager.enabled=False",
]


class Launched:
    """A kernel's process. Its sockets lie in the box's own memory, or in ``folder`` where there is no box."""

    def __init__(self, folder: Path | None, hidden: list[Path], limits: Limits, group: Group | None) -> None:
        """Start the process, without waiting for it."""
        self.key = secrets.token_hex(16)
        self.places: list[int] = []  # what the box can write to; the folder of the sockets comes first
        self._sockets: list[int] = []
        self._folder = Path("/run", secrets.token_hex(8)) if folder is None else folder
        self._boxed = folder is None
        self._before = set(usage.started())
        self._connection = _connection(self._folder, self.key)
        file, content = self._folder / "connection.json", json.dumps(self._connection).encode()
        argv, descriptors, home, user = [*KERNEL, "-f", str(file)], list[int](), sandbox.HOME, None
        if folder is None:
            argv, descriptors = sandbox.command(argv, hidden, limits, {str(file): content})
        else:
            home, user = str(folder / "home"), new_user()
            Path(home).mkdir()
            file.write_bytes(content)
            for path in (folder, home, file) if user is not None else ():
                os.chown(path, user, user)  # type: ignore[arg-type]
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/" if folder is None else home,
            env=sandbox.environment(home),
            pass_fds=descriptors,
            preexec_fn=_before(limits, group, user) if os.name == "posix" else None,
            start_new_session=True,
        )
        sandbox.close(descriptors)

    def address(self, port: str) -> str | None:
        """Where a channel can be reached, or None while it can't; a link that stands in its place is refused.

        The path is that of a descriptor, so it stays what it was however the box changes its folder.
        """
        number = self._connection[port]
        if self._connection["transport"] == "tcp":
            return f"tcp://{self._connection['ip']}:{number}"
        if not HAS_PATHS:  # a system without descriptors of paths
            path = self._folder / f"k-{number}"
            return f"ipc://{path}" if path.exists() and stat.S_ISSOCK(path.lstat().st_mode) else None
        with contextlib.suppress(OSError):
            if not self.places:
                self._enter()
            found = os.open(f"k-{number}", PATH_ONLY, dir_fd=self.places[0])
            if stat.S_ISSOCK(os.fstat(found).st_mode):
                self._sockets.append(found)
                return f"ipc:///proc/self/fd/{found}"
            os.close(found)
        return None

    def _enter(self) -> None:
        """Open the writable places; a box's are reached through the first process in it, once it is ready."""
        if not self._boxed:
            self.places = [os.open(self._folder, PATH_ONLY)]
            return
        for process in self.family():
            root = f"/proc/{process.pid}/root"
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                os.close(os.open(f"{root}{self._folder}/connection.json", PATH_ONLY))
                wanted = (self._folder, *sandbox.WRITABLE)
                self.places = [os.open(f"{root}{place}", PATH_ONLY) for place in wanted]
                return
        raise FileNotFoundError

    def family(self) -> list[psutil.Process]:
        """The kernel's processes: all that this process has started since it started the kernel."""
        return [process for process in usage.started() if process not in self._before]

    def interrupt(self) -> None:
        """Ask the cell to stop, from outside the box."""
        for process in self.family():
            with contextlib.suppress(psutil.Error, ValueError):  # Windows has no such signal
                if process.name() != "bwrap":
                    process.send_signal(signal.SIGINT)

    def bound(self, processes: int) -> None:
        """Limit the processes of a box with users of its own; before a cell runs, as new ones inherit it."""
        for process in self.family() if self._boxed else ():
            with contextlib.suppress(psutil.Error, OSError):
                process.rlimit(psutil.RLIMIT_NPROC, (processes, processes))

    def stop(self) -> None:
        """Kill everything that was started."""
        self.process.kill()
        usage.end(self.family)
        self.process.wait()
        sandbox.close([*self.places, *self._sockets])
        self.places, self._sockets = [], []


def new_user() -> int | None:
    """The number of a user of its own for a process that root starts outside a box; None where that fails."""
    return random.choice(NEW_USERS) if _can_change_user() else None


@functools.cache
def _can_change_user() -> bool:
    """Whether this is root, and another user can read the environment in which the kernel runs."""
    if os.name != "posix" or os.geteuid() != 0:
        return False
    argv = [sys.executable, "-c", "import gdmcourse.grading.limits"]
    user = NEW_USERS[0]
    try:
        environment = sandbox.environment("/")
        trial = subprocess.run(
            argv, user=user, group=user, extra_groups=[], env=environment, check=False, cwd="/"
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return trial.returncode == 0


def _before(limits: Limits, group: Group | None, user: int | None) -> Callable[[], None]:
    """What happens between fork and exec: bounds, a new keyring for the session, another user."""
    libc = ctypes.CDLL(None)
    table = list(seccomp.AUDIT)
    machine = platform.machine()
    keyctl = seccomp.REFUSED["keyctl"][table.index(machine)] if machine in table else None

    def before() -> None:
        if group is not None:
            group.enter()
        if keyctl is not None and sys.platform == "linux":
            libc.syscall(keyctl, JOIN_SESSION_KEYRING, None)
        limits.apply(ANY_USER if user is None else limits.processes)
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)

    return before


def _connection(folder: Path, key: str) -> dict[str, Any]:
    """What a kernel is told of its channels: sockets in the folder, or ports where a system has none."""
    shared = {"key": key, "signature_scheme": "hmac-sha256"}
    if os.name == "posix":
        numbers = dict(zip(PORTS, range(1, 6), strict=True))
        return {"transport": "ipc", "ip": str(folder / "k"), **numbers, **shared}
    with contextlib.ExitStack() as stack:
        free = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in PORTS]
        ports = {name: held.getsockname()[1] for name, held in zip(PORTS, free, strict=True)}
    return {"transport": "tcp", "ip": "127.0.0.1", **ports, **shared}
