"""What most waits for is begun first, nothing before what it needs, and a failure loses no other result."""

import threading

import pytest
from gdmbook.schedule import Task, run_all


def names(tasks: list[Task], workers: int = 1) -> list[str]:
    return [task.what for task, _, _ in run_all(tasks, workers, lambda running: None)]


def task(name: str, seconds: float, *needs: str) -> Task:
    return Task(name, lambda: name.upper(), seconds, frozenset(needs))


def test_the_longest_chain_is_begun_first_and_then_the_longest():
    tasks = [
        task("short chapter", 1),
        task("long chapter", 50, "network"),
        task("network", 10),
        task("coder", 5),
        task("latent", 70, "coder"),
        task("middling chapter", 40),
    ]
    expected = ["coder", "latent", "network", "long chapter", "middling chapter", "short chapter"]
    assert names(tasks) == expected


def test_results_come_with_their_tasks():
    assert [(done.what, result) for done, result, _ in run_all([task("a", 1)], 2, dict)] == [("a", "A")]


def test_a_worker_takes_other_work_instead_of_waiting():
    other = threading.Event()
    slow = Task("slow", lambda: other.wait(60), 100)
    tasks = [slow, task("after", 90, "slow"), Task("other", other.set, 1)]
    done = {what.what: result for what, result, _ in run_all(tasks, 2, lambda running: None)}
    assert done["slow"] is True  # it ended because the other ran beside it, before what waits for it
    assert list(done)[-1] == "after"


def test_after_a_failure_nothing_is_begun_and_what_runs_is_kept():
    failed, kept = threading.Event(), []

    def fail() -> None:
        failed.set()
        raise ValueError("no")

    tasks = [Task("bad", fail, 9), Task("good", lambda: failed.wait(60), 8), task("never", 1)]
    with pytest.raises(ValueError, match="no"):  # noqa: PT012
        for done, _, _ in run_all(tasks, 2, lambda running: None):
            kept.append(done.what)
    assert kept == ["good"]
