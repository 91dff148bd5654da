"""The process that forks judges: what of one run another can meet, and what becomes of it when one dies."""

import os
import signal
import threading
import time

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
    assert ran("x = 1").records["c0"]["end"] == "ok"
    (first,) = forking()
    assert ran("x").records["c0"]["reason"].startswith("NameError")
    assert forking() == [first]
    assert first.children(recursive=True) == []  # its judges have ended, and their kernels


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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each judge is a process from nothing")
def test_what_a_dead_one_said_is_about_its_own_run_and_shows_no_cell(ran):
    """Its last words go into a report: neither another student's code nor a hidden probe may be there."""
    ran("swordfish = 1\nraise KeyError('of another run')")
    (parent,) = forking()
    killer = threading.Thread(target=kill_the_judge_of, args=(parent,))
    killer.start()
    said = ran("import time; time.sleep(100)", cell=100.0).gone
    killer.join()
    assert said.startswith("the judge stopped without a result")
    for word in ("swordfish", "KeyError", "of another run", "Input:"):
        assert word not in said


def kill_the_judge_of(parent):
    """Kill the judge that is at work, once it has started its kernel."""
    while not (judge := parent.children()) or not judge[0].children():
        time.sleep(0.1)
    judge[0].send_signal(signal.SIGKILL)


class Raced(list):
    """A list whose last entry another thread takes after it was counted."""

    def __len__(self):
        number = super().__len__()
        self.clear()
        return number


def test_an_idle_one_that_another_thread_takes_first_is_no_error(monkeypatch):
    idle, new = (object.__new__(Judges) for _ in range(2))
    monkeypatch.setattr(judges, "_idle", Raced([idle]))
    monkeypatch.setattr(Judges, "alive", True)
    assert judges._take() is idle
    monkeypatch.setattr(judges, "Judges", lambda: new)
    assert judges._take() is new


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
