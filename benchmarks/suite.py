"""How long the tests of each room take, per chapter, so that their growth shows: one run of `make test`.

As a plugin of pytest (`-p benchmarks.suite`, named by `make test`) this module adds up the seconds, those of
subtests once, and says them at the end.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).parents[1]
# On two quiet cores the tests of ten chapters may take ten minutes, and each chapter more 40 seconds.
PROCESSES, CHAPTERS, SECONDS, MORE = 2, 10, 600.0, 40.0
OUTPUT = "GDMCOURSE_SUITE_SECONDS"
spent: Counter[str] = Counter()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add the seconds of a test's setup, call or teardown to those of its room."""
    if not isinstance(report, pytest.SubtestReport):
        spent[room(report.nodeid)] += report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the seconds where they are asked for, from the process that hears of all tests."""
    if OUTPUT in os.environ and not hasattr(session.config, "workerinput"):
        Path(os.environ[OUTPUT]).write_text(json.dumps(spent))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say the seconds of each room a chapter."""
    terminalreporter.section("seconds of tests a chapter, by room")
    for entry in shares(spent, chapters()):
        terminalreporter.line(f"{entry['ours']:>8.2f}  {str(entry['name']).partition(',')[0]}")


def room(nodeid: str) -> str:
    """The folder of tests/ that a test lies in; those beside the folders belong to the frame of the book."""
    parts = nodeid.partition("::")[0].split("/")
    return parts[1] if len(parts) > 2 else "the frame"


def rows() -> list[dict[str, str | float]]:
    """A row a room and one of all: seconds of tests a chapter; the peer is the budget of all rooms."""
    with TemporaryDirectory() as folder:
        output = Path(folder) / "seconds.json"
        environment = os.environ | {OUTPUT: str(output), "PYTEST_ADDOPTS": "-q"}
        subprocess.run(["make", "test"], cwd=ROOT, env=environment, check=True)
        return shares(json.loads(output.read_text()), chapters())


def chapters() -> int:
    """How many pages of the book have code."""
    sys.path.insert(0, str(ROOT / "book/_ext"))
    from gdmbook.chapters import chapters

    return len(chapters(ROOT))


def shares(seconds: dict[str, float], chapters: int) -> list[dict[str, str | float]]:
    """The rows, from the seconds of each room, of both processes together."""
    from benchmarks.row import row  # as a plugin this module is there before the library's types are checked

    budget = PROCESSES * (SECONDS + MORE * (chapters - CHAPTERS)) / chapters
    told = {f"tests of {name}": seconds[name] for name in sorted(seconds, key=seconds.__getitem__)[::-1]}
    told["tests of all rooms"] = sum(seconds.values())
    return [
        row(f"{name}, a chapter (peer: budget of all)", total / chapters, budget, "s")
        for name, total in told.items()
        if total / chapters >= 0.01
    ]
