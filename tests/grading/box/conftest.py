"""Cells that run in the box as a graded notebook's do, and what their records say."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gdmcourse.grading import cgroup, sandbox
from gdmcourse.grading.limits import Limits
from gdmcourse.grading.notebook import code, notebook
from gdmcourse.grading.run import Outcome, run


def cells(*sources: str) -> dict:
    return notebook([code(source, f"c{n}", gdmcourse={"role": "helper"}) for n, source in enumerate(sources)])


@pytest.fixture
def ran() -> Callable[..., Outcome]:
    """Run cells; the limits are the usual ones where none is named."""

    def once(*sources: str, hidden: tuple[Path, ...] = (), **limits: float) -> Outcome:
        return run(cells(*sources), Limits(**limits), hidden)

    return once


@pytest.fixture
def told(ran) -> Callable[..., object]:
    """The value that the last line of a cell gives, told by the message of an exception."""

    def ask(source: str, **options: object) -> object:
        *lines, last = source.strip().splitlines()
        record = ran("\n".join([*lines, f"raise ValueError(repr({last}))"]), **options).records["c0"]
        assert record["end"] == "error", record
        assert record["reason"].startswith("ValueError: "), record["reason"]
        return eval(record["reason"].removeprefix("ValueError: "))

    return ask


def need(reason: str | None) -> None:
    """Skip where the machine lacks what is tested; where everything must be tested, fail."""
    if reason is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"this must be tested here: {reason}")
        pytest.skip(reason)


@pytest.fixture
def boxed() -> None:
    need(sandbox.missing())


@pytest.fixture
def grouped() -> None:
    need(cgroup.missing())


@pytest.fixture
def no_group(monkeypatch) -> None:
    """As on a machine where no control group can be made."""
    monkeypatch.setattr(cgroup, "missing", lambda: "none is wanted in this test")


@pytest.fixture
def no_box(monkeypatch, tmp_path) -> None:
    """As on a machine without bubblewrap, also for the judge's own process."""
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox.missing.cache_clear()
    yield
    sandbox.missing.cache_clear()
