"""Run one assembled notebook in a judge's process of its own, with a deadline that always holds."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdmcourse.grading import judge, usage
from gdmcourse.grading.notebook import Notebook, write_json
from gdmcourse.grading.sandbox import Limits

SOCKETS = 60  # a socket's path may be 107 characters long, so its folder must be short


@dataclass(frozen=True)
class Outcome:
    """The records of the cells that ran, by cell id, and why the kernel was gone (None where it lived)."""

    records: dict[str, dict[str, Any]]
    gone: str | None

    @property
    def died_at(self) -> str | None:
        """The id of the cell in which the kernel died."""
        return next((name for name, record in self.records.items() if record["end"] == "gone"), None)


def run(notebook: Notebook, limits: Limits, hidden: Sequence[Path] = ()) -> Outcome:
    """Run the notebook by nbval; never raises for what a student's code does, and always returns in time."""
    judged = Path(tempfile.mkdtemp(prefix="gdm-judge-"))
    roomy = len(tempfile.gettempdir()) < SOCKETS
    folder = Path(tempfile.mkdtemp(prefix="gdm", dir=None if roomy else "/tmp"))
    try:
        write_json(judged / "notebook.ipynb", notebook)
        job = judge.job(judged / "notebook.ipynb", folder, [Path(p).resolve() for p in hidden], limits)
        write_json(judged / "job.json", job)
        said = _judge(judged, 2 * limits.setup + limits.notebook + 60)
        result = judged / "result.json"
        if not result.exists():
            return Outcome({}, f"the judge stopped without a result: {said}")
        answer = json.loads(result.read_text(encoding="utf-8"))
        return Outcome({record["cell"]: record for record in answer["records"]}, answer["gone"])
    finally:
        usage.remove(judged)
        usage.remove(folder)


def _judge(judged: Path, seconds: float) -> str:
    """Run the judge's process and return the last that it said, for the case that it leaves no result."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    log = judged / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gdmcourse.grading.judge", str(judged / "job.json")],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=judged,
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return f"it took more than {seconds:g} s"
        finally:
            _kill_tree(process)
    return log.read_text(encoding="utf-8", errors="replace")[-500:]


def _kill_tree(process: subprocess.Popen[bytes]) -> None:
    """Kill the judge and its kernel, whatever state they are in; the box dies with its parent anyway."""
    family = usage.started(process.pid)  # before the judge dies and these lose their parent
    process.kill()
    usage.end(lambda: [member for member in family if member.is_running()])
    process.wait()
