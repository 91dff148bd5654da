"""What a study is, and the one way to run it: part by part, over processes, going on where it was stopped."""

import json
import multiprocessing
import os
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from gdmcourse.recipes.recipe import CATALOGUES
from gdmcourse.studies.record import FOLDER, save_record
from gdmcourse.training.code_hash import result_hash

Rows = list[dict[str, Any]]
DONE = "rows.json"  # in a part's folder: what it measured


@dataclass(frozen=True)
class Study:
    """Parts that are measured one by one, each from settings of its own, into the record `name`.

    `measure(folder, **part)` is a function of a module, so that another process finds it; it returns rows,
    and may leave in `folder` the files of `files`, such as a picture. `content` makes the record of all rows,
    in the order of `parts`.
    """

    name: str
    parts: list[dict[str, Any]]
    measure: Callable[..., Rows]
    content: Callable[[Rows], dict[str, Any]] = field(default=lambda rows: {"rows": rows})
    files: tuple[str, ...] = ()


def run_study(
    study: Study, *, to: Path = FOLDER, runs: Path = Path("runs/studies"), workers: int = 1
) -> dict[str, Any]:
    """Measure what isn't measured yet, `workers` parts at a time, and write the record into `to`; return it.

    A part's rows are kept in `runs` under a name that changes with its settings and with the code, so a study
    that was killed goes on, and one that has changed measures anew what has. Raises ValueError for fewer than
    one worker; what a part raises stops the study, and the parts that are done stay.
    """
    if workers < 1:
        raise ValueError(f"a study needs at least one worker, not {workers}")
    folders = [runs / study.name / part_name(study, part) for part in study.parts]
    waiting = [
        (part, folder)
        for part, folder in zip(study.parts, folders, strict=True)
        if not (folder / DONE).is_file()
    ]
    if waiting:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(workers, len(waiting)), mp_context=context) as pool:
            jobs = [pool.submit(_measure, study.measure, part, folder) for part, folder in waiting]
            bar = tqdm(as_completed(jobs), total=len(jobs), unit="part", disable=not sys.stderr.isatty())
            try:
                for job in bar:
                    job.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    parts = [json.loads((folder / DONE).read_text(encoding="utf-8")) for folder in folders]
    content = study.content([row for part in parts for row in part["rows"]])
    minutes = sum(part["cpu_seconds"] for part in parts) / 60
    for name in study.files:
        for folder in folders:
            if (folder / name).is_file():
                shutil.copy(folder / name, to / name)
    return save_record(study.name, {**content, "cpu_minutes": minutes}, to)


def part_name(study: Study, part: dict[str, Any]) -> str:
    """What a part's folder is called: 16 hex digits of its settings and of the code that measures it."""
    return result_hash(part, study.measure, stop=CATALOGUES)


def _measure(measure: Callable[..., Rows], part: dict[str, Any], folder: Path) -> None:
    """Measure one part in a process of its own, on one thread, and write down what came out, whole."""
    import torch

    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    before = os.times()
    rows = measure(folder, **part)
    # User and system time, that of child processes included.
    seconds = sum(os.times()[:4]) - sum(before[:4])
    result = {"part": part, "rows": rows, "cpu_seconds": seconds}
    draft = folder / f"{DONE}.draft"
    draft.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    os.replace(draft, folder / DONE)
