"""What a terminal shows while chapters execute: a bar for each, or lines where the output goes to a file."""

import threading
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from gdmbook.chapters import Page
from gdmbook.records import Run


class ChapterProgress:
    """Shows the cells of each chapter as they run. Safe to call from several threads."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.lock = threading.Lock()
        self.tasks: dict[str, TaskID] = {}
        self.bars = Progress(
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("cells"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> "ChapterProgress":
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bars.stop()

    def cell(self, page: Page, done: int, total: int) -> None:
        """Note that `done` of the `total` cells of `page` have run."""
        with self.lock:
            if page.name not in self.tasks:
                self.tasks[page.name] = self.bars.add_task(page.name, total=total)
                if not self.console.is_terminal:
                    self.console.print(f"  {page.name}: {total} cells …", highlight=False)
            self.bars.update(self.tasks[page.name], completed=done)

    def finished(self, page: Page, run: Run) -> None:
        """Say how long the page took."""
        with self.lock:
            self.bars.update(self.tasks[page.name], visible=False)
        said = f"  ✓ {page.name}: {run.execution_seconds:.0f} s, {run.peak_mib:.0f} MiB"
        self.console.print(said, highlight=False)
