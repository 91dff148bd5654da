"""The judge's process: it reads a job from its input, runs the notebook by nbval, and writes the records.

Nothing of it is in a file or in its arguments, where the code that it runs could look. The kernel starts
first, so that it imports its own parts while pytest and nbval are imported here.
"""

import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gdmcourse.grading import usage
from gdmcourse.grading.cgroup import Group
from gdmcourse.grading.limits import GIB, Limits, set_limit
from gdmcourse.grading.notebook import Notebook

QUIET = ["-q", "--color=no", "--tb=short", "-p", "no:cacheprovider", "--noconftest", "-c", os.devnull]


def main() -> None:
    """Do the job; what pytest says goes to the error channel, and the records to where the output went."""
    usage.close_memory()
    usage.adopt_orphans()
    set_limit("DATA", GIB, lasting=False)  # the watcher notices half of it; this holds against a single blow
    answer = os.dup(1)
    os.dup2(2, 1)
    # jsonschema would build a grammar of web addresses (0.8 s) for a check that no notebook needs.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    told: dict[str, Any] = json.load(sys.stdin)
    from gdmcourse.grading.kernel import WatchedKernel

    folder = None if told["folder"] is None else Path(told["folder"])
    group = told["group"] and Group(**{name: path and Path(path) for name, path in told["group"].items()})
    hidden = [Path(path) for path in told["hidden"]]
    kernel = WatchedKernel(folder, hidden, Limits(**told["limits"]), group)
    try:
        records = _cells(kernel, told["cells"])
    finally:
        kernel.stop()
    with open(answer, "w", encoding="utf-8") as output:
        json.dump({"records": records, "gone": kernel.gone}, output)


def _cells(kernel: Any, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let pytest run the cells; it wants a file to collect, and gets an empty one in the folder it is in."""
    import nbval.plugin
    import pytest

    from gdmcourse.grading.plugin import JudgePlugin

    plugin = JudgePlugin(kernel, cells)
    place = Path.cwd()
    stand_in = place / "notebook.ipynb"
    stand_in.touch()
    pytest.main(
        [str(stand_in), *QUIET, f"--rootdir={place}", f"--confcutdir={place}"], plugins=[nbval.plugin, plugin]
    )
    return plugin.records


def job(
    notebook: Notebook, folder: Path | None, hidden: Sequence[Path], limits: Limits, group: Group | None
) -> bytes:
    """What the process is told."""
    told = {
        "cells": notebook["cells"],
        "folder": None if folder is None else str(folder),
        "hidden": [str(path) for path in hidden],
        "limits": dataclasses.asdict(limits),
        "group": group and {name: path and str(path) for name, path in dataclasses.asdict(group).items()},
    }
    return json.dumps(told).encode()


if __name__ == "__main__":
    main()
