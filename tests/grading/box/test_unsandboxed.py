"""Without a box: what still holds, and on which systems."""

import random
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from gdmcourse.grading import launch, sandbox, usage
from gdmcourse.grading.limits import MIB

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]


def left(mark: str) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or [])]


@pytest.fixture
def temporary(monkeypatch) -> Path:
    """A folder for temporary files that no other test uses, with a short path as sockets need it."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


@pytest.mark.usefixtures("no_box")
def test_the_isolation_is_told_as_a_value():
    assert sandbox.kind() == "unsandboxed"
    assert sandbox.describe().startswith("unsandboxed: bubblewrap isn't installed")


@pytest.mark.usefixtures("no_box")
def test_nothing_that_the_judge_was_told_is_in_a_file_an_argument_or_its_environment(ran):
    code = (
        "import glob, os, pathlib\n"
        "def text(path):\n"
        "    try: return pathlib.Path(path).read_bytes()\n"
        "    except OSError: return b''\n"
        "judge, found = os.getppid(), []\n"
        "places = [f'/proc/{judge}/cmdline', f'/proc/{judge}/environ']\n"
        "places += [p for p in glob.glob('/tmp/gdm*/**', recursive=True) if os.path.isfile(p)]\n"
        "word = b'swor' + b'dfish'\n"
        "raise ValueError([p for p in places if word in text(p)], b'judge' in text(f'/proc/{judge}/cmdline'))"
    )
    outcome = ran(code, "swordfish = 'swordfish'")
    assert outcome.records["c0"]["reason"] == "ValueError: ([], True)"


@pytest.mark.usefixtures("no_box")
def test_what_it_leaves_behind_is_gone_before_the_next(ran, temporary):
    mark = f"{random.randint(10**5, 10**6)}.25"
    daemon = (
        "import os, signal\n"
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        f"        os.execv('/bin/sleep', ['sleep', '{mark}'])\n    os._exit(0)\nos.wait()\n"
    )
    ran(daemon)
    assert left(mark) == []
    ran(daemon + "try: os.kill(os.getppid(), signal.SIGKILL)\nexcept PermissionError: pass")
    assert left(mark) == []
    assert list(temporary.iterdir()) == []


def test_orphans_of_a_dead_judge_are_found_by_their_session():
    mark = f"{random.randint(10**5, 10**6)}.75"
    orphan = f"import os\nos.setsid()\nif os.fork() == 0: os.execv('/bin/sleep', ['sleep', '{mark}'])"
    ours = subprocess.Popen(["/bin/sleep", "1000"])
    usage.adopt_orphans()
    try:
        subprocess.run([sys.executable, "-c", orphan], check=True)
        assert len(left(mark)) == 1
        usage.end(lambda: usage.orphans(0.0))
        assert left(mark) == []
        assert ours.poll() is None
    finally:
        ours.kill()
        ours.wait()


@pytest.mark.usefixtures("no_box")
def test_files_are_limited_and_the_folder_is_removed(ran, temporary):
    deep = "import os, time\nfor _ in range(1500):\n    os.mkdir('d'); os.chdir('d')\ntime.sleep(1000)"
    assert ran(deep, cell=60.0, notebook=60.0).gone == "it wrote more than 256 MiB of files"
    long = (
        "import os, time\n"
        "for _ in range(30):\n    os.mkdir('x' * 250); os.chdir('x' * 250)\n"
        "for n in range(20):\n"
        "    with open(str(n), 'wb') as file: file.write(os.urandom(4 << 20))\n"
        "time.sleep(1000)"
    )
    assert ran(long, cell=60.0, notebook=60.0, disk=40 * MIB).gone == "it wrote more than 40 MiB of files"
    assert list(temporary.iterdir()) == []


@pytest.mark.usefixtures("no_box")
def test_root_runs_it_as_a_user_that_nobody_else_is(told):
    if launch.new_user() is None:
        pytest.skip("only root, with an environment that every user can read, can become another user")
    assert told("import os\nos.getuid()") in launch.NEW_USERS


WITHOUT = """
import sys
import psutil
sys.modules["resource"] = None
"""
GRADE = """
from gdmcourse.grading import limits, sandbox
from gdmcourse.grading.notebook import code, notebook
from gdmcourse.grading.run import run
assert limits.resource is None
cells = [code("raise ValueError('it runs')", "c0", gdmcourse={"role": "helper"})]
print(sandbox.kind(), run(notebook(cells), limits.Limits()).records["c0"]["reason"])
"""


def test_a_system_without_resource_limits_runs_a_notebook_all_the_same(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(WITHOUT)  # for the judge's process too
    done = subprocess.run(
        [sys.executable, "-c", GRADE],
        capture_output=True,
        text=True,
        env={"PATH": str(tmp_path), "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "unsandboxed ValueError: it runs"), done.stderr


def test_channels_are_ports_where_a_system_has_no_local_sockets(monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        patch.setattr(launch.os, "name", "nt")
        found = launch._connection(tmp_path, "key")
    assert found["transport"] == "tcp"
    assert len({found[port] for port in launch.PORTS}) == len(launch.PORTS)
