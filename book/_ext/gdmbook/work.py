"""What has to be done before the book can be rendered: models trained, chapters executed."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from gdmbook.calibration import speed
from gdmbook.chapters import Page, chapters
from gdmbook.estimates import Estimates
from gdmbook.execution import ONE_THREAD, execute
from gdmbook.library import Library
from gdmbook.models import Model, Training, fetched, train, with_needed
from gdmbook.progress import BuildProgress
from gdmbook.records import Records, Run
from gdmbook.schedule import Task, run_all
from gdmcourse.studies.workers import processes


def execute_pages(
    pages: list[Page], root: Path, workers: int, console: Console
) -> tuple[dict[Page, Run], dict[Model, Training]]:
    """Execute `pages`, and before each train the models that it fetches; return what all of it took.

    Outputs are kept as they come. Raises ChapterError or ModelError at what fails.
    """
    records, progress = Records(root), BuildProgress(console, workers)
    models = {page: fetched(page) for page in pages}
    needs = with_needed([model for found in models.values() for model in found], Library.under(root))
    runs: dict[Page, Run] = {}
    trainings: dict[Model, Training] = {}
    os.environ.update(ONE_THREAD)  # before the processes start and import torch, which this one does without
    with processes(workers) as pool:

        def measure() -> float:
            return pool.submit(speed).result()

        estimates = Estimates(root, measure())

        def job(what: Page | Model, run: Callable[[], Any], below: list[Model]) -> Task:
            return Task(what, run, estimates.seconds(_name(what)), frozenset(below))

        tasks = [job(model, partial(train, model, pool), below) for model, below in needs.items()]
        tasks += [job(page, partial(execute, page, progress.cell, measure), models[page]) for page in pages]
        trained = f" and {len(needs)} models to train, or to fetch if they are there" if needs else ""
        count = f"{len(pages)} of {len(chapters(root))} chapters"
        said = f"{count} to execute{trained}, {workers} at a time: {progress.expect(tasks)}."
        console.print(said, highlight=False, soft_wrap=True)
        with progress:
            for task, result, took in run_all(tasks, workers, progress.tick):
                if isinstance(task.what, Model):
                    trainings[task.what], seconds = result, result.seconds
                    said = f"{seconds:.0f} s of training"
                else:
                    executed, run = result
                    fetching = {str(model): trainings[model].seconds for model in models[task.what]}
                    runs[task.what] = replace(run, models=fetching)
                    records.store(task.what, executed, runs[task.what])
                    said, seconds = str(run), run.execution_seconds
                estimates.note(_name(task.what), seconds)
                progress.finished(task, took, said)
    return runs, trainings


def _name(what: Page | Model) -> str:
    """What the benchmarks call it too."""
    return f"network {what}" if isinstance(what, Model) else f"chapter {what.path.stem}"
