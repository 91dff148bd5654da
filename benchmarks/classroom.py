"""Seconds a notebook to grade a class, beside nbgrader and otter-grader, and growth with workers.

All three grade the same answers by the same probes in one run. nbgrader is called once for the class, as its
command does it, and otter-grader for two notebooks at a time. On the simulated cluster a worker waits for as
long as a real grading took and answers with a real result; all else is real.
"""

import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks import grading
from benchmarks.row import row
from gdmcourse.classroom.cluster import QUIET, Cluster
from gdmcourse.classroom.grade_class import grade_class
from gdmcourse.classroom.gradebook import Gradebook
from gdmcourse.classroom.work import errand, grade, order
from gdmcourse.grading.exercise import Exercise
from gdmcourse.grading.key import Key, read_key
from gdmcourse.grading.limits import Limits
from gdmcourse.grading.notebook import write_json
from gdmcourse.grading.release import student_notebook
from gdmcourse.grading.source import read_source

STUDENTS, REPEATS, CORES = 24, 2, 2
TIMES_FASTER = 3  # than nbgrader
NOTEBOOKS, WORKERS = 10_000, (64, 128)  # more would wait for one process that is client and scheduler too
WASTE = 1.25  # times as long as with nothing lost, at most
pretended: dict[str, Any] = {}


def rows() -> list[dict[str, str | float]]:
    """Throughput against both peers, and growth."""
    exercise = read_source(grading.ROOT / f"solutions/{grading.CHAPTER}.md")
    key = read_key(grading.ROOT / f"solutions/key/{grading.CHAPTER}.json")
    peers = grading.install()
    with tempfile.TemporaryDirectory(prefix="gdm-bench-") as name:
        folder = Path(name)
        runs = {
            "ours": ours(exercise, key, folder / "ours"),
            "nbgrader": grading.nbgrader(exercise, key, folder / "nbgrader", peers, STUDENTS),
            "otter-grader": otter(exercise, key, folder / "otter", peers),
        }
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(REPEATS):
            for name, run in runs.items():
                begin = time.perf_counter()
                run()
                seconds[name].append((time.perf_counter() - begin) / STUDENTS)
    each = {name: statistics.median(values) for name, values in seconds.items()}
    what = f"grading a class of {STUDENTS} on two cores, a notebook"
    found = [
        row(f"{what} (peer: {peer})", each["ours"], each[peer], "s", target=round(1 / times, 3))
        for peer, times in (("nbgrader", TIMES_FASTER), ("otter-grader", 1))
    ]
    return found + growth(exercise, key, CORES * each["ours"])


def growth(exercise: Exercise, key: Key, seconds: float) -> list[dict[str, str | float]]:
    """The time for many notebooks by the number of workers; the peer is the time with nothing lost."""
    found = []
    with tempfile.TemporaryDirectory(prefix="gdm-bench-") as name:
        folder = Path(name)
        example = hand_in(exercise, folder / "class", NOTEBOOKS)
        told = order(key, Limits(), [], unsandboxed=True)
        own = errand("x.ipynb", [], {})  # judged without running, so that it is a result of the usual form
        pretended.update(seconds=seconds, result=grade(example.read_bytes(), told, own))
        for workers in WORKERS:
            took = simulated(key, folder, workers)
            what = f"grading {NOTEBOOKS:,} notebooks, {workers:,} simulated workers (peer: what is allowed)"
            found.append(row(what, took, NOTEBOOKS * seconds / workers, "s", target=WASTE))
    return found


def simulated(key: Key, folder: Path, workers: int) -> float:
    """Seconds for the class with so many workers that only wait, each with its own connection."""
    import logging

    import dask
    from distributed import LocalCluster

    options = {"processes": False, "threads_per_worker": 1, "protocol": "tcp://", "host": "127.0.0.1"}
    quiet = {"dashboard_address": "127.0.0.1:0", "silence_logs": logging.CRITICAL, "memory_limit": 0}
    # Real workers watch themselves on machines of their own; here so many watchers would be what is measured.
    watch = {"distributed.admin.system-monitor.interval": "1h"}
    with (
        dask.config.set(QUIET | watch),
        LocalCluster(n_workers=workers, **options, **quiet) as cluster,  # type: ignore[arg-type]
    ):
        begin = time.perf_counter()
        with Gradebook(folder / f"{workers}.db", writes=True, create=True) as book:
            pool = lambda: Cluster(address=cluster.scheduler_address, work=pretend)  # noqa: E731
            taken = grade_class(book, key, [folder / "class"], pool)
        if taken.graded != NOTEBOOKS:
            raise RuntimeError(f"{taken.graded} of {NOTEBOOKS} were graded: {taken.failed[:1]}")
        return time.perf_counter() - begin


def pretend(notebook: bytes, told: str, own: str) -> str:
    """Wait as long as a real grading takes, and answer as one did."""
    time.sleep(pretended["seconds"])
    return str(pretended["result"])


def hand_in(exercise: Exercise, folder: Path, students: int) -> Path:
    """Write the reference answers for each student, no two files the same; returns one of them."""
    submission = student_notebook(exercise)
    answers = {f"{question.id}-answer": question.answer for question in exercise.questions}
    cells = submission["cells"]
    for cell in cells:
        cell["source"] = answers.get(cell["id"], cell["source"])
    for number in range(students):
        own = {"cell_type": "markdown", "id": "own", "metadata": {}, "source": f"student {number}"}
        write_json(
            folder / f"s{number}" / f"{exercise.chapter}.ipynb", {**submission, "cells": [own, *cells]}
        )
    return folder / "s0" / f"{exercise.chapter}.ipynb"


def ours(exercise: Exercise, key: Key, folder: Path) -> Callable[[], None]:
    """`gdmcourse grade` with a new gradebook each time."""
    hand_in(exercise, folder / "class", STUDENTS)
    path = grading.ROOT / f"solutions/key/{key.chapter}.json"
    book = folder / "grades.db"

    def run() -> None:
        book.unlink(missing_ok=True)
        program = [sys.executable, "-m", "gdmcourse", "grade", "class", "--key", path]
        grading.run(*program, "--gradebook", book, "--workers", str(CORES), cwd=folder)
        with closing(sqlite3.connect(book)) as db:
            earned = [points for (points,) in db.execute("SELECT earned FROM grade")]
        if len(earned) != STUDENTS:
            raise RuntimeError(f"{len(earned)} of {STUDENTS} were graded")
        grading.full_marks("gdmcourse", min(earned), grading.key_points(key))

    return run


def otter(exercise: Exercise, key: Key, folder: Path, programs: Path) -> Callable[[], None]:
    """`otter run` for each notebook, as many at a time as there are cores."""
    each = []
    for number in range(STUDENTS):
        place = folder / f"s{number}"
        place.mkdir(parents=True)
        each.append(grading.otter(exercise, key, place, programs))

    def run() -> None:
        with ThreadPoolExecutor(CORES) as pool:
            for done in [pool.submit(one) for one in each]:
                done.result()

    return run


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    print(json.dumps(rows(), indent=1))
