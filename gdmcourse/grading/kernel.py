"""The student's kernel as nbval sees it, watched from outside: its time, its limits, what it sends.

nbval's own kernel waits 2000 s for a dead one, and keeps all that is printed. This one notices a death at
once, drops what nobody compares before it is parsed, and lets no message through that hasn't the form of one.
"""

import contextlib
import queue
import time
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.session import Session
from nbval.kernel import RunningKernel

from gdmcourse.grading.cgroup import Group
from gdmcourse.grading.launch import Launched
from gdmcourse.grading.limits import MIB, Limits
from gdmcourse.grading.messages import Inbox
from gdmcourse.grading.watcher import Watcher


class KernelGone(Exception):
    """The kernel died or was killed; the text is the reason, for the student."""


class WatchedKernel(RunningKernel):
    """A kernel in a process of its own, boxed where that is possible; by IPC, as a box has no TCP."""

    def __init__(self, folder: Path | None, hidden: list[Path], limits: Limits, group: Group | None) -> None:
        """Start the process, without waiting for it; ``folder`` takes its sockets where there is no box."""
        self.limits = limits
        self.gone: str | None = None
        self.interrupted = False
        self.end = self.cell_end = time.monotonic() + 2 * limits.setup
        self._launched = Launched(folder, hidden, limits, group)
        self._watcher = Watcher(self._launched, limits, group, folder)
        self._session = Session(key=self._launched.key.encode())
        self._inbox = Inbox(self._session)
        self._sockets: dict[str, zmq.Socket[bytes]] = {}

    def _connect(self) -> None:
        """Open the channels as soon as the kernel has made its sockets."""
        while len(self._sockets) < 2:
            for name in ("iopub", "shell"):
                if name not in self._sockets and (address := self._launched.address(f"{name}_port")):
                    self._sockets[name] = _channel(name, address)
            self._alive_in_time()
            time.sleep(0.01)

    def wait_until_ready(self) -> None:
        """Return when both channels answer; raises KernelGone when they don't in time."""
        self.cell_end = time.monotonic() + self.limits.setup
        self._connect()
        asked: list[str] = []
        while True:
            asked.append(self._send("kernel_info_request", {}, *asked))
            with contextlib.suppress(queue.Empty):
                self.get_message("iopub", timeout=0.25)
                self._launched.bound(self.limits.processes)
                return
            self._alive_in_time()

    def begin(self, seconds: float) -> None:
        """Give the next cell its time."""
        self.cell_end = min(time.monotonic() + seconds, self.end)
        self.interrupted = False

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Send one cell; returns the id that its answers carry."""
        content = {"code": cell_input, "silent": False, "store_history": False, "user_expressions": {}}
        return self._send("execute_request", {**content, "allow_stdin": False, "stop_on_error": False})

    def _send(self, kind: str, content: dict[str, Any], *before: str) -> str:
        """Send a request; from now on only answers to it, or to the named ones before it, are read."""
        message = self._session.msg(kind, content)
        name = str(message["header"]["msg_id"])
        self._inbox.expect(name, *before)
        self._session.send(self._sockets["shell"], message)
        return name

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Wait for the cell to end; raises Empty when its time is up, which makes nbval interrupt it."""
        while True:
            message = self.get_message("shell", timeout=timeout)
            if message["parent_header"]["msg_id"] == msg_id and message["msg_type"] == "execute_reply":
                self.cell_end = time.monotonic() + self.limits.grace  # what is left is to read its outputs
                return

    def get_message(self, stream: str, timeout: float | None = None) -> dict[str, Any]:
        """The next message; raises Empty when timeout or the cell's time is over, KernelGone at a death."""
        end = self.cell_end if timeout is None else min(self.cell_end, time.monotonic() + timeout)
        while True:
            died = self._launched.process.poll() is not None
            self._look(died)  # here and not below: a flood of messages must not stop the clock
            message = self._inbox.next(stream)
            if message is None or died:
                self._pump(0 if message else 20)
                message = message or self._inbox.next(stream)
            if message is not None and time.monotonic() < self.cell_end:
                return message
            if died:
                self.kill("the kernel died")
            if time.monotonic() >= end:
                raise queue.Empty

    def interrupt(self) -> None:
        """Ask the cell to stop, and give it a little time to do so."""
        self.interrupted = True
        self.cell_end = time.monotonic() + self.limits.grace
        self._launched.interrupt()

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self.gone is None and self._launched.process.poll() is None

    def stop(self) -> None:
        """Kill everything that runs in the box."""
        self._launched.stop()
        for socket in self._sockets.values():
            socket.close()

    def kill(self, reason: str) -> None:
        """Kill the kernel and raise KernelGone with the reason."""
        self.gone = self.gone or reason
        self.stop()
        raise KernelGone(self.gone)

    def _look(self, at_once: bool = False) -> None:
        """Is it within its limits?"""
        if (reason := self._watcher.look(at_once)) is not None:
            self.kill(reason)
        if self._inbox.flooded:
            self.kill("it sent more messages than can be read")
        if time.monotonic() > self.end + self.limits.grace:
            self.kill(f"the notebook's {self.limits.notebook:g} s were used up")

    def _alive_in_time(self) -> None:
        if self._launched.process.poll() is not None:
            self.kill("the kernel died")
        if time.monotonic() > self.cell_end:
            self.kill("the kernel did not start in time")

    def _pump(self, milliseconds: int) -> None:
        """Take what has arrived, at most 100 messages a channel, and wait so long where nothing has."""
        poller = zmq.Poller()
        for socket in self._sockets.values():
            poller.register(socket, zmq.POLLIN)
        poller.poll(milliseconds)
        for name, socket in self._sockets.items():
            for _ in range(100):
                if not self._inbox.receive(name, socket):
                    break
                self._look()


def _channel(name: str, address: str) -> "zmq.Socket[bytes]":
    """One connected socket of the judge."""
    context: zmq.Context[Any] = zmq.Context.instance()
    channel = context.socket(zmq.SUB if name == "iopub" else zmq.DEALER)
    channel.setsockopt(zmq.LINGER, 0)
    channel.setsockopt(zmq.MAXMSGSIZE, 8 * MIB)  # a longer frame costs the sender its connection
    channel.setsockopt(zmq.RCVHWM, 1000)
    channel.setsockopt(zmq.RECONNECT_IVL, 20)
    if name == "iopub":
        channel.setsockopt(zmq.SUBSCRIBE, b"")
    channel.connect(address)
    return channel
