"""What a terminal shows while the book is made: a bar for all and one for each part that runs; or lines."""

import threading
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from gdmbook.chapters import Page
from gdmbook.schedule import Task


class BuildProgress:
    """Shows what runs, the cells of each chapter, and how long is left. Safe to call from several threads."""

    def __init__(self, console: Console, workers: int) -> None:
        self.console, self.workers = console, workers
        self.lock = threading.Lock()
        self.rows: dict[str, TaskID] = {}
        self.ahead: dict[str, float] = {}  # seconds expected of what isn't done
        self.behind = 0.0  # taken by what is done
        self.running: dict[str, float] = {}
        self.started = 0.0
        self.bars = Progress(
            TextColumn("  {task.description}"),
            BarColumn(),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self.all = self.bars.add_task("all", total=None, said="")

    def __enter__(self) -> "BuildProgress":
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bars.stop()

    def expect(self, tasks: list[Task]) -> str:
        """Note what is to be done; return the time that it takes as words."""
        self.ahead = {str(task.what): task.seconds for task in tasks}
        self.started = self.bars.get_time()
        return self._left().removesuffix(" left")

    def tick(self, running: dict[str, float]) -> None:
        """Note which tasks are running and for how many seconds they have been."""
        with self.lock:
            self.running = running
            for name in running:
                self._row(name)
            self.bars.update(self.all, said=self._left())

    def cell(self, page: Page, done: int, total: int) -> None:
        """Note that `done` of the `total` cells of `page` have run."""
        with self.lock:
            said = f"{done} of {total} cells"
            self.bars.update(self._row(str(page)), completed=done, total=total, said=said)

    def finished(self, task: Task, took: float, said: str) -> None:
        """Note the seconds that a task took, and say what came of it."""
        name = str(task.what)
        with self.lock:
            self.bars.update(self._row(name), visible=False)
            # Only what is ahead is a guess: one that was wrong doesn't change the pace.
            self.behind += took
            del self.ahead[name]
            self.running.pop(name, None)
            left = f"; {self._left()}" if self.ahead else ""
            self.console.print(f"  ✓ {name}: {said}{left}", highlight=False, soft_wrap=True)

    def _row(self, name: str) -> TaskID:
        if name not in self.rows:
            self.rows[name] = self.bars.add_task(name, total=None, said="")
        return self.rows[name]

    def _left(self) -> str:
        """The time that is left, at the pace of the build so far."""
        now = sum(min(took, self.ahead[name]) for name, took in self.running.items())
        done, ahead = self.behind + now, sum(self.ahead.values()) - now
        self.bars.update(self.all, completed=done, total=done + ahead)
        # The pace in seconds of work a second; while none is known, as if the workers shared it evenly.
        pace = done / (self.bars.get_time() - self.started) if done else self.workers
        seconds = ahead / pace
        return f"about {seconds / 60:.0f} min left" if seconds >= 90 else f"about {seconds:.0f} s left"
