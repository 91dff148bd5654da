"""Nothing is shared: neither with the teacher nor with another kernel, at the same time or before."""

import json
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gdmcourse.grading import seccomp

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("boxed")]
ROOT = Path(__file__).parents[3]

MEET = """
import mmap, os, pathlib, socket, time
from multiprocessing import resource_tracker, shared_memory
mark, other = MARKS
found, began = [], time.monotonic()
abstract = socket.socket(socket.AF_UNIX); abstract.bind("\\0" + mark); abstract.listen()
PLACES = "/tmp", "/dev/shm", "/home/student", "/run"
for place in PLACES:
    try: pathlib.Path(place, mark).touch()
    except OSError: pass
shared_memory.SharedMemory(mark + "-memory", create=True, size=100)
os.open("/proc/self/environ", 0)
end = began + SECONDS
while time.monotonic() < end and not found:
    found = [place for place in PLACES if os.path.exists(f"{place}/{other}")]
    try: socket.socket(socket.AF_UNIX).connect("\\0" + other); found.append("socket")
    except OSError: pass
    try: shared_memory.SharedMemory(other + "-memory"); found.append("memory")
    except FileNotFoundError: pass
    time.sleep(0.05)
raise ValueError([found, began, end])
"""


def test_two_kernels_at_the_same_time_do_not_meet(ran):
    """Each looks for the other's traces; where one started when the other had ended, they look for longer."""

    def meet(mine, other, seconds):
        code = MEET.replace("MARKS", repr((mine, other))).replace("SECONDS", str(seconds))
        reason = ran(code, cell=200.0, notebook=200.0).records["c0"]["reason"]
        return json.loads(reason.removeprefix("ValueError: ").replace("'", '"'))

    for seconds in (4, 20, 60):
        with ThreadPoolExecutor(2) as pool:
            looks = list(pool.map(meet, ["left", "right"], ["right", "left"], [seconds] * 2))
        assert [found for found, _, _ in looks] == [[], []]
        if max(began for _, began, _ in looks) + 1 < min(end for _, _, end in looks):
            return
    pytest.fail("the two kernels never ran at the same time")


def test_no_lock_and_no_watch_can_be_put_on_a_file_that_both_see(told):
    found = told(
        "import ctypes, fcntl, struct, os\n"
        "file = open(os.__file__)\n"
        "def refused(call, *arguments):\n"
        "    try: call(*arguments)\n"
        "    except OSError: return True\n"
        "lock = struct.pack('hhqqi4x', fcntl.F_RDLCK, 0, 0, 0, 0)\n"
        "number, libc = file.fileno(), ctypes.CDLL(None)\n"
        "[refused(fcntl.flock, file, fcntl.LOCK_SH), refused(fcntl.fcntl, file, fcntl.F_SETLK, lock), "
        "refused(fcntl.fcntl, file, fcntl.F_GETLK, lock), refused(os.preadv, number, [bytearray(9)], 0, 8), "
        "refused(os.posix_fadvise, number, 0, 0, 4), libc.inotify_init1(0) == -1]"
    )
    assert found == [True] * 6


def test_what_one_kernel_leaves_the_next_does_not_find(ran, told):
    ran("for place in ('/tmp/mark', '/dev/shm/mark', 'mark'): open(place, 'w').close()")
    assert told("import os\n[p for p in ('/tmp/mark', '/dev/shm/mark', 'mark') if os.path.exists(p)]") == []


KEYRING = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
keyctl, add_key = NUMBERS
assert libc.syscall(keyctl, 1, None) > 0
if libc.syscall(add_key, b"user", b"gdmcourse-secret", b"swordfish", 9, -3) < 0:
    sys.exit(77)
assert "gdmcourse-secret" in open("/proc/keys").read()
sys.path.insert(0, ROOT)
from gdmcourse.grading.limits import Limits
from gdmcourse.grading.notebook import code, notebook
from gdmcourse.grading.run import run
look = 'open("/proc/keys").read()'
print(run(notebook([code(look, "c0", gdmcourse={"role": "helper"})]), Limits()).records["c0"]["reason"])
"""


def test_the_teachers_keyring_is_not_the_boxs():
    numbers = [
        seccomp.REFUSED[name][list(seccomp.AUDIT).index(platform.machine())] for name in ("keyctl", "add_key")
    ]
    code = KEYRING.replace("NUMBERS", repr(numbers)).replace("ROOT", repr(str(ROOT)))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode == 77:
        pytest.skip("this system lets nobody keep a key, so there is none to hide")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("PermissionError: ")
