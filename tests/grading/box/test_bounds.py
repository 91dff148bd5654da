"""What a submission can take of the machine: memory that no process shows, threads, processes, time."""

import shutil
import subprocess
from pathlib import Path

import psutil
import pytest

from gdmcourse.grading import cgroup, usage
from gdmcourse.grading.limits import GIB, MIB, Limits
from gdmcourse.grading.run import Outcome, Runs

pytestmark = pytest.mark.slow
SMALL = {"memory": 400 * MIB, "notebook": 60.0, "cell": 60.0}

# Memory that isn't in the resident set of any process of the box.
UNSEEN = {
    "shared pages that were given back": (
        "import mmap, time\n"
        "kept = []\n"
        "for _ in range(100):\n"
        "    part = mmap.mmap(-1, 8 << 20); part.write(bytes(8 << 20)); part.madvise(mmap.MADV_DONTNEED)\n"
        "    kept.append(part)\n"
        "time.sleep(1000)"
    ),
    "files in memory": (
        "import time\n"
        "for place in ('/tmp', '/dev/shm', '.'):\n"
        "    for n in range(7):\n"
        "        with open(f'{place}/{n}', 'wb') as file: file.write(bytes(30 << 20))\n"
        "time.sleep(1000)"
    ),
    "many processes": (
        "import os, time\n"
        "for _ in range(8):\n"
        "    if os.fork() == 0:\n"
        "        x = bytearray(b'x') * (80 << 20); time.sleep(1000)\n"
        "time.sleep(1000)"
    ),
    "sockets that nobody reads": (
        "import os, socket, time\n"
        "def fill():\n"
        "    for _ in range(200):\n"
        "        for end in kept.append(socket.socketpair()) or kept[-1]:\n"
        "            end.setblocking(False)\n"
        "            try:\n"
        "                while True: end.send(bytes(60_000))\n"
        "            except BlockingIOError: pass\n"
        "kept = []\n"
        "for _ in range(5):\n"
        "    if os.fork() == 0:\n"
        "        fill(); time.sleep(1000)\n"
        "time.sleep(1000)"
    ),
}
IN_FLIGHT = """
import array, os, socket, time
kept = []
for n in range(40):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    file = os.open(f"/tmp/{n}", os.O_CREAT | os.O_RDWR); os.posix_fallocate(file, 0, 31 << 20)
    a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))])
    os.close(file); os.unlink(f"/tmp/{n}"); kept.append((a, b))
raise ValueError("held")
"""
STORM = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
THREADS = """
import threading, time
for _ in range(3000):
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
time.sleep(1000)
"""


@pytest.mark.usefixtures("boxed", "grouped")
@pytest.mark.parametrize("name", UNSEEN)
def test_in_a_control_group_memory_counts_wherever_it_is_held(ran, name):
    assert ran(UNSEEN[name], **SMALL).gone == "it used more than 0.390625 GiB of memory"


@pytest.mark.usefixtures("boxed", "no_group")
@pytest.mark.parametrize("name", UNSEEN)
def test_without_a_control_group_it_is_found_by_looking(ran, name):
    assert ran(UNSEEN[name], **SMALL).gone == "it used more than 0.390625 GiB of memory"


@pytest.mark.usefixtures("boxed", "grouped")
def test_files_in_flight_between_processes_are_held_in_the_boxs_own_memory(ran):
    record = ran(IN_FLIGHT, **SMALL).records["c0"]
    assert record["reason"] != "ValueError: held"
    assert "No space left" in record["reason"] or "it used more than" in record["reason"]


@pytest.mark.usefixtures("boxed", "grouped")
@pytest.mark.parametrize("code", [THREADS, STORM], ids=["threads", "a fork storm"])
def test_in_a_control_group_threads_and_processes_have_a_bound_of_their_own(ran, code):
    assert ran(code, cell=100.0, notebook=100.0).gone == "it started more than 256 processes and threads"


@pytest.mark.usefixtures("boxed", "no_group")
def test_without_a_control_group_threads_are_counted_too(ran):
    assert ran(THREADS, cell=100.0, notebook=100.0).gone == "it started more than 256 processes and threads"


@pytest.mark.usefixtures("boxed", "no_group")
def test_what_many_processes_share_counts_once(ran):
    shared = (
        "import os, time\nx = bytearray(b'x' * (100 << 20))\n"
        "for _ in range(8):\n    if os.fork() == 0:\n        time.sleep(1000)\n"
    )
    outcome = ran(shared + "time.sleep(2)\nraise ValueError('shared')", **SMALL)
    assert outcome.records["c0"]["reason"] == "ValueError: shared"


@pytest.mark.usefixtures("boxed")
def test_there_is_no_network_whose_buffers_the_machine_would_hold(told):
    """What waits in connections over IP is counted for the machine, and for no group of the old kind."""
    ask = (
        "import socket\n"
        "def refused(family, kind):\n"
        "    try: socket.socket(family, kind)\n"
        "    except OSError: return True\n"
        "[refused(f, k) for f in (socket.AF_INET, socket.AF_INET6) for k in (1, 2)]"
    )
    assert told(ask) == [True] * 4


@pytest.mark.usefixtures("boxed", "grouped")
def test_an_honest_program_gets_a_memory_error_before_its_group_ends(ran):
    record = ran("x = []\nwhile True: x.append(b'x' * (16 << 20))", **SMALL).records["c0"]
    assert record["reason"].startswith("MemoryError")


@pytest.mark.usefixtures("boxed", "grouped")
def test_a_run_leaves_no_group_and_no_process_behind(ran, monkeypatch):
    make, made = cgroup.make, []
    monkeypatch.setattr(cgroup, "make", lambda limits: made.append(make(limits)) or made[-1])
    ran("import subprocess\nfor _ in range(5): subprocess.Popen(['sleep', '1000'], start_new_session=True)")
    assert len(made) == 1
    assert not [folder for folder in made[0].folders if folder.exists()]
    assert not [process for process in usage.started() if "sleep" in process.name()]


@pytest.mark.usefixtures("grouped")
def test_a_group_counts_what_is_in_it_and_ends_all_of_it():
    group = cgroup.make(Limits(memory=GIB, processes=20))
    argv = ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do setsid sleep 1000 & done; echo started; wait"]
    process = subprocess.Popen(argv, preexec_fn=group.enter, stdout=subprocess.PIPE)
    process.stdout.readline()
    members = cgroup._members(group.pids)
    assert len(members) == 10
    assert group.broken() is None
    group.remove()
    process.communicate()
    assert not any(folder.exists() for folder in group.folders)
    assert not [pid for pid in members if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]


@pytest.mark.parametrize(
    ("mounts", "groups", "expected"),
    [
        ("cgroup2 {top}/new cgroup2 rw 0 0", "0::/user/me", ("new", "user/me", True)),
        ("cgroup {top}/old cgroup rw,memory 0 0", "4:memory:/mine\n0::/", ("old", "mine", False)),
        ("cgroup {top}/old cgroup rw,memory 0 0", "4:memory:/not/here", ("old", "", False)),
        (
            "x {top}/new cgroup2 rw 0 0\ny {top}/old cgroup rw,memory 0 0",
            "4:memory:/mine\n0::/",
            ("old", "mine", False),
        ),
        ("tmpfs /tmp tmpfs rw 0 0", "", None),
    ],
)
def test_both_layouts_of_the_tree_are_read(tmp_path, mounts, groups, expected):
    for path in ("new/user/me", "old/mine"):
        (tmp_path / path).mkdir(parents=True)
    (tmp_path / "mounts").write_text(mounts.format(top=tmp_path))
    (tmp_path / "cgroup").write_text(groups)
    found = cgroup.own_group("memory", tmp_path)
    if expected is not None:
        top, own, unified = expected
        expected = (tmp_path / top, tmp_path / top / own, unified)
    assert found == expected


FILES = (
    "memory.max",
    "memory.swap.max",
    "memory.oom.group",
    "memory.events",
    "pids.max",
    "pids.events",
    "cpu.max",
)


@pytest.fixture
def unified(tmp_path, monkeypatch) -> set[Path]:
    """A stand-in for a unified tree: the groups whose new groups get the files of all controllers."""
    mkdir, giving = Path.mkdir, {tmp_path / "given"}

    def make(self, mode=0o777, **options):
        mkdir(self, mode, **options)
        for name in FILES if self.parent in giving and "gdmcourse" in self.name else ():
            (self / name).touch()

    monkeypatch.setattr(Path, "mkdir", make)
    monkeypatch.setattr(Path, "rmdir", shutil.rmtree)
    (tmp_path / "given" / "scope").mkdir(parents=True)
    monkeypatch.setattr(cgroup, "own_group", lambda _: (tmp_path, tmp_path / "given" / "scope", True))
    return giving


def test_in_a_unified_tree_one_group_above_our_own_has_all_bounds(unified, tmp_path):
    group = cgroup.make(Limits(memory=GIB, processes=20, cpus=1.5))
    (folder,) = group.folders
    assert folder.parent == tmp_path / "given"  # our own group holds processes, so it can't bound others
    told = {name: (folder / name).read_text() for name in FILES}
    assert told == {
        "memory.max": str(GIB),
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "memory.events": "",
        "pids.max": "20",
        "pids.events": "",
        "cpu.max": "150000 100000",
    }
    assert group.broken() is None
    (folder / "pids.events").write_text("max 1\n")
    assert group.broken() == "processes"
    (folder / "memory.events").write_text("low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\noom_group_kill 1\n")
    assert group.broken() == "memory"
    group.remove()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["given", "scope"]


def test_in_a_unified_tree_that_gives_nothing_away_there_is_no_group_and_no_trace_of_one(unified, tmp_path):
    unified.clear()
    assert cgroup.make(Limits()) is None
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["given", "scope"]


def test_the_runs_of_a_submission_share_its_time(monkeypatch):
    asked = []

    def run(notebook, limits, hidden):
        asked.append(limits)
        return Outcome({}, None)

    monkeypatch.setattr("gdmcourse.grading.run.run", run)
    runs = Runs(Limits(notebook=100.0, total=50.0))
    runs.run({})
    assert asked[0].notebook <= 50
    runs.end = 0.0  # long ago
    assert runs.run({}).gone == "not run, because the submission's 50 s were used up"
    assert len(asked) == 1
