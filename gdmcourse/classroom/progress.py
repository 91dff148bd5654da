"""How far the grading of a class is, and how long it will still take, by a clock that nobody can set."""

import math
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from gdmcourse.classroom.grade_class import Taken

STEPS = 10  # lines that are written where nothing can be redrawn


class Progress:
    """A bar on a terminal; elsewhere, as in a log, a line for each tenth."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bar = Bar(
            *(TextColumn("graded"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task, self._said = self._bar.add_task("graded"), 0

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(self, *what: Any) -> None:
        self._bar.stop()

    def tell(self, taken: Taken) -> None:
        """Show what has been done."""
        done = taken.graded + len(taken.failed)
        self._bar.update(self._task, total=taken.to_do, completed=done)
        step = math.floor(STEPS * done / max(1, taken.to_do))
        if not self._console.is_terminal and step > self._said:
            self._said = step
            left = self._bar.tasks[0].time_remaining
            words = "" if not left else f", about {math.ceil(left / 60)} min left"
            self._console.print(f"graded {done} of {taken.to_do}{words}", highlight=False)
