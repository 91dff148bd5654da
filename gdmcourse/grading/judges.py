"""Processes that judge: what judges need is imported once, and each run has a judge of its own, forked."""

import atexit
import contextlib
import subprocess
import sys
import tempfile
import threading

from gdmcourse.grading import usage

_idle: list["Judges"] = []


def judged(told: bytes, seconds: float) -> tuple[bytes, str]:
    """What a judge answers, and the last that was said where it leaves no answer."""
    judges = _take()
    try:
        answer = judges.ask(told, seconds)
    except BaseException:
        judges.kill()
        raise
    if answer.endswith(b"\n"):
        _idle.append(judges)
        return answer, ""
    said = judges.kill()
    return b"", f"it took more than {seconds:g} s" if judges.late else said


class Judges:
    """A process that forks a judge for each run; where a system can't fork, it is the judge of one run."""

    def __init__(self) -> None:
        self.late = False
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "gdmcourse.grading.judge"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, told: bytes, seconds: float) -> bytes:
        """One line of answer, cut or empty where the judge died or took longer than so many seconds."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        self._log.seek(0)  # also for the process, which shares the place in the file
        self._log.truncate()  # what an earlier run said is about somebody else
        timer = threading.Timer(seconds, self._stop)
        timer.start()
        try:
            process.stdin.write(told + b"\n")
            process.stdin.flush()
            return process.stdout.readline()
        except OSError:  # it died before it had read all
            return b""
        finally:
            timer.cancel()

    def kill(self) -> str:
        """Kill it, its judge and the kernel, whatever state they are in; returns the last that it said."""
        self._kill_tree()
        self._log.seek(0)
        said = self._log.read().decode("utf-8", errors="replace")[-500:]
        self.close()
        return said

    def close(self) -> None:
        """Let it end, once its judge has."""
        self._log.close()
        with contextlib.suppress(OSError):  # what a dead one has not read
            self._process.communicate()

    def _stop(self) -> None:
        self.late = True
        self._kill_tree()

    def _kill_tree(self) -> None:
        family = usage.started(self._process.pid)  # before the judge dies and these lose their parent
        self._process.kill()
        usage.end(lambda: [member for member in family if member.is_running()])


def _take() -> Judges:
    """An idle one, or a new one."""
    while True:
        try:
            judges = _idle.pop()
        except IndexError:  # not asked before, since another thread may take the last one in between
            return Judges()
        if judges.alive:
            return judges
        judges.close()


@atexit.register
def _end() -> None:
    while _idle:
        _idle.pop().close()
