"""The system calls that the box refuses, and what an honest notebook needs all the same."""

import platform
import struct

import pytest

from gdmcourse.grading import seccomp

KINDS = list(seccomp.AUDIT)
ALLOWED, REFUSED, UNKNOWN = seccomp.ALLOW, seccomp.FAIL | 1, seccomp.FAIL | 38


def verdict(machine, number, *arguments, architecture=None):
    """Run the program as the kernel would: an independent reading of its few instructions."""
    data = struct.pack(
        "=IIQ6Q", number, architecture or seccomp.AUDIT[machine], 0, *arguments, *[0] * (6 - len(arguments))
    )
    code, held, at = seccomp.program(machine), 0, 0
    while True:
        operation, yes, no, value = struct.unpack_from("=HBBI", code, 8 * at)
        at += 1
        if operation == 0x06:
            return value
        if operation == 0x20:
            (held,) = struct.unpack_from("=I", data, value)
            continue
        met = {0x15: held == value, 0x25: held > value, 0x35: held >= value, 0x45: bool(held & value)}[
            operation
        ]
        at += yes if met else no


@pytest.mark.parametrize("machine", KINDS)
def test_each_named_call_is_refused_and_no_other(machine):
    numbers = {pair[KINDS.index(machine)] for pair in seccomp.REFUSED.values()} - {None}
    for number in range(seccomp.LAST + 1):
        if number == seccomp.CLONE3:
            assert verdict(machine, number) == UNKNOWN
        elif number == seccomp.SOCKET[KINDS.index(machine)]:
            assert verdict(machine, number, 1) == ALLOWED
        else:
            assert verdict(machine, number) == (REFUSED if number in numbers else ALLOWED), number


@pytest.mark.parametrize("machine", KINDS)
def test_calls_that_came_later_look_like_those_of_an_older_kernel(machine):
    assert {verdict(machine, number) for number in range(seccomp.LAST + 1, 1000)} == {UNKNOWN}


def test_the_second_table_and_other_processors_have_no_way_in():
    assert verdict("x86_64", 0x40000000 + 39) == REFUSED
    assert verdict("x86_64", 39, architecture=0x40000003) == REFUSED


@pytest.mark.parametrize("machine", KINDS)
def test_arguments_decide_where_a_call_is_needed(machine):
    clone, fcntl, socket = (
        pair[KINDS.index(machine)] for pair in (seccomp.CLONE, seccomp.FCNTL, seccomp.SOCKET)
    )
    threads, user_namespace = 0x3D0F00, 0x10000000
    assert verdict(machine, clone, threads) == ALLOWED
    assert verdict(machine, clone, 17) == ALLOWED
    assert verdict(machine, clone, user_namespace | 17) == REFUSED
    for command in range(5):
        assert verdict(machine, fcntl, 3, command) == ALLOWED
    for command in (5, 6, 7, 36, 37, 38):
        assert verdict(machine, fcntl, 3, command) == seccomp.FAIL | 37  # no locks available
    assert verdict(machine, fcntl, 3, 1030) == ALLOWED  # a copy of a descriptor
    families = {family for family in range(50) if verdict(machine, socket, family, 1) == ALLOWED}
    assert families == {1, 16}


CALLS = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def refused(number):
    ctypes.set_errno(0)
    libc.syscall(number, 0, 0, 0, 0)
    return ctypes.get_errno() == 1
[name for name, number in NUMBERS.items() if not refused(number)]
"""


@pytest.mark.slow
@pytest.mark.usefixtures("boxed")
def test_the_filter_is_in_force_in_the_box(told):
    column = KINDS.index(platform.machine())
    numbers = {name: pair[column] for name, pair in seccomp.REFUSED.items() if pair[column] is not None}
    assert told(CALLS.replace("NUMBERS", repr(numbers))) == []


@pytest.mark.slow
@pytest.mark.usefixtures("boxed")
def test_what_a_notebook_of_the_course_does_is_allowed(ran):
    code = (
        "import multiprocessing, subprocess, tempfile, threading\n"
        "import matplotlib.pyplot as plt, torch\n"
        "from torch.utils.data import DataLoader\n"
        "thread = threading.Thread(target=int); thread.start(); thread.join()\n"
        "assert subprocess.run(['true']).returncode == 0\n"
        "assert sum(len(batch) for batch in DataLoader(list(range(10)), num_workers=2)) == 10\n"
        "plt.plot([1, 2]); plt.savefig(tempfile.mktemp(suffix='.png'))\n"
        "x = torch.randn(50, 50, requires_grad=True); (x @ x).sum().backward()\n"
        "with multiprocessing.get_context('spawn').Pool(1) as pool: assert pool.map(abs, [-1]) == [1]"
    )
    record = ran(code, cell=300.0, notebook=300.0).records["c0"]
    assert record["end"] == "ok", record
