"""What arrives from the student's kernel: bounded before it is parsed, reduced to what is read.

Anything can be in a message. One is looked at only if it answers what the judge has asked last; beyond so
many messages or bytes for one cell, the kernel has to go.
"""

import collections
import json
import re
from typing import Any, cast

import zmq
from jupyter_client.session import Session

from gdmcourse.grading.limits import MIB
from gdmcourse.grading.probe import MIME

KINDS = ("status", "display_data", "error", "execute_reply", "kernel_info_reply")
MESSAGES = 1000  # let through for one cell; an honest one sends a handful
BYTES = 8 * MIB  # of all messages for one cell; a probe of the greatest size has a tenth of a MiB
FRAMES, HEADER = 16, 4096  # of one message; bytes of its header and of the one that it answers
ANSI = re.compile(r"\x1b\[[0-9;]*m")

Message = dict[str, Any]


class Inbox:
    """The messages of both channels that wait to be read."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asked: set[str] = set()
        self._once: set[tuple[str, str]] = set()
        self._waiting: dict[str, collections.deque[Message]] = collections.defaultdict(collections.deque)
        self._passed = self._bytes = 0

    def expect(self, *asked: str) -> None:
        """From now on let answers to these requests through, with a fresh count; what waits is dropped."""
        self._asked, self._once = set(asked), set()
        self._waiting.clear()
        self._passed = self._bytes = 0

    @property
    def flooded(self) -> bool:
        """Whether more has come for one cell than is read."""
        return self._passed > MESSAGES or self._bytes > BYTES

    def next(self, channel: str) -> Message | None:
        """The oldest message of a channel, or None."""
        return self._waiting[channel].popleft() if self._waiting[channel] else None

    def receive(self, channel: str, socket: "zmq.Socket[bytes]") -> bool:
        """Take one message from the socket, whatever it is; False where there is none."""
        frames = take(socket)
        if frames is None:
            return False
        if frames and (message := self._parse(frames)) is not None:
            self._waiting[channel].append(message)
        return True

    def _parse(self, frames: list[bytes]) -> Message | None:
        """A message that somebody waits for, reduced to the fields that are read; None for all others."""
        size = sum(map(len, frames))
        try:
            _, parts = self._session.feed_identities(frames, copy=True)
            signature, header, parent = cast(list[bytes], parts)[:3]
            if max(len(signature), len(header), len(parent)) > HEADER or size > MIB:
                return None
            kind, answers = json.loads(header)["msg_type"], json.loads(parent)["msg_id"]
            if (
                kind not in KINDS
                or answers not in self._asked
                or (kind, answers) in self._once
                or self.flooded
            ):
                return None
            content = _reduced(kind, self._session.deserialize(parts, copy=True)["content"])
        except Exception:  # one that can't be read is none
            return None
        if kind not in ("display_data", "error"):
            if content.get("execution_state", "idle") != "idle":
                return None
            self._once.add((kind, answers))
        self._passed += 1
        self._bytes += size
        return {"msg_type": kind, "parent_header": {"msg_id": answers}, "content": content}


def take(socket: "zmq.Socket[bytes]") -> list[bytes] | None:
    """The frames of one message; none of them where there are too many, None where nothing has arrived."""
    try:
        frames = [socket.recv(zmq.NOBLOCK)]
        while socket.getsockopt(zmq.RCVMORE):
            frame = socket.recv(zmq.NOBLOCK)
            if len(frames) <= FRAMES:
                frames.append(frame)
    except zmq.Again:
        return None
    return frames if len(frames) <= FRAMES else []


def _reduced(kind: str, content: Any) -> dict[str, Any]:
    if kind == "display_data":
        return {"data": {MIME: content["data"][MIME]}, "metadata": {}}
    if kind == "error":
        lines = [ANSI.sub("", str(line))[:500] for line in content["traceback"][:20]]
        return {
            "ename": str(content["ename"])[:100],
            "evalue": str(content["evalue"])[:500],
            "traceback": lines,
        }
    return {"execution_state": str(content["execution_state"])} if kind == "status" else {}
