"""Grading as an ordinary user, whose number may have no name, with a box and without one."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gdmcourse.grading import cgroup, launch
from gdmcourse.grading.limits import Limits

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
USER = 61190

GRADE = """
import json, sys
from gdmcourse.grading import sandbox
from gdmcourse.grading.limits import Limits
from gdmcourse.grading.notebook import code, notebook
from gdmcourse.grading.run import run
if WITHOUT_BOX:
    sandbox.shutil.which = lambda name: None
cells = [code(source, f"c{n}", gdmcourse={"role": "helper"}) for n, source in enumerate(SOURCES)]
outcome = run(notebook(cells), Limits(cell=100.0, notebook=100.0))
reasons = [record["reason"] for record in outcome.records.values()]
print(json.dumps([sandbox.kind(), outcome.gone, reasons]))
"""
NAME = "import getpass, os; raise ValueError(getpass.getuser(), os.path.expanduser('~'))"
THREADS = (
    "import threading, time\nfor _ in range(3000): threading.Thread(target=time.sleep, args=(1000,)).start()"
)


@pytest.fixture
def graded():
    """What a user who isn't root finds, in a folder of that user's own, without a home."""
    if not launch._can_change_user():
        pytest.skip("run this as root, with an environment and a project that every user can read")

    def ask(*sources: str, box: bool) -> list:
        with tempfile.TemporaryDirectory() as home:
            Path(home).chmod(0o777)
            code = GRADE.replace("SOURCES", repr(sources)).replace("WITHOUT_BOX", str(not box))
            done = subprocess.run(
                [sys.executable, "-c", code],
                user=USER,
                group=USER,
                extra_groups=[],
                cwd=home,
                env={"PATH": "/usr/bin:/bin" if box else home, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                check=False,
            )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


@pytest.mark.usefixtures("boxed")
def test_in_a_box(graded):
    kind, gone, reasons = graded(NAME, box=True)
    assert (kind, gone, reasons) == ("bubblewrap", None, ["ValueError: ('student', '/home/student')"])


def test_without_a_box(graded):
    kind, gone, reasons = graded(NAME, box=False)
    assert (kind, gone) == ("unsandboxed", None)
    assert reasons[0].startswith("ValueError: ('student', '/tmp/gdm")


@pytest.mark.usefixtures("boxed")
def test_threads_are_bounded_by_a_group_or_by_the_users_of_the_box(graded):
    _, gone, reasons = graded(THREADS, box=True)
    assert gone == "it started more than 256 processes and threads" or "can't start new thread" in reasons[0]


DELEGATED = """
import os, pathlib
from gdmcourse.grading import cgroup
from gdmcourse.grading.limits import Limits
for folder in FOLDERS:
    pathlib.Path(folder, "cgroup.procs").write_text("0")
os.setgroups([]); os.setgid(USER); os.setuid(USER)
assert cgroup.missing() is None, cgroup.missing()
group = cgroup.make(Limits())
group.remove()
print(len([folder for folder in group.folders if str(folder.parent) in FOLDERS and not folder.exists()]))
"""


@pytest.mark.usefixtures("grouped")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give away a group")
def test_a_user_makes_groups_in_the_part_of_the_tree_that_was_given_to_that_user():
    given = cgroup.make(Limits())
    try:
        for folder in given.folders:
            os.chown(folder, USER, USER)
            for name in ("cgroup.procs", "cgroup.subtree_control"):
                if (folder / name).exists():
                    os.chown(folder / name, USER, USER)
        if (given.memory / "cgroup.subtree_control").exists():
            pytest.skip("in a unified tree a group that holds processes gives no part of it to others")
        code = DELEGATED.replace("FOLDERS", repr(list(map(str, given.folders)))).replace("USER", str(USER))
        argv = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.strip()) == (0, str(len(given.folders))), done.stderr
    finally:
        given.remove()
