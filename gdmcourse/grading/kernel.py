"""The student's kernel as nbval sees it, watched from outside: time, memory, processes, what it sends.

nbval's own kernel waits 2000 s for a dead one, and keeps all that is printed. This one notices a death at
once, drops what nobody compares before it is parsed, and lets no message through that hasn't the form of one.
"""

import collections
import contextlib
import json
import queue
import re
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any, cast

import psutil
import zmq
from jupyter_client.session import Session
from nbval.kernel import RunningKernel

from gdmcourse.grading import sandbox, usage
from gdmcourse.grading.probe import MIME
from gdmcourse.grading.sandbox import MIB, Limits

PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
MESSAGES = 1000  # let through for one cell; an honest one sends a handful
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class KernelGone(Exception):
    """The kernel died or was killed; the text is the reason, for the student."""


class WatchedKernel(RunningKernel):
    """A kernel in a process of its own, boxed where that is possible; by IPC, as a box has no TCP."""

    def __init__(self, folder: Path, hidden: list[Path], limits: Limits) -> None:
        """Start the process, without waiting for it; ``folder`` (short, empty) takes the sockets."""
        self.folder, self.limits = folder, limits
        self.gone: str | None = None
        self.end = self.cell_end = time.monotonic() + 2 * limits.setup
        self._next_look = 0.0
        self._messages: dict[str, collections.deque[dict[str, Any]]] = collections.defaultdict(
            collections.deque
        )
        self._passed = 0
        connection = self._connection()
        boxed = sandbox.missing() is None
        home = sandbox.HOME if boxed else str(folder / "home")
        if not boxed:
            Path(home).mkdir()
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", connection]
        argv += [
            "--IPKernelApp.outstream_class=gdmcourse.grading.probe.swallow",
            "--HistoryManager.enabled=False",
        ]
        self.process = subprocess.Popen(
            sandbox.command(argv, folder, hidden, limits) if boxed else argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder if boxed else home,
            env=sandbox.environment(home),
            preexec_fn=limits.apply,
            start_new_session=True,
        )

    def _connection(self) -> str:
        key = uuid.uuid4().hex
        address = f"{self.folder}/k"
        ports = {name: number for number, name in enumerate(PORTS, 1)}
        path = self.folder / "connection.json"
        path.write_text(json.dumps({"transport": "ipc", "ip": address, "key": key, **ports}))
        self._session = Session(key=key.encode())
        context: zmq.Context[Any] = zmq.Context.instance()
        self._sockets = {"shell": context.socket(zmq.DEALER), "iopub": context.socket(zmq.SUB)}
        for name, socket in self._sockets.items():
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.MAXMSGSIZE, 8 * MIB)  # a longer one costs the sender its connection
            socket.setsockopt(zmq.RCVHWM, 1000)
            socket.setsockopt(zmq.RECONNECT_IVL, 20)
            if name == "iopub":
                socket.setsockopt(zmq.SUBSCRIBE, b"")
            socket.connect(f"ipc://{address}-{ports[f'{name}_port']}")
        return str(path)

    def wait_until_ready(self) -> None:
        """Return when both channels answer; raises KernelGone when they don't in time."""
        asked: set[str] = set()
        self.cell_end = time.monotonic() + self.limits.setup
        while True:
            asked.add(self._send("kernel_info_request", {}))
            with contextlib.suppress(queue.Empty):
                while True:
                    message = self.get_message("iopub", timeout=0.25)
                    if message["parent_header"].get("msg_id") in asked:
                        self._messages.clear()
                        return
            if time.monotonic() > self.cell_end:
                self.kill("the kernel did not start in time")

    def begin(self, seconds: float) -> None:
        """Give the next cell its time and a fresh count of messages."""
        now = time.monotonic()
        self._passed = 0
        self.cell_end = min(now + seconds, self.end)

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Send one cell; returns the id that its answers carry."""
        content = {"code": cell_input, "silent": False, "store_history": False, "user_expressions": {}}
        content |= {"allow_stdin": False, "stop_on_error": False}
        return self._send("execute_request", content)

    def _send(self, kind: str, content: dict[str, Any]) -> str:
        message = self._session.msg(kind, content)
        self._session.send(self._sockets["shell"], message)
        return str(message["header"]["msg_id"])

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Wait for the cell to end; raises Empty when its time is up, which makes nbval interrupt it."""
        while True:
            message = self.get_message("shell", timeout=timeout)
            if message["parent_header"].get("msg_id") == msg_id and message["msg_type"] == "execute_reply":
                self.cell_end = time.monotonic() + self.limits.grace  # what is left is to read its outputs
                return

    def get_message(self, stream: str, timeout: float | None = None) -> dict[str, Any]:
        """The next message; raises Empty when timeout or the cell's time is over, KernelGone at a death."""
        end = self.cell_end if timeout is None else min(self.cell_end, time.monotonic() + timeout)
        while True:
            self._look()  # here and not below: a flood of messages must not stop the clock
            died = self.process.poll() is not None
            if died or not self._messages[stream]:
                self._pump()
            if self._messages[stream] and time.monotonic() < self.cell_end:
                return self._messages[stream].popleft()
            if died:
                self.kill("the kernel died")
            if time.monotonic() >= end:
                raise queue.Empty

    def interrupt(self) -> None:
        """Ask the cell to stop, from outside the box, and give it a little time to do so."""
        self.cell_end = time.monotonic() + self.limits.grace
        for process in usage.started():
            with contextlib.suppress(psutil.Error):
                if process.name() != "bwrap":
                    process.send_signal(signal.SIGINT)

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self.gone is None and self.process.poll() is None

    def stop(self) -> None:
        """Kill everything that runs in the box."""
        self.process.kill()
        usage.end(usage.started)
        self.process.wait()
        for socket in self._sockets.values():
            socket.close()

    def kill(self, reason: str) -> None:
        """Kill the kernel and raise KernelGone with the reason."""
        self.gone = self.gone or reason
        self.stop()
        raise KernelGone(self.gone)

    def _look(self) -> None:
        """Is it within its limits? A look costs about a millisecond, so not at every turn."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + 0.1
        family = usage.started()
        if usage.memory(family) > self.limits.memory:
            self.kill(f"it used more than {self.limits.memory / sandbox.GIB:g} GiB of memory")
        if len(family) > self.limits.processes:
            self.kill(f"it started more than {self.limits.processes} processes")
        if usage.written(self.folder) > self.limits.disk:
            self.kill(f"it wrote more than {self.limits.disk / MIB:g} MiB of files")
        if now > self.end + self.limits.grace:
            self.kill(f"the notebook's {self.limits.notebook:g} s were used up")

    def _pump(self) -> None:
        """Take what has arrived, at most 100 messages a channel, and wait a moment where nothing has."""
        poller = zmq.Poller()
        for socket in self._sockets.values():
            poller.register(socket, zmq.POLLIN)
        poller.poll(0 if any(self._messages.values()) else 20)
        for stream, socket in self._sockets.items():
            with contextlib.suppress(zmq.Again):
                for _ in range(100):
                    message = self._parse(socket.recv_multipart(zmq.NOBLOCK))
                    if message is not None:
                        self._messages[stream].append(message)

    def _parse(self, frames: list[bytes]) -> dict[str, Any] | None:
        """A message that somebody waits for, reduced to the fields that are read; None for all others."""
        try:
            if sum(map(len, frames)) > MIB:
                return None
            _, parts = self._session.feed_identities(frames, copy=True)
            kind = json.loads(cast(bytes, parts[1])[:4096]).get("msg_type")
            if kind not in ("status", "display_data", "error", "execute_reply", "kernel_info_reply"):
                return None
            message = self._session.deserialize(parts, copy=True)
            content, parent = message["content"], message["parent_header"]
            if kind == "display_data":
                content = {"data": {MIME: content["data"][MIME]}, "metadata": {}}
            elif kind == "error":
                lines = [ANSI.sub("", str(line))[:500] for line in content["traceback"][:20]]
                content = {"ename": str(content["ename"])[:100], "evalue": str(content["evalue"])[:500]}
                content["traceback"] = lines
            elif kind == "status":
                content = {"execution_state": str(content["execution_state"])}
            if not isinstance(parent, dict):
                return None
        except Exception:  # anything can be in a message; one that can't be read is none
            return None
        if kind == "status" and (content["execution_state"] != "idle" or self._ends(parent)):
            return None
        self._passed += kind in ("display_data", "error")
        if kind in ("display_data", "error") and self._passed > MESSAGES:
            return None
        return {"msg_type": kind, "parent_header": parent, "content": content}

    def _ends(self, parent: dict[str, Any]) -> bool:
        """Whether the last message that waits already says that this cell has ended."""
        last = self._messages["iopub"][-1] if self._messages["iopub"] else None
        return last is not None and last["msg_type"] == "status" and last["parent_header"] == parent
