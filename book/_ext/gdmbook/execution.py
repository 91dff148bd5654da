"""Execute a chapter, in a kernel of its own and an empty folder.

A kernel gets one thread, so that as many chapters run as there are cores, that their numbers do not depend
on how many those are, and that the time shown holds for a reader who does other things meanwhile.
"""

import asyncio
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from tempfile import TemporaryDirectory

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets.config import Config

from gdmbook.chapters import Page
from gdmbook.fingerprint import fingerprint
from gdmbook.records import Run
from gdmcourse.studies.record import processor

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
CELL_SECONDS = 600  # a cell that takes longer is taken for an endless loop
# Linux counts the size of the process that started a kernel into its ru_maxrss, but not into VmHWM.
_PEAK = """import pathlib, re, resource, sys
if sys.platform == "linux":
    print(int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 2**10)
else:
    unit = 2**20 if sys.platform == "darwin" else 2**10
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)"""

Progress = Callable[[Page, int, int], None]  # called before each cell: page, cells done, cells in all


class ChapterError(Exception):
    """A cell that failed: the message names chapter, line and cell, and shows its source and traceback."""


def execute(page: Page, progress: Progress, speed: Callable[[], float]) -> tuple[NotebookNode, Run]:
    """Run the cells of a page in a fresh kernel; return the notebook with outputs, and what the run took.

    `speed` measures the machine's, before and after. Raises ChapterError at the first cell that fails.
    """
    mark = fingerprint(page)  # before the run: a file edited meanwhile makes the record stale
    notebook = page.notebook()
    before = speed()
    seconds, cpu, peak = asyncio.run(_run(page, notebook, progress))
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    run = Run(mark, round(seconds, 2), round(cpu, 2), [before, speed()], round(peak, 1), processor(), when)
    return notebook, run


async def _run(page: Page, notebook: NotebookNode, progress: Progress) -> tuple[float, float, float]:
    """Fill in the outputs of `notebook`; return seconds, CPU seconds and the peak memory in MiB."""
    code = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    with TemporaryDirectory() as folder, TemporaryDirectory() as sockets:
        # Sockets in a folder of ours, not ports that others on the machine could reach.
        config = Config({"ConnectionFileMixin": {"transport": "ipc", "ip": f"{sockets}/kernel"}})
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(
            notebook, timeout=CELL_SECONDS, record_timing=False, resources=resources, config=config
        )
        async with client.async_setup_kernel(env=_environment()):
            start, start_cpu = time.perf_counter(), _cpu(client)
            for done, index in enumerate(code):
                progress(page, done, len(code))
                try:
                    await client.async_execute_cell(notebook.cells[index], index, execution_count=done + 1)
                except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                    raise ChapterError(_report(page, notebook, index, error)) from error
            return time.perf_counter() - start, _cpu(client) - start_cpu, await _peak(client)


def _cpu(client: NotebookClient) -> float:
    """Return the CPU seconds of the kernel and of the processes that it waited for."""
    used = psutil.Process(client.km.provisioner.pid).cpu_times()  # type: ignore[union-attr]
    return used.user + used.system + used.children_user + used.children_system


async def _peak(client: NotebookClient) -> float:
    """Return the kernel's peak resident memory in MiB."""
    cell = nbformat.v4.new_code_cell(_PEAK)
    client.nb.cells.append(cell)
    await client.async_execute_cell(cell, len(client.nb.cells) - 1, store_history=False)
    client.nb.cells.pop()
    return float(cell.outputs[0].text)


def _environment() -> dict[str, str]:
    return {**os.environ, **ONE_THREAD, "GDMCOURSE_STATIC": "1", "PYTHONHASHSEED": "0"}


def _report(page: Page, notebook: NotebookNode, index: int, error: Exception) -> str:
    line = notebook.metadata["source_map"][index]
    head = (
        f"{page.path.relative_to(page.root)}, line {line}: cell {index + 1} of {len(notebook.cells)} failed."
    )
    if isinstance(error, CellExecutionError):
        return f"{head}\n\n{str(error).strip()}"  # has the cell's source and the traceback
    return f"{head}\n\n{notebook.cells[index].source}\n\n{error}"
