"""Work that waits for other work, done by a few workers: what most depends on is begun first."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Task:
    """A piece of work: `run` is called in a thread when all that it `needs` is done.

    `what` it makes names it, and `str` shows it.
    """

    what: Any
    run: Callable[[], Any]
    seconds: float  # that it is expected to take
    needs: frozenset[Any] = frozenset()


Tick = Callable[[dict[str, float]], None]  # called each second: for how many seconds has been running what


def run_all(tasks: list[Task], workers: int, tick: Tick) -> Iterator[tuple[Task, Any, float]]:
    """Yield each task with its result and its seconds as it is done.

    After the first that raises none is begun; its exception is raised when those that run have been yielded.
    """
    waiting = sorted(tasks, key=_length(tasks), reverse=True)
    running: dict[Future, tuple[Task, float]] = {}
    done: set[Any] = set()
    failed: BaseException | None = None
    with ThreadPoolExecutor(workers) as pool:
        while running or (waiting and not failed):
            ready = [task for task in waiting if task.needs <= done] if not failed else []
            for task in ready[: workers - len(running)]:
                waiting.remove(task)
                running[pool.submit(task.run)] = task, time.perf_counter()
            for future in wait(running, timeout=1, return_when=FIRST_COMPLETED).done:
                task, start = running.pop(future)
                done.add(task.what)
                if error := future.exception():
                    failed = failed or error
                else:
                    yield task, future.result(), time.perf_counter() - start
            tick({str(task.what): time.perf_counter() - start for task, start in running.values()})
    if failed:
        raise failed


def _length(tasks: list[Task]) -> Callable[[Task], float]:
    """Seconds from the start of a task to the end of the last that can only follow it."""

    def length(task: Task) -> float:
        return task.seconds + max((length(after) for after in tasks if task.what in after.needs), default=0)

    return length
