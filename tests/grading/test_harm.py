"""What could fill, flood or outlive the machine that grades: counted, stopped and cleared away."""

import os
import random
import tempfile
from pathlib import Path

import psutil
import pytest

from gdmcourse.grading import sandbox, usage
from gdmcourse.grading.sandbox import MIB, Limits

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


def test_the_folder_of_the_sockets_is_no_place_to_write(submit, judge):
    sockets = "os.path.dirname(__import__('ipykernel').get_connection_file())"
    result = judge(submit(q1=fill(sockets), q3=RIGHT_Q3), limits=SHORT)
    assert scores(result) == {"q1": 0.0, "q2": 4.0, "q3": 3.0}
    assert "it wrote more than 40 MiB of files" in " ".join(result.questions[0].reasons)


@pytest.mark.parametrize(
    "opened",
    [
        "os.memfd_create(str(n))",
        "(lambda name: (os.open(name, os.O_CREAT | os.O_RDWR), os.unlink(name))[0])(str(n))",
    ],
)
def test_files_without_a_name_count_as_memory(submit, judge, opened):
    code = (
        "import os, time\nkept = []\ndef signal(a):\n    for n in range(400):\n"
        f"        kept.append({opened}); os.write(kept[-1], bytes(4 << 20))\n    time.sleep(9)"
    )
    result = judge(
        submit(q1=code, q3=RIGHT_Q3), limits=Limits(cell=10.0, grace=1.0, memory=300 * MIB, disk=900 * MIB)
    )
    assert scores(result) == {"q1": 0.0, "q2": 4.0, "q3": 3.0}
    assert "it used more than" in " ".join(result.questions[0].reasons)


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


def test_folders_that_were_locked_are_removed_and_links_are_not_followed(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o711)
    folder = Path(tempfile.mkdtemp(dir=tmp_path))
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "file").write_bytes(bytes(10_000))
    (folder / "a" / "link").symlink_to(mine)
    assert usage.written(folder) >= 10_000 + usage.PAGE
    (folder / "a").chmod(0)
    usage.remove(folder)
    assert not folder.exists()
    assert mine.stat().st_mode & 0o777 == 0o711


def test_memory_of_this_process_counts_what_has_no_name():
    before = usage.memory([psutil.Process()])
    held = os.memfd_create("held")
    try:
        os.write(held, bytes(64 * MIB))
        assert usage.memory([psutil.Process()]) >= before + 60 * MIB
    finally:
        os.close(held)
