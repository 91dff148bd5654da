"""The judge: it reads a job, runs the notebook by nbval, and writes the records.

Nothing of a job is in a file or in arguments, where the code that it runs could look. Each has a process of
its own, which ends with it, forked from one that has imported what judges need and has never seen a job.
"""

import dataclasses
import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gdmcourse.grading import usage
from gdmcourse.grading.cgroup import Group
from gdmcourse.grading.limits import GIB, Limits, set_limit
from gdmcourse.grading.notebook import Notebook

# No traceback is shown: it has the text of the cell, which may be a hidden probe.
QUIET = ["-q", "--color=no", "--tb=no", "--no-summary", "-p", "no:cacheprovider"]
ALONE = ["--noconftest", "-c", os.devnull]


def main() -> None:
    """Fork a judge for each line of the input; what pytest says goes to the error channel."""
    usage.close_memory()
    answers = os.dup(1)
    os.dup2(2, 1)
    # jsonschema would build a grammar of web addresses (0.8 s) for a check that no notebook needs.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    import gdmcourse.grading.plugin  # noqa: F401

    for line in sys.stdin.buffer:
        answer = _forked(line) if hasattr(os, "fork") else _answer(line)
        with open(answers, "wb", closefd=False) as output:
            output.write(answer + b"\n")
        if not hasattr(os, "fork"):
            break


def _forked(line: bytes) -> bytes:
    """What a process that is forked for one job answers, once it has ended; a failure ends this one, too."""
    source, sink = os.pipe()
    judge = os.fork()
    if judge == 0:
        status = 1
        try:
            with open(sink, "wb") as output:
                output.write(_answer(line))
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(sink)
    with open(source, "rb") as answer:
        said = answer.read()
    if os.waitpid(judge, 0)[1] != 0:
        raise SystemExit(1)  # who waits for an answer sees it
    return said


def _answer(line: bytes) -> bytes:
    """Do one job; what it gave is one line."""
    told: dict[str, Any] = json.loads(line)
    os.environ.clear()
    os.environ.update(told["environment"])
    usage.close_memory()
    usage.adopt_orphans()
    set_limit("DATA", GIB, lasting=False)  # the watcher notices half of it; this holds against a single blow
    from gdmcourse.grading.kernel import WatchedKernel

    folder = None if told["folder"] is None else Path(told["folder"])
    group = told["group"] and Group(**{name: path and Path(path) for name, path in told["group"].items()})
    hidden = [Path(path) for path in told["hidden"]]
    kernel = WatchedKernel(folder, hidden, Limits(**told["limits"]), group)
    try:
        records = _cells(kernel, told["cells"], Path(told["place"]))
    finally:
        kernel.stop()
    return json.dumps({"records": records, "gone": kernel.gone}).encode()


def _cells(kernel: Any, cells: list[dict[str, Any]], place: Path) -> list[dict[str, Any]]:
    """Let pytest run the cells; it wants a file to collect, and gets an empty one in an empty folder."""
    import nbval.plugin
    import pytest

    from gdmcourse.grading.plugin import JudgePlugin

    plugin = JudgePlugin(kernel, cells)
    stand_in = place / "notebook.ipynb"
    os.chdir(place)
    stand_in.touch()
    pytest.main(
        [str(stand_in), *QUIET, *ALONE, f"--rootdir={place}", f"--confcutdir={place}"],
        plugins=[nbval.plugin, plugin],
    )
    return plugin.records


def job(
    notebook: Notebook,
    place: Path,
    folder: Path | None,
    hidden: Sequence[Path],
    limits: Limits,
    group: Group | None,
) -> bytes:
    """What a judge is told; ``place`` is an empty folder of its own."""
    told = {
        "environment": {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        "place": str(place),
        "cells": notebook["cells"],
        "folder": None if folder is None else str(folder),
        "hidden": [str(path) for path in hidden],
        "limits": dataclasses.asdict(limits),
        "group": group and {name: path and str(path) for name, path in dataclasses.asdict(group).items()},
    }
    return json.dumps(told).encode()


if __name__ == "__main__":
    main()
