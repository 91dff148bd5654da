"""Run one assembled notebook in a judge's process of its own, with a deadline that always holds."""

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gdmcourse.grading import cgroup, folders, judge, sandbox, usage
from gdmcourse.grading.judges import judged
from gdmcourse.grading.limits import Limits
from gdmcourse.grading.notebook import Notebook

SOCKETS = 60  # a socket's path may be 107 characters long, so its folder must be short
STARTING = 60  # seconds for what the judge itself does


@dataclass(frozen=True)
class Outcome:
    """The records of the cells that ran, by cell id, and why the kernel was gone (None where it lived)."""

    records: dict[str, dict[str, Any]]
    gone: str | None

    @property
    def died_at(self) -> str | None:
        """The id of the cell in which the kernel died."""
        return next((name for name, record in self.records.items() if record["end"] == "gone"), None)


class Runs:
    """The runs of one submission, which share its time."""

    def __init__(self, limits: Limits, hidden: Sequence[Path] = ()) -> None:
        self.limits, self.hidden = limits, hidden
        self.end = time.monotonic() + limits.total

    def run(self, notebook: Notebook) -> Outcome:
        """Run a notebook in what is left of the time; without any left nothing is started."""
        left = self.end - time.monotonic()
        if left <= 0:
            return Outcome({}, f"not run, because the submission's {self.limits.total:g} s were used up")
        limits = replace(self.limits, notebook=min(self.limits.notebook, left))
        return run(notebook, limits, self.hidden)


def run(notebook: Notebook, limits: Limits, hidden: Sequence[Path] = ()) -> Outcome:
    """Run the notebook by nbval; never raises for what a student's code does, and always returns in time."""
    folder = None if sandbox.missing() is None else _folder()
    group = None if cgroup.missing() else cgroup.make(limits)
    since = time.time()
    usage.adopt_orphans()
    try:
        with tempfile.TemporaryDirectory(prefix="gdm-judge-", ignore_cleanup_errors=True) as place:
            told = judge.job(
                notebook, Path(place), folder, [Path(p).resolve() for p in hidden], limits, group
            )
            answer, said = judged(told, 2 * limits.setup + limits.notebook + STARTING)
    finally:
        if group is not None:
            group.remove()
        if os.name == "posix":
            usage.end(lambda: usage.orphans(since))
        if folder is not None:
            folders.remove(folder)
    with contextlib.suppress(ValueError):
        result = json.loads(answer)
        return Outcome({record["cell"]: record for record in result["records"]}, result["gone"])
    return Outcome({}, f"the judge stopped without a result: {said}")


def _folder() -> Path:
    """A folder of this run's own for a kernel that has no box."""
    roomy = len(tempfile.gettempdir()) < SOCKETS
    return Path(tempfile.mkdtemp(prefix="gdm", dir=None if roomy else "/tmp"))
