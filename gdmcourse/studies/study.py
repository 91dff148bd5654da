"""What a study is, and the one way to run it: part by part, over processes, going on where it was stopped."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from gdmcourse.recipes.recipe import CATALOGUES
from gdmcourse.studies.record import FOLDER, save_record
from gdmcourse.studies.workers import processes
from gdmcourse.training.code_hash import result_hash

Rows = list[dict[str, Any]]
RUNS = Path("runs/studies")
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
    study: Study,
    *,
    to: Path = FOLDER,
    runs: Path = RUNS,
    workers: int = 1,
    cluster: str | None = None,
) -> dict[str, Any]:
    """Measure what isn't measured yet, `workers` parts at a time, and write the record into `to`; return it.

    With `cluster`, the address of a scheduler of Dask, its workers measure; they must see the folder `runs`
    at the same path, and this package.

    A part's rows are kept in `runs` under a name that changes with its settings and with the code, so a study
    that was killed goes on, and one that has changed measures anew what has. Raises ValueError for fewer than
    one worker; what a part raises stops the study, and the parts that are done stay.
    """
    if workers < 1:
        raise ValueError(f"a study needs at least one worker, not {workers}")
    folders = _folders(study, runs)
    waiting = [
        (part, folder)
        for part, folder in zip(study.parts, folders, strict=True)
        if not (folder / DONE).is_file()
    ]
    if waiting:
        with _pool(min(workers, len(waiting)), cluster) as pool:
            jobs = [pool.submit(_measure, study.measure, part, folder.resolve()) for part, folder in waiting]
            bar = tqdm(as_completed(jobs), total=len(jobs), unit="part", disable=not sys.stderr.isatty())
            try:
                for job in bar:
                    job.result()
            except BaseException:
                for job in jobs:
                    job.cancel()
                raise
    parts = [json.loads((folder / DONE).read_text(encoding="utf-8")) for folder in folders]
    content = study.content([row for part in parts for row in part["rows"]])
    minutes = sum(part["cpu_seconds"] for part in parts) / 60
    for name in study.files:
        for folder in folders:
            if (folder / name).is_file():
                shutil.copy(folder / name, to / name)
    return save_record(study.name, {**content, "parts": len(parts), "cpu_minutes": minutes}, to)


def forecast(study: Study, *, to: Path = FOLDER, runs: Path = RUNS, workers: int = 1) -> str:
    """How long what isn't measured yet will take, going by the record that lies in `to`."""
    left = sum(not (folder / DONE).is_file() for folder in _folders(study, runs))
    said, path = f"{left} of {len(study.parts)} parts to measure", to / f"{study.name}.json"
    if not left or not path.is_file():
        return said if not left else f"{said}; no record says how long they take"
    before = json.loads(path.read_text(encoding="utf-8"))
    hours = before["cpu_minutes"] / 60 * left / before.get("parts", len(study.parts)) / workers
    return f"{said}: {hours:.2g} hours on {workers} cores such as {before['machine']}"


def _folders(study: Study, runs: Path) -> list[Path]:
    return [runs / study.name / part_name(study, part) for part in study.parts]


@contextmanager
def _pool(workers: int, cluster: str | None) -> Iterator[Executor]:
    """Processes of this machine, or the cluster's."""
    if cluster is None:
        with processes(workers) as pool:
            yield pool
        return
    try:
        from distributed import Client

        client = Client(cluster, timeout=30)
    except ModuleNotFoundError:
        said = "a cluster is reached by Dask: install it by `pip install 'gdmcourse[cluster]'`"
        raise ValueError(said) from None
    except (OSError, ValueError) as error:
        raise ValueError(f"no scheduler of Dask answers at {cluster} ({error})") from None
    with client, client.get_executor(pure=False) as pool:
        yield pool


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
