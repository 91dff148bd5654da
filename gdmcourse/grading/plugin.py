"""Inside the judge's pytest: nbval runs the cells of a notebook that we assembled.

Each code cell becomes a test; its record (how it ended, which values arrived) travels as the test's
``user_properties``. Nothing in a cell can steer nbval. The expected values aren't here: what arrived is
compared in the process that asked for the run.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError

from gdmcourse.grading.kernel import KernelGone, WatchedKernel
from gdmcourse.grading.notebook import Cell, source_text
from gdmcourse.grading.probe import MIME


class AssembledNotebook(IPyNbFile):
    """nbval's notebook, with our kernel, started by the judge before pytest was even imported."""

    plugin: "JudgePlugin"

    def setup(self) -> None:
        """Wait for the kernel; the time for the notebook starts now."""
        self.kernel = self.plugin.kernel
        self.kernel.wait_until_ready()

    def collect(self) -> Iterator[pytest.Item]:
        """One test for each code cell; nothing in a cell's text or tags can skip it."""
        for number, cell in enumerate(self.plugin.cells):
            options = {"check": True, "check_exception": False, "skip": False}
            yield AssembledCell.from_parent(
                self, name=cell["id"], cell_num=number, cell=_Node(cell), options=options
            )


class AssembledCell(IPyNbCell):
    """nbval's cell; it keeps what probes emit, and passes over all other outputs."""

    def setup(self) -> None:
        """Leave out nbval's mark that makes each cell after a timeout an expected failure."""

    def runtest(self) -> None:
        """Run the cell and record how it ended, whatever happens."""
        role = self.cell.metadata["role"]
        kernel: WatchedKernel = self.parent.kernel
        record: dict[str, Any] = {"cell": self.name, "end": "ok", "reason": None, "values": []}
        self.user_properties.append(("record", record))
        limits = kernel.limits
        slow = f"stopped after {limits.setup if role == 'setup' else limits.cell:g} s"
        late = f"stopped because its output came more than {limits.grace:g} s after its end"
        self.test_outputs: list[dict[str, Any]] = []
        if role != "setup" and not self.parent.plugin.started:
            self.parent.plugin.started = True
            kernel.end = time.monotonic() + limits.notebook
        kernel.begin(limits.setup if role == "setup" else limits.cell)
        self.parent.timed_out = False
        try:
            if not kernel.is_alive():
                raise KernelGone(f"not run, because {kernel.gone or 'the kernel died'} before it")
            super().runtest()
        except KernelGone as error:
            record |= {"end": "gone", "reason": str(error)}
            raise
        except NbCellError:
            gone = not kernel.is_alive()
            if gone:
                kernel.gone = kernel.gone or "it ran out of time and could not be stopped"
            if gone or self.parent.timed_out:
                record |= {
                    "end": "gone" if gone else "timeout",
                    "reason": slow if kernel.interrupted else late,
                }
            elif line := self._error_line():
                record |= {"end": "error", "reason": line}
            raise
        finally:
            if self.parent.timed_out and record["end"] == "ok":
                record |= {"end": "timeout", "reason": slow}
            if record["reason"] == slow and time.monotonic() > kernel.end:
                record |= {"end": "late", "reason": f"the notebook's {limits.notebook:g} s were used up"}
            record |= self._arrived(in_time=record["end"] in ("ok", "error"))

    def compare_outputs(self, test: Any, ref: Any, skip_compare: Any = None) -> bool:
        """Nothing is compared here; nbval asks this of a cell that ended well."""
        return True

    def _arrived(self, in_time: bool) -> dict[str, Any]:
        """The values of a probe cell in the order of its calls, and the arguments that an answer changed."""
        token, calls = self.cell.metadata.get("token"), self.cell.metadata.get("calls")
        if token is None:
            return {}
        payloads = [out["data"].get(MIME) for out in self.test_outputs if "data" in out]
        payloads = [p for p in payloads if isinstance(p, dict) and p.get("token") == token]
        changed = {str(p["changed"])[:80] for p in payloads if "changed" in p}
        emitted = [payload for payload in payloads if "changed" not in payload]
        if calls is None:  # the reference run: whatever it emits will be expected
            return {"values": emitted, "changed": sorted(changed)}
        values = by_index(emitted, calls) if in_time else [None] * calls
        return {"values": values, "changed": sorted(changed)[:4]}

    def _error_line(self) -> str | None:
        for out in self.test_outputs:
            if "ename" in out:
                return f"{out['ename']}: {out['evalue']}".strip(": ")[:300]
        return None


class JudgePlugin:
    """Runs the cells of the assembled notebook and keeps their records."""

    def __init__(self, kernel: WatchedKernel, cells: list[Cell]) -> None:
        self.kernel, self.cells = kernel, cells
        self.records: list[dict[str, Any]] = []
        self.started = False

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Take the notebook in place of nbval, which would read its comments."""
        if file_path.suffix != ".ipynb":
            return None
        found = AssembledNotebook.from_parent(parent, path=file_path)
        found.plugin = self
        return found

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the record of a cell, or the reason of a failure before any cell ran."""
        if report.when == "call":
            self.records += [dict(value) for name, value in report.user_properties if name == "record"]  # type: ignore[call-overload]
        elif report.failed and not self.kernel.gone:
            self.kernel.gone = str(report.longrepr)[-300:]


def by_index(payloads: Sequence[dict[str, Any]], count: int) -> list[Any]:
    """The values of one probe cell in order; None where none arrived, or more than one for the same place."""
    places: list[list[Any]] = [[] for _ in range(count)]
    for payload in payloads:
        index = payload.get("index")
        if type(index) is int and 0 <= index < count:
            places[index].append(payload.get("value"))
    return [values[0] if len(values) == 1 else None for values in places]


class _Node(dict[str, Any]):
    """What nbval reads of a cell."""

    def __init__(self, cell: dict[str, Any]) -> None:
        super().__init__(cell)
        self.source = source_text(cell)
        self.metadata = cell["metadata"]["gdmcourse"]
        self.cell_type, self.execution_count = "code", 1
        self.outputs: list[Any] = []
