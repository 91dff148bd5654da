"""Answers that end, block or exhaust the kernel: noticed at once, and harmless to all other questions."""

import random

import psutil
import pytest

from gdmcourse.grading.limits import Limits

pytestmark = pytest.mark.slow
RIGHT_Q3 = "def snr(alpha_bar):\n    return alpha_bar / (1 - alpha_bar)"
SHORT = Limits(cell=3.0, notebook=40.0, grace=1.0)

# What q1's function does before it returns the right value, and the reason that the report gives.
DEATHS = {
    "sys.exit": ("import sys; sys.exit()", "SystemExit"),
    "an interrupt of its own": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "os._exit": ("import os; os._exit(0)", "the kernel died"),
    "kill": ("import os; os.kill(os.getpid(), 9)", "the kernel died"),
    "abort": ("import os; os.abort()", "the kernel died"),
    "a crash": ("import ctypes; ctypes.string_at(0)", "the kernel died"),
    "endless recursion": ("return signal(alpha_bar)", "RecursionError"),
    "an infinite loop": ("\n        while True: pass", "stopped after 3 s"),
    "a loop that swallows exceptions": (
        "\n        while True:\n            try:\n                while True: pass"
        "\n            except BaseException: pass",
        "stopped after 3 s",
    ),
    "a loop in C": ("return sum(range(10**12))", "stopped after 3 s"),
    "a sleep": ("import time; time.sleep(1000)", "stopped after 3 s"),
    "a prompt": ("return float(input())", "StdinNotImplementedError"),
    "a memory bomb": ("x = bytearray(64 << 30)", "MemoryError"),
    "a slow memory bomb": (
        "\n        x = []\n        while True: x.append(bytearray(1 << 26))",
        "MemoryError",
    ),
}


def grade_with(submit, judge, body, **options):
    answer = f"def signal(alpha_bar):\n    if True:\n        {body.strip()}\n    return math.sqrt(alpha_bar)"
    return judge(submit(q1=answer, q3=RIGHT_Q3), **options)


@pytest.mark.parametrize("name", DEATHS)
def test_death(submit, judge, name):
    body, reason = DEATHS[name]
    limits = SHORT if reason.startswith("stopped") else Limits()
    result = grade_with(submit, judge, body, limits=limits)
    earned = {question.id: question.earned for question in result.questions}
    assert (earned["q2"], earned["q3"]) == (4.0, 3.0)
    assert earned["q1"] == 0.0
    assert reason in " ".join(result.questions[0].reasons)


@pytest.mark.parametrize("call", ["exit()", "quit()", "breakpoint()", "__import__('warnings').warn('x')"])
def test_calls_that_end_a_terminal_session_end_nothing_here(submit, judge, call):
    result = grade_with(submit, judge, call)
    assert [(question.earned, question.reasons) for question in result.questions] == [
        (3, []),
        (4, []),
        (3, []),
    ]


@pytest.mark.parametrize(
    "bomb",
    [
        "import threading, os\nthreading.Timer(0.2, lambda: os._exit(1)).start()\nimport time; time.sleep(1)",
        "import os\nos._exit(3)",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ],
)
def test_a_helper_that_kills_the_kernel_costs_no_answer_its_points(submit, judge, bomb):
    def edit(notebook):
        at = next(n for n, cell in enumerate(notebook["cells"]) if cell.get("id") == "q2-answer")
        cell = {"cell_type": "code", "id": "scratch", "metadata": {}, "outputs": [], "source": bomb}
        notebook["cells"].insert(at, cell)

    result = judge(submit(edit), limits=SHORT)
    assert result.earned == 10


def test_an_answer_that_uses_one_which_dies_elsewhere_keeps_its_points(submit, judge, course):
    """The third needs all others, so its run alone has the same cells, but not their probes."""
    dying = "def signal(a):\n    return math.sqrt(a) if a else sum(range(10**12))"
    result = judge(submit(q1=dying, q3=course.answers["q3"]), limits=SHORT)
    earned = {question.id: question.earned for question in result.questions}
    assert earned == {"q1": 1.0, "q2": 4.0, "q3": 3.0}


def test_a_time_bomb_in_one_answer_costs_no_other_its_points(submit, judge):
    bomb = (
        "import threading, os\ndef signal(a):\n    threading.Timer(0.5, lambda: os._exit(1)).start()\n"
        "    return math.sqrt(a)"
    )
    slow = "import time\ndef noise(a):\n    time.sleep(0.5)\n    return math.sqrt(1 - a)"
    result = judge(submit(q1=bomb, q2=slow, q3=RIGHT_Q3))
    earned = {question.id: question.earned for question in result.questions}
    assert (earned["q2"], earned["q3"]) == (4.0, 3.0)


def test_many_processes_are_stopped_and_nothing_stays_behind(submit, judge):
    mark = f"{random.randint(10**5, 10**6)}.5"
    fork = (
        "import os\ndef signal(a):\n    for _ in range(400):\n        if os.fork() == 0:\n"
        f"            os.setsid(); os.execv('/bin/sleep', ['sleep', '{mark}'])\n    return 0"
    )
    result = judge(submit(q1=fork, q3=RIGHT_Q3), limits=SHORT)
    earned = {question.id: question.earned for question in result.questions}
    assert earned == {"q1": 0.0, "q2": 4.0, "q3": 3.0}
    assert [p for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or [])] == []


def test_memory_shared_by_many_processes_is_counted(submit, judge):
    fork = (
        "import os, time\ndef signal(a):\n    for _ in range(8):\n        if os.fork() == 0:\n"
        "            x = bytearray(100 << 20); time.sleep(500)\n    time.sleep(100)"
    )
    result = judge(submit(q1=fork, q3=RIGHT_Q3), limits=Limits(cell=4.0, grace=1.0, memory=512 << 20))
    earned = {question.id: question.earned for question in result.questions}
    assert earned == {"q1": 0.0, "q2": 4.0, "q3": 3.0}
    assert "it used more than 0.5 GiB of memory" in result.questions[0].reasons[0]


def test_a_full_disk_is_the_boxs_own(submit, judge):
    fill = (
        "def signal(a):\n    with open('big', 'wb') as f:\n"
        "        for _ in range(10_000): f.write(bytes(1 << 20))\n"
        "    return math.sqrt(a)"
    )
    result = judge(submit(q1=fill, q3=RIGHT_Q3))
    earned = {question.id: question.earned for question in result.questions}
    assert earned == {"q1": 0.0, "q2": 4.0, "q3": 3.0}


def test_the_whole_notebook_has_its_time_too(submit, judge):
    slow = "import time\ndef signal(a):\n    time.sleep(8)\n    return math.sqrt(a)"
    result = judge(submit(q1=slow, q3=RIGHT_Q3), limits=Limits(cell=100.0, notebook=3.0, grace=1.0))
    earned = {question.id: question.earned for question in result.questions}
    assert earned == {"q1": 0.0, "q2": 4.0, "q3": 3.0}
    assert "the notebook's 3 s were used up" in result.questions[0].reasons[0]
