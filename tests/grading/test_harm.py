"""What could fill, flood or outlive the machine that grades: counted, stopped and cleared away."""

import os
import random

import psutil
import pytest

from gdmcourse.grading import sandbox, usage
from gdmcourse.grading.limits import MIB, Limits

pytestmark = pytest.mark.slow
RIGHT_Q3 = "def snr(alpha_bar):\n    return alpha_bar / (1 - alpha_bar)"
SHORT = Limits(cell=4.0, notebook=15.0, grace=1.0, disk=40 * MIB, memory=600 * MIB)

FLOOD = """
import threading, time
kernel = get_ipython().kernel
said = {"ename": "x" * 100, "evalue": "y" * 500, "traceback": ["z" * 500] * 20}
def flood():
    while True:
        kernel.session.send(kernel.iopub_socket, KIND, CONTENT, parent=kernel.get_parent())
for _ in range(2):
    threading.Thread(target=flood, daemon=True).start()
time.sleep(2)
def signal(a):
    return 7.0
"""


def scores(result):
    return {question.id: question.earned for question in result.questions}


@pytest.mark.parametrize(
    ("kind", "content"), [("error", "said"), ("status", "{'execution_state': 'busy'}"), ("stream", "said")]
)
def test_a_flood_of_messages_does_not_stop_the_clock(submit, judge, kind, content):
    code = FLOOD.replace("KIND", repr(kind)).replace("CONTENT", content)
    result = judge(submit(q1=code, q3=RIGHT_Q3), limits=SHORT)
    assert scores(result) == {"q1": 0.0, "q2": 4.0, "q3": 3.0}
    assert not any("the judge stopped without a result" in reason for reason in result.questions[0].reasons)


def fill(place):
    return (
        "import os\n"
        "def signal(a):\n"
        f"    top = {place}\n"
        "    os.makedirs(top + '/deep/er', exist_ok=True)\n"
        "    for n in range(400):\n"
        "        with open(f'{top}/deep/er/{n}', 'wb') as file: file.write(bytes(2 << 20))\n"
        "    return math.sqrt(a)"
    )


@pytest.mark.parametrize("place", ["__import__('glob').glob('/run/*')[0]", "'/tmp'", "'/dev/shm'"])
def test_what_can_be_written_is_memory_of_limited_size(submit, judge, place):
    result = judge(submit(q1=fill(place), q3=RIGHT_Q3), limits=SHORT)
    assert scores(result) == {"q1": 0.0, "q2": 4.0, "q3": 3.0}
    assert "No space left on device" in " ".join(result.questions[0].reasons)


def test_files_without_a_name_are_held_in_the_boxs_own_memory(submit, judge):
    code = (
        "import os\nkept = []\ndef signal(a):\n    for n in range(400):\n"
        "        kept.append(os.open(str(n), os.O_CREAT | os.O_RDWR)); os.unlink(str(n))\n"
        "        os.write(kept[-1], bytes(4 << 20))\n    return math.sqrt(a)"
    )
    result = judge(submit(q1=code, q3=RIGHT_Q3), limits=SHORT)
    assert scores(result) == {"q1": 0.0, "q2": 4.0, "q3": 3.0}
    assert "No space left on device" in " ".join(result.questions[0].reasons)


def test_without_a_sandbox_files_are_limited_and_no_process_outlives_the_judge(
    submit, judge, monkeypatch, tmp_path
):
    mark = f"{random.randint(10**5, 10**6)}.25"
    daemon = (
        "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        f"        os.execv('/bin/sleep', ['sleep', '{mark}'])\n    os._exit(0)\nos.wait()\n"
    )
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))  # for the judge's own process
    sandbox.missing.cache_clear()
    try:
        result = judge(submit(q1=daemon + fill("os.path.expanduser('~')"), q3=RIGHT_Q3), limits=SHORT)
    finally:
        sandbox.missing.cache_clear()
    assert scores(result) == {"q1": 0.0, "q2": 4.0, "q3": 3.0}
    assert "it wrote more than 40 MiB of files" in " ".join(result.questions[0].reasons)
    assert [p for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or [])] == []


def test_memory_of_this_process_counts_what_has_no_name():
    before = usage.memory([psutil.Process()])
    held = os.memfd_create("held")
    try:
        os.write(held, bytes(64 * MIB))
        assert usage.memory([psutil.Process()]) >= before + 60 * MIB
    finally:
        os.close(held)
