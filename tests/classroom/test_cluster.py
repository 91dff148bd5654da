"""Real clusters of two processes: workers and a client that die, submissions that look for each other."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import distributed
import psutil
import pytest

from gdmcourse.classroom import cluster
from gdmcourse.grading import launch, sandbox
from tests.grading.box.conftest import need

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
CLASS = 300
AHEAD = 2 * cluster.AHEAD  # submissions that two workers have at hand


def lines(log: Path) -> list[str]:
    return log.read_text().split("\n")[:-1] if log.exists() else []


def test_three_hundred_are_graded_once_though_a_worker_and_then_the_client_are_killed(tiny, tmp_path):
    for number in range(CLASS):
        (tmp_path / "class" / f"s{number}").mkdir(parents=True)
        (tmp_path / "class" / f"s{number}" / "tiny.ipynb").write_text(f"{number} {number % 11}")
    log, path = tmp_path / "log", tmp_path / "grades.db"
    key = tiny.root / "solutions" / "key" / "tiny.json"
    argv = [
        sys.executable,
        str(Path(__file__).with_name("client.py")),
        str(path),
        str(tmp_path / "class"),
        str(key),
    ]
    environment = {**os.environ, "CLASS_LOG": str(log), "PYTHONPATH": str(ROOT)}
    limited = {**environment, "CLASS_LIMIT": str(CLASS // 2)}
    client = subprocess.Popen(argv, cwd=ROOT, env=limited, stdout=subprocess.DEVNULL)
    try:
        while len(lines(log)) < CLASS // 4:
            assert client.poll() is None
            time.sleep(0.05)
        first = int(lines(log)[-1].split()[1])
        os.kill(first, signal.SIGKILL)
        while len(lines(log)) < CLASS // 2:
            assert client.poll() is None
            time.sleep(0.05)
        family = psutil.Process(client.pid).children(recursive=True)
    finally:
        client.kill()
        client.wait()
    assert psutil.wait_procs(family, timeout=60)[1] == []  # its workers end by themselves
    before = set(graded(path))
    assert CLASS // 4 < len(before) < CLASS
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [CLASS - len(before), CLASS - len(before), []]
    found = graded(path)
    assert len(found) == len(set(found)) == CLASS
    runs = Counter(line.split()[0] for line in lines(log))
    assert set(runs) == set(found)
    assert all(runs[digest] <= 2 for digest in before)
    assert sum(runs.values()) <= CLASS + 3 * AHEAD  # what was under way at either death ran again
    assert first not in {int(line.split()[1]) for line in lines(log)[CLASS // 2 :]}


def graded(path: Path) -> list[str]:
    with sqlite3.connect(path) as db:
        return [row[0] for row in db.execute("SELECT hash FROM grade")]


MEET = """
import os, pathlib, pickle, socket, time
PLACES = "/tmp", "/dev/shm", "/home/student"
class Bomb:
    def __reduce__(self): return (os.system, ("touch /tmp/unpickled",))
def signal(a):
    mark, other = MARKS
    found = []
    for place in PLACES:
        pathlib.Path(place, mark).write_bytes(pickle.dumps(Bomb()))
    abstract = socket.socket(socket.AF_UNIX); abstract.bind("\\0" + mark); abstract.listen()
    end = time.monotonic() + 4
    while time.monotonic() < end and not found:
        found = [place for place in PLACES if os.path.exists(f"{place}/{other}")]
        try: socket.socket(socket.AF_UNIX).connect("\\0" + other); found.append("socket")
        except OSError: pass
        time.sleep(0.05)
    for port in range(1, 3):
        try: socket.create_connection(("127.0.0.1", port), 0.1)
        except OSError as error: found.append(error.errno)
    raise ValueError(sorted(set(map(str, found))), [name for name in os.environ if "DASK" in name])
"""
SPY = (
    "import builtins\nbuiltins.seen = []\n"
    "def noise(a):\n    builtins.seen.append(a)\n    raise ValueError(repr(builtins.seen))"
)
TELLER = "def snr(a):\n    import builtins\n    raise RuntimeError(a, getattr(builtins, 'seen', None))"


def command(*arguments: object, cwd: Path, **options: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "gdmcourse", *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, cwd=cwd, check=False, **options)


def test_by_the_command_two_that_look_for_each_other_and_what_is_returned(tiny, tmp_path):
    need(sandbox.missing())
    for mine, other in (("left", "right"), ("right", "left")):
        code = MEET.replace("MARKS", repr((mine, other)))
        tiny.hand_in(tmp_path / "class" / mine / "tiny.ipynb", q1=code, q2=SPY, q3=TELLER)
    tiny.hand_in(tmp_path / "class" / "ada" / "tiny.ipynb")
    (tmp_path / "class" / "bad").mkdir()
    (tmp_path / "class" / "bad" / "tiny.ipynb").write_bytes(b"\x80\x04never")
    done = command(
        *("grade", "class", "--key", tiny.root / "solutions", "--assignment", "tiny"),
        *("--gradebook", "g.db", "--workers", 2, "--cell-seconds", 60),
        cwd=tmp_path,
    )
    assert done.returncode == 3, done.stderr
    assert "handed in: 4; different files: 4; graded now: 4" in done.stdout
    assert "bad/tiny.ipynb: it is not a notebook" in done.stderr
    assert "Traceback" not in done.stderr
    assert command("gradebook", "feedback", "g.db", "out", cwd=tmp_path).returncode == 0
    for name in ("left", "right"):
        page = (tmp_path / "out" / name / "feedback.html").read_text()
        assert "ValueError: ([" in page
        for trace in ("/tmp&", "/dev/shm", "/home/student", "socket", "DASK", "0.81", "0.19", "0.51"):
            assert trace not in page, trace
    assert not Path("/tmp/unpickled").exists()
    with sqlite3.connect(tmp_path / "g.db") as db:
        assert db.execute("SELECT earned FROM grade WHERE student = 'ada'").fetchone() == (10.0,)


def test_an_ordinary_user_grades_a_class_with_a_box_and_is_refused_without(tiny, tmp_path):
    need(sandbox.missing())
    if not launch._can_change_user():
        pytest.skip("run this as root, with an environment and a project that every user can read")
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        folder.chmod(0o777)
        tiny.hand_in(folder / "class" / "ada" / "tiny.ipynb")
        (folder / "key.json").write_bytes((tiny.root / "solutions" / "key" / "tiny.json").read_bytes())
        arguments = ("grade", "class", "--key", "key.json", "--gradebook", "g.db", "--workers", 1)
        user = {"user": 61190, "group": 61190, "extra_groups": []}
        environment = {"PYTHONPATH": str(ROOT), "HOME": home}
        without = command(*arguments, cwd=folder, env={**environment, "PATH": home}, **user)
        assert without.returncode == 1
        assert (
            "other people's code is not run without a sandbox: bubblewrap isn't installed" in without.stderr
        )
        boxed = command(*arguments, cwd=folder, env={**environment, "PATH": "/usr/bin:/bin"}, **user)
        assert (boxed.returncode, boxed.stderr.splitlines()[1:]) == (0, []), boxed.stderr
        assert "handed in: 1; different files: 1; graded now: 1" in boxed.stdout
        with sqlite3.connect(folder / "g.db") as db:
            assert db.execute("SELECT earned FROM grade").fetchone() == (10.0,)


class Future:
    """What a cluster says of a job: ``status``, and perhaps an exception."""

    def __init__(self, status, error=None):
        self.status, self._error = status, error

    def exception(self):
        return self._error


@pytest.mark.parametrize(
    ("future", "text", "said"),
    [
        (Future("finished"), b"cos\nsystem\n", "more than is read"),
        (Future("finished"), "[" * 40_000_000, "more than is read"),
        (Future("error", distributed.KilledWorker("task", None, 3)), None, "the workers that graded it died"),
        (Future("error", ZeroDivisionError()), None, "a worker failed with ZeroDivisionError"),
    ],
)
def test_only_bounded_json_is_read_of_what_workers_answer(future, text, said):
    assert said in cluster._result(future, text)["failed"]


def test_a_scheduler_that_is_gone_ends_the_command():
    with pytest.raises(ValueError, match="give the command again to go on"):
        cluster._result(Future("cancelled"), None)


def test_a_scheduler_that_is_not_there_is_said(monkeypatch):
    def refuse(*_, **__):
        raise OSError("Timed out trying to connect to 'tcp://127.0.0.1:9' after 30 s")

    monkeypatch.setattr(distributed, "Client", refuse)
    with pytest.raises(ValueError, match="no scheduler with workers answers at tcp"):
        cluster.Cluster(address="tcp://127.0.0.1:9").__enter__()
