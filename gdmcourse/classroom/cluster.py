"""Workers that grade side by side: on this machine, or wherever a scheduler of Dask reaches them."""

import contextlib
import json
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gdmcourse.classroom.work import LONGEST, grade
from gdmcourse.grading.clean import clean

AHEAD = 2  # submissions that are on their way for each one that is being graded
QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.comm.timeouts.connect": "30s",
}
Work = Callable[[bytes, str, str], str]


@dataclass(frozen=True)
class Job:
    """A content to grade: its hash, how it is read, and what the worker is told of it alone."""

    digest: str
    load: Callable[[], bytes]
    errand: Callable[[], str]


class Cluster:
    """A cluster of Dask: ``workers`` processes of this machine, or the one whose scheduler has this address.

    An address is what Dask says, such as ``tcp://host:8786``, or the JSON file that its scheduler writes.
    """

    def __init__(self, workers: int | None = None, address: str | None = None, work: Work = grade) -> None:
        self._workers, self._address, self._work = workers or cores(), address, work
        self._open = contextlib.ExitStack()

    def __enter__(self) -> "Cluster":
        """Start or join it; raises ValueError where Dask or the scheduler isn't there."""
        try:
            import dask
            from distributed import Client
        except ModuleNotFoundError:
            raise ValueError(
                "a class is graded by Dask: install it by `pip install 'gdmcourse[cluster]'`"
            ) from None
        with contextlib.ExitStack() as stack:
            stack.enter_context(dask.config.set(QUIET))
            if self._address is None:
                self._client: Any = stack.enter_context(Client(stack.enter_context(self._local(stack))))
            else:
                self._client = stack.enter_context(_joined(Client, self._address))
            self._open = stack.pop_all()
        return self

    def __exit__(self, *what: Any) -> None:
        """Let the workers of this machine end, and leave others as they are."""
        self._open.__exit__(*what)

    def run(self, order: str, jobs: Iterator[Job]) -> Iterator[list[tuple[Job, dict[str, Any]]]]:
        """Grade all jobs by one order; yields what comes back, in no order, or says that its workers died."""
        from distributed import as_completed

        under_way: dict[Any, Job] = {}
        done = as_completed([])
        # As a task's result it goes once to each worker, and is made anew if all who have it die.
        shared = self._client.submit(str, order)
        early = self._fill(shared, jobs, under_way, done)
        while under_way or early:
            if early:
                yield early
                early = []
                continue
            arrived = list(next(done.batches()))
            finished = {future.key: future for future in arrived if future.status == "finished"}
            # In one call: asked for one by one, answers would come more slowly than many workers give them.
            texts = self._client.gather(finished, errors="skip")
            results = [(under_way.pop(future), _result(future, texts.get(future.key))) for future in arrived]
            for future in arrived:
                future.release()
            early = self._fill(shared, jobs, under_way, done)
            yield results

    def _fill(
        self, shared: Any, jobs: Iterator[Job], under_way: dict[Any, Job], done: Any
    ) -> list[tuple[Job, dict[str, Any]]]:
        """Send as many jobs as keep all workers busy; returns those whose content can't be read any more."""
        room, lost = AHEAD * max(1, sum(self._client.ncores().values())), []
        while len(under_way) < room and (job := next(jobs, None)) is not None:
            try:
                content = job.load()
            except OSError as error:
                lost.append((job, {"failed": f"it can't be read any more ({clean(error)})"}))
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # a notebook with pictures is large
                future = self._client.submit(self._work, content, shared, job.errand(), pure=False)
            under_way[future] = job
            done.add(future)
        return lost

    def _local(self, stack: contextlib.ExitStack) -> Any:
        """Processes of this machine, which nobody else can speak to."""
        from distributed import LocalCluster

        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="gdm-class-"))
        return LocalCluster(
            n_workers=self._workers,
            threads_per_worker=1,
            memory_limit=0,
            host="127.0.0.1",
            protocol="tls://",
            security=True,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
            local_directory=scratch,
        )


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _joined(client: Any, address: str) -> Any:
    """A client of a scheduler that is there, and has a worker."""
    where = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    try:
        joined = client(**where, timeout=30)
        joined.wait_for_workers(1, timeout=60)
    except (OSError, ValueError, TimeoutError) as error:
        said = f"no scheduler with workers answers at {clean(address)} ({clean(error, 200)})"
        raise ValueError(said) from None
    return joined


def _result(future: Any, text: Any) -> dict[str, Any]:
    """What a worker answered by `text`, of bounded size and read as JSON only; or why there is no answer."""
    if future.status == "finished":
        if not isinstance(text, str) or len(text) > LONGEST:
            return {"failed": "a worker answered with more than is read"}
        result: dict[str, Any] = json.loads(text)
        return result
    if future.status == "error":
        reason = type(future.exception()).__name__
        died = reason == "KilledWorker"
        return {"failed": "the workers that graded it died" if died else f"a worker failed with {reason}"}
    raise ValueError("the scheduler is gone. What was graded is kept; give the command again to go on")
