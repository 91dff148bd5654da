"""The book's tool as code: its modules import one another without a circle, and each is short."""

import ast
import time
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from gdmbook import calibration

TOOL = Path(__file__).parents[2] / "book/_ext/gdmbook"
MODULES = sorted(TOOL.glob("*.py"))


def imports(path: Path) -> set[str]:
    """The tool's modules that the file imports, at any depth."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gdmbook"):
            names = [node.module.removeprefix("gdmbook").removeprefix(".")]
            found |= set(names) if names != [""] else {alias.name for alias in node.names}
    return found


def test_no_module_imports_itself_through_others():
    graph = {path.stem: imports(path) for path in MODULES}
    assert "records" in graph["run_time"]
    TopologicalSorter(graph).prepare()  # raises CycleError, which shows the circle


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_one_concept_a_file(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 250


def test_speed_counts_the_work_that_was_done(monkeypatch):
    ticks = iter(range(100))
    monkeypatch.setattr(time, "thread_time", lambda: next(ticks))  # each repeat takes one second
    products = calibration.CALLS / calibration.PRODUCTS
    convolutions = calibration.CALLS / calibration.CONVOLUTIONS
    assert calibration.speed() == pytest.approx((products * convolutions) ** 0.5, abs=1e-3)


def test_the_page_on_benchmarks_says_what_reference_speed_is():
    text = (TOOL.parents[1] / "back/benchmarks.md").read_text(encoding="utf-8")
    assert f"{calibration.PRODUCTS:.0f} products of two matrices of {calibration.SIDE}×" in text
    assert f"{calibration.CONVOLUTIONS:.0f} convolutions of {calibration.SHAPE[0]} images" in text
