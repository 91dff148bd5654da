"""The process that forks judges: what of one run another can meet, and what becomes of it when one dies."""

import os
import signal

import psutil
import pytest

from gdmcourse.grading import judges
from gdmcourse.grading.judges import Judges, judged


def forking():
    """The processes of this one that fork judges."""
    alive = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "gdmcourse.grading.judge" in child.cmdline()]


@pytest.fixture(autouse=True)
def alone():
    """No process of an earlier test."""
    judges._end()
    yield
    judges._end()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is none where a system can't fork")
def test_each_run_has_a_judge_of_its_own_and_they_share_what_was_imported(ran):
    before = set(psutil.Process().children())
    assert ran("x = 1").records["c0"]["end"] == "ok"
    (first,) = forking()
    assert ran("x").records["c0"]["reason"].startswith("NameError")
    assert set(psutil.Process().children(recursive=True)) - before == {first}


def test_a_setting_of_the_environment_that_changes_holds_in_the_next_run(ran, monkeypatch):
    monkeypatch.delenv("GDMCOURSE_DATA", raising=False)
    code = "import os; raise ValueError(os.environ.get('GDMCOURSE_DATA'))"
    assert ran(code).records["c0"]["reason"] == "ValueError: None"
    monkeypatch.setenv("GDMCOURSE_DATA", "/nowhere")
    assert ran(code).records["c0"]["reason"] == "ValueError: /nowhere"


@pytest.mark.skipif(
    not hasattr(os, "fork"), reason="this system can't fork; each judge is a process from nothing"
)
def test_a_dead_one_is_replaced(ran):
    ran("x = 1")
    (first,) = forking()
    first.send_signal(signal.SIGKILL)
    first.wait(60)
    assert ran("x = 1").records["c0"]["end"] == "ok"
    assert first not in forking()


def test_a_job_that_cannot_be_read_says_so_and_the_next_one_is_done(ran):
    answer, said = judged(b"not a job", 60.0)
    assert answer == b""
    assert "JSONDecodeError" in said
    assert ran("x = 1").records["c0"]["end"] == "ok"


def test_one_that_takes_too_long_is_killed_with_all_that_it_started(monkeypatch):
    monkeypatch.setattr(Judges, "ask", slowly(Judges.ask))
    answer, said = judged(b"{}", 0.2)
    assert (answer, said) == (b"", "it took more than 0.2 s")
    assert forking() == []


def slowly(ask):
    """The question, asked of a process that sleeps."""

    def asked(self, told, seconds):
        self._process.send_signal(signal.SIGSTOP)
        return ask(self, told, seconds)

    return asked
